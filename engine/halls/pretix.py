"""Seating plans in pretix's format, both ways; what it lacks lies beside it under the root key `parvis`.

Without that extension (`engine/halls/extension.py`), aisles are derived from positions.
Source of the format: pretix's seating plan schema (`seating-plan.schema.json` in pretix's repository).
"""

from typing import Any, Literal

from engine.errors import BadPlan
from engine.halls.plan import Plan, Zone
from engine.halls.reader import Reader

Ids = Literal["guid", "uuid"]


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
    beside: dict[str, Any] = {
        "aisles_before": [seat.id for seat in seats if seat.is_after_aisle],
        "focal_point": plan.focal_point and dict(zip("xy", plan.focal_point, strict=True)),
        "units": [{"kind": unit.kind, "name": unit.name, "seats": list(unit.seats)} for unit in plan.units],
    }
    told = {name: part for name, part in beside.items() if part}
    if plan.step_free is not None:
        told["without_stairs"] = {"zones": list(plan.step_free.zones), "rows": list(map(list, plan.step_free.rows))}
    return {
        **plan.extra,
        "name": plan.name,
        "categories": [
            {**category.extra, "name": category.name, "color": category.color} for category in plan.categories
        ],
        "zones": [_export_zone(zone) for zone in plan.zones],
        "size": {"width": plan.width, "height": plan.height},
        "parvis": {
            **plan.extra_extension,
            **told,
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
