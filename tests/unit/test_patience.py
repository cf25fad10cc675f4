"""One timer for all who wait equally long."""

import asyncio

import pytest

from api.patience import Patience


async def test_gives_what_comes_in_time() -> None:
    patience = Patience(60)
    assert await patience.bear(asyncio.sleep(0, "came")) == "came"


async def test_each_is_late_by_its_own_start() -> None:
    patience, never = Patience(0.05), asyncio.Event()
    ended: list[int] = []

    async def wait(number: int) -> None:
        with pytest.raises(TimeoutError):
            await patience.bear(never.wait())
        ended.append(number)

    first = asyncio.create_task(wait(1))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(wait(2))
    async with asyncio.timeout(10):
        await first
        assert ended == [1]
        await second
    assert ended == [1, 2]


async def test_who_was_late_can_go_on() -> None:
    patience = Patience(0.01)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await patience.bear(asyncio.Event().wait())
    assert await patience.bear(asyncio.sleep(0, "came")) == "came"


async def test_a_cancelled_task_is_not_merely_late() -> None:
    patience = Patience(60)
    waiting = asyncio.create_task(patience.bear(asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_errors_come_through() -> None:
    async def fail() -> None:
        raise ValueError("of the work")

    with pytest.raises(ValueError, match="of the work"):
        await Patience(60).bear(fail())
