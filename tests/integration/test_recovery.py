"""A cell opens only after it has been compared with the ledger: after a crash, an older file, a total loss."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.exceptions import RedisError

from api.visitor import owner_of
from engine import keeper as keepers_of_cells
from engine import recovery, seats, waiting_room
from engine.audit import audit
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.draw import Draw, decode
from engine.entries import encode_order
from engine.errors import CellUnavailable, GateClosed, LedgerUnavailable, Refused
from engine.instants import now_ms
from engine.keeper import Keeper
from engine.ledger import standings
from engine.ledger.record import Outrun
from engine.ledger.standings import Kept, last_kept
from engine.library import assemble
from engine.losses import is_after
from engine.shares import Owner
from engine.signing import Place
from engine.standing import Standings
from engine.wishes import Wish
from engine.words import OnSaleId, SeatId
from tests.backstage import Backstage, Theatre, seat_names, until
from tests.integration.test_writer import make_order


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


@pytest.fixture(autouse=True)
def _not_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here nobody has lost a confirmed order; `test_witness.py` is about those who have."""
    monkeypatch.setattr(recovery, "QUIET_MS", 0)


def crash(stage: Backstage) -> None:
    """Redis dies and comes back with everything that it had answered."""
    stage.redis_server.kill()
    stage.redis_server.start()


def keep_copy(stage: Backstage, tmp_path: Path) -> Path:
    """The append-only file as it is now, all of it on disk."""
    copy = tmp_path / "older"
    shutil.copytree(stage.redis_server.folder / "appendonlydir", copy)
    return copy


def go_back(stage: Backstage, copy: "Path | None") -> None:
    """Redis dies, and what comes back is an older one; without a copy, an empty one."""
    stage.redis_server.kill()
    files = stage.redis_server.folder / "appendonlydir"
    shutil.rmtree(files)
    if copy:
        shutil.copytree(copy, files)
    stage.redis_server.start()


async def recover(stage: Backstage) -> None:
    await patiently(stage.keeper.recover)
    await patiently(stage.cell.look)


async def patiently(call: Callable[[], Awaitable[object]]) -> None:
    """Clients find out by and by that their connection is gone. A gate that is closed is an answer."""
    async with asyncio.timeout(20):
        while True:
            try:
                await call()
            except GateClosed:
                raise
            except (CellUnavailable, RedisError):
                await asyncio.sleep(0.05)
            else:
                return


async def is_closed(stage: Backstage) -> bool:
    await patiently(stage.keeper.cell.look)
    return not stage.keeper.cell.is_open


async def keep(stage: Backstage) -> None:
    """Keeps where the on-sales stand, as the keeper does every second."""
    await stage.keeper.cell.look()
    await Standings(stage.keeper.cell, stage.ledger).keep()


async def check_clean(stage: Backstage, *alarms: str) -> None:
    """The books balance, and nothing but these alarms was raised."""
    await stage.drain()
    found = await audit(stage.cell, stage.ledger)
    assert found.faults == ()
    assert {kind for kind, _ in await stage.alarms()} == set(alarms)


# -- after a crash that loses nothing


async def test_the_gate_is_closed_after_a_restart_and_opens_at_a_higher_epoch(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    held = await stage.hold(on_sale, "zaal-A-1")
    sold = await stage.sell(on_sale, "zaal-A-2")
    before = (await stage.ledger.position()).epoch
    crash(stage)

    assert await is_closed(stage)
    with pytest.raises(CellUnavailable):
        await stage.confirm(held)  # the house's user is gone too
    await stage.keeper._load()
    with pytest.raises(GateClosed):
        await patiently(lambda: stage.confirm(held))
    with pytest.raises(GateClosed):
        await stage.hold(on_sale, "zaal-A-3")
    with pytest.raises(GateClosed):
        await stage.join(on_sale)

    await recover(stage)
    assert stage.cell.is_open
    assert int(stage.cell.epoch) == (await stage.ledger.position()).epoch > before
    order = await stage.confirm(held)  # what was held is still held
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}
    await stage.drain()
    assert {row[0] for row in await stage.rows("SELECT order_id::text FROM orders")} == {order, sold}
    await check_clean(stage)


