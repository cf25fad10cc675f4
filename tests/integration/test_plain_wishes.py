"""What a visitor without JavaScript may wish for, why these were found, and where else there is room."""

from typing import Any

import pytest

from tests.plain import PlainVisitor
from tests.town import Town, small_plan

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOMY: dict[str, Any] = {"hold_seconds": 300, "seats_a_place": 12}


def two_parts(rows: int = 3, seats: int = 6) -> dict[str, Any]:
    """Rows A to C in the hall, and rows of the same labels above."""
    plan = small_plan(rows, seats, standing=0)
    above = small_plan(rows, seats, standing=0)["zones"][0] | {"name": "Balkon", "position": {"x": 0, "y": 300}}
    for seat in (seat for row in above["rows"] for seat in row["seats"]):
        seat["seat_guid"] = "balkon-" + seat["seat_guid"]
    plan["zones"].append(above)
    return plan


async def test_a_part_of_the_hall_some_of_its_rows_and_seats_close_to_ones_own(town: Town) -> None:
    async with await town.open_sale("noord", plan=two_parts(), **ROOMY) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        form = dict(page.form("Find the best seats").fields)
        assert form["part"] == ""
        assert "row_first" not in form, "labels mean something within one part only"
        page = await visitor.send(page, "Find the best seats", part="Balkon")
        assert "Balkon, row A, seat" in page.text
        assert "Of what is free and fits, closest to the best spot of the hall." in page.text
        page = await visitor.open(page.link("Balkon"))
        assert dict(page.form("Find the best seats").fields)["part"] == "Balkon"
        page = await visitor.send(page, "Find the best seats", row_first="B", row_last="B", q_full="1")
        assert "Balkon, row B, seat" in page.text
        near = dict(page.form("Find the best seats").fields)
        assert "near" not in near, "it is there to be ticked"
        page = await visitor.send(page, "Find the best seats", near="balkon-zaal-A-3")
        assert "closest to the seats that you have" in page.text
        assert sum("balkon" in seat for seat in sale.layouts[sale.performance]) == 18


async def test_what_was_wished_for_stays_in_the_form_after_a_refusal(town: Town) -> None:
    async with await town.open_sale("noord", plan=two_parts(2, 2), **ROOMY) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.open((await visitor.comes_in(sale)).link("Balkon"))
        wishes: dict[str, Any] = {"part": "Zaal", "row_first": "B", "row_last": "B", "aisle": "left", "apart": "yes"}
        page = await visitor.send(page, "Find the best seats", q_full="3", q_reduced="0", **wishes)
        assert "There are not enough free seats together for this." in page.text
        kept = dict(page.form("Find the best seats").fields)
        assert {name: kept.get(name) for name in wishes} == wishes
        assert kept["q.full"] == "3"


async def test_sold_out_says_where_as_many_are_left_and_one_press_takes_them(town: Town) -> None:
    plan = small_plan(rows=3, seats=4, standing=0)
    async with (
        await town.open_sale("noord", plan=plan, shows=2, **ROOMY) as sale,
        PlainVisitor(town.url) as visitor,
    ):
        for row in "AB":
            assert (await sale.hold(await sale.enter(), f"zaal-{row}-2", f"zaal-{row}-3")).status == 201
        page = await visitor.comes_in(sale)
        page = await visitor.send(page, "Find the best seats", category="Rang 1", q_full="1", q_reduced="1")
        assert "There are not enough free seats together for this." in page.text
        assert "Still free:" in page.text
        assert sale.performances[1] in page.link("Show, ")
        page = await visitor.send(page, "Zaal, row C")
        assert "Reserved for you until" in page.text
        assert "\N{EURO SIGN}37.00" in page.text, "one of them at the reduced price that was chosen"


async def test_a_party_apart_is_told_how(town: Town) -> None:
    plan = small_plan(rows=2, seats=4, standing=0)
    async with await town.open_sale("noord", plan=plan, **ROOMY) as sale, PlainVisitor(town.url) as visitor:
        for row in "AB":
            assert (await sale.hold(await sale.enter(), f"zaal-{row}-4")).status == 201
        page = await visitor.send(await visitor.comes_in(sale), "Find the best seats", q_full="4", apart="yes")
        assert "Not all side by side: one behind the other." in page.text


async def test_a_seat_that_would_be_left_alone_is_named_and_others_are_offered(town: Town) -> None:
    plan = small_plan(rows=2, seats=4, standing=0)
    rules = {**ROOMY, "lone_seats": "where-avoidable", "lone_seats_last": 0}
    async with await town.open_sale("noord", plan=plan, **rules) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.open((await visitor.comes_in(sale)).link("row B"))
        named: dict[str, Any] = {"seat": ["zaal-B-2", "zaal-B-3"]}
        page = await visitor.send(page, "Reserve the ticked seats", **named)
        assert "This would leave a single seat on its own." in page.text
        assert "Zaal, row B, seat 1." in page.text
        page = await visitor.send(page, "Zaal, row B, seats 1, 2")
        assert "Reserved for you until" in page.text


async def test_an_address_says_no_more_than_reasons_that_there_are(town: Town) -> None:
    async with await town.open_sale("noord", **ROOMY) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        for query in ("by=luck", "by=rank&together=x&better=y", "left=nowhere&problem=sold-out"):
            assert (await visitor.open(f"{page.path}?{query}")).status == 200
        found = await visitor.open(f"{page.path}?by=rank&together=near&better=1")
        assert "what the house rates best. Not all side by side, but near each other. 1 better row" in found.text
