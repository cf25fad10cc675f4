"""The tree over a line's entrants, grown by writers and kept in Redis before the outbox is trimmed."""

import hashlib
from typing import Any

import pytest

from engine.draw import encode
from engine.ledger.entrants import frontiers
from engine.tree import Frontier, decode_frontier
from engine.words import LineName, OnSaleId
from tests.backstage import Backstage
from tests.integration.test_recovery import go_back, keep, recover
from tests.integration.test_writer import POINTS, dies_at, killed_writer, put_join

SALE = OnSaleId("sale")
PUBLIC = LineName("public")


def hash_of(index: int) -> str:
    return encode(hashlib.sha256(b"%d" % index).digest())


def join(stage: Backstage, *indices: int, on_sale: str = SALE) -> None:
    for index in indices:
        put_join(stage, index, hash_of(index), on_sale)


def tree(count: int, *gone: int) -> Frontier:
    made = Frontier()
    made.fold(((index, hash_of(index)) for index in range(count) if index not in gone), count)
    return made


def kept(stage: Backstage, on_sale: str = SALE) -> Frontier:
    """As Redis has it."""
    found = stage.redis.get(stage.keys.frontier(OnSaleId(on_sale), PUBLIC))
    assert found is None or isinstance(found, bytes)
    return decode_frontier(found)


async def check(stage: Backstage, wanted: Frontier, on_sale: str = SALE) -> None:
    """Both sides have this tree, and nothing is left in the outbox."""
    assert kept(stage, on_sale) == wanted
    assert (await frontiers(stage.ledger))[on_sale, PUBLIC] == wanted
    assert stage.redis.xlen(stage.keys.outbox) == 0


def close_list(stage: Backstage, entrants: int) -> None:
    stage.redis.hset(stage.keys.sale(SALE), mapping={"phase": "open", "mark_at_ms": 1, "entrants": entrants})


@pytest.mark.parametrize("batch", [1, 7, 100])
async def test_it_grows_with_what_is_recorded(stage: Backstage, batch: int) -> None:
    join(stage, *range(20))
    await stage.drain(batch=batch)
    await check(stage, tree(20))
    join(stage, *range(20, 23))
    await stage.drain(batch=batch)
    await check(stage, tree(23))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("times", [1, 2])
async def test_wherever_a_writer_dies_the_outbox_has_all_that_redis_does_not_know(
    stage: Backstage, point: str, times: int
) -> None:
    join(stage, *range(20))
    await killed_writer(stage, point, times, batch=7)
    entries: Any = stage.redis.xrange(stage.keys.outbox)
    left = [int(fields[b"index"]) for _, fields in entries]
    known = kept(stage)
    assert known == tree(known.count)
    assert left[-1] == 19
    assert left[0] <= known.count
    # The next one comes past other lines alone.
    join(stage, 0, on_sale="other")
    await stage.drain(batch=7)
    await check(stage, tree(20))
    await check(stage, tree(1), "other")


async def test_writers_killed_again_and_again_lose_no_leaf(stage: Backstage) -> None:
    for number in range(30):
        join(stage, number)
        join(stage, number, on_sale="other")
        with pytest.raises(ZeroDivisionError):
            await stage.new_writer(4, dies_at(POINTS[number % len(POINTS)])).drain()
    await stage.drain()
    await check(stage, tree(30))
    await check(stage, tree(30), "other")


async def test_two_writers_at_once_grow_one_tree(stage: Backstage) -> None:
    join(stage, *range(10))
    async with stage.running(stage.new_writer(1), stage.new_writer(3)):
        join(stage, *range(10, 60))
        await stage.drain()
    await stage.drain()
    await check(stage, tree(60))


async def test_an_index_that_nobody_has_is_a_leaf_of_nobody_and_one_given_twice_the_firsts(stage: Backstage) -> None:
    join(stage, 0, 1, 4, 5)
    await stage.drain()
    await check(stage, tree(6, 2, 3))
    put_join(stage, 5, hash_of(77))
    join(stage, 4, 6)
    await stage.drain()
    await check(stage, tree(7, 2, 3))
    assert [kind for kind, _ in await stage.alarms()] == ["index-given-twice"]


@pytest.mark.parametrize("batch", [1, 3, 100])
async def test_who_comes_after_the_list_is_closed_is_recorded_and_not_in_the_tree(stage: Backstage, batch: int) -> None:
    join(stage, *range(5))
    await stage.drain(batch=batch)
    join(stage, *range(5, 12))
    close_list(stage, 8)
    await stage.drain(batch=batch)
    await check(stage, tree(8))
    assert await stage.value("SELECT count(*) FROM entrants") == 12
    join(stage, 12)
    await stage.drain(batch=batch)
    await check(stage, tree(8))


async def test_a_ledger_of_before_grows_its_tree_from_the_entrants_that_it_has(stage: Backstage) -> None:
    join(stage, *range(20))
    await stage.drain()
    await stage.value("DELETE FROM frontiers RETURNING 1")
    stage.redis.delete(stage.keys.frontier(SALE, PUBLIC))
    join(stage, 20)
    await stage.drain()
    await check(stage, tree(21))


async def test_a_ledger_from_a_backup_goes_on_with_the_tree_that_redis_knows(stage: Backstage) -> None:
    join(stage, *range(20))
    await stage.drain()
    await stage.value("DELETE FROM entrants WHERE index >= 10 RETURNING 1")
    await stage.value("UPDATE frontiers SET leaves = 2, roots = $1 RETURNING 1", tree(2).roots[0])
    join(stage, 20)
    await stage.drain()
    await check(stage, tree(21))


@pytest.mark.parametrize("has_tree", [True, False])
async def test_after_the_loss_of_redis_its_tree_is_put_back(stage: Backstage, has_tree: bool) -> None:
    await stage.open()
    on_sale = await stage.put_on(opens_at_ms=10**13)
    name = on_sale.on_sale
    join(stage, *range(30), on_sale=name)
    stage.redis.hset(stage.keys.sale(name), "joined", 30)
    await stage.drain()
    await keep(stage)
    if not has_tree:
        await stage.value("DELETE FROM frontiers RETURNING 1")
    go_back(stage, None)
    await recover(stage)
    assert kept(stage, name) == tree(30)
    assert (await stage.status(on_sale)).joined >= 30
