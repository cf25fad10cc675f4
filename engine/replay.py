"""What a ledger restored from a backup lacks, read again from the house's Redis.

What was recorded after the backup is gone from the ledger, and from the outbox, which is trimmed behind the writer. But
Redis remembers each order for a day, whole, with its customer sealed, and which entry it became. Put in the order of
those entries, they are what the writer had recorded, and it records them as it records any; an order that the ledger
has is no news to it.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.keys import Keys
from engine.ledger.batch import Entry
from engine.library import assemble
from engine.losses import is_after
from engine.words import OrderId

if TYPE_CHECKING:
    from redis.asyncio import Redis

KINDS: Final = {b"conflicted": "conflict", b"awaiting_payment": "await"}
"""What an order in a state was as an entry, if not an order; what was exchanged for it is a return of the other."""
LOOKED_AT_ONCE: Final = 1_000


def _entries(found: list[Any], cursor: str, recorded: str) -> list[Entry]:
    """What the ledger lacks of one order, by what `orders/find` says of it."""
    if found[0] != b"found":
        return []  # it was forgotten just now
    state, entry, payload = found[1:4]
    flat = found[6]
    came_back: list[Entry] = [
        (back.decode(), {"kind": "return", "data": action})
        for back, action in zip(flat[::2], flat[1::2], strict=True)
        if is_after(back.decode(), cursor) and not is_after(back.decode(), recorded)
    ]
    at = entry.decode() or recorded
    order: Entry = (at, {"kind": KINDS.get(state, "order"), "data": payload})
    if is_after(at, recorded):
        # What is not recorded yet, the outbox has. But one that was forgotten when it was returned stands where its
        # return does: its seats were sold before they came back, and just before is as good as then.
        return [(recorded, order[1])] if flat else []
    return [order, *came_back] if is_after(at, cursor) else came_back


async def remembered(redis: "Redis", keys: Keys, cursor: str, recorded: str) -> list[Entry]:
    """What was recorded behind a ledger's cursor, up to `recorded`, oldest first; and last, that this is all."""
    function = assemble().functions["orders/find"]
    found: list[Entry] = []
    async for key in redis.scan_iter(match=keys.order(OrderId("*")), count=LOOKED_AT_ONCE):
        found += _entries(await redis.execute_command("FCALL_RO", function, 2, key, keys.recorded), cursor, recorded)
    found.sort(key=lambda entry: (*map(int, entry[0].split("-")), entry[1]["kind"] == "return"))
    told = {"cursor": cursor, "recorded": recorded, "entries": len(found)}
    return [*found, (recorded, {"kind": "restored", "data": msgspec.json.encode(told)})]


def whole_batches(entries: list[Entry], size: int) -> list[list[Entry]]:
    """Batches of about a size, none of which ends between two entries of one id."""
    batches: list[list[Entry]] = []
    for entry in entries:
        if not batches or (len(batches[-1]) >= size and batches[-1][-1][0] != entry[0]):
            batches.append([])
        batches[-1].append(entry)
    return batches
