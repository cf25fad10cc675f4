"""The operations page, for `make screenshots`: the key, a house that sells, and one that is down."""

from playwright.async_api import Page, expect

from tests.browser.screenshots import Stage, State
from tests.operated import OPERATOR_KEY, frozen


async def key(stage: Stage) -> Page:
    """Nobody sees anything without a key."""
    operator = await stage.arrive()
    await operator.open("/ops")
    await expect(operator.button(stage.say("come_in"))).to_be_visible()
    return operator.page


async def live(stage: Stage) -> Page:
    """A house that sells."""
    await stage.sale()
    page = await key(stage)
    await page.locator("input[type=password]").fill(OPERATOR_KEY)
    await page.locator("button.primary").click()
    await expect(page.locator(".house-board .sales li").first).to_be_visible()
    return page


async def down(stage: Stage) -> Page:
    """A house whose Redis has fallen silent."""
    page = await live(stage)
    await stage.enter(frozen(stage.town, stage.house))
    await expect(page.locator('.house-board[data-state="trouble"][data-old="true"]')).to_be_visible(timeout=20_000)
    return page


STATES: list[tuple[str, State]] = [("key", key), ("live", live), ("down", down)]
