"""Every change of a seat is kept, leads to what there is at any instant, whatever dies, and shows what was tampered."""

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from engine import recovery, seats
from engine.audit import audit
from engine.catalogue import OnSale
from engine.errors import LedgerUnavailable
from engine.history import Replay, State, differences
from engine.history_export import export, hall_at, last_of, plan_of, replay
from engine.house import Change
from engine.instants import now_ms
from engine.ledger.retention import forget
from engine.returns import give_back
from engine.states import read_state
from engine.words import PerformanceId
from tests.backstage import Backstage, seat_names, until
from tests.integration.commands import Parvis
from tests.integration.test_recovery import crash, go_back, keep_copy, recover
from tests.integration.test_writer import POINTS, killed_writer
from tests.town import Sale, Town

BY = Change(who="test", why="a test")


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


@pytest.fixture(autouse=True)
def _not_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "QUIET_MS", 0)


async def replayed(stage: Backstage, performance: PerformanceId, last: str = "") -> Replay:
    return (await replay(stage.ledger, performance, plan_of(stage.cell.catalogue, performance), last or last_of(None)))[
        0
    ]


async def check_leads_to(stage: Backstage, performance: PerformanceId, state: State) -> None:
    """The history up to a moment leads to what there was, and nothing in it is impossible."""
    found = await replayed(stage, performance, state.entry)
    assert differences(found.rows, found.places, state.rows, state.places) == []
    assert found.faults == []


async def a_day(stage: Backstage) -> tuple[OnSale, list[State]]:
    """Sold, let go, ended, taken back and sold again: what there was after each."""
    on_sale, states = await stage.put_on(), []
    performance = on_sale.performances[0]

    async def look() -> None:
        states.append(await read_state(stage.cell, performance))

    await look()
    sold = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2", "vloer", "vloer")
    await look()
    held = await stage.hold(on_sale, *seat_names("B", 4))
    await look()
    await seats.release(stage.cell, held.hold)
    await look()
    gone = await stage.hold(on_sale, "zaal-C-1", "vloer")
    hall = stage.keys.performance(performance)
    record: Any = msgspec.msgpack.decode(stage.redis.hget(hall[0], f"h{gone.hold.hold}"))  # type: ignore[arg-type]
    record[1] = 1
    stage.redis.hset(hall[0], f"h{gone.hold.hold}", msgspec.msgpack.encode(record))
    stage.redis.zadd(hall[2], {gone.hold.hold: 1})
    assert (await seats.sweep(stage.cell, performance, 10))[0] == 1
    await look()
    await stage.drain()
    await give_back(stage.cell, stage.ledger, sold, BY, "return")
    await look()
    await stage.sell(on_sale, "zaal-A-2", "zaal-A-3")
    await stage.hold(on_sale, "zaal-A-1", who="visitor")
    await look()
    return on_sale, states


async def test_the_history_leads_to_what_there_was_at_each_instant(stage: Backstage) -> None:
    on_sale, states = await a_day(stage)
    await stage.drain()
    for state in states:
        await check_leads_to(stage, on_sale.performances[0], state)
    assert len({msgspec.json.encode(state.rows) for state in states}) == 4  # they differed
    told = await stage.rows("SELECT verb, who FROM seat_history ORDER BY entry_ms, entry_number")
    staff, visitor = "staff", "visitor"
    assert told == [
        *(("hold", staff), ("confirm", staff), ("hold", staff), ("release", staff), ("hold", staff)),
        *(("expire", "clock"), ("refund", staff), ("hold", staff), ("confirm", staff), ("hold", visitor)),
    ]
    assert (await audit(stage.cell, stage.ledger)).faults == ()


