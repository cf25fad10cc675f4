"""Seating plans in pretix's format, both ways; what it lacks lies beside it under the root key `parvis`.

The extension: `aisles_after` (seats whose neighbour in the row is across an aisle), `ranks` and `access` by seat,
`areas` (id, name, category and capacity of standing areas, by zone and area number). Without it, aisles are
derived from positions: a gap clearly wider than the row's pitch.
Source of the format: pretix's seating plan schema (`seating-plan.schema.json` in pretix's repository).
"""

from collections import Counter
from math import hypot
from statistics import median
from typing import Any, Final, Literal

import msgspec

from engine.errors import BadPlan
from engine.halls.plan import Area, Category, Plan, Row, Seat, Zone
from engine.words import AreaId, SeatId

AISLE: Final = 1.6
"""A gap this many times the row's pitch is an aisle."""
GAPS_FOR_A_PITCH: Final = 3
LARGEST_CAPACITY: Final = 200_000
LONGEST_ID: Final = 100
LISTED: Final = 20
"""Faults of one kind that are listed by name; the rest is counted."""
SHAPES: Final = ("polygon", "rectangle", "ellipse", "circle", "text")
SEAT_FIELDS: Final = frozenset({"seat_guid", "seat_number", "category", "position"})
ROW_FIELDS: Final = frozenset({"row_number", "position", "seats"})
ZONE_FIELDS: Final = frozenset({"name", "position", "rows", "areas"})
Ids = Literal["guid", "uuid"]


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a plan: where, what, and what would mend it. `severity`: `error` or `warning`."""

    where: str
    what: str
    remedy: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{self.where}: {self.what}{remedy}"


class Reader:
    """Reads a document into a plan and collects what is wrong with it."""

    def __init__(self, document: object, ids: str) -> None:
        self.faults: list[Fault] = []
        self._ids = ids
        self._id_field = "seat_guid" if ids == "guid" else "uuid"
        self._document: dict[str, Any] = document if isinstance(document, dict) else {}
        if not isinstance(document, dict):
            self._fault("the file", "is not a JSON object", "a plan starts with { and has zones")
        extension = self._document.get("parvis")
        self._extension: dict[str, Any] = extension if isinstance(extension, dict) else {}
        self._places: dict[str, list[str]] = {}

    def _fault(self, where: str, what: str, remedy: str = "", severity: str = "error") -> None:
        self.faults.append(Fault(where, what, remedy, severity))

    def read(self) -> Plan:
        """The plan as far as it can be read; only without an error among the faults can it be sold from."""
        document = self._document
        categories = self._categories()
        names = {category.name for category in categories}
        zones = self._list(document, "zones", "the file")
        read = tuple(self._zone(zone, number, names) for number, zone in enumerate(zones))
        self._check_ids()
        plan = Plan(
            name=str(document.get("name") or ""),
            categories=categories,
            zones=self._with_aisles(read),
            width=self._number(document.get("size"), "width"),
            height=self._number(document.get("size"), "height"),
        )
        if not any(row.seats for zone in read for row in zone.rows) and not plan.standing_areas():
            self._fault("the file", "has no seat and no standing area with a capacity")
        self._check_use(plan)
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

    def _number(self, holder: object, name: str) -> float:
        value = holder.get(name) if isinstance(holder, dict) else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0

    def _position(self, holder: dict[str, Any], where: str) -> tuple[float, float]:
        position = holder.get("position")
        if not isinstance(position, dict) or not {"x", "y"} <= position.keys():
            self._fault(where, "has no position", 'a position reads {"x": 0, "y": 0}')
        return self._number(position, "x"), self._number(position, "y")

    def _categories(self) -> tuple[Category, ...]:
        found = self._list(self._document, "categories", "the file")
        categories: list[Category] = []
        for number, each in enumerate(found, 1):
            name = each.get("name")
            if not isinstance(name, str) or not name.strip():
                self._fault(f"category {number}", "has no name")
                continue
            if any(category.name == name for category in categories):
                self._fault(f"category {name!r}", "is there twice", "give one of them another name")
                continue
            categories.append(Category(name=name, color=str(each.get("color") or "")))
        if len(categories) > 26:
            self._fault("the file", f"has {len(categories)} categories; 26 is the most")
        return tuple(categories)

    def _zone(self, zone: dict[str, Any], number: int, categories: set[str]) -> Zone:
        name = str(zone.get("name") or zone.get("zone_id") or "")
        where = f"zone {name or number + 1}"
        x, y = self._position(zone, where)
        rows = self._list(zone, "rows", where, is_needed=False)
        areas = self._list(zone, "areas", where, is_needed=False)
        return Zone(
            name=name,
            x=x,
            y=y,
            rows=tuple(self._row(row, place, where, categories) for place, row in enumerate(rows, 1)),
            areas=tuple(self._area(area, number, place, where, categories) for place, area in enumerate(areas)),
            extra={key: value for key, value in zone.items() if key not in ZONE_FIELDS},
        )

    def _row(self, row: dict[str, Any], place: int, zone: str, categories: set[str]) -> Row:
        name = str(row.get("row_number") or "")
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
            extra={key: value for key, value in row.items() if key not in ROW_FIELDS},
        )

    def _seat(self, seat: dict[str, Any], place: int, row: str, categories: set[str]) -> Seat:
        number = str(seat.get("seat_number") or "")
        where = f"{row}, seat {number or f'no. {place}'}"
        identity = seat.get(self._id_field)
        if not isinstance(identity, str) or not identity.strip() or len(identity) > LONGEST_ID:
            self._fault(where, f"has no {self._id_field} of 1 to {LONGEST_ID} characters")
            identity = f"?{len(self._places)}"
        self._places.setdefault(identity, []).append(where)
        category = seat.get("category")
        if not isinstance(category, str) or category not in categories:
            self._fault(where, f"its category {category!r} is not among the plan's categories")
        x, y = self._position(seat, where)
        rank = self._extension.get("ranks", {}).get(identity)
        return Seat(
            id=SeatId(identity),
            number=number,
            category=str(category),
            x=x,
            y=y,
            rank=rank if isinstance(rank, int) else None,
            access=tuple(map(str, self._extension.get("access", {}).get(identity, ()))),
            extra={key: value for key, value in seat.items() if key not in SEAT_FIELDS},
        )

    def _area(self, area: dict[str, Any], zone_number: int, number: int, zone: str, categories: set[str]) -> Area:
        where = f"{zone}, area {number + 1}"
        if area.get("shape") not in SHAPES:
            self._fault(where, f"its shape {area.get('shape')!r} is none of {', '.join(SHAPES)}")
        for each in self._extension.get("areas", ()):
            if isinstance(each, dict) and (each.get("zone"), each.get("area")) == (zone_number, number):
                return self._standing(area, each, where, categories)
        return Area(drawing=area)

    def _standing(self, area: dict[str, Any], told: dict[str, Any], where: str, categories: set[str]) -> Area:
        capacity, category, identity = told.get("capacity"), told.get("category"), told.get("id")
        if not isinstance(capacity, int) or not 1 <= capacity <= LARGEST_CAPACITY:
            self._fault(where, f"its capacity {capacity!r} does not lie between 1 and {LARGEST_CAPACITY}")
            capacity = 0
        if category not in categories:
            self._fault(where, f"its category {category!r} is not among the plan's categories")
        if not isinstance(identity, str) or not identity:
            self._fault(where, "has a capacity, but no id")
        self._places.setdefault(str(identity), []).append(where)
        return Area(
            drawing=area,
            id=AreaId(str(identity)),
            name=str(told.get("name") or identity),
            category=str(category),
            capacity=capacity,
        )

    def _check_ids(self) -> None:
        """Duplicate ids, by name and place; and the way in where the other kind of id is unique."""
        repeated = {name: places for name, places in self._places.items() if len(places) > 1}
        if not repeated:
            return
        seats = sum(map(len, self._places.values()))
        for name, places in list(repeated.items())[:LISTED]:
            shown = "; ".join(places[:4]) + (f"; and {len(places) - 4} more" if len(places) > 4 else "")
            self._fault(f"{self._id_field} {name!r}", f"is on {len(places)} seats: {shown}", "ids are unique in a plan")
        if len(repeated) > LISTED:
            self._fault("the file", f"{len(repeated) - LISTED} more ids are on several seats")
        if self._ids == "guid" and self._has_unique_uuids():
            self._fault(
                "the file",
                f"has {len(self._places)} different seat_guids on {seats} seats, and a different uuid on each",
                "read it with --ids uuid, and each seat is known by its uuid",
            )

    def _has_unique_uuids(self) -> bool:
        uuids = [
            seat.get("uuid")
            for zone in self._document.get("zones", ())
            for row in zone.get("rows", ())
            for seat in row.get("seats", ())
        ]
        return all(isinstance(uuid, str) and uuid for uuid in uuids) and max(Counter(uuids).values(), default=0) == 1

    def _check_use(self, plan: Plan) -> None:
        used = {seat.category for zone in plan.zones for row in zone.rows for seat in row.seats}
        used |= {area.category for area in plan.standing_areas()}
        for category in plan.categories:
            if category.name not in used:
                self._fault(f"category {category.name!r}", "has no seats", severity="warning")
        for zone in plan.zones:
            for row in zone.rows:
                spots = Counter((seat.x, seat.y) for seat in row.seats)
                shared = sum(count - 1 for count in spots.values() if count > 1)
                if shared:
                    where = f"zone {zone.name}, row {row.number}"
                    self._fault(where, f"{shared} seats lie exactly on another", "move them apart", "warning")

    def _with_aisles(self, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
        """The zones with their aisles: as the extension says, or derived from positions."""
        told = self._extension.get("aisles_after")
        if isinstance(told, list):
            after = {str(name) for name in told}
            return _mark(zones, lambda row: [seat.id in after for seat in row.seats])
        pitches = [median(gaps) for zone in zones for row in zone.rows if len(gaps := _gaps(row)) >= GAPS_FOR_A_PITCH]
        usual = median(pitches) if pitches else 0.0

        def derive(row: Row) -> list[bool]:
            gaps = _gaps(row)
            pitch = median(gaps) if len(gaps) >= GAPS_FOR_A_PITCH else usual
            return [pitch > 0 and gap > AISLE * pitch for gap in gaps] + [False]

        return _mark(zones, derive)


def _gaps(row: Row) -> list[float]:
    return [hypot(b.x - a.x, b.y - a.y) for a, b in zip(row.seats, row.seats[1:], strict=False)]


def _mark(zones: tuple[Zone, ...], aisles: Any) -> tuple[Zone, ...]:
    """The zones with `is_before_aisle` set by `aisles(row)`, a bool a seat."""

    def marked(row: Row) -> Row:
        seats = tuple(
            msgspec.structs.replace(seat, is_before_aisle=is_before)
            for seat, is_before in zip(row.seats, aisles(row), strict=False)
        )
        return msgspec.structs.replace(row, seats=seats)

    return tuple(msgspec.structs.replace(zone, rows=tuple(map(marked, zone.rows))) for zone in zones)


def import_plan(document: object, ids: Ids = "guid") -> Plan:
    """The plan of a document in pretix's format. `ids`: which of its ids names a seat, `guid` or `uuid`.

    Raises `BadPlan` with everything that is wrong, where, and what would mend it.
    """
    reader = Reader(document, ids)
    plan = reader.read()
    errors = [str(fault) for fault in reader.faults if fault.severity == "error"]
    if errors:
        raise BadPlan("this seating plan cannot be sold from", tuple(errors))
    return plan


def export_plan(plan: Plan) -> dict[str, Any]:
    """The plan in pretix's format, with what that lacks under `parvis`; reading it again gives the same plan."""
    seats = [seat for zone in plan.zones for row in zone.rows for seat in row.seats]
    return {
        "name": plan.name,
        "categories": [{"name": category.name, "color": category.color} for category in plan.categories],
        "zones": [_export_zone(zone) for zone in plan.zones],
        "size": {"width": plan.width, "height": plan.height},
        "parvis": {
            "aisles_after": [seat.id for seat in seats if seat.is_before_aisle],
            "access": {seat.id: list(seat.access) for seat in seats if seat.access},
            "ranks": {seat.id: seat.rank for seat in seats if seat.rank is not None},
            "areas": [
                {
                    "zone": zone_number,
                    "area": number,
                    "id": area.id,
                    "name": area.name,
                    "category": area.category,
                    "capacity": area.capacity,
                }
                for zone_number, zone in enumerate(plan.zones)
                for number, area in enumerate(zone.areas)
                if area.capacity
            ],
        },
    }


def _export_zone(zone: Zone) -> dict[str, Any]:
    return {
        **zone.extra,
        "name": zone.name,
        "position": {"x": zone.x, "y": zone.y},
        "rows": [
            {
                **row.extra,
                "row_number": row.number,
                "position": {"x": row.x, "y": row.y},
                "seats": [
                    {
                        **seat.extra,
                        "seat_guid": seat.id,
                        "seat_number": seat.number,
                        "category": seat.category,
                        "position": {"x": seat.x, "y": seat.y},
                    }
                    for seat in row.seats
                ],
            }
            for row in zone.rows
        ],
        "areas": [area.drawing for area in zone.areas],
    }
