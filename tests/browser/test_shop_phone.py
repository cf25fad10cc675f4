"""What happens to a shopper on a phone: a reload, a tunnel, a full basket, other seats where both would be too many."""

import re

import msgspec
import pytest
from playwright.async_api import Route, expect

from tests.browser.person import PHONE, People, Person
from tests.town import Sale, Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SOLD_OUT = msgspec.json.encode(
    {"type": "/problems/sold-out", "title": "Sold out", "status": 409, "detail": "none left"}
)


async def test_picked_seats_outlive_a_reload_and_what_is_gone_by_then_is_told(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await visitor.comes_in(sale)
        await visitor.picks("zaal-C-4", "zaal-C-5")
        await page.locator(".picked select").last.select_option("reduced")
        await page.reload()
        await visitor.shows("picked", "zaal-C-4", "zaal-C-5")
        await expect(page.locator(".picked select").last).to_have_value("reduced")
        await expect(page.locator(".tray-end strong")).to_have_text("€35.00")

        await page.goto("about:blank")
        assert (await sale.hold(await sale.enter(), "zaal-C-4")).status == 201
        await sale.until_seats("h", "zaal-C-4")
        await page.go_back()
        await visitor.sees("Someone was a moment sooner. Zaal, row C, seat 4.")
        await visitor.shows("held", "zaal-C-4")
        await expect(page.locator(".picked li")).to_have_count(1)

        # Another tab is another choice, and what is reserved is picked no more.
        other = await visitor.context.new_page()
        await other.goto(page.url)
        await expect(other.locator(".map-frame")).to_be_visible()
        await expect(other.locator(".picked li")).to_have_count(0)
        await other.close()
        await visitor.press("Reserve this seat")
        await visitor.shows("mine", "zaal-C-5")
        await page.reload()
        await visitor.shows("mine", "zaal-C-5")
        await expect(page.locator(".picked li")).to_have_count(0)
        await expect(page.locator(".notice.problem").locator("visible=true")).to_have_count(0)


async def test_a_basket_as_full_as_an_order_may_be_says_so_before_it_reserves(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        sent: list[str] = []
        visitor.context.on("request", lambda request: sent.append(request.method) if "/holds" in request.url else None)
        await visitor.comes_in(sale)
        most = (await sale.get(f"/on-sales/{sale.on_sale}")).json["limits"]["holds_an_order"]
        await page.locator(".chip", has_text="1").first.click()
        for held in range(1, most + 1):
            await visitor.press("Find the best seats")
            await expect(page.locator(".basket .hold")).to_have_count(held)
        assert sent == ["POST"] * most
        await visitor.press("Find the best seats")
        await visitor.sees("No more fits at once. Pay for what you have first.")
        assert sent == ["POST"] * most, "nothing was asked for that could not be paid"

        # Other seats are an exchange in one step then.
        await visitor.press("Other seats")
        await expect(page.locator(".found")).to_contain_text("These are still the best seats that are free.")
        await expect(page.locator(".basket .hold")).to_have_count(most)
        assert sent == ["POST"] * (most + 1)


async def has_four(visitor: Person, sale: Sale) -> list[str]:
    """In the hall with four seats, which is all that may be had; gives their names."""
    await visitor.comes_in(sale)
    await visitor.page.locator(".chip", has_text="4").first.click()
    await visitor.press("Find the best seats")
    items = visitor.page.locator(".basket .items b")
    await expect(items).to_have_count(4)
    return await items.all_inner_texts()


async def test_other_seats_where_both_would_be_too_many_are_a_swap(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=300, seats_a_hold=4, seats_a_place=4) as sale,
        people.arrive(PHONE, refused=[422]) as visitor,
    ):
        names = await has_four(visitor, sale)
        await visitor.press("Other seats")
        await expect(visitor.page.locator(".found")).to_contain_text("These are still the best seats that are free.")
        await expect(visitor.page.locator(".basket .hold")).to_have_count(1)
        assert await visitor.page.locator(".basket .items b").all_inner_texts() == names
        await visitor.finds(sale, "h", 4)


async def test_where_there_are_no_others_what_is_reserved_stays_as_it_was(town: Town, people: People) -> None:
    plan = small_plan(rows=1, seats=8, standing=0)
    async with (
        await town.open_sale("zeewind", plan=plan, hold_seconds=300, seats_a_hold=4, seats_a_place=4) as sale,
        people.arrive(PHONE, refused=[409, 422]) as visitor,
    ):
        names = await has_four(visitor, sale)
        swaps = []

        async def see(route: Route) -> None:
            """Nothing of what is held may be let go on its own; the exchange itself is refused."""
            assert route.request.method != "DELETE"
            if route.request.url.endswith("/swap"):
                swaps.append(route.request.url)
                await route.fulfill(status=409, body=SOLD_OUT, content_type="application/problem+json")
                return
            await route.continue_()

        await visitor.page.route("**/holds**", see)
        await visitor.press("Other seats")
        await visitor.sees("There are not enough free seats together for this.")
        assert len(swaps) == 1
        assert await visitor.page.locator(".basket .items b").all_inner_texts() == names
        await visitor.finds(sale, "h", 4)


async def test_a_minute_in_a_tunnel_is_told_and_everything_goes_on_afterwards(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await expect(page.locator(".basket .items li")).to_have_count(2)
        await visitor.shows("open", "zaal-E-7")
        await visitor.context.set_offline(True)
        await visitor.sees("No connection just now. What is reserved for you stays so until its time is up")
        left = await page.locator(".until .left").inner_text()
        await expect(page.locator(".until .left")).not_to_have_text(left)
        await visitor.press("Other seats")
        await visitor.sees("No connection. Check your network and try again: nothing is done twice.")
        await expect(page.locator(".basket .items li")).to_have_count(2)
        assert (await sale.hold(await sale.enter(), "zaal-E-7")).status == 201
        await sale.until_seats("h", "zaal-E-7")

        await visitor.context.set_offline(False)
        await expect(page.get_by_text("No connection just now.")).to_have_count(0)
        await visitor.shows("held", "zaal-E-7")
        await visitor.press("Other seats")
        await expect(page.locator(".chooser > .notice.problem")).to_be_hidden()
        await expect(page.locator(".basket .hold")).to_have_count(1)
        await visitor.press("To payment")
        await page.get_by_label("E-mail").fill("ada@example.org")
        await visitor.context.set_offline(True)
        await visitor.sees("No connection just now.")
        await visitor.context.set_offline(False)
        await visitor.press(re.compile("^Pay €"))
        await visitor.sees("Your order is confirmed")


async def test_a_hold_that_ends_at_the_form_leads_back_to_the_seats_and_says_why(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=8) as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await visitor.press("To payment")
        await expect(visitor.page.get_by_role("heading", name="Your details")).to_be_visible()
        await visitor.sees("The time was up, so your seats are free for others again.", "Nothing yet.")
        await expect(visitor.page.locator(".map-frame")).to_be_visible()
        await visitor.finds(sale, "h", 0)
        await visitor.press("Ask for the same seats again")
        await expect(visitor.page.locator(".basket .items li")).to_have_count(2)


async def test_a_payment_whose_answer_is_lost_is_the_same_payment_when_asked_again(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await visitor.press("To payment")
        await page.get_by_label("E-mail").fill("ada@example.org")

        async def lose(route: Route) -> None:
            assert (await route.fetch()).status == 202
            await route.abort()

        await page.route("**/orders", lose)
        await visitor.press(re.compile("^Pay €"))
        await visitor.sees("No connection. Check your network and try again: nothing is done twice.")
        await visitor.finds(sale, "s", 2)
        await page.unroute_all()
        await visitor.press(re.compile("^Pay €"))
        await visitor.sees("Your order is confirmed")
        await visitor.finds(sale, "s", 2)
