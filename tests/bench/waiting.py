"""P8: what a million people in a line cost, from when they join until they have come in."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from math import inf
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final

from engine import waiting_room
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.checkpoints import checkpoint
from engine.client import FunctionClient
from engine.draw import ALGORITHM, encode
from engine.embedded.redis import EmbeddedRedis
from engine.keys import Keys
from engine.library import assemble
from engine.network import House, Limits, Policy
from engine.of_line import PERSON
from engine.redis_urls import connect
from engine.tree import Frontier
from engine.windows import ends_of, order_of
from engine.words import HouseSlug
from tests.bench.redis_time import Owner, own_redis
from tests.bench.rounds import AT_MOST, Bar, Part
from tests.lua.stage import SALE, Stage, pack

HOUSE: Final = HouseSlug("house")
KEYS: Final = Keys(HOUSE)
PEOPLE: Final = 1_000_000
A_BATCH: Final = 2_000
"""Few, so that Redis's table of keys stays small: records that are gone leave no room behind."""
PASS_MS: Final = 1
STAY_MS: Final = 1
POLLS: Final = 100_000

MEMORY = Bar(
    what="Redis memory for 1,000,000 waiting visitors, each claimed once, bytes each",
    yardstick="an empty line; retry records and outbox gone",
    sense=AT_MOST,
    bar=1,
    moonshot=0.15,
)
TOOK = {
    step: Bar(what=f"{what}, seconds for a million", yardstick="1 s", sense=AT_MOST, bar=inf)
    for step, what in {
        "join": "joining, with what is kept until it is recorded",
        "tree": "growing the tree over who has joined, batch by batch as they are recorded",
        "draw": "opening: the list closed, the rest of the outbox folded in, the draw made",
        "positions": "every position of the draw worked out in Python",
        "poll": "looking where one stands, past every cache",
        "claim": "claiming one's turn, each with its position in the draw",
    }.items()
}
PERSONS = {
    kind: Bar(what=f"Redis memory for {what}, bytes each", yardstick="1 byte", sense=AT_MOST, bar=inf)
    for kind, what in {
        "person": "who joins a line with one place for each e-mail address",
        "code": "who joins a line by code",
    }.items()
}


async def memory() -> list[Part]:
    """P8: a million join, are recorded, drawn, poll and claim their turn, one after the other as a house sees them."""
    steps = Steps()
    with own_redis(appendonly=False) as (server, owner):
        stage = Stage(owner)
        # As fast as this can be called: everybody's turn comes with the start, and a pass ends at once.
        pace = {"rate": 10**9, "burst_ms": 60_000, "cap": 10**9, "turn_ms": 10**9}
        stage.put_up(phase="prequeue", opens_at_ms=4 * 10**12, draw=ALGORITHM, draw_after_ms=0, **pace)
        async with _cell(server) as cell, FunctionClient(server.owner_url, timeout_ms=60_000) as client:
            before, tree = _memory(owner), Frontier()
            for first in range(0, PEOPLE, A_BATCH):
                async with steps.of("join"):
                    await _join(client, owner, range(first, first + A_BATCH))
                # The last of them are still in the outbox as the sale opens.
                if first + A_BATCH < PEOPLE:
                    async with steps.of("tree"):
                        await _record(server, owner, tree)
            waiting = _memory(owner)
            steps.note("join", waiting)
            stage.set_sale(opens_at_ms=stage.now_ms() - 1_000)
            line = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE))
            async with steps.of("draw"):
                serving = await client.call(assemble().functions["waiting_room/serve"], line, ("1",))
                assert serving[:2] == [b"serving", PEOPLE], serving
                drawn = (await waiting_room.drawn_status(cell, SALE, wait_s=60)).draw
            assert (drawn.is_made, drawn.entrants, tree.count) == (True, PEOPLE, PEOPLE - A_BATCH), drawn
            owner.unlink(KEYS.outbox)
            async with steps.of("positions"):
                order = order_of(drawn.seed, drawn.entrants, ends_of(drawn.windows))
                positions = list(order.positions())
                places = sorted(range(PEOPLE), key=positions.__getitem__)
            steps.note("draw", _memory(owner))
            steps.seconds["poll"] = await _poll(client, line)
            async with steps.of("claim"):
                for first in range(0, PEOPLE, A_BATCH):
                    await _claim(client, owner, first, places[first : first + A_BATCH])
        assert owner.hget(KEYS.sale(SALE), "admitted") == b"%d" % PEOPLE
        after = _memory(owner)
        steps.note("claim", after)
        persons = [
            PERSONS[kind].judge_ratios([await _kept_of(server, owner, kind)], "while the on-sale is kept")
            for kind in PERSONS
        ]
    used, idle = (sum(found.values()) - sum(before.values()) for found in (after, waiting))
    most = max(after, key=lambda key: after[key])
    told = f"{used:,} bytes in all, most in {most.decode()}; {idle:,} while all of them waited"
    return [MEMORY.judge_ratios([used / PEOPLE], told), *steps.parts(), *persons]


