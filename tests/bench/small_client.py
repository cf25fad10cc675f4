"""P10: the small client beside redis-py's pool, in one process, with nothing to do in Redis."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import redis.asyncio

from engine.address import address_of
from engine.client import FunctionClient
from tests.bench.redis_time import own_redis
from tests.bench.rounds import AT_LEAST, Bar, Part, interleave

CALLERS: Final = 256
CALLS: Final = {"ours": 60, "pool": 10}
"""A caller a round."""
ROUNDS: Final = 9
NOTHING: Final = "yardstick_nothing"

CLIENT = Bar(
    what="the small client, no-op FCALL, 256 callers, time-outs and reconnect in place",
    yardstick="a redis-py pool",
    sense=AT_LEAST,
    bar=8,
    moonshot=20,
)


async def _a_second(call: Callable[[], Awaitable[Any]], calls: int) -> float:
    async def caller() -> None:
        for _ in range(calls):
            await call()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
    return CALLERS * calls / (time.perf_counter() - started)


async def client() -> list[Part]:
    """P10."""
    with own_redis(appendonly=False) as (server, _):
        address = address_of(server.owner_url)
        pool = redis.asyncio.ConnectionPool(
            connection_class=redis.asyncio.UnixDomainSocketConnection,
            path=address.path,
            password=address.password,
            max_connections=CALLERS,
            socket_timeout=5,
        )
        async with (
            FunctionClient(server.owner_url, timeout_ms=5_000) as small,
            redis.asyncio.Redis(connection_pool=pool) as pooled,
        ):
            found = await interleave(
                ROUNDS,
                {
                    "ours": lambda: _a_second(lambda: small.call(NOTHING, ("k",), ("a",)), CALLS["ours"]),
                    "pool": lambda: _a_second(lambda: pooled.fcall(NOTHING, 1, "k", "a"), CALLS["pool"]),
                },
            )
            assert small.timeouts == small.refused == 0
        await pool.aclose()
    return [CLIENT.judge(found["ours"], found["pool"], "calls a second")]
