"""Houses in one Redis Cluster of six real nodes: they live apart, move while they sell, and outlive a primary."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest
from redis.exceptions import NoPermissionError, RedisError

from engine.cell import Cell
from engine.cli.sales import at_house
from engine.errors import CellUnavailable
from engine.keeper import Keeper
from engine.keys import Keys
from engine.ledger.ledger import Ledger
from engine.ledger.recoveries import last_standing
from engine.library import assemble
from engine.losses import is_after
from engine.nodes import faults_of_nodes
from engine.redis_urls import connect, credentials
from engine.words import HouseSlug
from tests.backstage import until
from tests.chaos.crowd import Crowd
from tests.chaos.truth import clean, recorded
from tests.faults.nodes import Cluster, Node, client_of, wait_for
from tests.faults.town_on_nodes import TownOnNodes, insist, seconds_away, until_it_sells_after
from tests.town import Sale, small_plan

HOUSES = ("zuid", "oost", "noord")
SEED = 11
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="module")
def town(cluster: Cluster) -> Iterator[TownOnNodes]:
    running = TownOnNodes(HOUSES, cluster)
    try:
        running.start()
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()


async def open_sale(town: TownOnNodes, slug: str) -> Sale:
    return await town.open_sale(slug, plan=small_plan(rows=20, seats=40, standing=20_000))


async def test_houses_of_one_cluster_live_on_nodes_of_their_own_and_sell(town: TownOnNodes, cluster: Cluster) -> None:
    assert len({cluster.primary_of(slug).port for slug in HOUSES}) == 3
    for slug in HOUSES:
        async with await open_sale(town, slug) as sale:
            token = await sale.enter()
            held = await sale.hold(token, "zaal-A-1", "zaal-A-2")
            ordered = await sale.order(token, held.json["hold"], headers={"Prefer": "wait=5"})
            assert (ordered.status, ordered.json["state"]) == (202, "recorded")
            home = cluster.primary_of(slug)
            for node in cluster.nodes:
                found = node.client.exists(f"{{{slug}}}:cell") if node is home else node.ask("DBSIZE")
                assert found or node is not home
    await clean(town, *HOUSES)


def users_of(node: Node) -> dict[str, str]:
    """The houses' users there, with their rights."""
    return {line.split()[1]: line for line in node.ask("ACL", "LIST") if line.split()[1] in HOUSES}


def test_every_node_knows_every_houses_user_and_the_functions(town: TownOnNodes, cluster: Cluster) -> None:
    for node in cluster.nodes:
        wait_for(lambda node=node: set(users_of(node)) == set(HOUSES), "users are everywhere")  # type: ignore[misc]
        libraries = node.ask("FUNCTION", "LIST", "LIBRARYNAME", assemble().name)
        assert len(libraries) == 1
    first = users_of(cluster.nodes[0])
    assert all(users_of(node) == first for node in cluster.nodes)


def test_a_houses_user_may_touch_no_other_houses_keys_and_no_command_of_the_cluster(
    town: TownOnNodes, cluster: Cluster
) -> None:
    look = assemble().functions["cell/gate"]
    for slug in HOUSES:
        for other in HOUSES:
            node = cluster.primary_of(other)
            stranger = client_of(node.port, f"of-{slug}", user=slug)
            keys = Keys(HouseSlug(other))
            words = ("FCALL_RO", look, 3, keys.cell, keys.outbox, keys.recorded)
            if other == slug:
                assert stranger.execute_command(*words)[0] == "gate"
            else:
                with pytest.raises(NoPermissionError):
                    stranger.execute_command(*words)
            for denied in (("CLUSTER", "SLOTS"), ("COMMAND",), ("READONLY",), ("ASKING",), ("ROLE",), ("INFO",)):
                with pytest.raises(NoPermissionError):
                    stranger.execute_command(*denied)
            stranger.close()


async def test_the_doctor_names_each_node_that_is_not_as_it_should_be(town: TownOnNodes, cluster: Cluster) -> None:
    house, primary = town.network.house("noord"), cluster.primary_of("noord")
    (replica,) = cluster.replicas_of(primary)
    assert await faults_of_nodes(house) == []
    replica.ask("CONFIG", "SET", "appendfsync", "everysec")
    replica.ask("ACL", "DELUSER", "noord")
    await asyncio.to_thread(replica.stop_copying)
    try:
        found = await faults_of_nodes(house)
        for port, words in (
            (replica.port, "gets nothing of its primary"),
            (replica.port, "appendfsync is everysec"),
            (primary.port, "no replica copies it"),
        ):
            assert any(f":{port}: " in fault and words in fault for fault in found), found
    finally:
        replica.copy_again()
        replica.ask("CONFIG", "SET", "appendfsync", "always")
    await asyncio.to_thread(wait_for, lambda: "noord" in replica.ask("ACL", "USERS"), "the user is there again")
    await asyncio.to_thread(cluster.until_whole)
    assert await faults_of_nodes(house) == []


