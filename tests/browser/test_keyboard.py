"""The visitor's way by keyboard alone: every stop can be seen, and a hall is a list of parts, rows and seats."""

import pytest
from playwright.async_api import expect

from tests.browser.person import People, Person
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def comes_in_by_keyboard(visitor: Person, sale: Sale) -> None:
    """From the waiting page to the seats."""
    await visitor.open(f"/h/zeewind/{sale.on_sale}")
    await expect(visitor.button("Join the queue")).to_be_visible()
    await visitor.tabs_to("Skip to the content")
    await visitor.tabs_to("Join the queue")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.button("Choose my seats")).to_be_visible()
    await visitor.tabs_to("Choose my seats")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.locator(".map-frame")).to_be_visible()


async def pays_by_keyboard(visitor: Person) -> None:
    """From the basket to the order."""
    await visitor.tabs_to("To payment")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("heading", name="Your details")).to_be_focused()
    await visitor.tabs_to("E-mail")
    await visitor.page.keyboard.type("ada@example.org")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("heading", name="Your order is confirmed")).to_be_focused()


async def test_a_visitor_buys_seats_of_a_row_without_touching_a_mouse(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive() as visitor:
        keys = visitor.page.keyboard
        await comes_in_by_keyboard(visitor, sale)
        await visitor.tabs_to("List")
        await keys.press("Enter")
        await visitor.tabs_to("row B")
        await keys.press("Enter")

        # A row is one stop; arrows walk in it.
        await visitor.tabs_to("Zaal, row B, seat 1,")
        for key, seat in (
            ("ArrowRight", "zaal-B-2"),
            ("ArrowRight", "zaal-B-3"),
            ("ArrowLeft", "zaal-B-2"),
            ("End", "zaal-B-10"),
            ("Home", "zaal-B-1"),
        ):
            await keys.press(key)
            await expect(visitor.seat(seat)).to_be_focused()
        await keys.press("Enter")
        await keys.press("ArrowRight")
        await keys.press("Space")
        await expect(visitor.seat("zaal-B-1")).to_have_attribute("aria-pressed", "true")
        await visitor.tabs_to("Reserve these 2 seats")
        await keys.press("Enter")
        await visitor.sees("Reserved for you until")
        said = "Zaal, row B, seat 2, Rang 1, €20.00, reserved for you"
        await expect(visitor.seat("zaal-B-2")).to_have_attribute("aria-label", said)

        # What somebody else takes meanwhile is said at once.
        assert (await sale.hold(await sale.enter(), "zaal-B-5")).status == 201
        said = "Zaal, row B, seat 5, Rang 1, €20.00, reserved"
        await expect(visitor.seat("zaal-B-5")).to_have_attribute("aria-label", said)
        await expect(visitor.seat("zaal-B-5")).to_have_attribute("aria-disabled", "true")
        await pays_by_keyboard(visitor)
        await visitor.finds(sale, "s", 2)


async def test_a_visitor_finds_a_seat_by_its_name_and_the_best_by_a_number(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive() as visitor:
        page, keys = visitor.page, visitor.page.keyboard
        await comes_in_by_keyboard(visitor, sale)
        # The numbers are radios: arrows choose among them.
        await visitor.tabs_to("2")
        await keys.press("ArrowRight")
        await visitor.tabs_to("Find the best seats")
        await keys.press("Enter")
        await expect(page.locator(".basket .items li")).to_have_count(3)
        await visitor.tabs_to("List")
        await keys.press("Enter")
        await visitor.tabs_to("Find a seat")
        await keys.type("row C seat 14")
        await keys.press("Enter")
        await visitor.sees("There is no such seat.")
        await keys.press("Control+A")
        await keys.type("row d seat 7")
        await keys.press("Enter")
        await expect(visitor.seat("zaal-D-7")).to_be_focused()
        await pays_by_keyboard(visitor)
        await visitor.finds(sale, "s", 3)
