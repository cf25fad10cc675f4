"""From the queue to the order, and to its end, without JavaScript: by forms and refreshes alone, with every rule on."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from api.forms.kept import unpack_kept
from tests.browser.person import PHONE, People, Person
from tests.browser.test_visitor import manage
from tests.plain import room
from tests.town import Sale, Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
BY_ITSELF_MS = 60_000
"""A page that asks for itself again does so after seconds; the machine may be busy."""


async def joins_after_a_moment(person: Person, sale: Sale) -> None:
    """Nobody shows a proof of work without a script: they wait for a few seconds, and the page goes on by itself."""
    await person.open(room(sale))
    await person.press("Join the queue")
    await expect(person.page.locator("[data-situation=wait]")).to_be_visible()
    await expect(person.page.locator("[data-situation=waiting]")).to_be_visible(timeout=BY_ITSELF_MS)


async def goes_on_elsewhere(person: Person, sale: Sale) -> None:
    """The same place on another device, which comes in."""
    cookies = {each["name"]: each["value"] for each in await person.context.cookies(person.url + room(sale))}
    kept = unpack_kept(cookies["parvis"])
    assert kept is not None
    assert (await sale.claim(kept.place, kept.secret)).status == 201


async def test_the_whole_way_and_the_end_of_those_who_came_too_late(town: Town, people: People) -> None:
    plan = small_plan(rows=1, seats=4, standing=0)
    rules: dict[str, Any] = {"hold_seconds": 600, "proof_of_work": "always", "rate_per_minute": 1}
    async with (
        await town.open_sale("zeewind", plan=plan, **rules) as sale,
        people.arrive(PHONE, java_script_enabled=False) as visitor,
        people.arrive(PHONE, java_script_enabled=False) as late,
    ):
        page = visitor.page
        await joins_after_a_moment(visitor, sale)
        await visitor.sees("Seats for you:", "Expected wait")
        await manage(sale, "rate", rate_per_minute=600)
        await expect(visitor.button("Choose my seats")).to_be_visible(timeout=BY_ITSELF_MS)
        await manage(sale, "drain")  # nobody else is called
        await joins_after_a_moment(late, sale)
        await page.get_by_label("I need more time to choose and to pay").check()
        await visitor.press("Choose my seats")
        await page.locator("#best-1").fill("4")
        await visitor.press("Find the best seats")
        await visitor.sees("Reserved for you until")
        await goes_on_elsewhere(visitor, sale)
        await page.get_by_role("link", name="To payment").click()
        await page.locator("#email").fill("ada@example.org")
        await page.locator("form.checkout .primary").click()
        await visitor.sees("You have gone on on another device or in another tab.")
        assert await visitor.overflow() == 0
        await visitor.press("Choose my seats")
        await visitor.sees("Reserved for you until")
        await page.get_by_role("link", name="To payment").click()
        await page.locator("#email").fill("ada@example.org")
        await page.locator("form.checkout .primary").click()
        await visitor.sees("Your order is confirmed")
        await expect(page.locator(".order-number")).to_have_attribute("data-order", re.compile("[0-9a-f-]{36}"))
        await visitor.finds(sale, "s", 4)
        # Whoever still waits is told by the page itself that all is sold, and where to go on.
        await expect(late.page.locator("[data-situation=sold_out]")).to_be_visible(timeout=BY_ITSELF_MS)
        await late.sees("All seats are taken.")
        assert await late.overflow() == 0