async def test_a_house_moves_to_another_node_and_back_while_it_sells(town: TownOnNodes, cluster: Cluster) -> None:
    first, second = cluster.primary_of("noord"), cluster.others("noord")[0]
    async with await open_sale(town, "noord") as noord, await open_sale(town, "oost") as oost:
        epoch = (await noord.status())["epoch"]
        others_epoch = (await oost.status())["epoch"]
        async with Crowd(noord, SEED) as crowd, Crowd(oost, SEED, pause_s=0.1) as neighbours:
            for target in (second, first):
                await crowd.until_confirmed(20)
                started = time.monotonic()
                moved = await asyncio.to_thread(cluster.move, "noord", target, pause_s=0.01)
                moved_s = time.monotonic() - started
                epoch = await until_it_sells_after(noord, epoch)
                await crowd.until_confirmed(1)
                sold_s = time.monotonic() - started
                print(f"{moved} keys moved in {moved_s:.2f} s; selling again after {sold_s:.2f} s, at epoch {epoch}")
                assert moved > 20, "the house was not there"
            await crowd.until_confirmed(20)
            await neighbours.until_confirmed(1)
        assert sum(count for (_, status, _), count in crowd.answers.items() if status == 503), "the move was not felt"
        assert not neighbours.refused
        assert (await oost.status())["epoch"] == others_epoch
        await noord.until_drained()
        assert await recorded(town, "noord") >= crowd.bought
        await clean(town, *HOUSES)


async def test_a_killed_primary_is_replaced_by_its_replica_and_the_house_sells_on(
    town: TownOnNodes, cluster: Cluster
) -> None:
    old = cluster.primary_of("noord")
    (replica,) = cluster.replicas_of(old)
    async with await open_sale(town, "noord") as noord, await open_sale(town, "oost") as oost:
        epoch = (await noord.status())["epoch"]
        async with Crowd(noord, SEED) as crowd, Crowd(oost, SEED, pause_s=0.1) as neighbours:
            await crowd.until_confirmed(20)
            await asyncio.to_thread(old.kill)
            print(f"a primary is killed: the house was away for {await seconds_away(noord):.2f} s")
            await until_it_sells_after(noord, epoch)
            await crowd.until_confirmed(20)
        assert cluster.primary_of("noord") is replica
        assert not neighbours.refused
        await noord.until_drained()
        assert await recorded(town, "noord") >= crowd.bought
        await clean(town, *HOUSES)
    await asyncio.to_thread(old.start)
    await asyncio.to_thread(cluster.until_whole)


@pytest.mark.parametrize("how", ["promoted", "moved"])
async def test_a_node_that_lost_the_house_and_gets_it_back_is_closed_though_it_never_restarted(
    town: TownOnNodes, cluster: Cluster, how: str
) -> None:
    first = cluster.primary_of("noord")
    second = (cluster.replicas_of(first) if how == "promoted" else cluster.others("noord"))[0]
    pid = first.pid

    def give_to(node: Node) -> None:
        if how == "promoted":
            cluster.promote(node)
            cluster.until_whole()
        else:
            cluster.move("noord", node)
        wait_for(lambda: cluster.primary_of("noord") is node, "the house is there")

    async with await open_sale(town, "noord") as noord:
        epoch = (await noord.status())["epoch"]
        await asyncio.to_thread(give_to, second)
        epoch = await until_it_sells_after(noord, epoch)
        token = await noord.enter()
        assert (await noord.hold(token, "zaal-A-1")).status == 201
        await noord.until_drained()
        with town.nobody_keeping():
            await asyncio.to_thread(give_to, first)
            assert first.pid == pid
            # Its memory still says that the gate is open, at an epoch that is over.
            for _ in range(20):
                answer = await noord.hold(token, "zaal-A-2")
                assert (answer.status, answer.slug) == (503, "cell-unavailable"), answer.json
                await asyncio.sleep(0.05)
        await until_it_sells_after(noord, epoch)
        assert (await noord.hold(token, "zaal-A-1")).status == 409
        assert (await noord.hold(token, "zaal-A-2")).status == 201
        await clean(town, *HOUSES)


