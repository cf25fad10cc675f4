"""What a visitor may wish for besides a number of seats: an aisle, no stairs, sitting apart; and what is sold whole."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.person import PHONE, People
from tests.town import Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_party_that_no_row_seats_may_sit_apart_and_is_told_how(town: Town, people: People) -> None:
    plan = small_plan(rows=3, seats=4, standing=0)
    async with (
        await town.open_sale("zeewind", plan=plan, hold_seconds=300) as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
    ):
        for row in "ABC":
            assert (await sale.hold(await sale.enter(), f"zaal-{row}-2")).status == 201
        await visitor.comes_in(sale)
        await visitor.shows("held", "zaal-C-2")
        await visitor.page.locator(".chip", has_text="4").first.click()
        await visitor.press("Find the best seats")
        await visitor.sees("There are not enough free seats together for this.")
        await visitor.page.locator(".best summary").click()
        await visitor.page.get_by_label("If need be, not all side by side").check()
        await visitor.press("Find the best seats")
        await visitor.sees("Not all side by side: one behind the other.")
        await expect(visitor.page.locator(".basket .items li")).to_have_count(4)


async def test_seats_by_an_aisle_and_how_many_better_rows_had_no_room(town: Town, people: People) -> None:
    plan = small_plan(rows=3, seats=6, standing=0)
    plan.setdefault("parvis", {})["aisles_after"] = ["zaal-A-4", "zaal-B-4", "zaal-C-4"]
    async with (
        await town.open_sale("zeewind", plan=plan, hold_seconds=300) as sale,
        people.arrive(PHONE) as visitor,
    ):
        assert (await sale.hold(await sale.enter(), "zaal-A-3", "zaal-A-4")).status == 201
        await visitor.comes_in(sale)
        await visitor.shows("held", "zaal-A-4")
        await visitor.page.locator(".best summary").click()
        await visitor.page.get_by_label("Where in the row").select_option("right")
        assert await visitor.overflow() <= 0
        await visitor.press("Find the best seats")
        await visitor.sees("1 better row had no room for this.")
        await expect(visitor.page.locator(".found")).to_contain_text("row B, seats 3, 4")


async def test_a_table_is_taken_whole_with_one_tap(town: Town, people: People) -> None:
    plan = small_plan(rows=3, seats=6, standing=0)
    table = {"kind": "table", "name": "5", "seats": ["zaal-B-2", "zaal-B-3", "zaal-B-4"]}
    plan.setdefault("parvis", {})["units"] = [table]
    async with (
        await town.open_sale("zeewind", plan=plan, hold_seconds=300) as sale,
        people.arrive(PHONE) as visitor,
    ):
        await visitor.comes_in(sale)
        await visitor.picks("zaal-B-3")
        await visitor.shows("picked", *table["seats"])
        await visitor.press("Reserve these 3 seats")
        await visitor.shows("mine", *table["seats"])
        # Somebody else names a part of it, or the whole by its name, and is answered in words.
        token = await sale.enter()
        part = await sale.hold(token, "zaal-B-2")
        assert (part.status, part.slug) == (422, "whole-unit")
        assert part.json["missing"] == ["zaal-B-3", "zaal-B-4"]
        wish = {"performance": sale.performance, "table": "5"}
        late = await sale.post("/holds", {"items": [wish]}, token=token)
        assert (late.status, late.slug, late.json["taken"]) == (409, "seats-taken", table["seats"])
        none = await sale.post("/holds", {"items": [{**wish, "table": "6"}]}, token=token)
        assert (none.status, none.slug) == (422, "unknown-unit")


def two_parts() -> dict[str, Any]:
    """Rows A to C in the hall, and rows of the same labels above."""
    plan = small_plan(rows=3, seats=6, standing=0)
    above = small_plan(rows=3, seats=6, standing=0)["zones"][0] | {"name": "Balkon", "position": {"x": 0, "y": 300}}
    for seat in (seat for row in above["rows"] for seat in row["seats"]):
        seat["seat_guid"] = "balkon-" + seat["seat_guid"]
    plan["zones"].append(above)
    return plan


async def test_a_part_of_the_hall_and_some_of_its_rows(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", plan=two_parts(), hold_seconds=300, seats_a_place=12) as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
    ):
        await visitor.comes_in(sale)
        await visitor.shows("open", "zaal-A-3")
        page, found = visitor.page, visitor.page.locator(".found")
        await page.locator(".best summary").click()
        await expect(page.get_by_label("From row")).to_be_hidden()
        await page.get_by_label("Part of the hall").select_option("Balkon")
        await page.get_by_label("From row").select_option("B")
        assert await visitor.overflow() <= 0
        await visitor.press("Find the best seats")
        await expect(found).to_contain_text("Balkon, row B, seats 3, 4")
        await expect(found).to_contain_text("Of what is free and fits, closest to the best spot of the hall.")
        await page.get_by_label("From row").select_option("")
        await page.get_by_label("To row").select_option("A")
        await visitor.press("Find the best seats")
        await expect(found).to_contain_text("Balkon, row A, seats 3, 4")
        # Nobody sits there side by side any more: it is told where they do, and one tap takes it.
        await page.locator(".chip", has_text="4").first.click()
        await page.get_by_label("Category").select_option("Rang 1")
        await visitor.press("Find the best seats")
        await visitor.sees("There are not enough free seats together for this.", "Still free:")
        await page.locator(".offers button", has_text="Rang 1").click()
        await expect(found).to_contain_text("Zaal, row A, seats ")


async def test_further_seats_close_to_those_that_one_has(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", plan=small_plan(standing=0), hold_seconds=300) as sale,
        people.arrive(PHONE) as visitor,
    ):
        await visitor.comes_in(sale)
        await visitor.shows("open", "zaal-E-1")
        page = visitor.page
        await page.locator(".best summary").click()
        await expect(page.get_by_label("Close to the seats that I have")).to_be_hidden()
        await visitor.picks("zaal-E-1")
        await visitor.press("Reserve this seat")
        await visitor.shows("mine", "zaal-E-1")
        await page.get_by_label("Close to the seats that I have").check()
        await visitor.press("Find the best seats")
        await expect(page.locator(".found")).to_contain_text("row E, seats 2, 3")
        await expect(page.locator(".found")).to_contain_text("closest to the seats that you have")


async def test_a_seat_that_would_be_left_alone_is_named_and_others_are_one_tap(town: Town, people: People) -> None:
    rules: dict[str, Any] = {"lone_seats": "where-avoidable", "lone_seats_last": 0, "hold_seconds": 300}
    async with (
        await town.open_sale("zeewind", plan=small_plan(rows=2, seats=4, standing=0), **rules) as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
    ):
        await visitor.comes_in(sale)
        await visitor.picks("zaal-B-2", "zaal-B-3")
        await visitor.press("Reserve these 2 seats")
        await visitor.sees("This would leave a single seat on its own.", "Zaal, row B, seat 1.")
        await visitor.page.locator(".offers button").first.click()
        await visitor.shows("mine", "zaal-B-1", "zaal-B-2")
