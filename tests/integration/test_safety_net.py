"""A safety net over HTTP: what the status says of it, and how a house hangs it up."""

import asyncio

from tests.integration.commands import Parvis
from tests.town import Sale, Town, small_plan


async def told(sale: Sale, **body: object) -> object:
    answer = await sale.post(
        f"/manage/on-sales/{sale.on_sale}/guard", {"reason": "a test"} | body, token=sale.manage_key
    )
    assert answer.status == 200, answer.json
    return answer.json


async def test_a_net_is_hung_up_and_taken_down_while_the_sale_runs(town: Town) -> None:
    async with await town.open_sale("zuid", plan=small_plan()) as sale:
        assert "safety_net" not in await sale.status(), "a room shows, unless a house wants it otherwise"
        counters = await told(sale, safety_net_per_minute=60, fails="open")
        assert isinstance(counters, dict)
        assert (counters["safety_net_per_minute"], counters["fails"]) == (60, "open")
        seen = await sale.until_status(safety_net={"per_minute": 60, "is_active": False})
        assert seen["fails"] == "open"
        await asyncio.gather(*(sale.join() for _ in range(31)))
        await sale.until_status(safety_net={"per_minute": 60, "is_active": True})
        await told(sale, safety_net_per_minute=0)
        await sale.until_status(safety_net=None)


async def test_what_no_guard_can_be_told_is_refused(town: Town, shared: Sale) -> None:
    async with shared as sale:
        path = f"/manage/on-sales/{sale.on_sale}/guard"
        for body in ({}, {"fails": "sometimes"}, {"safety_net_per_minute": -1}, {"safety_net_per_minute": 100_001}):
            answer = await sale.post(path, {"reason": "a test"} | body, token=sale.manage_key)
            assert (answer.status, answer.slug) == (422, "bad-input"), body


async def test_it_is_hung_up_by_the_command(town: Town, parvis: Parvis) -> None:
    async with await town.open_sale("zuid", plan=small_plan()) as sale:
        where = ("--network", str(town.network_file), "--house", "zuid", "--why", "a test")
        done = await asyncio.to_thread(
            parvis, "on-sale", "guard", sale.on_sale, *where, "--safety-net-per-minute", "7", "--fails", "open"
        )
        assert done.code == 0, done
        assert (await sale.until_status(fails="open"))["safety_net"] == {"per_minute": 7, "is_active": False}
