"""Seating plans: read, given back as they were, and laid out for selling."""

import copy
import json
import os
from pathlib import Path

import pytest

from engine.errors import BadPlan
from engine.halls.blocks import compile_layout
from engine.halls.check import check, summary
from engine.halls.generate import big_house
from engine.halls.layout import Layout
from engine.halls.pretix import export_plan, import_plan
from engine.halls.reader import Fault
from engine.halls.shipped import SHIPPED, shipped_plan
from tests.unit.drawn_plans import Document, hall, row, whole

DATA = Path(os.environ.get("PARVIS_PLANS") or Path(__file__).parents[3] / "shared" / "data")
STADIUM = DATA / "stadium-738.pretix.json"
OTHER_FORMAT = DATA / "dancefloor-1115.hall-scheme.json"


def blocks(layout: Layout) -> list[str]:
    """Each block's seats, from the first to the last: `"zaal-A-1 zaal-A-2"`."""
    return sorted(
        " ".join(layout.seat_at(number, offset) for offset in range(block.length))
        for number, block in enumerate(layout.blocks)
    )


def laid_out(*rows: Document) -> Layout:
    return compile_layout(import_plan(hall(*rows)))


# -- there and back


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_hall_is_the_same_after_export_and_import(name: str) -> None:
    plan = shipped_plan(name)
    exported = export_plan(plan)
    assert import_plan(json.loads(json.dumps(exported))) == plan
    assert check(exported) == ()


def test_a_drawn_plan_comes_back_with_everything_that_it_said() -> None:
    document = whole()
    exported = export_plan(import_plan(document))
    assert exported["parvis"]["areas"] == document["parvis"]["areas"]
    assert exported["parvis"]["ranks"] == document["parvis"]["ranks"]
    assert exported["parvis"]["access"] == document["parvis"]["access"]
    assert set(exported["parvis"]["aisles_after"]) == set(document["parvis"]["aisles_after"])
    assert {name: exported[name] for name in ("name", "categories", "size")} == {
        name: document[name] for name in ("name", "categories", "size")
    }
    for zone, other in zip(exported["zones"], document["zones"], strict=True):
        assert zone == {"areas": [], **other}
    assert export_plan(import_plan(exported)) == exported
    assert import_plan(exported) == import_plan(document)


def test_an_imported_plan_is_not_bound_to_the_document() -> None:
    document = whole()
    before = copy.deepcopy(document)
    export_plan(import_plan(document))
    assert document == before


def test_what_was_derived_stays_so_after_the_export() -> None:
    plan = import_plan(hall(row("A", "1 2 3 | 4 5 6")))
    exported = export_plan(plan)
    assert exported["parvis"]["aisles_after"] == ["zaal-A-3"]
    assert import_plan(exported) == plan


def test_with_their_uuids_seats_are_named_by_them() -> None:
    plan = import_plan(hall(row("A", "1 2")), "uuid")
    assert [seat.id for seat in plan.zones[0].rows[0].seats] == ["uuid-A-1", "uuid-A-2"]
    assert import_plan(export_plan(plan)) == plan


# -- the layout


@pytest.mark.parametrize(
    ("seats", "expected"),
    [
        ("1 2 3 4", ["1 2 3 4"]),
        ("1 2 3 | 4 5", ["1 2 3", "4 5"]),
        ("1 | 2 3 4 5 | 6", ["1", "2 3 4 5", "6"]),
        ("9 9A 10 | 13 13A", ["13 13A", "9 9A 10"]),  # labels tell nothing
        ("4 3 2 1", ["4 3 2 1"]),
        ("1 3 5 | 2 4", ["1 3 5", "2 4"]),
    ],
)
def test_aisles_are_where_the_gap_is_wide(seats: str, expected: list[str]) -> None:
    found = [each.replace("zaal-A-", "") for each in blocks(laid_out(row("A", seats), row("B", "1 2 3 4 5")))]
    assert [each for each in found if "zaal" not in each] == expected


def test_a_short_row_is_measured_by_the_others() -> None:
    assert blocks(laid_out(row("A", "1 | 2"), row("B", "1 2 3 4 5"))) == [
        "zaal-A-1",
        "zaal-A-2",
        "zaal-B-1 zaal-B-2 zaal-B-3 zaal-B-4 zaal-B-5",
    ]


def test_a_curved_row_has_no_aisles_for_its_curve() -> None:
    curved = row("A", "1 2 3 4 5 6")
    for number, seat in enumerate(curved["seats"]):
        seat["position"]["y"] = (number - 2.5) ** 2 * 3
    assert len(blocks(laid_out(curved))) == 1


def test_what_the_house_says_of_aisles_goes_before_positions() -> None:
    document = hall(row("A", "1 2 | 3 4"), parvis={"aisles_after": ["zaal-A-1"]})
    assert blocks(compile_layout(import_plan(document))) == ["zaal-A-1", "zaal-A-2 zaal-A-3 zaal-A-4"]
    document["parvis"]["aisles_after"] = []
    assert len(blocks(compile_layout(import_plan(document)))) == 1


def test_rows_of_two_zones_with_the_same_number_are_two_rows() -> None:
    layout = compile_layout(import_plan(whole()))
    assert "balkon-zaal-A-9 balkon-zaal-A-9A" in blocks(layout)
    assert "zaal-A-1 zaal-A-2 zaal-A-3" in blocks(layout)
    assert layout.capacity == 10 + 280


