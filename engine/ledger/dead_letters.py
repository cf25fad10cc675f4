"""Entries that could not be recorded, kept for a person to look at, and to record after all once that is possible."""

from typing import Any, Final

import msgspec

from engine.entries import Order, decode_order, without_customer
from engine.errors import BadInput, Refused
from engine.instants import to_rfc3339
from engine.ledger.batch import REFUSED_BY_POSTGRES, sort
from engine.ledger.ledger import Ledger
from engine.ledger.record import apply, reason
from engine.sealing import Opener

COLUMNS: Final = "entry, fields, is_whole, why, at, now() - at AS age, requeued_at"
LIST: Final = f"SELECT {COLUMNS} FROM dead_letters WHERE requeued_at IS NULL OR $1 ORDER BY at, entry"  # noqa: S608
FIND: Final = f"SELECT {COLUMNS} FROM dead_letters WHERE entry = $1"  # noqa: S608
STOP_WRITERS: Final = "SELECT entry FROM cursor FOR UPDATE"
REQUEUED: Final = "UPDATE dead_letters SET requeued_at = now(), fields = $2::jsonb WHERE entry = $1"
LOG: Final = "INSERT INTO actions (who, what, subject, why) VALUES ($1, $2, $3, $4)"
# An order that waits for its payment, and has been recorded since it was buried, waits no more.
END_WAITING: Final = "DELETE FROM awaited_orders a USING orders o WHERE a.order_id = o.order_id"
SEALED: Final = frozenset({"order", "conflict", "await", "exchange"})
"""The kinds of entry that hold an order, and its customer with it."""


class DeadLetter(msgspec.Struct, frozen=True):
    """An entry of the outbox that could not be recorded, and `why`; `at` and `requeued_at` are RFC 3339.

    `fields`: as on the stream, what is no text as hex. `is_whole`: whether Postgres could keep them as they came.
    """

    entry: str
    kind: str
    fields: dict[str, str]
    is_whole: bool
    why: str
    at: str
    age_seconds: int
    requeued_at: str | None

    @property
    def data(self) -> bytes:
        """What an entry of most kinds consists of. Raises `ValueError` for one without it."""
        return bytes.fromhex(self.fields.get("data", "none"))

    def order(self) -> Order | None:
        """The order in it, its customer sealed; None where there is none, or none that can be read."""
        try:
            return decode_order(self.data) if self.kind in SEALED else None
        except (ValueError, msgspec.MsgspecError):
            return None


def _instant(at: Any) -> str:
    return to_rfc3339(int(at.timestamp() * 1000))


def _letter(row: Any) -> DeadLetter:
    fields = msgspec.json.decode(row["fields"], type=dict[str, str])
    return DeadLetter(
        entry=row["entry"],
        kind=fields.get("kind", ""),
        fields=fields,
        is_whole=row["is_whole"],
        why=row["why"],
        at=_instant(row["at"]),
        age_seconds=int(row["age"].total_seconds()),
        requeued_at=_instant(row["requeued_at"]) if row["requeued_at"] else None,
    )


async def dead_letters(ledger: Ledger, *, with_requeued: bool = False) -> list[DeadLetter]:
    """Every dead letter that still waits for somebody, oldest first. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return [_letter(row) for row in await connection.fetch(LIST, with_requeued)]


async def _find(connection: Any, query: str, entry: str) -> DeadLetter:
    row = await connection.fetchrow(query, entry)
    if row is None:
        raise BadInput(f"there is no dead letter {entry!r}")
    return _letter(row)


async def dead_letter(ledger: Ledger, entry: str) -> DeadLetter:
    """One of them, requeued or not. Raises `BadInput` for an entry that is none, `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return await _find(connection, FIND, entry)


async def log_reading(ledger: Ledger, entry: str, who: str, why: str) -> None:
    """Writes down that somebody looks at a customer. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        await connection.execute(LOG, who, "read dead letter", entry, why)


def _without_customer(letter: DeadLetter) -> str:
    """Its fields as they are kept once it is recorded: there is one place to erase a customer from."""
    order = letter.order()
    fields = letter.fields | ({"data": without_customer(order).hex()} if order else {})
    return msgspec.json.encode(fields).decode()


async def requeue(ledger: Ledger, entry: str, opener: Opener, *, who: str, why: str) -> bool:
    """Records a dead letter after all, as the writer records an entry, once. Answers False where that was done before.

    All of it is one transaction: whoever dies half way has done nothing, and whoever repeats it does nothing more.
    Raises `Refused` (`still-poison`) where the cause is not mended, `BadInput`, `LedgerUnavailable`.
    """
    try:
        async with ledger.connection() as connection, connection.transaction():
            await connection.execute(STOP_WRITERS)
            letter = await _find(connection, f"{FIND} FOR UPDATE", entry)
            if letter.requeued_at:
                return False
            if not letter.is_whole:
                raise Refused("still-poison", "it held what Postgres cannot keep, and is not whole any more")
            fields: dict[str, str | bytes] = {**letter.fields}
            if "data" in fields:
                fields["data"] = letter.data
            batch = sort([(entry, fields)], opener)
            for _, _, fault in batch.poison:
                raise Refused("still-poison", f"it cannot be read: {fault}")
            await apply(connection, batch)
            await connection.execute(END_WAITING)
            await connection.execute(REQUEUED, entry, _without_customer(letter))
            await connection.execute(LOG, who, "requeue dead letter", entry, why)
    except REFUSED_BY_POSTGRES as error:
        raise Refused("still-poison", f"it cannot be recorded: {reason(error)}") from None
    return True
