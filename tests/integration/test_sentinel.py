"""A house on a primary with two replicas, found through three sentinels: it outlives the primary, by URL alone."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from engine.client import FunctionClient
from engine.errors import CellUnavailable
from engine.nodes import finder_of, prepare_nodes
from tests.chaos.crowd import Crowd
from tests.chaos.truth import clean, recorded
from tests.faults.nodes import Watched, wait_for
from tests.faults.patience import call_until_answered, until
from tests.faults.town_on_nodes import TownOnNodes, insist, seconds_away, until_it_sells_after
from tests.town import Sale, small_plan

SEED = 12
LIBRARY = """#!lua name=sentinel_test
redis.register_function('count', function(keys, args) return redis.call('INCR', keys[1]) end)
"""
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    running = Watched()
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="module")
def town(watched: Watched) -> Iterator[TownOnNodes]:
    running = TownOnNodes(("noord",), watched)
    try:
        running.start()
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()


async def open_sale(town: TownOnNodes) -> Sale:
    return await town.open_sale("noord", plan=small_plan(rows=20, seats=40, standing=20_000))


@pytest.mark.parametrize("how", ["killed", "silent"])
async def test_a_lost_primary_is_replaced_and_the_house_sells_on(town: TownOnNodes, watched: Watched, how: str) -> None:
    old = watched.known_primary()
    async with await open_sale(town) as sale:
        epoch = (await sale.status())["epoch"]
        async with Crowd(sale, SEED) as crowd:
            await crowd.until_confirmed(20)
            # A process that dies resets its connections; a machine that does says nothing.
            await asyncio.to_thread(old.kill if how == "killed" else old.freeze)
            print(f"a primary is {how}: the house was away for {await seconds_away(sale):.2f} s")
            await until_it_sells_after(sale, epoch)
            await crowd.until_confirmed(20)
        assert watched.known_primary() is not old
        await sale.until_drained()
        assert await recorded(town, "noord") >= crowd.bought
        await clean(town, "noord")
    await asyncio.to_thread(watched.bring_back, old)


async def test_a_node_that_comes_back_is_given_the_houses_user(town: TownOnNodes, watched: Watched) -> None:
    for node in watched.nodes:
        wait_for(lambda node=node: "noord" in node.ask("ACL", "USERS"), "the user is there")  # type: ignore[misc]
    replica = next(node for node in watched.nodes if node is not watched.known_primary())
    await asyncio.to_thread(replica.kill)
    (fault,) = await prepare_nodes(finder_of(town.network.house("noord")), town.network.house("noord"))
    assert str(replica.port) in fault
    await asyncio.to_thread(watched.bring_back, replica)  # no node keeps its users over a restart
    await asyncio.to_thread(wait_for, lambda: "noord" in replica.ask("ACL", "USERS"), "the user is there again")


async def test_a_primary_that_the_sentinels_lost_and_we_did_not_is_left(town: TownOnNodes, watched: Watched) -> None:
    old = watched.known_primary()
    async with await open_sale(town) as sale:
        epoch = (await sale.status())["epoch"]
        token = await sale.enter()
        assert (await sale.hold(token, "zaal-A-1")).status == 201
        await asyncio.to_thread(watched.cut_off, old)
        new = await asyncio.to_thread(watched.until_promoted, old)
        await until_it_sells_after(sale, epoch)
        assert old.replication()["role"] == "master", "it does not know"
        known = old.client.hget("{noord}:cell", "sequence")
        held = await insist(lambda: sale.hold(token, "zaal-A-2"))
        assert held.status == 201
        assert (await sale.hold(token, "zaal-A-1")).status == 409
        ordered = await sale.order(token, held.json["hold"], headers={"Prefer": "wait=5"})
        assert ordered.json["state"] == "recorded"
        assert old.client.hget("{noord}:cell", "sequence") == known, "nothing is sold there any more"
        epochs = [int(node.client.hget("{noord}:cell", "epoch") or 0) for node in (old, new)]
        assert epochs[0] < epochs[1]
        await clean(town, "noord")
    await asyncio.to_thread(old.kill)
    await asyncio.to_thread(watched.bring_back, old)


async def test_the_small_client_follows_a_promotion_and_runs_nothing_twice(watched: Watched) -> None:
    old = watched.known_primary()
    old.ask("FUNCTION", "LOAD", "REPLACE", LIBRARY)
    for node in watched.nodes:
        is_there = partial(node.ask, "FUNCTION", "LIST", "LIBRARYNAME", "sentinel_test")
        wait_for(lambda is_there=is_there: bool(is_there()), "the functions are there")  # type: ignore[misc]
    counted = 0
    async with FunctionClient(watched.url(), timeout_ms=1_000, connect_timeout_ms=1_000) as client:
        assert await client.call("count", ["n"], []) == 1
        stop, refused = asyncio.Event(), 0

        async def count_on() -> None:
            nonlocal counted, refused
            while not stop.is_set():
                with contextlib.suppress(CellUnavailable):
                    await client.call("count", ["n"], [])
                    counted += 1
                    continue
                refused += 1
                await asyncio.sleep(0.02)

        counting = asyncio.create_task(count_on())
        await until(lambda: _is(lambda: counted > 100))
        watched.sentinels[0].ask("SENTINEL", "FAILOVER", "house-primary")
        new = await asyncio.to_thread(watched.until_promoted, old)
        await until(lambda: _is(lambda: client.reconnects > 0))
        before = counted
        await until(lambda: _is(lambda: counted > before + 100))
        stop.set()
        await counting
        assert await call_until_answered(client, "count", keys=["n"]) == int(new.client.get("n") or 0)
        assert int(new.client.get("n") or 0) <= counted + refused + 2


async def _is(condition: Callable[[], bool]) -> bool:
    return condition()


async def test_one_sentinel_that_answers_is_enough_and_none_is_told(watched: Watched) -> None:
    watched.known_primary().ask("FUNCTION", "LOAD", "REPLACE", LIBRARY)
    first, second, third = watched.sentinels
    try:
        first.stop()
        third.stop()
        async with FunctionClient(watched.url(), timeout_ms=2_000, connect_timeout_ms=2_000) as client:
            assert await call_until_answered(client, "count", keys=["m"]) == 1
        second.stop()
        async with FunctionClient(watched.url(), timeout_ms=300) as client:
            with pytest.raises(CellUnavailable, match="No sentinel told where house-primary is"):
                await client.call("count", ["m"], [])
    finally:
        for sentinel in watched.sentinels:
            sentinel.start()
