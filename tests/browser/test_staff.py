"""What staff see, with no instruction beyond the page: what is done here is found by its words and its role alone."""

import asyncio
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Route, expect

from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.ledger.payments import note_unclaimed, request_unclaimed_refund
from engine.ledger.recoveries import raise_alarm
from tests.browser.person import DESK, PATIENCE_MS, PHONE, People, Person
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
HOUR_MS: Final = 3_600_000
ON_EVERY_SCREEN: Final = pytest.mark.parametrize("device", [PHONE, DESK], ids=["360", "1280"])


async def signs_in(person: Person, sale: Sale, page: str, key: str) -> None:
    await person.open(f"/h/{sale.slug}/{page}")
    await person.page.get_by_label("Your key").fill(key)
    await person.press("Sign in")


async def at_control(person: Person, sale: Sale) -> None:
    await signs_in(person, sale, "control", sale.manage_key)
    await person.page.get_by_role("combobox", name="Sale", exact=True).select_option(sale.on_sale)


async def fills(person: Person, **fields: str) -> None:
    for label, value in fields.items():
        await person.page.get_by_label(label.replace("_", " ")).locator("visible=true").first.fill(value)


def line_of(person: Person, text: str) -> Locator:
    """An entry of a list, by what it says; the newest first."""
    return person.page.get_by_role("listitem").filter(has_text=text).first


