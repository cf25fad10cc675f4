"""What of codes is used up, and what customers have bought, by the orders that stand."""

from collections import Counter
from typing import Final

from engine.ledger.ledger import Ledger
from engine.signing import Signer
from engine.words import PerformanceId

CODES: Final = "SELECT code, count(*) FROM order_items WHERE live AND code <> '' GROUP BY code ORDER BY code"
CUSTOMERS: Final = (
    "SELECT o.email, count(*) FROM order_items i JOIN orders o USING (order_id) WHERE i.performance = $1 AND i.live "
    "AND o.email <> '' AND left(o.owner, 4) <> 'key:' GROUP BY o.email"
)
OWNERS: Final = (
    "SELECT o.owner, count(*) FROM order_items i JOIN orders o USING (order_id) WHERE i.performance = $1 AND i.live "
    "GROUP BY o.owner"
)


async def used_codes(ledger: Ledger) -> Counter[str]:
    """For how many seats each code is used, by its id. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return Counter({row[0]: row[1] for row in await connection.fetch(CODES)})


async def bought_by_mark(ledger: Ledger, signer: Signer, performance: PerformanceId) -> Counter[str]:
    """How many seats of a performance visitors have bought, by what stands for each. Raises `LedgerUnavailable`."""
    bought: Counter[str] = Counter()
    async with ledger.connection() as connection:
        for email, count in await connection.fetch(CUSTOMERS, performance):
            bought[signer.customer_mark(email).hex()] += count
    return bought


async def had_by_owner(ledger: Ledger, performance: PerformanceId) -> dict[str, int]:
    """How many seats and places of a performance each visitor has bought, by pseudonym. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return {row[0]: row[1] for row in await connection.fetch(OWNERS, performance)}