async def test_a_call_of_the_old_epoch_is_fenced_and_the_next_one_goes_through(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    held = await stage.hold(on_sale, "zaal-A-1")
    old = stage.cell.epoch
    crash(stage)
    await patiently(stage.keeper.recover)
    sweep = assemble().functions["seats/sweep"]
    keys = [stage.keys.cell, *stage.keys.performance(on_sale.performances[0])]
    assert stage.redis.execute_command("FCALL", sweep, len(keys), *keys, old, 1) == [
        b"fenced",
        stage.keeper.cell.epoch.encode(),
    ]
    assert stage.cell.epoch == old
    await patiently(lambda: stage.confirm(held))  # learns the new epoch on its way
    assert stage.cell.epoch == stage.keeper.cell.epoch


async def test_a_keeper_that_runs_recovers_by_itself_after_every_crash(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    epochs = []
    async with stage.running(stage.keeper, stage.new_writer()):
        for number in range(1, 4):
            crash(stage)

            async def is_open() -> bool:
                try:
                    await stage.cell.look()
                except CellUnavailable:
                    return False
                return stage.cell.is_open

            await until(is_open, "the gate opens again")
            epochs.append(int(stage.cell.epoch))
            await stage.sell(on_sale, f"zaal-A-{number}")
    assert epochs == sorted(set(epochs))
    assert await stage.sold(on_sale) == set(seat_names("A", 3))
    await check_clean(stage)


async def test_without_the_ledger_the_gate_stays_closed(theatre: Theatre, stage: Backstage) -> None:
    await stage.put_on()
    crash(stage)
    theatre.postgres.stop("immediate")
    try:
        for _ in range(3):
            with pytest.raises(LedgerUnavailable):
                await patiently(stage.keeper.recover)
        assert await is_closed(stage)
    finally:
        theatre.postgres.start()
    await recover(stage)
    assert stage.cell.is_open


async def test_two_keepers_at_once_open_one_cell(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    go_back(stage, None)
    keepers = [stage.keeper, stage.new_keeper(), stage.new_keeper()]
    async with stage.running(*keepers):

        async def all_see_it_open() -> bool:
            return all(keeper.cell.is_open for keeper in keepers)

        await until(all_see_it_open, "every keeper sees the gate open")
        await patiently(stage.cell.look)
        await stage.sell(on_sale, "zaal-A-2")
        assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}
    for keeper in keepers[1:]:
        await keeper.cell.close()
    await check_clean(stage, "redis-lost")
    assert order in {row[0] for row in await stage.rows("SELECT order_id::text FROM orders")}


async def test_epochs_are_given_to_one_keeper_each_and_never_fall(stage: Backstage) -> None:
    before = (await stage.ledger.position()).epoch
    given = await asyncio.gather(*(stage.ledger.next_epoch(0) for _ in range(20)))
    assert sorted(given) == list(range(before + 1, before + 21))
    assert await stage.ledger.next_epoch(1_000) == 1_001
    assert await stage.ledger.next_epoch(3) == 1_002


async def test_a_ledger_restored_from_a_backup_and_its_open_cell_find_together_again(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    async with stage.running(stage.keeper, writer := stage.new_writer()):
        await stage.do("UPDATE epoch SET number = 0")
        await stage.sell(on_sale, "zaal-A-1")

        async def is_fenced() -> bool:
            return "its epoch is not the ledger's" in writer.last_error

        await until(is_fenced, "the writer notices")

        async def is_recorded() -> bool:
            return bool(await stage.value("SELECT count(*) FROM orders") == 1)

        await until(is_recorded, "the order is recorded after all")
    assert stage.keeper.recoveries == 2
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    await check_clean(stage)


# -- a Redis from the past


async def test_an_older_redis_is_noticed_and_no_seat_is_sold_twice(stage: Backstage, tmp_path: Path) -> None:
    on_sale = await stage.put_on(seats_a_hold=20, seats_a_place=20)
    first = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2", "vloer")
    await stage.drain()
    held = await stage.hold(on_sale, "zaal-B-1")  # sold after the copy was made
    copy = keep_copy(stage, tmp_path)
    later = [
        await stage.confirm(held),
        await stage.sell(on_sale, *seat_names("C", 10)),
        await stage.sell(on_sale, "vloer", "vloer", "vloer"),
    ]
    await stage.join(on_sale, 3)
    await stage.drain()
    cursor = (await stage.ledger.position()).cursor
    go_back(stage, copy)
    assert stage.last_entry() < cursor  # the fault bit

    await recover(stage)
    sold = {"zaal-A-1", "zaal-A-2", "zaal-B-1", *seat_names("C", 10)}
    assert await stage.sold(on_sale) == sold
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 4}
    assert (await stage.seats(on_sale)).areas == {"vloer": 16}
    for seat in sold:
        with pytest.raises(Refused, match="a moment sooner"):
            await stage.hold(on_sale, seat)
    assert is_after(stage.last_entry(), cursor)
    with pytest.raises(Refused, match="your money goes back"):
        await stage.confirm(held)  # from before the loss
    later.append(await stage.sell(on_sale, "zaal-D-1"))
    assert stage.last_entry() > cursor  # recorded after what is recorded, not skipped
    await stage.join(on_sale)
    await stage.drain()
    recorded = await stage.rows("SELECT order_id::text FROM orders WHERE state = 'recorded'")
    assert {row[0] for row in recorded} == {first, *later}
    assert await stage.value("SELECT count(*) FROM refund_requests") == 1
    indices = [row[0] for row in await stage.rows("SELECT index FROM entrants ORDER BY 1")]
    assert indices[:3] == [0, 1, 2]
    assert len(indices) == 4
    await check_clean(stage, "redis-lost")


@pytest.mark.parametrize("table", ["order_items", "entrants", "standings", "documents"])
async def test_a_recovery_that_breaks_off_begins_again_from_the_start(
    stage: Backstage, tmp_path: Path, table: str
) -> None:
    on_sale = await stage.put_on()
    copy = keep_copy(stage, tmp_path)
    await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    go_back(stage, copy)
    await stage.do(f"ALTER TABLE {table} RENAME TO away")
    for _ in range(2):
        with pytest.raises(LedgerUnavailable):
            await patiently(stage.keeper.recover)
    assert await is_closed(stage)
    await stage.do(f"ALTER TABLE away RENAME TO {table}")
    await recover(stage)
    assert await stage.sold(on_sale) == {"zaal-A-1"}


async def test_what_an_older_redis_did_not_record_is_recorded_after_all(stage: Backstage, tmp_path: Path) -> None:
    """The copy is older than the crash, and newer than what the ledger has: nothing in it is lost."""
    on_sale = await stage.put_on()
    recorded = await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    waiting = await stage.sell(on_sale, "zaal-A-2")
    copy = keep_copy(stage, tmp_path)
    go_back(stage, copy)
    await recover(stage)
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}
    await stage.drain()
    assert {row[0] for row in await stage.rows("SELECT order_id::text FROM orders")} == {recorded, waiting}
    await check_clean(stage)


async def test_a_batch_of_the_lost_redis_is_not_recorded_after_the_comparison(stage: Backstage, tmp_path: Path) -> None:
    """A writer that was slow holds orders that this Redis has forgotten: their seats may be sold again."""
    on_sale = await stage.put_on()
    await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    copy = keep_copy(stage, tmp_path)
    await stage.sell(on_sale, "zaal-A-2")
    await stage.drain()
    lost = await stage.sell(on_sale, "zaal-A-3")
    position = await stage.ledger.position()
    writer = stage.new_writer()
    entries = await writer._read(position)
    assert [fields["kind"] for _, fields in entries] == ["seats", "seats", "order"]
    go_back(stage, copy)
    await recover(stage)
    with pytest.raises(Outrun):
        await writer._record(entries, position)
    again = await stage.sell(on_sale, "zaal-A-3")
    await stage.drain()
    recorded = {row[0] for row in await stage.rows("SELECT order_id::text FROM orders")}
    assert again in recorded
    assert lost not in recorded
    await check_clean(stage, "redis-lost")


async def test_repeats_on_either_side_of_a_loss_sell_once(stage: Backstage, tmp_path: Path) -> None:
    """The provider tells again of a payment that this Redis has forgotten was settled: the order stands once."""
    stage.put_entry(kind="order", data=encode_order(order := make_order("zaal-A-1")))
    await stage.drain()
    copy = keep_copy(stage, tmp_path)
    stage.put_entry(kind="order", data=encode_order(make_order("zaal-A-2")))
    await stage.drain()
    go_back(stage, copy)
    await recover(stage)
    stage.put_entry(kind="order", data=encode_order(order))
    await stage.drain()
    assert await stage.value("SELECT count(*) FROM orders WHERE order_id::text = $1", order.order) == 1
    assert [kind for kind, _ in await stage.alarms()] == ["redis-lost"]


# -- a Redis that lost everything


async def test_a_house_that_lost_its_redis_is_rebuilt_from_its_ledger(stage: Backstage) -> None:
    on_sale = await stage.put_on(shows=2, seats_a_hold=20, seats_a_place=20)
    order = await stage.sell(on_sale, *seat_names("A", 10), "vloer", "vloer")
    await stage.join(on_sale, 7)
    await stage.drain()
    await keep(stage)
    before = await stage.status(on_sale)
    go_back(stage, None)
    assert stage.redis.dbsize() == 0
    await recover(stage)

    assert stage.cell.catalogue.on_sales.keys() == {on_sale.on_sale}
    assert stage.cell.catalogue.performances.keys() == set(on_sale.performances)
    assert "seed" not in str(stage.redis.hget(stage.keys.catalogue, f"on_sale:{on_sale.on_sale}")) or (
        stage.cell.catalogue.on_sales[on_sale.on_sale].seed == ""
    )
    assert await stage.sold(on_sale) == set(seat_names("A", 10))
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 2}
    after = await stage.status(on_sale)
    assert (after.phase, after.orders, after.takings) == ("open", 1, before.takings)
    assert after.joined >= 7
    assert (after.entrants, after.seed, after.commitment) == (before.entrants, before.seed, before.commitment)
    assert after.now_serving >= before.now_serving
    ((place, secret),) = await stage.join(on_sale)
    assert stage.cell.signer.read(Place, place).index >= 7
    await until(lambda: can_come_in(stage, on_sale, place, secret), "the visitor is let in")
    more = await stage.sell(on_sale, "zaal-B-1")
    await stage.drain()
    assert {row[0] for row in await stage.rows("SELECT order_id::text FROM orders")} == {order, more}
    await check_clean(stage, "redis-lost")


