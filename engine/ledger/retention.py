"""Forgetting: customers of long ago are taken out of their orders, every day, a few hundred at a time.

What is kept of an order is the house's account of it. Who bought is kept for as long as the house may need to reach
them: to refund, to move a performance, or to answer a card's chargeback. That is `retention_days` after the order and
after its last performance, whichever is later. As long after a performance the history of its seats goes too: who held
what is nobody's any more, but it was somebody's.
"""

import asyncio
import contextlib
from typing import Final

import msgspec
import structlog

from engine.catalogue import OnSale, Performance
from engine.errors import LedgerUnavailable
from engine.instants import now_ms
from engine.ledger.customers import anonymise, sealed_orders, unseal
from engine.ledger.deliveries import forget_deliveries
from engine.ledger.history import forget_history
from engine.ledger.ledger import Ledger
from engine.ledger.persons import forget_persons
from engine.network import House
from engine.words import OnSaleId, PerformanceId

DAY_SECONDS: Final = 86_400.0
RETRY_SECONDS: Final = 60.0
ORDERS_A_BATCH: Final = 500
ENTRANTS_A_BATCH: Final = 10_000
ENTRIES_A_BATCH: Final = 10_000
WEBHOOKS_A_BATCH: Final = 5_000
WEBHOOK_DAYS: Final = 30
"""How long it can be seen what became of an event, and an event can be sent again."""
PAUSE_SECONDS: Final = 0.05
"""Between batches: whoever waits for a row, or for the disk, goes first."""
OLD_ORDERS: Final = (
    "SELECT order_id, payload FROM orders o WHERE order_id > $1 AND recorded_at < to_timestamp($2) "
    "AND anonymised_at IS NULL AND NOT EXISTS (SELECT FROM order_items i WHERE i.order_id = o.order_id "
    "AND i.performance = ANY ($3)) ORDER BY order_id LIMIT $4 FOR UPDATE"
)
FORGET_ENTRANTS: Final = (
    "UPDATE entrants SET secret_hash = '' WHERE on_sale = $1 AND index >= $2 AND index < $3 AND secret_hash <> ''"
)
FIRST_ORDER: Final = "00000000-0000-0000-0000-000000000000"
log = structlog.get_logger()


class Forgotten(msgspec.Struct):
    """How many orders, orders that are not recorded, and entrants of draws were made nobody's."""

    orders: int = 0
    unrecorded: int = 0
    entrants: int = 0
    persons: int = 0
    """Of whom each had one place."""
    webhooks: int = 0
    """Events that were told, or could not be."""
    history: int = 0
    """Entries of the history of seats."""


def forgotten_before_ms(house: House) -> int:
    """What is from before this instant is of long ago."""
    return now_ms() - int(house.retention_days * DAY_SECONDS * 1000)


async def _documents(ledger: Ledger) -> tuple[dict[PerformanceId, int], dict[OnSaleId, tuple[PerformanceId, ...]]]:
    """When each performance starts, and which each on-sale sells."""
    async with ledger.connection() as connection:
        rows = await connection.fetch("SELECT kind, body FROM documents WHERE kind IN ('performance', 'on_sale')")
    shows = [msgspec.json.decode(row["body"], type=Performance) for row in rows if row["kind"] == "performance"]
    on_sales = [msgspec.json.decode(row["body"], type=OnSale) for row in rows if row["kind"] == "on_sale"]
    return {show.performance: show.starts_at_ms for show in shows}, {
        each.on_sale: each.performances for each in on_sales
    }


async def forget(ledger: Ledger, before_ms: int, *, batch: int = ORDERS_A_BATCH) -> Forgotten:
    """Takes customers out of what is older than an instant, and secret hashes out of draws. Harmless to repeat.

    Raises `LedgerUnavailable`; what was forgotten until then stays so.
    """
    starts, on_sales = await _documents(ledger)
    recent = [performance for performance, at_ms in starts.items() if at_ms >= before_ms]
    forgotten = Forgotten(orders=await _forget_orders(ledger, before_ms, recent, batch))
    async with ledger.connection() as connection, connection.transaction():
        old = [
            each
            for each in await sealed_orders(connection, for_update=True)
            if each.at_ms < before_ms and each.order.customer is not None
        ]
        await unseal(connection, old)
        forgotten.unrecorded = len(old)
    for on_sale, performances in on_sales.items():
        if all(starts.get(performance, 0) < before_ms for performance in performances):
            forgotten.entrants += await _forget_entrants(ledger, on_sale)
            forgotten.persons += await forget_persons(ledger, on_sale)
    forgotten.history = await _forget_history(ledger, [name for name, at_ms in starts.items() if at_ms < before_ms])
    return forgotten


async def _forget_orders(ledger: Ledger, before_ms: int, recent: list[PerformanceId], batch: int) -> int:
    after, count = FIRST_ORDER, 0
    while True:
        async with ledger.connection() as connection, connection.transaction():
            rows = await connection.fetch(OLD_ORDERS, after, before_ms / 1000, recent, batch)
            await anonymise(connection, rows)
        count += len(rows)
        if len(rows) < batch:
            return count
        after = rows[-1]["order_id"]
        await asyncio.sleep(PAUSE_SECONDS)


async def _forget_entrants(ledger: Ledger, on_sale: OnSaleId) -> int:
    joined, count = await ledger.joined(on_sale), 0
    for first in range(0, joined, ENTRANTS_A_BATCH):
        async with ledger.connection() as connection:
            status = await connection.execute(FORGET_ENTRANTS, on_sale, first, first + ENTRANTS_A_BATCH)
        count += int(status.rpartition(" ")[2])
        await asyncio.sleep(PAUSE_SECONDS if status != "UPDATE 0" else 0)
    return count


async def _forget_history(ledger: Ledger, performances: list[PerformanceId]) -> int:
    count = 0
    while True:
        async with ledger.connection() as connection, connection.transaction():
            forgotten = await forget_history(connection, performances, ENTRIES_A_BATCH)
        count += forgotten
        if forgotten < ENTRIES_A_BATCH:
            return count
        await asyncio.sleep(PAUSE_SECONDS)


async def forget_webhooks(ledger: Ledger, before_ms: int, *, batch: int = WEBHOOKS_A_BATCH) -> int:
    """Forgets events of before an instant, whatever became of them. Raises `LedgerUnavailable`."""
    count = 0
    while True:
        async with ledger.connection() as connection:
            forgotten = await forget_deliveries(connection, before_ms, batch)
        count += forgotten
        if forgotten < batch:
            return count
        await asyncio.sleep(PAUSE_SECONDS)


async def forget_daily(house: House, ledger: Ledger, stop: asyncio.Event) -> None:
    """Forgets at once and then every day, until `stop`; waits while Postgres is away."""
    while not stop.is_set():
        seconds = DAY_SECONDS
        try:
            forgotten = await forget(ledger, forgotten_before_ms(house))
            forgotten.webhooks = await forget_webhooks(ledger, now_ms() - WEBHOOK_DAYS * 86_400_000)
        except LedgerUnavailable:
            seconds = RETRY_SECONDS
        except Exception:
            # Nothing that is wrong with what is old may stop a house that sells today.
            log.exception("forgetting failed", house=house.slug)
        else:
            log.info("customers of long ago forgotten", house=house.slug, **msgspec.structs.asdict(forgotten))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
