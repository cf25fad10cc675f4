"""From the page where somebody waited in vain to how the sale went: in their language, by keyboard, for everybody."""

import pytest
from playwright.async_api import expect

from tests.browser.person import People, Site
from tests.browser.screenshots import Stage
from tests.browser.states_plain import sale_that_went
from tests.browser.test_every_state import NARROW, leaves_nobody_out
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_whoever_waited_in_vain_comes_to_a_page_that_they_understand(
    town: Town, site: Site, people: People
) -> None:
    stage = Stage(town, site, people, NARROW, "nl")
    try:
        sale = await sale_that_went(stage)
        person = await stage.arrive()
        page = person.page
        await person.open(f"/h/{sale.slug}/{sale.on_sale}?language=fr")
        await page.get_by_role("link", name="Cette vente en chiffres").click()
        await person.sees("Comment cette vente s’est passée", "Tout était vendu le", "File ouverte à tous")
        await expect(page.locator("html")).to_have_attribute("lang", "fr")
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        while not await page.locator("summary").evaluate("each => each === document.activeElement"):
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="le fichier signé (JSON)")).to_be_visible()
        await leaves_nobody_out(page, "how it went")
    finally:
        await stage.close()


async def test_before_it_is_over_the_page_leaves_nobody_out(town: Town, site: Site, people: People) -> None:
    stage = Stage(town, site, people, NARROW, "de")
    try:
        sale = await stage.sale()
        person = await stage.arrive()
        await person.open(f"/h/{sale.slug}/{sale.on_sale}/summary")
        await person.sees("Dieser Verkauf ist noch nicht vorbei")
        await leaves_nobody_out(person.page, "before it is over")
    finally:
        await stage.close()
