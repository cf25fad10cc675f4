"""An order is returned once, whatever repeats, races, is forgotten or lost; its seats are sold again."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import orders, recovery
from engine.audit import Audit, audit
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.entries import Payment, decode_order
from engine.errors import BadInput, CellUnavailable, LedgerUnavailable, Refused
from engine.house import Change
from engine.ledger.ledger import Ledger
from engine.ledger.returns import read_standing
from engine.orders import Ordered, new_order_id
from engine.returns import give_back
from engine.words import OrderId
from tests.backstage import Backstage, seat_names, until
from tests.integration.test_recovery import check_clean, go_back, keep_copy, recover
from tests.integration.test_writer import make_order, put
from tests.town import Town, small_plan

BY = Change(who="The manager (k1)", why="the singer is ill")
RACERS = 100


@pytest.fixture
async def stage(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    monkeypatch.setattr(recovery, "QUIET_MS", 0)  # nobody was promised anything here
    await stage.open()
    return stage


async def return_(
    stage: Backstage, order: OrderId, key: str = "", *, cell: Cell | None = None, items: Sequence[int] = ()
) -> Ordered:
    return await give_back(cell or stage.cell, stage.ledger, order, BY, key or str(uuid.uuid4()), items=items)


async def sell(stage: Backstage, on_sale: OnSale, *wanted: str) -> OrderId:
    """A recorded order."""
    order = await stage.sell(on_sale, *wanted)
    await stage.drain()
    return order


async def state_of(stage: Backstage, order: OrderId) -> str:
    """As whoever has the order's secret is told: by Redis, and by the ledger where Redis knows no more."""
    found = await orders.find(stage.cell, order)
    recorded = await stage.ledger.order(order)
    return found.state if found and found.state != "recorded" else recorded.state if recorded else ""


async def check_returned_once(stage: Backstage, order: OrderId, *alarms: str) -> None:
    """Refunded in the ledger, no item of it live, and one refund request with the reason."""
    await stage.drain()
    assert await stage.rows("SELECT state FROM orders WHERE order_id = $1", uuid.UUID(order)) == [("refunded",)]
    assert await stage.value("SELECT count(*) FROM order_items WHERE live AND order_id = $1", uuid.UUID(order)) == 0
    ((amount, provider, why),) = await stage.rows(
        "SELECT amount, provider, why FROM refund_requests WHERE order_id = $1", uuid.UUID(order)
    )
    total = await stage.value("SELECT total FROM orders WHERE order_id = $1", uuid.UUID(order))
    assert (amount, provider, why) == (total, "demo", BY.why)
    done = await stage.rows("SELECT who, why FROM actions WHERE what = 'return' AND subject = $1", order)
    assert done == [(BY.who, BY.why)]
    await check_clean(stage, *alarms)


async def test_an_order_that_is_returned_is_refunded_and_its_seats_are_sold_again(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    other = await sell(stage, on_sale, "zaal-A-3")
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2", "vloer", "vloer")
    assert await state_of(stage, order) == "recorded"
    returned = await return_(stage, order)
    assert (returned.order, returned.state, len(returned.items), returned.total) == (order, "refunded", 4, 8400)
    assert await state_of(stage, order) == "refunded"  # before the writer has heard of it
    assert await stage.sold(on_sale) == {"zaal-A-3"}
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 0}
    now = await stage.status(on_sale)
    assert (now.orders, now.takings) == (1, 2100)
    await check_returned_once(stage, order)
    again = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2", "zaal-A-3"}
    found = await audit(stage.cell, stage.ledger)
    assert (found.faults, found.orders_confirmed, found.orders_recorded, found.refunded) == ((), 2, 2, 1)
    assert (found.takings, found.recorded_takings) == (6300, 6300)
    assert [await state_of(stage, each) for each in (other, order, again)] == ["recorded", "refunded", "recorded"]


