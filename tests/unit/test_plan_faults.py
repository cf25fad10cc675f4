"""What is wrong with a seating plan is explained, all of it, and where."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadPlan
from engine.halls.blocks import compile_layout
from engine.halls.check import check, summary
from engine.halls.pretix import export_plan, import_plan
from engine.halls.reader import Fault
from tests.unit.drawn_plans import Document, hall, row, whole

Spoil = Callable[[Document], object]


def seat(document: Document, number: int = 0) -> Document:
    found: Document = document["zones"][0]["rows"][0]["seats"][number]
    return found


def first_row(document: Document) -> Document:
    found: Document = document["zones"][0]["rows"][0]
    return found


def first_zone(document: Document) -> Document:
    found: Document = document["zones"][0]
    return found


def told(document: Document, number: int = 0) -> Document:
    found: Document = document["parvis"]["areas"][number]
    return found


IN_SEAT = "zone Zaal, row A, seat 1"
SEAT_NUMBERED = "zone Zaal, row A, seat no. 1"
ROW_A, ROW_NUMBERED = "zone Zaal, row A", "zone Zaal, row no. 1"
ZONE, AREA = "zone Zaal", "zone Zaal, area 1"
NO_POSITION = "has no position"
SPOILT: dict[str, tuple[Spoil, str, str]] = {
    "the same id twice": (
        lambda d: seat(d, 1).update(seat_guid="zaal-A-1"),
        "seat_guid 'zaal-A-1'",
        "is on 2 seats: zone Zaal, row A, seat 1; zone Zaal, row A, seat 2",
    ),
    "an area named like a seat": (lambda d: told(d).update(id="zaal-A-1"), "seat_guid 'zaal-A-1'", "is on 2 seats"),
    "no id": (lambda d: seat(d).pop("seat_guid"), IN_SEAT, "has no seat_guid"),
    "an empty id": (lambda d: seat(d).update(seat_guid="  "), IN_SEAT, "has no seat_guid"),
    "an id that is no text": (lambda d: seat(d).update(seat_guid=17), IN_SEAT, "has no seat_guid"),
    "an endless id": (lambda d: seat(d).update(seat_guid="x" * 101), IN_SEAT, "of 1 to 100 characters"),
    "an id that cannot be printed": (lambda d: seat(d).update(seat_guid="a\x00b"), IN_SEAT, "cannot be printed"),
    "an unknown category": (lambda d: seat(d).update(category="Rang 3"), IN_SEAT, "its category 'Rang 3' is not among"),
    "no category": (lambda d: seat(d).pop("category"), IN_SEAT, "its category None"),
    "a category that is a list": (lambda d: seat(d).update(category=[]), IN_SEAT, "its category []"),
    "a seat without a position": (lambda d: seat(d).pop("position"), IN_SEAT, NO_POSITION),
    "a seat with half a position": (lambda d: seat(d)["position"].pop("y"), IN_SEAT, NO_POSITION),
    "a position in words": (
        lambda d: seat(d)["position"].update(x="left"),
        IN_SEAT,
        "its position's x 'left' is not a number",
    ),
    "a position that is null": (lambda d: seat(d)["position"].update(y=None), IN_SEAT, "y None is not a number"),
    "a position that is true": (lambda d: seat(d)["position"].update(y=True), IN_SEAT, "y True is not a number"),
    "a position that is no number": (lambda d: seat(d)["position"].update(x=float("nan")), IN_SEAT, "x nan is not"),
    "a position beyond all": (lambda d: seat(d)["position"].update(x=float("inf")), IN_SEAT, "x inf is not"),
    "a position far away": (lambda d: seat(d)["position"].update(x=10**300), IN_SEAT, "is not a number up to"),
    "a seat number that is a list": (
        lambda d: seat(d).update(seat_number=[]),
        "zone Zaal, row A, seat no. 1",
        "seat_number",
    ),
    "an empty row": (lambda d: first_row(d).update(seats=[]), ROW_A, "has no seats"),
    "a row without seats": (lambda d: first_row(d).pop("seats"), ROW_A, "'seats' is missing"),
    "a row that is a number": (lambda d: first_zone(d).update(rows=[7]), ZONE, "'rows' holds something"),
    "a row without a position": (lambda d: first_row(d).pop("position"), ROW_A, NO_POSITION),
    "rows that are text": (
        lambda d: first_zone(d).update(rows="A, B"),
        "zone Zaal",
        "'rows' is missing or is not",
    ),
    "a seat that is text": (lambda d: first_row(d).update(seats=["1"]), ROW_A, "'seats' holds something"),
    "a row's name on two lines": (
        lambda d: first_row(d).update(row_number="A\nB"),
        "zone Zaal, row no. 1",
        "row_number",
    ),
    "a zone without a position": (lambda d: first_zone(d).pop("position"), ZONE, NO_POSITION),
    "no zones": (lambda d: d.pop("zones"), "the file", "'zones' is missing"),
    "zones by name": (lambda d: d.update(zones={"Zaal": {}}), "the file", "'zones' is missing or is not a list"),
    "no categories": (lambda d: d.pop("categories"), "the file", "'categories' is missing"),
    "a category without a name": (lambda d: d["categories"].append({"color": "#fff"}), "category 3", "has no name"),
    "a category twice": (lambda d: d["categories"].append({"name": "Rang 1"}), "category 'Rang 1'", "is there twice"),
    "more categories than letters": (
        lambda d: d["categories"].extend({"name": f"c{number}"} for number in range(30)),
        "the file",
        "has 32 categories; 26 is the most",
    ),
    "a size in words": (lambda d: d.update(size={"width": "wide", "height": 3}), "the file", "its size"),
    "a name of another kind": (lambda d: d.update(name={"nl": "Zaal"}), "the file", "its name"),
    "half a character": (lambda d: d.update(note="\ud800"), "the file", "half a character"),
    "an unknown shape": (
        lambda d: first_zone(d)["areas"][0].update(shape="blob"),
        "zone Zaal, area 1",
        "'blob' is none of",
    ),
    "areas that are no list": (
        lambda d: first_zone(d).update(areas=5),
        "zone Zaal",
        "'areas' is missing or is not",
    ),
    "room for nobody": (lambda d: told(d).update(capacity=0), AREA, "its capacity 0"),
    "room for half a person": (lambda d: told(d).update(capacity=1.5), AREA, "its capacity 1.5"),
    "room for true": (lambda d: told(d).update(capacity=True), AREA, "its capacity True"),
    "room without a name": (lambda d: told(d).pop("id"), AREA, "has no id"),
    "room of no category": (lambda d: told(d).pop("category"), AREA, "its category None"),
    "room where nothing is": (
        lambda d: told(d).update(zone=5),
        "parvis",
        "tells of zone 5, area 0",
    ),
    "room that is nowhere": (lambda d: told(d).pop("zone"), "parvis", "does not say where it is"),
    "room told of twice": (lambda d: d["parvis"]["areas"].append(told(d)), "parvis", "is told of twice"),
    "an extension that is a list": (lambda d: d.update(parvis=[]), "parvis", "is not an object"),
    "ranks in a list": (lambda d: d["parvis"].update(ranks=[1]), "parvis", "'ranks' is not an object"),
    "a rank in words": (lambda d: d["parvis"].update(ranks={"zaal-A-1": "best"}), "parvis", "the rank 'best'"),
    "access in a word": (lambda d: d["parvis"].update(access={"zaal-A-1": "wheelchair"}), "parvis", "the access needs"),
    "aisles in a word": (
        lambda d: d["parvis"].update(aisles_after="zaal-A-1"),
        "parvis",
        "'aisles_after' is not a list",
    ),
    "areas by name": (lambda d: d["parvis"].update(areas={"vloer": 280}), "parvis", "'areas' is not a list"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_fault_is_explained_and_located(what: str) -> None:
    spoil, where, said = SPOILT[what]
    document = whole()
    spoil(document)
    errors = [fault for fault in check(document) if fault.severity == "error"]
    assert any(fault.where == where and said in fault.what for fault in errors), errors
    with pytest.raises(BadPlan) as refused:
        import_plan(document)
    assert refused.value.problems == tuple(map(str, errors))


@pytest.mark.parametrize("document", [None, [], "plan", 3, {}, {"zones": []}, {"zones": [], "categories": []}])
def test_what_is_no_plan_at_all_is_refused_in_words(document: object) -> None:
    faults = check(document)
    assert "has no seat and no standing area with a capacity" in [fault.what for fault in faults]
    with pytest.raises(BadPlan):
        import_plan(document)


def test_all_faults_are_told_at_once() -> None:
    document = whole()
    seat(document).pop("position")
    seat(document, 1).update(category="?", seat_guid="")
    first_zone(document)["areas"][0]["shape"] = "blob"
    assert sum(fault.severity == "error" for fault in check(document)) == 4


WARNED: dict[str, tuple[Spoil, str, str]] = {
    "a category without seats": (lambda d: d["categories"].append({"name": "Loge"}), "category 'Loge'", "has no seats"),
    "a seat on another": (
        lambda d: seat(d, 1).update(position=seat(d)["position"]),
        "zone Zaal, row A",
        "1 seats lie exactly on another",
    ),
    "an aisle at no seat": (
        lambda d: d["parvis"]["aisles_after"].append("zaal-Z-1"),
        "parvis",
        "aisles_after names 1 seats that are not in the plan: 'zaal-Z-1'",
    ),
    "a shape without its measures": (
        lambda d: first_zone(d)["areas"][1].pop("circle"),
        "zone Zaal, area 2",
        "is a circle without its 'circle'",
    ),
}


@pytest.mark.parametrize("what", WARNED)
def test_what_looks_wrong_is_a_warning_and_can_be_sold(what: str) -> None:
    spoil, where, said = WARNED[what]
    document = whole()
    spoil(document)
    assert [(fault.where, fault.severity) for fault in check(document)] == [(where, "warning")]
    assert said in check(document)[0].what
    assert compile_layout(import_plan(document)).capacity == 290


def test_ids_that_are_repeated_a_hundred_times_are_listed_in_part_and_the_way_out_is_told() -> None:
    rows = [row(str(number), "1 2 3") for number in range(60)]
    for number, each in enumerate(rows):
        for place, one in enumerate(each["seats"]):
            one["seat_guid"] = f"seat-{number % 30}-{place}"
    faults = check(hall(*rows))
    named = [fault for fault in faults if fault.where.startswith("seat_guid")]
    assert len(named) == 20
    assert Fault("the file", "70 more ids are on several seats") in faults
    ways_out = [fault.remedy for fault in faults if "uuid" in fault.remedy]
    assert ways_out == ["read it with --ids uuid, and each seat is known by its uuid"]
    assert [fault for fault in check(hall(*rows), "uuid") if fault.severity == "error"] == []
    rows[0]["seats"][0]["uuid"] = rows[1]["seats"][0]["uuid"]
    assert [fault.remedy for fault in check(hall(*rows)) if "uuid" in fault.remedy] == []


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.floats(),
    st.sampled_from(["", "x", "\x00", "Rang 1", "zaal-A-1", "polygon", "é" * 200]),
    # Made anew each time: what was changed in one example must not be in the next.
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [None]),
    st.builds(lambda: {"x": "y"}),
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every holder and key within a document."""
    pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [(node, key) for key, _ in pairs] + [place for _, value in pairs for place in places(value)]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_refused_wherever_it_stands(number: float) -> None:
    document = whole()
    document["zones"][0]["areas"][0]["rectangle"] = number
    assert check(document)[0].what == "holds a number that is none (NaN or infinity)"


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_in_the_file_it_is_explained_or_it_can_be_sold(data: st.DataObject) -> None:
    document = whole()
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(document)))
        holder[key] = data.draw(VALUES)
    faults = check(document)
    if any(fault.severity == "error" for fault in faults):
        with pytest.raises(BadPlan):
            import_plan(document)
        return
    plan = import_plan(document)
    assert import_plan(json.loads(json.dumps(export_plan(plan)))) == plan
    layout = compile_layout(plan)
    assert len(layout.seats_string(layout.initial_rows())) == len(layout.seat_ids)
    assert summary(document)
