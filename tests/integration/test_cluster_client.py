"""The small client in a Redis Cluster of six real nodes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.client import FunctionClient
from engine.errors import CellBusy, CellUnreachable
from engine.finding import Finder
from tests.faults.nodes import PASSWORD, Cluster, Node, bus_port
from tests.faults.patience import call_until_answered

COUNT = """#!lua name=cluster_test
redis.register_function('count', function(keys, args) return redis.call('INCR', keys[1]) end)
"""
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    try:
        running.start()
        for node in running.nodes[:3]:
            node.ask("FUNCTION", "LOAD", COUNT)
        yield running
    finally:
        running.stop()


async def test_the_small_client_finds_a_slot_from_any_seed_and_outlives_them(cluster: Cluster) -> None:
    home = cluster.primary_of("elders")
    (replica,) = cluster.replicas_of(home)
    strangers = cluster.others("elders")
    nobody = bus_port()
    url = cluster.url(seeds=strangers[:1]).replace("@", f"@127.0.0.1:{nobody},")
    async with FunctionClient(url, timeout_ms=2_000, connect_timeout_ms=1_000) as client:
        counts = await asyncio.gather(*(client.call("count", ["{elders}:n"], []) for _ in range(200)))
        assert sorted(counts) == list(range(1, 201)), "the first seed is nobody, the second says who has the slot"
        assert home.ask("WAIT", 1, 5_000) == 1
        await asyncio.to_thread(home.kill)
        assert await call_until_answered(client, "count", keys=["{elders}:n"]) == 201
        assert replica.client.get("{elders}:n") == "201"
        await asyncio.to_thread(home.start)
        await asyncio.to_thread(cluster.until_whole)
        # A replica sends whoever asks it to its primary.
        async with FunctionClient(cluster.url(seeds=[home]), timeout_ms=2_000) as other:
            assert await call_until_answered(other, "count", keys=["{elders}:n"]) == 202


async def test_the_ops_side_finds_a_house_when_every_node_of_its_url_is_silent(cluster: Cluster) -> None:
    home, stranger = cluster.primary_of("elders"), cluster.others("elders")[0]
    finder = Finder(cluster.url(seeds=[stranger]), "{elders}:n")
    assert (await finder.find()).port == home.port
    stranger.freeze()
    try:
        assert (await finder.find()).port == home.port
        assert {node.port for node in await finder.nodes()} <= {node.port for node in cluster.nodes}
        with pytest.raises(CellUnreachable, match=f"{stranger.port}: no answer in time"):
            await Finder(cluster.url(seeds=[stranger]), "{elders}:n").find()
    finally:
        stranger.thaw()
    await asyncio.to_thread(cluster.until_whole)


async def test_while_a_slot_moves_a_call_of_several_keys_is_refused_and_ran_nowhere(cluster: Cluster) -> None:
    home, target = cluster.primary_of("elders"), cluster.others("elders")[0]
    slot = cluster.slot_of("elders")
    home.client.set("{elders}:n", 5)
    async with FunctionClient(cluster.url(), timeout_ms=2_000) as client:
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", home.ask("CLUSTER", "MYID"))
        home.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
        with pytest.raises(CellBusy, match="TRYAGAIN"):
            await client.call("count", ["{elders}:n", "{elders}:not-there"], [])
        home.ask("MIGRATE", "127.0.0.1", target.port, "{elders}:n", 0, 5_000, "AUTH", PASSWORD)
        with pytest.raises(CellBusy, match="ASK"):
            await client.call("count", ["{elders}:n"], [])
        for node in (target, home, *cluster.others("elders")):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.ask("CLUSTER", "MYID"))
        assert await call_until_answered(client, "count", keys=["{elders}:n"]) == 6


async def test_a_node_that_serves_no_more_is_left_for_another(short_folder: Path) -> None:
    demoted, other = (Node(short_folder / name) for name in ("demoted", "other"))
    try:
        for node in (demoted, other):
            node.start()
            node.ask("FUNCTION", "LOAD", COUNT)
        url = f"redis+cluster://default:{PASSWORD}@127.0.0.1:{demoted.port},127.0.0.1:{other.port}/"
        async with FunctionClient(url, timeout_ms=2_000) as client:
            assert await client.call("count", ["n"], []) == 1
            demoted.ask("REPLICAOF", "127.0.0.1", bus_port())
            with pytest.raises(CellBusy, match="READONLY"):
                await client.call("count", ["n"], [])
            assert await call_until_answered(client, "count", keys=["n"]) == 1
            assert other.client.get("n") == "1"
    finally:
        for node in (demoted, other):
            node.erase()
            node.client.close()
