"""Somebody has a code, or follows the link of an invitation, to a queue of their own."""

from typing import Any

import pytest
from playwright.async_api import expect

from engine.catalogue import Line
from engine.instants import now_ms
from engine.line_codes import link_of
from engine.words import LineName
from tests.browser.person import PHONE, People
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_tabs import SLOW
from tests.integration.test_lines import invited, join
from tests.plain import room
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def counted(sale: Sale) -> dict[str, int]:
    """How many joined each line."""
    return {line: found["joined"] for line, found in (await sale.status())["lines"].items()}


async def test_an_invitation_leads_into_its_own_queue(town: Town, people: People) -> None:
    line = Line(LineName("press"), "Press", "invitation", 20, now_ms() - 60_000)
    async with await town.open_sale("zeewind", lines=(line,), **SLOW) as sale, people.arrive(PHONE) as visitor:
        for number in range(3):
            await sale.join(f"public {number}")
        (code,) = await invited(town, sale, 1)
        await visitor.page.goto(town.url + link_of("zeewind", sale.on_sale, "press", code))
        await visitor.press("Join the queue")
        await expect(visitor.page.locator(".number")).to_have_text("1")
        assert await counted(sale) == {"public": 3, "press": 1}
        await visitor.page.get_by_text("Is the order honest? Check it yourself").click()
        await visitor.press("Check it")
        await expect(visitor.page.locator(".draw .outcome")).to_have_attribute("data-right", "yes")
        assert "/lines/press/draw" in (await visitor.page.locator(".draw a").get_attribute("href") or "")
        await visitor.sees("Your queue: Press.")


async def test_a_member_types_a_code_before_the_public_queue_is_open(town: Town, people: People) -> None:
    """A presale: the public queue opens tomorrow. What is wrong with a code is said in words."""
    now, day = now_ms(), 86_400_000
    lines = (
        Line(LineName("members"), "Members", "invitation", 40, now - 60_000, now + day),
        Line(LineName("early"), "Early birds", "code", 10, now - day, now - 1_000),
        Line(LineName("late"), "Friends", "code", 10, now + 2 * day),
    )
    dates: dict[str, Any] = {"prequeue_at_ms": now + day, "opens_at_ms": now + day + 3_600_000}
    async with (
        await town.open_sale("zeewind", lines=lines, **dates) as sale,
        people.arrive(PHONE, refused=[404, 409, 422]) as visitor,
    ):
        first, second = await invited(town, sale, 2, "members")
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        page = visitor.page
        await page.get_by_text("I have a code or an invitation").click()
        await visitor.sees("Members. Open until", "Early birds: closed.", "Friends: sales start")
        await expect(page.get_by_label("Queue", exact=True).locator("option")).to_have_text(["Members"])
        await page.get_by_label("Code or invitation").fill("not a code")
        await visitor.press("Join with this code")
        await visitor.sees("We do not know this code, or it counts no more.")
        assert (await join(sale, "members", first)).status == 201
        await page.get_by_label("Code or invitation").fill(first)
        await visitor.press("Join with this code")
        await visitor.sees("This code or invitation has given somebody a number already.")
        await has_no_barrier(visitor, "a code for a queue")
        assert await visitor.overflow() == 0

        await page.get_by_label("Code or invitation").fill(second)
        await visitor.press("Join with this code")
        await visitor.sees("Your queue: Members. Open until")
        await expect(page.get_by_text("I have a code or an invitation")).to_be_hidden()
        await visitor.press("Choose my seats")
        await expect(page.locator(".map-frame")).to_be_visible()


async def test_whoever_comes_too_late_by_an_invitation_goes_on_without_it(town: Town, people: People) -> None:
    now = now_ms()
    line = Line(LineName("press"), "Press", "invitation", 20, now - 60_000, now - 1_000)
    async with (
        await town.open_sale("zeewind", lines=(line,), **SLOW) as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
    ):
        (code,) = await invited(town, sale, 1)
        await visitor.page.goto(town.url + link_of("zeewind", sale.on_sale, "press", code))
        await visitor.press("Join the queue")
        await visitor.sees("This queue is closed. You can join another.")
        await visitor.press("Go on without a code")
        await visitor.press("Join the queue")
        await expect(visitor.page.locator(".number")).to_have_text("1")
        assert await counted(sale) == {"public": 1, "press": 0}


async def test_whose_queue_closes_before_their_turn_is_told_so(town: Town, people: People) -> None:
    closes = now_ms() + 8_000
    line = Line(LineName("press"), "Press", "invitation", 20, closes - 60_000, closes)
    async with await town.open_sale("zeewind", lines=(line,), cap=1) as sale, people.arrive(PHONE) as visitor:
        await sale.enter()  # nobody else comes in
        (code,) = await invited(town, sale, 1)
        await visitor.page.goto(town.url + link_of("zeewind", sale.on_sale, "press", code))
        await visitor.press("Join the queue")
        await visitor.sees("Your queue: Press. Open until")
        await expect(visitor.page.get_by_text("Your queue has closed")).to_be_visible(timeout=30_000)
        await visitor.sees("You were not called yet: you can join another queue.", "Press: closed.")


async def test_without_javascript_a_code_is_typed_on_a_phone(town: Town, people: People) -> None:
    now = now_ms()
    line = Line(LineName("press"), "Press", "invitation", 20, now - 60_000, now + 86_400_000)
    async with (
        await town.open_sale("zeewind", lines=(line,), **SLOW) as sale,
        people.arrive(PHONE, language="de", java_script_enabled=False) as visitor,
    ):
        (code,) = await invited(town, sale, 1)
        page = visitor.page
        await visitor.open(room(sale))
        await page.get_by_text("Ich habe einen Code oder eine Einladung").click()
        await page.get_by_label("Code oder Einladung").fill("x")
        await visitor.press("Mit diesem Code anstellen")
        await visitor.sees("Diesen Code kennen wir nicht, oder er gilt nicht mehr.")
        assert await visitor.overflow() == 0

        await page.get_by_label("Code oder Einladung").fill(code)
        await visitor.press("Mit diesem Code anstellen")
        await visitor.sees("Ihre Warteschlange: Press.")