async def refunds(stage: Backstage, order: OrderId) -> list[tuple[int, str]]:
    query = "SELECT amount, why FROM refund_requests WHERE order_id = $1 ORDER BY id"
    return [tuple(row) for row in await stage.rows(query, uuid.UUID(order))]


async def test_some_of_an_order_is_returned_and_the_rest_stays_valid(stage: Backstage) -> None:
    on_sale = await stage.put_on(shows=2)
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2", "vloer", "vloer")
    returned = await return_(stage, order, "some", items=(1, 3))
    assert (returned.state, returned.total, [item.seat for item in returned.items]) == (
        "recorded",
        4200,
        ["zaal-A-1", None],
    )
    assert [item.seat for item in returned.returned] == ["zaal-A-2", None]
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 1}
    now = await stage.status(on_sale)
    assert (now.orders, now.takings) == (1, 4200)
    await stage.drain()
    assert await state_of(stage, order) == "recorded"
    assert await refunds(stage, order) == [(4200, BY.why)]
    found = await audit(stage.cell, stage.ledger)
    assert (found.faults, found.orders_recorded, found.refunded) == ((), 1, 0)
    assert (found.takings, found.recorded_takings) == (4200, 4200)
    recorded = await stage.ledger.order(order)
    assert recorded is not None
    assert (recorded.returned, recorded.total) == ((1, 3), 8400)
    # Its seat is somebody else's by now, and this order can never return it again.
    other = await sell(stage, on_sale, "zaal-A-2")
    for items in ((1,), (0, 1), (3,)):
        with pytest.raises(Refused) as refusal:
            await return_(stage, order, items=items)
        assert refusal.value.slug == "already-refunded"
    assert (await return_(stage, order, "some", items=(1, 3))).total == 4200  # a repeat gets the first answer
    for items in ((4,), (-1,), (0, 0)):
        with pytest.raises(BadInput):
            await return_(stage, order, items=items)
    rest = await return_(stage, order)
    assert (rest.state, len(rest.items), rest.total) == ("refunded", 4, 8400)
    await stage.drain()
    assert await refunds(stage, order) == [(4200, BY.why), (4200, BY.why)]
    assert await stage.sold(on_sale) == {"zaal-A-2"}
    assert [await state_of(stage, each) for each in (order, other)] == ["refunded", "recorded"]
    await check_clean(stage)


