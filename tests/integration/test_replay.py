"""A ledger that was restored from a backup gets back from its Redis what it lacks, once, whatever dies meanwhile."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine import orders
from engine.audit import audit
from engine.catalogue import OnSale
from engine.errors import Refused
from engine.house import Change
from engine.orders import Ordered
from engine.replay import remembered, whole_batches
from engine.returns import give_back
from engine.words import OrderId
from tests.backstage import Backstage, seat_names, until
from tests.faults.dumps import dump, restore
from tests.integration.test_writer import POINTS, dies_at, killed_writer

BY = Change(who="test", why="a test")
SEED = 5


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


async def go_back(stage: Backstage, backup: Path) -> None:
    """The ledger is what it was when the backup was made; nothing else is."""
    await stage.ledger.close()
    await asyncio.to_thread(stage.postgres_does, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await asyncio.to_thread(restore, backup, stage.house.postgres_dsn)


async def return_(stage: Backstage, order: OrderId, *items: int) -> Ordered:
    return await give_back(stage.cell, stage.ledger, order, BY, f"return {order} {items}", items=items)


async def states(stage: Backstage) -> dict[OrderId, str]:
    return {OrderId(order): state for order, state in await stage.rows("SELECT order_id::text, state FROM orders")}


async def check_whole(stage: Backstage, wanted: dict[OrderId, str], *, entries: int) -> None:
    """Everything is there again as it was, and one alarm says what had been lacking."""
    assert await states(stage) == wanted
    refunded = list(wanted.values()).count("refunded")
    assert await stage.value("SELECT count(*) FROM refund_requests") == refunded
    assert await stage.value("SELECT count(*) FROM actions WHERE what = 'return'") == refunded
    assert await stage.value("SELECT count(*) FROM orders WHERE email <> 'visitor@example.org'") == 0
    assert await stage.rows("SELECT * FROM dead_letters") == []
    assert [(kind, detail["entries"]) for kind, detail in await stage.alarms()] == [("ledger-lost", entries)]
    assert (await audit(stage.cell, stage.ledger)).faults == ()
    assert (await stage.ledger.position()).cursor == stage.redis.get(stage.keys.recorded).decode()  # type: ignore[union-attr]


async def a_day_of(stage: Backstage, backup: Path) -> tuple[OnSale, dict[OrderId, str]]:
    """Orders and returns before the backup and after it: a seat is sold, returned and sold again on either side."""
    on_sale = await stage.put_on()
    first, second, third = [await stage.sell(on_sale, seat, "vloer") for seat in seat_names("A", 3)]
    await stage.drain()
    await return_(stage, first)
    await stage.drain()
    await asyncio.to_thread(dump, stage.house.postgres_dsn, backup)
    fourth = await stage.sell(on_sale, "zaal-A-1")
    await return_(stage, second)
    fifth = await stage.sell(on_sale, "zaal-A-2", "vloer")
    await stage.drain()
    await return_(stage, fifth)
    sixth = await stage.sell(on_sale, "zaal-A-2")
    await stage.drain()
    wanted = dict.fromkeys((first, second, fifth), "refunded") | dict.fromkeys((third, fourth, sixth), "recorded")
    assert await states(stage) == wanted
    return on_sale, wanted


async def test_what_was_recorded_after_the_backup_is_recorded_again(stage: Backstage, tmp_path: Path) -> None:
    on_sale, wanted = await a_day_of(stage, tmp_path / "backup")
    await go_back(stage, tmp_path / "backup")
    assert len(await states(stage)) == 3  # the fault bit
    assert (await audit(stage.cell, stage.ledger)).faults
    seventh = await stage.sell(on_sale, "zaal-A-4")
    await stage.drain()
    await check_whole(stage, wanted | {seventh: "recorded"}, entries=5)
    await stage.drain()
    await check_whole(stage, wanted | {seventh: "recorded"}, entries=5)
    for order, state in wanted.items():
        if state == "refunded":
            with pytest.raises(Refused, match="refunded before"):
                await give_back(stage.cell, stage.ledger, order, BY, "another")


async def test_parts_that_were_returned_after_the_backup_are_returned_again_once(
    stage: Backstage, tmp_path: Path
) -> None:
    """One order was recorded before the backup, with a part of it returned on either side; another after it."""
    on_sale = await stage.put_on()
    old = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2", "zaal-A-3")
    await stage.drain()
    await return_(stage, old, 0)
    await stage.drain()
    await asyncio.to_thread(dump, stage.house.postgres_dsn, tmp_path / "backup")
    await return_(stage, old, 1)
    resold = await stage.sell(on_sale, "zaal-A-2")
    new = await stage.sell(on_sale, "zaal-B-1", "zaal-B-2")
    await stage.drain()
    await return_(stage, new, 1)
    await stage.drain()
    await return_(stage, new, 0)  # is not recorded yet
    await go_back(stage, tmp_path / "backup")
    assert await states(stage) == {old: "recorded"}  # the fault bit
    await stage.drain(batch=1)
    assert await states(stage) == {old: "recorded", resold: "recorded", new: "refunded"}
    refunds = await stage.rows("SELECT order_id::text, amount FROM refund_requests ORDER BY id")
    assert refunds == [(old, 2100), (old, 2100), (new, 2100), (new, 2100)]
    for order, item in ((old, 0), (old, 1), (new, 0), (new, 1)):
        assert await return_(stage, order, item)  # by the same key: nothing happens twice
        with pytest.raises(Refused, match="refunded before"):
            await give_back(stage.cell, stage.ledger, order, BY, "another", items=(item,))
    assert await stage.rows("SELECT * FROM dead_letters") == []
    assert [kind for kind, _ in await stage.alarms()] == ["ledger-lost"]
    assert (await audit(stage.cell, stage.ledger)).faults == ()
    assert (await return_(stage, old)).state == "refunded"
    await stage.drain()
    assert (await audit(stage.cell, stage.ledger)).faults == ()


async def test_until_then_nobody_is_told_that_an_order_is_recorded(stage: Backstage, tmp_path: Path) -> None:
    _, wanted = await a_day_of(stage, tmp_path / "backup")
    await go_back(stage, tmp_path / "backup")
    missing = [order for order, state in wanted.items() if state == "recorded" and order not in await states(stage)]
    assert len(missing) == 2
    for order in missing:
        with pytest.raises(Refused, match="only a recorded order"):
            await return_(stage, order)


async def test_a_return_that_still_waits_finds_its_order(stage: Backstage, tmp_path: Path) -> None:
    """The order was recorded after the backup; its return and the next sale of the seat are not recorded yet."""
    on_sale = await stage.put_on()
    await asyncio.to_thread(dump, stage.house.postgres_dsn, tmp_path / "backup")
    order = await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    await return_(stage, order)
    again = await stage.sell(on_sale, "zaal-A-1")
    await go_back(stage, tmp_path / "backup")
    await stage.drain()
    await check_whole(stage, {order: "refunded", again: "recorded"}, entries=1)


@pytest.mark.parametrize("batch", [1, 2, 100])
@pytest.mark.parametrize("point", POINTS[:-1])
async def test_a_writer_that_dies_over_it_is_followed_by_one_that_finishes(
    stage: Backstage, tmp_path: Path, point: str, batch: int
) -> None:
    _, wanted = await a_day_of(stage, tmp_path / "backup")
    await go_back(stage, tmp_path / "backup")
    await killed_writer(stage, point, times=1, batch=batch)
    if batch < 100:  # else there is but one batch, and the first death may have come after it
        await killed_writer(stage, point, times=2, batch=batch)
    await stage.drain(batch=batch)
    lacking = [detail["entries"] for kind, detail in await stage.alarms() if kind == "ledger-lost"]
    await check_whole(stage, wanted, entries=lacking[0])
    assert len(lacking) == 1


async def test_two_writers_at_once_do_it_once(stage: Backstage, tmp_path: Path) -> None:
    on_sale, wanted = await a_day_of(stage, tmp_path / "backup")
    await go_back(stage, tmp_path / "backup")
    async with stage.running(stage.new_writer(1), stage.new_writer(2), stage.new_writer(100)):
        last = await stage.sell(on_sale, "zaal-B-1")

        async def is_recorded() -> bool:
            return await stage.ledger.order(last) is not None

        await until(is_recorded, "the newest order is recorded")
    await stage.drain()
    assert await states(stage) == wanted | {last: "recorded"}
    assert (await audit(stage.cell, stage.ledger)).faults == ()
    assert {kind for kind, _ in await stage.alarms()} == {"ledger-lost"}
    assert await stage.rows("SELECT * FROM dead_letters") == []


async def test_writers_beside_each_other_take_no_ledger_for_one_from_a_backup(stage: Backstage) -> None:
    """One reads its cursor, another records and says so: the first was a moment late, that is all."""
    on_sale = await stage.put_on()
    await stage.sell(on_sale, "zaal-A-1")
    slow, fast = stage.new_writer(), stage.new_writer()
    read: Callable[..., Awaitable[object]] = slow._read

    async def read_late(position: object) -> object:
        await fast.drain()
        return await read(position)

    slow._read = read_late  # type: ignore[method-assign, assignment]
    assert await slow.drain() == 0
    assert fast.recorded == 3  # what became of the seat, twice, and the order
    assert await stage.alarms() == []


async def test_a_house_of_a_thousand_orders_comes_back(stage: Backstage, tmp_path: Path) -> None:
    """At random, from a seed: some are returned, and seats are sold again."""
    print(f"seed {SEED}")
    draw = random.Random(SEED)
    on_sale = await stage.put_on()
    wanted: dict[OrderId, str] = {}
    for number in range(400):
        standing = [order for order, state in wanted.items() if state == "recorded"]
        if standing and draw.random() < 0.45:
            order = draw.choice(standing)
            await stage.drain()
            await return_(stage, order)
            wanted[order] = "refunded"
        else:
            try:
                wanted[await stage.sell(on_sale, f"zaal-{draw.choice('ABCDE')}-{draw.randint(1, 10)}")] = "recorded"
            except Refused:
                continue
        if number == 150:
            await stage.drain()
            await asyncio.to_thread(dump, stage.house.postgres_dsn, tmp_path / "backup")
    await stage.drain()
    await go_back(stage, tmp_path / "backup")
    lacking = len(await remembered(stage.owner, stage.keys, (await stage.ledger.position()).cursor, stage.last_entry()))
    assert lacking > 150
    dead = stage.new_writer(7, dies_at("before_commit"))
    with pytest.raises(ZeroDivisionError):
        await dead.drain()
    await stage.drain(batch=7)
    await check_whole(stage, wanted, entries=lacking - 1)


def test_no_batch_ends_between_two_entries_of_one_id() -> None:
    entries = [(each, {"kind": "order"}) for each in ("1-0", "2-0", "2-0", "2-0", "3-0", "4-0", "4-0")]
    found = [[entry for entry, _ in batch] for batch in whole_batches(list(entries), 2)]  # type: ignore[arg-type]
    assert found == [["1-0", "2-0", "2-0", "2-0"], ["3-0", "4-0", "4-0"]]


async def test_an_order_is_told_as_it_stands_while_the_ledger_lacks_it(stage: Backstage, tmp_path: Path) -> None:
    _, wanted = await a_day_of(stage, tmp_path / "backup")
    for order, state in wanted.items():
        found = await orders.find(stage.cell, order)
        assert found is not None
        assert found.state == state
