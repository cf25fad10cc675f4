"""Which seats a wish for the best may get: what is static of a hall, as the function that chooses reads it.

The grammar is checked here, and told to `lua/include/find_best.lua` as letters of categories and a bit a block: so
whatever is wished for costs Redis no look at any row.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, Final

import msgspec

from engine.catalogue import Performance
from engine.errors import BadInput, Refused
from engine.halls.layout import Block, Layout
from engine.words import SeatId

KINDS_KNOWN: Final = 256
NEAREST_BLOCKS: Final = 128
"""So many blocks near a seat are looked at, one by one."""
LARGEST_INDEXED: Final = 8
"""The largest party of which the index knows; no part of one that is split anywhere is larger."""
EDGES: Final = {"left": 1, "right": 2, "any": 3}
SPLITS: Final = ("together", "row", "adjacent", "near", "anywhere")
"""How a party may be split that no row can seat, the least bad first; each allows those before it."""


class Best(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The best seats together that are left. Everything but the quantity narrows the choice.

    `max_price`: of the standard price with its fee, minor units. `rows`: labels of the first and the last row, of which
    one may be empty: then it has no end there.
    `aisle`: at which end of its row, `left`, `right` or `any`. `near`: a seat that they are to be close to.
    `unit`: a kind of unit, such as `wheelchair`, as a whole: all its seats are of the category that is meant, or where
    none is, of any. `split`: one of `SPLITS`.
    """

    quantity: int
    category: str = ""
    max_price: int | None = None
    zone: str = ""
    rows: tuple[str, str] | None = None
    aisle: str = ""
    no_stairs: bool = False
    near: SeatId | None = None
    unit: str = ""
    split: str = SPLITS[0]


def as_text(data: bytes) -> msgspec.Raw:
    """Bytes as the text that Redis's msgpack reads them as: it knows no other strings."""
    return msgspec.Raw(b"\xdb" + len(data).to_bytes(4, "big") + data)


def meant_categories(best: Best, layout: Layout, performance: Performance) -> list[str]:
    """The categories that a wish may get. Raises `Refused` (`unknown-category`, `too-dear`)."""
    if best.category and best.category not in layout.categories:
        raise Refused("unknown-category", "there is no such category here", categories=list(layout.categories))
    wanted = [best.category] if best.category else list(layout.categories)
    if best.max_price is None:
        return wanted
    standard = {name: next(iter(performance.prices[name].items())) for name in wanted}
    prices = {name: amount + performance.fee_of(price_type) for name, (price_type, amount) in standard.items()}
    affordable = [name for name in wanted if prices[name] <= best.max_price]
    if not affordable:
        raise Refused("too-dear", "nothing here costs so little", from_price=min(prices.values()))
    return affordable


def packed_best(best: Best, layout: Layout, performance: Performance, letter: str = "") -> list[object]:
    """Letters, quantity and options as `find_best` takes them; of the allotment with that letter, or of what is open.

    Raises `BadInput`, `Refused`.
    """
    categories = meant_categories(best, layout, performance)
    if best.aisle and best.aisle not in EDGES:
        raise BadInput(f"aisle is one of {', '.join(EDGES)}")
    if best.split not in SPLITS:
        raise BadInput(f"split is one of {', '.join(SPLITS)}")
    letters = _letters(best, categories, layout)
    options = dict(_once(best, letters, layout, _narrowed))
    if letter:
        options["from"] = letter
    if best.near is not None:
        nearest = _near(best.near, layout, _allowed(best, letters, layout))
        options["near"] = [*nearest, *options.get("near", ())]
    return ["best", letters, best.quantity, options] if options else ["best", letters, best.quantity]


def _once(best: Best, letters: str, layout: Layout, work_out: Callable[[Best, str, Layout], Any]) -> Any:
    """What a kind of wish means in a hall, worked out once: no hold may cost a look at every row of it."""
    kind = (work_out, letters, best.quantity, best.zone, best.rows, best.aisle, best.no_stairs, best.unit, best.split)
    if kind not in layout.known:
        found = work_out(best, letters, layout)
        if len(layout.known) >= KINDS_KNOWN:
            layout.known.clear()
        layout.known[kind] = found
    return layout.known[kind]


def _allowed(best: Best, letters: str, layout: Layout) -> list[Callable[[Block], bool]]:
    """What a block must be, its letters among it where several may be taken."""
    tests = _tests(best, layout)
    if len(letters) > 1:
        # Places for wheelchairs may become general seats, so their letters count as if they were.
        meant = set(letters if best.unit else letters + letters.lower())
        tests.append(lambda block: not meant.isdisjoint(block.classes))
    return tests


def _narrowed(best: Best, letters: str, layout: Layout) -> dict[str, Any]:
    """The options of a wish that are the same for everybody who has it: all but a seat to be near, and an allotment."""
    options: dict[str, Any] = {}
    tests = _allowed(best, letters, layout)
    if best.unit:
        options["unit"] = True
        units = [block for block in layout.blocks if _is_whole(best, letters, block) and all(t(block) for t in tests)]
        if any(block.classes.strip(block.classes[:1]) for block in units):
            # The index knows no unit of several categories: where there are such, each unit is looked at.
            numbers = {block.start: number for number, block in enumerate(layout.blocks)}
            options["near"] = [part for block in units for part in (numbers[block.start], block.focus)]
    if tests:
        options["mask"] = as_text(layout.mask(partial(_passes, tests)))
    if best.quantity > LARGEST_INDEXED:
        options["whole"] = as_text(
            layout.mask(lambda block: block.length >= best.quantity and all(test(block) for test in tests))
        )
    if len(letters) > 1 and not best.unit:
        options["span"] = _spans(best, letters, layout, tests)
    if best.aisle:
        options["edge"] = EDGES[best.aisle]
    if best.aisle == "any":
        # Where either end will do, it is still the one at an aisle that is meant, and not the one at a wall.
        sides: tuple[Callable[[Block], bool], ...] = (lambda b: b.has_aisle_left, lambda b: b.has_aisle_right)
        options["ends"] = [as_text(layout.mask(partial(_passes, [*tests, side]))) for side in sides]
    if best.split != SPLITS[0]:
        options["split"] = SPLITS.index(best.split)
    return options


