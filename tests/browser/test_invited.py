"""Somebody follows the link of an invitation to a queue of their own."""

import pytest
from playwright.async_api import expect

from engine.catalogue import Line
from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.line_codes import invitations, link_of
from engine.words import LineName
from tests.browser.person import PHONE, People
from tests.browser.test_tabs import SLOW
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_invitation_leads_into_its_own_queue(town: Town, people: People) -> None:
    line = Line(LineName("press"), "Press", "invitation", 20, now_ms() - 60_000)
    async with await town.open_sale("zeewind", lines=(line,), **SLOW) as sale, people.arrive(PHONE) as visitor:
        for number in range(3):
            await sale.join(f"public {number}")
        async with at_house(town.network_file, "zeewind") as (cell, _):
            (code,) = invitations(cell, cell.on_sale(sale.on_sale), "press", range(1, 2), 0)
        await visitor.page.goto(town.url + link_of("zeewind", sale.on_sale, "press", code))
        await visitor.press("Join the queue")
        await expect(visitor.page.locator(".number")).to_have_text("1")
        assert (await sale.until_status())["lines"]["public"]["joined"] == 3
