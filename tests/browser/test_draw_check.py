"""Whoever checks their place hears what the house's answer means: not yet, away, not in the list, or not proved."""

from typing import Any

import pytest
from playwright.async_api import Route, expect

from engine.draw import encode
from engine.instants import now_ms
from tests.browser.person import PHONE, People
from tests.browser.test_tabs import SLOW
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LISTED = "You are in the list that was closed"
LATER = "can be checked in a moment"
AWAY = "The house cannot say just now"
MISSING = "The house says that your number is not in the closed list"
WRONG = "does not prove that you are in the closed list"


def problem(status: int, slug: str) -> dict[str, Any]:
    return {"status": status, "json": {"type": f"https://parvis.example/problems/{slug}", "title": "No"}}


async def test_an_answer_about_the_list_is_told_for_what_it_is(town: Town, people: People) -> None:
    rules = SLOW | {"opens_at_ms": now_ms() + 12_000}
    async with (
        await town.open_sale("zeewind", **rules) as sale,
        people.arrive(PHONE, refused=[404, 500, 503]) as visitor,
    ):
        await sale.join()
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.press("Join the queue")
        page = visitor.page
        await expect(page.locator(".number")).to_be_visible(timeout=60_000)
        await page.get_by_text("Is the order honest? Check it yourself").click()
        outcome = page.locator(".draw .outcome")
        told: dict[str, Any] = {}

        async def answer(route: Route) -> None:
            if told.get("abort"):
                await route.abort()
            elif told:
                await route.fulfill(**told)
            else:
                await route.continue_()

        await page.route("**/draw/paths/*", answer)

        async def says(words: str, *, is_right: bool) -> None:
            await visitor.press("Check it")
            await expect(outcome).to_contain_text(words, timeout=20_000)
            await expect(outcome).to_have_attribute("data-right", "yes" if is_right else "no")

        async def once_recorded() -> None:
            for _ in range(50):
                if (await sale.get(f"/on-sales/{sale.on_sale}/draw/paths/0")).status == 200:
                    return
                await page.wait_for_timeout(200)

        await once_recorded()
        await says(LISTED, is_right=True)
        for said, words, is_right in (
            (problem(503, "not-recorded-yet"), LATER, True),
            (problem(404, "draw-not-made"), LATER, True),
            (problem(503, "ledger-unavailable"), AWAY, True),
            (problem(500, "internal"), AWAY, True),
            ({"abort": True}, AWAY, True),
            ({"status": 200, "body": "<html>"}, AWAY, True),
            (problem(404, "not-found"), MISSING, False),
            ({"status": 200, "json": {"path": [encode(bytes(32))]}}, WRONG, False),
            ({"status": 200, "json": {"path": []}}, WRONG, False),
            ({"status": 200, "json": {"path": 7}}, WRONG, False),
            ({"status": 200, "json": {"path": ["!"]}}, WRONG, False),
            ({"status": 200, "body": "null"}, WRONG, False),
        ):
            told.clear()
            told |= said
            await says(words, is_right=is_right)
