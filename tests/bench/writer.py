"""P7: how fast confirmed orders reach Postgres, between the least that it could cost and the obvious way."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import msgspec

from engine.entries import Customer, Item, Order, Payment, SeatChange, encode_order, without_customer
from engine.keys import Keys
from engine.ledger.history import COLUMNS as HISTORY_COLUMNS
from engine.ledger.history import history_rows
from engine.ledger.ledger import Ledger
from engine.ledger.order_records import ITEM_COLUMNS, ORDER_COLUMNS
from engine.orders import new_order_id
from engine.sealing import Opener, Sealer
from engine.signing import Signer
from engine.words import HouseSlug, OnSaleId, PerformanceId, SeatId
from engine.writer import Writer
from tests.bench.rounds import AT_LEAST, Bar, Part, interleave
from tests.bench.stand import SLUG, Stand

ORDERS: Final = 5_000
SINGLE: Final = 800
CONNECTIONS: Final = 16
ROUNDS: Final = 9
RECORDED = "the writer's recorded orders a second, each with two changes of its seats, batches of up to 2,000 entries"
COPY = Bar(
    what=RECORDED, yardstick="raw COPY of the same rows into the same tables", sense=AT_LEAST, bar=0.25, moonshot=0.4
)
ONE_BY_ONE = Bar(
    what=RECORDED, yardstick="single-order transactions on 16 connections", sense=AT_LEAST, bar=5, moonshot=8
)


def _orders(count: int) -> list[Order]:
    """Orders of two seats each."""
    performance = PerformanceId("show")
    return [
        Order(
            order=new_order_id(),
            on_sale=OnSaleId("sale"),
            owner=f"{number:032x}",
            items=tuple(
                Item(performance, "Rang 1", "full", 2_000, 100, seat=SeatId(f"zaal-{number}-{place}"))
                for place in (1, 2)
            ),
            total=4_200,
            currency="EUR",
            customer=Customer(email=f"visitor-{number}@example.org", name="A Visitor", language="nl"),
            payment=Payment(provider="demo", reference=f"yes-{number}"),
        )
        for number in range(count)
    ]


def _sealed(order: Order, sealer: Sealer) -> bytes:
    """The order as it leaves an API process."""
    assert isinstance(order.customer, Customer)
    return encode_order(msgspec.structs.replace(order, customer=sealer.seal(order.customer, order.order)))


def _rows(orders: Sequence[Order]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The very rows that the writer makes of them."""
    rows, items = [], []
    for number, order in enumerate(orders):
        assert isinstance(order.customer, Customer)
        assert order.payment is not None
        told = (order.on_sale, order.owner, "recorded", order.total, order.currency, order.channel)
        buyer = (order.customer.email, order.customer.name, "", order.customer.language)
        paid = (order.payment.provider, order.payment.reference, without_customer(order), f"1-{number}")
        rows.append((order.order, *told, *buyer, *paid, None, 0))
        for place, item in enumerate(order.items):
            own = {"order_id": order.order, "item": place, "live": True}
            items.append(tuple(own.get(column) if column in own else getattr(item, column) for column in ITEM_COLUMNS))
    return rows, items


def _history(keys: Keys, count: int) -> list[SeatChange]:
    """What the seats of each order go through: held, and sold."""
    key = keys.performance(PerformanceId("show"))[0]
    return [
        SeatChange(
            *(key, 2 * number + step, 1, 1_767_225_600_000 + number, verb, "visitor", f"{number:032x}"),
            seats=[number // 4, 2 * (number % 4), 2, letter],
            areas=[],
        )
        for number in range(count)
        for step, (verb, letter) in enumerate((("hold", "h"), ("confirm", "s")), start=1)
    ]


def _told(keys: Keys, count: int) -> list[tuple[str, SeatChange]]:
    return [(f"1-{number}", change) for number, change in enumerate(_history(keys, count))]


def _insert(table: str, columns: Sequence[str]) -> str:
    values = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"


async def record(stand: Stand) -> list[Part]:
    """P7."""
    house, keys = stand.network.house(SLUG), Keys(HouseSlug(SLUG))
    ledger = Ledger(house.postgres_dsn, pool=4, timeout_ms=60_000)
    signer = Signer(house.slug, house.secrets_path)
    opener, sealer = Opener(signer, house.secrets_path), Sealer(signer, house.secrets_path)
    async with (
        stand.owner() as redis,
        asyncpg.create_pool(house.postgres_dsn, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool,
    ):

        async def empty_tables() -> None:
            await pool.execute(
                "ALTER TABLE seat_history DISABLE TRIGGER USER; TRUNCATE orders, order_items, refund_requests, "
                "seat_history; ALTER TABLE seat_history ENABLE TRIGGER USER"
            )

        await Writer(redis, keys, ledger, house.limits.batch, opener).drain()  # what was measured before left its own

        async def ours() -> float:
            await empty_tables()
            pipeline = redis.pipeline(transaction=False)
            history = iter(_history(keys, ORDERS))
            for order in _orders(ORDERS):
                for change in (next(history), next(history)):
                    pipeline.xadd(keys.outbox, {"kind": "seats", "data": msgspec.msgpack.encode(change)})
                pipeline.xadd(keys.outbox, {"kind": "order", "data": _sealed(order, sealer)})
            await pipeline.execute()
            writer = Writer(redis, keys, ledger, house.limits.batch, opener)
            started = time.perf_counter()
            await writer.drain()
            seconds = time.perf_counter() - started
            assert await pool.fetchval("SELECT count(*) FROM order_items") == 2 * ORDERS
            assert await pool.fetchval("SELECT count(*) FROM seat_history") == 2 * ORDERS
            return ORDERS / seconds

        async def copy() -> float:
            await empty_tables()
            rows, items = _rows(_orders(ORDERS))
            history = history_rows(_told(keys, ORDERS))
            async with pool.acquire() as connection:
                started = time.perf_counter()
                async with connection.transaction():
                    await connection.copy_records_to_table("orders", records=rows, columns=ORDER_COLUMNS)
                    await connection.copy_records_to_table("order_items", records=items, columns=ITEM_COLUMNS)
                    await connection.copy_records_to_table("seat_history", records=history, columns=HISTORY_COLUMNS)
                return ORDERS / (time.perf_counter() - started)

        async def one_by_one() -> float:
            await empty_tables()
            rows, items = _rows(_orders(SINGLE))
            history = history_rows(_told(keys, SINGLE))
            numbers = iter(range(SINGLE))

            async def worker() -> None:
                async with pool.acquire() as connection:
                    for number in numbers:
                        async with connection.transaction():
                            await connection.execute(_insert("orders", ORDER_COLUMNS), *rows[number])
                            wanted = items[2 * number : 2 * number + 2]
                            await connection.executemany(_insert("order_items", ITEM_COLUMNS), wanted)
                            told = history[2 * number : 2 * number + 2]
                            await connection.executemany(_insert("seat_history", HISTORY_COLUMNS), told)

            started = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(CONNECTIONS):
                    group.create_task(worker())
            return SINGLE / (time.perf_counter() - started)

        found = await interleave(ROUNDS, {"ours": ours, "copy": copy, "one by one": one_by_one})
        await empty_tables()
    await ledger.close()
    return [
        COPY.judge(found["ours"], found["copy"], "orders a second"),
        ONE_BY_ONE.judge(found["ours"], found["one by one"], "orders a second"),
    ]
