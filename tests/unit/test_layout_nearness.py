"""Where rows stand, what lies near, and what is sold as one: against brute force on random halls."""

import json
import random
from math import hypot

import pytest

from engine.halls import aisles
from engine.halls.blocks import compile_layout
from engine.halls.check import check
from engine.halls.layout import Layout
from engine.halls.pretix import export_plan, import_plan
from engine.halls.rows import row_places
from engine.halls.shipped import SHIPPED, shipped_plan
from tests.unit.drawn_plans import Document, hall, row


def random_hall(seed: int) -> Layout:
    """Rows of random lengths and aisles, in random places."""
    drawn = random.Random(seed)
    rows = []
    for number in range(drawn.randint(1, 14)):
        words = [word for seat in range(drawn.randint(1, 18)) for word in (str(seat), "|")[: drawn.randint(1, 2)]]
        rows.append(row(f"R{number}", " ".join(words), x=drawn.randint(0, 300), y=30 * number))
    return compile_layout(import_plan(hall(*rows)))


def points_of(layout: Layout, block: int) -> list[tuple[float, float]]:
    start = layout.blocks[block].start
    return list(layout._points[start : start + layout.blocks[block].length])


@pytest.mark.parametrize("seed", range(40))
def test_what_is_near_is_what_a_look_at_every_seat_finds(seed: int) -> None:
    layout = random_hall(seed)
    everything = range(len(layout.blocks))
    for seat in layout.seat_ids[::7]:
        own, offset = layout.locate(seat)
        x, y = points_of(layout, own)[offset]
        told = layout.near(seat, 9)
        assert told[0] == (own, offset + 1)
        distances = {block: min(hypot(a - x, b - y) for a, b in points_of(layout, block)) for block in everything}
        expected = sorted(distance for block, distance in distances.items() if block != own)[:8]
        assert [distances[block] for block, _ in told[1:]] == expected
        for block, place in told:
            a, b = points_of(layout, block)[place - 1]
            assert hypot(a - x, b - y) == distances[block]
    for block in everything:
        same, adjacent, near = layout.neighbours(block)
        middle = layout._nearness._middle(block)
        others = [other for other in everything if other != block]

        def nearest(blocks: list[int], most: int, middle: tuple[float, float] = middle) -> list[int]:
            return [other for _, other in sorted((layout._nearness.distance(middle, each), each) for each in blocks)][
                :most
            ]

        place = layout.blocks[block].place
        assert same == nearest([other for other in others if layout.blocks[other].place == place], 8)
        assert adjacent == nearest([other for other in others if abs(layout.blocks[other].place - place) == 1], 8)
        assert near == nearest(others, 12)


def test_rows_are_counted_by_where_they_stand_and_not_by_their_labels_or_order() -> None:
    behind, front = row("A", "1 2 3", y=60), row("Z", "1 2 3", y=0)
    left, right = row("M", "1 2 3", y=30), row("M2", "4 5 6", x=120, y=33)
    layout = compile_layout(import_plan(hall(behind, left, front, right)))
    assert {block.row: block.place for block in layout.blocks} == {"Z": 0, "M": 1, "M2": 1, "A": 2}
    arc = [[(x, y + (x / 60) ** 2) for x in range(first, first + 100, 20)] for y in (0, 40) for first in (-110, 10)]
    assert row_places(arc, (0.0, -50.0)) == [0, 0, 1, 1]


def with_units(*units: Document) -> Document:
    return hall(row("A", "1 2 3 | 4 5"), row("B", "1 2", y=30)) | {"parvis": {"units": list(units)}}


def unit(*seats: str, kind: str = "table", name: str = "T") -> Document:
    return {"kind": kind, "name": name, "seats": [f"zaal-{seat}" for seat in seats]}


def test_a_unit_is_a_block_of_its_own_that_no_general_request_takes() -> None:
    layout = compile_layout(import_plan(with_units(unit("A-2", "A-3"))))
    assert layout.unit_of("zaal-A-3") == ("zaal-A-2", "zaal-A-3")  # type: ignore[arg-type]
    assert layout.unit_of("zaal-A-1") == ("zaal-A-1",)  # type: ignore[arg-type]
    assert sorted(
        (block.classes, block.unit, block.has_aisle_left, block.has_aisle_right) for block in layout.blocks
    ) == [
        ("A", "", False, False),
        ("AA", "", False, False),
        ("AA", "", True, False),
        ("aa", "table", False, True),
    ]
    bits = layout.mask(lambda block: block.unit == "table")
    assert [bits[0] >> (7 - n) & 1 for n in range(4)] == [int(block.unit == "table") for block in layout.blocks]


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ([unit("A-1", "A-9")], "not in the plan: 'zaal-A-9'"),
        ([unit("A-1", "B-1")], "two rows"),
        ([unit("A-1", "A-3")], "do not stand side by side"),
        ([unit("A-3", "A-4")], "an aisle runs between"),
        ([unit("A-1", "A-1")], "already"),
        ([unit("A-1"), unit("A-1", name="U")], "already"),
        ([unit("A-1"), unit("A-2")], "another table of this name"),
        ([unit("A-1", name="")], "has no name"),
        ([unit("A-1", kind="sofa")], "is none of wheelchair, table"),
        ([{"kind": "table", "name": "T", "seats": []}], "not a list of at least one"),
    ],
)
def test_a_unit_that_could_not_be_sold_as_one_is_explained(units: list[Document], said: str) -> None:
    assert [fault.severity for fault in check(with_units(*units)) if said in fault.what] == ["error"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_halls_units_are_whole_blocks(name: str) -> None:
    layout = compile_layout(shipped_plan(name))
    for each in layout.units:
        places = [layout.locate(seat) for seat in each.seats]
        assert len({block for block, _ in places}) == 1
        assert layout.blocks[places[0][0]].length == len(each.seats)
        assert layout.blocks[places[0][0]].classes.islower()


def test_what_nobody_knows_of_comes_back_too() -> None:
    document = with_units(unit("A-1", "A-2")) | {"made_by": {"an": "editor"}}
    document["categories"][0]["note"] = [1, None]
    document["parvis"] |= {
        "focal_point": {"x": 3, "y": -4.5},
        "without_stairs": {"zones": ["Zaal"], "rows": [["Zaal", "B"]]},
        "aisles_before": ["zaal-B-1"],
        "of_tomorrow": {"deep": [{}]},
    }
    plan = import_plan(document)
    exported = export_plan(plan)
    assert all(exported[name] == document[name] for name in ("made_by", "categories", "zones", "size"))
    assert all(exported["parvis"][name] == part for name, part in document["parvis"].items())
    assert import_plan(json.loads(json.dumps(exported))) == plan


def test_the_row_whose_aisles_are_least_sure_is_told_first() -> None:
    doubtful = row("B", "1 2 3 4 5", y=30)
    doubtful["seats"][4]["position"]["x"] += 13
    plan = import_plan(hall(row("A", "1 2 3 | 4 5 6"), doubtful))
    told = aisles.report(plan.zones)
    assert [(each.row, each.is_unsure()) for each in told] == [("B", True), ("A", False)]
    assert [(gap.after, gap.is_aisle) for gap in told[0].gaps] == [("zaal-B-4", False)]
    assert [(gap.after, gap.is_aisle) for gap in told[1].gaps] == [("zaal-A-3", True)]
