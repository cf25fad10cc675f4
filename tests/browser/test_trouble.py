"""What goes wrong on a visitor's way, told in words, with a way on."""

import re

import msgspec
import pytest
from playwright.async_api import expect

from engine.signing import Signer
from engine.words import HouseSlug
from tests.browser.person import PHONE, People, Person
from tests.town import Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def pays(visitor: Person) -> str:
    """From a basket to the order's number."""
    await visitor.press("To payment")
    await visitor.page.get_by_label("E-mail").fill("ada@example.org")
    await visitor.press(re.compile("^Pay €"))
    await visitor.sees("Your order is confirmed")
    return await visitor.page.locator(".order-number").get_attribute("data-order") or ""


async def test_a_picked_seat_that_somebody_else_takes_is_told(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.picks("zaal-C-4", "zaal-C-5")
        held = await sale.hold(await sale.enter(), "zaal-C-5")
        assert held.status == 201
        await visitor.sees("Someone was a moment sooner. Zaal, row C, seat 5.")
        await expect(visitor.page.locator(".picked li")).to_have_count(1)
        await visitor.shows("held", "zaal-C-5")


async def test_whoever_comes_a_moment_late_is_offered_other_seats(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE, refused=[409]) as visitor:
        # This device hears nothing of the hall after its first look.
        await visitor.page.route("**/seats/changes*", lambda route: route.fulfill(content_type="text/event-stream"))
        await visitor.comes_in(sale)
        await visitor.page.route("**/seats", lambda route: route.abort())
        await visitor.picks("zaal-C-4", "zaal-C-5")
        assert (await sale.hold(await sale.enter(), "zaal-C-4")).status == 201
        await visitor.press("Reserve these 2 seats")
        await visitor.sees("Someone was a moment sooner. Zaal, row C, seat 4.", "Free side by side. Take instead:")
        offered = await visitor.page.locator(".offers button").first.inner_text()
        await visitor.page.locator(".offers button").first.click()
        await visitor.sees("Reserved for you until")
        items = await visitor.page.locator(".basket .items b").all_inner_texts()
        assert len(items) == 2
        assert all(item.rpartition(" ")[2] in offered for item in items), (items, offered)
        assert offered.startswith("Take Zaal, row")


async def test_a_hall_without_room_for_a_party_says_so_and_a_sold_out_sale_too(town: Town, people: People) -> None:
    plan = small_plan(rows=1, seats=4, standing=0)
    async with (
        await town.open_sale("zeewind", plan=plan) as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
        people.arrive(PHONE) as late,
    ):
        await visitor.comes_in(sale)
        other = await sale.enter()
        held = await sale.hold(other, "zaal-A-2", "zaal-A-3", "zaal-A-4")
        await visitor.press("Find the best seats")
        await visitor.sees("There are not enough free seats together for this.")
        assert (await sale.order(other, held.json["hold"])).status == 202
        await visitor.page.locator(".chip", has_text="1").first.click()
        await visitor.press("Find the best seats")
        await pays(visitor)
        await late.open(f"/h/zeewind/{sale.on_sale}")
        await late.sees("Sold out", "All seats are taken.")


async def test_a_declined_payment_keeps_the_seats_and_another_way_pays_them(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=300) as sale,
        people.arrive(PHONE, refused=[402]) as visitor,
    ):
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await visitor.press("To payment")
        await visitor.page.get_by_label("E-mail").fill("ada@example.org")
        await visitor.page.get_by_text("The bank says no").click()
        await visitor.press("Pay €42.00")
        await visitor.sees("The payment was declined. Your seats are still reserved", "Reserved for you until")
        await visitor.finds(sale, "h", 2)
        await visitor.page.get_by_text("The bank says yes at once").click()
        await visitor.press("Pay €42.00")
        await visitor.sees("Your order is confirmed")


async def test_a_payment_that_comes_late_is_told_when_it_comes(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await visitor.press("To payment")
        await visitor.page.get_by_label("E-mail").fill("ada@example.org")
        await visitor.page.get_by_text("The bank’s answer comes a little later").click()
        async with visitor.page.expect_request("**/orders") as sent:
            await visitor.press("Pay €42.00")
        await visitor.sees("Waiting for your payment")
        ordered = msgspec.json.decode((await sent.value).post_data_buffer or b"")
        reference = ordered["payment"]["reference"]
        body = msgspec.json.encode({"reference": reference, "is_paid": True})
        signer = Signer(HouseSlug("zeewind"), town.network.house(HouseSlug("zeewind")).secrets_path)
        headers = {"Parvis-Demo-Signature": signer.event_signature("demo", body)}
        assert (await sale.ask("POST", "/payments/demo/events", raw=body, headers=headers)).status == 200
        await visitor.sees("Your order is confirmed")


async def test_seats_that_were_reserved_too_long_are_free_again_and_that_is_told(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=3) as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await visitor.sees("The time was up, so your seats are free for others again.", "Nothing yet.")
