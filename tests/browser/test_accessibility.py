"""axe-core on every page that people use, by day and by night: no violation."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from engine.instants import now_ms
from tests.browser.person import PHONE, People, Person, Site
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
axe = Axe()
MAKE_BUSY = """(isBusy) => {
  const within = (root) => [...root.querySelectorAll('*')]
    .flatMap((each) => [each, ...(each.shadowRoot ? within(each.shadowRoot) : [])]);
  for (const button of within(document).filter((each) => each.localName === 'button'))
    button.setAttribute('aria-busy', isBusy);
}"""


async def has_no_barrier(person: Person, where: str) -> None:
    """As `page_has_no_barrier`, for the page that a person looks at."""
    await page_has_no_barrier(person.page, where)


async def page_has_no_barrier(page: Page, where: str) -> None:
    """Nothing that axe-core calls a violation, by day and by night."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = (await axe.run(page)).response["violations"]
        seen = [(each["id"], node["target"], node.get("failureSummary")) for each in found for node in each["nodes"]]
        assert not seen, f"{where}, {scheme}: {seen}"


async def test_a_visitors_pages_have_no_barrier(town: Town, people: People, site: Site) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=300) as sale,
        await town.open_sale("zeewind", opens_at_ms=now_ms() + 86_400_000) as gathering,
        people.arrive(PHONE, refused=[402]) as visitor,
    ):
        page = visitor.page
        await visitor.open("/")
        await expect(page.locator(".on-sale").first).to_be_visible()
        await has_no_barrier(visitor, "all houses")
        with site.embeds(gathering) as address:
            await visitor.open(address)
            await visitor.press("Join the queue")
            await visitor.sees("You are in the queue")
            await has_no_barrier(visitor, "the widget")
        await visitor.open(f"/h/zeewind/{gathering.on_sale}")
        await page.get_by_text("Is the order honest?").click()
        await has_no_barrier(visitor, "waiting, before the start")
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.press("Join the queue")
        await visitor.sees("It’s your turn!")
        await has_no_barrier(visitor, "waiting, in turn")
        await visitor.press("Choose my seats")
        await visitor.press("Find the best seats")
        await visitor.picks("zaal-C-4")
        await has_no_barrier(visitor, "seats and basket")
        await page.evaluate(MAKE_BUSY, True)  # as for the moment in which a house answers
        await has_no_barrier(visitor, "seats and basket, every button busy")
        await page.evaluate(MAKE_BUSY, False)
        await visitor.press("List")
        await page.locator("details.row > summary").nth(2).click()
        await page.locator(".best summary").click()
        await has_no_barrier(visitor, "seats as a list")
        await visitor.press("To payment")
        await page.get_by_label("E-mail").fill("ada@example.org")
        await page.locator("input[value=no]").check()
        await visitor.press("Pay €42.00")
        await visitor.sees("The payment was declined.")
        await has_no_barrier(visitor, "the form")
        await page.locator("input[value=yes]").check()
        await visitor.press("Pay €42.00")
        await visitor.sees("Your order is confirmed")
        await has_no_barrier(visitor, "the confirmation")
