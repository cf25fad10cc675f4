"""Returned orders in the ledger: whether an order can be returned, and the record of those that were."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
import msgspec

from engine.entries import Action, Order, decode_order, items_of, without_customer
from engine.words import OrderId, PerformanceId, SeatId

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

# One statement, so that all of it is of one moment.
FIND: Final = (
    "SELECT o.state, o.payload, o.email, cursor.entry, epoch.number, "
    "ARRAY(SELECT item FROM order_items i WHERE i.order_id = $1 AND i.live ORDER BY item) "
    "FROM cursor, epoch LEFT JOIN orders o ON o.order_id = $1"
)
RETURNED_BY: Final = (
    "SELECT EXISTS (SELECT FROM actions WHERE what = 'return' AND subject = $1 AND detail->>'operation' = $2)"
)
RETURNED_SEATS: Final = (
    "SELECT DISTINCT seat FROM order_items i JOIN orders o USING (order_id) WHERE i.performance = $1 AND "
    "o.state IN ('recorded', 'refunded') AND NOT i.live AND seat IS NOT NULL AND NOT EXISTS "
    "(SELECT FROM order_items l WHERE l.performance = i.performance AND l.seat = i.seat AND l.live)"
)
RETURN: Final = (
    "UPDATE order_items i SET live = false FROM orders o WHERE i.order_id = $1 AND o.order_id = $1 AND i.live "
    "AND o.state = 'recorded' AND ($2::int[] IS NULL OR i.item = ANY ($2)) RETURNING i.price + i.fee"
)
REFUNDED: Final = (
    "UPDATE orders SET state = 'refunded' WHERE order_id = $1 "
    "AND NOT EXISTS (SELECT FROM order_items WHERE order_id = $1 AND live)"
)
# Two orders on one payment were an alarm, and its money goes back for one of them only.
REQUEST_REFUND: Final = (
    "INSERT INTO refund_requests (order_id, amount, currency, provider, reference, why) "
    "SELECT o.order_id, $2, o.currency, o.provider, o.reference, $3 FROM orders o WHERE o.order_id = $1 AND "
    "(o.reference = '' OR NOT EXISTS (SELECT FROM refund_requests r WHERE r.provider = o.provider "
    "AND r.reference = o.reference AND r.order_id <> o.order_id))"
)


class Standing(msgspec.Struct, frozen=True):
    """How an order stands in the ledger: `state` empty for one that is not there; `order` without its customer,
    whose address is `email`.

    `recorded_ms`: how far the outbox was recorded when this was read, in its own time; `epoch`: of the ledger.
    """

    state: str
    order: Order | None
    recorded_ms: int
    epoch: int
    email: str = ""
    live: tuple[int, ...] = ()
    """Which of its items still stand, counting from 0."""


async def read_standing(ledger: "Ledger", order: OrderId) -> Standing:
    """How an order stands now. Raises `LedgerUnavailable`."""
    try:
        order_id = UUID(order)
    except ValueError:
        return Standing(state="", order=None, recorded_ms=0, epoch=0)
    async with ledger.connection() as connection:
        state, payload, email, cursor, epoch, live = await connection.fetchrow(FIND, order_id)
    known = decode_order(without_customer(decode_order(payload))) if payload else None
    return Standing(state or "", known, int(cursor.partition("-")[0]), epoch, email or "", tuple(live))


async def was_returned_by(ledger: "Ledger", order: OrderId, operation: str) -> bool:
    """Whether it was this operation that returned the order. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return bool(await connection.fetchval(RETURNED_BY, order, operation))


async def returned_seats(ledger: "Ledger", performance: PerformanceId) -> list[SeatId]:
    """The seats of a performance that were given back and not sold since. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return [SeatId(row[0]) for row in await connection.fetch(RETURNED_SEATS, performance)]


async def record_returns(connection: Any, returns: Sequence[Action]) -> None:
    """What was returned of orders: its items no longer live, one refund request each time; refunded when none is left.

    Raises `asyncpg.DataError` where one of them cannot be returned: nobody gave its seats back in good order, and
    that is for a person to look at.
    """
    for action in returns:
        order, items = UUID(action.subject), items_of(action)
        returned = await connection.fetch(RETURN, order, items)
        if not returned or len(returned) < len(items or ()):
            raise asyncpg.DataError(f"not an order that can be returned, or returned twice: {action.subject}")
        await connection.execute(REFUNDED, order)
        await connection.execute(REQUEST_REFUND, order, sum(row[0] for row in returned), action.why)
