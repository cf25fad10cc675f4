"""Reads a document in pretix's format, and says everything that is wrong with it: where, what, what would mend it."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.halls import aisles
from engine.halls.extension import FARTHEST, is_coordinate, read_extension
from engine.halls.plan import Area, Category, Plan, Row, Seat, Zone
from engine.halls.units import check_step_free, check_units
from engine.words import AreaId, SeatId

LARGEST_CAPACITY: Final = 200_000
MOST_CATEGORIES: Final = 26
LONGEST_TEXT: Final = 100
LISTED: Final = 20
"""Faults of one kind that are listed by name; the rest is counted."""
SHAPES: Final = ("polygon", "rectangle", "ellipse", "circle", "text")
PLAN_FIELDS: Final = frozenset({"name", "categories", "zones", "size", "parvis"})
CATEGORY_FIELDS: Final = frozenset({"name", "color"})
SEAT_FIELDS: Final = frozenset({"seat_guid", "seat_number", "category", "position"})
ROW_FIELDS: Final = frozenset({"row_number", "position", "seats"})
ZONE_FIELDS: Final = frozenset({"name", "position", "rows", "areas"})


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a plan: where, what, and what would mend it. `severity`: `error` or `warning`."""

    where: str
    what: str
    remedy: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{self.where}: {self.what}{remedy}"


def _rest(holder: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if key not in known}


