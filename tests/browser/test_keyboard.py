"""The visitor's way by keyboard alone: every stop can be seen, and the plan is walked with arrow keys."""

import pytest
from playwright.async_api import expect

from tests.browser.person import People
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_visitor_buys_a_seat_without_touching_a_mouse(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", hold_seconds=300) as sale, people.arrive() as visitor:
        page, keys = visitor.page, visitor.page.keyboard
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await expect(visitor.button("Join the queue")).to_be_visible()
        await visitor.tabs_to("Skip to the content")
        await visitor.tabs_to("Join the queue")
        await keys.press("Enter")
        await expect(visitor.button("Choose my seats")).to_be_visible()
        await visitor.tabs_to("Choose my seats")
        await keys.press("Enter")
        await expect(page.locator(".map-frame")).to_be_visible()

        # The plan is one stop; arrows walk in it, and two steps right and one down is two seats right and one row down.
        await visitor.tabs_to("Zaal, row A, seat 1")
        for key, seat in (
            ("ArrowRight", "zaal-A-2"),
            ("ArrowRight", "zaal-A-3"),
            ("ArrowDown", "zaal-B-3"),
            ("End", "zaal-B-10"),
            ("Home", "zaal-B-1"),
            ("ArrowUp", "zaal-A-1"),
        ):
            await keys.press(key)
            await expect(visitor.seat(seat)).to_be_focused()
        await keys.press("Enter")
        await keys.press("ArrowRight")
        await keys.press("Space")
        await expect(visitor.seat("zaal-A-1")).to_have_attribute("aria-checked", "true")
        await visitor.tabs_to("Reserve these 2 seats")
        await keys.press("Enter")
        await visitor.sees("Reserved for you until")
        await expect(visitor.seat("zaal-A-2")).to_have_attribute(
            "aria-label", "Zaal, row A, seat 2, Rang 1, €20.00, reserved for you"
        )

        await visitor.tabs_to("To payment")
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="Your details")).to_be_focused()
        await visitor.tabs_to("E-mail")
        await keys.type("ada@example.org")
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="Your order is confirmed")).to_be_focused()
        await visitor.finds(sale, "s", 2)
