"""Choosing seats: the best under a ceiling, by finger on the plan, over two performances, on a house's own page."""

import re
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import expect

from tests.browser.person import MAP, PHONE, People, Person, Site
from tests.town import Sale, Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def seats_of(visitor: Person, state: str, sale: Sale) -> list[str]:
    """Every seat that the plan shows in a state."""
    return [seat for seat in sale.layouts[sale.performance] if await visitor.state_of(seat) == state]


async def test_the_best_four_under_a_ceiling_are_one_tap_and_others_another(town: Town, people: People) -> None:
    prices = {"Rang 1": 4500, "Rang 2": 3000}
    async with (
        await town.open_sale("zeewind", prices=prices, hold_seconds=300, seats_a_hold=4, seats_a_place=8) as sale,
        people.arrive(PHONE) as visitor,
    ):
        await visitor.comes_in(sale)
        await visitor.page.locator(".chip", has_text="4").first.click()
        await visitor.page.locator(".chip", has_text="€30.00").click()
        await visitor.press("Find the best seats")
        await expect(visitor.page.locator(".found")).to_contain_text(re.compile(r"Zaal, row [C-E], seats"))
        await expect(visitor.page.locator(".found")).to_contain_text("€124.00")
        first = await seats_of(visitor, "mine", sale)
        assert len(first) == 4
        assert all(seat[5] in "CDE" for seat in first), first

        await visitor.press("Other seats")
        await visitor.shows("open", *first)
        second = await seats_of(visitor, "mine", sale)
        assert len(second) == 4
        assert not set(first) & set(second)
        await visitor.finds(sale, "h", 4)
        await visitor.page.locator(".found").get_by_role("button", name="Give these seats back").click()
        await visitor.finds(sale, "h", 0)
        await visitor.sees("Nothing yet.")


