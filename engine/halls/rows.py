"""Where a row physically stands in its zone, counted from the front: by positions, never by labels."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import atan2, cos, hypot, sin
from statistics import fmean, median
from typing import Final

from engine.halls.plan import Point

WIDEST_AISLE: Final = 5.0
"""Pieces of one row are at most so many times the zone's pitch apart."""
IN_LINE: Final = 0.9
"""The cosine of the bend that a row may take where two of its pieces meet."""
ALL_ROUND: Final = 0.3
"""Below this agreement of their directions, rows run round the focal point instead of before it."""


def row_places(rows: Sequence[Sequence[Point]], focal: Point) -> list[int]:
    """A place for each row of a zone, from 0 at the front. Pieces of a row, drawn as rows of their own, share one."""
    if not rows:
        return []
    along, is_round = _direction(rows)
    turned = [[(x * along[0] + y * along[1], y * along[0] - x * along[1]) for x, y in row] for row in rows]
    ahead = focal[1] * along[0] - focal[0] * along[1]
    if fmean(v for row in turned for _, v in row) < ahead:  # the rows lie on the other side of what they look at
        turned = [[(-u, -v) for u, v in row] for row in turned]
    ordered = [row if row[0][0] <= row[-1][0] else row[::-1] for row in turned]
    lines = [[number] for number in range(len(rows))] if is_round else _lines(ordered)

    def depth(line: list[int]) -> float:
        if is_round:
            return fmean(hypot(x - focal[0], y - focal[1]) for number in line for x, y in rows[number])
        return fmean(v for number in line for _, v in ordered[number])

    def width(line: list[int]) -> tuple[float, float]:
        across = [u for number in line for u, _ in ordered[number]]
        return min(across), max(across)

    places = [0] * len(rows)
    for place, group in enumerate(_level([(depth(line), *width(line), line) for line in lines])):
        for line in group:
            for number in line:
                places[number] = place
    return places


def _direction(rows: Sequence[Sequence[Point]]) -> tuple[Point, bool]:
    """The direction in which a zone's rows run, whichever way each is drawn; and whether they rather run round."""
    x = y = total = 0.0
    for row in rows:
        for a, b in pairwise(row):
            angle, length = 2 * atan2(b[1] - a[1], b[0] - a[0]), hypot(b[0] - a[0], b[1] - a[1])
            x, y, total = x + length * cos(angle), y + length * sin(angle), total + length
    if not total or hypot(x, y) < ALL_ROUND * total:
        return (1.0, 0.0), total > 0
    angle = atan2(y, x) / 2
    return (cos(angle), sin(angle)), False


def _lines(rows: Sequence[Sequence[Point]]) -> list[list[int]]:
    """Rows by number, put together with those that carry on where they end. Each runs from low to high `u`."""
    steps = [hypot(b[0] - a[0], b[1] - a[1]) for row in rows for a, b in pairwise(row)]
    reach = WIDEST_AISLE * (median(steps) if steps else 0.0)
    starts = sorted((row[0][0], number) for number, row in enumerate(rows))
    after: dict[int, tuple[float, int]] = {}
    before: dict[int, tuple[float, int]] = {}
    for number, row in enumerate(rows):
        u, v = row[-1]
        for _, other in starts[bisect_left(starts, (u - reach, 0)) : bisect_right(starts, (u + reach, len(rows)))]:
            step = rows[other][0][0] - u, rows[other][0][1] - v
            gap = hypot(*step)
            if other == number or not 0 < gap <= reach:
                continue
            if min(_bend(step, gap, row[-2:]), _bend(step, gap, rows[other][:2])) < IN_LINE:
                continue
            after[number] = min(after.get(number, (gap, other)), (gap, other))
            before[other] = min(before.get(other, (gap, number)), (gap, number))
    follows = {number: other for number, (_, other) in after.items() if before[other][1] == number}
    lines = []
    for first in sorted(set(range(len(rows))) - set(follows.values())):
        line = [first]
        while line[-1] in follows:
            line.append(follows[line[-1]])
        lines.append(line)
    joined = {number for line in lines for number in line}
    return lines + [[number] for number in range(len(rows)) if number not in joined]  # a ring has no first piece


def _bend(step: Point, gap: float, two: Sequence[Point]) -> float:
    """The cosine between a step and the direction of two seats (of one seat: along the zone's rows)."""
    u, v = (two[-1][0] - two[0][0], two[-1][1] - two[0][1]) if len(two) > 1 else (1.0, 0.0)
    length = hypot(u, v)
    return (step[0] * u + step[1] * v) / (gap * length) if length else 1.0


def _level(lines: Iterable[tuple[float, float, float, list[int]]]) -> list[list[list[int]]]:
    """Lines `(depth, low, high, rows)` from the front, those beside each other at the same depth together."""
    ordered = sorted(lines)

    def overlap(one: tuple[float, float, float, list[int]], other: tuple[float, float, float, list[int]]) -> bool:
        return one[1] <= other[2] and other[1] <= one[2]

    steps = []
    for number, line in enumerate(ordered):
        behind = next((other for other in ordered[number + 1 :] if other[0] > line[0] and overlap(line, other)), None)
        steps += [behind[0] - line[0]] if behind else []
    usual = median(steps) if steps else 0.0
    groups: list[list[tuple[float, float, float, list[int]]]] = []
    for line in ordered:
        is_beside = groups and line[0] - groups[-1][0][0] <= usual / 2
        if is_beside and not any(overlap(line, other) for other in groups[-1]):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [[line[3] for line in group] for group in groups]