async def test_nobody_changes_what_was_written(stage: Backstage) -> None:
    await a_day(stage)
    await stage.drain()
    before = await stage.rows("SELECT * FROM seat_history")
    assert len(before) == 10
    for statement in (
        "UPDATE seat_history SET who = 'nobody'",
        "UPDATE seat_history SET who = 'nobody' WHERE false",
        "DELETE FROM seat_history",
        "TRUNCATE seat_history",
        "BEGIN; SET LOCAL parvis.forgets_history = 'on'; UPDATE seat_history SET who = 'nobody'; COMMIT",
    ):
        with pytest.raises((asyncpg.PostgresError, LedgerUnavailable), match="only ever added to"):
            await stage.do(statement)
    assert await stage.rows("SELECT * FROM seat_history") == before


@pytest.mark.parametrize("point", POINTS)
async def test_a_writer_that_is_killed_anywhere_loses_and_doubles_none_of_it(stage: Backstage, point: str) -> None:
    on_sale, states = await a_day(stage)
    performance = on_sale.performances[0]
    for seat in seat_names("D", 5):
        await stage.sell(on_sale, seat)
    states.append(await read_state(stage.cell, performance))
    await killed_writer(stage, point, times=2, batch=4)
    await stage.drain(batch=4)
    for state in states:
        await check_leads_to(stage, performance, state)
    assert await stage.value("SELECT count(*) FROM seat_history") == 20
    assert await stage.rows("SELECT * FROM dead_letters") == []
    assert (await audit(stage.cell, stage.ledger)).faults == ()


async def test_a_redis_that_dies_and_forgets_nothing_leaves_no_gap(stage: Backstage) -> None:
    on_sale, states = await a_day(stage)
    performance = on_sale.performances[0]
    crash(stage)
    await recover(stage)
    await stage.sell(on_sale, "zaal-E-1")
    states.append(await read_state(stage.cell, performance))
    await stage.drain()
    for state in states:
        await check_leads_to(stage, performance, state)
    found = await replayed(stage, performance)
    assert [differing for _, differing in found.gaps] == [[]]
    assert (await audit(stage.cell, stage.ledger)).faults == ()


@pytest.mark.parametrize("is_empty", [False, True])
async def test_after_a_loss_the_history_goes_on_from_what_was_put_back(
    stage: Backstage, tmp_path: Path, *, is_empty: bool
) -> None:
    on_sale, _ = await a_day(stage)
    performance = on_sale.performances[0]
    copy = keep_copy(stage, tmp_path)
    await stage.sell(on_sale, *seat_names("E", 3), "vloer")
    await stage.hold(on_sale, "zaal-E-4")
    await stage.drain()
    go_back(stage, None if is_empty else copy)
    await recover(stage)
    state = await read_state(stage.cell, performance)
    await stage.sell(on_sale, "zaal-E-5")
    await stage.drain()
    await check_leads_to(stage, performance, state)
    await check_leads_to(stage, performance, await read_state(stage.cell, performance))
    (gap,) = (await replayed(stage, performance)).gaps
    assert ("seat", "h", "o") in [(place.split()[0], *differing) for place, *differing in gap[1]]  # the hold is gone
    assert (await audit(stage.cell, stage.ledger)).faults == ()


