"""Units of two categories: a bay whose companion sits in another, a table across two; found whole, with a category or
without, as a look at every unit finds them.
"""

import itertools
import random
import uuid
from typing import Any

import pytest

from engine import seats
from engine.best import Best
from engine.errors import Refused
from engine.shares import Owner
from engine.wishes import Wish
from engine.words import OnSaleId, PerformanceId
from tests.backstage import Backstage
from tests.town import small_plan

STAFF = Owner(owner="key:staff", place="", on_sale=OnSaleId("none"), channel="counter")


def seat(row: str, number: int) -> str:
    return f"zaal-{row}-{number}"


def with_units(rows: int, units: list[tuple[str, str, list[str]]], changed: dict[str, str]) -> dict[str, Any]:
    """The small plan with units (kind, name, seats), and seats of another category than their row's."""
    plan = small_plan(rows=rows)
    for each in itertools.chain.from_iterable(row["seats"] for row in plan["zones"][0]["rows"]):
        each["category"] = changed.get(each["seat_guid"], each["category"])
    plan["parvis"]["units"] = [{"kind": kind, "name": name, "seats": named} for kind, name, named in units]
    plan["parvis"]["access"] = {
        named[at]: ["companion" if at else "wheelchair"]
        for kind, _, named in units
        if kind == "wheelchair"
        for at in range(len(named))
    }
    return plan


async def finds(stage: Backstage, show: PerformanceId, best: Best) -> "tuple[str, ...] | str":
    try:
        held = await seats.hold(stage.cell, STAFF, [Wish(performance=show, best=best)], [], uuid.uuid4().hex)
    except Refused as refusal:
        return refusal.slug
    return tuple(str(item.seat) for item in held.hold.items)


async def test_a_bay_and_its_companion_of_two_categories(stage: Backstage) -> None:
    await stage.open()
    mixed, alike = [seat("A", 5), seat("A", 6)], [seat("C", 1), seat("C", 2)]
    plan = with_units(3, [("wheelchair", "W1", mixed), ("wheelchair", "W2", alike)], {seat("A", 6): "Rang 2"})
    on_sale = await stage.put_on(plan=plan)
    show = on_sale.performances[0]
    bay: dict[str, Any] = {"quantity": 2, "unit": "wheelchair"}
    narrow = Wish(performance=show, best=Best(**bay, category="Rang 1"))
    with pytest.raises(Refused) as refused:
        await seats.hold(stage.cell, STAFF, [narrow], [], "narrow")
    told: Any = refused.value.facts["elsewhere"]
    assert [each.seats for each in told if each.seats] == [tuple(mixed)], "another unit, and no other seats"
    assert await finds(stage, show, Best(**bay, category="Rang 1")) == "sold-out", "half of it is of another category"
    assert await finds(stage, show, Best(**bay, category="Rang 2")) == tuple(alike)
    assert await finds(stage, show, Best(**bay)) == tuple(mixed)
    assert await finds(stage, show, Best(**bay)) == "sold-out"
    assert await finds(stage, show, Best(quantity=2)) not in {tuple(mixed), tuple(alike)}


async def test_what_it_costs_is_each_seats_own(stage: Backstage) -> None:
    await stage.open()
    table = [seat("B", number) for number in range(1, 5)]
    plan = with_units(3, [("table", "T", table)], {seat("B", 3): "Rang 2", seat("B", 4): "Rang 2"})
    on_sale = await stage.put_on(plan=plan)
    wish = Wish(performance=on_sale.performances[0], best=Best(quantity=4, unit="table"))
    held = await seats.hold(stage.cell, STAFF, [wish], [], "table")
    assert [item.category for item in held.hold.items] == ["Rang 1", "Rang 1", "Rang 2", "Rang 2"]
    (choice,) = held.choices
    assert (choice.seats, choice.better_rows) == (tuple(table), 0)


@pytest.mark.parametrize("seed", range(4))
async def test_the_best_unit_is_what_a_look_at_each_says(stage: Backstage, seed: int) -> None:
    """Tables of two to ten seats, of one category or two, taken one after another."""
    await stage.open()
    chance = random.Random(seed)
    units: list[tuple[str, str, list[str]]] = []
    changed: dict[str, str] = {}
    for row in "ABCDEFGH":
        for first, length in chance.choice([[(1, 2), (3, 4), (7, 2)], [(1, 10)], [(2, 3), (6, 3)], [(1, 9)]]):
            named = [seat(row, number) for number in range(first, first + length)]
            units.append(("table", f"{row}{first}", named))
            changed |= {each: chance.choice(["Rang 1", "Rang 2"]) for each in named if chance.random() < 0.4}
    on_sale = await stage.put_on(plan=with_units(8, units, changed))
    show = on_sale.performances[0]
    layout = stage.cell.catalogue.layout(show)
    free = [
        [layout.seat_at(number, at) for at in range(each.length)]
        for number, each in enumerate(layout.blocks)
        if each.unit
    ]
    outcomes = set()
    for _ in range(60):
        quantity, category = chance.choice([2, 3, 4, 9, 10]), chance.choice(["", "", "Rang 1", "Rang 2"])
        fitting = [
            each
            for each in free
            if len(each) == quantity and all(category in {"", layout.category_of(one)} for one in each)
        ]
        found = await finds(stage, show, Best(quantity=quantity, category=category, unit="table"))
        assert found == (tuple(fitting[0]) if fitting else "sold-out"), (quantity, category)
        outcomes.add(bool(fitting))
        if fitting:
            free.remove(fitting[0])
    assert outcomes == {True, False}
