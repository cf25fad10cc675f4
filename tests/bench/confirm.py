"""P12: what it costs that a confirmed order is on disk before anybody reads it."""

import asyncio
import time
from collections.abc import Iterator
from typing import Final

from engine.client import FunctionClient
from engine.embedded.redis import EmbeddedRedis
from engine.library import assemble
from engine.words import OrderId
from tests.bench.redis_time import Owner, own_redis, run
from tests.bench.rounds import AT_LEAST, Bar, Part, interleave
from tests.bench.seats_in_redis import KEYS, PERFORMANCE, hold, lay_out
from tests.lua.stage import SALE, Stage, pack

ORDERS: Final = 1_000
IN_FLIGHT: Final = 64
ROUNDS: Final = 9
NOBODY: Final = pack(("", 0))
"""No limit of what one customer may buy."""
PAYLOAD: Final = b"x" * 600
"""About as long as an order of two seats with its customer, sealed."""

CONFIRM = Bar(
    what="confirm, AOF always, 64 in flight",
    yardstick="the same without an append-only file",
    sense=AT_LEAST,
    bar=0.45,
    moonshot=0.8,
)


def _calls() -> Iterator[tuple[tuple[str, ...], tuple[str | bytes | int, ...]]]:
    """Keys and arguments that confirm each visitor's hold."""
    for visitor in range(ORDERS):
        name = f"{visitor:032x}"
        order = KEYS.order(OrderId(name))
        keys = (KEYS.cell, KEYS.operation(f"o{name}"), KEYS.payment("demo", name), order, KEYS.outbox)
        lines = (KEYS.sale(SALE), KEYS.live(SALE), PERFORMANCE[0], PERFORMANCE[2])
        yield (*keys, *lines), ("1", name, name, name, PAYLOAD, pack([[name, 1]]), 4_200, NOBODY)


async def _confirm_all(server: EmbeddedRedis, owner: Owner) -> float:
    """Lays a hall out, holds it, and confirms every hold. Answers orders a second."""
    lay_out(owner, ["o" * 20] * (ORDERS // 10))
    Stage(owner).let_in(*range(ORDERS))
    run(owner, [hold(n, [1, "seats", n // 10, n % 10 * 2, n // 10, n % 10 * 2 + 1]) for n in range(ORDERS)])
    calls, function = _calls(), assemble().functions["orders/confirm"]
    async with FunctionClient(server.owner_url, timeout_ms=5_000) as client:

        async def caller() -> None:
            for keys, arguments in calls:
                reply = await client.call(function, keys, arguments)
                assert reply[0] == b"confirmed", reply

        await client.call("yardstick_nothing", (KEYS.cell,), ())
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(caller())
        return ORDERS / (time.perf_counter() - started)


async def confirm() -> list[Part]:
    """P12."""
    with own_redis() as safe, own_redis(appendonly=False) as fast:
        measures = {"always": lambda: _confirm_all(*safe), "none": lambda: _confirm_all(*fast)}
        found = await interleave(ROUNDS, measures)
    return [CONFIRM.judge(found["always"], found["none"], "orders a second")]