def test_a_row_can_be_of_two_categories_and_change_its_length() -> None:
    mixed = row("A", "1 2 3 4")
    for seat in mixed["seats"][2:]:
        seat["category"] = "Rang 2"
    layout = laid_out(mixed, row("B", "1 2", y=30), row("D", "1 2 3 4 5 6 7", y=90))  # and there is no row C
    assert [block.length for block in layout.blocks] == [4, 2, 7]
    assert layout.blocks[0].classes == "AABB"
    assert layout.category_of(layout.seat_at(0, 3)) == "Rang 2"


def test_places_with_an_access_need_are_blocks_of_a_class_of_their_own() -> None:
    layout = compile_layout(import_plan(whole()))
    found = [layout.blocks[layout.locate(f"zaal-B-{n}")[0]] for n in (1, 2, 3)]  # type: ignore[arg-type]
    assert [(block.classes, block.unit) for block in found] == [("b", "wheelchair"), ("b", "companion"), ("B", "")]


def test_the_row_before_the_stage_is_sold_first_and_ranks_go_before_distance() -> None:
    document = hall(row("A", "1 2 3", y=0), row("B", "1 2 3", y=30), row("C", "1 2 3", y=60))
    layout = compile_layout(import_plan(document))
    assert [layout.seat_at(number, 0)[5] for number in range(3)] == ["A", "B", "C"]
    document["parvis"] = {
        "ranks": {f"zaal-{name}-{n}": rank for name, rank in zip("ABC", (9, 5, 1), strict=True) for n in (1, 2, 3)}
    }
    layout = compile_layout(import_plan(document))
    assert [layout.seat_at(number, 0)[5] for number in range(3)] == ["C", "B", "A"]


def test_a_seat_map_comes_in_the_order_of_the_plan() -> None:
    layout = laid_out(row("B", "1 2", y=90), row("A", "1 2 3", y=0))
    assert layout.seat_ids == ("zaal-B-1", "zaal-B-2", "zaal-A-1", "zaal-A-2", "zaal-A-3")
    assert layout.seats_string(["ohs", "bo"]) == "boohs"


# -- the halls that come with Parvis


@pytest.mark.parametrize(
    ("name", "places", "standing"),
    [
        ("zeewind-grote-zaal", 1290, 0),
        ("zeewind-kamerzaal", 320, 0),
        ("gulden-masker", 700, 0),
        ("klinker", 400, 280),
    ],
)
def test_the_shipped_halls_have_the_places_of_the_real_ones(name: str, places: int, standing: int) -> None:
    layout = compile_layout(shipped_plan(name))
    assert layout.capacity == places
    assert sum(area.capacity for area in layout.areas) == standing
    assert len(set(layout.seat_ids)) == len(layout.seat_ids) == places - standing
    wanted = f"can be sold from: {places - standing} seats"
    said = summary(export_plan(shipped_plan(name)))
    assert wanted in said
    counts = [int(each.rpartition(" ")[2]) for each in said.rpartition("; ")[2].split(", ")]
    assert sum(counts) == places


def test_a_shipped_hall_has_places_for_wheelchairs_beside_their_companions() -> None:
    for name in set(SHIPPED) - {"klinker"}:
        rows = [each for zone in shipped_plan(name).zones for each in zone.rows]
        access = [one.access for each in rows for one in each.seats if one.access]
        assert access[::2] == [("wheelchair",)] * (len(access) // 2)
        assert access[1::2] == [("companion",)] * (len(access) // 2)


@pytest.mark.parametrize("seats", [1, 79, 80, 81, 2_000, 20_000, 80_000])
def test_a_big_house_has_exactly_the_seats_asked_for(seats: int) -> None:
    plan = big_house(seats)
    layout = compile_layout(plan)
    assert (layout.capacity, len(set(layout.seat_ids))) == (seats, seats)
    assert sum(block.length for block in layout.blocks) == seats


def test_a_big_house_is_a_plan_like_any_other() -> None:
    document = export_plan(big_house(2_000))
    assert [fault for fault in check(document) if fault.severity == "error"] == []
    assert import_plan(document) == big_house(2_000)


# -- real files, where they are at hand


@pytest.mark.skipif(not STADIUM.exists(), reason="no real plans here: name their folder in PARVIS_PLANS")
def test_a_real_plan_with_repeated_ids_is_explained_and_can_be_read_by_its_uuids() -> None:
    document = json.loads(STADIUM.read_text())
    faults = check(document)
    assert "has 318 different seat_guids on 738 seats" in " ".join(fault.what for fault in faults)
    with pytest.raises(BadPlan):
        import_plan(document)
    plan = import_plan(document, "uuid")
    assert compile_layout(plan).capacity == 738
    assert import_plan(export_plan(plan)) == plan


@pytest.mark.skipif(not OTHER_FORMAT.exists(), reason="no real plans here: name their folder in PARVIS_PLANS")
def test_a_plan_of_another_editor_is_refused_in_words() -> None:
    faults = check(json.loads(OTHER_FORMAT.read_text()))
    assert Fault("the file", "'zones' is missing or is not a list") in faults
