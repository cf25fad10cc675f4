"""Which blocks lie near each other, and near a seat: by positions, through a grid, without the whole hall."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import hypot, isqrt
from typing import Final

from engine.halls.plan import Point

SAME_ROW: Final = 8
ADJACENT_ROWS: Final = 8
NEAR: Final = 12


class Nearness:
    """Distances in a hall. `blocks`: each block's seats' points; `rows`: its zone's number and its row's place.

    A block without general seats (`is_apart`) is nobody's neighbour.
    """

    def __init__(
        self, blocks: Sequence[Sequence[Point]], rows: Sequence[tuple[int, int]], is_apart: Sequence[bool]
    ) -> None:
        self._blocks, self._rows = blocks, rows
        self._boxes = [
            (min(x for x, _ in points), min(y for _, y in points), max(x for x, _ in points), max(y for _, y in points))
            for points in blocks
        ]
        self._by_row: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, row in enumerate(rows):
            if not is_apart[number]:
                self._by_row[row].append(number)
        self._left = min((box[0] for box in self._boxes), default=0.0)
        self._top = min((box[1] for box in self._boxes), default=0.0)
        width = max((box[2] for box in self._boxes), default=0.0) - self._left
        height = max((box[3] for box in self._boxes), default=0.0) - self._top
        self._cells_a_side = isqrt(len(blocks)) + 1
        self._cell = max(width, height) / self._cells_a_side or 1.0
        self._grid: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, box in enumerate(self._boxes):
            if not is_apart[number]:
                (left, top), (right, bottom) = self._cell_of(box[:2]), self._cell_of(box[2:])
                for place in ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)):
                    self._grid[place].append(number)

    def neighbours(self, block: int) -> tuple[list[int], list[int], list[int]]:
        """Blocks of the same row, of the rows before and behind it, and anywhere near; the nearest first.

        Measured from the block's middle to the nearest point of the line from the other's first seat to its last.
        """
        (zone, place), middle = self._rows[block], self._middle(block)
        same = self._by_row.get((zone, place), ())
        beside = [*self._by_row.get((zone, place - 1), ()), *self._by_row.get((zone, place + 1), ())]
        return (
            self._nearest(SAME_ROW, middle, (other for other in same if other != block)),
            self._nearest(ADJACENT_ROWS, middle, beside),
            self._around(block, middle),
        )

    def near(self, point: Point, own: int, most: int) -> list[tuple[int, int]]:
        """At most so many blocks by the distance of their nearest seat, and that seat (from 1); `own` comes first."""
        x, y = point
        ordered = heapq.merge([(-1.0, own)], self._by_box(x, y, own))
        found: list[tuple[float, int, int]] = []
        for least, block in ordered:
            if len(found) >= most and least > found[most - 1][0]:
                break
            distance, seat = min((hypot(a - x, b - y), seat) for seat, (a, b) in enumerate(self._blocks[block], 1))
            found.append((-1.0 if block == own else distance, block, seat))
            if len(found) % most == 0:
                found.sort()
        return [(block, seat) for _, block, seat in sorted(found)[:most]]

    def _by_box(self, x: float, y: float, own: int) -> list[tuple[float, int]]:
        """Every block but one by the distance to its box, which no seat of it is nearer than."""
        return sorted(
            (hypot(max(left - x, 0, x - right), max(top - y, 0, y - bottom)), number)
            for number, (left, top, right, bottom) in enumerate(self._boxes)
            if number != own
        )

    def _cell_of(self, point: Point) -> tuple[int, int]:
        return int((point[0] - self._left) / self._cell), int((point[1] - self._top) / self._cell)

    def _middle(self, block: int) -> Point:
        (x, y), (x2, y2) = self._blocks[block][0], self._blocks[block][-1]
        return (x + x2) / 2, (y + y2) / 2

    def distance(self, middle: Point, block: int) -> float:
        """From a point to the line from a block's first seat to its last."""
        (x, y), (x2, y2) = self._blocks[block][0], self._blocks[block][-1]
        across, down = x2 - x, y2 - y
        length = across * across + down * down
        share = ((middle[0] - x) * across + (middle[1] - y) * down) / length if length else 0.0
        share = min(1.0, max(0.0, share))
        return hypot(x + share * across - middle[0], y + share * down - middle[1])

    def _nearest(self, most: int, middle: Point, blocks: Iterable[int]) -> list[int]:
        return heapq.nsmallest(most, blocks, key=lambda block: (self.distance(middle, block), block))

    def _around(self, block: int, middle: Point) -> list[int]:
        """Looks in rings of cells around the block's middle until no nearer block can follow."""
        x, y = self._cell_of(middle)
        seen: dict[int, float] = {}
        for ring in range(self._cells_a_side + 1):
            for place in _ring(x, y, ring):
                for other in self._grid.get(place, ()):
                    if other != block and other not in seen:
                        seen[other] = self.distance(middle, other)
            if sum(distance <= ring * self._cell for distance in seen.values()) >= NEAR:
                break
        return heapq.nsmallest(NEAR, seen, key=lambda other: (seen[other], other))


def _ring(x: int, y: int, ring: int) -> Iterable[tuple[int, int]]:
    """The cells at exactly so many steps, straight or across."""
    if not ring:
        return [(x, y)]
    span = range(-ring, ring + 1)
    edges = [(x + step, y + side * ring) for step in span for side in (-1, 1)]
    return edges + [(x + side * ring, y + step) for step in span[1:-1] for side in (-1, 1)]
