"""A tiny language to draw a hall's seats, and what the index of a hall must say by looking at every seat.

`"A: . . h1   B: x . ."`: blocks in quality order, `.` open, `h1` held by visitor 1, `s1` sold to visitor 1,
`x` blocked. Seats are written `A1` (block A, first seat). Categories are letters, one a seat, `A` if not said.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

LARGEST_INDEXED, LEVELS = 8, 4


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


def index_bits(rows: list[str], letters: list[str], categories: int) -> Iterator[tuple[int, bool]]:
    """Every bit of the index (see `lua/include/segment.lua`) with what it must be."""
    stride = -(-len(rows) // 8) * 8
    classes = ["", *(chr(65 + n) for n in range(categories)), *(chr(97 + n) for n in range(categories))]
    for slot, class_ in enumerate(classes):
        for level, end in enumerate(("", "", "left", "right")):
            for k in range(1, LARGEST_INDEXED + 1):
                base = ((slot * LEVELS + level) * LARGEST_INDEXED + k - 1) * stride
                for block, row in enumerate(rows):
                    is_here = class_ != "" or len(set(letters[block])) > 1
                    serves = is_here and can_serve(row, letters[block], class_, k, is_clean=level == 0, end=end)
                    yield base + block, serves
