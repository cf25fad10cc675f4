"""The programme of the demo: which halls, performances, on-sales and keys its three invented houses have."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from engine import house as houses
from engine.catalogue import OnSale, Performance
from engine.cell import Cell
from engine.halls.pretix import export_plan
from engine.halls.shipped import shipped_plan
from engine.house import Change
from engine.instants import now_ms
from engine.ledger.ledger import Ledger
from engine.words import HallId, HouseSlug, OnSaleId, PerformanceId

RUSH: Final = HouseSlug("zeewind")
BY: Final = Change(who="demo", why="so that there is something to see")
DAY_MS: Final = 86_400_000
DEAREST: Final = 4_800
STEP: Final = 900
CHEAPEST: Final = 1_200


class Show(msgspec.Struct, frozen=True):
    """One performance and its on-sale."""

    hall: str
    title: str
    name: str


SHOWS: Final[dict[HouseSlug, Show]] = {
    RUSH: Show("zeewind-grote-zaal", "Nachtvaart: openingsconcert", "nachtvaart"),
    HouseSlug("gulden-masker"): Show("gulden-masker", "De meeuw", "de-meeuw"),
    HouseSlug("klinker"): Show("klinker", "Zilt & Zand, live", "zilt-en-zand"),
}
QUIET_PACE: Final[dict[str, Any]] = {
    "rate_per_minute": 6_000,
    "cap": 200,
    "hold_seconds": 60,
    "return_delay_seconds": 0,
    # Those who time its holds let go of every one.
    "unpaid_holds": 0,
}
SALE_SECONDS: Final = 32
PLACES_A_VISITOR: Final = 1.9
"""What a visitor of the crowd who comes in buys on average, walking away included: sets the demo's pace."""
FASTEST_PER_MINUTE: Final = 3_000


def brisk(capacity: int, visitors: int, *, is_for_people: bool) -> dict[str, Any]:
    """A pace at which the hall sells out within a good half minute, and visitors really wait.

    `is_for_people`: leaves time to read and to type; what the crowd abandons then comes back later.
    """
    per_minute = max(600, round(capacity / PLACES_A_VISITOR * 60 / SALE_SECONDS), visitors // 2)
    return {
        "rate_per_minute": min(FASTEST_PER_MINUTE, per_minute),
        "cap": 2_000 if is_for_people else 400,
        "hold_seconds": 75 if is_for_people else 12,
        "pass_seconds": 300 if is_for_people else 90,
        "turn_seconds": 30,
        "return_delay_seconds": 2,
    }


class Opened(msgspec.Struct, frozen=True):
    """What a house got: its on-sale, and the keys that staff would have."""

    on_sale: OnSaleId
    performance: PerformanceId
    capacity: int
    categories: dict[str, int]
    """Places, a category."""
    manage_key: str
    counter_key: str


def prices(categories: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """A price a category, cheaper from one to the next, and less for those who pay less."""
    result = {}
    for number, category in enumerate(categories):
        full = max(CHEAPEST, DEAREST - STEP * number)
        result[category] = {"full": full, "reduced": full * 8 // 10}
    return result


async def put_on(
    cell: Cell,
    ledger: Ledger,
    show: Show,
    pace: Callable[[int], dict[str, Any]],
    opens_at_ms: int,
    *,
    document: Any = None,
    ids: str = "guid",
) -> Opened:
    """Creates hall, performance, on-sale and keys of a show. `document`: a plan instead of the shipped hall.

    `pace`: rules of the on-sale for a hall of so many places.
    """
    plan = document if document is not None else export_plan(shipped_plan(show.hall))
    name = plan.get("name") if isinstance(plan, dict) else None
    opened = await houses.add_hall(cell, ledger, show.hall, str(name or show.title), plan, BY, ids=ids)
    layout = opened.layout
    performance = Performance(
        performance=PerformanceId(show.name),
        hall=HallId(show.hall),
        title=show.title,
        starts_at_ms=now_ms() // DAY_MS * DAY_MS + 30 * DAY_MS + 19 * 3_600_000,
        prices=prices(tuple(layout.categories)),
        fee=150,
    )
    await houses.add_performance(cell, ledger, performance, BY)
    on_sale = OnSale(
        on_sale=OnSaleId(show.name),
        title=show.title,
        performances=(performance.performance,),
        prequeue_at_ms=min(now_ms(), opens_at_ms),
        opens_at_ms=opens_at_ms,
        **pace(layout.capacity),
    )
    await houses.add_on_sale(cell, ledger, on_sale, BY)
    _, manage_key = await houses.add_key(cell, ledger, "Manager", ("manage",), BY, "demo-manager")
    _, counter_key = await houses.add_key(cell, ledger, "Counter", ("counter", "orders:read"), BY, "demo-counter")
    counts = dict.fromkeys(layout.categories, 0)
    for seat in layout.seat_ids:
        counts[layout.category_of(seat)] += 1
    for area in layout.areas:
        counts[area.category] += area.capacity
    return Opened(
        on_sale=on_sale.on_sale,
        performance=performance.performance,
        capacity=layout.capacity,
        categories=counts,
        manage_key=manage_key,
        counter_key=counter_key,
    )
