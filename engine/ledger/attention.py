"""What a person of the house has to look at: alarms, and money that has to go back."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.errors import Refused

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

WORDS: Final = {
    "dead-letter": "something could not be recorded; `parvis dead-letter` shows it",
    "draw-incomplete": "the ledger lacks somebody who was in a draw, and nobody can check it: put the missing rows of "
    "its table entrants back from a backup; indices without a row stand beside it (those that a loss leapt have none)",
    "draw-withheld": "a draw was made without what other houses had committed to contribute; why stands beside it",
    "index-given-twice": "one number of the queue was given to two visitors, after a loss of Redis",
    "ledger-lost": "the ledger came back from a backup; what Redis remembered was recorded again, and stands beside it",
    "live-seat": "a seat was sold twice: the second order is in conflict and its money goes back",
    "order-lost": "an order was confirmed and then lost with Redis; what became of it stands beside it",
    "other-payload": "one order came twice, with different contents; the first one counts",
    "payment-given-back": "an order came for a payment whose money is already going back",
    "payment-used": "one payment paid for two orders",
    "root-changed": "another house asked for our contribution to its draw with a second, different list; it got none",
    "redis-lost": "Redis came back without its last changes; what was lost is counted beside it",
    "unclaimed-payment": "somebody paid and no order ever named the payment; its money goes back",
    "webhook-disabled": "the house's own program takes nothing more of what it was told; why stands beside it",
}
"""What each kind of alarm says."""
ALARMS: Final = (
    "SELECT id, at, kind, detail, coalesce(seen_by, '') AS seen_by FROM alarms "
    "WHERE $1 OR seen_at IS NULL ORDER BY id DESC LIMIT $2"
)
REFUNDS: Final = """
    SELECT id AS refund, order_id::text AS "order", amount, currency, provider, reference, why, requested_at,
      refunded_at
    FROM refund_requests
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, provider, reference, 'no order ever named this payment', refund_requested_at,
      refunded_at
    FROM unclaimed_payments WHERE refund_requested_at IS NOT NULL
"""
SEEN: Final = "UPDATE alarms SET seen_at = now(), seen_by = $2 WHERE id = $1 AND seen_at IS NULL RETURNING kind"
PAID: Final = (
    "UPDATE refund_requests SET refunded_at = now() WHERE id = $1 AND refunded_at IS NULL "
    "RETURNING provider || ' ' || reference"
)
ACTION: Final = "INSERT INTO actions (who, what, subject, why) VALUES ($1, $2, $3, $4)"


class Alarm(msgspec.Struct, frozen=True):
    """An alarm. `at` is RFC 3339; `words` say what its kind means; `seen_by` is empty while nobody has seen it."""

    id: int
    at: str
    kind: str
    words: str
    detail: dict[str, Any]
    seen_by: str


class Refund(msgspec.Struct, frozen=True):
    """Money that goes back: of an order, or of a payment that no order named (then the provider knows how much).

    `refund`: its id, of an order that may have several. `amount` in minor units; instants are RFC 3339.
    """

    refund: int | None
    order: str | None
    amount: int | None
    currency: str | None
    provider: str
    reference: str
    why: str
    requested_at: str
    refunded_at: str | None


def _instant(value: Any) -> str:
    return str(value.isoformat(timespec="milliseconds")).replace("+00:00", "Z")


async def alarm_once(ledger: "Ledger", kind: str, about: dict[str, Any], more: dict[str, Any]) -> None:
    """Writes an alarm, unless there is one of the same kind about the same. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        await connection.execute(
            "INSERT INTO alarms (kind, detail) SELECT $1, $2::jsonb || $3::jsonb "
            "WHERE NOT EXISTS (SELECT FROM alarms WHERE kind = $1 AND detail @> $2::jsonb)",
            *(kind, *(msgspec.json.encode(each).decode() for each in (about, more))),
        )


async def alarms(ledger: "Ledger", limit: int, *, with_seen: bool = False) -> list[Alarm]:
    """The newest first. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        rows = await connection.fetch(ALARMS, with_seen, limit)
    return [
        Alarm(
            id=row["id"],
            at=_instant(row["at"]),
            kind=row["kind"],
            words=WORDS.get(row["kind"], row["kind"]),
            detail=msgspec.json.decode(row["detail"]),
            seen_by=row["seen_by"],
        )
        for row in rows
    ]


async def see(ledger: "Ledger", alarm: int, who: str, why: str) -> bool:
    """Notes who has seen an alarm; logged. Answers whether it was still unseen.

    Raises `Refused` (`not-found`), `LedgerUnavailable`.
    """
    async with ledger.connection() as connection, connection.transaction():
        kind = await connection.fetchval(SEEN, alarm, who)
        if kind is not None:
            await connection.execute(ACTION, who, "see alarm", f"{kind} {alarm}", why)
        elif not await connection.fetchval("SELECT true FROM alarms WHERE id = $1", alarm):
            raise Refused("not-found", "there is no such alarm here")
    return kind is not None


async def refunds(ledger: "Ledger", limit: int, *, with_done: bool = False) -> list[Refund]:
    """Money that has to go back, what has waited longest first. Raises `LedgerUnavailable`."""
    query = f"SELECT * FROM ({REFUNDS}) AS r WHERE $1 OR refunded_at IS NULL ORDER BY requested_at LIMIT $2"  # noqa: S608
    async with ledger.connection() as connection:
        rows = await connection.fetch(query, with_done, limit)
    return [
        Refund(
            **{name: row[name] for name in ("refund", "order", "amount", "currency")},
            **{name: row[name] for name in ("provider", "reference", "why")},
            requested_at=_instant(row["requested_at"]),
            refunded_at=_instant(row["refunded_at"]) if row["refunded_at"] else None,
        )
        for row in rows
    ]


async def mark_paid(ledger: "Ledger", refund: int, who: str, why: str) -> bool:
    """Notes that the money of one refund went back; logged. Answers whether it was still due.

    Raises `Refused` (`not-found`), `LedgerUnavailable`.
    """
    async with ledger.connection() as connection, connection.transaction():
        paid = await connection.fetchval(PAID, refund)
        if paid is not None:
            await connection.execute(ACTION, who, "refund paid", paid, why)
        elif not await connection.fetchval("SELECT true FROM refund_requests WHERE id = $1", refund):
            raise Refused("not-found", "there is no such refund here")
    return paid is not None


async def mark_refunded(ledger: "Ledger", provider: str, reference: str, who: str, why: str) -> bool:
    """Notes that all of a payment's money went back that was due; logged. Answers whether any was.

    Raises `LedgerUnavailable`.
    """
    count = 0
    async with ledger.connection() as connection, connection.transaction():
        for table, due in (("refund_requests", "true"), ("unclaimed_payments", "refund_requested_at IS NOT NULL")):
            done = await connection.execute(
                f"UPDATE {table} SET refunded_at = now() "  # noqa: S608 - our own two tables
                f"WHERE provider = $1 AND reference = $2 AND refunded_at IS NULL AND {due}",
                *(provider, reference),
            )
            count += int(done.rpartition(" ")[2])
        if count:
            await connection.execute(ACTION, who, "refund paid", f"{provider} {reference}", why)
    return count > 0
