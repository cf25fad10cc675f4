"""What payments have bought, put back into a Redis that lost it: each buys one order, before a loss as after it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from engine.cell import Cell
from engine.entries import Payment
from engine.keys import Keys
from engine.ledger.ledger import Ledger
from engine.ledger.payments import bought_lately, given_up_lately
from engine.ledger.returns import Standing, read_standing
from engine.orders import Found, find_order, find_paid
from engine.settlement import FORGONE_SECONDS
from engine.signing import Hold
from engine.words import OrderId

if TYPE_CHECKING:
    from redis.asyncio import Redis

LATELY_SECONDS: Final = 86_400
"""Older ones are not put back, so that no house stays closed for long."""
BOUGHT_SECONDS: Final = 30 * 86_400
"""How long it is remembered what a payment has bought, as `lua/include/write_order.lua` does."""
AT_ONCE: Final = 5_000
"""In a transaction: it goes to disk in one write."""
AWAITING: Final = b"awaiting_payment"
"""How an order that waits for its payment begins, packed."""


async def restore_payments(redis: "Redis", keys: Keys, ledger: Ledger) -> None:
    """Which payments have bought an order lately, and which have been given up. One that waits for its payment still in
    an older Redis is forgotten there: else it would be sold a second time.

    Raises `LedgerUnavailable`, `RedisError`.
    """
    given_up = await given_up_lately(ledger, FORGONE_SECONDS)
    bought = await bought_lately(ledger, LATELY_SECONDS)
    for first in range(0, len(given_up), AT_ONCE):
        async with redis.pipeline(transaction=True) as pipeline:
            for provider, reference in given_up[first : first + AT_ONCE]:
                pipeline.set(keys.payment(provider, reference), "", ex=FORGONE_SECONDS)
            await pipeline.execute()
    for first in range(0, len(bought), AT_ONCE):
        some = bought[first : first + AT_ONCE]
        names = [keys.order(order) for order, _, _ in some]
        known: list[Any] = await redis.mget(names)
        async with redis.pipeline(transaction=True) as pipeline:
            for name, stored, (_, provider, reference) in zip(names, known, some, strict=True):
                if stored and AWAITING in stored[: 2 * len(AWAITING)]:
                    pipeline.delete(name)
                pipeline.set(keys.payment(provider, reference), name, ex=BOUGHT_SECONDS)
            await pipeline.execute()


async def bought_before(
    cell: Cell, ledger: Ledger, holds: Sequence[Hold], payment: Payment
) -> tuple[OrderId, str] | None:
    """Order and state of what a payment bought with just these holds before a loss: whoever lost the answer asks again,
    and Redis has forgotten their Idempotency-Key. None where it bought anything else.

    Raises `CellUnavailable`'s kind, `LedgerUnavailable`.
    """
    order = await find_paid(cell, payment.provider, payment.reference)
    if not order:
        return None
    found: Found | Standing | None = await find_order(cell, order)
    if found is None:
        found = await read_standing(ledger, order)
    elif UUID(order).int >> 80 >= cell.whole.lost_at_ms:
        return None  # it is of this time, and so is whoever asks
    first, state = found.order, found.state
    items = tuple(item for held in holds for item in held.items)
    if first is None or state == "conflicted" or (first.owner, first.items) != (holds[0].owner, items):
        return None
    return order, state
