"""A visitor's way, from a house's own site to the order, and what goes wrong on it, told in words."""

import re
from typing import Any

import msgspec
import pytest
from playwright.async_api import expect

from engine import draw
from engine.instants import now_ms
from engine.signing import Signer
from engine.words import HouseSlug
from tests.browser.person import PHONE, People, Person, Site
from tests.town import Sale, Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


async def manage(sale: Sale, verb: str, **facts: object) -> None:
    answer = await sale.post(
        f"/manage/on-sales/{sale.on_sale}/{verb}", {"reason": "a test", **facts}, token=sale.manage_key
    )
    assert answer.status == 200, answer.json


async def test_a_visitor_comes_from_the_houses_own_site_and_leaves_with_an_order(
    town: Town, people: People, site: Site
) -> None:
    opening = now_ms() + 4_000
    closed: dict[str, Any] = {
        "prequeue_at_ms": now_ms() - 1000,
        "opens_at_ms": opening,
        "rate_per_minute": 1,
        "hold_seconds": 300,
    }
    async with (
        await town.open_sale("zeewind", **closed) as sale,
        people.arrive(PHONE, language="nl") as visitor,
    ):
        for _ in range(20):
            await sale.join()
        page = visitor.page
        with site.embeds(sale) as address:
            # The countdown, inside the house's page; a place; and a reload that costs nothing.
            await visitor.open(address)
            await visitor.sees("Start ticketverkoop over")
            await visitor.press("Ga in de wachtrij")
            await visitor.sees("U staat in de wachtrij", "U kwam erbij als nummer")
            index = (await visitor.kept(sale))["index"]
            assert index == 20
            await page.reload()
            await visitor.sees("U staat in de wachtrij")
            assert (await visitor.kept(sale))["index"] == index

            # The draw: the number that the browser computed is the one that Python computes.
            await visitor.sees("Uw volgnummer", "Voor u")
            status = (await sale.get(f"/on-sales/{sale.on_sale}/status")).json["draw"]
            assert status["entrants"] == 21
            position = draw.draw(draw.decode(status["seed"]), 21).position(index)
            await expect(page.locator(".number")).to_have_text(str(position + 1))
            await page.get_by_text("Controleer het zelf").click()
            await visitor.press("Nu narekenen")
            await visitor.sees("Klopt.")
            assert await visitor.overflow() == 0

            await manage(sale, "rate", rate_per_minute=60_000)
            await visitor.press("Kies mijn plaatsen")
            await expect(page.locator(".map-frame")).to_be_visible()
        assert page.url.startswith(f"{town.url}/h/zeewind/{sale.on_sale}/seats")
        assert "#" not in page.url

        # The best two, two more from the plan, and a reload that keeps them.
        await visitor.press("Zoek de beste plaatsen")
        await visitor.sees("Voor u vastgehouden tot")
        await visitor.picks("zaal-C-4", "zaal-C-5")
        await visitor.press("Houd deze 2 plaatsen vast")
        await expect(page.locator(".basket .items li")).to_have_count(4)
        before = await visitor.kept(sale)
        await page.reload()
        await expect(page.locator(".basket .items li")).to_have_count(4)
        assert (await visitor.kept(sale))["basket"] == before["basket"]
        await expect(page.locator(".bottom-bar")).to_contain_text("4 tickets · € 84,00")
        await expect(page.locator(".left").first).to_have_text(re.compile(r"^[1-5]:\d\d$"))
        assert await visitor.overflow() == 0

        await visitor.press("Naar betalen")
        await page.get_by_label("E-mailadres").fill("ada@example.org")
        await visitor.press("Betaal € 84,00")
        await visitor.sees("Uw bestelling is bevestigd")
        order = await page.locator(".order-number").inner_text()
        assert UUID.fullmatch(order)
        assert await visitor.overflow() == 0
        kept = (await visitor.kept(sale))["order"]
        found = await sale.get(f"/orders/{order}", kept["order_secret"])
        assert (found.json["state"], found.json["total"]) == ("recorded", 8400)
        await visitor.finds(sale, "s", 4)

        # A reload of the confirmation is still the confirmation, and sells nothing twice.
        await page.reload()
        await expect(page.locator(".order-number")).to_have_text(order)
        await visitor.finds(sale, "s", 4)


async def test_a_picked_seat_that_somebody_else_takes_is_told(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as visitor:
        await visitor.comes_in(sale)
        await visitor.picks("zaal-C-4", "zaal-C-5")
        held = await sale.hold(await sale.enter(), "zaal-C-5")
        assert held.status == 201
        await visitor.sees("Someone was a moment sooner. Zaal, row C, seat 5.")
        await expect(visitor.page.locator(".picked li")).to_have_count(1)
        await expect(visitor.seat("zaal-C-5")).to_have_class(re.compile("held"))


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
        await visitor.press("One less: Full price")
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
        await visitor.sees("I need more time")
        await visitor.sees("The time was up, so your seats are free for others again.", "Nothing yet.")


async def test_someone_who_gives_seats_back_or_leaves_the_queue_finds_it_done(town: Town, people: People) -> None:
    opening: dict[str, Any] = {"opens_at_ms": now_ms() + 3_600_000}
    async with (
        await town.open_sale("zeewind") as sale,
        await town.open_sale("zeewind", **opening) as later,
        people.arrive(PHONE) as visitor,
    ):
        await visitor.comes_in(sale)
        await visitor.press("Find the best seats")
        await visitor.finds(sale, "h", 2)
        await visitor.press("Give these seats back")
        await visitor.sees("Nothing yet.")
        await visitor.finds(sale, "h", 0)
        await visitor.open(f"/h/zeewind/{later.on_sale}")
        await visitor.press("Join the queue")
        await visitor.press("Leave the queue")
        await visitor.press("Really leave? You lose your number")
        await expect(visitor.button("Join the queue")).to_be_visible()
        assert "place" not in await visitor.kept(later)


async def test_whoever_is_not_in_the_queue_may_watch_the_hall_fill(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as visitor:
        await visitor.open(f"/h/zeewind/{sale.on_sale}/seats")
        await visitor.sees("You see how the hall fills.")
        await expect(visitor.seat("zaal-C-4")).to_have_class(re.compile("open"))
        assert (await sale.hold(await sale.enter(), "zaal-C-4")).status == 201
        await expect(visitor.seat("zaal-C-4")).to_have_class(re.compile("held"))
        await visitor.seat("zaal-C-5").click()
        await expect(visitor.seat("zaal-C-5")).to_have_attribute("aria-checked", "false")
        await expect(visitor.page.locator("form")).to_have_count(0)
        await visitor.page.get_by_role("link", name="Join the queue").click()
        await visitor.press("Join the queue")
        await visitor.press("Choose my seats")
        await expect(visitor.button("Find the best seats")).to_be_visible()


async def test_addresses_that_lead_nowhere_say_so(people: People) -> None:
    async with people.arrive(PHONE, refused=[404]) as visitor:
        await visitor.open("/h/nowhere")
        await visitor.sees("There is no such house here.")
        await visitor.open("/h/zeewind/nothing")
        await visitor.sees("There is no such sale at this house.", "Back to the house’s page")
        await visitor.open("/h/zeewind/nothing/seats")
        await visitor.sees("There is no such sale at this house.")


async def pays(visitor: Person) -> str:
    """From a basket to the order's number."""
    await visitor.press("To payment")
    await visitor.page.get_by_label("E-mail").fill("ada@example.org")
    await visitor.press(re.compile("^Pay €"))
    await visitor.sees("Your order is confirmed")
    return await visitor.page.locator(".order-number").inner_text()