async def test_two_fingers_bring_the_plan_closer_and_one_takes_a_seat(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.shows("open", "zaal-C-5")
        page = visitor.page
        await page.locator(".map-frame").scroll_into_view_if_needed()
        before = await page.locator(MAP).evaluate("(map) => map.reveal('zaal-C-5')")
        session = await visitor.context.new_cdp_session(page)
        pinch = {"x": before["x"], "y": before["y"], "scaleFactor": 2.5, "gestureSourceType": "touch"}
        await session.send("Input.synthesizePinchGesture", pinch)
        await expect(page.locator(".map-frame.zoomed")).to_be_visible()
        after = await page.locator(MAP).evaluate("(map) => map.reveal('zaal-C-5')")
        assert after["radius"] > 1.5 * before["radius"], (before, after)
        await expect(page.locator(".picked li")).to_have_count(0)
        await visitor.picks("zaal-C-5")
        await expect(page.locator(".picked li")).to_have_count(1)


async def test_seats_of_two_performances_are_one_basket_in_two_tabs_and_one_order(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", shows=2, hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await expect(page.locator(".basket .hold")).to_have_count(1)
        await page.locator(".tabs .tab").nth(1).click()
        await expect(page.locator(".tabs .tab").nth(1)).to_have_attribute("aria-pressed", "true")
        await visitor.shows("open", "zaal-A-5")
        await visitor.press("Find the best seats")
        await expect(page.locator(".basket .hold")).to_have_count(2)

        # Another tab has the same basket, and what is let go there is gone here.
        other = await visitor.context.new_page()
        await other.goto(page.url)
        await expect(other.locator(".basket .hold")).to_have_count(2)
        await visitor.press("To payment")
        await expect(page.get_by_role("heading", name="Your details")).to_be_focused()
        await other.locator(".basket .hold .quiet").first.click()
        await expect(page.locator(".basket .hold")).to_have_count(1)
        await other.close()

        # A reload stays where one was; the back button leads to the seats.
        await page.reload()
        await expect(page.get_by_role("heading", name="Your details")).to_be_visible()
        await page.go_back()
        await expect(page.locator(".map-frame")).to_be_visible()
        await page.locator(".tabs .tab").nth(0).click()
        await visitor.shows("open", "zaal-A-5")
        await visitor.press("Find the best seats")
        await expect(page.locator(".basket .hold")).to_have_count(2)
        await visitor.press("To payment")

        # What is wrong with the form is said beside the field and above it.
        await visitor.press("Pay €84.00")
        await expect(page.locator(".checkout .notice.problem").first).to_be_focused()
        await expect(page.locator(".fault")).to_have_text("Enter your e-mail address.")
        await page.get_by_label("E-mail").fill("ada@example.org")
        await expect(page.locator(".fault")).to_be_hidden()
        await visitor.press("Pay €84.00")
        await visitor.sees("Your order is confirmed")
        hall = (await sale.get(f"/on-sales/{sale.on_sale}")).json["performances"][0]["hall"]
        await expect(page.locator(".done")).to_contain_text(f"· {hall}")
        await expect(page.locator(".done .facts")).to_contain_text("Deliveryby e-mail")
        order = await page.locator(".order-number").get_attribute("data-order") or ""
        groups = await page.locator(".order-number > [aria-hidden] > span").all_inner_texts()
        assert "".join(groups).lower() == order.replace("-", "")
        spoken = await page.locator(".order-number .unseen").inner_text()
        assert spoken.replace(",", "").split()[: len(order[:8])] == [
            {"a": "Alfa", "b": "Bravo", "c": "Charlie", "d": "Delta", "e": "Echo", "f": "Foxtrot"}.get(sign, sign)
            for sign in order[:8]
        ]
        kept = (await visitor.kept(sale))["order"]
        assert {item["performance"] for item in kept["items"]} == set(sale.performances)

        # Whoever comes back by the sale's own address finds it from there.
        await visitor.open(f"/h/{sale.slug}/{sale.on_sale}")
        await page.get_by_role("link", name="Your order").click()
        await visitor.sees("Your order is confirmed")


async def test_a_sold_out_category_says_what_is_left_and_takes_it_in_place(town: Town, people: People) -> None:
    plan = small_plan(rows=4, seats=4, standing=0)
    async with (
        await town.open_sale("zeewind", plan=plan, shows=2, hold_seconds=300) as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
    ):
        for row in "AB":
            assert (await sale.hold(await sale.enter(), *(f"zaal-{row}-{n}" for n in (2, 3)))).status == 201
        await visitor.comes_in(sale)
        await visitor.shows("held", "zaal-B-2")
        await visitor.page.locator(".best summary").click()
        await visitor.page.locator(".best select").first.select_option("Rang 1")
        await visitor.press("Find the best seats")
        await visitor.sees("There are not enough free seats together for this.", "Still free:")
        offers = visitor.page.locator(".offers button")
        await expect(offers).to_have_count(2)
        await expect(offers.nth(0)).to_contain_text("Rang 2: 8 free")
        await expect(offers.nth(1)).to_contain_text("16 free")
        await offers.nth(0).click()
        await expect(visitor.page.locator(".found")).to_contain_text(re.compile(r"row [CD], seats"))


async def test_seats_that_ran_out_are_asked_for_again_in_one_tap(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=3) as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await expect(visitor.page.locator(".basket .items li")).to_have_count(2)
        before = await visitor.page.locator(".basket .items b").all_inner_texts()
        await visitor.sees("The time was up")
        await visitor.finds(sale, "h", 0)
        await visitor.press("Ask for the same seats again")
        await expect(visitor.page.locator(".basket .items li")).to_have_count(2)
        assert await visitor.page.locator(".basket .items b").all_inner_texts() == before


async def test_a_houses_own_page_shows_the_hall_and_reserves_with_a_pass(
    town: Town, people: People, site: Site
) -> None:
    """The component on another origin: parvis.js loads it when there is one; its events leave the shadow."""
    async with (
        await town.open_sale("zeewind", hold_seconds=300) as sale,
        people.arrive() as visitor,
        AsyncExitStack() as stack,
    ):
        page = visitor.page
        await visitor.open(stack.enter_context(site.embeds(sale)))
        await expect(visitor.button("Join the queue")).to_be_visible()
        await page.evaluate(
            """(sale) => {
              const map = document.createElement('parvis-seat-map');
              map.setAttribute('house', 'zeewind');
              map.setAttribute('on-sale', sale);
              document.body.append(map);
            }""",
            sale.on_sale,
        )
        await visitor.shows("open", "zaal-C-4")
        assert (await sale.hold(await sale.enter(), "zaal-C-4")).status == 201
        await visitor.shows("held", "zaal-C-4")
        await expect(visitor.button("Find the best seats")).to_have_count(0)
        listen = """(map, token) => {
          window.heard = [];
          const hear = ({ type, detail }) => heard.push([type, detail.hold]);
          for (const name of ['parvis-hold', 'parvis-release']) document.addEventListener(name, hear);
          map.pass = token;
        }"""
        await page.locator(MAP).evaluate(listen, await sale.enter())
        await visitor.press("Find the best seats")
        await expect(page.locator(".found")).to_contain_text("Reserved for you until")
        await visitor.press("Give these seats back")
        await expect(page.locator(".found")).to_be_hidden()
        await visitor.finds(sale, "h", 1)
        heard = await page.evaluate("heard")
        assert [name for name, _ in heard] == ["parvis-hold", "parvis-release"]
        assert heard[0][1] == heard[1][1]
