"""What every house of a torture sells: one show, of seats in rows and a floor to stand on."""

from typing import Any, Final

from engine import house as houses
from engine.catalogue import OnSale, Performance
from engine.cell import Cell
from engine.house import Change
from engine.instants import now_ms
from engine.ledger.ledger import Ledger
from engine.torture.options import Options
from engine.words import HallId, OnSaleId, PerformanceId

ON_SALE: Final = OnSaleId("sale")
PERFORMANCE: Final = PerformanceId("show")
HALL: Final = HallId("hall")
BY: Final = Change(who="torture", why="to be tortured")
MONTH_MS: Final = 30 * 86_400_000


def plan_of(rows: int, seats: int, standing: int) -> dict[str, Any]:
    """A hall of straight rows and a floor to stand on, in pretix's format."""
    drawn = []
    for row in range(1, rows + 1):
        places = [
            {"seat_guid": f"{row}-{seat}", "seat_number": str(seat)}
            | {"category": "Seat", "position": {"x": seat * 26, "y": 0}}
            for seat in range(1, seats + 1)
        ]
        drawn.append({"row_number": str(row), "position": {"x": 0, "y": 160 + row * 32}, "seats": places})
    floor = {
        "shape": "rectangle",
        "rectangle": {"width": 200, "height": 80},
        "position": {"x": 0, "y": 40},
        "color": "#eeeeee",
        "border_color": "#000000",
        "rotation": 0,
        "text": {"text": "Floor", "size": 12, "color": "#000000", "position": {"x": 0, "y": 0}},
    }
    return {
        "name": "Hall",
        "categories": [{"name": "Seat", "color": "#8c2f39"}, {"name": "Floor", "color": "#4a6fa5"}],
        "zones": [{"name": "Hall", "position": {"x": 0, "y": 0}, "rows": drawn, "areas": [floor]}],
        "size": {"width": 800, "height": 800},
        "parvis": {
            "areas": [{"zone": 0, "area": 0, "id": "floor", "name": "Floor", "category": "Floor", "capacity": standing}]
        },
    }


async def put_on(cell: Cell, ledger: Ledger, options: Options) -> None:
    """Opens the house's on-sale, by the rules that were drawn."""
    plan = plan_of(options.rows, options.seats, options.standing)
    await houses.add_hall(cell, ledger, HALL, "Hall", plan, BY)
    show = Performance(
        performance=PERFORMANCE,
        hall=HALL,
        title="Show",
        starts_at_ms=now_ms() + MONTH_MS,
        prices={"Seat": {"full": 2500}, "Floor": {"full": 1500}},
        fee=100,
    )
    await houses.add_performance(cell, ledger, show, BY)
    on_sale = OnSale(
        on_sale=ON_SALE,
        title="Sale",
        performances=(PERFORMANCE,),
        prequeue_at_ms=now_ms() - 1000,
        opens_at_ms=now_ms() - 500,
        rate_per_minute=options.rate_per_minute,
        cap=options.cap,
        hold_seconds=options.hold_seconds,
        pass_seconds=options.pass_seconds,
        turn_seconds=60,
        seats_a_hold=4,
        seats_a_place=8,
        return_delay_seconds=options.return_delay_seconds,
    )
    await houses.add_on_sale(cell, ledger, on_sale, BY)
