"""What is set aside, in the ledger: the documents of one performance, changed by one at a time."""

from collections.abc import Callable, Mapping
from typing import Final

from engine.catalogue import Allotment, decode_document
from engine.ledger.ledger import Ledger
from engine.words import PerformanceId

KIND: Final = "allotment"
OF_A_PERFORMANCE: Final = "SELECT id, body FROM documents WHERE kind = 'allotment' AND starts_with(id, $1) ORDER BY id"
SAVE: Final = (
    "INSERT INTO documents (kind, id, body) VALUES ('allotment', $1, $2) ON CONFLICT (kind, id) "
    "DO UPDATE SET body = EXCLUDED.body, version = documents.version + 1"
)
ALONE: Final = "SELECT FROM documents WHERE kind = 'performance' AND id = $1 FOR UPDATE"
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


async def sold_of_shares(ledger: Ledger, performance: PerformanceId) -> dict[tuple[str, str], int]:
    """How many standing places were sold of each allotment and area. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        rows = await connection.fetch(SHARES, performance)
    return {(row["allotment"], row["area"]): row["places"] for row in rows}


async def decide_allotment(
    ledger: Ledger,
    performance: PerformanceId,
    decide: Callable[[Mapping[str, Allotment]], Allotment],
    encode: Callable[[Allotment], bytes],
    *,
    who: str,
    what: str,
    why: str,
) -> Allotment:
    """Saves, with the action that made it, what `decide` makes of a performance's allotments, by their ids.

    Whoever decides at the same time comes after. What `decide` raises leaves everything as it was, and what is there
    already is no second action. Raises `LedgerUnavailable`.
    """
    async with ledger.connection() as connection, connection.transaction():
        await connection.execute(ALONE, performance)
        known = _decode(list(await connection.fetch(OF_A_PERFORMANCE, f"{performance}.")))
        made = decide(known)
        if known.get(made.id) != made:
            await connection.execute(SAVE, made.id, encode(made))
            await connection.execute(ACTION, who, what, made.id, why)
    return made


async def withdraw_allotment(ledger: Ledger, made: Allotment, *, who: str, why: str) -> None:
    """Takes the document away of what could not be set aside. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection, connection.transaction():
        await connection.execute("DELETE FROM documents WHERE kind = 'allotment' AND id = $1", made.id)
        await connection.execute(ACTION, who, "withdraw allotment", made.id, why)