class Steps:
    """What each step took, and what memory there was at its end."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._redis: dict[str, int] = {}
        self._python: dict[str, int] = {}

    @asynccontextmanager
    async def of(self, step: str) -> AsyncIterator[None]:
        """Adds what the block takes to a step."""
        began_s = time.perf_counter()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - began_s
        self._python[step] = getrusage(RUSAGE_SELF).ru_maxrss // 1024

    def note(self, step: str, memory: dict[bytes, int]) -> None:
        """What Redis has after a step."""
        self._redis[step] = sum(memory.values())

    def parts(self) -> list[Part]:
        """Of each step its seconds, with the memory in words."""
        return [
            TOOK[step].judge_ratios(
                [taken * 10**6 / PEOPLE],
                f"{taken / PEOPLE * 1e6:.1f} µs each"
                + (f", {self._redis[step]:,} bytes in Redis then" if step in self._redis else "")
                + (f", this process at most {self._python[step]:,} MB so far" if step in self._python else ""),
            )
            for step, taken in self.seconds.items()
        ]


@asynccontextmanager
async def _cell(server: EmbeddedRedis) -> AsyncIterator[Cell]:
    """The cell as an API process has it, with this one on-sale."""
    with tempfile.TemporaryDirectory(prefix="pb-") as folder:
        house = House(
            slug=HOUSE,
            name="House",
            redis_url=server.owner_url,
            redis_owner_url=server.owner_url,
            postgres_dsn="",
            secrets_path=Path(folder),
            operator_contact="ops@example.org",
            policy=Policy(fees="none", refunds="none", delivery="none"),
            limits=Limits(redis_timeout_ms=60_000),
        )
        cell = Cell(house)
        cell.epoch = "1"
        sale = OnSale(SALE, "Sale", (), prequeue_at_ms=0, opens_at_ms=0, draw=ALGORITHM)
        cell.catalogue.on_sales[SALE] = sale
        try:
            yield cell
        finally:
            await cell.close()


def _memory(owner: Owner) -> dict[bytes, int]:
    """What each key takes, every element counted."""
    keys: Any = owner.execute_command("KEYS", "*")
    return {key: owner.execute_command("MEMORY", "USAGE", key, "SAMPLES", 0) for key in keys}


async def _join(client: FunctionClient, owner: Owner, visitors: range, kind: str = "") -> None:
    """So many join; then what is kept for a minute is taken away. `kind`: see `PERSONS`."""
    join = assemble().functions["waiting_room/join"]
    operations = [KEYS.operation(f"j{n:032x}") for n in visitors]
    hashes = [encode(sha256(b"%d" % n).digest()) for n in visitors]
    retries = [KEYS.retry(SALE, each) for each in hashes]
    line = (KEYS.cell, KEYS.sale(SALE), KEYS.live(SALE))

    def joining(n: int, operation: str, retry: str, secret_hash: str) -> Any:
        keys = (*line, operation, retry, KEYS.outbox, KEYS.persons(SALE), KEYS.stays(SALE))
        who = (60, f"{PERSON}{n:022}" * (kind == "person"), f"{n:016}" * (kind == "code"), 0, 0, 0, 0, -1, -1)
        return client.call(join, keys, ("1", "f", secret_hash, SALE, "public", 10 * PEOPLE, pack(who), b""))

    joined = await asyncio.gather(*map(joining, visitors, operations, retries, hashes))
    assert [reply[:2] for reply in joined] == [[b"joined", n] for n in visitors], joined[0]
    owner.unlink(*retries, *operations)


async def _record(server: EmbeddedRedis, owner: Owner, tree: Frontier) -> None:
    """What a writer does with who has joined, but for Postgres: the tree is in Redis before the outbox is trimmed."""
    entries: Any = owner.xrange(KEYS.outbox)
    page = [(int(fields[b"index"]), fields[b"secret_hash"].decode()) for _, fields in entries]
    await asyncio.to_thread(tree.fold, page, page[-1][0] + 1)
    redis = connect(server.owner_url)
    try:
        assert await checkpoint(redis, KEYS, {(SALE, "public"): tree}, 1)
    finally:
        await redis.aclose()
    owner.unlink(KEYS.outbox)


async def _kept_of(server: EmbeddedRedis, owner: Owner, kind: str) -> float:
    """What stays in Redis of each who joins as one person, or with a code, once that is recorded."""
    owner.flushall()
    stage, most = Stage(owner), PEOPLE // 10
    stage.put_up(phase="prequeue", opens_at_ms=4 * 10**12)
    async with FunctionClient(server.owner_url, timeout_ms=60_000) as client:
        for first in range(0, most, A_BATCH):
            await _join(client, owner, range(first, min(most, first + A_BATCH)), kind)
            owner.unlink(KEYS.outbox)
    kept: Any = owner.memory_usage(KEYS.persons(SALE), samples=0)
    return float(kept) / most


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
    terms = pack((PASS_MS, 0, STAY_MS, 0, 0, -1, 1, ""))

    def claiming(number: int) -> Any:
        keys = (*line, KEYS.claimed(SALE), operations[number], KEYS.persons(SALE), KEYS.stays(SALE))
        return client.call(admit, keys, ("1", "f", "public", indices[number], first + number, PEOPLE, terms))

    admitted = await asyncio.gather(*map(claiming, range(len(indices))))
    assert all(reply[0] == b"admitted" for reply in admitted), admitted[0]
    owner.unlink(*operations)
