"""The history of every seat, as the ledger keeps it: added to in the order of the stream, and never changed."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.entries import SeatChange
from engine.history import Told
from engine.keys import performance_of
from engine.ledger.order_records import copy
from engine.words import PerformanceId

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

COLUMNS: Final = (
    *("performance", "entry_ms", "entry_number", "plan_change", "sequence", "epoch", "at_ms", "verb", "who", "hold"),
    "changes",
)
READ: Final = (
    "SELECT entry_ms, entry_number, plan_change, sequence, epoch, at_ms, verb, who, hold, changes FROM seat_history "
    "WHERE performance = $1 AND (entry_ms, entry_number) > ($2, $3) AND (entry_ms, entry_number) <= ($4, $5) "
    "ORDER BY entry_ms, entry_number LIMIT $6"
)
FORGET: Final = (
    "DELETE FROM seat_history WHERE ctid = ANY (ARRAY(SELECT ctid FROM seat_history WHERE performance = ANY ($1) "
    "LIMIT $2))"
)
READ_AT_ONCE: Final = 1_000
LAST: Final = 2**63 - 1
_packed: Final = msgspec.msgpack.Encoder().encode
_changes: Final = msgspec.msgpack.Decoder(tuple[list[int | str], list[int | str]]).decode


def _numbers(entry: str) -> tuple[int, int]:
    milliseconds, _, number = entry.partition("-")
    return int(milliseconds), int(number)


def _told(row: Any) -> Told:
    seats, areas = _changes(row["changes"])
    return Told(
        entry=f"{row['entry_ms']}-{row['entry_number']}",
        plan_change=row["plan_change"],
        sequence=row["sequence"],
        epoch=row["epoch"],
        at_ms=row["at_ms"],
        verb=row["verb"],
        who=row["who"],
        hold=row["hold"],
        seats=seats,
        areas=areas,
    )


def history_rows(history: Sequence[tuple[str, SeatChange]]) -> list[tuple[Any, ...]]:
    """What became of seats, by the ids of its entries, as rows of `COLUMNS`."""
    rows = []
    for entry, change in history:
        performance, plan_change = performance_of(change.key)
        changes = _packed((change.seats, change.areas))
        told = (change.sequence, change.epoch, change.at_ms, change.verb, change.who, change.hold, changes)
        rows.append((performance, *_numbers(entry), plan_change, *told))
    return rows


async def record_history(connection: Any, history: Sequence[tuple[str, SeatChange]]) -> None:
    """Adds what became of seats, by the ids of its entries. Raises one of `REFUSED_BY_POSTGRES`."""
    await copy(connection, "seat_history", COLUMNS, history_rows(history))


async def read_history(
    ledger: "Ledger", performance: PerformanceId, last: str = f"{LAST}-{LAST}"
) -> AsyncIterator[list[Told]]:
    """A performance's history in its order, a few hundred entries at a time, up to an entry.

    In the order of the stream, whose ids only ever rise, whatever a clock did. Raises `LedgerUnavailable`.
    """
    after, until = (-1, -1), _numbers(last)
    while True:
        async with ledger.connection() as connection:
            rows = await connection.fetch(READ, performance, *after, *until, READ_AT_ONCE)
        if rows:
            yield list(map(_told, rows))
            after = rows[-1][0], rows[-1][1]
        if len(rows) < READ_AT_ONCE:
            return


async def forget_history(connection: Any, performances: Sequence[PerformanceId], limit: int) -> int:
    """Takes out some of the history of performances of long ago, in a transaction. Answers how many entries."""
    await connection.execute("SET LOCAL parvis.forgets_history = 'on'")
    status: str = await connection.execute(FORGET, performances, limit)
    return int(status.rpartition(" ")[2])