async def can_come_in(stage: Backstage, on_sale: OnSale, place: str, secret: str) -> bool:
    try:
        await waiting_room.admit(stage.cell, on_sale, place, secret, f"{place}{asyncio.get_running_loop().time()}")
    except Refused as refusal:
        if refusal.slug not in {"not-yet-served", "full"}:
            raise
        return False
    return True


async def test_nobody_can_use_the_redis_of_a_house_before_its_user_is_made_again(stage: Backstage) -> None:
    await stage.put_on()
    go_back(stage, None)
    with pytest.raises(CellUnavailable):
        await stage.cell.look()
    await recover(stage)
    assert stage.cell.is_open


async def test_a_hall_of_twenty_thousand_seats_comes_back_with_what_was_sold(stage: Backstage) -> None:
    from engine.halls.generate import big_house
    from engine.halls.pretix import export_plan

    on_sale = await stage.put_on(plan=export_plan(big_house(20_000)))
    ids = stage.cell.catalogue.layout(on_sale.performances[0]).seat_ids
    sold = ids[::2]
    for start in range(0, len(sold), 1000):
        made = make_order(*sold[start : start + 1000], on_sale=on_sale.on_sale)
        items = tuple(type(item)(**{**fields_of(item), "performance": on_sale.performances[0]}) for item in made.items)
        stage.put_entry(kind="order", data=encode_order(type(made)(**{**fields_of(made), "items": items})))
    await stage.drain()
    go_back(stage, None)
    await recover(stage)
    assert await stage.sold(on_sale) == set(sold)
    await check_clean(stage, "redis-lost")


