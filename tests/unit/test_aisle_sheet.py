"""Aisles on a sheet that a person corrects."""

import pytest

from engine.errors import BadPlan
from engine.halls.blocks import compile_layout
from engine.halls.pretix import export_plan, import_plan
from engine.halls.sheet import corrected, write_sheet
from engine.halls.shipped import SHIPPED, shipped_plan
from tests.town import small_plan


def test_the_sheet_of_a_plan_makes_no_change_to_it() -> None:
    for name in SHIPPED:
        plan = shipped_plan(name)
        assert corrected(plan, write_sheet(plan)) == plan
        assert corrected(plan, "") == plan


def test_rows_have_bars_at_their_aisles_and_the_least_sure_come_first() -> None:
    document = small_plan(rows=2, seats=6)
    rows = document["zones"][0]["rows"]
    for seat in rows[1]["seats"][3:]:
        seat["position"]["x"] += 14
    for seat in rows[0]["seats"][2:]:
        seat["position"]["x"] += 30
    assert write_sheet(import_plan(document)).splitlines() == [
        "Zaal, row B: 1 2 3 4 5 6  # after 3: 1.54 seats wide",
        "Zaal, row A: 1 2 | 3 4 5 6  # after 2: 2.15 seats wide",
    ]


def test_bars_are_put_and_taken_away_and_kept_over_an_export() -> None:
    plan = import_plan(small_plan(rows=3, seats=4))
    sheet = "# ours\n\nZaal, row B: | 1 2|3 4 |   # as we know it\nZaal, row A: 1 2 3 | 4\n"
    made = corrected(plan, sheet)
    again = import_plan(export_plan(made))
    assert again.zones == made.zones
    assert [(block.row, block.length) for block in compile_layout(again).blocks if block.row != "C"] == [
        ("A", 3),
        ("A", 1),
        ("B", 2),
        ("B", 2),
    ]
    parvis = export_plan(made)["parvis"]
    assert parvis["aisles_before"] == ["zaal-B-1"]
    assert parvis["aisles_after"] == ["zaal-A-3", "zaal-B-2", "zaal-B-4"]


def test_what_does_not_fit_the_plan_is_said_line_by_line() -> None:
    plan = import_plan(small_plan(rows=2, seats=3))
    sheet = "Zaal, row A: 1 2 3\nZaal, row A: 1 2 3\nZaal, row B: 1 3 2\nBalcony, row A: 1\nwhat"
    with pytest.raises(BadPlan) as refused:
        corrected(plan, sheet)
    assert refused.value.problems == (
        "line 2: Zaal, row A is there twice",
        "line 3: the seats of Zaal, row B are 1 2 3, in this order",
        "line 4: the plan has no row 'Balcony, row A'",
        "line 5: the plan has no row 'what'",
    )


def test_rows_of_one_name_and_seats_of_one_number_are_told_apart() -> None:
    document = small_plan(rows=2, seats=2, standing=0)
    for row in document["zones"][0]["rows"]:
        row["row_number"] = "A"
        row["seats"][1]["seat_number"] = "1"
    plan = import_plan(document)
    assert write_sheet(plan) == "Zaal, row A: zaal-A-1 zaal-A-2\nZaal, row A (2): zaal-B-1 zaal-B-2\n"
    made = corrected(plan, "Zaal, row A (2): zaal-B-1 | zaal-B-2")
    assert [len(row.seats) for zone in made.zones for row in zone.rows if row.seats[0].is_before_aisle] == [2]
