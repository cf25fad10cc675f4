"""Recording a batch of outbox entries: one transaction, the cursor in it, every entry exactly once."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from engine.entries import Action
from engine.ledger.batch import Arrived, Batch, Entry
from engine.ledger.entrants import LineKey, Lists, grow_by
from engine.ledger.history import record_history
from engine.ledger.order_records import alarm, columns, end_waiting_for, record_orders
from engine.ledger.payments import record_awaited
from engine.ledger.persons import record_persons
from engine.ledger.returns import record_returns
from engine.ledger.telling import tell_of_batch
from engine.tree import Frontier

ENTRANTS: Final = (
    "INSERT INTO entrants (on_sale, line, index, secret_hash) "
    "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) "
    "ON CONFLICT (on_sale, line, index) DO NOTHING"
)
DOCUMENT: Final = (
    "INSERT INTO documents (kind, id, body) VALUES ($1, $2, $3) "
    "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, version = documents.version + 1"
)
SAME_INDEX: Final = (
    "SELECT w.on_sale, w.line, w.index FROM entrants e "
    "JOIN unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS w(on_sale, line, index, secret_hash) "
    "USING (on_sale, line, index) WHERE e.secret_hash <> w.secret_hash"
)
ACTIONS: Final = (
    "INSERT INTO actions (at, who, what, subject, why, detail, entry) SELECT to_timestamp(at / 1000.0), who, what, "
    "subject, why, detail::jsonb, entry FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], "
    "$6::text[], $7::text[]) AS t(at, who, what, subject, why, detail, entry) ON CONFLICT (entry) DO NOTHING"
)


class Outrun(Exception):
    """Another writer has moved the cursor, or the cell has a new epoch; what this one read counts no more."""


class Position(msgspec.Struct, frozen=True):
    """How far the outbox is recorded (a stream id), and the cell's epoch."""

    cursor: str
    epoch: int


async def _record_changes(connection: Any, changes: Sequence[Arrived | Action]) -> None:
    """Orders and returns. A batch is cut at each return: a seat that it frees may be sold again a moment later."""
    for is_return, some in groupby(changes, lambda each: isinstance(each, Action)):
        run: list[Any] = list(some)
        await (record_returns if is_return else record_orders)(connection, run)


async def _record_entrants(connection: Any, entrants: Sequence[dict[str, Any]]) -> None:
    """Who joined. The same index twice is harmless for the same visitor, and an alarm for two."""
    rows = columns([(row["on_sale"], row["line"], int(row["index"]), row["secret_hash"]) for row in entrants], 4)
    status: str = await connection.execute(ENTRANTS, *rows)
    if int(status.rpartition(" ")[2]) < len(entrants):
        for row in await connection.fetch(SAME_INDEX, *rows):
            await alarm(connection, "index-given-twice", dict(row))


async def _move(connection: Any, entry: str, position: Position) -> None:
    """Moves the cursor. Raises `Outrun` unless it stands where, and in the epoch in which, the reader found it.

    The row's lock makes a second writer wait here, and then find that it was outrun.
    """
    moved = await connection.fetchval(
        "UPDATE cursor SET entry = $1 WHERE entry = $2 AND (SELECT number FROM epoch) = $3 RETURNING entry",
        *(entry, position.cursor, position.epoch),
    )
    if moved is None:
        raise Outrun


async def apply(
    connection: Any, batch: Batch, at_point: Callable[[str], None] = lambda _: None, lists: Lists | None = None
) -> dict[LineKey, Frontier]:
    """Records what is in a batch, but for its poison. Answers the trees over entrants that have grown, by what is known
    of their `lists`; without, none does.

    Raises one of `REFUSED_BY_POSTGRES` for what cannot be recorded.
    """
    grown: dict[LineKey, Frontier] = {}
    if batch.entrants:
        await _record_entrants(connection, batch.entrants)
        grown = await grow_by(connection, batch.entrants, lists) if lists is not None else {}
    if batch.persons:
        await record_persons(connection, batch.persons)
    at_point("in_batch")
    if batch.awaited:
        await record_awaited(connection, batch.awaited)
    if batch.history:
        await record_history(connection, batch.history)
    await _record_changes(connection, batch.changes)
    await end_waiting_for(connection, [each for each in batch.changes if isinstance(each, Arrived)])
    if batch.actions:
        actions = [
            (
                *(action.at_ms, action.who, action.what, action.subject, action.why),
                *(msgspec.json.encode(action.detail).decode(), entry),
            )
            for entry, action in batch.actions
        ]
        await connection.execute(ACTIONS, *columns(actions, 7))
    for name, body in batch.documents:
        kind, _, identity = name.partition(":")
        await connection.execute(DOCUMENT, kind, identity, body.encode())
    for told in batch.restored:
        await alarm(connection, "ledger-lost", told)
    await tell_of_batch(connection, batch)
    return grown


async def record(
    connection: Any,
    batch: Batch,
    cursor: str,
    position: Position,
    at_point: Callable[[str], None],
    lists: Lists,
) -> dict[LineKey, Frontier]:
    """Records a batch that follows a position, up to `cursor`. Answers the trees over entrants that have grown.

    Raises `Outrun` where the position is no longer so, and then records nothing.
    """
    async with connection.transaction():
        await _move(connection, cursor, position)
        grown = await apply(connection, batch, at_point, lists)
        for entry, fields, why in batch.poison:
            await bury(connection, entry, fields, why)
        at_point("before_commit")
    at_point("after_commit")
    return grown


def reason(error: Exception) -> str:
    """Why Postgres refused, without its details: these quote the whole row, and who buys with it."""
    return f"{type(error).__name__}: {error.args[0] if error.args else ''}"


def _printable(value: str | bytes) -> str:
    """What Postgres can keep: it takes no NUL, and bytes only as hex."""
    return value.hex() if isinstance(value, bytes) else value.replace("\x00", "")


def _is_kept_whole(name: str, value: str | bytes) -> bool:
    """Whether what is kept of a field says what it was: only `data` is bytes."""
    if isinstance(value, bytes):
        return name == "data"
    return name != "data" and "\x00" not in name + value


async def bury(connection: Any, entry: str, fields: dict[str, Any], why: str) -> None:
    """Puts an entry that cannot be recorded into the dead letters, with an alarm; it is never dropped."""
    readable = {_printable(name): _printable(value) for name, value in fields.items()}
    is_whole = all(_is_kept_whole(name, value) for name, value in fields.items())
    await connection.execute(
        "INSERT INTO dead_letters (entry, fields, why, is_whole) VALUES ($1, $2::jsonb, $3, $4)",
        *(entry, msgspec.json.encode(readable).decode(), _printable(why), is_whole),
    )
    await alarm(connection, "dead-letter", {"entry": entry, "why": _printable(why)})


async def bury_one(connection: Any, entry: Entry, position: Position, why: str) -> None:
    """Buries a single entry that Postgres itself refuses, and moves the cursor past it. Raises `Outrun`."""
    async with connection.transaction():
        await _move(connection, entry[0], position)
        await bury(connection, entry[0], dict(entry[1]), why)