async def tries() -> AsyncIterator[None]:
    """Again and again, for as long as a person has patience."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        yield
        await asyncio.sleep(0.3)
    raise AssertionError("it never came")


async def test_a_wrong_key_and_another_kind_of_key_are_told(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE, refused=[401, 403]) as stranger:
        for page in ("control", "counter"):
            await signs_in(stranger, sale, page, "pk_wrong")
            await stranger.sees("This key is not accepted here.")
        await signs_in(stranger, sale, "counter", sale.manage_key)
        await stranger.sees("This key is not accepted here.")
        assert await stranger.page.evaluate("sessionStorage.length") == 0


@ON_EVERY_SCREEN
async def test_someone_new_runs_a_whole_sale_and_undoes_what_was_wrong(
    town: Town, people: People, device: dict[str, Any]
) -> None:
    soon: dict[str, Any] = {"opens_at_ms": now_ms() + HOUR_MS, "rate_per_minute": 1}
    async with (
        await town.open_sale("zeewind", **soon) as sale,
        people.arrive(device) as manager,
        people.arrive(PHONE) as visitor,
    ):
        await at_control(manager, sale)
        await manager.sees("The queue is open; joined so far: 0.")
        for _ in range(3):
            await sale.join()
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.press("Join the queue")
        # Nobody touches the page: it looks by itself.
        await manager.sees("joined so far: 4", "As of")

        await manager.press("Tell everyone waiting")
        await fills(manager, Message="We start <b>late</b> & gladly")
        await manager.press("Show the message")
        await manager.sees("Everyone who waits sees your message now.")
        await visitor.page.reload()
        await visitor.sees("We start <b>late</b> & gladly")
        await manager.press("Undo")
        await manager.sees("Undone: Tell everyone waiting.")
        await visitor.page.reload()
        await expect(visitor.page.get_by_text("We start <b>late</b>").locator("visible=true")).to_have_count(0)

        await manager.press("Start sales now")
        await manager.sees("The order is drawn now among 4", "This cannot be undone.")
        await manager.press("Yes, start now")
        await manager.sees("Sales have started; the order was drawn among 4.", "Sales are running")
        await visitor.page.reload()
        await visitor.sees("Your number in the queue")

        await manager.sees("During a pause nobody new is let in.")
        await manager.press("Pause")
        await manager.sees("Sales are paused: nobody new is let in.")
        await visitor.page.reload()
        await visitor.sees("Sales are paused for a moment")
        await manager.press("Undo")
        await manager.sees("Undone: Pause.", "Sales are running")
        await manager.press("Pause")
        await manager.press("Go on")
        await manager.sees("Sales go on: 1 a minute are let in.")

        await manager.press("Change the pace")
        await fills(manager, Visitors_a_minute="60000", Inside_at_the_same_time="700")
        await manager.sees("At 60,000 a minute")
        await manager.press("Use this pace")
        await manager.sees("Now 60,000 a minute are let in")
        await visitor.press("Choose my seats")
        await visitor.press("Find the best seats")
        await manager.sees("68 of 70 seats free")
        summary = manager.page.get_by_role("link", name="How this sale went, in numbers")
        await expect(summary).to_be_hidden()
        await manager.press("Undo")
        await manager.sees("Undone: Change the pace.")
        found = await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)
        assert (found.json["rate_per_minute"], found.json["cap"]) == (1, 1000)

        await manager.press("Close sales")
        await manager.sees("Reserved seats (2) can still be paid for; 68 seats stay unsold.")
        await manager.press("Not now")
        await manager.press("Close sales")
        await manager.page.get_by_label("Why? (optional)").locator("visible=true").last.fill("the end")
        await manager.press("Yes, close for good")
        await manager.sees("Sales are closed.", "This sale is over.")
        await sale.until_status(phase="closed")
        page = f"{town.url}/h/{sale.slug}/{sale.on_sale}/summary?language=en"
        await expect(summary).to_have_attribute("href", page)
        await expect(summary).to_be_visible()
        await expect(line_of(manager, "Sales closed:")).to_contain_text("the end")
        await expect(line_of(manager, "Pace changed:")).to_contain_text("undone: Change the pace")
        await expect(line_of(manager, "Went on:")).to_contain_text("Manager")
        await expect(line_of(manager, "undone: Pause")).to_contain_text("Went on:")
        await expect(line_of(manager, "undone: Tell everyone waiting")).to_contain_text("Message changed:")
        assert await manager.overflow() == 0


async def test_a_sale_is_drained_and_goes_on_is_stopped_for_good_and_has_its_pace_planned(
    town: Town, people: People
) -> None:
    async with await town.open_sale("zeewind", rate_per_minute=600) as sale, people.arrive(PHONE) as manager:
        await sale.enter()
        await at_control(manager, sale)
        await manager.press("Call nobody further")
        await manager.sees("whoever is inside (1) can finish")
        await manager.page.get_by_role("button", name="Call nobody further").last.click()
        await manager.sees("Nobody further is called: 1 inside")
        await manager.press("Undo")
        await manager.sees("Undone: Call nobody further.", "Sales are running")

        await manager.press("Change the pace later")
        await fills(manager, Visitors_a_minute="90")
        await manager.page.get_by_label("From when on").fill("2031-01-10T20:00")
        await manager.press("Plan it")
        await manager.sees("The pace changes by itself, as planned.", "90 a minute.")
        found = await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)
        assert [step["rate_per_minute"] for step in found.json["rates"]] == [90]

        await manager.press("Stop everything now")
        await manager.sees("Whoever is inside (1) can choose no more seats", "This cannot be undone.")
        await manager.press("Yes, stop now")
        await manager.sees("Everything is stopped: nobody is inside any more.", "Sales are stopped")
        await manager.press("Go on")
        await manager.sees("Sales go on: 600 a minute are let in.")
        for what in ("Nobody further called:", "Later pace planned:", "Stopped:"):
            await expect(line_of(manager, what)).to_contain_text("Manager")
        assert await manager.overflow() == 0


async def test_staff_see_each_others_actions_and_undo_only_their_own(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive() as one, people.arrive(PHONE) as other:
        await at_control(one, sale)
        await at_control(other, sale)
        for manager, rate in ((one, "50"), (other, "70")):
            await manager.press("Change the pace")
            await fills(manager, Visitors_a_minute=rate)
            await manager.press("Use this pace")
            await manager.sees(f"Now {rate} a minute are let in")
        await expect(other.button("Undo")).to_be_visible()
        # What somebody else has changed since is theirs.
        await expect(one.page.get_by_role("button", name="Undo")).to_be_hidden()
        await expect(line_of(one, "Pace changed:")).to_contain_text("70")
        # The message of before is offered again.
        for text in ("First words", "Second words"):
            if not await one.page.get_by_label("Message").is_visible():
                await one.press("Tell everyone waiting")
            await fills(one, Message=text)
            await one.press("Show the message")
            await one.sees("Everyone who waits sees your message now.")
        await other.sees("Second words")
        await expect(line_of(other, "Second words")).to_be_visible()
        await other.press("Tell everyone waiting")
        await other.press("First words")
        await other.press("Show the message")
        await one.sees("What everyone reads now:First words")


@ON_EVERY_SCREEN
async def test_someone_new_returns_an_order(town: Town, people: People, device: dict[str, Any]) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(device) as manager:
        token = await sale.enter()
        held = await sale.hold(token, "zaal-A-1", "zaal-A-2")
        ordered = (await sale.order(token, held.json["hold"])).json
        await sale.until_recorded(ordered)
        order = str(ordered["order"])
        await at_control(manager, sale)
        await manager.press("Look up or return an order")
        await fills(manager, Order_number="nonsense")
        await manager.press("Find the order")
        await manager.sees("There is no order with this number in the books.")
        # The number is read aloud from the confirmation; its first groups say enough.
        groups = textwrap.wrap(order.replace("-", "").upper(), 4)
        for typed in (f" {order.upper()} ", " ".join(groups), " ".join(groups[:4])):
            await fills(manager, Order_number=typed)
            await manager.press("Find the order")
            found = manager.page.locator(f'.found-order [data-order="{order}"]')
            await expect(found.locator("[aria-hidden] > span")).to_have_text(groups)
            await manager.sees("Zaal, row A, seat 1", f"{await title_of(sale)}, ", "Fee", "€2.00")
            # Nothing is found any more before the next is looked for.
            await fills(manager, Order_number="0100 0000 0000")
            await manager.press("Find the order")
            await expect(found).to_have_count(0)
        await fills(manager, Order_number=" ".join(groups[:4]))
        await manager.press("Find the order")
        await manager.sees("2 seats go back on sale, and €42.00 has to go back to the buyer.", "This cannot be undone.")
        await manager.page.get_by_label("Why?", exact=True).locator("visible=true").fill("ill")
        await manager.press("Return these 2 seats")
        await manager.sees("Returned. €42.00 stands among what has to go back.", "€42.00 has to go back")
        await manager.finds(sale, "s", 0)
        await expect(line_of(manager, "Order returned:")).to_contain_text("ill")
        await expect(line_of(manager, "Order returned:").locator("[aria-hidden] > span")).to_have_text(groups)
        assert await manager.overflow() == 0


async def finds_order(manager: Person, order: str) -> None:
    if not await manager.page.get_by_label("Order number").is_visible():
        await manager.press("Look up or return an order")
    await fills(manager, Order_number=order)
    await manager.press("Find the order")


@ON_EVERY_SCREEN
async def test_some_of_an_order_is_returned_and_the_rest_exchanged(
    town: Town, people: People, device: dict[str, Any]
) -> None:
    async with await town.open_sale("zeewind", return_delay_seconds=0) as sale, people.arrive(device) as manager:
        token = await sale.enter()
        held = await sale.hold(token, "zaal-A-1", "zaal-A-2", "zaal-A-3")
        ordered = (await sale.order(token, held.json["hold"])).json
        await sale.until_recorded(ordered)
        order = str(ordered["order"])
        await at_control(manager, sale)
        await finds_order(manager, order)
        await manager.sees("3 seats go back on sale, and €63.00 has to go back to the buyer.")
        for seat in ("seat 1", "seat 3"):
            await manager.page.get_by_role("checkbox", name=seat).uncheck()
        await manager.sees("1 seat goes back on sale, and €21.00 has to go back to the buyer.")
        await manager.page.get_by_label("Why?", exact=True).locator("visible=true").fill("ill")
        assert await manager.overflow() == 0
        await manager.press("Return this seat")
        await manager.sees("Returned. €21.00 stands among what has to go back.")
        await sale.until_seats("o", "zaal-A-2")
        await sale.until_drained()
        await finds_order(manager, order)
        await manager.sees("Given back before: Zaal, row A, seat 2.")
        await manager.page.get_by_role("checkbox", name="seat 3").uncheck()
        await manager.page.get_by_label("Why?", exact=True).locator("visible=true").fill("another row")
        await manager.press("Exchange this seat")
        await manager.sees("The old ones stay the buyer’s until the exchange is made.")
        exchange = manager.page.locator(".exchange")
        await expect(exchange.get_by_role("radio", name="1", exact=True)).to_be_checked()
        await exchange.get_by_role("button", name="List").click()
        await exchange.locator("details.row > summary").nth(1).click()
        for seat in ("zaal-B-1", "zaal-B-2"):
            await exchange.locator(f'.row [data-seat="{seat}"]').first.click()
        await manager.press("Reserve these 2 seats")
        await manager.sees("The new seats", "€21.00 more has to be paid. Take it first.")
        await sale.until_seats("h", "zaal-B-1", "zaal-B-2")
        assert await manager.overflow() == 0
        await manager.press("Paid in cash: exchange")
        await manager.sees("Exchanged.")
        await sale.until_seats("s", "zaal-B-1", "zaal-B-2", "zaal-A-3")
        await sale.until_seats("o", "zaal-A-1")
        await expect(line_of(manager, "Order exchanged:")).to_contain_text("another row")
        assert await manager.overflow() == 0


async def test_two_orders_whose_numbers_begin_alike_are_not_taken_for_each_other(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive() as manager:
        orders = []
        for seat in ("zaal-A-1", "zaal-A-2"):
            token = await sale.enter()
            ordered = (await sale.order(token, (await sale.hold(token, seat)).json["hold"])).json
            await sale.until_recorded(ordered)
            orders.append(str(ordered["order"]))
        short, alike = orders[0][:13], []

        async def alike_begun(route: Route) -> None:
            alike.append(route.request.url)
            both = [await sale.get(f"/manage/orders/{each}", sale.manage_key) for each in orders]
            named = [each.json | {"order": short + orders[0][13:-2] + f"a{at}"} for at, each in enumerate(both)]
            await route.fulfill(json={"orders": named})

        await at_control(manager, sale)
        await manager.press("Look up or return an order")
        await manager.context.route("**/manage/orders?*", alike_begun)
        await fills(manager, Order_number=short)
        await manager.press("Find the order")
        await manager.sees("More than one order begins so. Type one more group.")
        assert len(alike) == 1
        await expect(manager.page.locator(".found-order")).to_have_count(0)


@ON_EVERY_SCREEN
async def test_someone_new_makes_a_performance_and_puts_it_on_sale(
    town: Town, people: People, device: dict[str, Any]
) -> None:
    options = {**device, "timezone_id": "Asia/Tokyo"}
    async with await town.open_sale("zeewind") as sale, people.arrive(options) as manager:
        title = f"Liederabend {now_ms()}"
        await at_control(manager, sale)
        await manager.press("Put performances on sale")
        await manager.press("Make a performance")
        await fills(manager, Name_of_the_performance=title, The_performance_begins_at="2001-06-01T20:00")
        await manager.page.get_by_label("Hall", exact=True).select_option(sale.hall)
        for category, prices in {"Rang 1": ("32.50", "20"), "Rang 2": ("18", "")}.items():
            part = manager.page.get_by_role("group", name=category, exact=True)
            for label, price in zip(("Full price", "Reduced (optional)"), prices, strict=True):
                await part.get_by_label(label).fill(price)
        await fills(manager, Fee_a_ticket="1.5", VAT_in_per_cent="6")
        await manager.page.get_by_text("More prices (optional)").click()
        await fills(manager, Group="90", Youth="50", Member="75", A_group_has_at_least="12")
        await manager.page.get_by_label("Whoever comes along with somebody in a wheelchair is free").check()
        await manager.press("Check it")
        await manager.sees("The performance would begin in the past.")
        await fills(manager, The_performance_begins_at="2031-03-30T02:30")
        await manager.press("Check it")
        await manager.sees("That time does not exist: the clock skips that hour.")
        await fills(manager, The_performance_begins_at="2031-06-01T20:00")
        await manager.press("Check it")
        await manager.sees("Rang 1: Full price €32.50, Reduced €20.00", "Rang 2: Full price €18.00", "1 June 2031")
        await manager.sees("Fee a ticket: €1.50", "It cannot be changed or deleted later")
        await manager.sees("Youth: 50\N{NO-BREAK SPACE}% of the full price", "VAT contained: 6\N{NO-BREAK SPACE}%")
        await manager.sees("Nobody checks the numbers: every one is good.")
        await manager.press("Change something")
        checker = "https://127.0.0.1:8443/check"
        await fills(manager, Address_of_your_program_that_checks=checker)
        await manager.press("Show what its questions are signed with")
        secret = (await sale.get("/manage/number-secret", sale.manage_key)).json["secret"]
        await manager.sees(secret)
        await fills(manager, Fee_a_ticket="")
        await manager.press("Check it")
        await manager.sees("Fee a ticket: €0.00")
        assert await manager.overflow() == 0
        await manager.press("Make it")
        await manager.sees(f"{title} is there, and not on sale yet.")
        listed = (await sale.get("/manage/performances", sale.manage_key)).json["performances"]
        (made,) = (each for each in listed if each["title"] == title)
        assert (made["hall"], made["starts_at"]) == (sale.hall, "2031-06-01T18:00:00.000Z")
        assert made["prices"] == {
            "Rang 1": {"full": 3250, "reduced": 2000, "group": 2925, "youth": 1625, "member": 2438, "companion": 0},
            "Rang 2": {"full": 1800, "group": 1620, "youth": 900, "member": 1350, "companion": 0},
        }
        assert (made["fee"], made["currency"], made["vat_rate"]) == (0, "EUR", 600)
        assert made["price_types"] == {
            "group": {"share": 9000, "at_least": 12},
            "youth": {"share": 5000},
            "member": {"share": 7500, "needs": "number", "at_most": 2, "verify_url": checker},
            "companion": {"share": 0, "needs": "companion", "fee": 0},
        }
        # It is chosen already, and one step away from being sold.
        await expect(manager.page.get_by_role("checkbox", name=title)).to_be_checked()
        await expect(manager.page.get_by_label("Title", exact=True)).to_have_value(title)
        await manager.press("Check it")
        # A price that no visitor can have is told before the sale is made.
        await manager.sees("“Group” is from 12 seats at once, and a visitor may take 6")
        await manager.press("Put on sale")
        await manager.sees(f"{title} is ready at", "Not on sale yet.")
        assert any(each["title"] == title for each in (await sale.get("")).json["on_sales"])


async def test_someone_new_puts_a_performance_on_sale(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE, timezone_id="Asia/Tokyo") as manager:
        title = f"Recital {now_ms()}"
        made = {"performance": f"recital-{now_ms()}", "hall": sale.hall, "title": title}
        prices = {"Rang 1": {"full": 2000}, "Rang 2": {"full": 1000}}
        more = {"starts_at": "2031-06-01T20:00:00+02:00", "prices": prices}
        assert (await sale.post("/manage/performances", made | more, token=sale.manage_key)).status == 201
        await at_control(manager, sale)
        await manager.press("Put performances on sale")
        await manager.page.get_by_role("checkbox", name=title).check()
        await fills(manager, Title="  ")
        await manager.press("Check it")
        assert await manager.page.get_by_label("Title", exact=True).evaluate("(title) => title.validity.valueMissing")
        await fills(manager, Title=title, Sales_start_at="2031-07-01T10:00", The_queue_opens_at="2031-07-01T09:00")
        await manager.press("Check it")
        await manager.sees("Sales would start after a performance has begun.")
        await fills(manager, Sales_start_at="2031-03-30T02:30", The_queue_opens_at="2031-03-29T09:00")
        await manager.press("Check it")
        await manager.sees("That time does not exist: the clock skips that hour.")
        await fills(manager, Sales_start_at="2031-05-01T10:00", The_queue_opens_at="2031-05-01T09:00")
        await manager.page.get_by_label("Who comes first").select_option("300")
        await manager.page.get_by_text("Rules for seats").click()
        await manager.page.get_by_label("A single seat left alone").select_option("always")
        await fills(manager, Minutes_for_which_seats="7", Until_so_many_seats="4", Seats_a_customer="12")
        await manager.page.get_by_text("Time inside").click()
        await fills(manager, Minutes_to_choose_and_pay="20", Minutes_to_come_back="10", Minutes_inside_in_all="90")
        await fills(manager, More_time_for_whoever_asks="150", Event_id="opening-2031")
        await manager.press("Check it")
        await manager.sees("Is this right?", "1 May 2031", "Earlier windows of 5 minutes first")
        await manager.sees("20 minutes to choose and pay, 150\N{NO-BREAK SPACE}% more", "opening-2031")
        await manager.sees(
            "Seats are reserved for 7 minutes.",
            "A single seat left alone: Not where the hall has another choice",
            "12 seats of a performance a customer, in all orders.",
        )
        await manager.press("Put on sale")
        await manager.sees(f"{title} is ready at", "Not on sale yet.")
        listed = (await sale.get("")).json["on_sales"]
        found = next(each for each in listed if each["title"] == title)
        # In the house's zone, wherever the manager is.
        assert (found["prequeue_at"], found["opens_at"]) == ("2031-05-01T07:00:00.000Z", "2031-05-01T08:00:00.000Z")
        draw = (await sale.get(f"/on-sales/{found['on_sale']}")).json["draw"]
        assert draw["rule"]["window_seconds"] == 300
        made = (await sale.get(f"/on-sales/{found['on_sale']}")).json
        told = {
            name: made[name] for name in ("pass_seconds", "longest_stay_seconds", "more_time_percent", "known_user")
        }
        assert told == {
            "pass_seconds": 1200,
            "longest_stay_seconds": 5400,
            "more_time_percent": 150,
            "known_user": True,
        }
        async with at_house(town.network_file, sale.slug) as (cell, _):
            kept = cell.on_sale(found["on_sale"])
        rules = (kept.hold_seconds, kept.lone_seats, kept.lone_seats_last, kept.seats_a_customer)
        assert rules == (420, "always", 4, 12)


async def test_someone_new_changes_how_the_pages_look_and_goes_back(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind") as sale,
        people.arrive(PHONE, refused=[410, 422]) as manager,
        people.arrive(refused=[410]) as friend,
        people.arrive() as visitor,
    ):
        before = (await sale.get("")).json
        await at_control(manager, sale)
        await manager.press("How your pages look")
        await fills(manager, Accent="#ffe0cc")
        await manager.press("Keep as a draft")
        await manager.sees("This accent can hardly be seen on your background (contrast 1.2; at least 3 is needed).")
        await manager.press("Take #")
        await manager.page.get_by_text("Your own words", exact=True).click()
        await fills(manager, **{"Below_the_house’s_name": "Where the wind sings."})
        await manager.press("Keep as a draft")
        await manager.sees("There is a draft.")
        link = manager.page.get_by_role("link", name="Look at the draft")
        address = await link.get_attribute("href")
        assert address is not None
        await friend.open(address)
        await friend.sees("Where the wind sings.", "A draft: this is how the pages would look.")
        await friend.open(f"/h/zeewind/{sale.on_sale}")
        await friend.sees("A draft: this is how the pages would look.")
        await visitor.open("/h/zeewind")
        await visitor.sees("What we are putting on sale.")
        assert (await sale.get("")).json["colours"] == before["colours"]
        await manager.press("Publish")
        await manager.sees("Published.")
        await friend.page.reload()
        await friend.sees("This draft is gone.")
        # What a browser or the edge still has may be shown once more.
        async for _ in tries():
            await visitor.page.reload()
            await visitor.sees("Concertzaal Zeewind")
            if await visitor.page.get_by_text("Where the wind sings.").count():
                break
        await manager.press("Back to the version before")
        await manager.sees("Your pages look as before again.")
        now = (await sale.get("")).json
        assert (now["colours"], now["words"]) == (before["colours"], before["words"])


async def test_a_manager_makes_a_key_that_works_and_withdraws_it(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive() as manager:
        await signs_in(manager, sale, "control", sale.manage_key)
        page = manager.page
        await manager.press("Keys")
        await fills(manager, For_whom_or_what="Counter Saturday")
        await page.get_by_label("sell at the counter").check()
        await manager.press("Make a key")
        told = await page.get_by_text("Copy this key now").inner_text()
        key = told.split()[-1]
        held = await sale.best(key, 1)
        assert held.status == 201
        line = page.get_by_role("listitem").filter(has_text="Counter Saturday").filter(has=page.get_by_role("button"))
        await line.get_by_role("button", name="Withdraw").click()
        await line.get_by_role("button", name="Really withdraw?").click()
        await expect(page.get_by_role("listitem").filter(has_text="Counter Saturday").first).to_contain_text(
            "withdrawn"
        )
        assert (await sale.best(key, 1)).status == 401


async def title_of(sale: Sale) -> str:
    found = (await sale.get(f"/on-sales/{sale.on_sale}")).json["performances"]
    return str(found[0]["title"])


@asynccontextmanager
async def a_matinee(town: Town) -> AsyncIterator[Sale]:
    """A sale whose performance nobody takes for another."""
    show_title = f"Matinee {now_ms()}"
    async with await town.open_sale("zeewind", hold_seconds=300, show_title=show_title) as sale:
        yield sale


async def starts_to_sell(clerk: Person, sale: Sale) -> None:
    """Comes in at the counter and reserves two seats of the sale's performance."""
    await signs_in(clerk, sale, "counter", sale.counter_key)
    await clerk.sees("Which performance?")
    await clerk.press(await title_of(sale))
    await clerk.press("Find the best seats")
    await clerk.sees("Reserved until")


