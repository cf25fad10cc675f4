"""A seating plan: zones, rows, seats, standing areas. Positions nest: a seat in its row, a row in its zone."""

from typing import Any

import msgspec

from engine.words import AreaId, SeatId

Point = tuple[float, float]
"""x and y in the plan's units; y grows away from the stage."""


class Category(msgspec.Struct, frozen=True):
    """A price category; `color` is `#rrggbb` or empty."""

    name: str
    color: str = ""
    extra: dict[str, Any] = {}


class Seat(msgspec.Struct, frozen=True):
    """One seat. `rank`: the lower, the better (None: by its distance to the stage).

    `access`: what it is set aside for, such as `wheelchair` or `companion`. `is_before_aisle`: whether the next
    seat of the row is not its neighbour. `is_after_aisle`: whether it begins its row beside an aisle.
    """

    id: SeatId
    number: str
    category: str
    x: float
    y: float
    rank: int | None = None
    access: tuple[str, ...] = ()
    is_before_aisle: bool = False
    is_after_aisle: bool = False
    extra: dict[str, Any] = {}
    """What else the plan's file says of it: kept, and given back on export."""


class Row(msgspec.Struct, frozen=True):
    """One row; its seats in the order in which they stand."""

    number: str
    x: float
    y: float
    seats: tuple[Seat, ...]
    extra: dict[str, Any] = {}


class Area(msgspec.Struct, frozen=True):
    """A drawn shape. With a capacity it is a standing area that is sold from; without, decoration."""

    drawing: dict[str, Any]
    id: AreaId | None = None
    name: str = ""
    category: str = ""
    capacity: int = 0


class Zone(msgspec.Struct, frozen=True):
    """A part of the hall: parterre, a balcony."""

    name: str
    x: float
    y: float
    rows: tuple[Row, ...] = ()
    areas: tuple[Area, ...] = ()
    extra: dict[str, Any] = {}


class Unit(msgspec.Struct, frozen=True):
    """Seats that are sold together or not at all: a wheelchair's bay with its companion, a table sold whole."""

    kind: str
    name: str
    seats: tuple[SeatId, ...]


class StepFree(msgspec.Struct, frozen=True):
    """What is reached without stairs: whole zones by name, and rows by zone and label."""

    zones: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """A hall's seating plan; categories best first.

    `focal_point`: what is looked at, x and y (None: the middle of the front; the stage is at the top of a plan).
    `step_free`: None where nothing is known; then only the rows of wheelchair places surely are.
    """

    name: str
    categories: tuple[Category, ...]
    zones: tuple[Zone, ...]
    width: float = 0
    height: float = 0
    focal_point: Point | None = None
    units: tuple[Unit, ...] = ()
    step_free: StepFree | None = None
    extra: dict[str, Any] = {}
    extra_extension: dict[str, Any] = {}
    """What else stands under `parvis`."""

    def standing_areas(self) -> tuple[Area, ...]:
        """The areas that are sold from."""
        return tuple(area for zone in self.zones for area in zone.areas if area.capacity)
