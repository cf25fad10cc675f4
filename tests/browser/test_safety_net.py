"""A room that rests: whoever comes goes straight in, with and without JavaScript; in a rush it shows."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.person import DESK, PHONE, People
from tests.browser.test_staff import at_control
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PER_MINUTE = 60


async def hang_up(sale: Sale) -> None:
    body: dict[str, Any] = {"reason": "a test", "safety_net_per_minute": PER_MINUTE}
    answer = await sale.post(f"/manage/on-sales/{sale.on_sale}/guard", body, token=sale.manage_key)
    assert answer.status == 200, answer.json
    await sale.until_status(safety_net={"per_minute": PER_MINUTE, "is_active": False})


async def rush(sale: Sale) -> None:
    await asyncio.gather(*(sale.join() for _ in range(PER_MINUTE)))
    await sale.until_status(safety_net={"per_minute": PER_MINUTE, "is_active": True})


async def test_a_visitor_comes_straight_in_while_the_room_rests_and_sees_it_in_a_rush(
    town: Town, people: People
) -> None:
    async with await town.open_sale("zeewind") as sale:
        await hang_up(sale)
        async with people.arrive(PHONE) as visitor:
            await visitor.open(f"/h/zeewind/{sale.on_sale}")
            await expect(visitor.page).to_have_url(f"{town.url}/h/zeewind/{sale.on_sale}/seats")
        await rush(sale)
        async with people.arrive(PHONE) as late:
            await late.open(f"/h/zeewind/{sale.on_sale}")
            await late.press("Join the queue")
            await late.press("Choose my seats")


async def test_without_javascript_one_press_leads_in_while_the_room_rests(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind") as sale:
        await hang_up(sale)
        async with people.arrive(PHONE, java_script_enabled=False) as visitor:
            await visitor.open(f"/h/zeewind/{sale.on_sale}/plain")
            await visitor.press("Join the queue")
            await expect(visitor.page).to_have_url(f"{town.url}/h/zeewind/{sale.on_sale}/plain/seats")


async def test_whoever_gives_their_number_up_is_not_let_in_again_behind_their_back(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", rate_per_minute=60, cap=1) as sale:
        await sale.enter()
        await hang_up(sale)
        async with people.arrive(PHONE, refused=[409]) as visitor:
            await visitor.open(f"/h/zeewind/{sale.on_sale}")
            await visitor.press("Leave the queue")
            await visitor.press("Really leave? You lose your number")
            await expect(visitor.page.get_by_role("button", name="Join the queue")).to_be_visible()


async def test_a_manager_hangs_it_up_on_the_control_page_and_takes_it_down(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind") as sale,
        people.arrive(DESK) as manager,
    ):
        await at_control(manager, sale)
        await manager.page.get_by_role("button", name="Queue only in a rush").click()
        await manager.page.get_by_label("Queue only in a rush").check()
        await manager.page.get_by_label("From so many new visitors a minute").fill("120")
        await manager.page.get_by_label("If the queue cannot be reached").select_option("open")
        await manager.press("Use this")
        await manager.sees("Saved. It counts everywhere within seconds.")
        seen = await sale.until_status(safety_net={"per_minute": 120, "is_active": False})
        assert seen["fails"] == "open"
        await manager.press("Undo")
        await manager.sees("Undone: Queue only in a rush.")
        await sale.until_status(safety_net=None, fails="closed")