async def test_a_recovery_that_a_promotion_overtakes_opens_nothing(
    town: TownOnNodes, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = town.network.house("noord")
    cell, ledger = Cell(house, is_owner=True), Ledger(house.postgres_dsn, pool=2, timeout_ms=5_000)
    owner = connect(house.redis_owner_url, cell.keys.cell)
    keeper = Keeper(cell, owner, ledger, *credentials(house.redis_url))
    tell = keeper._recovery._tell

    async def overtaken(*compared: Any) -> Any:
        told = await tell(*compared)
        (replica,) = cluster.replicas_of(cluster.primary_of("noord"))
        await asyncio.to_thread(cluster.promote, replica)
        await asyncio.to_thread(wait_for, lambda: cluster.primary_of("noord") is replica, "the house is there")
        return told

    monkeypatch.setattr(keeper._recovery, "_tell", overtaken)
    with town.nobody_keeping():
        await keeper.cell.look()
        await insist_on(keeper.recover)
        await insist_on(keeper.cell.look)
        assert (keeper.recoveries, keeper.cell.is_open) == (0, False), "what is there now was never compared"
        monkeypatch.undo()
        await insist_on(keeper.recover)
        assert (keeper.recoveries, keeper.cell.is_open) == (1, True)
    await cell.close()
    await ledger.close()
    await owner.aclose()
    await asyncio.to_thread(cluster.until_whole)
    await clean(town, *HOUSES)


async def insist_on(do: Callable[[], Awaitable[object]]) -> None:
    """Does it again while a connection still leads to the node of before; once through, it is done."""
    async with asyncio.timeout(20):
        while True:
            try:
                await do()
            except (CellUnavailable, RedisError):
                await asyncio.sleep(0.05)
            else:
                return


async def buy(sale: Sale, row: str) -> set[str]:
    """Five orders of a seat each."""
    orders = set()
    for number in range(1, 6):
        token = await sale.enter()
        held = await sale.hold(token, f"zaal-{row}-{number}")
        ordered = await sale.order(token, held.json["hold"])
        assert (ordered.status, ordered.json["state"]) == (202, "confirmed")
        orders.add(ordered.json["order"])
    return orders


async def alarms(town: TownOnNodes, kind: str) -> list[Any]:
    async with at_house(town.network_file, "noord") as (_, ledger), ledger.connection() as postgres:
        rows = await postgres.fetch("SELECT detail FROM alarms WHERE kind = $1 ORDER BY id", kind)
    return [msgspec.json.decode(row["detail"]) for row in rows]


async def until_standing_is_kept(town: TownOnNodes, primary: Node) -> None:
    """Waits until the ledger, to which it is copied each second, knows how far the house is now."""
    sequence = int(primary.ask("HGET", Keys(HouseSlug("noord")).cell, "sequence"))
    async with at_house(town.network_file, "noord") as (_, ledger):

        async def is_kept() -> bool:
            return (await last_standing(ledger)).sequence >= sequence

        await until(is_kept, "the ledger knows how far the house is")


async def test_what_was_confirmed_and_never_replicated_is_found_and_told_and_sold_again(
    town: TownOnNodes, cluster: Cluster
) -> None:
    old, outbox = cluster.primary_of("noord"), Keys(HouseSlug("noord")).outbox
    (replica,) = cluster.replicas_of(old)
    async with await open_sale(town, "noord") as noord:
        epoch = (await noord.status())["epoch"]
        bought = await buy(noord, "A")
        await noord.until_drained()
        assert old.ask("WAIT", 1, 5_000) == 1
        await asyncio.to_thread(replica.stop_copying)
        try:
            # The writer is quicker than the fault: what it has recorded, the replica need not know.
            bought |= await buy(noord, "B")
            await noord.until_drained()
            await until_standing_is_kept(town, old)
            with town.nobody_keeping():
                # And here it is not: nobody but the API, which answered, knows of these.
                told = await buy(noord, "C")
                cursor = old.last_entry(outbox)
                old.freeze()
                await asyncio.to_thread(wait_for, lambda: replica.replication()["role"] == "master", "it is promoted")
                assert is_after(cursor, replica.last_entry(outbox)), "the fault did not bite"
            epoch = await until_it_sells_after(noord, epoch)
            token = await noord.enter()
            for row in "ABC":
                answer = await insist(lambda row=row: noord.hold(token, f"zaal-{row}-3"))  # type: ignore[misc]
                assert (answer.status, answer.slug) == (409, "seats-taken"), row
            await noord.until_drained()
            assert {order for order, _ in await recorded(town, "noord")} >= bought | told
            (loss,) = await alarms(town, "redis-lost")
            assert loss["kind"] == "from_the_past"
            assert loss["operations"] > 0
            assert {each["order"] for each in await alarms(town, "order-lost")} == told
            await clean(town, *HOUSES)
        finally:
            replica.copy_again()
            old.thaw()
        # What it confirmed to nobody else's knowledge, it forgets; and it does not sell from its memory either.
        await asyncio.to_thread(cluster.until_whole)
        assert is_after(replica.last_entry(outbox), cursor)
        with town.nobody_keeping():
            await asyncio.to_thread(cluster.promote, old)
            assert (await noord.hold(token, "zaal-D-1")).status == 503
        await until_it_sells_after(noord, epoch)
        assert (await insist(lambda: noord.hold(token, "zaal-D-1"))).status == 201
        await clean(town, *HOUSES)
