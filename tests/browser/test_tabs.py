"""Several tabs of one browser: one place, one that asks the server, one claim."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.devices import LATE, WITHOUT_LOCKS
from tests.browser.person import PATIENCE_MS, People, Person
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SLOW: dict[str, Any] = {"rate_per_minute": 1}


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for what must become so."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not is_so():
        assert time.monotonic() < deadline, "it never became so"
        await asyncio.sleep(0.05)


class Asked:
    """Which page asked for what, since it was last forgotten."""

    def __init__(self, person: Person, end: str) -> None:
        self.pages: list[Page] = []
        self._end = end
        person.context.on("request", self._see)

    def _see(self, request: Request) -> None:
        if request.url.endswith(self._end):
            self.pages.append(request.frame.page)


async def stands_behind(sale: Sale, others: int, visitor: Person, device: "Page | None" = None) -> None:
    """The visitor joins a slow line behind others."""
    for _ in range(others):
        await sale.join()
    page = device or visitor.page
    await page.goto(f"{visitor.url}/h/zeewind/{sale.on_sale}")
    await page.get_by_role("button", name="Join the queue").click()
    await expect(page.locator(".number")).to_have_text(str(others + 1))


@pytest.mark.parametrize("script", ["", WITHOUT_LOCKS], ids=["locks", "a lease"])
async def test_two_tabs_show_the_same_and_only_one_asks(town: Town, people: People, script: str) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive() as visitor:
        if script:
            await visitor.context.add_init_script(script)
        await stands_behind(sale, 5, visitor)
        second = await visitor.context.new_page()
        await second.goto(f"{visitor.url}/h/zeewind/{sale.on_sale}")
        await expect(second.locator(".number")).to_have_text("6")
        await expect(second.get_by_text("Ahead of you", exact=True)).to_be_visible()

        asked = Asked(visitor, "/status")
        await until(lambda: len(asked.pages) >= 4)
        assert len(set(asked.pages)) == 1
        # What one is told, both show.
        await sale.post(
            f"/manage/on-sales/{sale.on_sale}/message",
            {"message": "The bar is open.", "reason": "a test"},
            token=sale.manage_key,
        )
        for page in (visitor.page, second):
            await expect(page.locator(".message")).to_have_text("The bar is open.")

        # The tab that asked is closed: the other takes over, and asks at the pace of one.
        asker = asked.pages[-1]
        heir = second if asker is visitor.page else visitor.page
        await asker.close()
        asked.pages.clear()
        await until(lambda: len(asked.pages) >= 3)
        assert set(asked.pages) == {heir}
        await expect(heir.locator(".number")).to_have_text("6")


@pytest.mark.parametrize("script", ["", LATE], ids=["at once", "a moment late"])
async def test_two_tabs_join_once_and_claim_once(town: Town, people: People, script: str) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive() as visitor:
        if script:
            await visitor.context.add_init_script(script)
        first, second = visitor.page, await visitor.context.new_page()
        claims, joins = Asked(visitor, "/passes"), Asked(visitor, "/places")
        address = f"{visitor.url}/h/zeewind/{sale.on_sale}"
        await asyncio.gather(first.goto(address), second.goto(address))
        buttons = [page.get_by_role("button", name="Join the queue") for page in (first, second)]
        for button in buttons:
            await expect(button).to_be_visible()
        await asyncio.gather(*(button.evaluate("(button) => button.click()") for button in buttons))
        await until(lambda: len(joins.pages) > 0)
        for page in (first, second):
            await expect(page.get_by_role("button", name="Leave the queue")).to_be_visible()
        assert len(joins.pages) == 1
        assert (await sale.status())["lines"]["public"]["joined"] == 1

        # In one tab left, in both gone; joined again, in both another number.
        await second.get_by_role("button", name="Leave the queue").click()
        await second.get_by_role("button", name="Really leave").click()
        await first.get_by_role("button", name="Join the queue").click()
        await expect(second.get_by_role("button", name="Leave the queue")).to_be_visible()

        await sale.post(
            f"/manage/on-sales/{sale.on_sale}/rate",
            {"rate_per_minute": 60_000, "reason": "a test"},
            token=sale.manage_key,
        )
        enter = [page.get_by_role("button", name="Choose my seats") for page in (first, second)]
        for button in enter:
            await expect(button).to_be_visible()
        await asyncio.gather(*(button.evaluate("(button) => button.click()") for button in enter))
        for page in (first, second):
            await expect(page.locator(".map-frame")).to_be_visible()
        assert len(claims.pages) == 1
