"""A tiny language to draw a hall's seats, and what the index of a hall must say by looking at every seat.

`"A: . . h1   B: x . ."`: blocks in quality order, `.` open, `h1` held by visitor 1, `s1` sold to visitor 1,
`x` blocked. Seats are written `A1` (block A, first seat). Categories are letters, one a seat, `A` if not said.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

LARGEST_INDEXED, LONGEST_END = 8, 10


class Drawn(NamedTuple):
    """A drawing, read: the blocks' names, `(description, row)` a block with every seat open, places by state."""

    names: list[str]
    blocks: list[tuple[str, str]]
    wanted: dict[str, list[tuple[int, int]]]


def read(drawing: str, categories: Mapping[str, str]) -> Drawn:
    """`categories`: block → a letter a seat. The focus of a row is its middle."""
    drawn = Drawn([], [], {})
    for number, block in enumerate(drawing.split("   ")):
        name, _, seats = block.strip().partition(":")
        states = seats.split()
        drawn.names.append(name)
        classes = categories.get(name, "A" * len(states))
        drawn.blocks.append((f"{(len(states) + 1) / 2:g} {classes}", "o" * len(states)))
        for place, state in enumerate(states):
            if state != ".":
                drawn.wanted.setdefault(state, []).append((number, place))
    return drawn


def draw(names: list[str], rows: list[str]) -> str:
    """The hall as it stands: `"A: . h s x"`; who holds is not drawn."""
    letters = {"o": ".", "b": "x"}
    return "   ".join(
        f"{name}: " + " ".join(letters.get(letter, letter) for letter in row)
        for name, row in zip(names, rows, strict=True)
    )


def can_serve(row: str, letters: str, class_: str, k: int, *, is_clean: bool, end: str = "") -> bool:
    """By looking at every start: whether k seats of a class are free together, without leaving one alone; at an end."""
    for start in range(len(row) - k + 1):
        chosen = range(start, start + k)
        if any(row[place] != "o" for place in chosen):
            continue
        if any(letters[place] != class_ if class_ else letters[place].islower() for place in chosen):
            continue
        if (end == "left" and start) or (end == "right" and start + k < len(row)):
            continue
        left = len(row[:start]) - len(row[:start].rstrip("o"))
        right = len(row[start + k :]) - len(row[start + k :].lstrip("o"))
        if not is_clean or 1 not in {left, right}:
            return True
    return False


def end_lengths(row: str, letters: str, class_: str) -> set[int]:
    """How long a run of a class at the left end counts as: both lengths, where it goes on with other free seats."""
    eligible = next(
        (k for k in range(len(row), 0, -1) if can_serve(row, letters, class_, k, is_clean=False, end="left")), 0
    )
    free = len(row) - len(row.lstrip("o"))
    length = min(eligible, LONGEST_END)
    return {length, length - 1} if free > eligible else {length}


def index_bits(rows: list[str], letters: list[str], categories: int) -> Iterator[tuple[int, bool]]:
    """Every bit of the index (see `lua/include/segment.lua`) with what it must be."""
    stride = -(-len(rows) // 8) * 8
    place = 0
    for class_ in ("", *(chr(65 + n) for n in range(categories)), *(chr(97 + n) for n in range(categories))):
        # A block of one class is in no other's slot.
        here = [bool(class_) or len(set(each)) > 1 for each in letters]
        for is_clean in (True, False):
            for k in range(1, LARGEST_INDEXED + 1):
                for block, row in enumerate(rows):
                    serves = here[block] and can_serve(row, letters[block], class_, k, is_clean=is_clean)
                    yield place * stride + block, serves
                place += 1
        for step in (1, -1):
            lengths = [end_lengths(row[::step], each[::step], class_) for row, each in zip(rows, letters, strict=True)]
            for length in range(1, LONGEST_END + 1):
                for block, known in enumerate(lengths):
                    yield place * stride + block, here[block] and length in known
                place += 1
