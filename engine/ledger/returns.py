"""Returned orders in the ledger: whether an order can be returned, and the record of those that were."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
import msgspec

from engine.entries import Action, Customer, Order, credit_of, decode_order, items_of, without_customer
from engine.words import OrderId, PerformanceId, SeatId

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

# One statement, so that all of it is of one moment.
FIND: Final = (
    "SELECT o.state, o.payload, o.email, o.name, o.language, o.phone, cursor.entry, epoch.number, "
    "ARRAY(SELECT item FROM order_items i WHERE i.order_id = $1 AND i.live ORDER BY item) "
    "FROM cursor, epoch LEFT JOIN orders o ON o.order_id = $1"
)
RETURNED_BY: Final = (
    "SELECT detail FROM actions WHERE what IN ('return', 'exchange') AND subject = $1 AND detail->>'operation' = $2"
)
RETURNED_SEATS: Final = (
    "SELECT DISTINCT seat FROM order_items i JOIN orders o USING (order_id) WHERE i.performance = $1 AND "
    "o.state <> 'conflicted' AND NOT i.live AND seat IS NOT NULL AND NOT EXISTS "
    "(SELECT FROM order_items l WHERE l.performance = i.performance AND l.seat = i.seat AND l.live)"
)
RETURN: Final = (
    "UPDATE order_items i SET live = false FROM orders o WHERE i.order_id = $1 AND o.order_id = $1 AND i.live "
    "AND o.state = 'recorded' AND ($2::int[] IS NULL OR i.item = ANY ($2)) RETURNING i.price + i.fee"
)
GIVEN_BACK: Final = (
    "UPDATE orders SET state = $2 WHERE order_id = $1 "
    "AND NOT EXISTS (SELECT FROM order_items WHERE order_id = $1 AND live)"
)
# What of an order's own payment has not been asked back yet; two orders on one payment share it.
PAID: Final = (
    "SELECT provider, reference, currency, instead_of, total - credit - coalesce((SELECT sum(amount) "
    "FROM refund_requests r WHERE r.provider = o.provider AND r.reference = o.reference "
    "AND (o.reference <> '' OR r.order_id = o.order_id)), 0)::bigint FROM orders o WHERE order_id = $1"
)
REQUEST_REFUND: Final = (
    "INSERT INTO refund_requests (order_id, amount, currency, provider, reference, why) VALUES ($1, $2, $3, $4, $5, $6)"
)


class Standing(msgspec.Struct, frozen=True):
    """How an order stands in the ledger: `state` empty for one that is not there; `order` without its customer.

    `recorded_ms`: how far the outbox was recorded when this was read, in its own time; `epoch`: of the ledger.
    """

    state: str
    order: Order | None
    recorded_ms: int
    epoch: int
    customer: Customer | None = None
    live: tuple[int, ...] = ()
    """Which of its items still stand, counting from 0."""


async def read_standing(ledger: "Ledger", order: OrderId) -> Standing:
    """How an order stands now. Raises `LedgerUnavailable`."""
    try:
        order_id = UUID(order)
    except ValueError:
        return Standing(state="", order=None, recorded_ms=0, epoch=0)
    async with ledger.connection() as connection:
        state, payload, email, name, language, phone, cursor, epoch, live = await connection.fetchrow(FIND, order_id)
    known = decode_order(without_customer(decode_order(payload))) if payload else None
    customer = Customer(email, name, language, phone) if email else None
    return Standing(state or "", known, int(cursor.partition("-")[0]), epoch, customer, tuple(live))


async def returned_by(ledger: "Ledger", order: OrderId, operation: str) -> dict[str, str | int] | None:
    """The detail of the return or the exchange of an order, where it was this operation. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        found = await connection.fetchval(RETURNED_BY, order, operation)
    return msgspec.json.decode(found, type=dict[str, str | int]) if found else None


async def returned_seats(ledger: "Ledger", performance: PerformanceId) -> list[SeatId]:
    """The seats of a performance that were given back and not sold since. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return [SeatId(row[0]) for row in await connection.fetch(RETURNED_SEATS, performance)]


async def record_returns(connection: Any, returns: Sequence[Action]) -> None:
    """What was returned of orders, or exchanged: its items no longer live, and money asked back each time, but for what
    pays for another order; refunded, or exchanged, when none is left.

    Raises `asyncpg.DataError` where one of them cannot be returned: nobody gave its seats back in good order, and
    that is for a person to look at.
    """
    for action in returns:
        order, items = UUID(action.subject), items_of(action)
        returned = await connection.fetch(RETURN, order, items)
        if not returned or len(returned) < len(items or ()):
            raise asyncpg.DataError(f"not an order that can be returned, or returned twice: {action.subject}")
        await connection.execute(GIVEN_BACK, order, "exchanged" if action.what == "exchange" else "refunded")
        await pay_back(connection, order, sum(row[0] for row in returned) - credit_of(action), action.why)


async def pay_back(connection: Any, order: UUID, amount: int, why: str) -> None:
    """Asks for an order's money to go where it came from: by its own payment, and what an order before it has paid, for
    which it was exchanged, by the payment of that one.
    """
    payer: UUID | None = order
    while amount > 0 and payer is not None:
        provider, reference, currency, payer, left = await connection.fetchrow(PAID, payer)
        part = min(amount, left)
        if part > 0:
            await connection.execute(REQUEST_REFUND, order, part, currency, provider, reference, why)
            amount -= part
