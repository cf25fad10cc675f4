"""P8 and P11: what a million people in a line cost, while they wait and when the draw is made."""

import asyncio
import random
import time
from math import inf
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
POLLS: Final = 100_000
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
TOOK = {
    step: Bar(what=f"{what}, seconds for a million", yardstick="1 s", sense=AT_MOST, bar=inf)
    for step, what in {
        "join": "joining, with what is kept until it is recorded",
        "draw": "opening, and every position of the draw worked out in Python",
        "poll": "looking where one stands, past every cache",
        "claim": "claiming one's turn, each with its position in the draw",
    }.items()
}
LOOKUP = Bar(what="a position among 1,000,000, µs a lookup", yardstick="1 µs", sense=AT_MOST, bar=2)


async def memory() -> list[Part]:
    """P8: a million join, are drawn, poll and claim their turn, one after the other as a house would see them."""
    seconds: dict[str, float] = {}
    with own_redis(appendonly=False) as (server, owner):
        stage = Stage(owner)
        # As fast as this can be called: everybody's turn comes with the start, and a pass ends at once.
        stage.put_up(phase="prequeue", opens_at_ms=4 * 10**12, rate=10**9, burst_ms=60_000, cap=10**9, turn_ms=10**9)
        async with FunctionClient(server.owner_url, timeout_ms=60_000) as client:
            before = _memory(owner)
            began_s = time.perf_counter()
            for first in range(0, PEOPLE, A_BATCH):
                await _join(client, owner, range(first, first + A_BATCH))
            seconds["join"] = time.perf_counter() - began_s
            waiting = _memory(owner)
            stage.set_sale(opens_at_ms=stage.now_ms() - 1_000)
            began_s = time.perf_counter()
            line = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE))
            assert await client.call(assemble().functions["waiting_room/serve"], line, ("1",)) == [b"serving", PEOPLE]
            drawn = Draw(random.Random(1).randbytes(32), PEOPLE)
            places = sorted(range(PEOPLE), key=drawn.position)
            seconds["draw"] = time.perf_counter() - began_s
            seconds["poll"] = await _poll(client, line)
            began_s = time.perf_counter()
            for first in range(0, PEOPLE, A_BATCH):
                await _claim(client, owner, first, places[first : first + A_BATCH])
            seconds["claim"] = time.perf_counter() - began_s
        assert owner.hget(KEYS.sale(SALE), "admitted") == b"%d" % PEOPLE
        after = _memory(owner)
    used, idle = (sum(found.values()) - sum(before.values()) for found in (after, waiting))
    most = max(after, key=lambda key: after[key])
    told = f"{used:,} bytes in all, most in {most.decode()}; {idle:,} while all of them waited"
    return [
        MEMORY.judge_ratios([used / PEOPLE], told),
        *(TOOK[step].judge_ratios([taken], f"{taken / PEOPLE * 1e6:.1f} µs each") for step, taken in seconds.items()),
    ]


def _memory(owner: Owner) -> dict[bytes, int]:
    """What each key takes, every element counted."""
    keys: Any = owner.execute_command("KEYS", "*")
    return {key: owner.execute_command("MEMORY", "USAGE", key, "SAMPLES", 0) for key in keys}


async def _join(client: FunctionClient, owner: Owner, visitors: range) -> None:
    """So many join; then what is kept until it is recorded, or for a minute, is taken away."""
    join = assemble().functions["waiting_room/join"]
    operations = [KEYS.operation(f"j{n:032x}") for n in visitors]
    retries = [KEYS.retry(SALE, f"{n:043d}") for n in visitors]
    line, anybody = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE)), (pack((60, "", "", 0, 0, -1, -1)), b"")

    def joining(n: int, operation: str, retry: str) -> Any:
        keys = (*line, operation, retry, KEYS.outbox, KEYS.persons(SALE))
        return client.call(join, keys, ("1", "f", f"{n:043d}", SALE, "public", 10 * PEOPLE, *anybody))

    joined = await asyncio.gather(*map(joining, visitors, operations, retries))
    assert [reply[:2] for reply in joined] == [[b"joined", n] for n in visitors], joined[0]
    owner.unlink(KEYS.outbox, *retries, *operations)


async def _poll(client: FunctionClient, line: tuple[str, ...]) -> float:
    """So many look where they stand, each past every cache: seconds for a million of them."""
    serve, status = (assemble().functions[f"waiting_room/{name}"] for name in ("serve", "status"))
    began_s = time.perf_counter()
    for _ in range(0, POLLS, A_BATCH // 2):
        await asyncio.gather(
            *(client.call(serve, line, ("1",)) for _ in range(A_BATCH // 2)),
            *(client.call(status, line[1:], (), read_only=True) for _ in range(A_BATCH // 2)),
        )
    return (time.perf_counter() - began_s) * PEOPLE / POLLS


async def _claim(client: FunctionClient, owner: Owner, first: int, indices: list[int]) -> None:
    """Those at the positions from `first` on claim their turn; then what is kept for a minute is taken away."""
    admit = assemble().functions["waiting_room/admit"]
    operations = [KEYS.operation(f"a{index:032x}") for index in indices]
    line = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE))
    terms = pack((PASS_MS, 0, 0, -1, 1, ""))

    def claiming(number: int) -> Any:
        keys = (*line, KEYS.claimed(SALE), operations[number], KEYS.persons(SALE))
        return client.call(admit, keys, ("1", "f", "public", indices[number], first + number, PEOPLE, terms))

    admitted = await asyncio.gather(*map(claiming, range(len(indices))))
    assert all(reply[0] == b"admitted" for reply in admitted), admitted[0]
    owner.unlink(*operations)


async def draw() -> list[Part]:
    """P11."""
    opened, writes = [], []
    with own_redis() as (server, owner):
        for _ in range(ROUNDS):
            owner.flushall()
            stage = Stage(owner)
            stage.put_up(phase="prequeue", joined=PEOPLE, opens_at_ms=stage.now_ms() - 1)
            line = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE))
            keys = (*line, KEYS.claimed(SALE), KEYS.operation("a"), KEYS.persons(SALE))
            size = append_only_file(server).stat().st_size
            # Whoever claims first opens the sale, and is told how many are in the draw.
            claim = function_call(
                "waiting_room/admit", keys, ("1", "f", "public", 0, 0, -1, pack((1_000, 0, 0, -1, 0, "")))
            )
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
