"""What is set aside, in the ledger: the documents of one performance, changed by one at a time."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.catalogue import Allotment, decode_document
from engine.ledger.ledger import Ledger
from engine.words import PerformanceId

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

KIND: Final = "allotment"
OF_A_PERFORMANCE: Final = "SELECT id, body FROM documents WHERE kind = 'allotment' AND starts_with(id, $1) ORDER BY id"
SAVE: Final = (
    "INSERT INTO documents (kind, id, body) VALUES ('allotment', $1, $2) ON CONFLICT (kind, id) "
    "DO UPDATE SET body = EXCLUDED.body, version = documents.version + 1"
)
ALONE: Final = "SELECT FROM documents WHERE kind = 'performance' AND id = $1 FOR UPDATE"
PENDING: Final = "SELECT id, body FROM documents WHERE kind = 'allotment' AND position($1 in body) > 0 ORDER BY id"
IS_PENDING: Final = b'"is_pending":true'
DELETE: Final = "DELETE FROM documents WHERE kind = 'allotment' AND id = $1"
ACTION: Final = "INSERT INTO actions (who, what, subject, why) VALUES ($1, $2, $3, $4)"
SHARES: Final = (
    "SELECT allotment, area, count(*) AS places FROM order_items "
    "WHERE performance = $1 AND live AND area IS NOT NULL AND allotment <> '' GROUP BY allotment, area"
)


def _decode(rows: list[object]) -> dict[str, Allotment]:
    return {row["id"]: decode_document(f"{KIND}:{row['id']}", row["body"]) for row in rows}  # type: ignore[index]


async def read_allotments(ledger: Ledger, performance: PerformanceId) -> list[Allotment]:
    """All that is or was set aside of a performance, whole. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return list(_decode(list(await connection.fetch(OF_A_PERFORMANCE, f"{performance}."))).values())


async def pending_allotments(ledger: Ledger) -> list[Allotment]:
    """All that Redis may not know of yet. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        found = _decode(list(await connection.fetch(PENDING, IS_PENDING)))
    return [each for each in found.values() if each.is_pending]


async def sold_of_shares(ledger: Ledger, performance: PerformanceId) -> dict[tuple[str, str], int]:
    """How many standing places were sold of each allotment and area. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        rows = await connection.fetch(SHARES, performance)
    return {(row["allotment"], row["area"]): row["places"] for row in rows}


@asynccontextmanager
async def _alone(
    ledger: Ledger, performance: PerformanceId
) -> AsyncIterator[tuple["PoolConnectionProxy[Any]", Mapping[str, Allotment]]]:
    """A transaction in which nobody else changes a performance's allotments, and these by their ids."""
    async with ledger.connection() as connection, connection.transaction():
        await connection.execute(ALONE, performance)
        yield connection, _decode(list(await connection.fetch(OF_A_PERFORMANCE, f"{performance}.")))


async def decide_allotment(
    ledger: Ledger,
    performance: PerformanceId,
    decide: Callable[[Mapping[str, Allotment]], Allotment],
    *,
    who: str,
    what: str,
    why: str,
) -> Allotment:
    """Saves, with the action that made it, what `decide` makes of a performance's allotments, by their ids.

    Whoever decides at the same time comes after. What `decide` raises leaves everything as it was, and what is there
    already is no second action. Raises `LedgerUnavailable`.
    """
    async with _alone(ledger, performance) as (connection, known):
        made = decide(known)
        if known.get(made.id) != made:
            await connection.execute(SAVE, made.id, msgspec.json.encode(made))
            await connection.execute(ACTION, who, what, made.id, why)
    return made


class Settling:
    """An allotment while nobody else can change it, as the ledger has it now, if it has."""

    def __init__(self, connection: "PoolConnectionProxy[Any]", found: Allotment | None, name: str) -> None:
        self._connection = connection
        self._name = name
        self.found = found

    async def settle(self) -> Allotment:
        """Redis knows it. Answers it so."""
        assert self.found is not None  # noqa: S101 - what is withdrawn is not settled
        made = msgspec.structs.replace(self.found, is_pending=False)
        await self._connection.execute(SAVE, self._name, msgspec.json.encode(made))
        return made

    async def withdraw(self, who: str, why: str) -> None:
        """Takes the document away of what cannot be set aside."""
        await self._connection.execute(DELETE, self._name)
        await self._connection.execute(ACTION, who, "withdraw allotment", self._name, why)


@asynccontextmanager
async def settling(ledger: Ledger, made: Allotment) -> AsyncIterator[Settling]:
    """An allotment to be settled or withdrawn; by an error it stays as it is. Raises `LedgerUnavailable`."""
    async with _alone(ledger, made.performance) as (connection, known):
        yield Settling(connection, known.get(made.id), made.id)
