"""A house whose holds take too long lets people in more slowly, whichever of its processes answers them."""

import asyncio

import pytest

from tests.faults.patience import until
from tests.town import Sale, Town

RATE = 600


class TwoProcesses(Town):
    workers = 2


async def pace(sale: Sale) -> int:
    return int((await sale.status())["lines"]["public"]["per_minute"])


@pytest.mark.timeout(120)
async def test_slow_holds_halve_the_pace_and_quick_ones_bring_it_back() -> None:
    """Every hold takes longer than the millisecond that is granted here."""
    town = await asyncio.to_thread(TwoProcesses(("oost",), limits={"hold_p99_ms": 1}).start)
    try:
        await town.until_ready()
        async with await town.open_sale("oost", rate_per_minute=RATE) as sale:
            visitor = await sale.enter()
            assert await pace(sale) == RATE

            async def is_halved() -> bool:
                answers = await asyncio.gather(*(sale.hold(visitor, f"zaal-A-{seat}") for seat in range(1, 9)))
                assert {answer.status for answer in answers} <= {201, 409, 422}
                # Why is told while it is so: a moment later the holds are few, and calm.
                shown = (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json
                assert shown["pressure_level"] == 0
                is_told = shown["slowed_percent"] >= 50 and "took longer than 1 ms" in shown["pressure"]
                return is_told and await pace(sale) <= RATE / 2

            await until(is_halved, within_s=30)

            async def is_as_before() -> bool:
                return await pace(sale) == RATE

            await until(is_as_before, within_s=60)
    finally:
        await asyncio.to_thread(town.stop)
