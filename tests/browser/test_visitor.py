"""A visitor's way, from a house's own site to the order."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from engine import draw
from engine.instants import now_ms
from tests.browser.person import PHONE, People, Site
from tests.integration.test_manage import tell
from tests.town import Sale, Town

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
    opening = now_ms() + 15_000
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
            await expect(page.locator(".number")).to_be_visible(timeout=45_000)
            await expect(page.get_by_text("Voor u", exact=True)).to_be_visible()
            status = (await sale.get(f"/on-sales/{sale.on_sale}/status")).json["draw"]
            assert status["entrants"] == 21
            position = draw.Draw(draw.decode(status["seed"]), 21).position(index)
            await expect(page.locator(".number")).to_have_text(str(position + 1))
            await page.get_by_text("Controleer het zelf").click()
            await sale.until_drained()
            await visitor.press("Nu narekenen")
            await visitor.sees("Klopt.", "U staat in de lijst die bij de start van de ticketverkoop gesloten werd.")
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
        order = await page.locator(".order-number").get_attribute("data-order") or ""
        assert UUID.fullmatch(order)
        assert await visitor.overflow() == 0
        kept = (await visitor.kept(sale))["order"]
        found = await sale.get(f"/orders/{order}", kept["order_secret"])
        assert (found.json["state"], found.json["total"]) == ("recorded", 8400)
        await visitor.finds(sale, "s", 4)

        # A reload of the confirmation is still the confirmation, and sells nothing twice.
        await page.reload()
        await expect(page.locator(".order-number")).to_have_attribute("data-order", order)
        await visitor.finds(sale, "s", 4)


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
        await visitor.shows("open", "zaal-C-4")
        assert (await sale.hold(await sale.enter(), "zaal-C-4")).status == 201
        await visitor.shows("held", "zaal-C-4")
        await visitor.taps("zaal-C-5")
        await visitor.sees("Zaal, row C, seat 5, Rang 2, €20.00, free")
        await visitor.shows("open", "zaal-C-5")
        await expect(visitor.button("Find the best seats")).to_have_count(0)
        await visitor.page.get_by_role("link", name="Join the queue").click()
        await visitor.press("Join the queue")
        await visitor.press("Choose my seats")
        await expect(visitor.button("Find the best seats")).to_be_visible()


async def test_whoever_watches_the_hall_of_a_sale_that_is_over_is_not_sent_into_its_queue(
    town: Town, people: People
) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as visitor:
        assert (await tell(sale, "close")).status == 200
        await sale.until_status(phase="closed")
        await visitor.open(f"/h/zeewind/{sale.on_sale}/seats")
        await visitor.sees("Nothing more is being sold here online.")
        await visitor.shows("open", "zaal-C-4")
        await expect(visitor.page.get_by_role("link", name="Join the queue")).to_have_count(0)


async def test_addresses_that_lead_nowhere_say_so(people: People) -> None:
    async with people.arrive(PHONE, refused=[404]) as visitor:
        await visitor.open("/h/nowhere")
        await visitor.sees("There is no such house here.")
        await visitor.open("/h/zeewind/nothing")
        await visitor.sees("There is no such sale at this house.", "Back to the house’s page")
        await visitor.open("/h/zeewind/nothing/seats")
        await visitor.sees("There is no such sale at this house.")
