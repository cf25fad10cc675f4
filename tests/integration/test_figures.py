"""What an installation says of itself: figures of all its processes, whichever of them is asked, and of nobody."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client import Metric

from engine.cli.sales import at_house
from engine.figures import Figures, shared_folder
from engine.ledger.recoveries import raise_alarm
from engine.sight import NETWORK_KIND, HouseSight, Lag, NetworkSight
from tests.backstage import until
from tests.operated import OPERATOR_KEY, Operated, frozen
from tests.town import Sale

HOUSES = ("noord", "zuid")
LABELS = {
    "house",
    "route",
    "status",
    "reason",
    "source",
    "state",
    "kind",
    "on_sale",
    "phase",
    "category",
    "outcome",
    "le",
}
"""All of them bounded: none is anything that a visitor sends, and none is anybody."""
NOT_BASE = re.compile(r"_(ms|milliseconds|minutes|hours|percent|kib|mib|kilobytes|megabytes|count|number)(_|$)")
VISITS = 40
LINE = re.compile(r"timestamp=\S+ level=(debug|info|warning|error|critical) event=")
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def operated() -> Iterator[Operated]:
    running = Operated(HOUSES)
    running.start()
    try:
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()


async def visits(sale: Sale, count: int = VISITS) -> None:
    """So many joins, each over a connection of its own: every process serves some of them."""
    for _ in range(count):
        assert (await sale.join_once(os.urandom(8).hex(), headers={"Connection": "close"})).status == 201


async def joined(operated: Operated, house: str) -> float:
    return await operated.number("parvis_answers_total", house=house, route="join", status="201")


async def processes(operated: Operated) -> set[int]:
    """The API processes that take connections."""
    return {(await operated.read("/healthz")).json["pid"] for _ in range(30)}


async def test_whichever_process_is_asked_tells_of_all_and_nothing_is_ever_uncounted(operated: Operated) -> None:
    async with await operated.open_sale("noord") as sale:
        before = await joined(operated, "noord")
        await visits(sale)

        async def all_tell() -> bool:
            return {await joined(operated, "noord") for _ in range(8)} == {before + VISITS}

        await until(all_tell, "every process tells of every visit")
        first = await processes(operated)
        assert len(first) == 2, "two processes serve, or this test proves nothing"
        os.kill(min(first), signal.SIGKILL)

        async def another_serves() -> bool:
            return len((await processes(operated)) - first) == 1

        await until(another_serves, "a process takes the place of the dead one")
        await visits(sale, 5)

        async def the_dead_ones_count() -> bool:
            return {await joined(operated, "noord") for _ in range(8)} == {before + VISITS + 5}

        await until(the_dead_ones_count, "what the dead process counted is still told")

        async def the_dead_one_is_gone() -> bool:
            return await operated.number("parvis_api_processes") == 2

        await until(the_dead_one_is_gone, "how the dead process was is told no more")
        assert await the_dead_ones_count(), "what it counted still is"


def is_well_named(family: Metric) -> bool:
    """Prometheus's conventions: our prefix, base units, `_total` for what only grows (the parser takes it off)."""
    name = family.name
    return name.startswith("parvis_") and not NOT_BASE.search(name) and not name.endswith("_total")


async def test_every_metric_is_named_as_prometheus_asks_and_no_label_is_without_bound(operated: Operated) -> None:
    async with await operated.open_sale("zuid") as sale:
        await sale.get("/on-sales/nothing/status")
        for path in ("/v1/houses/made-up/manage/orders", "/v1/houses/made-up", "/v1/houses/zuid/manage/x", "/nothing"):
            await operated.read(path)
        await until(lambda: _is_told(operated, sale.on_sale), "the on-sale is told of")
        families = await operated.metrics()
        assert len(families) > 30
        assert [name for name, family in families.items() if not is_well_named(family)] == []
        samples = [sample for family in families.values() for sample in family.samples]
        assert set().union(*(sample.labels for sample in samples)) <= LABELS
        assert {sample.labels.get("house", "-") for sample in samples} == {*HOUSES, "-"}
        for family in families.values():
            labels = set().union(*(sample.labels for sample in family.samples))
            assert "house" in labels or family.name == "parvis_api_processes", family.name
            assert family.documentation.strip(), family.name


async def _is_told(operated: Operated, on_sale: str) -> bool:
    return await operated.number("parvis_seats_open", on_sale=on_sale, category="Rang 1") == 20


