"""A house's endpoints: where its own programs want to be told of its sales. Whatever is changed is logged, once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.errors import BadInput, Refused
from engine.instants import now_ms
from engine.ledger.customers import By
from engine.ledger.deliveries import secrets_now
from engine.ledger.telling import instant, tell
from engine.webhooks import TYPES, of_test

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

LONGEST_DESCRIPTION: Final = 200
LONGEST_OVERLAP_SECONDS: Final = 7 * 86_400
# The operation stands where an outbox id would: a repeat logs nothing and does nothing.
LOG: Final = (
    "INSERT INTO actions (who, what, subject, why, entry) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (entry) DO NOTHING RETURNING true"
)
LIST: Final = "SELECT * FROM webhooks"
CREATE: Final = "INSERT INTO webhooks (webhook, url, types, description) VALUES ($1, $2, $3, $4)"
CHANGE: Final = (
    "UPDATE webhooks SET url = coalesce($2, url), types = coalesce($3, types), "
    "description = coalesce($4, description) WHERE webhook = $1"
)
ENABLE: Final = (
    "UPDATE webhooks SET disabled_at = NULL, disabled_why = '', failures = 0, failing_since = NULL, rest_until = NULL "
    "WHERE webhook = $1"
)
DISABLE: Final = "UPDATE webhooks SET disabled_at = now(), disabled_why = $2 WHERE webhook = $1 AND disabled_at IS NULL"
ROTATE: Final = (
    "UPDATE webhooks SET previous_number = secret_number, previous_until = $2, secret_number = secret_number + 1 "
    "WHERE webhook = $1"
)
DELIVERIES: Final = (
    "SELECT * FROM webhook_deliveries WHERE webhook = $1 AND ($2 = '' OR state = $2) ORDER BY number DESC LIMIT $3"
)
RESEND: Final = (
    "UPDATE webhook_deliveries SET state = 'waiting', due_at = $3, attempts = 0 WHERE webhook = $1 AND event = $2 "
    "RETURNING true"
)
STATES: Final = ("waiting", "delivered", "given_up")


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint as it stands. Instants are RFC 3339; `secrets`: the numbers of those that count now."""

    webhook: str
    url: str
    types: tuple[str, ...]
    description: str
    created_at: str
    secrets: tuple[int, ...]
    previous_until: str | None
    disabled_at: str | None
    disabled_why: str
    failing_since: str | None


class Delivery(msgspec.Struct, frozen=True):
    """An event for an endpoint. `status`: of the last answer, if there was one; `due_at`: only while it waits."""

    event: str
    type: str
    subject: str
    state: str
    made_at: str
    due_at: str | None
    attempts: int
    tried_at: str | None
    status: int | None
    error: str


