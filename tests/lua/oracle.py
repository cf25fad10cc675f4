"""Which seats the best are, by looking at every start in every row: no index, no cleverness, no line of `lua/`."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

LARGEST_PART = 8
EDGES = {0: (0,), 1: (1,), 2: (2,), 3: (1, 2)}


class Row(NamedTuple):
    """A block as it stands: its seats' states, their letters, its focus (from 1), its neighbours' numbers by kind."""

    seats: str
    letters: str
    focus: float
    neighbours: tuple[tuple[int, ...], ...] = ((), (), ())


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """As `lua/include/find_best.lua` has it; `allowed` instead of a mask."""

    k: int
    letters: str = ""
    level: int = 0
    edge: int = 0
    ends: tuple[frozenset[int], frozenset[int]] | None = None
    allowed: frozenset[int] | None = None
    near: tuple[tuple[int, float], ...] = ()
    split: int = 0
    is_unit: bool = False

    def may_be(self, block: int) -> bool:
        return self.allowed is None or block in self.allowed

    def edges_of(self, block: int) -> list[int]:
        return [edge for edge in EDGES[self.edge] if not (edge and self.ends) or block in self.ends[edge - 1]]


Found = tuple[int, int, int]
"""Block, offset, and 1 when somebody is left alone, else 0."""
Runs = list[tuple[int, int, int]]
"""Block, offset, count."""


def is_meant(letter: str, letters: str) -> bool:
    return letter in letters if letters else letter.isupper()


def left_alone(seats: str, offset: int, k: int) -> int:
    """How many of the two sides keep exactly one free seat of the run that is cut."""
    left, right = seats[:offset], seats[offset + k :]
    return (len(left) - len(left.rstrip("o")) == 1) + (len(right) - len(right.lstrip("o")) == 1)


def is_uneven(seats: str, offset: int, k: int) -> bool:
    """Whether both sides keep an odd number, more than one, of the run that is cut, that such parties do not fill."""
    left, right = seats[:offset], seats[offset + k :]
    both = len(left) - len(left.rstrip("o")), len(right) - len(right.lstrip("o"))
    return all(side % 2 and side > 1 for side in both) and any(side % k for side in both)


def starts(row: Row, wish: Wish, edge: int) -> Iterator[int]:
    """Every offset at which the party finds room."""
    if wish.is_unit and len(row.seats) != wish.k:
        return
    for offset in range(len(row.seats) - wish.k + 1):
        chosen = slice(offset, offset + wish.k)
        if (edge == 1 and offset) or (edge == 2 and offset + wish.k != len(row.seats)):
            continue
        if row.seats[chosen] == "o" * wish.k and all(is_meant(each, wish.letters) for each in row.letters[chosen]):
            yield offset


def best_start(row: Row, wish: Wish, edge: int, focus: float, *, is_strict: bool) -> int | None:
    """Fewest left alone, then not an odd number on both sides, then the nearest to the focus, then the first."""
    ideal = focus - 1 - (wish.k - 1) / 2
    ranked = [
        (left_alone(row.seats, at, wish.k), not edge and is_uneven(row.seats, at, wish.k), abs(at - ideal), at)
        for at in starts(row, wish, edge)
    ]
    ranked = [each for each in ranked if not (is_strict and each[0])]
    return min(ranked)[3] if ranked else None


def together(rows: Sequence[Row], wish: Wish) -> Found | None:
    """Near, if that is wished, then anywhere; each first without leaving anybody alone."""
    anywhere = [(number, row.focus) for number, row in enumerate(rows) if wish.may_be(number)]
    for blocks in (wish.near, anywhere):
        for level in range(wish.level, 2):
            for block, focus in blocks:
                for edge in wish.edges_of(block):
                    offset = best_start(rows[block], wish, edge, focus, is_strict=level == 0)
                    if offset is not None:
                        return block, offset, level
    return None


def reach(row: Row, wish: Wish, block: int) -> list[int]:
    """The lengths of the runs that may be taken, the longest first; where an end is wished for, of those at an end."""
    found, start = [], 0
    while start < len(row.seats):
        stop = start
        while stop < len(row.seats) and row.seats[stop] == "o" and is_meant(row.letters[stop], wish.letters):
            stop += 1
        at_ends = {edge for edge, is_there in ((1, start == 0), (2, stop == len(row.seats))) if is_there}
        if stop > start and (not wish.edge or at_ends & set(wish.edges_of(block))):
            found.append(stop - start)
        start = stop + 1
    return sorted(found, reverse=True)


def without(rows: Sequence[Row], block: int, offset: int, count: int) -> list[Row]:
    seats = rows[block].seats
    taken = rows[block]._replace(seats=seats[:offset] + "h" * count + seats[offset + count :])
    return [taken if number == block else row for number, row in enumerate(rows)]


def pairs(rows: Sequence[Row], wish: Wish, block: int) -> Iterator[tuple[tuple[int, ...], tuple[int, int, int]]]:
    """Every way to seat a party in two parts, the larger in `block`, as badness and {block, larger, other}."""
    mine = reach(rows[block], wish, block)
    beside = [(1, block, mine[1:])]
    for kind, blocks in enumerate(rows[block].neighbours, start=1):
        beside += [(kind, other, reach(rows[other], wish, other)) for other in blocks if wish.may_be(other)]
    for kind, other, theirs in beside:
        for larger in range(-(-wish.k // 2), wish.k):
            if kind <= wish.split and mine and theirs and mine[0] >= larger and theirs[0] >= wish.k - larger:
                is_alone = wish.k > 3 and larger == wish.k - 1
                yield (is_alone, kind, larger), (block, larger, other)


def split(rows: Sequence[Row], wish: Wish) -> tuple[Runs, int] | None:
    """In two parts of one row, of rows one behind the other, or near; else in as few as may be, anywhere."""
    if wish.is_unit or not wish.split:
        return None
    focuses = {block: row.focus for block, row in enumerate(rows)} | dict(wish.near[::-1])
    anywhere = [block for block in range(len(rows)) if wish.may_be(block)]
    for blocks in ([block for block, _ in wish.near], anywhere):
        found = [each for block in blocks for each in pairs(rows, wish, block)]
        if found:
            (_, kind, _), (block, larger, other) = min(found, key=lambda each: each[0])
            runs: Runs = []
            for at, count in ((block, larger), (other, wish.k - larger)):
                part = msgspec.structs.replace(wish, k=count, near=((at, focuses[at]),))
                seat = together(rows, part)
                assert seat is not None
                assert seat[0] == at
                runs.append((at, seat[1], count))
                rows = without(rows, *runs[-1])
            return runs, kind
    return _anywhere(rows, wish) if wish.split == 4 else None


def _anywhere(rows: Sequence[Row], wish: Wish) -> tuple[Runs, int] | None:
    runs: Runs = []
    left, size = wish.k, min(wish.k - 1, LARGEST_PART)
    while left and size:
        size = min(size, left)
        if left - size == 1 and size > 2:
            size -= 1
        found = together(rows, msgspec.structs.replace(wish, k=size))
        if found is None:
            size -= 1
            continue
        runs.append((found[0], found[1], size))
        rows = without(rows, *runs[-1])
        left -= size
    return None if left else (runs, 4)


def best(rows: Sequence[Row], wish: Wish) -> tuple[Runs, int, int] | None:
    """The runs, how they are split, and the level of one that is not."""
    found = together(rows, wish)
    if found:
        return [(found[0], found[1], wish.k)], 0, found[2]
    parted = split(rows, wish)
    return (*parted, -1) if parted else None


def options(rows: Sequence[Row], wish: Wish, *, is_spanned: bool) -> dict[str, Any]:
    """The wish as the function takes it."""
    packed: dict[str, Any] = {}

    def bits(blocks: Sequence[int] | frozenset[int]) -> msgspec.Raw:
        size = -(-len(rows) // 8)
        number = sum(1 << (size * 8 - 1 - block) for block in blocks)
        return msgspec.Raw(b"\xdb" + size.to_bytes(4, "big") + number.to_bytes(size, "big"))

    if wish.allowed is not None:
        packed["mask"] = bits(wish.allowed)
    if wish.edge:
        packed["edge"] = wish.edge
    if wish.ends:
        packed["ends"] = [bits(blocks) for blocks in wish.ends]
    if wish.near:
        packed["near"] = [part for each in wish.near for part in each]
    if wish.split:
        packed["split"] = wish.split
    if wish.is_unit:
        packed["unit"] = True
    if wish.k > LARGEST_PART and is_spanned:
        packed["whole"] = bits(
            [number for number, row in enumerate(rows) if wish.may_be(number) and len(row.seats) >= wish.k]
        )
    if len(wish.letters) > 1 and is_spanned:
        packed["span"] = {}
        for size in range(2, wish.k + 1):
            every = msgspec.structs.replace(wish, k=size, edge=0)
            meant = [
                number
                for number, row in enumerate(rows)
                if wish.may_be(number) and list(starts(row._replace(seats="o" * len(row.seats)), every, 0))
            ]
            if meant:
                packed["span"][size] = bits(meant)
    return packed
