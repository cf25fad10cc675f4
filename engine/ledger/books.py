"""The ledger's books, read at one moment: what the audit compares with Redis."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.ledger.ledger import Ledger
from engine.words import OnSaleId, OrderId, PerformanceId

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

SALES: Final = (
    "SELECT on_sale, count(*) FILTER (WHERE NOT is_back), coalesce(sum(total - back), 0)::bigint, "
    "count(*) FILTER (WHERE is_back), coalesce(sum(back), 0)::bigint FROM "
    "(SELECT on_sale, total, state IN ('refunded', 'exchanged') AS is_back, coalesce(returned, 0) AS back "
    "FROM orders LEFT JOIN returned_of_orders USING (order_id) WHERE state <> 'conflicted' OR order_id::text "
    "IN (SELECT detail->>'order' FROM alarms WHERE kind = 'live-seat')) AS o GROUP BY on_sale"
)
SOLD: Final = (
    "SELECT performance, coalesce(seat, area), area IS NOT NULL, count(*) FILTER (WHERE live), "
    "count(*) FILTER (WHERE NOT live) FROM order_items JOIN orders USING (order_id) "
    "WHERE live OR state <> 'conflicted' GROUP BY performance, seat, area ORDER BY 1, 2"
)
UNBALANCED: Final = (
    "SELECT order_id::text, total, coalesce(sum(price + fee), 0)::bigint FROM orders LEFT JOIN order_items "
    "USING (order_id) GROUP BY order_id HAVING total <> coalesce(sum(price + fee), 0) ORDER BY order_id"
)
TOTALS: Final = (
    "SELECT count(*) FILTER (WHERE state = 'recorded') AS orders, "
    "count(*) FILTER (WHERE state = 'conflicted') AS conflicted, "
    "count(*) FILTER (WHERE state = 'refunded') AS refunded, "
    "coalesce(sum(total - coalesce(returned, 0)) FILTER (WHERE state = 'recorded'), 0)::bigint AS money "
    "FROM orders LEFT JOIN returned_of_orders USING (order_id)"
)
CODES: Final = (
    "SELECT code, performance, price_type, count(*) FILTER (WHERE live), count(*) FILTER (WHERE NOT live) "
    "FROM order_items WHERE code <> '' GROUP BY code, performance, price_type ORDER BY 1, 2, 3"
)
# What left an order of which something was exchanged went back, or has paid for another.
UNACCOUNTED: Final = (
    "SELECT f.order_id::text, returned, credits + coalesce(refunds, 0) FROM returned_of_orders f "
    "JOIN (SELECT instead_of, sum(credit)::bigint AS credits FROM orders WHERE instead_of IS NOT NULL "
    "GROUP BY instead_of) AS n ON n.instead_of = f.order_id "
    "LEFT JOIN (SELECT order_id, sum(amount)::bigint AS refunds FROM refund_requests GROUP BY order_id) AS r "
    "ON r.order_id = f.order_id WHERE returned <> credits + coalesce(refunds, 0) ORDER BY 1"
)
DEAD_LETTERS: Final = "SELECT entry, why FROM dead_letters WHERE requeued_at IS NULL ORDER BY at, entry"


class Sales(msgspec.Struct, frozen=True):
    """Orders that Redis confirmed, and their money in minor units: what its own counters say when all is recorded.

    One whose seat turned out to be another order's is conflicted now, and was confirmed too. `returned`: orders
    that were given back since, with their money; `orders` and `money` are without them.
    """

    orders: int = 0
    money: int = 0
    returned: int = 0
    returned_money: int = 0


class Sold(msgspec.Struct, frozen=True):
    """A seat, or an area of standing places: how many live items it has, and how many were given back."""

    performance: PerformanceId
    name: str
    is_standing: bool
    count: int
    returned: int


class UsedCode(msgspec.Struct, frozen=True):
    """A code, by its id, at a price type: how many live items used it, and how many were given back."""

    code: str
    performance: PerformanceId
    price_type: str
    count: int
    returned: int


class Books(msgspec.Struct, frozen=True):
    """`orders` and `money`: of what is neither conflicted nor refunded. `unbalanced`: order, total, sum of its items.

    `unaccounted`: order, what left it, what of that went back or has paid for another. `dead_letters`: entry, why.
    """

    orders: int
    money: int
    conflicted: int
    refunded: int
    sales: dict[OnSaleId, Sales]
    sold: list[Sold]
    codes: list[UsedCode]
    unbalanced: list[tuple[OrderId, int, int]]
    unaccounted: list[tuple[OrderId, int, int]]
    dead_letters: list[tuple[str, str]]


async def _sales(connection: "PoolConnectionProxy[Any]") -> dict[OnSaleId, Sales]:
    return {row[0]: Sales(*row[1:]) for row in await connection.fetch(SALES)}


async def read_sales(ledger: Ledger) -> dict[OnSaleId, Sales]:
    """What each on-sale has sold. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return await _sales(connection)


async def read_books(ledger: Ledger) -> Books:
    """The books at one moment. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        totals = await connection.fetchrow(TOTALS)
        assert totals is not None  # noqa: S101 - an aggregate has a row
        return Books(
            orders=totals["orders"],
            money=totals["money"],
            conflicted=totals["conflicted"],
            refunded=totals["refunded"],
            sales=await _sales(connection),
            sold=[Sold(*row) for row in await connection.fetch(SOLD)],
            codes=[UsedCode(*row) for row in await connection.fetch(CODES)],
            unbalanced=[tuple(row) for row in await connection.fetch(UNBALANCED)],
            unaccounted=[tuple(row) for row in await connection.fetch(UNACCOUNTED)],
            dead_letters=[tuple(row) for row in await connection.fetch(DEAD_LETTERS)],
        )
