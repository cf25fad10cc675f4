"""What is wanted of seats: checked, packed as the functions read it, and read back piece by piece as it was held."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from engine.catalogue import OnSale
from engine.cell import Cell
from engine.errors import BadInput, Refused
from engine.halls.layout import Layout
from engine.prices import Piece
from engine.words import AreaId, PerformanceId, SeatId

LARGEST_QUANTITY: Final = 1_000
_decode_record: Final = msgspec.msgpack.Decoder(tuple[str, int, list[int], list[int], int]).decode
"""A hold as Redis keeps it, see `lua/include/free_hold.lua`."""


class Best(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The best seats together that are left, in a category or anywhere."""

    quantity: int
    category: str = ""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted of one performance: named seats, or the best together, or standing places of an area."""

    performance: PerformanceId
    seats: tuple[SeatId, ...] = ()
    best: Best | None = None
    area: AreaId | None = None
    quantity: int = 0


def wish_size(wish: Wish) -> int:
    """How many seats or places a wish asks for. Raises `BadInput` for a wish that cannot be meant."""
    kinds = sum((bool(wish.seats), wish.best is not None, wish.area is not None))
    if kinds != 1:
        raise BadInput("an item asks for seats, or for the best, or for an area: one of them")
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


def packed_wish(wish: Wish, number: int, layout: Layout) -> list[object]:
    """A wish as the function reads it. Raises `Refused` for a seat, category or area that the hall does not have."""
    if wish.seats:
        packed: list[object] = [number, "seats"]
        for seat in wish.seats:
            try:
                packed += layout.locate(seat)
            except KeyError:
                raise Refused("unknown-seat", f"there is no seat {seat!r} in this hall", seat=seat) from None
        return packed
    if wish.best:
        if wish.best.category and wish.best.category not in layout.categories:
            raise Refused("unknown-category", "there is no such category here", categories=list(layout.categories))
        return [
            number,
            "best",
            layout.class_of(wish.best.category) if wish.best.category else "",
            wish.best.quantity,
        ]
    for place, area in enumerate(layout.areas):
        if area.id == wish.area:
            return [number, "area", place, wish.quantity]
    raise Refused("unknown-area", "there is no such standing area here", area=wish.area)


def price_lists(cell: Cell, wish: Wish) -> list[list[dict[str, int]]]:
    """For each seat of a wish, the prices of every category that it may turn out to have."""
    prices, layout = cell.performance(wish.performance).prices, cell.catalogue.layout(wish.performance)
    if wish.seats:
        return [[prices[layout.category_of(seat)]] for seat in wish.seats]
    if wish.best:
        categories = [wish.best.category] if wish.best.category else list(layout.categories)
        return [[prices[category] for category in categories]] * wish.best.quantity
    category = next(area.category for area in layout.areas if area.id == wish.area)
    return [[prices[category]]] * wish.quantity


def pieces(
    cell: Cell, wishes: Sequence[Wish], performances: Sequence[PerformanceId], records: Sequence[bytes]
) -> Iterator[Piece]:
    """What the function held, piece by piece, in the order of the wishes."""
    cursors = {
        name: (
            (
                (block, offset + step)
                for block, offset, count in zip(*[iter(seats)] * 3, strict=True)
                for step in range(count)
            ),
            iter(list(zip(*[iter(areas)] * 2, strict=True))),
        )
        for name, (_, _, seats, areas, _) in zip(performances, map(_decode_record, records), strict=True)
    }
    for wish in wishes:
        performance = cell.performance(wish.performance)
        layout = cell.catalogue.layout(wish.performance)
        seats, areas = cursors[wish.performance]
        if wish.area is not None:
            place, count = next(areas)
            area = layout.areas[place]
            for _ in range(count):
                yield Piece(performance=performance, category=area.category, area=area.id)
            continue
        for _ in range(wish_size(wish)):
            seat = layout.seat_at(*next(seats))
            yield Piece(performance=performance, category=layout.category_of(seat), seat=seat)


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
