"""Makes a plan into a layout: its rows cut into blocks at aisles and units, in the order of their quality."""

from collections.abc import Iterator
from math import hypot
from statistics import fmean
from typing import Final

import msgspec

from engine.halls.layout import AreaPlaces, Block, Layout
from engine.halls.plan import Plan, Point, Row, Seat, Unit, Zone
from engine.halls.rows import row_places
from engine.words import AreaId, SeatId

LONGEST_BLOCK: Final = 255
SIDEWAYS: Final = 0.6
"""A step to the side costs this share of a step back."""
WHEELCHAIR: Final = "wheelchair"


class _Run(msgspec.Struct):
    """Adjacent seats of a row, with their places in the plan and their points in the hall."""

    zone_number: int
    zone: Zone
    row: Row
    place: int
    unit: Unit | None
    is_after_aisle: bool
    places: list[int] = []
    seats: list[Seat] = []
    points: list[Point] = []
    is_before_aisle: bool = False


def compile_layout(plan: Plan) -> Layout:
    """The layout of a plan without errors: blocks in the order of their quality.

    A block is as good as its seats are on average, all of them and never only the free ones: by their rank where the
    plan says so, else by how far behind and beside the focal point they stand. A unit, and a place with an access
    need that belongs to none, is a block of its own.
    """
    units = {seat: unit for unit in plan.units for seat in unit.seats}
    seats = [seat for zone in plan.zones for row in zone.rows for seat in row.seats]
    alone = [
        Unit(kind=WHEELCHAIR if WHEELCHAIR in seat.access else seat.access[0], name="", seats=(seat.id,))
        for seat in seats
        if seat.access and seat.id not in units
    ]
    units |= {unit.seats[0]: unit for unit in alone}
    focal = plan.focal_point or _middle_of_the_front(plan)
    runs = list(_runs(plan, units, focal))
    is_step_free = _step_free_rows(plan, runs)

    def quality(run: _Run) -> float:
        return fmean(
            seat.rank if seat.rank is not None else abs(y - focal[1]) + SIDEWAYS * abs(x - focal[0])
            for seat, (x, y) in zip(run.seats, run.points, strict=True)
        )

    letters = {category.name: chr(65 + number) for number, category in enumerate(plan.categories)}
    blocks: list[Block] = []
    order: list[int] = []
    points: list[Point] = []
    for run in sorted(runs, key=quality):
        blocks.append(_block(run, len(order), letters, focal, (run.zone_number, run.place) in is_step_free))
        order += run.places
        points += run.points
    return Layout(
        seat_ids=[seat.id for seat in seats],
        categories=[category.name for category in plan.categories],
        category_by_seat=[seat.category for seat in seats],
        blocks=blocks,
        order=order,
        points=points,
        areas=[
            AreaPlaces(id=area.id or AreaId(area.name), category=area.category, capacity=area.capacity)
            for area in plan.standing_areas()
        ],
        units=[*plan.units, *alone],
        is_ranked=any(seat.rank is not None for seat in seats),
    )


def _points(zone: Zone, row: Row) -> list[Point]:
    return [(zone.x + row.x + seat.x, zone.y + row.y + seat.y) for seat in row.seats]


def _middle_of_the_front(plan: Plan) -> Point:
    points = [point for zone in plan.zones for row in zone.rows for point in _points(zone, row)]
    across = [x for x, _ in points]
    return ((min(across) + max(across)) / 2, min(y for _, y in points)) if points else (0.0, 0.0)


def _runs(plan: Plan, units: dict[SeatId, Unit], focal: Point) -> Iterator[_Run]:
    """The runs of every row, from left to right as they are drawn."""
    first = 0
    for number, zone in enumerate(plan.zones):
        drawn = [_points(zone, row) for row in zone.rows]
        places = row_places(drawn, focal)
        for row, points, place in zip(zone.rows, drawn, places, strict=True):
            run: _Run | None = None
            was_aisle = bool(row.seats) and row.seats[0].is_after_aisle
            for offset, seat in enumerate(row.seats):
                unit = units.get(seat.id)
                if run is None or was_aisle or unit is not run.unit or len(run.seats) == LONGEST_BLOCK:
                    if run is not None:
                        yield _turned(run)
                    run = _Run(number, zone, row, place, unit, was_aisle)
                run.places.append(first + offset)
                run.seats.append(seat)
                run.points.append(points[offset])
                run.is_before_aisle = was_aisle = seat.is_before_aisle
            if run is not None:
                yield _turned(run)
            first += len(row.seats)


def _turned(run: _Run) -> _Run:
    if run.points[-1][0] >= run.points[0][0]:
        return run
    return msgspec.structs.replace(
        run,
        places=run.places[::-1],
        seats=run.seats[::-1],
        points=run.points[::-1],
        is_after_aisle=run.is_before_aisle,
        is_before_aisle=run.is_after_aisle,
    )


def _step_free_rows(plan: Plan, runs: list[_Run]) -> set[tuple[int, int]]:
    """Zone numbers and places of the rows that are reached without stairs; unless told, those of wheelchairs only."""
    told = plan.step_free
    if told is None:
        return {(run.zone_number, run.place) for run in runs if any(WHEELCHAIR in seat.access for seat in run.seats)}
    return {
        (run.zone_number, run.place)
        for run in runs
        if run.zone.name in told.zones or (run.zone.name, run.row.number) in told.rows
    }


def _block(run: _Run, start: int, letters: dict[str, str], focal: Point, is_step_free: bool) -> Block:
    nearest = min(
        range(len(run.points)),
        key=lambda place: (
            round(abs(run.points[place][0] - focal[0]), 3),
            hypot(run.points[place][0] - focal[0], run.points[place][1] - focal[1]),
        ),
    )
    return Block(
        start=start,
        length=len(run.seats),
        focus=nearest + 1,
        classes="".join(letters[seat.category].lower() if run.unit else letters[seat.category] for seat in run.seats),
        zone=run.zone.name,
        row=run.row.number,
        zone_number=run.zone_number,
        place=run.place,
        has_aisle_left=run.is_after_aisle,
        has_aisle_right=run.is_before_aisle,
        is_step_free=is_step_free,
        unit=run.unit.kind if run.unit else "",
    )