def fields_of(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


# -- where an on-sale stands


@pytest.mark.parametrize("is_total", [False, True])
@pytest.mark.parametrize(("verb", "phase"), [("pause", "paused"), ("close", "closed"), ("sell_out", "sold_out")])
async def test_a_sale_comes_back_in_the_phase_that_it_was_in(
    stage: Backstage, tmp_path: Path, verb: str, phase: str, *, is_total: bool
) -> None:
    on_sale = await stage.put_on()
    copy = keep_copy(stage, tmp_path)
    await stage.tell(on_sale, verb)
    await stage.tell(on_sale, "message", message="Back in five minutes")
    await stage.tell(on_sale, "rate", rate_per_minute=77, cap=9)
    await stage.drain()
    await keep(stage)
    go_back(stage, None if is_total else copy)
    await recover(stage)
    now = await stage.status(on_sale)
    assert (now.phase, now.message, now.rate_per_minute, now.cap) == (phase, "Back in five minutes", 77, 9)


async def test_the_draw_that_was_published_stays_the_draw(stage: Backstage) -> None:
    on_sale = await stage.put_on(opens_at_ms=4_000_000_000_000)
    places = await stage.join(on_sale, 30)
    await stage.tell(on_sale, "open")
    before = await stage.status(on_sale)
    assert before.entrants == 30
    await stage.join(on_sale, 20)  # after the draw: in the order of their arrival
    await stage.drain()
    await keep(stage)
    go_back(stage, None)
    await recover(stage)
    after = await stage.status(on_sale)
    assert (after.phase, after.entrants, after.seed) == ("open", 30, before.seed)
    assert after.joined >= 50
    drawn = Draw(decode(after.seed), after.entrants)
    index = stage.cell.signer.read(Place, places[7][0]).index
    await until(lambda: can_come_in(stage, on_sale, *places[7]), "a drawn visitor is let in")
    assert waiting_room.position(stage.cell, on_sale.on_sale, index) == drawn.position(index)


async def test_now_serving_does_not_fall_and_nobody_who_was_called_waits_again(stage: Backstage) -> None:
    on_sale = await stage.put_on(rate_per_minute=60_000, cap=100)
    places = await stage.join(on_sale, 60)

    async def all_called() -> bool:
        await can_come_in(stage, on_sale, *places[0])
        return (await stage.status(on_sale)).now_serving == 60

    await until(all_called, "everybody is called")
    await stage.tell(on_sale, "rate", rate_per_minute=60)  # from here on, slowly
    await stage.drain()
    await keep(stage)
    go_back(stage, None)
    await recover(stage)
    assert (await stage.status(on_sale)).now_serving >= 60
    await until(lambda: can_come_in(stage, on_sale, *places[59]), "who was called is let in")


@pytest.mark.parametrize("is_kept", [True, False])
async def test_what_this_redis_knows_better_than_what_was_kept_stays(
    stage: Backstage, tmp_path: Path, *, is_kept: bool
) -> None:
    """Postgres was away for a while: what it kept is older than the Redis that fell behind, or was never kept."""
    on_sale = await stage.put_on()
    if is_kept:
        await keep(stage)
    await stage.tell(on_sale, "message", message="late")
    await stage.join(on_sale, 5)
    copy = keep_copy(stage, tmp_path)
    before = await stage.status(on_sale)
    assert (before.phase, before.joined) == ("open", 5)
    await stage.hold(on_sale, "zaal-A-1")
    await stage.keeper._look()
    go_back(stage, copy)
    await recover(stage)
    after = await stage.status(on_sale)
    assert after.phase == "open"
    assert after.joined >= 5
    assert after.now_serving >= before.now_serving
    await check_clean(stage, "redis-lost")


async def test_a_prequeue_comes_back_as_one_and_opens_at_its_time(stage: Backstage) -> None:
    on_sale = await stage.put_on(opens_at_ms=4_000_000_000_000)
    await stage.join(on_sale, 5)
    await stage.drain()
    go_back(stage, None)  # before anything was kept
    await recover(stage)
    now = await stage.status(on_sale)
    assert (now.phase, now.opens_at_ms, now.seed) == ("prequeue", 4_000_000_000_000, "")
    assert now.joined >= 5


async def test_a_running_keeper_keeps_where_the_sales_stand(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    async with stage.running(stage.keeper):
        await stage.tell(on_sale, "pause")

        async def is_kept() -> bool:
            return (await last_kept(stage.ledger, on_sale.on_sale)).fields.get("phase") == "paused"

        await until(is_kept, "the pause is in the ledger")
    assert "seed" not in (await last_kept(stage.ledger, on_sale.on_sale)).fields


async def test_a_redis_from_the_past_is_not_kept_over_what_is_known(stage: Backstage, tmp_path: Path) -> None:
    on_sale = await stage.put_on()
    copy = keep_copy(stage, tmp_path)
    await stage.tell(on_sale, "pause")
    await keep(stage)
    go_back(stage, copy)
    standings = Standings(stage.keeper.cell, stage.ledger)
    with pytest.raises(GateClosed):
        await patiently(standings.keep)
    assert (await last_kept(stage.ledger, on_sale.on_sale)).fields["phase"] == "paused"


async def test_a_keeper_of_an_epoch_gone_by_keeps_nothing(stage: Backstage) -> None:
    await stage.ledger.next_epoch(0)
    await standings.keep(stage.ledger, OnSaleId("sale"), Kept({"phase": "open"}), int(stage.cell.epoch))
    assert await last_kept(stage.ledger, OnSaleId("sale")) == Kept()


# -- while a cell is open


async def test_the_keeper_ends_what_is_due_and_says_when_a_sale_has_sold_out(stage: Backstage) -> None:
    from tests.town import small_plan

    on_sale = await stage.put_on(plan=small_plan(rows=1, seats=4, standing=0), hold_seconds=1)
    await stage.sell(on_sale, "zaal-A-1", "zaal-A-2", "zaal-A-3")
    await stage.hold(on_sale, "zaal-A-4")
    async with stage.running(stage.keeper):

        async def is_open() -> bool:
            return (await stage.seats(on_sale)).seats == "ssso"

        await until(is_open, "the hold ends")
        assert (await stage.status(on_sale)).phase == "open"
        await stage.sell(on_sale, "zaal-A-4")

        async def is_sold_out() -> bool:
            return (await stage.status(on_sale)).phase == "sold_out"

        await until(is_sold_out, "the sale is sold out")
    await check_clean(stage)


async def test_a_document_that_cannot_be_read_keeps_its_house_closed_and_says_so(stage: Backstage) -> None:
    await stage.put_on()
    await stage.do("UPDATE documents SET body = '{' WHERE kind = 'on_sale'")
    crash(stage)
    async with stage.running(stage.keeper):

        async def says_so() -> bool:
            return "cannot be read" in stage.keeper.last_error

        await until(says_so, "the keeper says what is wrong")
        assert await is_closed(stage)


@pytest.mark.parametrize("reading", ["answers", "fails once", "had begun before"])
async def test_an_api_process_learns_what_was_published_just_before_the_loss(
    stage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reading: str
) -> None:
    """The catalogue's version counts anew after a loss, and may come to the number that a process knows."""
    await stage.put_on()
    copy = keep_copy(stage, tmp_path)
    seen = Cell(stage.house)
    await seen.look()
    read, may_end = seen.read, asyncio.Event()

    async def fails_once(operation: str, *rest: Any) -> Any:
        if operation == "cell/catalogue":
            monkeypatch.setattr(seen, "read", read)
            raise CellUnavailable("once")
        return await read(operation, *rest)

    async def takes_long(operation: str, *rest: Any) -> Any:
        reply = await read(operation, *rest)
        if operation == "cell/catalogue":
            monkeypatch.setattr(seen, "read", read)
            await may_end.wait()
        return reply

    if reading == "had begun before":
        monkeypatch.setattr(seen, "read", takes_long)
        before = asyncio.create_task(seen.refresh())
        await until(lambda: _is(seen.read == read), "the catalogue was read")
    on_sale = await stage.put_on()
    go_back(stage, copy)
    await recover(stage)
    stage.redis.hset(stage.keys.cell, "catalogue", seen.catalogue.version)
    if reading == "fails once":
        monkeypatch.setattr(seen, "read", fails_once)
    looking = asyncio.create_task(patiently(seen.look))
    await until(lambda: _is(seen.stored_epoch == stage.cell.stored_epoch), "the epoch is seen")
    may_end.set()
    await looking
    if reading == "had begun before":
        await before
    assert on_sale.on_sale in seen.catalogue.on_sales
    await seen.close()


async def _is(what: bool) -> bool:
    return what


async def test_a_process_that_starts_says_open_only_once_it_knows_what_is_on_sale(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sale = await stage.put_on()
    started = Cell(stage.house)
    said: list[bool] = []
    refresh = started.refresh

    async def refresh_and_note() -> None:
        said.append(started.is_open)
        with pytest.raises(GateClosed):
            started.on_sale(on_sale.on_sale)
        await refresh()

    monkeypatch.setattr(started, "refresh", refresh_and_note)
    await started.look()
    assert said == [False]
    assert started.is_open
    assert started.on_sale(on_sale.on_sale)
    await started.close()


async def test_two_releases_side_by_side_leave_each_other_open(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a rolling deploy a library of the next release is opened at a higher epoch; this one goes on at its own."""
    on_sale = await stage.put_on()
    now = assemble()
    source = now.source.replace(now.name.removeprefix("parvis_"), "0123456789ab")
    functions = {name: function[:-12] + "0123456789ab" for name, function in now.functions.items()}
    following = msgspec.structs.replace(now, name="parvis_0123456789ab", source=source, functions=functions)
    monkeypatch.setattr("engine.cell.assemble", lambda: following)
    monkeypatch.setattr("engine.library.assemble", lambda: following)
    other = stage.new_keeper()
    async with stage.running(other):

        async def is_open() -> bool:
            return other.cell.is_open

        await until(is_open, "the next release is open")
        monkeypatch.undo()
        async with stage.running(stage.keeper, stage.new_writer()):
            compared = 0
            compare = Keeper._compare_epochs

            async def counted(keeper: Keeper) -> None:
                nonlocal compared
                compared += 1
                await compare(keeper)

            monkeypatch.setattr(Keeper, "_compare_epochs", counted)
            monkeypatch.setattr(keepers_of_cells, "KEEP_SECONDS", 0.02)

            async def is_compared() -> bool:
                return compared > 50

            await until(is_compared, "each keeper has looked many times")
            await stage.sell(on_sale, "zaal-A-1")
    assert (stage.keeper.recoveries, other.recoveries) == (1, 1)
    await other.cell.close()
    await check_clean(stage)


# -- the moment that was lost


async def test_nobody_comes_in_as_two_and_nobody_buys_twice_what_one_may_after_a_loss(stage: Backstage) -> None:
    on_sale = await stage.put_on(rate_per_minute=60_000, seats_a_place=2, seats_a_hold=2)
    places = await stage.join(on_sale, 12)
    for place, secret in places[:10]:
        await until(lambda place=place, secret=secret: can_come_in(stage, on_sale, place, secret), "all come in")  # type: ignore[misc]
    admitted = (await stage.status(on_sale)).admitted
    place, secret = places[0]
    first = await admitted_owner(stage, on_sale, place, secret)
    held = await hold_as(stage, on_sale, first, "zaal-A-1", "zaal-A-2")
    await stage.confirm(held)
    await stage.drain()
    await keep(stage)
    go_back(stage, None)
    await recover(stage)
    for place, secret in places[:10]:
        await until(lambda place=place, secret=secret: can_come_in(stage, on_sale, place, secret), "all come in again")  # type: ignore[misc]
    assert (await stage.status(on_sale)).admitted == admitted
    again = await admitted_owner(stage, on_sale, *places[0])
    assert again.owner == first.owner
    with pytest.raises(Refused, match="more seats than one visitor may have"):
        await hold_as(stage, on_sale, again, "zaal-B-1")
    other = await admitted_owner(stage, on_sale, *places[1])
    await hold_as(stage, on_sale, other, "zaal-B-1", "zaal-B-2")


async def admitted_owner(stage: Backstage, on_sale: OnSale, place: str, secret: str) -> Owner:
    found = await waiting_room.admit(stage.cell, on_sale, place, secret, f"again-{asyncio.get_running_loop().time()}")
    return owner_of(stage.cell, found.token)[0]


async def hold_as(stage: Backstage, on_sale: OnSale, owner: Owner, *seats_: str) -> seats.Held:
    wish = Wish(performance=on_sale.performances[0], seats=tuple(SeatId(seat) for seat in seats_))
    return await seats.hold(stage.cell, owner, [wish], (), f"hold-{asyncio.get_running_loop().time()}")


async def test_a_restart_that_lost_nothing_leaps_over_nobody(stage: Backstage) -> None:
    on_sale = await stage.put_on(rate_per_minute=60)
    await stage.join(on_sale, 30)
    await keep(stage)
    for _ in range(3):
        crash(stage)
        await recover(stage)
    now = await stage.status(on_sale)
    assert now.joined == 30
    assert now.now_serving < 30


async def test_after_two_losses_a_line_has_leapt_by_what_time_went_by_and_not_by_what_it_leapt(
    stage: Backstage,
) -> None:
    """Indices that a recovery left out are not taken for visitors who joined in no time."""
    on_sale = await stage.put_on(opens_at_ms=4_000_000_000_000)
    await stage.join(on_sale, 10)
    standings_ = stage.keeper._standings
    for _ in range(3):
        await stage.keeper.cell.look()
        await standings_.keep()
        go_back(stage, None)
        await recover(stage)
        await asyncio.sleep(0.6)
        await standings_.keep()
    assert (await last_kept(stage.ledger, on_sale.on_sale)).joins_a_second < 50


async def come_in(stage: Backstage, on_sale: OnSale, *places: tuple[str, str]) -> None:
    for place, secret in places:
        await until(lambda place=place, secret=secret: can_come_in(stage, on_sale, place, secret), "all come in")  # type: ignore[misc]


async def test_numbers_that_were_leapt_over_cost_nobody_a_turn(stage: Backstage) -> None:
    """A quiet line, at three seconds a call: through a hundred nobodies the next would wait for minutes."""
    on_sale = await stage.put_on(rate_per_minute=20, opens_at_ms=now_ms())
    first = await stage.join(on_sale, 2)
    await come_in(stage, on_sale, *first)
    await stage.drain()
    served = (await stage.status(on_sale)).now_serving
    for _ in range(2):
        await keep(stage)
        go_back(stage, None)
        await recover(stage)
        (public,) = (await stage.status(on_sale)).all_lines
        assert public.now_serving == public.joined >= served + 20
        assert (public.called, public.waiting) == (served, 0)
        newcomer = await stage.join(on_sale)
        assert (await stage.status(on_sale)).all_lines[-1].waiting <= 1
        await come_in(stage, on_sale, *newcomer)
        await stage.drain()
        served += 1


async def test_nor_do_those_that_were_leapt_over_before_the_draw(stage: Backstage) -> None:
    on_sale = await stage.put_on(rate_per_minute=20, opens_at_ms=4_000_000_000_000)
    first = await stage.join(on_sale, 2)
    await stage.drain()
    await keep(stage)
    go_back(stage, None)
    await recover(stage)
    last = await stage.join(on_sale)
    await stage.tell(on_sale, "open")
    now = await stage.status(on_sale)
    assert now.entrants > 20
    assert sum(line.called + line.waiting for line in now.all_lines) == 3
    await come_in(stage, on_sale, *first, *last)
    assert (await stage.status(on_sale)).admitted == 3


async def test_what_was_read_sooner_is_not_kept_over_what_was_read_later(stage: Backstage) -> None:
    on_sale = (await stage.put_on()).on_sale
    epoch = int(stage.keeper.cell.epoch)
    await standings.keep(stage.ledger, on_sale, Kept({"phase": "paused"}, age_s=1.0), epoch)
    await standings.keep(stage.ledger, on_sale, Kept({"phase": "open"}, age_s=2.0), epoch)
    kept = await last_kept(stage.ledger, on_sale)
    assert kept.fields == {"phase": "paused"}
    assert kept.age_s >= 1.0
    await standings.keep(stage.ledger, on_sale, Kept({"phase": "open"}, age_s=-600.0), epoch)  # a clock that ran ahead
    await standings.keep(stage.ledger, on_sale, Kept({"phase": "closed"}), epoch)
    assert (await last_kept(stage.ledger, on_sale)).fields == {"phase": "closed"}
