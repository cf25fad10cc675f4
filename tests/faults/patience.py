"""Waiting for something to become true, with an end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from engine.client import FunctionClient
from engine.errors import CellUnavailable


async def until(is_true: Callable[[], Awaitable[bool]], *, within_s: float = 20) -> None:
    """Ask every 10 ms until the answer is yes. Raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while True:
            if await is_true():
                return
            await asyncio.sleep(0.01)


async def call_until_answered(
    client: FunctionClient,
    function: str,
    *arguments: str | int,
    keys: Sequence[str] = (),
    within_s: float = 20,
) -> Any:
    """Call (something harmless to repeat) until the cell is available again."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await client.call(function, keys, arguments)
            except CellUnavailable:
                await asyncio.sleep(0.01)