async def test_the_rest_is_returned_before_the_ledger_knows_of_the_first_part(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2", "vloer")
    await return_(stage, order, items=(1,))
    rest = await return_(stage, order, "rest")
    assert (rest.state, rest.total) == ("refunded", 6300)
    assert await return_(stage, order, "rest") == rest
    await stage.drain()
    assert await return_(stage, order, "rest") == rest
    assert await refunds(stage, order) == [(2100, BY.why), (4200, BY.why)]
    assert (await stage.sold(on_sale), (await stage.status(on_sale)).takings) == (set(), 0)
    await check_clean(stage)


async def test_an_order_is_the_same_however_its_number_is_written(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    written = OrderId(order.upper())
    await return_(stage, written, items=(0,))
    first = await return_(stage, written, "the rest")  # the ledger has not heard of the first part
    await stage.drain()
    assert await return_(stage, written, "the rest") == first
    assert await return_(stage, order, "the rest") == first


async def test_two_parts_at_once_before_the_ledger_knows_of_either(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2", "zaal-A-3")
    answers = await asyncio.gather(
        *(return_(stage, order, items=(number % 3,)) for number in range(RACERS)), return_exceptions=True
    )
    assert sum(isinstance(answer, Ordered) for answer in answers) == 3
    assert {answer.slug for answer in answers if isinstance(answer, Refused)} == {"already-refunded"}
    await stage.drain()
    assert await refunds(stage, order) == [(2100, BY.why)] * 3
    assert await stage.sold(on_sale) == set()
    await check_clean(stage)


async def test_a_part_that_was_returned_stays_so_after_a_loss(stage: Backstage, tmp_path: Path) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    copy = keep_copy(stage, tmp_path)
    await return_(stage, order, items=(0,))
    await stage.drain()
    go_back(stage, copy)
    await recover(stage)
    assert await stage.sold(on_sale) == {"zaal-A-2"}
    with pytest.raises(Refused) as refusal:
        await return_(stage, order, items=(0,))
    assert refusal.value.slug == "already-refunded"


async def test_a_part_that_was_lost_with_redis_is_as_if_it_had_not_been(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2", "vloer")
    await return_(stage, order, "first", items=(0,))
    await stage.drain()
    await return_(stage, order, "second", items=(2,))
    go_back(stage, None)
    await recover(stage)
    assert await stage.sold(on_sale) == {"zaal-A-2"}
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 1}
    for key, items in (("first", (0,)), ("second", (2,)), ("second", (2,))):
        assert (await return_(stage, order, key, items=items)).state == "recorded"
    await stage.drain()
    assert await refunds(stage, order) == [(2100, BY.why)] * 2
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 0}
    await check_clean(stage, "redis-lost")


async def test_over_several_performances_at_once(stage: Backstage) -> None:
    on_sale = await stage.put_on(shows=2)
    matinee = msgspec.structs.replace(on_sale, performances=on_sale.performances[1:])
    held = [await stage.hold(on_sale, "zaal-A-1", "vloer"), await stage.hold(matinee, "zaal-B-2")]
    buyer = orders.Buyer(caller="key:staff", owner="", channel="counter")
    paid = Payment(provider="demo", reference=f"yes-{uuid.uuid4()}")
    order, _ = await orders.confirm(stage.cell, buyer, [each.hold for each in held], None, paid, str(uuid.uuid4()))
    await stage.drain()
    await return_(stage, order)
    await check_returned_once(stage, order)
    assert await stage.sold(on_sale) == await stage.sold(matinee) == set()


async def test_for_the_return_delay_nobody_has_the_seats(stage: Backstage) -> None:
    on_sale = await stage.put_on(return_delay_seconds=3600)
    order = await sell(stage, on_sale, "zaal-A-1", "vloer")
    await return_(stage, order)
    with pytest.raises(Refused, match="a moment sooner"):
        await stage.hold(on_sale, "zaal-A-1")
    await stage.drain()
    found = await audit(stage.cell, stage.ledger)
    assert (found.faults, found.sold, found.held) == ((), 0, 2)


@pytest.mark.parametrize("state", ["", "confirmed", "conflicted", "no id"])
async def test_only_a_recorded_order_can_be_returned(stage: Backstage, state: str) -> None:
    on_sale = await stage.put_on()
    order, slug = new_order_id(), "unknown-order"
    if state == "confirmed":
        order, slug = await stage.sell(on_sale, "zaal-A-1"), "not-returnable"
    if state == "conflicted":
        slug = "not-returnable"
        put(stage, make_order("A-1", order=order), kind="conflict")
        await stage.drain()
    with pytest.raises(Refused) as refusal:
        await return_(stage, OrderId("no id") if state == "no id" else order)
    assert (refusal.value.slug, refusal.value.facts.get("state", "")) == (slug, state if slug[0] == "n" else "")
    await stage.drain()
    assert await stage.value("SELECT count(*) FROM actions WHERE what = 'return'") == 0
    assert len(await stage.sold(on_sale)) == (state == "confirmed")


async def test_seats_that_are_not_sold_as_the_ledger_says_are_left_alone(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    rows = await stage.rows("SELECT payload FROM orders")
    known = decode_order(rows[0][0])
    elsewhere = tuple(msgspec.structs.replace(item, seat="zaal-B-1") for item in known.items)
    payload = msgspec.msgpack.encode(msgspec.structs.replace(known, items=elsewhere))
    await stage.do("UPDATE orders SET payload = $1", payload)
    with pytest.raises(Refused, match="not as this order left them"):
        await return_(stage, order)
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}


# -- once only


@pytest.mark.parametrize("is_lost", [False, True])
async def test_a_repeat_gets_the_first_answer_and_anybody_else_hears_that_it_was_done(
    stage: Backstage, is_lost: bool
) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    first = await return_(stage, order, "the key")
    assert await return_(stage, order, "the key") == first
    with pytest.raises(Refused) as refusal:
        await return_(stage, order)
    assert refusal.value.slug == "already-refunded"
    await stage.drain()
    if is_lost:
        go_back(stage, None)
        await recover(stage)
    assert await return_(stage, order, "the key") == first
    with pytest.raises(Refused) as refusal:
        await return_(stage, order)
    assert refusal.value.slug == "already-refunded"
    await check_returned_once(stage, order, *(["redis-lost"] if is_lost else []))


@pytest.mark.parametrize("is_draining", [False, True])
async def test_a_hundred_at_once_return_it_once(stage: Backstage, is_draining: bool) -> None:
    """While others at once hold and buy the seat that comes back."""
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "vloer")
    async with AsyncExitStack() as stack:
        cells = [Cell(stage.house) for _ in range(8)]
        for cell in cells:
            stack.push_async_callback(cell.close)
            await cell.look()

        async def race(number: int) -> str:
            try:
                await return_(stage, order, cell=cells[number % 8])
            except Refused as refusal:
                return refusal.slug
            return "returned"

        async def resell() -> OrderId:
            while True:
                try:
                    return await stage.sell(on_sale, "zaal-A-1")
                except Refused:
                    await asyncio.sleep(0)

        racing = asyncio.gather(*(race(number) for number in range(RACERS)))
        resold = asyncio.create_task(resell())
        while is_draining and not racing.done():
            await stage.drain(batch=1)
        outcomes = await racing
        again = await asyncio.wait_for(resold, 20)
    assert sorted(outcomes) == ["already-refunded"] * (RACERS - 1) + ["returned"]
    await check_returned_once(stage, order)
    assert await stage.rows("SELECT order_id::text FROM order_items WHERE live") == [(again,)]


def forget(stage: Backstage, order: OrderId) -> None:
    """A day has gone by: Redis knows neither the order nor any operation."""
    gone = [stage.keys.order(order), *stage.redis.keys(stage.keys.operation("*"))]
    assert stage.redis.delete(*gone) == len(gone) > 1


async def test_long_after_redis_forgot_it_a_second_return_is_refused_by_the_ledger(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    await return_(stage, order)
    again = await sell(stage, on_sale, "zaal-A-1")
    forget(stage, order)
    with pytest.raises(Refused) as refusal:
        await return_(stage, order)
    assert refusal.value.slug == "already-refunded"
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    assert await state_of(stage, again) == "recorded"
    await check_returned_once(stage, order)


async def test_a_ledger_a_day_behind_is_not_asked(stage: Backstage) -> None:
    """Postgres was away for longer than Redis remembers, and somebody asks before the writer has caught up."""
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    await stage.do("UPDATE cursor SET entry = (split_part(entry, '-', 1)::bigint - 86400000) || '-0'")
    stage.redis.set(stage.keys.recorded, await stage.value("SELECT entry FROM cursor"))
    await return_before(stage, order)
    await stage.sell(on_sale, "zaal-A-1")
    forget(stage, order)
    with pytest.raises(LedgerUnavailable):
        await return_(stage, order)
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    await stage.drain()
    with pytest.raises(Refused, match="refunded before"):
        await return_(stage, order)
    await check_returned_once(stage, order)


async def return_before(stage: Backstage, order: OrderId) -> None:
    """The return of a day ago: when the ledger was not behind yet."""
    known = await stage.value("SELECT entry FROM cursor")
    await stage.do("UPDATE cursor SET entry = $1", stage.last_entry())
    await return_(stage, order)
    await stage.do("UPDATE cursor SET entry = $1", known)


# -- losses


async def test_a_return_that_was_lost_with_redis_is_as_if_it_had_not_been(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "vloer")
    await return_(stage, order, "the key")
    go_back(stage, None)
    await recover(stage)
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    assert await state_of(stage, order) == "recorded"
    await return_(stage, order, "the key")
    await check_returned_once(stage, order, "redis-lost")


async def test_after_the_loss_of_redis_what_was_returned_is_open_and_what_was_not_can_be(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    first = await sell(stage, on_sale, "zaal-A-1", "vloer")
    second = await sell(stage, on_sale, "zaal-A-2", "vloer")
    await return_(stage, first)
    await stage.drain()
    go_back(stage, None)
    await recover(stage)
    assert await stage.sold(on_sale) == {"zaal-A-2"}
    assert (await stage.status(on_sale)).orders == 1
    await return_(stage, second)
    assert await stage.sold(on_sale) == set()
    await check_returned_once(stage, first, "redis-lost")
    await check_returned_once(stage, second, "redis-lost")


@pytest.mark.parametrize("is_resold", [False, True])
async def test_a_redis_from_before_the_return_learns_of_it(stage: Backstage, tmp_path: Path, is_resold: bool) -> None:
    on_sale = await stage.put_on(seats_a_hold=20, seats_a_place=20)
    order = await sell(stage, on_sale, "zaal-A-1", "vloer")
    copy = keep_copy(stage, tmp_path)
    await return_(stage, order)
    again = [await stage.sell(on_sale, "zaal-A-1")] if is_resold else []
    await stage.drain()
    go_back(stage, copy)
    await recover(stage)
    assert await stage.sold(on_sale) == ({"zaal-A-1"} if is_resold else set())
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 0}
    with pytest.raises(Refused) as refusal:
        await return_(stage, order)
    assert refusal.value.slug == "already-refunded"
    for each in again:
        await return_(stage, each)
        await check_returned_once(stage, each, "redis-lost")
    await check_returned_once(stage, order, "redis-lost")


class Interrupted(Ledger):
    """A ledger whose next answer is followed by something before anybody acts on it."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        async with super().connection() as connection:
            yield connection
        if meanwhile := self.meanwhile:
            self.meanwhile = None
            await meanwhile()


async def test_an_answer_of_the_ledger_from_before_a_loss_is_not_acted_on_after_it(stage: Backstage) -> None:
    """A process that stood still: meanwhile the order was returned, Redis was lost, and the seat was sold again."""
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    ledger = Interrupted(stage.house.postgres_dsn, pool=2, timeout_ms=5_000)
    sleeper = Cell(stage.house)
    await sleeper.look()
    resold: list[OrderId] = []

    async def meanwhile() -> None:
        await return_(stage, order)
        await stage.drain()
        go_back(stage, None)
        await recover(stage)
        resold.append(await sell(stage, on_sale, "zaal-A-1"))
        with pytest.raises(CellUnavailable):  # its connection has gone; the next call has a new one
            await sleeper.client.call("none", (), ())
        assert (await read_standing(stage.ledger, order)).state == "refunded"

    ledger.meanwhile = meanwhile
    with pytest.raises(Refused) as refusal:
        await give_back(sleeper, ledger, order, BY, "late")
    assert refusal.value.slug == "already-refunded"
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    await sleeper.close()
    await ledger.close()
    await check_returned_once(stage, order, "redis-lost")


# -- the writer


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
async def test_a_seat_that_is_returned_and_sold_again_in_one_batch_is_recorded_in_that_order(
    stage: Backstage, batch: int
) -> None:
    on_sale = await stage.put_on()
    rows = [seat_names("A", 10), seat_names("B", 10)]
    sold = [await stage.sell(on_sale, *pair) for pair in zip(*rows, strict=True)]
    await stage.drain()
    for order, *seats in zip(sold[:], *rows, strict=True):
        await return_(stage, order)
        sold += [await stage.sell(on_sale, seats[0]), await stage.sell(on_sale, seats[1], "vloer")]
    assert stage.redis.xlen(stage.keys.outbox) >= 30  # the fault bit: all of it waits for one writer
    await stage.drain(batch=batch)
    states = dict(await stage.rows("SELECT order_id::text, state FROM orders"))
    assert states == {order: "refunded" if number < 10 else "recorded" for number, order in enumerate(sold)}
    assert await stage.value("SELECT count(*) FROM refund_requests") == 10
    assert await stage.value("SELECT count(*) FROM dead_letters") == 0
    await check_clean(stage)


async def test_a_return_of_an_order_that_the_ledger_does_not_know_is_kept_for_a_person(stage: Backstage) -> None:
    """A ledger that was restored from a backup, say: nothing is guessed, nothing stands in the way."""
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    await return_(stage, order)
    other = await stage.sell(on_sale, "zaal-A-2")
    await stage.do("DELETE FROM order_items")
    await stage.do("DELETE FROM orders")
    await stage.drain()
    assert await stage.rows("SELECT order_id::text FROM orders") == [(other,)]
    ((why,),) = await stage.rows("SELECT why FROM dead_letters")
    assert order in why
    assert [kind for kind, _ in await stage.alarms()] == ["dead-letter"]


async def test_money_goes_back_once_for_a_payment(stage: Backstage) -> None:
    """A late message about the payment of an order that was returned does not ask for the money again."""
    on_sale = await stage.put_on()
    held = await stage.hold(on_sale, "zaal-A-1")
    order = await stage.confirm(held, payment="yes-once")
    await stage.drain()
    await return_(stage, order)
    payment = Payment(provider="demo", reference="yes-once")
    put(stage, make_order("A-9", payment=payment), kind="conflict")
    await stage.drain()
    assert await stage.rows("SELECT order_id::text FROM refund_requests") == [(order,)]
    assert [kind for kind, _ in await stage.alarms()] == ["payment-used"]


async def test_the_audit_is_clean_while_orders_come_back_and_are_sold_again(stage: Backstage) -> None:
    on_sale = await stage.put_on(plan=small_plan(rows=6, seats=20))
    seats = [seat for row in "ABCDEF" for seat in seat_names(row, 20)]
    is_over, returned = asyncio.Event(), 0

    async def come_and_go(mine: list[str]) -> None:
        nonlocal returned
        while not is_over.is_set():
            for seat in mine:
                order = await stage.sell(on_sale, seat, "vloer")
                await until(partial(is_recorded, order), "the order is recorded")
                if is_over.is_set():
                    return
                await return_(stage, order)
                returned += 1

    async def is_recorded(order: OrderId) -> bool:
        return is_over.is_set() or await stage.ledger.order(order) is not None

    async def record() -> None:
        while not is_over.is_set():
            await stage.drain(batch=3)
            await asyncio.sleep(0.01)

    workers = [asyncio.create_task(each) for each in (*(come_and_go(seats[n::4]) for n in range(4)), record())]
    found: list[Audit] = []
    while returned < 60 or len(found) < 8:
        found.append(await audit(stage.cell, stage.ledger))
        assert len(found) < 500
    is_over.set()
    await asyncio.gather(*workers)
    assert [each.faults for each in found if each.faults] == []
    await check_clean(stage)


# -- over HTTP


async def test_a_manager_refunds_an_order_and_says_why(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = await sale.hold(token, "zaal-A-1", "zaal-A-2")
        ordered = (await sale.order(token, held.json["hold"])).json
        await sale.until_recorded(ordered)
        path = f"/manage/orders/{ordered['order']}/refund"
        for body, status in (({}, 400), ({"reason": ""}, 400), ({"reason": "a\nb"}, 400), ({"reason": 1}, 400)):
            assert (await sale.post(path, body, token=sale.manage_key)).status == status
        body = {"reason": "the singer is ill"}
        assert (await sale.post(path, body, token=sale.manage_key, key=None)).status == 400
        # What the counter did not sell itself is not there for it.
        assert (await sale.post(path, body, token=sale.counter_key)).slug == "unknown-order"
        first = await sale.post(path, body, token=sale.manage_key, key="once")
        assert (first.status, first.json["state"], first.json["order"]) == (200, "refunded", ordered["order"])
        assert [item["seat"] for item in first.json["items"]] == ["zaal-A-1", "zaal-A-2"]
        again = await sale.post(path, body, token=sale.manage_key, key="once")
        assert (again.status, again.body) == (200, first.body)
        other = await sale.post(path, body, token=sale.manage_key)
        assert (other.status, other.slug) == (409, "already-refunded")
        changed = await sale.post(path, {"reason": "another"}, token=sale.manage_key, key="once")
        assert (changed.status, changed.slug) == (422, "key-reused")
        seen = await sale.get(f"/orders/{ordered['order']}", token=ordered["order_secret"])
        assert (seen.status, seen.json["state"]) == (200, "refunded")
        await sale.until_recorded(ordered, "refunded")
        actions = (await sale.get("/manage/actions?limit=20", token=sale.manage_key)).json["actions"]
        (action,) = [each for each in actions if each["subject"] == ordered["order"]]
        assert (action["what"], action["why"], action["who"][:7]) == ("return", "the singer is ill", "Manager")
        await sale.until_seats("o", "zaal-A-1", "zaal-A-2")
        missing = await sale.post(f"/manage/orders/{new_order_id()}/refund", body, token=sale.manage_key)
        assert (missing.status, missing.slug) == (404, "unknown-order")
        assert (await sale.post("/manage/orders/x/refund", body, token=sale.manage_key)).status == 404


async def test_a_manager_returns_some_of_an_order_and_then_the_rest(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = await sale.hold(token, "zaal-A-1", "zaal-A-2", "zaal-A-3")
        ordered = (await sale.order(token, held.json["hold"])).json
        await sale.until_recorded(ordered)
        path = f"/manage/orders/{ordered['order']}/refund"

        async def give_back(*items: int, key: str = "") -> Any:
            return await sale.post(path, {"reason": "ill", "items": items}, token=sale.manage_key, key=key)

        for wrong in ((3,), (-1,), (1, 1)):
            assert (await give_back(*wrong)).slug == "bad-input"
        first = await give_back(1, key="some")
        assert (first.status, first.json["state"], first.json["total"]) == (200, "recorded", 4200)
        assert [item["seat"] for item in first.json["items"]] == ["zaal-A-1", "zaal-A-3"]
        assert [item["seat"] for item in first.json["returned"]] == ["zaal-A-2"]
        again = await give_back(1, key="some")
        assert (again.status, again.body) == (200, first.body)
        assert (await give_back(0, key="some")).slug == "key-reused"
        assert (await give_back(1)).slug == (await give_back(0, 1)).slug == "already-refunded"
        await sale.until_seats("s", "zaal-A-1", "zaal-A-3")
        await sale.until_seats("o", "zaal-A-2")
        await sale.until_drained()
        seen = await sale.get(f"/orders/{ordered['order']}", token=ordered["order_secret"])
        assert (seen.status, seen.json) == (200, first.json)
        listed = await sale.get(f"/manage/orders/{ordered['order']}", token=sale.manage_key)
        assert (listed.json["state"], listed.json["returned"], listed.json["total"]) == ("recorded", [1], 6300)
        rest = await give_back(0, 2, key="rest")
        assert (rest.json["state"], len(rest.json["items"]), rest.json["total"]) == ("refunded", 3, 6300)
        await sale.until_recorded(ordered, "refunded")
        assert (await give_back()).slug == (await give_back(2)).slug == "already-refunded"
        due = (await sale.get("/manage/refunds?limit=1000", token=sale.manage_key)).json["refunds"]
        assert [each["amount"] for each in due if each["order"] == ordered["order"]] == [2100, 4200]
        await sale.until_seats("o", "zaal-A-1", "zaal-A-2", "zaal-A-3")
        now = await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)
        assert (now.json["orders"], now.json["takings"]) == (0, 0)
