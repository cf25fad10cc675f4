"""Arrival indices that recoveries leapt over, and how many persons stand before a position.

Nobody is known to have those indices, so their turns cost the pace nothing. Of those behind the draw it is known
where they stand; those in the draw are somewhere among its positions, and taken to be spread evenly.
`lua/include/leaps.lua` does the same sums.
"""

from collections.abc import Sequence

Leap = tuple[int, int, int]
"""A run of positions, from the first up to behind the last, and how many of them are nobody's."""


def runs_of(text: str) -> list[tuple[int, int]]:
    """Each run of indices as Redis keeps them: its first, and behind its last."""
    numbers = list(map(int, text.split()))
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def with_run(text: str, first: int, behind: int) -> str:
    """The same text with one more run behind the others; an empty one adds nothing."""
    if first == behind:
        return text
    before, joint, last = text.rpartition(" ")
    return f"{before} {behind}" if joint and int(last) == first else f"{text} {first} {behind}".strip()


def leaps_of(text: str, entrants: int) -> tuple[Leap, ...]:
    """Where nobody stands in a line, lowest positions first. `entrants`: 0 before there are any, as -1 is."""
    entrants = max(0, entrants)
    runs = runs_of(text)
    in_draw = sum(min(behind, entrants) - min(first, entrants) for first, behind in runs)
    drawn = [(0, entrants, in_draw)] if in_draw else []
    later = [(max(first, entrants), behind) for first, behind in runs if behind > entrants]
    return (*drawn, *((first, behind, behind - first) for first, behind in later))


def persons_before(leaps: Sequence[Leap], position: int) -> int:
    """How many stand before a position whom somebody may be."""
    lengths = [(min(position, behind) - first, behind - first, nobodies) for first, behind, nobodies in leaps]
    return position - sum(-(-length * nobodies // of) for length, of, nobodies in lengths if length > 0)


def persons_between(leaps: Sequence[Leap], served: int, position: int) -> int:
    """How many are called before a position, in a line that is served so far."""
    return max(0, persons_before(leaps, position) - persons_before(leaps, served))


def called_to(leaps: Sequence[Leap], served: int, called: int) -> int:
    """How far a line is served after so many more persons have been called."""
    place, left = 0, persons_before(leaps, served) + called
    for first, behind, nobodies in leaps:
        if left < first - place:
            break
        left, place = left - (first - place), first
        persons = behind - first - nobodies
        if left < persons:
            left = -(-left * (behind - first) // persons)
            break
        left, place = left - persons, behind
    return max(served, place + left)
