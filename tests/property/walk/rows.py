"""A row as the model looks at it: seat by seat, with nothing in mind but the words of the rules."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from tests.lua.drawing import index_bits

Place = tuple[int, int]
"""Block and offset, from 0."""
Rows = list[list[str]]
"""The state of every seat, a letter each."""


def starts(row: str, letters: str, class_: str, k: int, free: str) -> Iterator[tuple[int, float]]:
    """Every start of k seats together, and how many seats it leaves alone: half a one for an odd number each side."""
    for start in range(len(row) - k + 1):
        chosen = letters[start : start + k]
        if row[start : start + k] == free * k and all(c in class_ if class_ else c.isupper() for c in chosen):
            left = len(row[:start]) - len(row[:start].rstrip(free))
            right = len(row[start + k :]) - len(row[start + k :].lstrip(free))
            odd = left % 2 and right % 2 and (left % k or right % k)
            yield start, (left == 1) + (right == 1) or (odd and 0.5)


@lru_cache(200_000)
def has_room(row: str, letters: str, class_: str, k: int, free: str = "o") -> bool:
    """Whether k are free together."""
    return next(starts(row, letters, class_, k, free), None) is not None


@lru_cache(200_000)
def is_clean(row: str, letters: str, class_: str, k: int) -> bool:
    """Whether some k open seats together leave nobody alone."""
    return any(alone < 1 for _, alone in starts(row, letters, class_, k, "o"))


@lru_cache(200_000)
def fitting(row: str, letters: str, class_: str, k: int, end: int, focus: float, free: str) -> tuple[int, int] | None:
    """The start to be chosen, and how many it leaves alone. `end`: 0 anywhere, 1 left, 2 right."""
    wanted = {0: range(len(row)), 1: (0,), 2: (len(row) - k,)}[end]
    found = [
        (alone, abs(start + 1 - (focus - (k - 1) / 2)), start) for start, alone in starts(row, letters, class_, k, free)
    ]
    best = min((each for each in found if each[2] in wanted), default=None)
    return best and (best[2], int(best[0]))


@lru_cache(200_000)
def block_bits(row: str, letters: str) -> str:
    """What the index says of a block, segment by segment."""
    open_row = "".join("o" if letter == "o" else "h" for letter in row)
    return "".join("01"[bit] for _, bit in islice(index_bits([open_row], [letters], 2), None))


def newly_alone(before: Sequence[str], after: Sequence[str], letters: str) -> list[int]:
    """Open seats for anybody that have no open neighbour any more."""
    was, now = ["", *before, ""], ["", *after, ""]
    return [
        at
        for at in range(len(after))
        if now[at + 1] == "o" and "o" not in {now[at], now[at + 2]} and "o" in {was[at], was[at + 2]}
        if letters[at].isupper()
    ]


def expanded(runs: Sequence[int]) -> list[Place]:
    """Runs as they are packed, seat by seat."""
    return [(b, o + n) for b, o, count in zip(runs[::3], runs[1::3], runs[2::3], strict=True) for n in range(count)]