async def test_a_sale_is_told_of_as_it_goes(operated: Operated) -> None:
    async with await operated.open_sale("zuid") as sale:
        token = await sale.enter()
        assert (await sale.hold(token, "zaal-A-1")).status == 201
        taken = await sale.hold(await sale.enter(), "zaal-A-1")
        assert taken.status == 409
        await sale.join()  # and does not come in when called
        async with at_house(operated.network_file, "zuid") as (_, ledger):
            await raise_alarm(ledger, "live-seat", {"order": "an-order"})
        mine = {"house": "zuid", "on_sale": sale.on_sale}

        async def is_told() -> bool:
            return (
                await operated.number("parvis_admissions_total", **mine) == 2
                and await operated.number("parvis_places_joined_total", **mine) == 3
                and await operated.number("parvis_turns_unclaimed", **mine) == 1
                and await operated.number("parvis_places_waiting", **mine) == 0
                and await operated.number("parvis_passes_live", **mine) == 2
                and await operated.number("parvis_on_sale_phase", phase="open", **mine) == 1
                and await operated.number("parvis_seats_open", category="Rang 1", **mine) == 19
                and await operated.number("parvis_holds", house="zuid") >= 1
                and await operated.number("parvis_refusals_total", house="zuid", reason="seats-taken") == 1
                and await operated.number("parvis_alarms_open", house="zuid", kind="live-seat") >= 1
            )

        await until(is_told, "the sale's figures")
        ops = await operated.ops("zuid")
        (told,) = [each for each in ops["on_sales"] if each["on_sale"] == sale.on_sale]
        assert told["admitted_last_minute"] == 2
        assert told["seats_open"]["Rang 1"] == 19
        assert ops["alarms"] >= 1
        assert ops["p99_ms"] is not None
        assert ops["state"] == "open"


async def test_nobody_but_an_operator_sees_how_a_house_is_doing(operated: Operated) -> None:
    async with await operated.open_sale("noord") as sale:
        paths = ("/v1/operated-houses", "/v1/houses/noord/ops")
        for token in ("", "po_wrong", sale.manage_key, await sale.enter()):
            for path in paths:
                answer = await operated.read(path, token)
                assert (answer.status, answer.slug) == (401, "key-required"), path
        for path in paths:
            assert (await operated.read(path, OPERATOR_KEY)).headers["Cache-Control"] == "no-store"
        listed = (await operated.read(paths[0], OPERATOR_KEY)).json
        assert [each["house"] for each in listed["houses"]] == list(HOUSES)
        (hash_in_the_file,) = operated.network.operator_keys
        assert (await operated.read(paths[0], hash_in_the_file)).status == 401


async def test_figures_name_no_customer(operated: Operated) -> None:
    """Of every town, `Town.stop` looks through logs and metrics; this looks at what operators read besides."""
    async with await operated.open_sale("noord") as sale:
        token = await sale.enter()
        order = (await sale.order(token, (await sale.hold(token, "zaal-A-1")).json["hold"])).json
        await sale.until_recorded(order)
        canary = operated.canaries["noord"]
        counted = await operated.number("parvis_orders", house="noord", state="recorded")
        assert counted >= 1 or await _is_counted(operated)
        for path in ("/v1/houses/noord/ops", "/v1/operated-houses", "/metrics"):
            body = (await operated.read(path, OPERATOR_KEY)).body
            assert canary.customer.encode() not in body
            assert order["order"].encode() not in body
        (found,) = (await sale.get("/manage/orders", sale.manage_key)).json["orders"][:1]
        assert canary.customer in str(found), "the customer is there to be leaked"


async def _is_counted(operated: Operated) -> bool:
    async def is_so() -> bool:
        return await operated.number("parvis_orders", house="noord", state="recorded") >= 1

    await until(is_so, "the order is counted")
    return True


@asynccontextmanager
async def _quiet(operated: Operated) -> AsyncIterator[None]:
    yield
    await operated.until_ready()


async def test_a_house_that_is_down_is_told_within_seconds_and_the_others_live_on(operated: Operated) -> None:
    async with _quiet(operated):
        with frozen(operated, "noord"):

            async def is_down() -> bool:
                state: str = (await operated.ops("noord"))["state"]
                return state == "down"

            await until(is_down, "the frozen house is told to be down", seconds=15)
            lively = await operated.ops("zuid")
            assert lively["state"] != "down"
            assert lively["redis_up"]
            assert lively["postgres_up"]
            assert await operated.number("parvis_redis_up", house="noord") == 0
            assert await operated.number("parvis_redis_up", house="zuid") == 1
            read_at: str = (await operated.ops("zuid"))["read_at"]

            async def is_live() -> bool:
                now: str = (await operated.ops("zuid"))["read_at"]
                return now > read_at

            await until(is_live, "the other house's figures are fresh")

        async def is_back() -> bool:
            return (await operated.ops("noord"))["state"] not in {"down", "recovering"}

        await until(is_back, "the house is told to be back")


