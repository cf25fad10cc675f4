"""A hall as the engine sells from it: blocks of adjacent seats between aisles, best first, and standing areas."""

from collections.abc import Sequence
from operator import itemgetter
from statistics import fmean
from typing import Any, Final

import msgspec

from engine.halls.plan import Plan, Row, Seat, Zone
from engine.words import AreaId, SeatId

LONGEST_BLOCK: Final = 255
SIDEWAYS: Final = 0.6
"""A step to the side costs this share of a step back."""


class Block(msgspec.Struct, frozen=True):
    """Adjacent seats. `start`: its first seat among all, block by block; `focus`: 1-based, nearest the hall's middle.

    `classes`: a letter a seat, the category's in upper case, in lower case for a place with an access need.
    """

    start: int
    length: int
    focus: float
    classes: str


class AreaPlaces(msgspec.Struct, frozen=True):
    """A standing area."""

    id: AreaId
    category: str
    capacity: int


class Layout:
    """Where each seat is: in the plan (`seat_ids`), and in its block. Built by `compile_layout`."""

    def __init__(
        self,
        seat_ids: Sequence[SeatId],
        categories: Sequence[str],
        category_by_seat: Sequence[str],
        blocks: Sequence[Block],
        order: Sequence[int],
        areas: Sequence[AreaPlaces],
    ) -> None:
        self.seat_ids = tuple(seat_ids)
        self.categories = tuple(categories)
        self.blocks = tuple(blocks)
        self.areas = tuple(areas)
        self.capacity = len(seat_ids) + sum(area.capacity for area in areas)
        self._order = tuple(order)
        self._category = dict(zip(seat_ids, category_by_seat, strict=True))
        self._letters = {category: chr(65 + number) for number, category in enumerate(categories)}
        self._located: dict[SeatId, tuple[int, int]] = {}
        inverse = [0] * len(order)
        for number, block in enumerate(self.blocks):
            for offset in range(block.length):
                place = order[block.start + offset]
                inverse[place] = block.start + offset
                self._located[seat_ids[place]] = (number, offset)
        self._in_plan_order: Any = itemgetter(*inverse) if inverse else None

    def locate(self, seat: SeatId) -> tuple[int, int]:
        """Block and offset of a seat. Raises `KeyError`."""
        return self._located[seat]

    def seat_at(self, block: int, offset: int) -> SeatId:
        """The seat at an offset of a block."""
        return self.seat_ids[self._order[self.blocks[block].start + offset]]

    def class_of(self, category: str) -> str:
        """The letter of a category. Raises `KeyError`."""
        return self._letters[category]

    def category_of(self, seat: SeatId) -> str:
        """The category of a seat. Raises `KeyError`."""
        return self._category[seat]

    def initial_rows(self) -> list[str]:
        """A row a block, every seat open."""
        return ["o" * block.length for block in self.blocks]

    def seats_string(self, rows: Sequence[str]) -> str:
        """The rows of all blocks as one letter a seat, in plan order."""
        return "".join(self._in_plan_order("".join(rows))) if self._in_plan_order else ""


class _Run(msgspec.Struct, frozen=True):
    """Adjacent seats of a row, with their places in the plan and their coordinates in the hall."""

    places: list[int]
    seats: list[Seat]
    points: list[tuple[float, float]]


def _runs(zone: Zone, row: Row, first: int) -> list[_Run]:
    runs: list[_Run] = []
    is_new = True
    for number, seat in enumerate(row.seats):
        if is_new or len(runs[-1].seats) == LONGEST_BLOCK:
            runs.append(_Run([], [], []))
        runs[-1].places.append(first + number)
        runs[-1].seats.append(seat)
        runs[-1].points.append((zone.x + row.x + seat.x, zone.y + row.y + seat.y))
        is_new = seat.is_before_aisle
    return runs


def compile_layout(plan: Plan) -> Layout:
    """The layout of a plan without errors: blocks in the order of their quality.

    A block is as good as its seats are on average: by their rank where the plan says so, else by the distance
    to the middle of the front (the stage is at the top of a plan).
    """
    seats: list[Seat] = []
    runs: list[_Run] = []
    for zone in plan.zones:
        for row in zone.rows:
            runs += _runs(zone, row, len(seats))
            seats += row.seats
    points = [point for run in runs for point in run.points]
    middle = (min(x for x, _ in points) + max(x for x, _ in points)) / 2 if points else 0.0
    front = min((y for _, y in points), default=0.0)

    def quality(run: _Run) -> float:
        return fmean(
            seat.rank if seat.rank is not None else (y - front) + SIDEWAYS * abs(x - middle)
            for seat, (x, y) in zip(run.seats, run.points, strict=True)
        )

    letters = {category.name: chr(65 + number) for number, category in enumerate(plan.categories)}
    blocks: list[Block] = []
    order: list[int] = []
    for run in sorted(runs, key=quality):
        nearest = min(range(len(run.points)), key=lambda place: abs(run.points[place][0] - middle))
        classes = "".join(
            letters[seat.category].lower() if seat.access else letters[seat.category] for seat in run.seats
        )
        blocks.append(Block(start=len(order), length=len(run.seats), focus=nearest + 1, classes=classes))
        order += run.places
    return Layout(
        seat_ids=[seat.id for seat in seats],
        categories=[category.name for category in plan.categories],
        category_by_seat=[seat.category for seat in seats],
        blocks=blocks,
        order=order,
        areas=[
            AreaPlaces(id=area.id or AreaId(area.name), category=area.category, capacity=area.capacity)
            for area in plan.standing_areas()
        ],
    )
