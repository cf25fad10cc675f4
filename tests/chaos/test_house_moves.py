"""A house moves to a Postgres of its own by a dump, a restore and a changed line; a house is restored alone.

The other house sells meanwhile, and does not notice.
"""

import asyncio
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from engine import orders, seats
from engine.cli.sales import at_house
from engine.cli.stage import Company
from engine.embedded.postgres import EmbeddedPostgres
from engine.entries import Payment
from engine.ports import free_port
from engine.shares import Owner
from engine.wishes import Wish
from engine.words import AreaId, HouseSlug, OrderId, PerformanceId
from tests.chaos.crowd import Crowd
from tests.chaos.truth import backlog_of, clean, recorded
from tests.faults.dumps import dump, restore
from tests.sale import READY_SECONDS, Sale
from tests.town import Town, small_plan

SEED = 11
NOORD, ZUID = "noord", "zuid"
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


class TownOfProcesses(Town):
    """A town that serves each house by a process of its own."""

    def serve(self) -> None:
        self.company = Company(self.folder)
        self.ports = {slug: free_port() for slug in self.slugs}
        self.processes = {slug: self._serve(slug) for slug in self.slugs}

    def _serve(self, slug: str) -> Any:
        return self.company.serve(self.network.house(slug), self.network_file, self.ports[slug])

    async def until_house_is_open(self, slug: str) -> None:
        async with aiohttp.ClientSession() as session, asyncio.timeout(READY_SECONDS):
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{self.ports[slug]}/readyz") as response:
                        if (await response.json())["cells"] == {slug: "open"}:
                            return
                except (aiohttp.ClientError, KeyError):
                    pass
                await asyncio.sleep(0.05)

    async def end(self, slug: str) -> None:
        """Ends a house's process as a supervisor does."""
        process = self.processes[slug]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0

    async def begin(self, slug: str) -> None:
        self.processes[slug] = self._serve(slug)
        await self.until_house_is_open(slug)

    @asynccontextmanager
    async def sale_at(self, slug: str, **options: Any) -> AsyncIterator[Sale]:
        sale = await self.open_sale(slug, plan=small_plan(rows=20, seats=40, standing=20_000), **options)
        sale.base = f"http://127.0.0.1:{self.ports[slug]}/v1/houses/{slug}"
        async with sale:
            yield sale

    async def balance(self) -> None:
        """Each test looks at the books itself: where one house has moved to is gone by now."""

    def stop(self) -> None:
        self.company.__exit__()
        super().stop()


@pytest.fixture
def town() -> Iterator[TownOfProcesses]:
    running = TownOfProcesses((NOORD, ZUID), own_limits={ZUID: {"redis_timeout_ms": 5_000}})
    running.start()
    try:
        for slug in running.slugs:
            asyncio.run(running.until_house_is_open(slug))
        yield running
    finally:
        running.stop()


@contextmanager
def another_postgres() -> Iterator[EmbeddedPostgres]:
    """A Postgres beside the town's, with nothing in it."""
    folder = Path(tempfile.mkdtemp(prefix="pe-"))
    folder.chmod(0o711)
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.erase()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def elsewhere() -> Iterator[EmbeddedPostgres]:
    with another_postgres() as postgres:
        yield postgres


def dsn_of(town: Town, slug: str) -> str:
    return town.network.house(slug).postgres_dsn


def change_line(town: Town, before: str, after: str) -> None:
    """One line of the network file; nothing else."""
    text = town.network_file.read_text()
    assert text.count(before) == 1
    town.network_file.write_text(text.replace(before, after))


def nobody_comes_in(town: Town, slug: str) -> None:
    """The old database takes nobody any more, and whoever is in it goes."""
    with psycopg.connect(town.servers.postgres.dsn, autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "house_{slug}" ALLOW_CONNECTIONS false')
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [f"house_{slug}"])


async def sell_unrecorded(town: Town, sale: Sale, count: int) -> set[tuple[str, int]]:
    """Orders confirmed in Redis while no writer runs."""
    made = set()
    async with at_house(town.network_file, sale.slug) as (cell, _):
        for _ in range(count):
            owner = Owner(owner="key:staff", place="", on_sale=cell.on_sale(sale.on_sale).on_sale)
            wish = Wish(performance=PerformanceId(sale.performance), area=AreaId("vloer"), quantity=2)
            held = await seats.hold(cell, owner, [wish], (), str(uuid.uuid4()))
            buyer = orders.Buyer(caller="key:staff", owner="", channel="counter")
            paid = Payment(provider="demo", reference=f"yes-{uuid.uuid4()}")
            order, _ = await orders.confirm(cell, buyer, [held.hold], None, paid, str(uuid.uuid4()))
            made.add((str(order), 2))
    return made


