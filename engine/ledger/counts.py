"""How much there is of what in a house's ledger: numbers only, of nobody in particular."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.ledger.attention import REFUNDS, WORDS

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

ORDERS: Final = (
    "SELECT state, count(*) FROM orders GROUP BY state "
    "UNION ALL SELECT 'awaiting_payment', count(*) FROM awaited_orders"
)
STATES: Final = ("recorded", "refunded", "conflicted", "exchanged")
ALARMS: Final = "SELECT kind, count(*) FROM alarms WHERE seen_at IS NULL GROUP BY kind"
DEAD_LETTERS: Final = "SELECT count(*) FROM dead_letters WHERE requeued_at IS NULL"
REFUNDS_DUE: Final = f"SELECT count(*) FROM ({REFUNDS}) AS r WHERE refunded_at IS NULL"  # noqa: S608
WEBHOOKS: Final = "SELECT outcome, count FROM webhook_outcomes"
OUTCOMES: Final = ("delivered", "failed", "given_up")
UNDELIVERED: Final = (
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(d.made_at)), 0)::float8 FROM webhook_deliveries d "
    "JOIN webhooks w USING (webhook) WHERE d.state = 'waiting' AND w.disabled_at IS NULL"
)


class Counts(msgspec.Struct, frozen=True):
    """Orders by state, unseen alarms by kind, entries that could not be recorded, money that has to go back.

    Of webhooks: attempts by outcome since ever, how much waits, and for how long the oldest of it has.
    """

    orders: dict[str, int] = {}
    alarms: dict[str, int] = {}
    dead_letters: int = 0
    refunds_due: int = 0
    webhooks: dict[str, int] = {}
    webhooks_waiting: int = 0
    oldest_webhook_s: float = 0.0


async def count(ledger: "Ledger") -> Counts:
    """Counts it all. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        orders: list[Any] = await connection.fetch(ORDERS)
        alarms: list[Any] = await connection.fetch(ALARMS)
        webhooks: list[Any] = await connection.fetch(WEBHOOKS)
        waiting, oldest = await connection.fetchrow(UNDELIVERED) or (0, 0.0)
        return Counts(
            # What there is none of is told as well: whoever watches sees that it is looked at.
            orders=dict.fromkeys(STATES, 0) | dict(map(tuple, orders)),
            alarms=dict.fromkeys(WORDS, 0) | dict(map(tuple, alarms)),
            dead_letters=await connection.fetchval(DEAD_LETTERS),
            refunds_due=await connection.fetchval(REFUNDS_DUE),
            webhooks=dict.fromkeys(OUTCOMES, 0) | dict(map(tuple, webhooks)),
            webhooks_waiting=waiting,
            oldest_webhook_s=max(0.0, oldest),
        )
