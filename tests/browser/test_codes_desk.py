"""A house's ticketing manager makes codes on the control page, hands them out, sees them used and ends them."""

from typing import Any

import pytest
from playwright.async_api import expect

from engine.instants import now_ms
from tests.browser.person import DESK, PHONE, People
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_staff import at_control, fills
from tests.integration.test_prices import open_sale
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("device", [PHONE, DESK], ids=["360", "1280"])
async def test_someone_new_makes_codes_and_ends_them(town: Town, people: People, device: dict[str, Any]) -> None:
    async with await open_sale(town, slug="zeewind") as sale, people.arrive(device) as manager:
        title, own = f"The choir {now_ms()}", f"CHOIR {now_ms()}"
        await at_control(manager, sale)
        await manager.press("Codes for prices")
        await manager.press("Make codes")
        await manager.page.get_by_label("What a code unlocks").select_option("promo")
        await fills(manager, What_they_are_for=title, Seats_that_one_code="2", Or_one_code=own)
        await manager.page.get_by_label("Why?", exact=True).locator("visible=true").fill("a thank-you")
        await manager.press("Make them")
        await manager.sees("They are shown this once: copy them now.")
        code = (await manager.page.locator(".unfolded pre").inner_text()).strip()
        assert code == own
        line = manager.page.locator(".log li", has_text=title)
        await expect(line).to_contain_text("1 code for 2 seats; used for 0")
        await has_no_barrier(manager, "codes")
        assert await manager.overflow() == 0

        async def buys(*seats: str) -> Any:
            wish = {"items": [{"performance": sale.performance, "seats": seats}], "codes": [code]}
            return await sale.post("/holds", wish | {"price_types": ["promo"] * len(seats)}, token=await sale.enter())

        seats = list(sale.layouts[sale.performance])
        held = await buys(*seats[:2])
        assert held.status == 201, held.json
        assert (await buys(seats[4])).slug == "code-used-up"
        await manager.press("Codes for prices")
        await manager.press("Codes for prices")
        await expect(line).to_contain_text("used for 2")
        await line.get_by_role("button", name="End these").click()
        await line.get_by_label("Why?").fill("it was a mistake")
        await line.get_by_role("button", name="Yes, end them").click()
        await manager.sees(f"{title}: these codes unlock nothing more. This cannot be undone.")
        await expect(line).to_contain_text("Ended")
        assert (await buys(seats[4])).slug == "unknown-code"
