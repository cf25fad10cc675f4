"""P8 and P11: what a million people in a line cost, while they wait and when the draw is made."""

import asyncio
import random
import time
from typing import Any, Final

from engine.client import FunctionClient
from engine.draw import Draw
from engine.keys import Keys
from engine.library import assemble
from engine.words import HouseSlug
from tests.bench.redis_time import Owner, append_only_file, function_call, microseconds, own_redis, recorded_writes
from tests.bench.rounds import AT_MOST, Bar, Part
from tests.lua.stage import SALE, Stage, pack

KEYS: Final = Keys(HouseSlug("house"))
PEOPLE: Final = 1_000_000
A_BATCH: Final = 2_000
"""Few, so that Redis's table of keys stays small: records that are gone leave no room behind."""
PASS_MS: Final = 1
LOOKUPS: Final = 100_000
ROUNDS: Final = 15

MEMORY = Bar(
    what="Redis memory for 1,000,000 waiting visitors, each claimed once, bytes each",
    yardstick="an empty line; retry records and outbox gone",
    sense=AT_MOST,
    bar=1,
    moonshot=0.15,
)
OPENING = Bar(
    what="opening with 1,000,000 in the draw, one write, time inside Redis",
    yardstick="1 ms",
    sense=AT_MOST,
    bar=1,
)
LOOKUP = Bar(what="a position among 1,000,000, µs a lookup", yardstick="1 µs", sense=AT_MOST, bar=2)


async def memory() -> list[Part]:
    """P8."""
    with own_redis(appendonly=False) as (server, owner):
        # As fast as this can be called: nobody waits for the turn, and a pass ends at once.
        Stage(owner).put_up(rate=10**9, now_serving=10**9, cap=10**9)
        async with FunctionClient(server.owner_url, timeout_ms=60_000) as client:
            await _visit(client, owner, 0, 1)
            before = _memory(owner)
            for first in range(1, PEOPLE, A_BATCH):
                await _visit(client, owner, first, min(A_BATCH, PEOPLE - first))
            await _visit(client, owner, PEOPLE, 1)
        assert owner.hget(KEYS.sale(SALE), "admitted") == b"%d" % (PEOPLE + 1)
        after = _memory(owner)
    used = sum(after.values()) - sum(before.values())
    most = max(after, key=lambda key: after[key])
    return [MEMORY.judge_ratios([used / PEOPLE], f"{used:,} bytes in all, most in {most.decode()}")]


def _memory(owner: Owner) -> dict[bytes, int]:
    """What each key takes, every element counted."""
    keys: Any = owner.execute_command("KEYS", "*")
    return {key: owner.execute_command("MEMORY", "USAGE", key, "SAMPLES", 0) for key in keys}


async def _visit(client: FunctionClient, owner: Owner, first: int, count: int) -> None:
    """So many join and claim their turn; then what is kept for a minute is taken away."""
    visitors = range(first, first + count)
    join, admit = (assemble().functions[f"waiting_room/{name}"] for name in ("join", "admit"))
    operations = {n: (KEYS.operation(f"j{n:032x}"), KEYS.operation(f"a{n:032x}")) for n in visitors}
    retries = {n: KEYS.retry(SALE, f"{n:043d}") for n in visitors}

    def joining(n: int) -> Any:
        keys = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE), operations[n][0], retries[n], KEYS.outbox)
        anybody = (pack((60, "")), b"")
        named = ("1", "f", f"{n:043d}", SALE, "public", 10 * PEOPLE)
        return client.call(join, (*keys, KEYS.persons(SALE)), (*named, *anybody))

    def claiming(n: int, index: int) -> Any:
        keys = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE), KEYS.claimed(SALE), operations[n][1])
        return client.call(admit, keys, ("1", "f", index, index, 0, pack((PASS_MS, 0, 0, -1, 1))))

    joined = await asyncio.gather(*map(joining, visitors))
    assert all(reply[0] == b"joined" for reply in joined), joined[0]
    admitted = await asyncio.gather(*(claiming(n, reply[1]) for n, reply in zip(visitors, joined, strict=True)))
    assert all(reply[0] == b"admitted" for reply in admitted), admitted[0]
    owner.unlink(KEYS.outbox, *retries.values(), *(key for pair in operations.values() for key in pair))


async def draw() -> list[Part]:
    """P11."""
    opened, writes = [], []
    with own_redis() as (server, owner):
        for _ in range(ROUNDS):
            owner.flushall()
            stage = Stage(owner)
            stage.put_up(phase="prequeue", joined=PEOPLE, opens_at_ms=stage.now_ms() - 1)
            keys = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE), KEYS.claimed(SALE), KEYS.operation("a"))
            size = append_only_file(server).stat().st_size
            # Whoever claims first opens the sale, and is told how many are in the draw.
            claim = function_call("waiting_room/admit", keys, ("1", "f", 0, 0, -1, pack((1_000, 0, 0, -1, 0))))
            taken, replies = microseconds(owner, [claim])
            assert replies == [[b"drawn", PEOPLE]], replies
            opened.append(taken / 1_000)
            writes.append(sum(map(len, recorded_writes(server, size))))
    assert set(writes) == {1}, writes
    made = Draw(random.Random(1).randbytes(32), PEOPLE)
    indices = [random.Random(2).randrange(PEOPLE) for _ in range(LOOKUPS)]
    lookups = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for index in indices:
            made.position(index)
        lookups.append((time.perf_counter() - started) / LOOKUPS * 1e6)
    return [
        OPENING.judge_ratios(opened, f"{min(opened):.3f} ms at best"),
        LOOKUP.judge_ratios(lookups, f"{min(lookups):.2f} µs at best"),
    ]
