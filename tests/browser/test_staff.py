"""What staff see: the control page of a manager, and the counter page of whoever sits at the box office today."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.ledger.payments import note_unclaimed, request_unclaimed_refund
from engine.ledger.recoveries import raise_alarm
from tests.browser.person import PHONE, People, Person
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def signs_in(person: Person, sale: Sale, page: str, key: str) -> None:
    await person.open(f"/h/{sale.slug}/{page}")
    await person.page.get_by_label("Your key").fill(key)
    await person.press("Sign in")


async def does(manager: Person, action: str, *, why: str, **fields: str) -> None:
    """Opens an action, fills it in, says why, and does it."""
    form = manager.page.locator("details.action", has=manager.page.locator("summary", has_text=action))
    if not await form.evaluate("(details) => details.open"):
        await form.locator("summary").click()
    for label, value in fields.items():
        await form.get_by_label(label.replace("_", " ")).fill(value)
    await form.get_by_label("Why?").fill(why)
    for box in await form.get_by_role("checkbox").all():
        await box.check()
    await form.get_by_role("button", name=action).click()


def counter_of(manager: Person, label: str) -> Locator:
    """A number on the control page."""
    tile = manager.page.locator(".tile", has=manager.page.get_by_text(label, exact=True))
    return tile.locator("dd")


async def test_a_wrong_key_and_another_kind_of_key_are_told(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE, refused=[401, 403]) as stranger:
        for page in ("control", "counter"):
            await signs_in(stranger, sale, page, "pk_wrong")
            await stranger.sees("This key is not accepted here.")
        await signs_in(stranger, sale, "counter", sale.manage_key)
        await stranger.sees("This key is not accepted here.")
        assert await stranger.page.evaluate("sessionStorage.length") == 0


async def test_a_manager_runs_a_whole_sale_and_sees_it_live(town: Town, people: People) -> None:
    soon: dict[str, Any] = {"opens_at_ms": now_ms() + 3_600_000, "rate_per_minute": 1}
    async with (
        await town.open_sale("zeewind", **soon) as sale,
        people.arrive() as manager,
        people.arrive(PHONE) as visitor,
    ):
        await signs_in(manager, sale, "control", sale.manage_key)
        await manager.page.get_by_role("combobox", name="Sale", exact=True).select_option(sale.on_sale)
        await expect(counter_of(manager, "Joined")).to_have_text("0")
        await expect(counter_of(manager, "free")).to_contain_text("70")
        for _ in range(3):
            await sale.join()
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.press("Join the queue")
        # Nobody touches the page: it looks by itself.
        await expect(counter_of(manager, "Joined")).to_have_text("4")

        await does(manager, "Tell everyone waiting", why="a delay", Message="We start <b>late</b> & gladly")
        await manager.sees("The message is changed.")
        await visitor.sees("We start <b>late</b> & gladly")
        await does(manager, "Start sales now", why="everyone is here")
        await manager.sees("Sales have started.", "On sale")
        await visitor.sees("Your number in the queue")
        await does(manager, "Pause", why="the lights")
        await manager.sees("Sales are paused.", "Sales paused")
        await visitor.sees("Sales are paused for a moment")
        await does(manager, "Go on", why="the lights are back")
        await manager.sees("Sales go on.")
        await does(manager, "Change the pace", why="room enough", Visitors_a_minute="60000")
        await manager.sees("The pace is changed.")
        await expect(counter_of(manager, "Let in")).to_contain_text("60,000")
        await visitor.press("Choose my seats")
        await visitor.press("Find the best seats")
        await expect(counter_of(manager, "reserved")).to_contain_text("2")
        await expect(counter_of(manager, "Inside now")).to_contain_text("1")

        await does(manager, "Close sales", why="the end")
        await manager.sees("Sales are closed.", "Sales closed")
        assert (await sale.get(f"/on-sales/{sale.on_sale}/status")).json["phase"] == "closed"
        newest = manager.page.locator(".log li").first
        await expect(newest).to_contain_text("Sales closed:")
        await expect(newest).to_contain_text("the end")
        await expect(newest).to_contain_text("Manager")


async def test_a_manager_makes_a_key_that_works_and_withdraws_it(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive() as manager:
        await signs_in(manager, sale, "control", sale.manage_key)
        page = manager.page
        await page.get_by_text("Keys", exact=True).click()
        await page.get_by_label("For whom or what").fill("Counter Saturday")
        await page.get_by_label("sell at the counter").check()
        keys = page.locator("details.action", has=page.locator("summary", has_text="Keys"))
        await keys.get_by_label("Why?").fill("the busiest day")
        await manager.press("Make a key")
        key = await page.locator("code").inner_text()
        held = await sale.best(key, 1)
        assert held.status == 201
        line = page.locator(".log li", has_text="Counter Saturday").last
        await line.get_by_role("button", name="Withdraw").click()
        await line.get_by_role("button", name="Really withdraw?").click()
        await expect(line).to_contain_text("withdrawn")
        assert (await sale.best(key, 1)).status == 401


@pytest.mark.parametrize("buyer", [None, "Ada"])
async def test_someone_new_at_the_counter_sells_two_seats_in_three_steps(
    town: Town, people: People, buyer: "str | None"
) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=300) as sale,
        # The key is tried on a hold that does not exist.
        people.arrive(PHONE, refused=[404]) as clerk,
    ):
        await signs_in(clerk, sale, "counter", sale.counter_key)
        page = clerk.page
        # 1: the performance.
        await clerk.sees("Which performance?")
        await page.locator(f'[data-performance="{sale.performance}"]').click()
        # 2: the seats.
        await clerk.press("Find the best seats")
        await clerk.sees("Reserved until")
        await clerk.press("To payment")
        # 3: the money.
        await clerk.sees("To pay: €42.00")
        if buyer:
            await page.get_by_text("The buyer’s details (optional)").click()
            await page.get_by_label("E-mail").fill("ada@example.org")
            await page.get_by_label("Name").fill(buyer)
        await clerk.press("Cash" if buyer else "Card")
        await clerk.sees("Sold", "€42.00 received in cash." if buyer else "€42.00 paid by card.")
        order = await page.locator(".order-number").inner_text()
        await clerk.finds(sale, "s", 2)
        answer = await sale.get("/manage/orders", sale.manage_key)
        found = next(each for each in answer.json["orders"] if each["order"] == order)
        assert found["channel"] == "counter"
        assert ("Ada" in str(found)) is bool(buyer)
        assert await clerk.overflow() == 0
        await clerk.press("Next customer")
        await expect(page.locator(".basket .items li")).to_have_count(0)
        await expect(page.locator(".legend")).to_contain_text(re.compile(r"\d+ free"))


async def test_a_manager_is_told_what_needs_attention_and_sees_to_it(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale, people.arrive() as manager:
        async with at_house(town.network_file, "zeewind") as (_, ledger):
            await raise_alarm(ledger, "live-seat", {"order": "an-order"})
            await note_unclaimed(ledger, "demo", "yes-nobodys")
            await request_unclaimed_refund(ledger, "demo", "yes-nobodys")
        await signs_in(manager, sale, "control", sale.manage_key)
        await manager.sees("Needs somebody’s attention", "A seat was sold twice", "A payment has to go back")
        lines = manager.page.locator(".attention li")
        for number, (text, button) in enumerate(
            [
                ("A seat was sold twice", "Seen to"),
                ("no order belongs", "Seen to"),
                ("has to go back", "Money went back"),
            ]
        ):
            line = lines.filter(has_text=text)
            await expect(lines).to_have_count(3 - number)
            await line.locator("summary").click()
            await line.get_by_label("Why?").fill("called them")
            await line.get_by_role("button", name=button).click()
        await expect(manager.page.locator(".attention")).to_be_hidden()
        await manager.sees("Money went back: demo yes-nobodys")
