"""What somebody can have instead of what was refused: told with the refusal, so that nobody has to search."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from engine.best import SPLITS, Best, packed_best
from engine.catalogue import OnSale
from engine.cell import Cell, broken, pack
from engine.halls.layout import Layout
from engine.wishes import Wish, wish_size
from engine.words import AreaId, PerformanceId, SeatId

MOST_PERFORMANCES: Final = 4
"""So many others of an on-sale are looked at for what is left."""
_decode_runs: Final = msgspec.msgpack.Decoder(list[int]).decode


class Left(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where there is room for as many. `seats`: those that would be found, together; or the standing area."""

    performance: PerformanceId
    category: str
    seats: tuple[SeatId, ...] = ()
    area: AreaId | None = None


async def _suggest(cell: Cell, performance: PerformanceId, items: Sequence[Sequence[object]]) -> list[list[int]]:
    """For each item, as `lua/seats/suggest.lua` takes them, the runs that it would get; empty: none."""
    key, index, _ = cell.hall_keys(performance)
    reply = await cell.read("seats/suggest", (key, index), (pack(items),))
    match reply[0]:
        case b"suggested":
            return [_decode_runs(packed) for packed in reply[1:]]
        case b"unknown_performance":
            return [[] for _ in items]
    raise broken("seats/suggest", reply)


def _seats(layout: Layout, runs: Sequence[int]) -> tuple[SeatId, ...]:
    return tuple(
        layout.seat_at(block, offset + step)
        for block, offset, count in zip(*[iter(runs)] * 3, strict=True)
        for step in range(count)
    )


async def others_like(
    cell: Cell, wish: Wish, taken: Sequence[SeatId], share: str | None = None
) -> list[tuple[SeatId, ...]]:
    """As many other seats as were named, of the same quality first.

    Together in the category of the first that was taken: near it, then the best of all; then the best anywhere. Where
    no such party sits together any more, in the least bad way apart. `share`: as in `left_elsewhere`.
    """
    layout, performance = cell.catalogue.layout(wish.performance), cell.performance(wish.performance)
    category, quantity = layout.category_of(taken[0]), len(wish.seats)
    is_whole = set(layout.unit_of(taken[0])) <= set(wish.seats)  # else it is a unit no more
    unit = layout.blocks[layout.locate(taken[0])[0]].unit if is_whole else ""
    bests = [Best(quantity=quantity, category=category, unit=unit, near=taken[0]), Best(quantity=quantity, unit=unit)]
    if not unit:
        bests.insert(1, Best(quantity=quantity, category=category))
        bests.append(Best(quantity=quantity, near=taken[0], split=SPLITS[-1]))
    asked = [(best, letter) for best in bests for letter in _sources(share)]
    items = [packed_best(best, layout, performance, letter) for best, letter in asked]
    found = [_seats(layout, runs) for runs in await _suggest(cell, wish.performance, items)]
    together = [seats for (best, _), seats in zip(asked, found, strict=True) if seats and best.split == SPLITS[0]]
    return list(dict.fromkeys(together)) or [seats for seats in found if seats]


def _sources(share: str | None) -> Sequence[str]:
    """The letters of the allotments to be looked in; the empty one stands for what is everybody's."""
    return ("",) if share is None else tuple(share)


async def left_elsewhere(cell: Cell, wish: Wish, on_sale: OnSale | None, share: str | None = None) -> list[Left]:
    """Where else as many find room: in the same performance first, then in others of the on-sale.

    Whoever needs a unit is told of units, and whoever can climb no stairs of what is reached without. `share`: the
    letters of the allotments of whoever may take nothing else, of this performance alone.
    """
    quantity, unit = wish_size(wish), wish.best.unit if wish.best else ""
    no_stairs = wish.best is not None and wish.best.no_stairs
    performances = [wish.performance]
    if on_sale is not None and share is None:
        performances += [each for each in on_sale.performances if each != wish.performance][:MOST_PERFORMANCES]
    left: list[Left] = []
    for name in performances:
        layout, performance = cell.catalogue.layout(name), cell.performance(name)
        bests = [
            Best(quantity=quantity, category=each, no_stairs=no_stairs)
            for each in layout.categories
            if each in performance.prices
        ]
        if unit:
            is_there = any(block.unit == unit for block in layout.blocks)
            bests = [Best(quantity=quantity, unit=unit, no_stairs=no_stairs)] if is_there else []
        for letter in _sources(share):
            items = [packed_best(best, layout, performance, letter) for best in bests]
            items += [["area", f"{letter}{place}", quantity] for place in range(len(layout.areas))]
            found = await _suggest(cell, name, items)
            left += _found(name, layout, found[: len(bests)], found[len(bests) :])
    return [each for each in left if not _is_asked(wish, each)]


def _found(
    name: PerformanceId, layout: Layout, parties: Sequence[Sequence[int]], places: Sequence[Sequence[int]]
) -> Iterator[Left]:
    for seats in (_seats(layout, runs) for runs in parties if runs):
        yield Left(performance=name, category=layout.category_of(seats[0]), seats=seats)
    for area, count in zip(layout.areas, places, strict=True):
        if count:
            yield Left(performance=name, category=area.category, area=area.id)


def _is_asked(wish: Wish, left: Left) -> bool:
    """Whether that is the very thing that was asked for; where a narrower wish was refused, it is elsewhere."""
    if left.performance != wish.performance:
        return False
    if wish.area:
        return left.area == wish.area
    best = wish.best
    return (
        best is not None
        and bool(left.seats)
        and best == Best(best.quantity, left.category, no_stairs=best.no_stairs, split=best.split)
    )