class Reader:
    """Reads a document into a plan and collects what is wrong with it. `ids`: what names a seat, `guid` or `uuid`."""

    def __init__(self, document: object, ids: str) -> None:
        self.faults: list[Fault] = []
        self._ids = ids
        self._id_field = "seat_guid" if ids == "guid" else "uuid"
        self._document: dict[str, Any] = document if isinstance(document, dict) else {}
        if not isinstance(document, dict):
            self._fault("the file", "is not a JSON object", "a plan starts with { and has zones")
        self._extension = read_extension(self._document, self._fault)
        self._places: dict[str, list[str]] = {}
        self._seats = 0

    def _fault(self, where: str, what: str, remedy: str = "", severity: str = "error") -> None:
        self.faults.append(Fault(where, what, remedy, severity))

    def read(self) -> Plan:
        """The plan as far as it can be read; only without an error among the faults can it be sold from."""
        document, has_no_number = self._document, False
        try:
            json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
        except (UnicodeEncodeError, RecursionError):
            self._fault("the file", "holds text that is no text (half a character), or is nested too deep")
            document = {}
        except ValueError:
            has_no_number = True
        size = document.get("size") or {}
        if not isinstance(size, dict) or not all(map(is_coordinate, size.values())):
            self._fault("the file", f"its size {size!r} is not a width and a height in numbers")
            size = {}
        categories = self._categories(document)
        names = {category.name for category in categories}
        listed = self._list(document, "zones", "the file")
        read = tuple(self._zone(zone, number, names) for number, zone in enumerate(listed))
        after = self._extension.aisles_after
        zones = aisles.derived(read) if after is None else aisles.told(read, after)
        zones = aisles.begun(zones, self._extension.aisles_before)
        plan = Plan(
            name=self._text(document, "name", "the file"),
            categories=categories,
            zones=zones,
            width=float(size.get("width") or 0),
            height=float(size.get("height") or 0),
            focal_point=self._extension.focal_point,
            units=self._extension.units,
            step_free=self._extension.step_free,
            extra=_rest(document, PLAN_FIELDS),
            extra_extension=self._extension.extra,
        )
        self._check(plan)
        if has_no_number and not any(fault.severity == "error" for fault in self.faults):  # else it is told where
            self._fault("the file", "holds a number that is none (NaN or infinity)", "JSON knows no such numbers")
        return plan

    def _list(self, holder: dict[str, Any], name: str, where: str, *, is_needed: bool = True) -> list[dict[str, Any]]:
        found = holder.get(name)
        if found is None and not is_needed:
            return []
        if not isinstance(found, list):
            self._fault(where, f"{name!r} is missing or is not a list")
            return []
        good = [each for each in found if isinstance(each, dict)]
        if len(good) < len(found):
            self._fault(where, f"{name!r} holds something that is not an object")
        return good

    def _text(self, holder: dict[str, Any], name: str, where: str) -> str:
        """A name or a label, which may be missing; a whole number is a label too."""
        value = holder.get(name)
        if value is None:
            return ""
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or len(text) > LONGEST_TEXT or not text.isprintable():
            self._fault(where, f"its {name} {value!r:.40} is not plain text of at most {LONGEST_TEXT} characters")
            return ""
        return text

    def _position(self, holder: dict[str, Any], where: str) -> tuple[float, float]:
        position = holder.get("position")
        if not isinstance(position, dict) or not {"x", "y"} <= position.keys():
            self._fault(where, "has no position", 'a position reads {"x": 0, "y": 0}')
            return 0.0, 0.0
        for name in ("x", "y"):
            if not is_coordinate(position[name]):
                self._fault(where, f"its position's {name} {position[name]!r:.40} is not a number up to {FARTHEST}")
                return 0.0, 0.0
        return float(position["x"]), float(position["y"])

    def _categories(self, document: dict[str, Any]) -> tuple[Category, ...]:
        categories: list[Category] = []
        for number, each in enumerate(self._list(document, "categories", "the file"), 1):
            where = f"category {number}"
            name = self._text(each, "name", where)
            if not name.strip():
                self._fault(where, "has no name")
                continue
            if any(category.name == name for category in categories):
                self._fault(f"category {name!r}", "is there twice", "give one of them another name")
                continue
            extra = _rest(each, CATEGORY_FIELDS)
            categories.append(Category(name=name, color=self._text(each, "color", where), extra=extra))
        if len(categories) > MOST_CATEGORIES:
            self._fault("the file", f"has {len(categories)} categories; {MOST_CATEGORIES} is the most")
        return tuple(categories[:MOST_CATEGORIES])

    def _zone(self, zone: dict[str, Any], number: int, categories: set[str]) -> Zone:
        where = f"zone {number + 1}"
        name = self._text(zone, "name", where) or self._text(zone, "zone_id", where)
        where = f"zone {name}" if name else where
        x, y = self._position(zone, where)
        rows = self._list(zone, "rows", where, is_needed=False)
        areas = self._list(zone, "areas", where, is_needed=False)
        return Zone(
            name=name,
            x=x,
            y=y,
            rows=tuple(self._row(row, place, where, categories) for place, row in enumerate(rows, 1)),
            areas=tuple(self._area(area, (number, place), where, categories) for place, area in enumerate(areas)),
            extra=_rest(zone, ZONE_FIELDS),
        )

    def _row(self, row: dict[str, Any], place: int, zone: str, categories: set[str]) -> Row:
        name = self._text(row, "row_number", f"{zone}, row no. {place}")
        where = f"{zone}, row {name or f'no. {place}'}"
        x, y = self._position(row, where)
        seats = self._list(row, "seats", where)
        if not seats:
            self._fault(where, "has no seats", "draw its seats, or take the row away")
        return Row(
            number=name,
            x=x,
            y=y,
            seats=tuple(self._seat(seat, number, where, categories) for number, seat in enumerate(seats, 1)),
            extra=_rest(row, ROW_FIELDS),
        )

    def _seat(self, seat: dict[str, Any], place: int, row: str, categories: set[str]) -> Seat:
        number = self._text(seat, "seat_number", f"{row}, seat no. {place}")
        where = f"{row}, seat {number or f'no. {place}'}"
        identity = self._identity(seat.get(self._id_field), self._id_field, where)
        self._seats += 1
        category = self._category(seat.get("category"), where, categories)
        x, y = self._position(seat, where)
        return Seat(
            id=SeatId(identity),
            number=number,
            category=category,
            x=x,
            y=y,
            rank=self._extension.ranks.get(identity),
            access=self._extension.access.get(identity, ()),
            extra=_rest(seat, SEAT_FIELDS),
        )

    def _identity(self, identity: object, field: str, where: str) -> str:
        """An id that can name a seat or an area; a stand-in where there is none."""
        if not isinstance(identity, str) or not identity.strip() or len(identity) > LONGEST_TEXT:
            self._fault(where, f"has no {field} of 1 to {LONGEST_TEXT} characters")
            return f"?{len(self._places)}"
        if not identity.isprintable():
            self._fault(where, f"its {field} {identity!r} has characters that cannot be printed")
        self._places.setdefault(identity, []).append(where)
        return identity

    def _category(self, category: object, where: str, categories: set[str]) -> str:
        if not isinstance(category, str) or category not in categories:
            self._fault(where, f"its category {category!r:.40} is not among the plan's categories")
        return str(category)

    def _area(self, area: dict[str, Any], numbers: tuple[int, int], zone: str, categories: set[str]) -> Area:
        where, shape = f"{zone}, area {numbers[1] + 1}", area.get("shape")
        if shape not in SHAPES:
            self._fault(where, f"its shape {shape!r:.40} is none of {', '.join(SHAPES)}")
        elif not isinstance(area.get(shape), dict):
            self._fault(where, f"is a {shape} without its {shape!r}, and cannot be drawn", severity="warning")
        told = self._extension.areas.get(numbers)
        if told is None:
            return Area(drawing=area)
        capacity = told.get("capacity")
        if not isinstance(capacity, int) or isinstance(capacity, bool) or not 1 <= capacity <= LARGEST_CAPACITY:
            self._fault(where, f"its capacity {capacity!r:.40} does not lie between 1 and {LARGEST_CAPACITY}")
            capacity = 0
        identity = self._identity(told.get("id"), "id", where)
        return Area(
            drawing=area,
            id=AreaId(identity),
            name=self._text(told, "name", where) or identity,
            category=self._category(told.get("category"), where, categories),
            capacity=capacity,
        )

    def _check(self, plan: Plan) -> None:
        """What shows only when all of it is read."""
        rows = [(zone, row) for zone in plan.zones for row in zone.rows]
        seats = [seat for _, row in rows for seat in row.seats]
        if not seats and not plan.standing_areas():
            self._fault("the file", "has no seat and no standing area with a capacity")
        self._check_ids()
        areas = frozenset((number, place) for number, zone in enumerate(plan.zones) for place in range(len(zone.areas)))
        self._extension.check(frozenset(seat.id for seat in seats), areas, self._fault)
        check_units(plan, self._fault)
        check_step_free(plan, self._fault)
        used = {seat.category for seat in seats} | {area.category for area in plan.standing_areas()}
        for category in plan.categories:
            if category.name not in used:
                self._fault(f"category {category.name!r}", "has no seats", severity="warning")
        for zone, row in rows:
            spots = Counter((seat.x, seat.y) for seat in row.seats)
            shared = sum(count - 1 for count in spots.values())
            if shared:
                where = f"zone {zone.name}, row {row.number}"
                self._fault(where, f"{shared} seats lie exactly on another", "move them apart", "warning")

    def _check_ids(self) -> None:
        """Duplicate ids, by name and place; and the way in where the other kind of id is unique."""
        repeated = {name: places for name, places in self._places.items() if len(places) > 1}
        for name, places in list(repeated.items())[:LISTED]:
            shown = "; ".join(places[:4]) + (f"; and {len(places) - 4} more" if len(places) > 4 else "")
            self._fault(f"{self._id_field} {name!r}", f"is on {len(places)} seats: {shown}", "ids are unique in a plan")
        if len(repeated) > LISTED:
            self._fault("the file", f"{len(repeated) - LISTED} more ids are on several seats")
        if repeated and self._ids == "guid" and self._has_unique_uuids():
            self._fault(
                "the file",
                f"has {len(self._places)} different seat_guids on {self._seats} seats, and a different uuid on each",
                "read it with --ids uuid, and each seat is known by its uuid",
            )

    def _has_unique_uuids(self) -> bool:
        other = Reader({**self._document, "parvis": {}}, "uuid")
        for zone in other._list(self._document, "zones", ""):
            for row in other._list(zone, "rows", "", is_needed=False):
                for seat in other._list(row, "seats", ""):
                    other._identity(seat.get("uuid"), "uuid", "")
        return not other.faults and all(len(places) == 1 for places in other._places.values())