@ON_EVERY_SCREEN
async def test_someone_new_at_the_counter_sells_two_seats_and_undoes_it(
    town: Town, people: People, device: dict[str, Any]
) -> None:
    async with (
        a_matinee(town) as sale,
        # The key is tried on a hold that does not exist; an undo may come before the sale is written down.
        people.arrive(device, refused=[404, 409]) as clerk,
    ):
        is_phone = device is PHONE
        await starts_to_sell(clerk, sale)
        await clerk.press("To payment")
        await clerk.sees("To pay: €42.00", await title_of(sale))
        if is_phone:
            await clerk.page.get_by_text("The buyer’s details (optional)").click()
            await fills(clerk, **{"E-mail": "ada@example.org", "Name": "Ada"})
        await clerk.press("Cash" if is_phone else "Card")
        await clerk.sees("Sold", "€42.00 received in cash." if is_phone else "€42.00 paid by card.")
        await clerk.finds(sale, "s", 2)
        order = (await sale.get("/manage/orders", sale.manage_key)).json["orders"]
        number = await clerk.page.locator(".done .order-number").get_attribute("data-order") or ""
        groups = textwrap.wrap(number.replace("-", "").upper(), 4)
        await expect(clerk.page.locator(".done .order-number [aria-hidden] > span")).to_have_text(groups)
        await clerk.sees(await title_of(sale))
        await clerk.press("Undo this sale")
        await clerk.sees("The 2 seats go back on sale and €42.00 goes back to the customer.")
        await clerk.press("Yes, undo the sale")
        await clerk.sees("Sale undone", "Give €42.00 back" if is_phone else "Put €42.00 back on the card.")
        await clerk.finds(sale, "s", 0)
        orders = (await sale.get("/manage/orders", sale.manage_key)).json["orders"]
        own = [each for each in orders if each["on_sale"] == sale.on_sale]
        assert [(each["channel"], "Ada" in str(each)) for each in own] == [("counter", is_phone)], order
        assert (own[0]["order"], own[0]["state"]) == (number, "refunded")
        # The next customer is one key away.
        await clerk.page.keyboard.press("Enter")
        await clerk.sees("Nothing yet. Choose seats; they are kept here.")
        assert await clerk.overflow() == 0


