"""Exactly once from the outbox into the ledger: whatever is killed, repeated, doubled, poisoned or stopped."""

import asyncio
import signal
import sys
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.entries import Action, Customer, Item, Order, Payment, encode_action, encode_order, without_customer
from engine.orders import new_order_id
from engine.words import AreaId, OnSaleId, PerformanceId, SeatId
from engine.writer import Fenced, Writer
from tests.backstage import Backstage, Theatre, until

SHOW = PerformanceId("show")
POINTS = ("read", "in_batch", "before_commit", "after_commit", "before_trim")


def make_order(*seats: str, order: str = "", price: int = 1000, **changed: Any) -> Order:
    items = tuple(
        Item(
            performance=SHOW,
            category="Rang 1",
            price_type="full",
            price=price,
            fee=50,
            **({"area": AreaId(seat)} if seat == "vloer" else {"seat": SeatId(seat)}),
        )
        for seat in seats
    )
    fields: dict[str, Any] = {
        "order": order or new_order_id(),
        "on_sale": OnSaleId("sale"),
        "owner": "somebody",
        "items": items,
        "total": sum(item.price + item.fee for item in items),
        "currency": "EUR",
        "customer": Customer(email="visitor@example.org", name="A Visitor"),
        "payment": Payment(provider="demo", reference=f"yes-{uuid.uuid4()}"),
    }
    return Order(**(fields | changed))


def put(stage: Backstage, *orders: Order, kind: str = "order") -> list[str]:
    """Orders as `orders/confirm` leaves them in the outbox."""
    return [stage.put_entry(kind=kind, data=encode_order(order)) for order in orders]


def put_join(stage: Backstage, index: "int | str", secret_hash: str = "", on_sale: str = "sale") -> str:
    secret_hash = secret_hash or f"hash-{index}"
    return stage.put_entry(kind="join", on_sale=on_sale, line="public", index=index, secret_hash=secret_hash)


def put_action(stage: Backstage, what: str, **detail: "str | int") -> str:
    action = Action(who="test", what=what, subject="sale", why="a test", at_ms=1_767_225_600_000, detail=detail)
    return stage.put_entry(kind="action", data=encode_action(action))


def put_mixture(stage: Backstage, orders: int = 20) -> list[Order]:
    """Orders of two seats each, between joins and actions."""
    made = []
    for number in range(orders):
        put_join(stage, number)
        made.append(make_order(f"A-{number}", f"B-{number}"))
        put(stage, made[-1])
    put_action(stage, "pause")
    return made


async def check_exactly_once(stage: Backstage, orders: Sequence[Order], *, joins: int = 0, actions: int = 0) -> None:
    """Every order is there once and as it was, with its items; the cursor is the last entry and nothing is left."""
    payloads = {row[0]: bytes(row[1]) for row in await stage.rows("SELECT order_id::text, payload FROM orders")}
    assert payloads == {order.order: without_customer(order) for order in orders}
    items = await stage.rows("SELECT order_id::text, item, seat, area, price, fee, live FROM order_items")
    wanted = {
        (order.order, number, item.seat, item.area, item.price, item.fee, True)
        for order in orders
        for number, item in enumerate(order.items)
    }
    assert (set(items), len(items)) == (wanted, len(wanted))
    assert await stage.value("SELECT count(*) FROM entrants") == joins
    assert await stage.value("SELECT count(*) FROM actions") == actions
    assert (await stage.alarms(), await stage.rows("SELECT * FROM dead_letters")) == ([], [])
    await check_at_rest(stage)


async def check_at_rest(stage: Backstage) -> None:
    """The cursor is the last entry, everybody may know it, and the memory is given back."""
    last = stage.last_entry()
    assert (await stage.ledger.position()).cursor == last
    assert stage.redis.get(stage.keys.recorded) == last.encode()
    assert stage.redis.xlen(stage.keys.outbox) == 0


