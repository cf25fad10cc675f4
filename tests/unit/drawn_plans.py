"""Seating plans drawn by a test, as a designer's editor saves them."""

from typing import Any

Document = dict[str, Any]


def row(name: str, seats: str, *, x: float = 0, y: float = 0, category: str = "Rang 1") -> Document:
    """A row drawn as `"1 2 3 | 4 5"`: a space is the usual distance, `|` an aisle's."""
    drawn, at = [], 0.0
    for word in seats.split():
        if word == "|":
            at += 40
            continue
        drawn.append(
            {
                "seat_guid": f"zaal-{name}-{word}",
                "seat_number": word,
                "category": category,
                "position": {"x": at, "y": 0},
                "uuid": f"uuid-{name}-{word}",
            }
        )
        at += 25
    return {"row_number": name, "row_number_position": "both", "position": {"x": x, "y": y}, "seats": drawn}


def hall(*rows: Document, **changed: Any) -> Document:
    """A plan of one zone with those rows, as a designer's editor saves it: without our extension."""
    zone = {"name": "Zaal", "zone_id": "zaal", "position": {"x": 10, "y": 20}, "rows": list(rows), "areas": []}
    categories = [{"name": "Rang 1", "color": "#8c2f39"}, {"name": "Rang 2", "color": "#4a6fa5"}]
    plan = {"name": "A hall", "categories": categories, "zones": [zone], "size": {"width": 400, "height": 300}}
    return plan | changed


def floor(**changed: Any) -> Document:
    return {
        "shape": "rectangle",
        "rectangle": {"width": 200, "height": 80},
        "position": {"x": 0, "y": 40},
        "color": "#eeeeee",
        "border_color": "#000000",
        "rotation": 15,
        "text": {"text": "Floor", "size": 12, "color": "#000000", "position": {"x": 0, "y": 0}},
        "uuid": "area-1",
    } | changed


def whole() -> Document:
    """A plan with everything: two zones, a standing area, ranks, access, aisles that differ from the positions."""
    document = hall(row("A", "1 2 | 3 4", y=0), row("B", "1 2 3", y=30, category="Rang 2"))
    document["zones"][0]["areas"] = [floor(), floor(shape="circle", circle={"radius": 9})]
    document["zones"].append(
        {
            "name": "Balkon",
            "position": {"x": 0, "y": 200},
            "rows": [row("A", "9 9A 13A")],
            "uuid": "zone-2",
        }
    )
    for seat in document["zones"][1]["rows"][0]["seats"]:
        seat["seat_guid"] = "balkon-" + seat["seat_guid"]
        seat["start_direction"] = "<>"
        seat["radius"] = 11
    document["parvis"] = {
        "aisles_after": ["zaal-A-3", "balkon-zaal-A-9A"],
        "ranks": {"zaal-B-1": 7},
        "access": {"zaal-B-1": ["wheelchair"], "zaal-B-2": ["companion"]},
        "areas": [{"zone": 0, "area": 0, "id": "vloer", "name": "Vloer", "category": "Rang 2", "capacity": 280}],
    }
    return document
