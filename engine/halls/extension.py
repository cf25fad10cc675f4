"""What Parvis keeps beside a plan in pretix's format, under the root key `parvis`. Every part may be missing.

- `aisles_after`: seats whose neighbour in the row is across an aisle, a row's last seat where it ends at one;
  without it, aisles are derived from positions. `aisles_before`: first seats of a row that begins at an aisle.
- `ranks`: a whole number a seat, the lower the better. `focal_point`: `{"x": 0, "y": 0}`, what is looked at.
- `access`: `{seat: ["wheelchair"]}`. `areas`: `[{zone, area, id, name, category, capacity}]`, standing areas by number.
- `units`: `[{"kind": "wheelchair" | "table", "name": "…", "seats": [ids]}]`, neighbours in one row that are sold
  together or not at all. A table that is sold by the seat is no unit.
- `without_stairs`: `{"zones": [names], "rows": [[zone, row], …]}`, all that is reached without stairs. Without it
  nothing is known, and only the rows of wheelchair places are taken to be: no more is ever promised.
"""

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, Final

import msgspec

from engine.halls.plan import StepFree, Unit
from engine.words import SeatId

Complain = Callable[..., None]
"""`complain(where, what, remedy="", severity="error")`."""


PARTS: Final = frozenset(
    {"aisles_after", "aisles_before", "ranks", "access", "areas", "focal_point", "units", "without_stairs"}
)
LONGEST_NAME: Final = 100
FARTHEST: Final = 1_000_000
"""No position lies further from 0 than this."""
UNIT_KINDS: Final = ("wheelchair", "table")


def is_coordinate(value: object) -> bool:
    """Whether a position may have this number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and abs(value) <= FARTHEST


class Extension(msgspec.Struct, frozen=True):
    """What was told, as far as it is right; `aisles_after` is None where positions tell. `areas` by zone and number."""

    aisles_after: frozenset[str] | None
    ranks: Mapping[str, int]
    access: Mapping[str, tuple[str, ...]]
    areas: Mapping[tuple[int, int], dict[str, Any]]
    aisles_before: frozenset[str] = frozenset()
    focal_point: tuple[float, float] | None = None
    units: tuple[Unit, ...] = ()
    step_free: StepFree | None = None
    extra: dict[str, Any] = {}

    def check(self, seats: frozenset[str], areas: frozenset[tuple[int, int]], complain: Complain) -> None:
        """Complains of what it tells about seats and areas that the plan does not have."""
        for name, told in (
            ("aisles_after", self.aisles_after or ()),
            ("aisles_before", self.aisles_before),
            ("ranks", self.ranks),
            ("access", self.access),
        ):
            strangers = sorted(set(told) - seats)
            if strangers:
                shown = ", ".join(map(repr, strangers[:4])) + (" …" if len(strangers) > 4 else "")
                what = f"{name} names {len(strangers)} seats that are not in the plan: {shown}"
                complain("parvis", what, severity="warning")
        for zone, area in sorted(set(self.areas) - areas):
            complain("parvis", f"areas tells of zone {zone}, area {area}, which is not there", "both count from 0")


def read_extension(document: Mapping[str, Any], complain: Complain) -> Extension:
    """The extension of a plan's document, as far as it is right."""
    found = document.get("parvis", {})
    if not isinstance(found, dict):
        complain("parvis", "is not an object")
        found = {}

    def part(name: str, kind: type) -> Any:
        value = found.get(name)
        if value is not None and not isinstance(value, kind):
            complain("parvis", f"{name!r} is not {'a list' if kind is list else 'an object'}")
            value = None
        return value

    aisles_after = part("aisles_after", list)
    ranks = {}
    for seat, rank in (part("ranks", dict) or {}).items():
        if isinstance(rank, int) and not isinstance(rank, bool):
            ranks[seat] = rank
        else:
            complain("parvis", f"the rank {rank!r} of {seat!r} is not a whole number")
    access = {}
    for seat, needs in (part("access", dict) or {}).items():
        if isinstance(needs, list) and all(isinstance(need, str) for need in needs):
            access[seat] = tuple(needs)
        else:
            complain("parvis", f"the access needs {needs!r} of {seat!r} are not a list of words")
    areas: dict[tuple[int, int], dict[str, Any]] = {}
    for area in part("areas", list) or []:
        numbers = (area.get("zone"), area.get("area")) if isinstance(area, dict) else (None, None)
        if not all(isinstance(number, int) for number in numbers):
            complain("parvis", f"an area {area!r} does not say where it is", 'write {"zone": 0, "area": 0, …}')
        elif numbers in areas:
            complain("parvis", f"zone {numbers[0]}, area {numbers[1]} is told of twice")
        else:
            areas[numbers] = area  # type: ignore[index]
    return Extension(
        aisles_after=None if aisles_after is None else frozenset(map(str, aisles_after)),
        ranks=ranks,
        access=access,
        areas=areas,
        aisles_before=frozenset(map(str, part("aisles_before", list) or ())),
        focal_point=_focal_point(part("focal_point", dict), complain),
        units=tuple(_units(part("units", list) or [], complain)),
        step_free=_step_free(part("without_stairs", dict), complain),
        extra={name: value for name, value in found.items() if name not in PARTS},
    )


def _focal_point(told: dict[str, Any] | None, complain: Complain) -> tuple[float, float] | None:
    if told is None:
        return None
    x, y = (told.get(name, "") for name in "xy")
    if not (is_coordinate(x) and is_coordinate(y)):
        complain("parvis", f"focal_point {told!r:.60} is not a position", 'a position reads {"x": 0, "y": 0}')
        return None
    return float(x), float(y)


def _units(told: list[Any], complain: Complain) -> Iterator[Unit]:
    for number, unit in enumerate(told, 1):
        kind, name, seats = (unit.get(part) for part in ("kind", "name", "seats")) if isinstance(unit, dict) else "???"
        where = f"unit {name!r}" if isinstance(name, str) and name and isinstance(unit, dict) else f"unit {number}"
        if not isinstance(unit, dict) or kind not in UNIT_KINDS:
            complain(where, f"its kind {kind!r:.40} is none of {', '.join(UNIT_KINDS)}")
        elif not isinstance(name, str | None) or len(name or "") > LONGEST_NAME or not (name or "").isprintable():
            complain(where, f"its name {name!r:.40} is not plain text of at most {LONGEST_NAME} characters")
        elif not isinstance(seats, list) or not seats or not all(isinstance(seat, str) for seat in seats):
            complain(where, "its seats are not a list of at least one seat's id")
        else:
            yield Unit(kind=kind, name=name or "", seats=tuple(map(SeatId, seats)))


def _step_free(told: dict[str, Any] | None, complain: Complain) -> StepFree | None:
    if told is None:
        return None
    zones, rows = told.get("zones", []), told.get("rows", [])
    are_zones = isinstance(zones, list) and all(isinstance(zone, str) for zone in zones)
    are_rows = isinstance(rows, list) and all(
        isinstance(row, list) and len(row) == 2 and all(isinstance(part, str) for part in row) for row in rows
    )
    if not (are_zones and are_rows):
        what = "without_stairs does not list zones and rows"
        complain("parvis", what, 'write {"zones": ["Parterre"], "rows": [["Balkon", "A"]]}')
        return None
    return StepFree(zones=tuple(zones), rows=tuple((zone, row) for zone, row in rows))