async def killed_writer(stage: Backstage, point: str, times: int, batch: int) -> None:
    """Runs a writer's process that dies at a point, and makes sure that it did."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.writer_process", stage.house.redis_owner_url),
        *(stage.house.postgres_dsn, str(stage.house.secrets_path), stage.slug, str(batch), point, str(times)),
    )
    assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
async def test_a_writer_that_is_killed_anywhere_leaves_every_entry_recorded_once(stage: Backstage, point: str) -> None:
    orders = put_mixture(stage)
    await killed_writer(stage, point, times=2, batch=7)
    recorded = await stage.value("SELECT count(*) FROM orders")
    assert 0 < recorded < len(orders)  # it was killed in the middle
    await stage.drain(batch=7)
    await check_exactly_once(stage, orders, joins=20, actions=1)


@pytest.mark.parametrize("point", ["after_commit", "before_trim"])
async def test_what_the_last_writer_did_not_trim_the_next_one_does_though_nothing_new_comes(
    stage: Backstage, point: str
) -> None:
    orders = put_mixture(stage)
    await killed_writer(stage, point, times=1, batch=1000)
    assert stage.redis.xlen(stage.keys.outbox) > 0
    assert await stage.new_writer().drain() == 0
    await check_exactly_once(stage, orders, joins=20, actions=1)


async def test_writers_killed_again_and_again_lose_and_double_nothing(stage: Backstage) -> None:
    orders = put_mixture(stage, 30)
    for number in range(25):
        dead = stage.new_writer(4, dies_at(POINTS[number % len(POINTS)]))
        with pytest.raises(ZeroDivisionError):
            await dead.drain()
        if number % len(POINTS) in {2, 4}:
            orders.append(make_order(f"C-{number}"))
            put(stage, orders[-1])
    await stage.drain()
    await check_exactly_once(stage, orders, joins=30, actions=1)


def dies_at(point: str) -> Any:
    def at_point(name: str) -> None:
        if name == point:
            raise ZeroDivisionError

    return at_point


async def test_two_writers_at_once_record_every_entry_once(stage: Backstage) -> None:
    orders: list[Order] = []
    ledgers = [stage.new_ledger() for _ in range(3)]
    writers = [
        Writer(stage.owner, stage.keys, ledger, batch, stage.opener)
        for ledger, batch in zip(ledgers, (3, 7, 50), strict=True)
    ]
    async with stage.running(*writers):
        # Until more than one of them has had a part in it.
        while len(orders) < 300 or sum(writer.batches > 0 for writer in writers) < 2:
            assert len(orders) < 20_000
            orders.append(make_order(f"A-{len(orders)}"))
            put(stage, orders[-1])
            await asyncio.sleep(0)

        async def is_recorded() -> bool:
            return (await stage.ledger.position()).cursor == stage.last_entry()

        await until(is_recorded, "everything recorded")
    await asyncio.gather(*(ledger.close() for ledger in ledgers))
    await stage.drain()
    await check_exactly_once(stage, orders)


async def test_what_a_slower_writer_said_last_does_not_stay(stage: Backstage) -> None:
    orders = [make_order("A-1"), make_order("A-2")]
    first, _ = put(stage, *orders)
    await stage.drain()
    stage.redis.set(stage.keys.recorded, first)
    await stage.drain()
    await check_exactly_once(stage, orders)


async def test_an_entry_that_comes_between_commit_and_trim_is_not_dropped(stage: Backstage) -> None:
    orders = [make_order(f"A-{number}") for number in range(5)]
    put(stage, *orders)

    def at_point(name: str) -> None:
        if name in {"after_commit", "before_trim"} and len(orders) < 30:
            orders.append(make_order(f"A-{len(orders)}"))
            put(stage, orders[-1])

    await stage.new_writer(3, at_point).drain()
    assert len(orders) == 30
    await check_exactly_once(stage, orders)


# -- repeats


async def test_an_order_that_comes_again_is_harmless(stage: Backstage) -> None:
    order, other = make_order("A-1", "A-2"), make_order("B-1")
    put(stage, order, order, other)  # in one batch …
    await stage.drain()
    put(stage, order)  # … and in a later one
    await stage.drain()
    await check_exactly_once(stage, [order, other])
    assert await stage.rows("SELECT * FROM refund_requests") == []


@pytest.mark.parametrize("batch", [1, 100])
async def test_an_order_id_with_another_payload_is_an_alarm_and_changes_nothing(stage: Backstage, batch: int) -> None:
    order, bystander = make_order("A-1"), make_order("A-3")
    other = make_order("A-2", "A-3", order=order.order)
    first, entry, _ = put(stage, order, other, bystander)
    await stage.drain(batch=batch)
    assert await stage.alarms() == [("other-payload", {"order": order.order, "entry": entry, "first": first})]
    assert set(await stage.rows("SELECT order_id::text, seat, live FROM order_items")) == {
        (order.order, "A-1", True),
        (bystander.order, "A-3", True),
    }
    assert await stage.rows("SELECT * FROM refund_requests") == []
    await check_at_rest(stage)


async def test_one_index_for_two_visitors_is_an_alarm(stage: Backstage) -> None:
    put_join(stage, 3, "one")
    put_join(stage, 3, "one")
    put_join(stage, 4, "one")
    await stage.drain()
    assert await stage.alarms() == []
    put_join(stage, 3, "two")
    await stage.drain()
    assert await stage.alarms() == [("index-given-twice", {"on_sale": "sale", "line": "public", "index": 3})]
    assert await stage.rows("SELECT index, secret_hash FROM entrants ORDER BY 1") == [(3, "one"), (4, "one")]


# -- a seat that two orders have


@pytest.mark.parametrize("batch", [1, 2, 100])
async def test_a_seat_is_the_first_orders_and_the_second_is_conflicted_with_one_refund(
    stage: Backstage, batch: int
) -> None:
    first, second, third = make_order("A-1", "A-2"), make_order("A-2", "A-3"), make_order("A-3")
    put(stage, first, second, third)
    await stage.drain(batch=batch)
    assert dict(await stage.rows("SELECT order_id::text, state FROM orders")) == {
        first.order: "recorded",
        second.order: "conflicted",
        third.order: "recorded",  # what the conflicted order does not get is free for others
    }
    live = await stage.rows("SELECT order_id::text, seat FROM order_items WHERE live ORDER BY seat")
    assert live == [(first.order, "A-1"), (first.order, "A-2"), (third.order, "A-3")]
    assert second.payment is not None
    assert await stage.rows("SELECT order_id::text, amount, reference, refunded_at FROM refund_requests") == [
        (second.order, second.total, second.payment.reference, None)
    ]
    assert await stage.alarms() == [("live-seat", {"order": second.order, "seats": ["A-2"]})]
    await check_at_rest(stage)


async def test_a_conflicted_order_that_comes_again_asks_for_no_second_refund(stage: Backstage) -> None:
    first, second = make_order("A-1"), make_order("A-1")
    put(stage, first, second, second)
    await stage.drain()
    put(stage, second)
    await stage.drain()
    assert await stage.value("SELECT count(*) FROM refund_requests") == 1
    assert len(await stage.alarms()) == 1


async def test_a_seat_that_was_given_back_can_be_sold_again(stage: Backstage) -> None:
    first, second = make_order("A-1"), make_order("A-1")
    put(stage, first)
    await stage.drain()
    await stage.do("UPDATE order_items SET live = false")
    put(stage, second)
    await stage.drain()
    assert await stage.rows("SELECT order_id::text FROM order_items WHERE live") == [(second.order,)]
    assert await stage.alarms() == []


async def test_the_same_seat_of_two_performances_is_no_conflict(stage: Backstage) -> None:
    orders = [make_order("A-1"), make_order("A-1")]
    matinee = tuple(msgspec.structs.replace(item, performance=PerformanceId("matinee")) for item in orders[1].items)
    orders[1] = msgspec.structs.replace(orders[1], items=matinee)
    put(stage, *orders)
    await stage.drain()
    await check_exactly_once(stage, orders)


async def test_standing_places_of_one_area_are_no_conflict(stage: Backstage) -> None:
    orders = [make_order("vloer", "vloer"), make_order("vloer")]
    put(stage, *orders)
    await stage.drain()
    await check_exactly_once(stage, orders)


async def test_a_payment_too_late_for_its_seats_is_conflicted_with_one_refund_and_no_live_seat(
    stage: Backstage,
) -> None:
    late = make_order("A-1")
    put(stage, late, kind="conflict")
    await stage.drain()
    assert await stage.rows("SELECT state FROM orders") == [("conflicted",)]
    assert await stage.rows("SELECT live FROM order_items") == [(False,)]
    assert await stage.rows("SELECT order_id::text, amount FROM refund_requests") == [(late.order, late.total)]


async def test_a_payment_that_bought_an_order_is_not_given_back_for_another(stage: Backstage) -> None:
    """A Redis that went back in time forgot the payment; the ledger has not."""
    bought = make_order("A-1")
    again = make_order("A-1", payment=bought.payment)
    put(stage, bought)
    await stage.drain()
    put(stage, again, kind="conflict")
    await stage.drain()
    assert await stage.rows("SELECT * FROM refund_requests") == []
    assert await stage.alarms() == [("payment-used", {"order": again.order, "first": bought.order})]


@pytest.mark.parametrize(("kind", "batch"), [("conflict", 1), ("conflict", 100), ("order", 1)])
async def test_a_payment_that_goes_back_for_one_order_is_an_alarm_for_another(
    stage: Backstage, kind: str, batch: int
) -> None:
    """Its money goes back once, and a person hears that it was named again."""
    late = make_order("A-1")
    again = make_order("A-2", payment=late.payment)
    put(stage, late, kind="conflict")
    put(stage, again, kind=kind)
    await stage.drain(batch=batch)
    assert await stage.rows("SELECT order_id::text, amount FROM refund_requests") == [(late.order, late.total)]
    assert await stage.alarms() == [("payment-used", {"order": again.order, "first": late.order})]


@pytest.mark.parametrize("batch", [1, 100])
async def test_two_orders_on_one_payment_are_an_alarm(stage: Backstage, batch: int) -> None:
    first = make_order("A-1")
    second = make_order("A-2", payment=first.payment)
    put(stage, first, second)
    await stage.drain(batch=batch)
    assert await stage.alarms() == [("payment-used", {"order": second.order, "first": first.order})]
    assert await stage.value("SELECT count(*) FROM order_items WHERE live") == 2


# -- poison

JOIN: dict[str, Any] = {"kind": "join", "on_sale": "sale", "line": "public", "index": 7, "secret_hash": "x"}
NUL_MESSAGE = Action(who="x", what="message", subject="s", why="w", at_ms=1, detail={"message": "\x00"})
TOO_LONG = "z" + "".join(uuid.uuid4().hex for _ in range(999))
POISON: dict[str, dict[str, Any]] = {
    "of no kind": {"data": b"\x80"},
    "of an unknown kind": {"kind": "refund", "data": b"\x80"},
    "whose kind is no text": {"kind": b"\xff\xfe"},
    "without its data": {"kind": "order"},
    "that is no msgpack": {"kind": "order", "data": b"\xc1\x00garbage"},
    "that is cut": {"kind": "order", "data": encode_order(make_order("Z-1"))[:-9]},
    "of another shape": {"kind": "order", "data": msgspec.msgpack.encode({"order": 5})},
    "whose id is no UUID": {"kind": "order", "data": encode_order(make_order("Z-1", order="order-1"))},
    "with a NUL in a name": {
        "kind": "order",
        "data": encode_order(make_order("Z-1", customer=Customer(email="a@b.example", name="Nul\x00l"))),
    },
    "with a price below nothing": {"kind": "order", "data": encode_order(make_order("Z-1", price=-2000))},
    "with a price beyond all numbers": {"kind": "order", "data": encode_order(make_order("Z-1", price=2**63, total=1))},
    "with an item that is neither seat nor area": {
        "kind": "order",
        "data": encode_order(make_order("Z-1", items=(Item(SHOW, "Rang 1", "full", 1, 1),))),
    },
    "with one seat twice": {"kind": "order", "data": encode_order(make_order("Z-1", "Z-1"))},
    "with a seat too long for an index": {
        "kind": "order",
        "data": encode_order(make_order(TOO_LONG)),
    },
    "that joins without an index": {name: value for name, value in JOIN.items() if name != "index"},
    "that joins at no number": JOIN | {"index": "first"},
    "that joins beyond all numbers": {"kind": "join", "on_sale": "s", "line": "l", "index": 10**30, "secret_hash": "x"},
    "that joins with a NUL": {"kind": "join", "on_sale": "s", "line": "a\x00b", "index": 1, "secret_hash": "x"},
    "that joins with what is no text": {
        "kind": "join",
        "on_sale": "s",
        "line": "l",
        "index": 1,
        "secret_hash": b"\xff",
    },
    "whose words look like an escaped NUL": {"kind": "nothing", "note": "a\\u0000z \\"},
    "whose action is none": {"kind": "action", "data": b"\x01"},
    "whose action has a NUL": {
        "kind": "action",
        "data": encode_action(
            Action(who="x", what="message", subject="s", why="w", at_ms=1, detail={"message": "\x00"})
        ),
    },
}


@pytest.mark.parametrize("what", POISON)
async def test_an_entry_is_buried_with_an_alarm_and_stands_in_nobodys_way(stage: Backstage, what: str) -> None:
    before, after = make_order("A-1"), make_order("A-2")
    put_join(stage, 0)
    put(stage, before)
    entry = stage.put_entry(**POISON[what])
    put(stage, after)
    put_join(stage, 1)
    put_action(stage, "pause")
    await asyncio.wait_for(stage.drain(), 10)

    assert {row[0] for row in await stage.rows("SELECT order_id::text FROM orders")} == {before.order, after.order}
    assert await stage.value("SELECT count(*) FROM entrants") == 2
    assert await stage.value("SELECT count(*) FROM actions") == 1
    ((buried, fields, why),) = await stage.rows("SELECT entry, fields, why FROM dead_letters")
    assert (buried, set(msgspec.json.decode(fields))) == (entry, set(POISON[what]))
    assert why
    assert [(kind, detail["entry"]) for kind, detail in await stage.alarms()] == [("dead-letter", entry)]
    await check_at_rest(stage)


async def test_a_buried_order_can_be_read_back_byte_for_byte(stage: Backstage) -> None:
    data = encode_order(make_order("Z-1", "Z-1"))
    stage.put_entry(kind="order", data=data)
    await stage.drain()
    ((fields,),) = await stage.rows("SELECT fields FROM dead_letters")
    assert bytes.fromhex(msgspec.json.decode(fields)["data"]) == data


async def test_many_poison_entries_between_good_ones_are_all_found(stage: Backstage) -> None:
    orders, poison = [], 0
    for number in range(60):
        if number % 7 == 0:
            stage.put_entry(**list(POISON.values())[poison % len(POISON)])
            poison += 1
        orders.append(make_order(f"A-{number}"))
        put(stage, orders[-1])
    await stage.drain(batch=50)
    assert {row[0] for row in await stage.rows("SELECT order_id::text FROM orders")} == {each.order for each in orders}
    assert await stage.value("SELECT count(*) FROM dead_letters") == poison == 9
    await check_at_rest(stage)


# -- servers that go away, and epochs


async def test_postgres_stopped_in_the_middle_costs_nothing_but_time(theatre: Theatre, stage: Backstage) -> None:
    orders = [make_order(f"A-{number}") for number in range(200)]
    put(stage, *orders)
    has_begun, may_go_on = asyncio.Event(), False

    def at_point(name: str) -> None:
        if name == "before_commit" and not may_go_on and writer.batches == 2:
            has_begun.set()
            theatre.postgres.stop("immediate")  # the loop stands still meanwhile: the batch is under way

    writer = stage.new_writer(10, at_point)
    async with stage.running(writer):
        await asyncio.wait_for(has_begun.wait(), 20)
        may_go_on = True

        async def notices() -> bool:
            return "Postgres cannot answer" in writer.last_error

        await until(notices, "the writer says that it waits")
        assert writer.recorded == 20  # the fault bit: nothing of the third batch was believed
        more = [make_order(f"B-{number}") for number in range(20)]
        put(stage, *more)
        await asyncio.to_thread(theatre.postgres.start)

        async def is_recorded() -> bool:
            return writer.last_error == "" and stage.redis.xlen(stage.keys.outbox) == 0

        await until(is_recorded, "everything is recorded after all")
    await check_exactly_once(stage, [*orders, *more])


async def test_a_ledger_that_cannot_be_written_is_waited_for_and_not_taken_for_poison(stage: Backstage) -> None:
    orders = [make_order("A-1"), make_order("A-2")]
    put(stage, *orders)
    database = f'"house_{stage.slug}"'
    await stage.do(f"ALTER DATABASE {database} SET default_transaction_read_only = on")  # as after a failover
    ledger = stage.new_ledger()
    writer = Writer(stage.owner, stage.keys, ledger, 10, stage.opener)
    async with stage.running(writer):

        async def waits() -> bool:
            return "read-only" in writer.last_error

        await until(waits, "the writer says why it waits")
        await stage.do(f"ALTER DATABASE {database} RESET default_transaction_read_only")
        await ledger.close()  # the setting is a session's own, from its start

        async def is_recorded() -> bool:
            return writer.recorded == 2

        await until(is_recorded, "both orders recorded")
    await ledger.close()
    await stage.drain()
    await check_exactly_once(stage, orders)


async def test_a_writer_of_an_epoch_gone_by_records_nothing(stage: Backstage) -> None:
    """What it has read may come from a Redis that is no longer the house's."""
    put(stage, make_order("A-1"))

    def at_point(name: str) -> None:
        if name == "read":
            stage.postgres_does("UPDATE epoch SET number = number + 1")

    with pytest.raises(Fenced):
        await stage.new_writer(at_point=at_point).drain()
    assert await stage.rows("SELECT * FROM orders") == []
    stage.redis.hset(stage.keys.cell, "epoch", 1)
    await stage.drain()
    assert await stage.value("SELECT count(*) FROM orders") == 1


async def test_a_writer_reads_from_no_redis_but_the_houses(stage: Backstage) -> None:
    put(stage, make_order("A-1"))
    await stage.ledger.next_epoch(0)
    writer = stage.new_writer()
    with pytest.raises(Fenced):
        await writer.drain()
    async with stage.running(writer):

        async def says_so() -> bool:
            return "recovers" in writer.last_error

        await until(says_so, "the writer waits")
        stage.redis.hset(stage.keys.cell, "epoch", 1)

        async def is_recorded() -> bool:
            return writer.recorded == 1

        await until(is_recorded, "the order recorded")
