"""The pages of a house's staff in every state: nothing is cut, a finger hits everything, and there is no barrier."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from playwright.async_api import expect

from engine.instants import now_ms
from tests.browser.person import PHONE, People, Person
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_sizes import SIZES, TWICE, can_be_hit, fits
from tests.browser.test_staff import at_control, fills, signs_in, title_of
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
REFUSED: Final = (401, 404, 409, 422)
Look = Callable[[Person, str], Awaitable[None]]


async def unfolds(person: Person) -> None:
    """Opens what is folded, until nothing is."""
    page = person.page
    while await (folded := page.get_by_role("button", expanded=False)).count():
        await folded.first.click()
    while await (closed := page.locator("main details:not([open]) > summary").locator("visible=true")).count():
        await closed.first.click()


async def steers(manager: Person, sale: Sale, look: Look) -> None:
    """The control page: what it asks before a thing is done, what it says after it, and an order."""
    page = manager.page
    await manager.open("/h/zeewind/control")
    await page.get_by_label("Your key").fill("pk_wrong")
    await manager.press("Sign in")
    await manager.sees("This key is not accepted here.")
    await look(manager, "the key, refused")
    token = await sale.enter()
    ordered = (await sale.order(token, (await sale.hold(token, "zaal-A-1", "zaal-A-2")).json["hold"])).json
    await sale.until_recorded(ordered)
    await at_control(manager, sale)
    await expect(page.locator(".tiles").first).to_be_visible()
    await look(manager, "control")
    await manager.press("Put performances on sale")
    await expect(
        page.get_by_label("Seats a visitor, at most").or_(page.get_by_text("Every coming performance"))
    ).to_be_visible()
    await look(manager, "what goes on sale")
    await unfolds(manager)
    await expect(page.get_by_role("group", name="Rang 2").first).to_be_visible()
    await expect(page.get_by_role("checkbox", name="Order bought")).to_be_visible()
    await expect(page.get_by_label("What for?")).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await look(manager, "control, all unfolded")
    await fills(manager, Order_number=str(ordered["order"])[:18])
    await manager.press("Find the order")
    await manager.sees("Return these 2 seats")
    await page.locator(".found-order summary").click()
    await look(manager, "an order")
    await fills(manager, Name_of_the_performance="Recital", The_performance_begins_at="2031-01-10T20:00")
    for price in await page.get_by_label("Full price", exact=True).all():
        await price.fill("1250.50")
    form = page.locator("form", has=page.get_by_label("Name of the performance"))
    await form.get_by_role("button", name="Check it").click()
    await manager.sees("Is this right?")
    await look(manager, "a performance, about to be made")
    await manager.press("Pause")
    await manager.sees("Sales are paused.", "Undo")
    await look(manager, "paused, with the way back")


async def asks_first(manager: Person, sale: Sale, look: Look) -> None:
    """What cannot be undone, before it is done."""
    await at_control(manager, sale)
    for action in ("Start sales now", "Close sales"):
        await manager.press(action)
    await manager.sees("The order is drawn now among 0", "stay unsold")
    await expect(manager.page.get_by_text("This cannot be undone.").locator("visible=true")).to_have_count(2)
    await look(manager, "questions")


async def dresses(manager: Person, sale: Sale, friend: Person, look: Look) -> None:
    """How the pages look: refused, drafted, and as a draft shows them."""
    page = manager.page
    await at_control(manager, sale)
    await manager.press("How your pages look")
    await fills(manager, Accent="#ffe0cc", Background="#ffffff")
    await manager.page.get_by_label("Text", exact=True).fill("#999999")
    await page.get_by_text("Your own words", exact=True).click()
    await fills(manager, Invitation_to_join="Without the time")
    await manager.press("Keep as a draft")
    await manager.sees("This accent can hardly be seen", "This text is hard to read", "This does not work yet:")
    await look(manager, "a theme, refused")
    await fills(manager, Invitation_to_join="", Accent="#8a4b08")
    await manager.page.get_by_label("Text", exact=True).fill("#14202b")
    await manager.press("Keep as a draft")
    await manager.sees("There is a draft.")
    await look(manager, "a theme, drafted")
    link = page.get_by_role("link", name="Look at the draft")
    await friend.open(await link.get_attribute("href") or "")
    await friend.sees("A draft: this is how the pages would look.")
    await look(friend, "the preview")
    await manager.press("Throw the draft away")
    await manager.sees("The draft is gone")
    await friend.page.reload()
    await friend.sees("This draft is gone.")
    await look(friend, "the preview, over")


async def sells(clerk: Person, sale: Sale, look: Look) -> None:
    """The counter, from the choice of a performance to a sale that is undone; and without a connection."""
    page = clerk.page
    await signs_in(clerk, sale, "counter", sale.counter_key)
    await clerk.sees("Which performance?")
    await look(clerk, "which performance")
    await clerk.press(await title_of(sale))
    await clerk.press("Find the best seats")
    await clerk.sees("Reserved until")
    await look(clerk, "seats")
    await clerk.press("To payment")
    await page.get_by_text("The buyer’s details (optional)").click()
    await clerk.sees("To pay: €42.00")
    await look(clerk, "payment")
    await clerk.press("Card")
    await clerk.sees("€42.00 paid by card.")
    await page.locator(".done summary").click()
    await look(clerk, "sold")
    await clerk.press("Undo this sale")
    await look(clerk, "undo?")
    await clerk.press("Yes, undo the sale")
    await clerk.sees("Sale undone")
    await look(clerk, "undone")
    await clerk.press("Next customer")
    await clerk.sees(await title_of(sale))
    await expect(page.locator(".map-frame")).to_be_visible()
    await clerk.context.set_offline(True)
    await clerk.sees("No connection.")
    await look(clerk, "offline")


async def every_state(town: Town, people: People, look: Look, device: dict[str, Any], script: str = "") -> None:
    soon = now_ms() + 3_600_000
    async with (
        await town.open_sale("zeewind", hold_seconds=300, show_title=f"Nachtconcert {now_ms()}") as sale,
        await town.open_sale("zeewind", opens_at_ms=soon) as later,
    ):
        for walk, which in ((steers, sale), (asks_first, later), (sells, sale)):
            async with people.arrive(device, refused=REFUSED) as someone:
                await someone.context.add_init_script(script)
                await walk(someone, which, look)
        async with people.arrive(device, refused=[422]) as manager, people.arrive(device, refused=[410]) as friend:
            for person in (manager, friend):
                await person.context.add_init_script(script)
            await dresses(manager, sale, friend, look)


@pytest.mark.parametrize("size", SIZES)
async def test_staff_pages_fit(town: Town, people: People, size: str) -> None:
    device, is_twice = SIZES[size]
    await every_state(town, people, fits, device, TWICE if is_twice else "")


async def test_everything_for_staff_is_large_enough_for_a_finger(town: Town, people: People) -> None:
    await every_state(town, people, can_be_hit, PHONE)


async def test_staff_pages_have_no_barrier_in_any_state(town: Town, people: People) -> None:
    await every_state(town, people, has_no_barrier, PHONE)