async def test_what_waits_to_be_recorded_is_told_with_its_age_while_the_door_is_open(operated: Operated) -> None:
    async with await operated.open_sale("noord") as sale:
        with psycopg.connect(operated.network.house("noord").postgres_dsn) as house:
            house.execute("SELECT entry FROM cursor FOR UPDATE")  # as a forgotten transaction would
            await visits(sale, 3)

            async def lags() -> bool:
                return await operated.number("parvis_writer_lag_seconds", house="noord") > 1

            await until(lags, "the writer's lag grows")
            ops = await operated.ops("noord")
            assert ops["unrecorded"] >= 1
            assert ops["writer_lag_ms"] > 1_000
            assert ops["redis_up"]
            assert await operated.number("parvis_writer_lag_seconds", house="zuid") == 0
            assert await operated.number("parvis_strain_used_bytes", house="noord", source="backlog") > 0
            house.rollback()

        async def is_recorded() -> bool:
            return await operated.number("parvis_writer_lag_seconds", house="noord") == 0

        await until(is_recorded, "it is recorded")


async def test_every_line_of_the_log_can_be_read_by_a_program(operated: Operated) -> None:
    lines = operated.log().splitlines()
    assert any("event=" in line for line in lines)
    strange = [line for line in lines if not LINE.match(line) and not line.startswith("[")]
    assert strange == []


def test_figures_of_processes_lie_side_by_side(tmp_path: Path) -> None:
    one, other = Figures(tmp_path), Figures(tmp_path)
    for figures, epoch in ((one, 1), (other, 2), (one, 3)):
        figures.tell(NETWORK_KIND, NetworkSight({"noord": HouseSight(epoch=epoch)}))

    def epochs(figures: Figures, **which: Any) -> set[int]:
        return {told.houses["noord"].epoch for _, told in figures.read(NETWORK_KIND, NetworkSight, **which)}

    assert epochs(one) == epochs(other) == {2, 3}
    assert epochs(one, with_own=False) == {2}
    assert Figures(None).read(NETWORK_KIND, NetworkSight) == []


LAGS: tuple[tuple[str, tuple[tuple[float, str, str, float], ...]], ...] = (
    ("nothing waits", ((0, "0-0", "5-1", 0), (9, "0-0", "5-1", 0))),
    ("what waits is new, however long nothing came", ((0, "0-0", "5-1", 0), (900, "900-0", "5-1", 0))),
    ("what waits grows old", ((0, "10-0", "5-1", 0), (3, "10-0", "5-1", 3), (7, "12-0", "5-1", 7))),
    ("the oldest is recorded", ((0, "10-0", "5-1", 0), (4, "12-0", "5-1", 4), (6, "12-0", "10-0", 2))),
    ("all is recorded", ((0, "10-0", "5-1", 0), (4, "0-0", "10-0", 0), (9, "20-0", "10-0", 0))),
)


@pytest.mark.parametrize(("what", "looks"), LAGS)
def test_the_writers_lag_is_the_age_of_the_oldest_that_waits(
    what: str, looks: tuple[tuple[float, str, str, float], ...]
) -> None:
    lag = Lag()
    for now_s, newest, recorded, expected in looks:
        assert lag.note(now_s, newest, recorded) == expected, (what, now_s)


def test_a_writer_that_is_away_for_days_does_not_fill_the_memory() -> None:
    lag = Lag()
    for now_s in range(10_000):
        assert lag.note(now_s, f"{now_s + 1}-0", "0-1") == now_s
    assert len(lag._marks) <= 1_001


def test_the_folder_of_a_killed_process_goes_with_the_next_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = """
import time
from engine.figures import shared_folder
with shared_folder() as folder:
    print(folder, flush=True)
    time.sleep(60)
"""

    def begin() -> tuple[subprocess.Popen[str], Path]:
        environment = os.environ | {"TMPDIR": str(tmp_path)}
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (killed, left), (living, used) = begin(), begin()
    try:
        (left / "door-1").write_bytes(b"a word")
        killed.kill()
        killed.wait()
        assert left.exists()
        being_made = Path(tempfile.mkdtemp(prefix="parvis-figures-"))
        with shared_folder() as own:
            assert set(tmp_path.iterdir()) == {used, being_made, own}
        assert set(tmp_path.iterdir()) == {used, being_made}
    finally:
        for process in (killed, living):
            process.kill()
            process.wait()
