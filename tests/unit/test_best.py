"""What a wish for the best says of the hall: which blocks it allows, against a look at every one of them."""

from typing import Any

import msgspec
import pytest

from engine.best import Best, packed_best
from engine.catalogue import Performance, PriceType
from engine.errors import BadInput, Refused
from engine.halls.blocks import compile_layout
from engine.halls.layout import Block, Layout
from engine.halls.pretix import import_plan
from tests.unit.drawn_plans import hall, row

PRICES = {"Rang 1": {"full": 3000}, "Rang 2": {"full": 1800}}
SHOW: Any = Performance("show", "hall", "Show", 0, PRICES, fee=100)  # type: ignore[arg-type]


def a_hall() -> Layout:
    """Two zones with rows of the same labels, a row missing, and 10 behind 9."""
    rows = [row(name, "1 2 3 | 4 5 6", y=30 * at) for at, name in enumerate(["A", "C", "9", "10"])]
    plan = hall(*rows)
    above = [row(name, "1 2 3 4", y=30 * at, category="Rang 2") for at, name in enumerate(["A", "B", "C"])]
    for each in (seat for drawn in above for seat in drawn["seats"]):
        each["seat_guid"] = f"balkon-{each['seat_guid']}"
    plan["zones"].append({"name": "Balkon", "position": {"x": 0, "y": 300}, "rows": above})
    plan["parvis"] = {"without_stairs": {"zones": ["Zaal"], "rows": [["Balkon", "A"]]}}
    return compile_layout(import_plan(plan))


LAYOUT = a_hall()


