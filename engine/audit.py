"""The audit: Redis against the ledger, seat by seat and cent by cent."""

import asyncio
from typing import Final

import msgspec

from engine.cell import Cell, broken
from engine.ledger.ledger import Ledger
from engine.seats import snapshot
from engine.waiting_room import status
from engine.words import HouseSlug, PerformanceId

DRAIN_SECONDS: Final = 30.0
TRIES: Final = 3


class Audit(msgspec.Struct, frozen=True):
    """One house's books. `seats` is the capacity, standing places included; money in minor units.

    `double_sold`: live ledger items of a seat beyond the first. `lost`: seats, places or orders that one side
    knows as sold and the other does not. `stranded_holds`: held seats that belong to no hold.
    """

    house: HouseSlug
    seats: int
    open: int
    held: int
    sold: int
    blocked: int
    orders_confirmed: int
    orders_recorded: int
    backlog: int
    double_sold: int
    lost: int
    stranded_holds: int
    takings: int
    recorded_takings: int
    conflicted: int
    dead_letters: int
    faults: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether the books balance."""
        return not self.faults


class _Books(msgspec.Struct):
    """What is being counted."""

    counts: dict[str, int]
    stranded: int
    sold_here: dict[PerformanceId, set[str]]
    sold_places: dict[PerformanceId, dict[str, int]]


async def _held_by_holds(cell: Cell, performance: PerformanceId) -> tuple[int, int]:
    """Seats and places that the performance's holds hold, and how many holds have no due time (or the reverse)."""
    key, _, due = cell.keys.performance(performance)
    reply = await cell.read("seats/holds", (key, due))
    if reply[0] != b"holds":
        raise broken("seats/holds", reply)
    fields = {name[1:]: value for name, value in zip(reply[1][::2], reply[1][1::2], strict=True) if name[:1] == b"h"}
    due_names = set(reply[2][::2])
    held = 0
    for packed in fields.values():
        _, _, seats, areas, _ = msgspec.msgpack.decode(packed, strict=False)
        held += sum(seats[2::3]) + sum(areas[1::2])
    return held, len(set(fields) ^ due_names)


async def _count(cell: Cell) -> _Books:
    books = _Books(counts=dict.fromkeys("ohsb", 0), stranded=0, sold_here={}, sold_places={})
    selling = {name for on_sale in cell.catalogue.on_sales.values() for name in on_sale.performances}
    for performance in sorted(selling):
        layout = cell.catalogue.layout(performance)
        held_before, unpaired = await _held_by_holds(cell, performance)
        seat_map = await snapshot(cell, performance)
        for state in books.counts:
            books.counts[state] += seat_map.seats.count(state)
        held = seat_map.seats.count("h")
        for area in layout.areas:
            open_places, sold_places = seat_map.areas[area.id], seat_map.sold_places[area.id]
            books.counts["o"] += open_places
            books.counts["s"] += sold_places
            books.counts["h"] += area.capacity - open_places - sold_places
            held += area.capacity - open_places - sold_places
        books.stranded += abs(held - held_before) + unpaired
        books.sold_here[performance] = {
            seat for seat, state in zip(layout.seat_ids, seat_map.seats, strict=True) if state == "s"
        }
        books.sold_places[performance] = {area: count for area, count in seat_map.sold_places.items() if count}
    return books


async def _drained(cell: Cell) -> int:
    """Waits, within a limit, until the writer has recorded what there is. Answers the backlog left."""
    for _ in range(int(DRAIN_SECONDS / 0.1)):
        await cell.look()
        if cell.backlog == 0:
            break
        await asyncio.sleep(0.1)
    return cell.backlog


async def _audit(cell: Cell, ledger: Ledger) -> Audit:
    backlog = await _drained(cell)
    books = await _count(cell)
    orders = takings = 0
    for on_sale in [*cell.catalogue.on_sales]:
        now = await status(cell, on_sale)
        orders, takings = orders + now.orders, takings + now.takings
    totals = await ledger.totals()
    faults, lost = [], 0
    for performance, here in books.sold_here.items():
        there = set(await ledger.sold(performance))
        places = await ledger.sold_areas(performance)
        for seat in sorted(here ^ there):
            side = "the ledger" if seat in here else "Redis"
            faults.append(f"{performance}: {seat} is sold, but {side} does not know it")
        lost += len(here ^ there)
        for area in sorted(places.keys() | books.sold_places[performance].keys()):
            difference = books.sold_places[performance].get(area, 0) - places.get(area, 0)
            if difference:
                faults.append(f"{performance}: {area} differs by {difference} places from the ledger")
                lost += abs(difference)
    capacity = sum(cell.catalogue.layout(performance).capacity for performance in books.sold_here)
    if sum(books.counts.values()) != capacity:
        faults.append(f"open, held, sold and blocked are {sum(books.counts.values())} of {capacity}")
    checks = (
        (books.stranded, "held seats belong to no hold"),
        (totals.double_sold, "seats are sold twice in the ledger"),
        (totals.dead_letters, "entries could not be recorded and wait in the dead letters"),
        (backlog, "entries are not recorded yet"),
        (abs(orders - totals.orders - totals.conflicted_after_sale), "orders are known on one side only"),
        (abs(takings - totals.money), "minor units are known on one side only"),
    )
    faults += [f"{count} {what}" for count, what in checks if count]
    return Audit(
        house=cell.house.slug,
        seats=capacity,
        open=books.counts["o"],
        held=books.counts["h"],
        sold=books.counts["s"],
        blocked=books.counts["b"],
        orders_confirmed=orders,
        orders_recorded=totals.orders,
        backlog=backlog,
        double_sold=totals.double_sold,
        lost=lost + max(0, orders - totals.orders),
        stranded_holds=books.stranded,
        takings=takings,
        recorded_takings=totals.money,
        conflicted=totals.conflicted,
        dead_letters=totals.dead_letters,
        faults=tuple(faults),
    )


async def audit(cell: Cell, ledger: Ledger) -> Audit:
    """Compares Redis with the ledger. The two are read a moment apart: a fault in a running sale is looked at again."""
    found = await _audit(cell, ledger)
    for _ in range(TRIES - 1):
        if found.is_clean:
            break
        await asyncio.sleep(0.5)
        found = await _audit(cell, ledger)
    return found
