"""What is set aside, in Redis. Beside `lua/seats/allot.lua` and `open.lua`."""

from collections.abc import Mapping, Sequence

from engine.catalogue import Allotment
from engine.cell import Cell, broken, pack
from engine.errors import Refused
from engine.halls.layout import Layout
from engine.one_plan import of_one_plan
from engine.seat_map import split_rows
from engine.words import BLOCKED, AreaId, PerformanceId, SeatId


def flat_places(layout: Layout, seats: Sequence[SeatId]) -> list[int]:
    """Blocks and offsets, block by block; what was blocked may be gone from a plan that has changed."""
    return [part for place in sorted(layout.locate(seat) for seat in seats if layout.has(seat)) for part in place]


def flat_counts(layout: Layout, areas: Mapping[AreaId, int], sold: Mapping[AreaId, int]) -> list[int]:
    """Areas by their numbers, how many places of each, and how many of these are sold."""
    return [
        part
        for number, area in enumerate(layout.areas)
        if area.id in areas
        for part in (number, areas[area.id], sold.get(area.id, 0))
    ]


def seats_taken(performance: PerformanceId, taken: Sequence[SeatId]) -> Refused:
    """The refusal of seats that somebody else has."""
    return Refused(
        "seats-taken",
        "not every one of these seats is open",
        performance=performance,
        taken=list(taken),
        alternatives=[],
    )


async def read_rows(cell: Cell, performance: PerformanceId) -> list[str]:
    """Every block's row as Redis has it, allotments' letters and all. Raises `Refused` (`not-on-sale`)."""
    layout = cell.catalogue.layout(performance)
    reply = await cell.read("seats/snapshot", (cell.hall_keys(performance)[0],), (0,))
    match reply[0]:
        case b"seats":
            return split_rows(layout, reply[2].decode())
        case b"unknown_performance":
            raise Refused("not-on-sale", "these seats are not on sale yet: name them one by one")
    raise broken("seats/snapshot", reply)


@of_one_plan
async def allot(cell: Cell, made: Allotment) -> bool:
    """Sets aside in Redis; harmless to repeat. Answers False where its performance is not laid out yet.

    Raises `Refused` (`seats-taken`, `sold-out`).
    """
    layout = cell.catalogue.layout(made.performance)
    reply = await cell.call(
        "seats/allot",
        (cell.keys.cell, cell.keys.outbox, *cell.hall_keys(made.performance)),
        (
            made.letter,
            made.name,
            made.release_at_ms,
            pack(flat_places(layout, made.seats)),
            pack(flat_counts(layout, made.areas, {})),
        ),
    )
    match reply[0]:
        case b"allotted" | b"exists":
            return True
        case b"unknown_performance":
            return False
        case b"taken":
            places = zip(*[iter(reply[1:])] * 2, strict=True)
            raise seats_taken(made.performance, [layout.seat_at(block, offset) for block, offset in places])
        case b"few":
            area = layout.areas[int(reply[1])].id
            raise Refused("sold-out", "so many places are not open", area=area, largest_party=reply[2])
        case b"letter_used":
            raise Refused("already-exists", "another allotment ends just now; try again in a moment")
    raise broken("seats/allot", reply)


@of_one_plan
async def open_again(cell: Cell, made: Allotment) -> None:
    """What is left of an allotment is everybody's; harmless to repeat."""
    layout = cell.catalogue.layout(made.performance)
    flat = flat_places(layout, made.seats) if made.letter == BLOCKED else []
    reply = await cell.call(
        "seats/open",
        (cell.keys.cell, cell.keys.outbox, *cell.hall_keys(made.performance)),
        (made.letter, made.name, pack(flat)),
    )
    if reply[0] not in {b"opened", b"nothing_aside", b"unknown_performance"}:
        raise broken("seats/open", reply)
