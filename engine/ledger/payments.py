"""Payments as the ledger knows them: orders that wait for one, and payments that wait for an order.

Redis forgets both after a day, or all at once when it is lost; money that comes later must find its order all the same.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from engine.entries import Order, decode_order
from engine.words import OrderId

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

AWAITED: Final = (
    "INSERT INTO awaited_orders (order_id, provider, reference, data, entry) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (order_id) DO NOTHING"
)
CLAIM: Final = (
    "DELETE FROM unclaimed_payments u USING unnest($1::text[], $2::text[]) AS w(provider, reference) "
    "WHERE u.provider = w.provider AND u.reference = w.reference RETURNING u.reference, u.refund_requested_at"
)
GIVEN_UP: Final = (
    "UPDATE unclaimed_payments SET refund_requested_at = now() "
    "WHERE provider = $1 AND reference = $2 AND refund_requested_at IS NULL RETURNING told_at"
)

BOUGHT: Final = (
    "SELECT order_id::text, provider, reference FROM orders WHERE reference <> '' "
    "AND recorded_at > now() - make_interval(secs => $1) ORDER BY state <> 'conflicted'"
)
GOING_BACK: Final = (
    "SELECT provider, reference FROM unclaimed_payments WHERE refund_requested_at > now() - make_interval(secs => $1)"
)


class Awaited(msgspec.Struct, frozen=True):
    """An order that waits for its payment, as it left Redis: its customer sealed."""

    entry: str
    order: Order
    data: bytes


def arrive_awaited(entry: str, data: bytes) -> Awaited:
    """An `await` entry, read. Raises `msgspec.MsgspecError`, and `ValueError` for one that nothing would pay."""
    order = decode_order(data)
    if order.payment is None:
        raise ValueError("an order that waits for a payment names none")
    UUID(order.order)
    return Awaited(entry, order, data)


async def record_awaited(connection: Any, awaited: Sequence[Awaited]) -> None:
    """Keeps orders that wait for their payments; one that comes again is kept once."""
    rows = [
        (UUID(each.order.order), each.order.payment.provider, each.order.payment.reference, each.data, each.entry)
        for each in awaited
        if each.order.payment
    ]
    await connection.executemany(AWAITED, rows)


async def end_waiting(connection: Any, orders: Sequence[OrderId], payments: Sequence[tuple[str, str]]) -> list[str]:
    """Orders that were recorded wait no more, nor do their payments, by provider and reference.

    Answers the references of payments whose money was being given back before their order came.
    """
    await connection.execute("DELETE FROM awaited_orders WHERE order_id = ANY ($1::uuid[])", list(orders))
    columns = [list(column) for column in zip(*payments, strict=True)] if payments else [[], []]
    claimed = await connection.fetch(CLAIM, *columns)
    return [row["reference"] for row in claimed if row["refund_requested_at"] is not None]


async def awaited_order(ledger: "Ledger", provider: str, reference: str) -> Order | None:
    """The order that waits for a payment. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        data = await connection.fetchval(
            "SELECT data FROM awaited_orders WHERE provider = $1 AND reference = $2 ORDER BY at LIMIT 1",
            *(provider, reference),
        )
    return decode_order(data) if data else None


async def state_of_payment(ledger: "Ledger", provider: str, reference: str) -> str | None:
    """The state of the order that a payment bought, a live one before one in conflict. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        state: str | None = await connection.fetchval(
            "SELECT state FROM orders WHERE provider = $1 AND reference = $2 ORDER BY state = 'conflicted' LIMIT 1",
            *(provider, reference),
        )
    return state


async def bought_lately(ledger: "Ledger", seconds: float) -> list[tuple[OrderId, str, str]]:
    """Order, provider and reference of what was recorded in so long; a live one behind one in conflict, where both are
    of one payment. Raises `LedgerUnavailable`.
    """
    async with ledger.connection() as connection:
        return [(OrderId(row[0]), row[1], row[2]) for row in await connection.fetch(BOUGHT, seconds)]


async def given_up_lately(ledger: "Ledger", seconds: float) -> list[tuple[str, str]]:
    """Provider and reference of payments that were given up in so long. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return [(row[0], row[1]) for row in await connection.fetch(GOING_BACK, seconds)]


async def note_unclaimed(ledger: "Ledger", provider: str, reference: str) -> None:
    """Keeps a payment that no order has named so far, once. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        await connection.execute(
            "INSERT INTO unclaimed_payments (provider, reference) VALUES ($1, $2) ON CONFLICT (provider, reference) "
            "DO NOTHING",
            *(provider, reference),
        )


async def paid_and_awaited(ledger: "Ledger") -> list[tuple[str, str]]:
    """Provider and reference of payments that were told of before the order that waits for them. As the others."""
    async with ledger.connection() as connection:
        rows = await connection.fetch(
            "SELECT provider, reference FROM unclaimed_payments u JOIN awaited_orders USING (provider, reference) "
            "WHERE u.refund_requested_at IS NULL LIMIT 100"
        )
    return [(row["provider"], row["reference"]) for row in rows]


async def unclaimed_payments(ledger: "Ledger", older_than_seconds: float) -> list[tuple[str, str]]:
    """Provider and reference of payments that no order has named for so long. Raises `LedgerUnavailable`.

    One whose order was recorded while somebody noted it has bought that order all the same.
    """
    async with ledger.connection() as connection:
        rows = await connection.fetch(
            "SELECT provider, reference FROM unclaimed_payments u WHERE refund_requested_at IS NULL "
            "AND told_at < now() - make_interval(secs => $1) AND NOT EXISTS (SELECT FROM orders o "
            "WHERE o.provider = u.provider AND o.reference = u.reference) ORDER BY told_at LIMIT 100",
            older_than_seconds,
        )
    return [(row["provider"], row["reference"]) for row in rows]


async def request_unclaimed_refund(ledger: "Ledger", provider: str, reference: str) -> bool:
    """Asks once for the money of an unclaimed payment to go back, with an alarm. Answers whether that was new."""
    async with ledger.connection() as connection, connection.transaction():
        told_at = await connection.fetchval(GIVEN_UP, provider, reference)
        if told_at is None:
            return False
        detail = {"provider": provider, "reference": reference, "told_at": told_at.isoformat()}
        await connection.execute(
            "INSERT INTO alarms (kind, detail) VALUES ('unclaimed-payment', $1::jsonb)",
            msgspec.json.encode(detail).decode(),
        )
    return True
