"""Orders as they come into the ledger: once each, a seat to one of them, the money of a lost one back once."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from engine.entries import credit_of
from engine.ledger.batch import Arrived
from engine.ledger.payments import end_waiting
from engine.ledger.returns import pay_back

KNOWN: Final = "SELECT order_id::text, payload, entry FROM orders WHERE order_id = ANY ($1::uuid[])"
# A subquery a row: the index is used, whatever the planner believes of tables that were empty a minute ago.
LIVE: Final = (
    "SELECT w.performance, w.seat FROM unnest($1::text[], $2::text[]) AS w(performance, seat) CROSS JOIN LATERAL "
    "(SELECT FROM order_items i WHERE i.performance = w.performance AND i.seat = w.seat AND i.live LIMIT 1) AS i"
)
PAID: Final = (
    "SELECT w.provider, w.reference, o.order_id::text FROM unnest($1::text[], $2::text[]) AS w(provider, reference) "
    "CROSS JOIN LATERAL (SELECT order_id FROM orders o WHERE o.provider = w.provider AND o.reference = w.reference "
    "ORDER BY o.state = 'conflicted' LIMIT 1) AS o"
)
GONE: Final = "the seats were no longer this order's"
ORDER_COLUMNS: Final = (
    *("order_id", "on_sale", "owner", "state", "total", "currency", "channel"),
    *("email", "name", "phone", "language", "provider", "reference", "payload", "entry", "instead_of", "credit"),
)
ITEM_COLUMNS: Final = (
    *("order_id", "item", "performance", "seat", "area", "category"),
    *("price_type", "price", "fee", "live", "vat_rate", "vat", "code", "allotment"),
)


async def alarm(connection: Any, kind: str, detail: dict[str, Any]) -> None:
    """Writes an alarm that a person has to look at."""
    await connection.execute(
        "INSERT INTO alarms (kind, detail) VALUES ($1, $2::jsonb)", kind, msgspec.json.encode(detail).decode()
    )


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as the columns that `unnest` takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


async def record_orders(connection: Any, orders: Sequence[Arrived]) -> None:
    """Orders with their items; looked at one by one where there is a repeat, a live seat or a used payment."""
    payments = [arrived.paid_with for arrived in orders if arrived.paid_with[1]]
    if len(set(payments)) == len(payments) and not await connection.fetch(PAID, *columns(payments, 2)):
        try:
            async with connection.transaction():
                await _insert(connection, orders)
        except asyncpg.UniqueViolationError:
            pass  # Postgres keeps what it had before: an order's id, or a live seat
        else:
            return
    await _record_what_is_new(connection, orders)


async def _insert(connection: Any, orders: Sequence[Arrived]) -> None:
    await copy(connection, "orders", ORDER_COLUMNS, [_order_row(arrived) for arrived in orders])
    await copy(connection, "order_items", ITEM_COLUMNS, [row for arrived in orders for row in _item_rows(arrived)])
    for arrived in orders:
        if arrived.state == "conflicted":
            await _request_refund(connection, arrived)


async def _record_what_is_new(connection: Any, orders: Sequence[Arrived]) -> None:
    """Only what is new counts: a repeat of an order is harmless, and an alarm with another payload. A seat that is
    live in another order makes its order conflicted.
    """
    ids = [arrived.order.order for arrived in orders]
    known = {row["order_id"]: (bytes(row["payload"]), row["entry"]) for row in await connection.fetch(KNOWN, ids)}
    fresh: list[Arrived] = []
    for arrived in orders:
        order = arrived.order.order
        payload, first = known.setdefault(order, (arrived.payload, arrived.entry))
        if first == arrived.entry:
            fresh.append(arrived)
        elif payload != arrived.payload:
            await alarm(connection, "other-payload", {"order": order, "entry": arrived.entry, "first": first})
    if fresh:
        await _insert(connection, await _judge(connection, fresh))


async def copy(connection: Any, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows as they are, twice as fast as by INSERT. Raises `asyncpg.DataError` for a value of another type."""
    try:
        await connection.copy_records_to_table(table, records=rows, columns=columns)
    except (TypeError, ValueError, OverflowError) as error:
        raise asyncpg.DataError(f"{table}: {error}") from error


async def _judge(connection: Any, orders: Sequence[Arrived]) -> list[Arrived]:
    """New orders with the state that they get, one after the other; alarms for what a person has to look at."""
    wanted = list({seat for arrived in orders for seat in arrived.seats})
    payments = list({arrived.paid_with for arrived in orders if arrived.paid_with[1]})
    taken = {tuple(row) for row in await connection.fetch(LIVE, *columns(wanted, 2))}
    paid = {(row[0], row[1]): row[2] for row in await connection.fetch(PAID, *columns(payments, 2))}
    judged = []
    for arrived in orders:
        order = arrived.order.order
        lost = arrived.seats & taken if arrived.state == "recorded" else frozenset()
        if lost:
            await alarm(connection, "live-seat", {"order": order, "seats": sorted(seat for _, seat in lost)})
        bought = paid.get(arrived.paid_with)
        if bought:
            await alarm(connection, "payment-used", {"order": order, "first": bought})
        if arrived.state == "recorded" and not lost:
            taken |= arrived.seats
        if arrived.paid_with[1]:
            paid.setdefault(arrived.paid_with, order)
        judged.append(msgspec.structs.replace(arrived, state="conflicted") if lost else arrived)
    return judged


async def end_waiting_for(connection: Any, orders: Sequence[Arrived]) -> None:
    """Neither these orders nor their payments wait any more; for money that was going back, somebody has to look."""
    payments = [arrived.paid_with for arrived in orders if arrived.paid_with[1]]
    for reference in await end_waiting(connection, [arrived.order.order for arrived in orders], payments):
        await alarm(connection, "payment-given-back", {"reference": reference})


def _order_row(arrived: Arrived) -> tuple[Any, ...]:
    order, customer = arrived.order, arrived.customer
    return (
        *(order.order, order.on_sale, order.owner, arrived.state, order.total, order.currency, order.channel),
        *((customer.email, customer.name, customer.phone, customer.language) if customer else ("", "", "", "")),
        *(*arrived.paid_with, arrived.payload, arrived.entry),
        *((order.exchange.subject, credit_of(order.exchange)) if order.exchange else (None, 0)),
    )


def _item_rows(arrived: Arrived) -> list[tuple[Any, ...]]:
    order, is_live = arrived.order, arrived.state == "recorded"
    return [
        (
            *(order.order, number, item.performance, item.seat, item.area, item.category),
            *(item.price_type, item.price, item.fee, is_live, item.vat_rate, item.vat, item.code, item.allotment),
        )
        for number, item in enumerate(order.items)
    ]


async def _request_refund(connection: Any, arrived: Arrived) -> None:
    """Money goes back once, and not where the same payment bought another order."""
    order, (provider, reference) = arrived.order, arrived.paid_with
    if order.exchange:
        await pay_back(connection, UUID(order.order), order.total, GONE)
        return
    await connection.execute(
        "INSERT INTO refund_requests (order_id, amount, currency, provider, reference, why) "
        "SELECT $1, $2, $3, $4, $5, $6 WHERE $5 = '' OR NOT EXISTS "
        "(SELECT FROM orders WHERE provider = $4 AND reference = $5 AND state <> 'conflicted') AND NOT EXISTS "
        "(SELECT FROM refund_requests WHERE provider = $4 AND reference = $5)",
        *(order.order, order.total, order.currency, provider, reference),
        GONE,
    )