async def test_a_recovery_that_breaks_off_has_still_stated_all_in_the_end(
    stage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies after the cursor is put into the stream: the next one no longer sees that this Redis is from the past."""
    on_sale, _ = await a_day(stage)
    copy = keep_copy(stage, tmp_path)
    await stage.sell(on_sale, "zaal-D-1")
    await stage.hold(on_sale, "zaal-D-2")
    await stage.drain()
    go_back(stage, copy)

    async def dies(*_: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "restate", dies)
        for _ in range(100):
            try:
                await stage.keeper.recover()
            except ConnectionResetError:
                break
            except Exception:  # noqa: BLE001 - Redis is coming back
                await asyncio.sleep(0.05)
        else:
            raise AssertionError("the fault did not bite")
    await recover(stage)
    await stage.drain()
    assert (await audit(stage.cell, stage.ledger)).faults == ()


async def tampered(stage: Backstage, statement: str) -> tuple[str, ...]:
    """What the audit says after somebody who owns the database has taken the trigger away for a moment."""
    await stage.do(
        f"ALTER TABLE seat_history DISABLE TRIGGER ALL; {statement}; ALTER TABLE seat_history ENABLE TRIGGER ALL"
    )
    return (await audit(stage.cell, stage.ledger)).faults


THE = "(SELECT entry_ms, entry_number FROM seat_history WHERE verb = '{}' ORDER BY 1, 2 LIMIT 1)"


async def test_a_row_that_was_tampered_with_is_found(stage: Backstage) -> None:
    on_sale, _ = await a_day(stage)
    await stage.drain()
    changes = msgspec.msgpack.encode(([0, 5, 1, "h"], [])).hex()
    found = await tampered(
        stage,
        f"UPDATE seat_history SET changes = '\\x{changes}' WHERE (entry_ms, entry_number) = {THE.format('hold')}",
    )
    assert any("confirm of seat" in fault and "which was not held" in fault for fault in found), found
    assert any("is 'o' in Redis and 'h' by its history" in fault for fault in found), found
    assert all(fault.startswith(on_sale.performances[0]) for fault in found)


async def test_a_row_that_was_taken_out_is_found(stage: Backstage) -> None:
    await a_day(stage)
    await stage.drain()
    found = await tampered(stage, f"DELETE FROM seat_history WHERE (entry_ms, entry_number) = {THE.format('confirm')}")
    assert any("which was held" in fault for fault in found), found


async def test_a_row_that_names_another_hold_is_found(stage: Backstage) -> None:
    await a_day(stage)
    await stage.drain()
    found = await tampered(
        stage, f"UPDATE seat_history SET hold = 'mine' WHERE (entry_ms, entry_number) = {THE.format('confirm')}"
    )
    assert len(found) == 2
    assert all("confirm of seat" in fault and "which was held by" in fault for fault in found), found


@pytest.mark.parametrize(
    "data",
    [b"\xc1", msgspec.msgpack.encode(["a", 1]), *(
        msgspec.msgpack.encode([key, 1, "1", 1, "hold", "visitor", "h", changes, []])
        for key, changes in (
            ("{house}:performance:", []),
            ("{house}:sale:x", []),
            ("{house}:performance:p@x", []),
            ("{house}:performance:p", [1, 2, 3]),
            ("{house}:performance:p\x00", []),
        )
    ), msgspec.msgpack.encode(["{house}:performance:p", 2**63, "1", 1, "hold", "visitor", "h", [], []])],
)  # fmt: skip
async def test_what_is_no_history_is_a_dead_letter(stage: Backstage, data: bytes) -> None:
    on_sale = await stage.put_on()
    await stage.sell(on_sale, "zaal-A-1")
    stage.put_entry(kind="seats", data=data)
    await stage.sell(on_sale, "zaal-A-2")
    await stage.drain()
    assert await stage.value("SELECT count(*) FROM dead_letters") == 1
    assert await stage.value("SELECT count(*) FROM seat_history") == 4


async def test_it_is_forgotten_long_after_the_performance(stage: Backstage) -> None:
    on_sale, _ = await a_day(stage)
    other = await stage.put_on()
    await stage.sell(other, "zaal-A-1")
    await stage.drain()
    moved = msgspec.structs.replace(stage.cell.performance(on_sale.performances[0]), starts_at_ms=now_ms() - 10**9)
    await stage.ledger.save("performance", moved.performance, msgspec.json.encode(moved), who="t", what="t", why="t")
    assert (await forget(stage.ledger, now_ms() - 5 * 10**8, batch=3)).history == 10
    assert await stage.rows("SELECT DISTINCT performance FROM seat_history") == [(other.performances[0],)]
    assert (await forget(stage.ledger, now_ms() - 5 * 10**8)).history == 0
    with pytest.raises((asyncpg.PostgresError, LedgerUnavailable)):
        await stage.do("DELETE FROM seat_history")  # that it may was said for its own transaction alone


async def test_a_hall_is_shown_as_it_was(stage: Backstage) -> None:
    on_sale, states = await a_day(stage)
    await stage.drain()
    performance, plan = on_sale.performances[0], plan_of(stage.cell.catalogue, on_sale.performances[0])
    milliseconds = int(states[2].entry.split("-")[0])
    after = await hall_at(stage.ledger, performance, plan, milliseconds)
    assert len(after.seats) == 50
    assert after.areas["vloer"].sold == 2
    assert (after.seats["zaal-A-1"], after.seats["zaal-E-5"]) == ("sold", "open")
    before = await hall_at(stage.ledger, performance, plan, 0)
    assert (before.entry, set(before.seats.values()), before.areas["vloer"].open) == ("0-0", {"open"}, 20)

    lines = "".join([part async for part in export(stage.ledger, performance, plan, "jsonl")]).splitlines()
    found = [msgspec.json.decode(line) for line in lines]
    assert [each["verb"] for each in found][:2] == ["hold", "confirm"]
    assert found[0]["seats"] == {"zaal-A-1": "held", "zaal-A-2": "held"}
    assert found[1]["areas"] == {"vloer": {"open": 0, "sold": 2}}
    parts = [part async for part in export(stage.ledger, performance, plan, "csv", milliseconds)]
    rows = list(csv.DictReader(io.StringIO("".join(parts))))
    assert {(row["verb"], row["seat"], row["state"]) for row in rows} >= {("confirm", "zaal-A-1", "sold")}
    assert int(rows[-1]["entry"].split("-")[0]) <= milliseconds


# -- from outside


async def a_hold(shared: Sale) -> str:
    """A seat that a visitor holds; that is recorded."""
    async with shared as sale:
        (seat,) = sale.unused(1)
        await sale.hold(await sale.enter(), seat)

        async def is_told() -> bool:
            path = f"/manage/performances/{sale.performance}/history.jsonl"
            return seat in (await sale.get(path, token=sale.manage_key)).body.decode()

        await until(is_told, "the hold is recorded")
    return seat


async def test_staff_read_it_over_http(shared: Sale) -> None:
    seat = await a_hold(shared)
    async with shared as sale:
        path = f"/manage/performances/{sale.performance}"

        as_csv = await sale.get(f"{path}/history.csv", token=sale.manage_key)
        assert as_csv.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert as_csv.headers["Content-Disposition"] == f"attachment; filename=noord-{sale.performance}-history.csv"
        assert ",hold,visitor," in as_csv.body.decode()
        hall = await sale.get(f"{path}/seats?at=2099-01-01T00:00:00Z", token=sale.manage_key)
        assert hall.json["seats"][seat] == "held"
        for wrong, status in (
            (f"{path}/seats?at=yesterday", 422),
            (f"{path}/seats", 200),
            (f"{path}/history.csv?until=x", 422),
            ("/manage/performances/nothing/history.csv", 404),
        ):
            assert (await sale.get(wrong, token=sale.manage_key)).status == status, wrong
        assert (await sale.get(f"{path}/history.csv", token=sale.counter_key)).status == 403


def test_staff_read_it_from_a_shell(shared: Sale, town: Town, parvis: Parvis) -> None:
    seat, performance = asyncio.run(a_hold(shared)), shared.performance
    at = ("--network", str(town.network_file), "--house", "noord")
    for more, wanted in (((), ",hold,visitor,"), (("--json",), '"verb":"hold"')):
        said = parvis("seats", "history", performance, *more, *at)
        assert said.code == 0
        assert wanted in said.out
    said = parvis("seats", "at", performance, "2099-01-01T00:00:00Z", *at)
    assert msgspec.json.decode(said.out)["seats"][seat] == "held"
    said = parvis("seats", "history", "nothing", *at)
    assert (said.code, "there is no performance 'nothing' here" in said.words) == (2, True)
