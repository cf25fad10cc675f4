"""A writer's commits are cut, and writers are killed, again and again while a house sells and takes back.

`PARVIS_CUTS` and `PARVIS_KILLS` say how often; a run of the full size takes a few minutes.
"""

import asyncio
import os
import random
import time
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from engine.audit import audit
from engine.catalogue import OnSale
from engine.entries import Order
from engine.errors import LedgerUnavailable, Refused
from engine.house import Change
from engine.ledger.ledger import Ledger
from engine.returns import give_back
from engine.torture.proxy import FaultProxy
from engine.words import OrderId
from engine.writer import Writer
from tests.backstage import Backstage, until
from tests.faults.postgres_proxy import behind_proxy
from tests.integration.test_writer import POINTS, check_exactly_once, killed_writer, make_order, put, put_join
from tests.town import small_plan

CUTS = int(os.environ.get("PARVIS_CUTS", "40"))
KILLS = int(os.environ.get("PARVIS_KILLS", "10"))
SEED = int(os.environ.get("PARVIS_SEED", "0")) or time.time_ns() % 10**6
AT_ONCE = 2
BY = Change(who="test", why="a test")
pytestmark = pytest.mark.timeout(60 + 5 * (CUTS + KILLS))


async def drain_in_spite_of(writer: Writer) -> int:
    """Drains until it comes to an end. Answers how often it did not."""
    failed = 0
    while True:
        try:
            await writer.drain()
        except LedgerUnavailable:
            failed += 1
        else:
            return failed


@pytest.mark.parametrize("writers", [1, 2])
async def test_commits_that_are_cut_before_or_after_they_are_done_record_every_entry_once(
    stage: Backstage, writers: int
) -> None:
    print(f"seed {SEED}")
    draw = random.Random(SEED)
    orders: list[Order] = []
    joins = commits_unseen = failed = 0
    async with AsyncExitStack() as stack:
        crew: list[tuple[Writer, FaultProxy]] = []
        for number in range(writers):
            dsn, proxy = await stack.enter_async_context(behind_proxy(stage.house.postgres_dsn, seed=SEED + number))
            proxy.only = b"COMMIT"
            ledger = Ledger(dsn, pool=2, timeout_ms=5_000)
            stack.push_async_callback(ledger.close)
            crew.append((Writer(stage.owner, stage.keys, ledger, draw.choice((1, 3, 7)), stage.opener), proxy))
        while sum(sum(proxy.bitten.values()) for _, proxy in crew) < CUTS:
            for _ in range(draw.randint(1, 6)):
                put_join(stage, joins)
                joins += 1
                orders.append(make_order(f"A-{len(orders)}", f"B-{len(orders)}"))
                put(stage, orders[-1])
            for _, proxy in crew:
                proxy.reset_share = draw.choice((0, 0.4))
                proxy.cut_after_request_share = draw.choice((0, 0.4))
                proxy.drop_replies_share = draw.choice((0, 0.4))
            recorded_before = sum(writer.recorded for writer, _ in crew)
            failed += sum(await asyncio.gather(*(drain_in_spite_of(writer) for writer, _ in crew)))
            recorded = await stage.value("SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM entrants)")
            commits_unseen += recorded > sum(writer.recorded for writer, _ in crew) >= recorded_before
        bitten = sum((proxy.bitten for _, proxy in crew), Counter())
    print(f"{len(orders)} orders, {joins} joins, {failed} failed commits: {dict(bitten)}")
    # Each kind of fault bit, and some commits were done without their writer hearing of it.
    assert min(bitten["reset"], bitten["cut_after_request"], bitten["dropped_reply"]) > 0
    assert failed >= CUTS / 2
    assert commits_unseen > 0
    await stage.drain()
    await check_exactly_once(stage, orders, joins=joins)


class Till:
    """A house that sells and takes back, and keeps a log of its own."""

    def __init__(self, stage: Backstage, on_sale: OnSale, seed: int) -> None:
        self._stage, self._on_sale, self._random = stage, on_sale, random.Random(seed)
        self._seats = list(stage.cell.catalogue.layout(on_sale.performances[0]).seat_ids)
        self.states: dict[OrderId, str] = {}
        self.operations = 0
        self.is_closed = False

    async def run(self) -> None:
        while not self.is_closed:
            self.operations += 1
            standing = [order for order, state in self.states.items() if state == "recorded"]
            if standing and self._random.random() < 0.45:
                await self._take_back(self._random.choice(standing))
            else:
                await self._sell()
            await asyncio.sleep(0.002)

    async def _sell(self) -> None:
        wanted = {self._random.choice(self._seats), *(["vloer"] * self._random.randint(0, 1))}
        try:
            self.states[await self._stage.sell(self._on_sale, *wanted)] = "recorded"
        except Refused as refusal:
            assert refusal.slug in {"seats-taken", "sold-out"}  # noqa: PT017 - most often it is free

    async def _take_back(self, order: OrderId) -> None:
        try:
            await give_back(self._stage.cell, self._stage.ledger, order, BY, f"return {order}")
        except Refused as refusal:
            assert refusal.slug == "not-returnable"  # noqa: PT017 - not recorded yet
        else:
            self.states[order] = "refunded"


async def test_writers_killed_while_a_house_sells_and_takes_back_lose_and_double_nothing(stage: Backstage) -> None:
    print(f"seed {SEED}")
    draw = random.Random(SEED)
    await stage.open()
    on_sale = await stage.put_on(plan=small_plan(rows=4, seats=10, standing=5_000))
    till = Till(stage, on_sale, SEED)
    work = asyncio.create_task(till.run())
    killed: Counter[str] = Counter()

    async def kill_some(count: int) -> None:
        for _ in range(count):
            point = draw.choice(POINTS)
            await killed_writer(stage, point, times=draw.randint(1, 4), batch=draw.choice((1, 2, 5, 50)))
            killed[point] += 1

    await asyncio.gather(*(kill_some(KILLS // AT_ONCE) for _ in range(AT_ONCE)))

    async def has_taken_back() -> bool:
        await stage.drain()
        return work.done() or list(till.states.values()).count("refunded") >= KILLS

    await until(has_taken_back, "orders came back while writers died")
    till.is_closed = True
    await work
    await stage.drain()
    recorded = {OrderId(order): state for order, state in await stage.rows("SELECT order_id::text, state FROM orders")}
    assert recorded == till.states
    returned = list(recorded.values()).count("refunded")
    print(f"{dict(killed)}, {till.operations} operations, {len(recorded)} orders, {returned} returned")
    assert await stage.value("SELECT count(*) FROM refund_requests") == returned > 0
    assert await stage.value("SELECT count(*) FROM actions WHERE what = 'return'") == returned
    assert (await stage.alarms(), await stage.rows("SELECT * FROM dead_letters")) == ([], [])
    assert (await audit(stage.cell, stage.ledger)).faults == ()
    assert sum(killed.values()) == KILLS // AT_ONCE * AT_ONCE
