"""The page of all houses: found by words, house, state and day, in an address that can be sent on."""

import tomllib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import tomli_w
from playwright.async_api import expect
from yarl import URL

from engine.instants import now_ms, to_rfc3339
from tests.backstage import until
from tests.browser.conftest import people_of, ready
from tests.browser.person import PHONE, People, Person
from tests.browser.test_accessibility import has_no_barrier
from tests.operated import frozen
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
DAY_MS = 86_400_000
COLOURS = {
    "abdij": {"primary": "#ffdd00", "accent": "#ff8800", "background": "#fffbe6", "text": "#332b00"},
    "oostduin": {"primary": "#2a1a5e", "accent": "#f45d48", "background": "#120a2e", "text": "#f5f0ff"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coast() -> AsyncIterator[Town]:
    """Two houses with colours that could hardly differ more."""
    running = Town(list(COLOURS))
    described = tomllib.loads(running.source.read_text())
    for house in described["houses"]:
        house |= {"name": f"Café {house['slug'].title()}", "colours": COLOURS[house["slug"]]}
    running.source.write_text(tomli_w.dumps(described))
    async with ready(running):
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def passers_by(coast: Town) -> AsyncIterator[People]:
    async with people_of(coast) as opened:
        yield opened


async def shows(visitor: Person, *titles: str) -> None:
    """So many cards, of these houses, and the number is said."""
    await expect(visitor.page.locator(".on-sale")).to_have_count(len(titles))
    for title in titles:
        await expect(visitor.page.locator(".on-sale", has_text=title)).to_be_visible()
    if titles:
        await expect(visitor.page.locator(".count")).to_have_text(
            f"{len(titles)} result{'s' if len(titles) > 1 else ''}"
        )


async def test_what_is_on_sale_is_found_and_the_address_says_what_is_looked_for(
    coast: Town, passers_by: People
) -> None:
    later: dict[str, Any] = {"prequeue_at_ms": now_ms() + DAY_MS, "opens_at_ms": now_ms() + 2 * DAY_MS}
    async with (
        await coast.open_sale("abdij"),
        await coast.open_sale("oostduin", **later),
        passers_by.arrive(PHONE) as visitor,
        passers_by.arrive() as friend,
    ):
        page = visitor.page
        await visitor.open("/")
        await shows(visitor, "Café Abdij", "Café Oostduin")
        # What is open comes before what is coming; each is in its house's colours.
        await expect(page.locator(".on-sale").first).to_contain_text("Café Abdij")
        edges = [
            await card.evaluate("(card) => getComputedStyle(card).borderTopColor")
            for card in await page.locator(".on-sale").all()
        ]
        assert len(set(edges)) == 2
        await has_no_barrier(visitor, "two houses' colours")
        assert await visitor.overflow() == 0

        await page.get_by_label("Search by title").fill("oost CAFE")
        await shows(visitor, "Café Oostduin")
        await page.get_by_label("House", exact=True).select_option("abdij")
        await shows(visitor)
        await visitor.sees("Nothing found.")
        await has_no_barrier(visitor, "nothing found")
        await visitor.press("Show everything on sale")
        await expect(page.get_by_label("Search by title")).to_be_focused()
        await shows(visitor, "Café Abdij", "Café Oostduin")
        await page.get_by_label("State of the sale").select_option("soon")
        await shows(visitor, "Café Oostduin")
        await page.get_by_label("State of the sale").select_option("")
        tomorrow = to_rfc3339(now_ms() + DAY_MS)[:10]
        await page.get_by_label("Performance from").fill("2099-01-01")
        await shows(visitor)
        await page.get_by_label("Performance from").fill("2020-01-01")
        await page.get_by_label("Performance until").fill(tomorrow[:8] + "01" if tomorrow[8:] != "01" else "2020-02-01")
        await shows(visitor)
        await page.get_by_label("Performance until").fill("2099-01-01")
        await page.get_by_label("House", exact=True).select_option("abdij")
        await shows(visitor, "Café Abdij")

        assert URL(page.url).query == {"house": "abdij", "from": "2020-01-01", "until": "2099-01-01"}
        await friend.open(page.url)
        await shows(friend, "Café Abdij")
        await expect(friend.page.get_by_label("House", exact=True)).to_have_value("abdij")


async def test_a_house_that_is_down_is_said_to_be_and_the_others_are_there(coast: Town, passers_by: People) -> None:
    async with (
        await coast.open_sale("abdij"),
        await coast.open_sale("oostduin"),
        passers_by.arrive(PHONE) as visitor,
    ):
        with frozen(coast, "oostduin"):

            async def is_told() -> bool:
                answer = await visitor.page.request.get(f"{coast.url}/v1/on-sales")
                return [house["house"] for house in (await answer.json())["unavailable"]] == ["oostduin"]

            # The list may be a second old, and an open page asks for it again after a minute.
            await until(is_told, "the list says which house is down")
            await visitor.open("/")
            await visitor.sees("Not reachable at the moment: Café Oostduin.")
            await expect(visitor.page.locator(".on-sale").first).to_contain_text("Café Abdij")
        await coast.until_ready()


async def test_a_house_that_cannot_answer_is_not_said_to_sell_nothing(coast: Town, passers_by: People) -> None:
    async with (
        await coast.open_sale("oostduin") as sale,
        passers_by.arrive(PHONE, refused=[503]) as visitor,
    ):
        with frozen(coast, "oostduin"):

            async def is_told() -> bool:
                return (await sale.get("")).json["available"] is False

            await until(is_told, "the house's own page says so")
            await visitor.open("/h/oostduin")
            await visitor.sees("It is very busy.")
            assert "Nothing" not in await visitor.page.locator("main").inner_text()
        await coast.until_ready()
        # The page looks again by itself.
        await expect(visitor.page.locator(".on-sale").first).to_be_visible(timeout=30_000)
