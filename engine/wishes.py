"""What is wanted of seats: checked, packed as the functions read it, and read back piece by piece as it was held."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from engine.best import SPLITS, Best, better_blocks, meant_categories, packed_best
from engine.catalogue import OnSale, Performance
from engine.cell import Cell
from engine.entries import Item
from engine.errors import BadInput, Refused
from engine.halls.layout import Layout
from engine.prices import Piece
from engine.shares import name_of
from engine.words import OPEN, AreaId, PerformanceId, SeatId

LARGEST_QUANTITY: Final = 1_000
TABLE: Final = "table"


class HoldRecord(msgspec.Struct, frozen=True, array_like=True):
    """A hold as Redis keeps it, see `lua/include/free_hold.lua`: runs of seats and places, flat."""

    owner: str
    expires_at_ms: int
    seats: list[int]
    areas: list[int | str]
    extended: int
    returns_to: str = ""
    codes: list[str | int] = []
    latest_ms: int = 0
    former_end_ms: int = 0
    """Of one whose holder has left: its end if they come back."""
    said_ms: int = 0


decode_record: Final = msgspec.msgpack.Decoder(HoldRecord).decode
"""Raises `msgspec.MsgspecError` for what is no record."""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted of one performance: named seats, or the best, or standing places of an area, or a whole table.

    `allotment`: from which the best and the places are taken; seats that are named are taken from wherever they are.
    """

    performance: PerformanceId
    seats: tuple[SeatId, ...] = ()
    best: Best | None = None
    area: AreaId | None = None
    quantity: int = 0
    table: str = ""
    allotment: str = ""


def wish_kinds(wish: Wish) -> int:
    """How many kinds of things a wish asks for: one, if it can be meant."""
    return sum((bool(wish.seats), wish.best is not None, wish.area is not None, bool(wish.table)))


def wish_size(wish: Wish) -> int:
    """How many seats or places a wish asks for. Raises `BadInput` for a wish that cannot be meant."""
    if wish_kinds(wish) != 1:
        raise BadInput("an item asks for seats, or for the best, or for an area, or for a table: one of them")
    if wish.quantity and wish.area is None:
        raise BadInput("a quantity beside an area, or inside best")
    if wish.seats:
        if len(set(wish.seats)) != len(wish.seats):
            raise BadInput("a seat is named twice")
        return len(wish.seats)
    quantity = wish.best.quantity if wish.best else wish.quantity
    if not 1 <= quantity <= LARGEST_QUANTITY:
        raise BadInput(f"a quantity lies between 1 and {LARGEST_QUANTITY}")
    return quantity


def with_seats(wish: Wish, layout: Layout) -> Wish:
    """A wish for a table as one for its seats. Raises `Refused` (`unknown-unit`)."""
    if wish.table and wish_kinds(wish) == 1:
        for unit in layout.units:
            if unit.kind == TABLE and unit.name == wish.table:
                return msgspec.structs.replace(wish, seats=unit.seats, table="")
        raise Refused("unknown-unit", "there is no such table here", unit=wish.table)
    return wish


def packed_wish(wish: Wish, number: int, layout: Layout, performance: Performance, letter: str = "") -> list[object]:
    """A wish as the function reads it, from the allotment with that letter.

    Raises `Refused` for a seat, category or area that the hall does not have.
    """
    if wish.seats:
        packed: list[object] = [number, "seats"]
        for seat in wish.seats:
            try:
                packed += layout.locate(seat)
            except KeyError:
                raise Refused("unknown-seat", f"there is no seat {seat!r} in this hall", seat=seat) from None
        return packed
    if wish.best:
        return [number, *packed_best(wish.best, layout, performance, letter)]
    for place, area in enumerate(layout.areas):
        if area.id == wish.area:
            return [number, "area", f"{letter}{place}" if letter else place, wish.quantity]
    raise Refused("unknown-area", "there is no such standing area here", area=wish.area)


def price_lists(cell: Cell, wish: Wish) -> list[list[dict[str, int]]]:
    """For each seat of a wish, the prices of every category that it may turn out to have."""
    prices, layout = cell.performance(wish.performance).prices, cell.catalogue.layout(wish.performance)
    if wish.seats:
        return [[prices[layout.category_of(seat)]] for seat in wish.seats]
    if wish.best:
        categories = meant_categories(wish.best, layout, cell.performance(wish.performance))
        return [[prices[category] for category in categories]] * wish.best.quantity
    category = next(area.category for area in layout.areas if area.id == wish.area)
    return [[prices[category]]] * wish.quantity


