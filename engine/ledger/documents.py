"""A document of the catalogue that is changed again and again, by one at a time."""

from collections.abc import Callable

from engine.ledger.ledger import Ledger


async def read_document(ledger: Ledger, kind: str, name: str) -> bytes | None:
    """The document's body; None where there is none."""
    async with ledger.connection() as connection:
        body: bytes | None = await connection.fetchval(
            "SELECT body FROM documents WHERE kind = $1 AND id = $2", kind, name
        )
    return body


async def amend_document(
    ledger: Ledger, kind: str, name: str, amend: Callable[[bytes], bytes], *, who: str, what: str, why: str
) -> bytes:
    """What `amend` makes of the document's body (empty where there is none), saved with the action that made it.

    Whoever amends it at the same time comes after. What `amend` raises leaves everything as it was; a body that it
    leaves as it is was amended before, and is no second action.
    """
    async with ledger.connection() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO documents (kind, id, body) VALUES ($1, $2, '') ON CONFLICT (kind, id) DO NOTHING",
            *(kind, name),
        )
        before: bytes = await connection.fetchval(
            "SELECT body FROM documents WHERE kind = $1 AND id = $2 FOR UPDATE", kind, name
        )
        after = amend(before)
        if after != before:
            await connection.execute(
                "UPDATE documents SET body = $3, version = version + 1 WHERE kind = $1 AND id = $2", kind, name, after
            )
            await connection.execute(
                "INSERT INTO actions (who, what, subject, why) VALUES ($1, $2, $3, $4)", who, what, name, why
            )
    return after