def allowed(best: Best) -> set[tuple[str, str]]:
    """Zone and row of each block that a wish allows."""
    _, _, _, *options = packed_best(best, LAYOUT, SHOW)
    if not options or "mask" not in options[0]:  # type: ignore[operator]
        return {(block.zone, block.row) for block in LAYOUT.blocks}
    mask = bytes(options[0]["mask"])[5:]  # type: ignore[index]
    return {
        (block.zone, block.row) for number, block in enumerate(LAYOUT.blocks) if mask[number // 8] & (128 >> number % 8)
    }


def every(zone: str, rows: str) -> set[tuple[str, str]]:
    return {(zone, name) for name in rows.split()}


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, every("Zaal", "A C 9 10") | every("Balkon", "A B C")),
        ({"zone": "Balkon"}, every("Balkon", "A B C")),
        ({"no_stairs": True}, every("Zaal", "A C 9 10") | every("Balkon", "A")),
        ({"zone": "Zaal", "rows": ("C", "10")}, every("Zaal", "C 9 10")),
        ({"zone": "Zaal", "rows": ("10", "C")}, every("Zaal", "C 9 10")),
        ({"zone": "Zaal", "rows": ("9", "9")}, every("Zaal", "9")),
        ({"zone": "Zaal", "rows": ("9", "")}, every("Zaal", "9 10")),
        ({"zone": "Zaal", "rows": ("", "C")}, every("Zaal", "A C")),
        ({"rows": ("C", "")}, every("Zaal", "C 9 10") | every("Balkon", "C")),
        ({"rows": ("A", "C")}, every("Zaal", "A C") | every("Balkon", "A B C")),
        ({"rows": ("B", "")}, every("Balkon", "B C")),
        ({"zone": "Balkon", "rows": ("A", "B"), "no_stairs": True}, every("Balkon", "A")),
    ],
)
def test_where_in_the_hall(wish: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert allowed(Best(quantity=2, **wish)) == expected


@pytest.mark.parametrize(
    ("edge", "is_meant"),
    [
        ("left", lambda block: block.has_aisle_left),
        ("right", lambda block: block.has_aisle_right),
        ("any", lambda block: block.has_aisle_left or block.has_aisle_right),
    ],
)
def test_at_which_end_an_aisle_is(edge: str, is_meant: Any) -> None:
    _, _, _, options = packed_best(Best(quantity=2, aisle=edge), LAYOUT, SHOW)
    mask = bytes(options["mask"])[5:]  # type: ignore[index]
    found: list[Block] = [each for n, each in enumerate(LAYOUT.blocks) if mask[n // 8] & (128 >> n % 8)]
    assert found == [each for each in LAYOUT.blocks if is_meant(each)] != []


def test_where_any_aisle_will_do_no_wall_is_one() -> None:
    _, _, _, options = packed_best(Best(quantity=2, aisle="any", zone="Zaal", rows=("A", "C")), LAYOUT, SHOW)
    for mask, has_aisle in zip(options["ends"], ("has_aisle_left", "has_aisle_right"), strict=True):  # type: ignore[index]
        bits = bytes(mask)[5:]
        found = [each for n, each in enumerate(LAYOUT.blocks) if bits[n // 8] & (128 >> n % 8)]
        assert [(each.row, getattr(each, has_aisle)) for each in found] == [("A", True), ("C", True)]


@pytest.mark.parametrize(("ceiling", "letters"), [(3100, ""), (3099, "B"), (1900, "B"), (1899, None)])
def test_a_ceiling_is_of_the_price_with_its_fee(ceiling: int, letters: str | None) -> None:
    wish = Best(quantity=2, max_price=ceiling)
    if letters is None:
        with pytest.raises(Refused, match="nothing here costs so little") as refused:
            packed_best(wish, LAYOUT, SHOW)
        assert (refused.value.slug, refused.value.facts["from_price"]) == ("too-dear", 1900)
    else:
        assert packed_best(wish, LAYOUT, SHOW)[1] == letters


def test_a_fee_may_be_the_price_types_own() -> None:
    dear = msgspec.structs.replace(SHOW, price_types={"full": PriceType(fee=500)})
    with pytest.raises(Refused) as refused:
        packed_best(Best(quantity=2, max_price=1900), LAYOUT, dear)
    assert refused.value.facts["from_price"] == 1800 + 500


@pytest.mark.parametrize(
    ("wish", "slug"),
    [
        ({"zone": "Loge"}, "unknown-zone"),
        ({"rows": ("Z", "A")}, "unknown-row"),
        ({"rows": ("A", "Z")}, "unknown-row"),
        ({"zone": "Zaal", "rows": ("B", "")}, "unknown-row"),
        ({"category": "Rang 9"}, "unknown-category"),
        ({"near": "zaal-A-99"}, "unknown-seat"),
        ({"unit": "table"}, "unknown-unit"),
    ],
)
def test_what_the_hall_does_not_have_is_said(wish: dict[str, Any], slug: str) -> None:
    with pytest.raises(Refused) as refused:
        packed_best(Best(quantity=2, **wish), LAYOUT, SHOW)
    assert refused.value.slug == slug


@pytest.mark.parametrize("wish", [{"rows": ("", "")}, {"aisle": "middle"}, {"split": "never"}])
def test_what_cannot_be_meant_is_said(wish: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        packed_best(Best(quantity=2, **wish), LAYOUT, SHOW)


def test_of_units_of_several_categories_none_is_too_far_from_a_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index knows none of them: beyond what is near, each is looked at all the same."""
    monkeypatch.setattr("engine.best.NEAREST_BLOCKS", 1)
    plan = hall(*(row(name, "1 2", y=30 * at) for at, name in enumerate("ABC")))
    for drawn in plan["zones"][0]["rows"][1:]:
        drawn["seats"][1]["category"] = "Rang 2"
    units = [{"kind": "table", "name": name, "seats": [f"zaal-{name}-1", f"zaal-{name}-2"]} for name in "BC"]
    plan["parvis"] = {"units": units}
    layout = compile_layout(import_plan(plan))
    _, _, _, options = packed_best(Best(quantity=2, unit="table", near=layout.seat_ids[0]), layout, SHOW)
    found = {layout.blocks[block].row for block in options["near"][::2]}  # type: ignore[index]
    assert found == {"B", "C"}
