"""One shopper on several devices: the last one shops, the others say so; and more time for whoever asks."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.person import PHONE, People, Person
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
MOVED = "You have gone on on another device"


async def link_of(visitor: Person, sale: Sale) -> str:
    """The personal link, as it was before the visitor came in."""
    kept: dict[str, Any] = await visitor.page.evaluate(
        f"JSON.parse(localStorage.getItem('parvis:zeewind/{sale.on_sale}'))"
    )
    return f"{visitor.url}/h/zeewind/{sale.on_sale}#place={kept['place']}&secret={kept['secret']}&index={kept['index']}"


async def reserves(page: Page) -> None:
    await page.get_by_role("button", name="Find the best seats").click()
    await expect(page.locator(".basket .hold")).to_have_count(1)


async def comes_in_by(link: str, elsewhere: Person) -> None:
    await elsewhere.page.goto(link)
    await elsewhere.press("Choose my seats")
    await expect(elsewhere.page.locator(".map-frame")).to_be_visible()


async def test_another_device_takes_over_and_the_first_is_told_with_a_way_back(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=600) as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
        people.arrive(refused=[409]) as elsewhere,
    ):
        await visitor.comes_in(sale)
        await reserves(visitor.page)
        await comes_in_by(await link_of(visitor, sale), elsewhere)
        # The first learns it with the next thing it does, in all of its tabs; what it held is not let go by it.
        second = await visitor.context.new_page()
        await second.goto(visitor.page.url)
        await expect(second.get_by_text(MOVED).first).to_be_visible()
        await expect(visitor.page.locator(".moved")).to_be_visible()
        # A reload takes nothing back by itself.
        await visitor.page.reload()
        await expect(visitor.page.locator(".moved")).to_be_visible()
        await reserves(elsewhere.page)
        # Its button does, and the tabs of this browser are one shopper again.
        await visitor.page.get_by_role("button", name="Go on here").click()
        await expect(visitor.page.locator(".moved")).to_be_hidden()
        await expect(second.locator(".moved")).to_be_hidden()
        await expect(visitor.page.locator(".basket .hold")).to_have_count(1)
        await reserves_another(visitor.page)
        await elsewhere.page.get_by_role("button", name="Find the best seats").click()
        await expect(elsewhere.page.locator(".moved")).to_be_visible()


async def test_the_first_device_learns_it_by_itself(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=600) as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
        people.arrive() as elsewhere,
    ):
        await visitor.comes_in(sale)
        await comes_in_by(await link_of(visitor, sale), elsewhere)
        # Nobody touches the first one: it says so soon, and offers the way back.
        await expect(visitor.page.locator(".moved")).to_be_visible(timeout=40_000)
        await expect(visitor.button("Go on here")).to_be_visible()


async def reserves_another(page: Page) -> None:
    await page.get_by_role("button", name="Find the best seats").click()
    await expect(page.locator(".basket .hold")).to_have_count(2)


async def test_whoever_needs_more_time_asks_for_it_and_all_tabs_have_it(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", pass_seconds=150, hold_seconds=600) as sale, people.arrive() as visitor:
        await visitor.comes_in(sale)
        page = visitor.page
        await expect(page.get_by_text("Your time is nearly up.")).to_be_visible()
        second = await visitor.context.new_page()
        await second.goto(page.url)
        before = await second.locator(".pass-until span").inner_text()
        await page.get_by_role("button", name="More time for me").click()
        await expect(page.get_by_text("Your time is nearly up.")).to_be_hidden()
        await expect(second.locator(".pass-until span")).not_to_have_text(before)
        await reserves(second)
        await reserves_another(page)
        # A keyboard gets there as well, again and again.
        await page.get_by_role("button", name="More time for me").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="More time for me")).to_be_enabled()
        await expect(page.locator(".moved")).to_be_hidden()


async def test_whoever_closed_the_tab_comes_in_again_though_the_pass_has_ended(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", pass_seconds=1, turn_seconds=600) as sale, people.arrive() as visitor:
        await visitor.comes_in(sale)
        await visitor.page.close()
        page = await visitor.context.new_page()
        await page.goto(f"{visitor.url}/h/zeewind/{sale.on_sale}/seats")
        await expect(page.locator(".map-frame")).to_be_visible()
        assert (await sale.status())["lines"]["public"]["joined"] == 1


async def test_whoever_may_stay_no_longer_is_told_before_and_pays_for_what_is_reserved(
    town: Town, people: People
) -> None:
    times: dict[str, Any] = {"pass_seconds": 15, "longest_stay_seconds": 1, "more_time_percent": 0, "hold_seconds": 300}
    async with await town.open_sale("zeewind", **times) as sale, people.arrive(refused=[410]) as visitor:
        await visitor.comes_in(sale)
        page = visitor.page
        await expect(page.get_by_text("This is the last of your time inside")).to_be_visible()
        await reserves(page)
        await expect(page.get_by_text("as long as one number in the queue allows")).to_be_visible(timeout=30_000)
        await page.reload()
        await expect(page.get_by_text("as long as one number in the queue allows")).to_be_visible()
        await expect(page.locator(".basket .hold")).to_have_count(1)
        await visitor.press("To payment")
        await page.get_by_label("E-mail").first.fill("ada@example.org")
        await visitor.press("Pay")
        await expect(page.get_by_text("Your order is confirmed")).to_be_visible(timeout=30_000)
        # And the way on: the queue says the same, and gives a new number.
        await page.goto(f"{visitor.url}/h/zeewind/{sale.on_sale}")
        await visitor.press("Choose my seats")
        await expect(page.get_by_text("as long as one number in the queue allows")).to_be_visible()
        await visitor.press("Take a new number")
        await visitor.press("Choose my seats")
        await visitor.press("Choose more seats")
        await expect(page.locator(".map-frame")).to_be_visible()
        # What was bought before is still found, and hides no seats.
        await page.goto(f"{visitor.url}/h/zeewind/{sale.on_sale}")
        await page.get_by_role("link", name="Your order").click()
        await expect(page.get_by_text("Your order is confirmed")).to_be_visible()
        await visitor.press("Choose more seats")
        await page.reload()
        await expect(page.locator(".map-frame")).to_be_visible()