def _is_whole(best: Best, letters: str, block: Block) -> bool:
    """Whether a block is a unit of so many seats, each of which may be taken."""
    return block.length == best.quantity and set(block.classes) <= set(letters)


def _letters(best: Best, categories: list[str], layout: Layout) -> str:
    """The class letters that may be taken; empty for any general seat."""
    letters = "".join(map(layout.class_of, categories))
    if best.unit:
        return letters.lower()
    return "" if len(categories) == len(layout.categories) else letters


def _spans(
    best: Best, letters: str, layout: Layout, tests: Sequence[Callable[[Block], bool]]
) -> dict[int, msgspec.Raw]:
    """Party size → the blocks in which so many seats together may be of several of the letters; none, no size.

    A party that may be split is looked for in smaller parts too.
    """
    longest = {
        block.start: max((len(run) for run in re.findall(f"[{letters}]+", classes) if len(set(run)) > 1), default=0)
        for block in layout.blocks
        if (classes := block.classes.upper()).strip(classes[:1]) and all(test(block) for test in tests)
    }
    sizes = {best.quantity}
    if best.split != SPLITS[0]:
        sizes |= {-(-best.quantity // 2), *range(2, min(best.quantity, LARGEST_INDEXED + 1))}
    possible = [size for size in sizes if size <= max(longest.values(), default=0)]
    return {size: as_text(layout.mask(partial(_is_long, longest, size))) for size in possible}


def _passes(tests: Sequence[Callable[[Block], bool]], block: Block) -> bool:
    return all(test(block) for test in tests)


def _is_long(longest: Mapping[int, int], size: int, block: Block) -> bool:
    return longest.get(block.start, 0) >= size


def better_blocks(best: Best, layout: Layout, performance: Performance, block: int) -> int:
    """How many blocks before this one could serve a wish that was granted, if they had room."""
    letters = _letters(best, meant_categories(best, layout, performance), layout)
    counts: list[int] = _once(best, letters, layout, _better)
    return counts[block]


def _better(best: Best, letters: str, layout: Layout) -> list[int]:
    """For each block how many before it could serve a wish."""
    tests = _tests(best, layout)

    def is_meant(block: Block) -> bool:
        if best.unit:
            return _is_whole(best, letters, block) and all(test(block) for test in tests)
        is_eligible = any(letter in letters if letters else letter.isupper() for letter in block.classes)
        return is_eligible and block.length >= best.quantity and all(test(block) for test in tests)

    return list(accumulate(map(is_meant, layout.blocks), initial=0))


def _tests(best: Best, layout: Layout) -> list[Callable[[Block], bool]]:
    """What a block must be. Raises `Refused` for a part that the hall does not have."""
    tests: list[Callable[[Block], bool]] = []
    blocks = layout.blocks
    if best.zone:
        _must_be_there("zone", best.zone, {block.zone for block in blocks})
        tests.append(lambda block: block.zone == best.zone)
    if best.rows is not None:
        named = set(filter(None, best.rows))
        if not named:
            raise BadInput("rows name the first row or the last, or both")
        for row in named:
            _must_be_there("row", row, {block.row for block in blocks if best.zone in {"", block.zone}})
        # Labels are no numbers: what lies between two rows is said by where they stand, zone by zone.
        ends: dict[int, list[int]] = {}
        for block in blocks:
            if block.row in named:
                ends.setdefault(block.zone_number, []).append(block.place)
        has_first, has_last = map(bool, best.rows)

        def lies_between(block: Block) -> bool:
            places = ends.get(block.zone_number, [])
            return (
                bool(places)
                and (not has_first or min(places) <= block.place)
                and (not has_last or block.place <= max(places))
            )

        tests.append(lies_between)
    if best.aisle:
        tests.append(
            lambda block: (
                (block.has_aisle_left and best.aisle != "right") or (block.has_aisle_right and best.aisle != "left")
            )
        )
    if best.no_stairs:
        tests.append(lambda block: block.is_step_free)
    if best.unit:
        _must_be_there("unit", best.unit, {block.unit for block in blocks if block.unit})
        tests.append(lambda block: block.unit == best.unit)
    return tests


def _must_be_there(what: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise Refused(f"unknown-{what}", f"there is no {what} {name!r} in this hall", known=sorted(known))


def _near(seat: SeatId, layout: Layout, tests: list[Callable[[Block], bool]]) -> list[int]:
    """Blocks near a seat with the place in each that is nearest, flat. Raises `Refused` (`unknown-seat`)."""
    try:
        found = layout.near(seat, NEAREST_BLOCKS)
    except KeyError:
        raise Refused("unknown-seat", f"there is no seat {seat!r} in this hall", seat=seat) from None
    return [
        part for block, focus in found if all(test(layout.blocks[block]) for test in tests) for part in (block, focus)
    ]
