"""Drawing halls in code: rows along arcs, sections between aisles, and big houses of any size."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import cos, radians, sin
from typing import Any, Final

import msgspec

from engine.halls.plan import Area, Category, Plan, Point, Row, Seat, StepFree, Unit, Zone
from engine.words import SeatId

PITCH: Final = 26.0
"""Between two seats of a row, in the plan's units (about 2 cm each)."""
DEPTH: Final = 32.0
"""Between two rows."""
AISLE: Final = 60.0
COLOURS: Final = ("#8c2f39", "#c0713f", "#d9a441", "#5b8a72", "#4a6fa5", "#7a5c99")


class Drawn(msgspec.Struct, frozen=True):
    """A row to be drawn: its zone's short name for seat ids, its label, its category, and seats a section."""

    zone: str
    label: str
    category: str
    sections: tuple[int, ...]
    rank: int
    access: tuple[str, ...] = ()
    """Access needs, from the first seat on."""


def draw_row(row: Drawn, at: Callable[[float], Point]) -> Row:
    """A row along a curve. `at(distance)`: the point that many units from the row's middle, along it."""
    length = PITCH * (sum(row.sections) - len(row.sections)) + AISLE * (len(row.sections) - 1)
    distance, number, seats = -length / 2, 0, []
    for section, count in enumerate(row.sections):
        for place in range(count):
            x, y = at(distance)
            is_last = place == count - 1
            access = (row.access[number],) if number < len(row.access) and row.access[number] else ()
            number += 1
            seats.append(
                Seat(
                    id=SeatId(f"{row.zone}-{row.label}-{number}"),
                    number=str(number),
                    category=row.category,
                    x=round(x, 1),
                    y=round(y, 1),
                    rank=row.rank + round(abs(distance) / 10),
                    access=access,
                    is_before_aisle=is_last and section < len(row.sections) - 1,
                )
            )
            distance += AISLE if is_last else PITCH
    extra = {"row_number_position": "both"}
    return Row(number=row.label, x=0, y=0, seats=tuple(seats), extra=extra)


def arc(middle: Point, radius: float) -> Callable[[float], Point]:
    """Along a circle, open to the top: the rows of a hall around its stage."""
    return lambda distance: (
        middle[0] + radius * sin(distance / radius),
        middle[1] + radius * cos(distance / radius),
    )


def horseshoe(middle: Point, width: float, depth: float, length: float, degrees: float) -> Callable[[float], Point]:
    """Along an ellipse from one side of the stage round to the other."""

    def at(distance: float) -> Point:
        angle = radians(distance / length * degrees)
        return middle[0] + width * sin(angle), middle[1] + depth * cos(angle)

    return at


def label(number: int) -> str:
    """Row labels: A to Z without I and O, then AA, AB, …."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return (
        letters[number]
        if number < len(letters)
        else letters[number // len(letters) - 1] + letters[number % len(letters)]
    )


def shape(kind: str, position: Point, colour: str, text: str, size: dict[str, Any]) -> dict[str, Any]:
    """A drawn area of pretix's format."""
    return {
        "shape": kind,
        "position": {"x": position[0], "y": position[1]},
        "color": colour,
        "border_color": "#00000000",
        "rotation": 0,
        "text": {"text": text, "size": 22, "color": "#333333", "position": {"x": 0, "y": 0}},
        kind: size,
    }


def stage(middle_x: float, width: float) -> Area:
    """The stage, at the top."""
    return Area(
        drawing=shape("rectangle", (middle_x - width / 2, 20), "#d8d4cc", "Podium", {"width": width, "height": 90})
    )


def bays(zones: Sequence[Zone]) -> tuple[Unit, ...]:
    """A unit for each wheelchair place with the companion's beside it."""
    return tuple(
        Unit(kind="wheelchair", name=f"{zone.name} {row.number}-{seat.number}", seats=(seat.id, beside.id))
        for zone in zones
        for row in zone.rows
        for seat, beside in pairwise(row.seats)
        if "wheelchair" in seat.access and "companion" in beside.access
    )


def settle(
    name: str,
    categories: Sequence[str],
    zones: Sequence[Zone],
    *,
    step_free: StepFree | None = None,
    tables: Sequence[Unit] = (),
) -> Plan:
    """A plan moved so that everything lies within its size."""
    points = [(seat.x, seat.y) for zone in zones for row in zone.rows for seat in row.seats]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    shift, bottom = 60 - left, max(y for _, y in points)
    moved = tuple(msgspec.structs.replace(zone, x=zone.x + shift) for zone in zones)
    colours = [Category(name=each, color=COLOURS[number % len(COLOURS)]) for number, each in enumerate(categories)]
    return Plan(
        name=name,
        categories=tuple(colours),
        zones=moved,
        width=right - left + 120,
        height=bottom + 60,
        units=(*bays(zones), *tables),
        step_free=step_free,
    )


BIG_SECTIONS: Final = (12, 20, 16, 20, 12)
ROWS_A_ZONE: Final = 25


def big_house(seats: int) -> Plan:
    """A big house of exactly that many seats: straight rows of 80 in five sections, four categories by distance."""
    a_row = sum(BIG_SECTIONS)
    categories = ("Rang 1", "Rang 2", "Rang 3", "Rang 4")
    count = -(-seats // a_row)
    zones: list[Zone] = []
    left = seats
    for first in range(0, count, ROWS_A_ZONE):
        zone = f"z{first // ROWS_A_ZONE + 1}"
        rows = []
        for number in range(first, min(first + ROWS_A_ZONE, count)):
            sections = BIG_SECTIONS if left >= a_row else (left,)
            left -= sum(sections)
            category = categories[min(3, number * 4 // count)]
            y = 150 + number * DEPTH
            drawn = Drawn(zone, label(number - first), category, sections, number * 10)
            rows.append(draw_row(drawn, lambda distance, y=y: (distance, y)))  # type: ignore[misc]
        zones.append(Zone(name=zone, x=0, y=0, rows=tuple(rows)))
    return settle(f"Big house, {seats} seats", categories, zones)
