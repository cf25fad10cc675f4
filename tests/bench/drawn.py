"""P11: what it takes to open a sale with a million in its draw, and to look up where one stands."""

import random
import time
from typing import Final

from engine.draw import Draw
from engine.keys import Keys
from engine.words import HouseSlug
from tests.bench.redis_time import append_only_file, function_call, microseconds, own_redis, recorded_writes
from tests.bench.rounds import AT_MOST, Bar, Part
from tests.lua.stage import SALE, Stage, pack

KEYS: Final = Keys(HouseSlug("house"))
PEOPLE: Final = 1_000_000
LOOKUPS: Final = 100_000
ROUNDS: Final = 15
OPENING = Bar(
    what="opening with 1,000,000 in the draw, one write, time inside Redis",
    yardstick="1 ms",
    sense=AT_MOST,
    bar=1,
)
LOOKUP = Bar(what="a position among 1,000,000, µs a lookup", yardstick="1 µs", sense=AT_MOST, bar=2)


async def draw() -> list[Part]:
    """P11."""
    opened, writes = [], []
    with own_redis() as (server, owner):
        for _ in range(ROUNDS):
            owner.flushall()
            stage = Stage(owner)
            stage.put_up(phase="prequeue", joined=PEOPLE, opens_at_ms=stage.now_ms() - 1)
            line = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE))
            keys = (*line, KEYS.claimed(SALE), KEYS.operation("a"), KEYS.persons(SALE), KEYS.stays(SALE))
            size = append_only_file(server).stat().st_size
            # Whoever claims first opens the sale, and is told how many are in the draw.
            claim = function_call(
                "waiting_room/admit", keys, ("1", "f", "public", 0, 0, -1, pack((1_000, 0, 0, 0, 0, -1, 0, "")))
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