def _runs(record: HoldRecord) -> Iterator[tuple[int, int, int, str]]:
    """Block, offset, count and letter of each run of seats."""
    letters = record.returns_to or OPEN * (len(record.seats) // 3)
    for run, letter in zip(zip(*[iter(record.seats)] * 3, strict=True), letters, strict=True):
        yield *run, letter


def pieces(
    cell: Cell, wishes: Sequence[Wish], performances: Sequence[PerformanceId], records: Sequence[bytes]
) -> Iterator[Piece]:
    """What the function held, piece by piece, in the order of the wishes."""
    cursors = {
        name: (
            ((block, offset + step, letter) for block, offset, count, letter in _runs(record) for step in range(count)),
            iter(list(zip(*[iter(record.areas)] * 2, strict=True))),
        )
        for name, record in zip(performances, map(decode_record, records), strict=True)
    }
    for wish in wishes:
        performance = cell.performance(wish.performance)
        layout = cell.catalogue.layout(wish.performance)
        seats, areas = cursors[wish.performance]
        if wish.area is not None:
            place, count = next(areas)
            area = layout.areas[place if isinstance(place, int) else int(place[1:])]
            source = "" if isinstance(place, int) else name_of(cell.catalogue, wish.performance, place[0])
            for _ in range(int(count)):
                yield Piece(performance=performance, category=area.category, area=area.id, allotment=source)
            continue
        for _ in range(wish_size(wish)):
            block, offset, letter = next(seats)
            seat = layout.seat_at(block, offset)
            source = "" if letter == OPEN else name_of(cell.catalogue, wish.performance, letter)
            yield Piece(performance, layout.category_of(seat), seat, allotment=source)


def check_sizes(cell: Cell, wishes: Sequence[Wish], on_sale: OnSale | None) -> None:
    """The limits that need no look at the hall. Raises `BadInput` and `Refused` (`too-many-seats`)."""
    limit = on_sale.seats_a_hold if on_sale else LARGEST_QUANTITY
    wanted: dict[PerformanceId, int] = {}
    named: set[tuple[PerformanceId, SeatId]] = set()
    for wish in wishes:
        wanted[wish.performance] = wanted.get(wish.performance, 0) + wish_size(wish)
        for seat in wish.seats:
            if (wish.performance, seat) in named:
                raise BadInput("a seat is named twice")
            named.add((wish.performance, seat))
    currencies = {cell.performance(wish.performance).currency for wish in wishes}
    if len(currencies) > 1:
        raise BadInput("one hold has one currency")
    if max(wanted.values()) > limit:
        raise Refused("too-many-seats", f"at most {limit} seats of a performance at a time", limit=limit)


class Choice(msgspec.Struct, frozen=True):
    """Why the best of a wish were these. `together`: one of `SPLITS`; `by`: what the hall's quality is made of.

    `better_rows`: in so many better blocks there were not as many. `leaves_alone`: a seat, because every choice did.
    """

    performance: PerformanceId
    seats: tuple[SeatId, ...]
    together: str
    by: str
    better_rows: int
    leaves_alone: bool


def explain(cell: Cell, wishes: Sequence[Wish], items: Sequence[Item], ways: bytes) -> Iterator[Choice]:
    """How the best of each wish were found. `items`: in the order of the wishes; `ways`: as the function packs it."""
    found = {number: (split, alone) for number, split, alone in msgspec.msgpack.decode(ways)}
    start = 0
    for number, wish in enumerate(wishes, start=1):
        size = wish_size(wish)
        if number in found and wish.best:
            layout = cell.catalogue.layout(wish.performance)
            seats = tuple(item.seat for item in items[start : start + size] if item.seat)
            split, alone = found[number]
            first = min(layout.locate(seat)[0] for seat in seats)
            is_near = wish.best.near is not None
            performance = cell.performance(wish.performance)
            yield Choice(
                performance=wish.performance,
                seats=seats,
                together=SPLITS[split],
                by="near" if is_near else "rank" if layout.is_ranked else "distance",
                better_rows=0 if is_near or wish.allotment else better_blocks(wish.best, layout, performance, first),
                leaves_alone=bool(alone),
            )
        start += size
