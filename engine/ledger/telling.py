"""What a house's endpoints are to be told, written down in the same transaction as what it tells of."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import structlog

from engine.entries import Action
from engine.instants import now_ms
from engine.ledger.batch import REFUSED_BY_POSTGRES, Arrived, Batch
from engine.ledger.order_records import columns
from engine.webhooks import VERBS, Event, of_exchange, of_opening, of_order, of_partial_return, of_verb

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

WANTED: Final = "SELECT DISTINCT unnest(types) FROM webhooks WHERE disabled_at IS NULL"
TELL: Final = (
    "INSERT INTO webhook_deliveries (webhook, event, type, subject, body, made_at, due_at) "
    "SELECT w.webhook, e.event, e.type, e.subject, e.body, $6, $6 "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS e(event, type, subject, body, at) "
    "JOIN webhooks w ON w.disabled_at IS NULL AND (e.type = ANY (w.types) OR w.webhook = $5) "
    "WHERE $5 = '' OR w.webhook = $5 ORDER BY e.at ON CONFLICT (webhook, event) DO NOTHING"
)
RECORDED: Final = "SELECT order_id::text FROM orders WHERE order_id = ANY ($1::uuid[]) AND state <> 'conflicted'"
OPENED: Final = "UPDATE standings SET opened_at = $2 WHERE on_sale = $1 AND opened_at IS NULL RETURNING on_sale"
log = structlog.get_logger()


def instant(at_ms: int) -> datetime:
    """As Postgres takes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


async def tell(connection: Any, events: Sequence[Event], webhook: str = "") -> None:
    """Writes events down for every endpoint that wants them, or for one that may not; each once.

    A repeat of an event that is known is none.
    """
    rows = columns([(each.event, each.type, each.subject, each.body) for each in events], 4)
    await connection.execute(TELL, *rows, webhook, instant(now_ms()))


async def tell_of_batch(connection: Any, batch: Batch) -> None:
    """Tells of what a batch has recorded, in its own transaction. What cannot be told is no reason not to record.

    Confirmed comes before recorded, though both are learned here: the writer is the first to read the outbox.
    """
    wanted = {row[0] for row in await connection.fetch(WANTED)}
    events = [each for each in await _events(connection, batch) if each.type in wanted] if wanted else []
    if not events:
        return
    try:
        async with connection.transaction():
            await tell(connection, events)
    except REFUSED_BY_POSTGRES as error:
        log.error("events cannot be told", count=len(events), why=type(error).__name__)  # noqa: TRY400 - foreseen


async def _events(connection: Any, batch: Batch) -> list[Event]:
    """Every event of a batch, in the order of what happened, as far as that can be told from it."""
    sold = [each for each in batch.changes if isinstance(each, Arrived) and each.state == "recorded"]
    ids = [each.order.order for each in sold]
    recorded = {row[0] for row in await connection.fetch(RECORDED, ids)} if ids else set()
    now, events = now_ms(), []
    for each in sold:
        order, sale = each.order.order, each.order.on_sale
        events.append(of_order("order.confirmed", order, sale, _at_ms(each.entry)))
        if order in recorded:
            events.append(of_order("order.recorded", order, sale, now))
    returned = [action for _, action in batch.actions if action.what in {"return", "exchange"}]
    sales = await _sales_of(connection, returned) if returned else {}
    for entry, action in batch.actions:
        on_sale, is_refunded = sales.get(action.subject, ("", False))
        if action.what == "exchange":
            events.append(of_exchange(action.subject, on_sale, str(action.detail["order"]), entry, _at_ms(entry)))
        if action.what == "return" and action.detail.get("items"):
            events.append(of_partial_return(action.subject, on_sale, entry, _at_ms(entry)))
        if action.what == "return" and is_refunded:
            events.append(of_order("order.refunded", action.subject, on_sale, _at_ms(entry)))
        elif action.what in VERBS:
            events.append(of_verb(action.what, action.subject, entry, _at_ms(entry)))
    return events


async def _sales_of(connection: Any, returned: Sequence[Action]) -> dict[str, tuple[str, bool]]:
    """Of orders that were returned, or some of them: their on-sale, and whether nothing of them is left."""
    query = "SELECT order_id::text, on_sale, state = 'refunded' FROM orders WHERE order_id = ANY ($1::uuid[])"
    rows = await connection.fetch(query, [action.subject for action in returned])
    return {order: (on_sale, is_refunded) for order, on_sale, is_refunded in rows}


def _at_ms(entry: str) -> int:
    """When the function wrote it, by the clock of Redis."""
    return int(entry.partition("-")[0])


async def known_openings(ledger: "Ledger") -> set[str]:
    """The on-sales of which it was told that they opened. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return {row[0] for row in await connection.fetch("SELECT on_sale FROM standings WHERE opened_at IS NOT NULL")}


async def note_opening(ledger: "Ledger", on_sale: str, opened_at_ms: int) -> bool:
    """Notes that an on-sale has opened, and tells it, once. Answers False while the ledger does not know the on-sale.

    Raises `LedgerUnavailable`.
    """
    async with ledger.connection() as connection, connection.transaction():
        if await connection.fetchval(OPENED, on_sale, instant(opened_at_ms)) is not None:
            await tell(connection, [of_opening(on_sale, opened_at_ms)])
            return True
        return bool(await connection.fetchval("SELECT true FROM standings WHERE on_sale = $1", on_sale))
