"""Forgetting: customers of long ago are taken out of their orders, every day, a few hundred at a time.

What is kept of an order is the house's account of it. Who bought is kept for as long as the house may need to reach
them: to refund, to move a performance, or to answer a card's chargeback. That is `retention_days` after the order and
after its last performance, whichever is later. As long after a performance the history of its seats goes too: who held
what is nobody's any more, but it was somebody's. Who had the one place of a person is known for a day after the last
performance has begun, and no longer: until then nobody gets a second one. So is what Redis counts of each visitor.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from redis.exceptions import RedisError

from engine.catalogue import OnSale, Performance
from engine.errors import LedgerUnavailable
from engine.instants import now_ms
from engine.keys import Keys
from engine.ledger.customers import anonymise, sealed_orders, unseal
from engine.ledger.deliveries import forget_deliveries
from engine.ledger.history import forget_history
from engine.ledger.ledger import Ledger
from engine.ledger.persons import forget_persons
from engine.network import House
from engine.words import OnSaleId, PerformanceId

if TYPE_CHECKING:
    from redis.asyncio import Redis

DAY_SECONDS: Final = 86_400.0
RETRY_SECONDS: Final = 60.0
ORDERS_A_BATCH: Final = 500
ENTRANTS_A_BATCH: Final = 10_000
ENTRIES_A_BATCH: Final = 10_000
WEBHOOKS_A_BATCH: Final = 5_000
WEBHOOK_DAYS: Final = 30
"""How long it can be seen what became of an event, and an event can be sent again."""
VISITORS_FIELDS: Final = (b"o", b"p", b"w")
"""Of a performance in Redis: what begins so is counted of one visitor, or of one customer."""
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


async def _documents(
    ledger: Ledger,
) -> tuple[dict[PerformanceId, Performance], dict[OnSaleId, tuple[PerformanceId, ...]]]:
    """Each performance, and which each on-sale sells."""
    async with ledger.connection() as connection:
        rows = await connection.fetch("SELECT kind, body FROM documents WHERE kind IN ('performance', 'on_sale')")
    shows = [msgspec.json.decode(row["body"], type=Performance) for row in rows if row["kind"] == "performance"]
    on_sales = [msgspec.json.decode(row["body"], type=OnSale) for row in rows if row["kind"] == "on_sale"]
    return {show.performance: show for show in shows}, {each.on_sale: each.performances for each in on_sales}


async def forget(ledger: Ledger, before_ms: int, *, batch: int = ORDERS_A_BATCH) -> Forgotten:
    """Takes customers out of what is older than an instant, and secret hashes out of draws. Harmless to repeat.

    Raises `LedgerUnavailable`; what was forgotten until then stays so.
    """
    shows, on_sales = await _documents(ledger)
    starts = {name: show.starts_at_ms for name, show in shows.items()}
    recent = [performance for performance, at_ms in starts.items() if at_ms >= before_ms]
    forgotten = Forgotten(orders=await _forget_orders(ledger, before_ms, recent, batch))
    async with ledger.connection() as connection, connection.transaction():
        old = [
            each
            for each in await sealed_orders(connection, for_update=True)
            if each.at_ms < before_ms and each.order.customer is not None
        ]
        await unseal(connection, old, are_old=True)
        forgotten.unrecorded = len(old)
    for on_sale in over(on_sales, starts, before_ms):
        forgotten.entrants += await _forget_entrants(ledger, on_sale)
    for on_sale in over(on_sales, starts, begun_before_ms(before_ms)):
        forgotten.persons += await forget_persons(ledger, on_sale)
    forgotten.history = await _forget_history(ledger, [name for name, at_ms in starts.items() if at_ms < before_ms])
    return forgotten


def over(
    on_sales: Mapping[OnSaleId, Sequence[PerformanceId]], starts: Mapping[PerformanceId, int], before_ms: int
) -> list[OnSaleId]:
    """The on-sales of which every performance began before an instant."""
    return [name for name, shows in on_sales.items() if all(starts.get(show, 0) < before_ms for show in shows)]


def begun_before_ms(before_ms: int) -> int:
    """What began before this instant is over: since a day, or before what is from long ago."""
    return max(before_ms, now_ms() - int(DAY_SECONDS * 1000))


async def forget_in_redis(redis: "Redis", keys: Keys, ledger: Ledger, before_ms: int) -> None:
    """Forgets in Redis who had a place or a pass of what is over, and how much of it each visitor had.

    Harmless to repeat. Raises `LedgerUnavailable`, and what the client raises while Redis is away.
    """
    shows, on_sales = await _documents(ledger)
    past_ms = begun_before_ms(before_ms)
    for on_sale in over(on_sales, {name: show.starts_at_ms for name, show in shows.items()}, past_ms):
        await redis.unlink(keys.persons(on_sale), keys.live(on_sale), keys.stays(on_sale))
    for name, show in shows.items():
        if show.starts_at_ms < past_ms:
            hall = keys.performance(name, show.plan_change)[0]
            found = [field async for field, _ in redis.hscan_iter(hall) if field[:1] in VISITORS_FIELDS]
            for first in range(0, len(found), ENTRANTS_A_BATCH):
                await redis.hdel(hall, *found[first : first + ENTRANTS_A_BATCH])


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


async def forget_daily(house: House, ledger: Ledger, stop: asyncio.Event, redis: "Redis") -> None:
    """Forgets at once and then every day, until `stop`; waits while Postgres or Redis is away.

    `redis`: the house's, with its owner's rights.
    """
    while not stop.is_set():
        seconds = DAY_SECONDS
        try:
            forgotten = await forget(ledger, forgotten_before_ms(house))
            await forget_in_redis(redis, Keys(house.slug), ledger, forgotten_before_ms(house))
            forgotten.webhooks = await forget_webhooks(ledger, now_ms() - WEBHOOK_DAYS * 86_400_000)
        except (LedgerUnavailable, RedisError, OSError):
            seconds = RETRY_SECONDS
        except Exception:
            # Nothing that is wrong with what is old may stop a house that sells today.
            log.exception("forgetting failed", house=house.slug)
        else:
            log.info("customers of long ago forgotten", house=house.slug, **msgspec.structs.asdict(forgotten))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