async def test_an_answer_that_is_lost_at_the_counter_sells_nothing_twice(town: Town, people: People) -> None:
    lost = 0

    async def lose(route: Route) -> None:
        nonlocal lost
        await route.fetch()
        lost += 1
        await route.abort()

    async with (
        a_matinee(town) as sale,
        people.arrive(refused=[404]) as clerk,
    ):
        await starts_to_sell(clerk, sale)
        await clerk.press("To payment")
        await clerk.context.route("**/orders", lose)
        await clerk.press("Cash")
        await clerk.sees("No answer yet: perhaps it is sold already.")
        assert lost > 0, "no answer was lost"
        await clerk.context.unroute("**/orders")
        await clerk.press("Ask again")
        await clerk.sees("€42.00 received in cash.")
        await clerk.finds(sale, "s", 2)
        await clerk.context.set_offline(True)
        await clerk.sees("No connection. What is reserved stays so until its time is up; nothing is sold.")
        await clerk.context.set_offline(False)
        await expect(clerk.page.get_by_text("No connection.")).to_be_hidden()


async def test_a_manager_is_told_what_needs_attention_and_sees_to_it(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive() as manager:
        async with at_house(town.network_file, "zeewind") as (_, ledger):
            await raise_alarm(ledger, "live-seat", {"order": "an-order"})
            await note_unclaimed(ledger, "demo", "yes-nobodys")
            await request_unclaimed_refund(ledger, "demo", "yes-nobodys")
        await signs_in(manager, sale, "control", sale.manage_key)
        await manager.sees("Needs somebody’s attention", "A seat was sold twice", "A payment has to go back")
        for text, button in (
            ("A seat was sold twice", "Seen to"),
            ("no order belongs", "Seen to"),
            ("A payment has to go back", "Money went back"),
        ):
            line = line_of(manager, text)
            await line.get_by_text(button, exact=True).first.click()
            await line.get_by_label("Why?").fill("called them")
            await line.get_by_role("button", name=button).click()
            await expect(manager.page.get_by_role("listitem").filter(has_text=text)).to_have_count(0)
        await manager.sees("Money went back: demo yes-nobodys")
