"""The history of every seat, as the ledger keeps it: added to in the order of the stream, and never changed."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from engine.entries import SeatChange
from engine.keys import performance_of
from engine.ledger.order_records import columns

RECORD: Final = (
    "INSERT INTO seat_history (performance, entry_ms, entry_number, plan_change, sequence, epoch, at_ms, verb, who, "
    "hold, changes) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::int[], $5::bigint[], "
    "$6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::bytea[]) ON CONFLICT DO NOTHING"
)


async def record_history(connection: Any, history: Sequence[tuple[str, SeatChange]]) -> None:
    """Adds what became of seats, by the ids of its entries; what is known already is no news."""
    rows = []
    for entry, change in history:
        performance, plan_change = performance_of(change.key)
        milliseconds, _, number = entry.partition("-")
        changes = msgspec.msgpack.encode((change.seats, change.areas))
        told = (change.sequence, change.epoch, change.at_ms, change.verb, change.who, change.hold, changes)
        rows.append((performance, int(milliseconds), int(number), plan_change, *told))
    await connection.execute(RECORD, *columns(rows, 11))
