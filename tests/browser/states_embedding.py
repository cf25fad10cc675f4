"""The states of a house's own page with Parvis in it, for `make screenshots`."""

from playwright.async_api import Page

from engine.instants import now_ms
from tests.browser.screenshots import Stage, State


async def component_before_the_start(stage: Stage) -> Page:
    """The queue in the house's own page, before the start of sales."""
    sale = await stage.sale(opens_at_ms=now_ms() + 3_600_000)
    address = await stage.enter(stage.site.embeds(sale))
    person = await stage.arrive()
    await person.open(address)
    await person.page.locator("parvis-waiting-room button.primary").click()
    await person.page.locator("parvis-waiting-room button.quiet").first.wait_for()
    return person.page


STATES: list[tuple[str, State]] = [("component_before_the_start", component_before_the_start)]