def _rfc3339(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at is not None else None


def _endpoint(row: Any) -> Endpoint:
    now = instant(now_ms())
    secrets = secrets_now(row, now)
    return Endpoint(
        webhook=row["webhook"],
        url=row["url"],
        types=tuple(row["types"]),
        description=row["description"],
        created_at=_rfc3339(row["created_at"]) or "",
        secrets=secrets,
        previous_until=_rfc3339(row["previous_until"]) if len(secrets) > 1 else None,
        disabled_at=_rfc3339(row["disabled_at"]),
        disabled_why=row["disabled_why"],
        failing_since=_rfc3339(row["failing_since"]),
    )


def check_types(types: Sequence[str]) -> tuple[str, ...]:
    """The types, each once. Raises `BadInput` for one that there is not, and for none."""
    unknown = [f"there is no type {kind!r}" for kind in types if kind not in TYPES]
    if unknown or not types:
        raise BadInput(f"types are one or more of {', '.join(TYPES)}", tuple(unknown))
    return tuple(dict.fromkeys(types))


def check_description(text: str) -> str:
    """Raises `BadInput` for what is no line of plain text."""
    if len(text) > LONGEST_DESCRIPTION or (text and not text.isprintable()):
        raise BadInput(f"description: at most {LONGEST_DESCRIPTION} plain characters")
    return text


async def _is_first(connection: Any, by: By, what: str, webhook: str) -> bool:
    """Logs what is done; False for a repeat."""
    return bool(await connection.fetchval(LOG, by.who, what, webhook, by.why, f"webhook {by.operation}"))


async def _find(connection: Any, webhook: str, *, lock: str = "FOR UPDATE") -> Endpoint:
    row = await connection.fetchrow(f"{LIST} WHERE webhook = $1 {lock}", webhook)
    if row is None:
        raise Refused("unknown-webhook", "there is no such endpoint here")
    return _endpoint(row)


async def webhooks(ledger: "Ledger") -> list[Endpoint]:
    """Every endpoint, the oldest first. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return [_endpoint(row) for row in await connection.fetch(f"{LIST} ORDER BY created_at, webhook")]


async def find_webhook(ledger: "Ledger", webhook: str) -> Endpoint:
    """An endpoint. Raises `Refused` (`unknown-webhook`), `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return await _find(connection, webhook, lock="")


async def create(
    ledger: "Ledger", webhook: str, url: str, types: Sequence[str], description: str, most: int, by: By
) -> Endpoint:
    """Registers an endpoint under an id that is its operation's own. `most`: how many a house may have.

    Raises `BadInput`, `Refused` (`too-many-webhooks`), `LedgerUnavailable`.
    """
    kinds, said = check_types(types), check_description(description)
    async with ledger.connection() as connection, connection.transaction():
        # Two who come at once are counted one after the other.
        await connection.execute("LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE")
        if await _is_first(connection, by, "create webhook", webhook):
            if await connection.fetchval("SELECT count(*) FROM webhooks") >= most:
                raise Refused("too-many-webhooks", f"a house has at most {most} endpoints", limit=most)
            await connection.execute(CREATE, webhook, url, list(kinds), said)
        return await _find(connection, webhook)


async def change(
    ledger: "Ledger", webhook: str, url: str | None, types: Sequence[str] | None, description: str | None, by: By
) -> Endpoint:
    """Changes what is given. Raises `BadInput`, `Refused` (`unknown-webhook`), `LedgerUnavailable`."""
    kinds = list(check_types(types)) if types is not None else None
    said = check_description(description) if description is not None else None
    return await _do(ledger, webhook, "change webhook", by, CHANGE, url, kinds, said)


async def enable(ledger: "Ledger", webhook: str, by: By) -> Endpoint:
    """Goes on telling, what still waits first. Raises `Refused` (`unknown-webhook`), `LedgerUnavailable`."""
    return await _do(ledger, webhook, "enable webhook", by, ENABLE)


async def disable(ledger: "Ledger", webhook: str, by: By) -> Endpoint:
    """Tells nothing until it is enabled. Raises `Refused` (`unknown-webhook`), `LedgerUnavailable`."""
    return await _do(ledger, webhook, "disable webhook", by, DISABLE, by.why)


async def rotate(ledger: "Ledger", webhook: str, overlap_seconds: int, by: By) -> Endpoint:
    """Gives an endpoint another secret; the one before counts for `overlap_seconds` more.

    Raises `BadInput`, `Refused` (`unknown-webhook`), `LedgerUnavailable`.
    """
    if not 0 <= overlap_seconds <= LONGEST_OVERLAP_SECONDS:
        raise BadInput(f"overlap_seconds lies between 0 and {LONGEST_OVERLAP_SECONDS}")
    until = instant(now_ms()) + timedelta(seconds=overlap_seconds)
    return await _do(ledger, webhook, "rotate webhook secret", by, ROTATE, until)


async def _do(ledger: "Ledger", webhook: str, what: str, by: By, statement: str, *values: Any) -> Endpoint:
    async with ledger.connection() as connection, connection.transaction():
        await _find(connection, webhook)
        if await _is_first(connection, by, what, webhook):
            await connection.execute(statement, webhook, *values)
        return await _find(connection, webhook)


async def remove(ledger: "Ledger", webhook: str, by: By) -> None:
    """Removes an endpoint and what was to be told there. Raises `Refused` (`unknown-webhook`), `LedgerUnavailable`."""
    async with ledger.connection() as connection, connection.transaction():
        await _find(connection, webhook)
        await _is_first(connection, by, "remove webhook", webhook)
        await connection.execute("DELETE FROM webhooks WHERE webhook = $1", webhook)
        await connection.execute("DELETE FROM webhook_deliveries WHERE webhook = $1", webhook)


async def send_test(ledger: "Ledger", webhook: str, by: By) -> str:
    """Has a test event sent. Answers its id. Raises `Refused` (`unknown-webhook`, `disabled`), `LedgerUnavailable`."""
    event = of_test(webhook, by.operation, now_ms())
    async with ledger.connection() as connection, connection.transaction():
        _check_enabled(await _find(connection, webhook))
        if await _is_first(connection, by, "test webhook", webhook):
            await tell(connection, [event], webhook)
    return event.event


async def resend(ledger: "Ledger", webhook: str, event: str, by: By) -> None:
    """Has an event sent again, whatever became of it, under the id that it has.

    Raises `Refused` (`unknown-webhook`, `unknown-event`, `disabled`), `LedgerUnavailable`.
    """
    async with ledger.connection() as connection, connection.transaction():
        _check_enabled(await _find(connection, webhook))
        is_first = await _is_first(connection, by, "resend webhook", webhook)
        if is_first and not await connection.fetchval(RESEND, webhook, event, instant(now_ms())):
            raise Refused("unknown-event", "this endpoint was to be told of no such event")


def _check_enabled(endpoint: Endpoint) -> None:
    if endpoint.disabled_at is not None:
        raise Refused("webhook-disabled", "this endpoint is disabled; enable it first", why=endpoint.disabled_why)


async def deliveries(ledger: "Ledger", webhook: str, limit: int, state: str = "") -> list[Delivery]:
    """The newest first; with `state`, those alone. Raises `BadInput`, `Refused` (`unknown-webhook`)."""
    if state not in {"", *STATES}:
        raise BadInput(f"state is one of {', '.join(STATES)}")
    async with ledger.connection() as connection:
        await _find(connection, webhook, lock="")
        rows = await connection.fetch(DELIVERIES, webhook, state, limit)
    return [
        Delivery(
            **{name: row[name] for name in ("event", "type", "subject", "state", "attempts", "status", "error")},
            made_at=_rfc3339(row["made_at"]) or "",
            due_at=_rfc3339(row["due_at"]) if row["state"] == "waiting" else None,
            tried_at=_rfc3339(row["tried_at"]),
        )
        for row in rows
    ]
