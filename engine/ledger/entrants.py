"""Who joined which line, and the tree over them: it is made of what is recorded here, in the same transaction."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.tree import CHUNK, Frontier, split_roots

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

ROWS_A_TIME: Final = 8 * CHUNK
FOLDED_AT_ONCE: Final = CHUNK
"""So many leaves take about as long as a statement; more are hashed away from the event loop."""
FRONTIER: Final = "SELECT leaves, roots FROM frontiers WHERE on_sale = $1 AND line = $2"
FRONTIERS: Final = "SELECT on_sale, line, leaves, roots FROM frontiers"
KEEP: Final = (
    "INSERT INTO frontiers (on_sale, line, leaves, roots) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (on_sale, line) DO UPDATE SET leaves = EXCLUDED.leaves, roots = EXCLUDED.roots"
)
ROWS: Final = (
    "SELECT index, secret_hash FROM entrants WHERE on_sale = $1 AND line = $2 AND index >= $3 AND index < $4 "
    "ORDER BY index LIMIT $5"
)
LAST: Final = "SELECT coalesce(max(index) + 1, 0) FROM entrants WHERE on_sale = $1 AND line = $2"
LineKey = tuple[str, str]
"""An on-sale, and one of its lines."""
GAPS: Final = (
    "SELECT index + 1 AS first, next - 1 AS last FROM (SELECT index, lead(index, 1, $3) OVER (ORDER BY index) AS next "
    "FROM (SELECT -1::bigint AS index UNION ALL SELECT index FROM entrants WHERE on_sale = $1 AND line = $2 "
    "AND index < $3) AS known) AS pairs WHERE next > index + 1 ORDER BY index LIMIT $4"
)
REACH: Final = (
    "SELECT entry, coalesce((SELECT leaves FROM frontiers WHERE on_sale = $1 AND line = $2), 0) AS leaves FROM cursor"
)
Lists = Mapping[LineKey, tuple[Frontier, int | None]]
"""Of each line: its tree as Redis knows it, and how many entrants are in its draw, once that is fixed."""


async def grow(connection: Any, line: LineKey, known: Frontier, count: int) -> Frontier:
    """The tree of a line up to `count` leaves, or further where it is that far already; kept in the ledger.

    `known`: as somebody else knows it, who may be ahead of a ledger that was restored from a backup.
    """
    rows = await connection.fetch(FRONTIER, *line)
    kept = Frontier(rows[0]["leaves"], split_roots(rows[0]["roots"])) if rows else Frontier()
    frontier = max(kept, known, key=lambda each: each.count).copy()
    while frontier.count < count:
        found = await connection.fetch(ROWS, *line, frontier.count, count, ROWS_A_TIME)
        entrants = [(row["index"], row["secret_hash"]) for row in found]
        # A page that is full ends in the middle; behind the last one nobody follows.
        until = entrants[-1][0] + 1 if len(entrants) == ROWS_A_TIME else count
        if until - frontier.count > FOLDED_AT_ONCE:
            await asyncio.to_thread(frontier.fold, entrants, until)
        else:
            frontier.fold(entrants, until)
    if frontier.count > kept.count:
        await connection.execute(KEEP, *line, frontier.count, b"".join(frontier.roots))
    return frontier


async def grow_by(connection: Any, entrants: "list[dict[str, Any]]", lists: Lists) -> "dict[LineKey, Frontier]":
    """The trees of the lines that these entrants have joined, grown as far as they reach and no draw is fixed."""
    reach: dict[LineKey, int] = {}
    for row in entrants:
        line = row["on_sale"], row["line"]
        reach[line] = max(reach.get(line, 0), int(row["index"]) + 1)
    grown = {}
    for line, count in reach.items():
        known, end = lists.get(line, (Frontier(), None))
        grown[line] = await grow(connection, line, known, count if end is None else min(count, end))
    return grown


async def catch_up(ledger: "Ledger", line: LineKey, known: Frontier, end: "int | None") -> Frontier:
    """The tree of a line, with all that is recorded of it. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection, connection.transaction():
        last = int(await connection.fetchval(LAST, *line))
        return await grow(connection, line, known, last if end is None else min(last, end))


async def frontiers(ledger: "Ledger") -> "dict[LineKey, Frontier]":
    """The trees of all lines, as they are recorded. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        rows = await connection.fetch(FRONTIERS)
    return {(row["on_sale"], row["line"]): Frontier(row["leaves"], split_roots(row["roots"])) for row in rows}


async def entrants_between(ledger: "Ledger", line: LineKey, first: int, last: int) -> "list[str]":
    """The secret hashes of the entrants from `first` up to and without `last`; empty for an index that nobody has.

    Raises `LedgerUnavailable`.
    """
    found = [""] * (last - first)
    async with ledger.connection() as connection:
        for row in await connection.fetch(ROWS, *line, first, last, last - first):
            found[row["index"] - first] = row["secret_hash"]
    return found


async def gaps(ledger: "Ledger", line: LineKey, entrants: int, limit: int) -> "list[tuple[int, int]]":
    """The first runs of indices that nobody has, by what is recorded; both ends are in. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        return [(row["first"], row["last"]) for row in await connection.fetch(GAPS, *line, entrants, limit)]


async def is_recorded(ledger: "Ledger", line: LineKey, entrants: int, closed_at_ms: int) -> bool:
    """Whether all was recorded of a line that so many had joined when it was closed. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        (row,) = await connection.fetch(REACH, *line)
    return int(row["leaves"]) >= entrants or int(row["entry"].partition("-")[0]) > closed_at_ms