async def test_a_house_moves_to_its_own_server_by_a_dump_a_restore_and_a_changed_line(
    town: TownOfProcesses, elsewhere: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with town.sale_at(NOORD) as sale, town.sale_at(ZUID) as other, Crowd(other, SEED + 1) as neighbours:
        async with Crowd(sale, SEED) as crowd:
            await crowd.until_confirmed(40)
        await town.end(NOORD)
        waiting = await sell_unrecorded(town, sale, 7)
        assert await backlog_of(town, NOORD) >= 7  # what is not recorded yet moves as well

        dump(dsn_of(town, NOORD), tmp_path / "noord.dump")
        nobody_comes_in(town, NOORD)
        new_dsn = elsewhere.ensure_house(HouseSlug(NOORD))
        restore(tmp_path / "noord.dump", new_dsn)
        change_line(town, dsn_of(town, NOORD), new_dsn)

        before = len(neighbours.confirmed)
        await town.begin(NOORD)
        await sale.until_drained()
        assert await recorded(town, NOORD) == crowd.bought | waiting
        async with Crowd(sale, SEED + 2) as later:
            await later.until_confirmed(40)
        await sale.until_drained()
        assert await recorded(town, NOORD) == crowd.bought | waiting | later.bought
        with psycopg.connect(new_dsn) as house:
            found = house.execute("SELECT count(*) FROM orders").fetchone()
        assert found == (len(crowd.bought | waiting | later.bought),)
        await neighbours.until_confirmed(10)
        print(f"{len(neighbours.confirmed)} orders next door, {before} until the house opened again")
    assert not neighbours.refused
    assert neighbours.unknown == 0
    await other.until_drained()
    assert await recorded(town, ZUID) == neighbours.bought
    await clean(town, NOORD, ZUID)


async def test_a_house_is_restored_alone_from_its_backup_and_sells_on_from_there(
    town: TownOfProcesses, elsewhere: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Its machine burned down, Redis and Postgres with it: all that there is, is a backup and the keys."""
    async with town.sale_at(NOORD) as sale, town.sale_at(ZUID) as other, Crowd(other, SEED + 1) as neighbours:
        async with Crowd(sale, SEED) as crowd:
            await crowd.until_confirmed(30)
            dump(dsn_of(town, NOORD), tmp_path / "noord.dump")  # while it sells
            await crowd.until_confirmed(30)
        await sale.until_drained()
        await town.end(NOORD)
        nobody_comes_in(town, NOORD)
        lose_redis(town, NOORD)

        new_dsn = elsewhere.ensure_house(HouseSlug(NOORD))
        restore(tmp_path / "noord.dump", new_dsn)
        change_line(town, dsn_of(town, NOORD), new_dsn)
        await town.begin(NOORD)
        backed_up = await recorded(town, NOORD)
        assert 0 < len(backed_up) < len(crowd.bought)
        assert backed_up < crowd.bought
        await clean(town, NOORD)
        async with Crowd(sale, SEED + 2) as later:
            await later.until_confirmed(30)
        await sale.until_drained()
        assert await recorded(town, NOORD) == backed_up | later.bought
        await neighbours.until_confirmed(10)
    assert not neighbours.refused
    assert neighbours.unknown == 0
    await clean(town, NOORD, ZUID)


def lose_redis(town: Town, slug: str) -> None:
    """The house's Redis starts anew, with nothing."""
    server = town.servers.redis[HouseSlug(slug)]
    server.kill()
    shutil.rmtree(server.folder / "appendonlydir")
    server.start()


async def test_a_ledger_restored_alone_gets_back_from_its_redis_what_was_recorded_after_the_backup(
    town: TownOfProcesses, elsewhere: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Only Postgres was lost, and the house sold and took back since the backup."""
    async with town.sale_at(NOORD) as sale, town.sale_at(ZUID) as other, Crowd(other, SEED + 1) as neighbours:
        async with Crowd(sale, SEED) as crowd:
            await crowd.until_confirmed(20)
            dump(dsn_of(town, NOORD), tmp_path / "noord.dump")
            await crowd.until_confirmed(20)
        await sale.until_drained()
        returned = next(reversed(crowd.confirmed))
        refund = {"reason": "a test"}
        assert (await sale.post(f"/manage/orders/{returned}/refund", refund, token=sale.manage_key)).status == 200
        await sale.until_drained()
        await town.end(NOORD)
        nobody_comes_in(town, NOORD)
        new_dsn = elsewhere.ensure_house(HouseSlug(NOORD))
        restore(tmp_path / "noord.dump", new_dsn)
        change_line(town, dsn_of(town, NOORD), new_dsn)
        with psycopg.connect(new_dsn) as house:
            kept = house.execute("SELECT count(*) FROM orders").fetchone()
        assert kept is not None
        assert 0 < kept[0] < len(crowd.confirmed)  # the fault bit
        await town.begin(NOORD)

        async with Crowd(sale, SEED + 2) as later:
            await later.until_confirmed(20)
        await sale.until_drained()
        standing = {each for each in crowd.bought if each[0] != returned}
        assert await recorded(town, NOORD) == standing | later.bought
        async with at_house(town.network_file, NOORD) as (_, ledger):
            found = await ledger.order(OrderId(returned))
            assert found is not None
            assert (found.state, found.email.endswith("@example.org")) == ("refunded", True)
        print(f"{kept[0]} of {len(crowd.confirmed)} orders were in the backup")
        await neighbours.until_confirmed(10)
    assert not neighbours.refused
    assert neighbours.unknown == 0
    await clean(town, NOORD, ZUID)
