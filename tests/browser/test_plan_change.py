"""A visitor stands before the plan while the house changes it."""

import pytest
from playwright.async_api import expect

from tests.browser.person import PHONE, People
from tests.integration.test_manage import manage
from tests.town import Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_hall_is_drawn_anew_and_what_was_picked_stays_picked(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.shows("open", "zaal-C-5")
        await visitor.picks("zaal-C-5", "zaal-E-1")
        await expect(visitor.page.locator(".picked li")).to_have_count(2)
        plan = small_plan(rows=6)
        del plan["zones"][0]["rows"][4]["seats"][0]
        made = await manage(sale, "/halls", {"hall": f"{sale.hall}-2", "name": "De zaal", "plan": plan})
        assert made.status == 201
        body = {"hall": f"{sale.hall}-2", "reason": "a row more"}
        assert (await manage(sale, f"/performances/{sale.performance}/plan", body)).status == 200
        await visitor.shows("open", "zaal-F-3", "zaal-A-1")
        await visitor.shows("picked", "zaal-C-5")
        await expect(visitor.page.locator(".picked li")).to_have_count(1)
        await visitor.press("Reserve this seat")
        await visitor.finds(sale, "h", 1)
