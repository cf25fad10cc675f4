"""Where a house draws by windows of time: a visitor is told so, and can check the place that it gave them."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from engine.instants import now_ms
from engine.verifier import positions
from tests.browser.person import PHONE, People
from tests.browser.test_visitor import manage
from tests.plain import PlainVisitor
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_visitor_is_told_of_windows_and_checks_the_place_that_they_gave(town: Town, people: People) -> None:
    rules: dict[str, Any] = {"opens_at_ms": now_ms() + 1_000_000, "fair_window_seconds": 1, "rate_per_minute": 1}
    async with (
        await town.open_sale("zeewind", **rules) as sale,
        people.arrive(PHONE, language="nl") as visitor,
        PlainVisitor(town.url) as without,
    ):
        for _ in range(6):
            await sale.join()
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        told = "Er wordt geloot per tijdvak van 1 seconde"
        await visitor.sees("u loot mee met wie rond dezelfde tijd komt", told)
        await asyncio.sleep(1.1)  # so that the next window has begun
        plain = await without.send(await without.open(f"/h/zeewind/{sale.on_sale}/plain"), "Join the queue")
        assert "The order is drawn in windows of 1 second" in plain.text
        await asyncio.sleep(1.1)
        await visitor.press("Ga in de wachtrij")
        await visitor.sees("U kwam erbij als nummer", told)
        await asyncio.sleep(1.1)
        await sale.join()
        await manage(sale, "open")
        number = visitor.page.locator(".number")
        await expect(number).to_have_text("8", timeout=45_000)
        draw = (await sale.status())["draw"]
        assert draw["windows"][-2:] == [8, 9]
        assert [positions(draw)(index) for index in (6, 7, 8)] == [6, 7, 8]
        assert "Your number in the queue 7" in (await without.open(plain.path)).text
        await visitor.page.get_by_text("Controleer het zelf").click()
        await visitor.sees("Geloot per tijdvak van")
        await sale.until_drained()
        await visitor.press("Nu narekenen")
        await visitor.sees("Klopt.", "U staat in de lijst die bij de start van de ticketverkoop gesloten werd.")
        assert await visitor.overflow() == 0


async def test_whoever_joins_after_the_start_is_drawn_in_a_window_too_and_checks_that(
    town: Town, people: People
) -> None:
    async with (
        await town.open_sale("zeewind", fair_window_seconds=2, rate_per_minute=1) as sale,
        people.arrive(PHONE, language="nl") as visitor,
    ):
        for _ in range(4):
            await sale.join()
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.sees("u loot mee met wie rond dezelfde tijd komt", "Er wordt geloot per tijdvak van 2 seconden")
        await visitor.press("Ga in de wachtrij")
        number = visitor.page.locator(".number")
        await expect(number).to_be_visible(timeout=45_000)
        index = (await visitor.kept(sale))["index"]
        await sale.until_drained()
        transcript = (await sale.get(f"/on-sales/{sale.on_sale}/draw")).json
        position = positions(transcript)(index)
        assert position is not None
        await expect(number).to_have_text(str(position + 1))
        await visitor.page.get_by_text("Controleer het zelf").click()
        await visitor.press("Nu narekenen")
        await visitor.sees("Klopt.", f"binnen uw tijdvak geeft dat nummer {position + 1}")
