"""A code or a member's number, typed where seats are chosen, unlocks the prices that ask for it."""

import pytest
from playwright.async_api import expect

from tests.browser.person import PHONE, People
from tests.integration.test_prices import make_codes, open_sale
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_code_unlocks_its_price_and_one_that_nobody_knows_is_said(town: Town, people: People) -> None:
    async with await open_sale(town, slug="zeewind") as sale, people.arrive(PHONE, refused=[422]) as visitor:
        await make_codes(sale, codes=["Spring 24"], uses=2)
        page = visitor.page
        await visitor.comes_in(sale)
        await visitor.picks("zaal-C-10")
        choose = page.get_by_label("Price for Zaal, row C, seat 10")
        assert "promo" not in await choose.locator("option").all_inner_texts()
        await page.locator(".proofs summary").click()
        await page.get_by_label("Code", exact=True).fill("nobodys")
        await page.get_by_label("Code", exact=True).blur()
        assert await visitor.overflow() <= 0
        await choose.select_option("promo")
        await visitor.press("Reserve this seat")
        await visitor.sees("We do not know this code, or it counts no more.")
        await page.get_by_label("Code", exact=True).fill("spring-24")
        await page.get_by_label("Code", exact=True).blur()
        await choose.select_option("promo")
        await visitor.press("Reserve this seat")
        await visitor.shows("mine", "zaal-C-10")
        await expect(page.locator(".basket .items li").first).to_contain_text("€16.00")


async def test_a_members_number_unlocks_the_members_price(town: Town, people: People) -> None:
    async with await open_sale(town, slug="zeewind") as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await visitor.comes_in(sale)
        await page.locator(".proofs summary").click()
        await page.get_by_label("Number for “Member”").fill("M-1001")
        await page.get_by_label("Number for “Member”").blur()
        await visitor.picks("zaal-C-12")
        await page.get_by_label("Price for Zaal, row C, seat 12").select_option("member")
        await visitor.press("Reserve this seat")
        await visitor.shows("mine", "zaal-C-12")
        await expect(page.locator(".basket .items li").first).to_contain_text("€15.00")


async def test_a_price_says_for_how_many_at_once_it_is_and_says_it_again_where_it_is_refused(
    town: Town, people: People
) -> None:
    async with await open_sale(town, slug="zeewind") as sale, people.arrive(PHONE, refused=[422]) as visitor:
        await visitor.comes_in(sale)
        standing = visitor.page.locator(".standing")
        await expect(standing).to_contain_text("€18.00 · from 3 seats at once")
        await expect(standing).to_contain_text("€10.00 · at most 2 seats")
        await standing.get_by_role("button", name="One more: Group").click()
        await standing.get_by_role("button", name="Reserve").click()
        await visitor.sees("“Group” has a condition: from 3 seats at once.")
        assert await visitor.overflow() == 0


async def test_vat_is_told_by_its_rate_from_the_basket_to_the_confirmation(town: Town, people: People) -> None:
    async with await open_sale(town, slug="zeewind") as sale, people.arrive(PHONE, language="nl") as visitor:
        page = visitor.page
        await visitor.comes_in(sale, "Ga in de wachtrij", "Kies mijn plaatsen")
        await visitor.picks("zaal-C-10", "zaal-C-11")
        await visitor.press("Houd deze 2 plaatsen vast")
        told = page.locator(".sums:visible").last
        await expect(told).to_contain_text("waarvan 6\N{NO-BREAK SPACE}% btw")
        await expect(told).to_contain_text("2,38")
        await visitor.press("Naar betalen")
        await expect(told).to_contain_text("2,38")
        await page.locator("#email").fill("ada@example.org")
        await page.locator("form.checkout .primary").click()
        await visitor.sees("Uw bestelling is bevestigd")
        await expect(told).to_contain_text("waarvan 6\N{NO-BREAK SPACE}% btw")
        await expect(told).to_contain_text("2,38")


async def test_whoever_comes_along_with_a_wheelchair_is_free_as_soon_as_the_bay_is_picked(
    town: Town, people: People
) -> None:
    async with await open_sale(town, slug="zeewind") as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await visitor.comes_in(sale)
        await visitor.picks("zaal-A-1")
        along = page.get_by_label("Price for Zaal, row A, seat 2")
        await expect(along).to_have_value("companion")
        await expect(page.locator(".tray-end strong")).to_have_text("€20.00")
        await visitor.press("Reserve these 2 seats")
        await visitor.shows("mine", "zaal-A-1", "zaal-A-2")
        await expect(page.locator(".sums .total")).to_contain_text("€21.00")
        await visitor.picks("zaal-C-10")
        other = page.get_by_label("Price for Zaal, row C, seat 10")
        assert "companion" not in " ".join(await other.locator("option").all_inner_texts()).lower()
