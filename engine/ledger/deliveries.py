"""What is due at a house's endpoints: leased by whoever sends it, and struck off when it was taken.

One who ends between sending and striking off leaves a lease behind, and what it was for is sent again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.ledger.order_records import alarm
from engine.ledger.telling import instant
from engine.webhooks import Answer, Verdict

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

READY: Final = (
    "SELECT w.webhook, w.url, w.secret_number, w.previous_number, w.previous_until FROM webhooks w "
    "WHERE w.disabled_at IS NULL AND coalesce(w.rest_until, $1) <= $1 AND EXISTS (SELECT FROM webhook_deliveries d "
    "WHERE d.webhook = w.webhook AND d.state = 'waiting' AND d.due_at <= $1)"
)
LEASE: Final = (
    "UPDATE webhook_deliveries d SET due_at = $3 FROM (SELECT webhook, event FROM webhook_deliveries "
    "WHERE webhook = $1 AND state = 'waiting' AND due_at <= $2 ORDER BY due_at, number LIMIT $4 "
    "FOR UPDATE SKIP LOCKED) AS due WHERE d.webhook = due.webhook AND d.event = due.event "
    "RETURNING d.number, d.event, d.subject, d.body, d.attempts, d.due_at"
)
GIVE_BACK: Final = (
    "UPDATE webhook_deliveries SET due_at = $3 WHERE webhook = $1 AND event = ANY ($2) AND state = 'waiting'"
)
STRIKE_OFF: Final = (
    "UPDATE webhook_deliveries SET state = CASE WHEN state = 'delivered' THEN state ELSE $3 END, "
    "attempts = attempts + 1, due_at = $4, tried_at = $5, status = $6, error = $7 WHERE webhook = $1 AND event = $2 "
    # What a person has asked for again meanwhile is due, by no lease: it is still to be sent.
    "AND NOT (due_at <> $8 AND due_at <= $5)"
)
WELL: Final = (
    "UPDATE webhooks SET failures = 0, failing_since = NULL, rest_until = NULL "
    "WHERE webhook = $1 AND failing_since IS NOT NULL"
)
ILL: Final = (
    "UPDATE webhooks SET failing_since = coalesce(failing_since, $2), "
    # Those that were under way together failed once.
    "failures = failures + CASE WHEN coalesce(rest_until, $2) <= $2 THEN 1 ELSE 0 END, "
    "rest_until = greatest(rest_until, $3) WHERE webhook = $1"
)
DISABLE: Final = (
    "UPDATE webhooks SET disabled_at = $2, disabled_why = $3 WHERE webhook = $1 AND disabled_at IS NULL "
    "RETURNING description"
)
COUNT: Final = (
    "INSERT INTO webhook_outcomes AS o (outcome, count) VALUES ($1, 1) "
    "ON CONFLICT (outcome) DO UPDATE SET count = o.count + 1"
)
FORGET: Final = (
    "DELETE FROM webhook_deliveries WHERE (webhook, event) IN (SELECT webhook, event FROM webhook_deliveries "
    "WHERE made_at < $1 LIMIT $2)"
)


class Lane(msgspec.Struct, frozen=True):
    """An endpoint that has something due: its address, and the numbers of the secrets that count now."""

    webhook: str
    url: str
    secrets: tuple[int, ...]


class Leased(msgspec.Struct, frozen=True):
    """A delivery that somebody is about to make. `attempts`: before this one; `until`: when the lease ends."""

    number: int
    event: str
    subject: str
    body: str
    attempts: int
    until: datetime


async def ready(ledger: "Ledger", now: int) -> list[Lane]:
    """The endpoints that have something due. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        rows = await connection.fetch(READY, instant(now))
    return [Lane(row["webhook"], row["url"], secrets_now(row, instant(now))) for row in rows]


def secrets_now(row: Any, now: datetime) -> tuple[int, ...]:
    """The numbers of an endpoint's secrets that count at an instant, the newest first."""
    until = row["previous_until"]
    previous = (row["previous_number"],) if until is not None and until > now else ()
    return (row["secret_number"], *previous)


async def lease(ledger: "Ledger", webhook: str, now: int, until: int, count: int) -> list[Leased]:
    """Takes at most `count` of what is due at an endpoint, for oneself until an instant, oldest first.

    Raises `LedgerUnavailable`.
    """
    async with ledger.connection() as connection:
        rows = await connection.fetch(LEASE, webhook, instant(now), instant(until), count)
    return sorted((Leased(*row) for row in rows), key=lambda each: each.number)


async def give_back(ledger: "Ledger", webhook: str, events: Sequence[str], now: int) -> None:
    """Ends a lease of what was not sent. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        await connection.execute(GIVE_BACK, webhook, list(events), instant(now))


async def trouble_of(ledger: "Ledger", webhook: str) -> tuple[int, int | None]:
    """How often an endpoint has failed on end, and since when (ms). Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        row = await connection.fetchrow("SELECT failures, failing_since FROM webhooks WHERE webhook = $1", webhook)
    if row is None or row["failing_since"] is None:
        return 0, None
    return row["failures"], int(row["failing_since"].timestamp() * 1000)


async def strike_off(ledger: "Ledger", webhook: str, each: Leased, answer: Answer, verdict: Verdict, now: int) -> None:
    """Keeps what became of one attempt, and what follows for its endpoint, together. Raises `LedgerUnavailable`."""
    at = instant(now)
    due = instant(verdict.due_at_ms) if verdict.due_at_ms is not None else at
    async with ledger.connection() as connection, connection.transaction():
        status = answer.status or None
        await connection.execute(
            STRIKE_OFF, webhook, each.event, verdict.state, due, at, status, answer.error, each.until
        )
        await connection.execute(COUNT, verdict.state if verdict.state != "waiting" else "failed")
        if answer.is_taken:
            await connection.execute(WELL, webhook)
            return
        await connection.execute(ILL, webhook, at, instant(verdict.rest_until_ms or now))
        if verdict.disabled_why:
            await _disable(connection, webhook, at, verdict.disabled_why)


async def _disable(connection: Any, webhook: str, at: datetime, why: str) -> None:
    """What nobody of the house has done is in its log all the same, and an alarm."""
    description = await connection.fetchval(DISABLE, webhook, at, why)
    if description is None:
        return
    await connection.execute(
        "INSERT INTO actions (who, what, subject, why) VALUES ('parvis', 'disable webhook', $1, $2)", webhook, why
    )
    await alarm(connection, "webhook-disabled", {"webhook": webhook, "description": description, "why": why})


async def forget_deliveries(connection: Any, before_ms: int, count: int) -> int:
    """Forgets at most `count` deliveries of before an instant, whatever became of them."""
    status: str = await connection.execute(FORGET, instant(before_ms), count)
    return int(status.rpartition(" ")[2])
