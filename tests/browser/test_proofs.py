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
