"""The vocabulary of the engine: one word, one meaning (see the README's *Words*).

Ids are `NewType`s over `str`; money is integer minor units beside its currency; instants inside the
engine are integer milliseconds since the Unix epoch, units last in the name (`expires_at_ms`).
"""

import re
from typing import Final, NewType

HouseSlug = NewType("HouseSlug", str)
"""`[a-z0-9-]`, 1 to 40 characters; the hash tag of every Redis key of the house."""
OnSaleId = NewType("OnSaleId", str)
PerformanceId = NewType("PerformanceId", str)
HallId = NewType("HallId", str)
SeatId = NewType("SeatId", str)
"""Readable, unique within a plan: `stalls-C-14`."""
AreaId = NewType("AreaId", str)
HoldId = NewType("HoldId", str)
OrderId = NewType("OrderId", str)
"""A UUIDv7 made outside Redis, in canonical text form."""
KeyId = NewType("KeyId", str)
LineName = NewType("LineName", str)

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")

OPEN: Final = "o"
HELD: Final = "h"
SOLD: Final = "s"
BLOCKED: Final = "b"
STATE_WORDS: Final = {OPEN: "open", HELD: "held", SOLD: "sold", BLOCKED: "blocked"}
"""The states of a seat by their letters."""
ALLOTTED: Final = dict.fromkeys(range(ord("A"), ord("Z") + 1), BLOCKED)
"""For `str.translate`: the letter of an allotment is a blocked seat to everybody else."""

PHASES: Final = ("scheduled", "prequeue", "open", "paused", "sold_out", "closed")


def is_slug(text: str) -> bool:
    """Whether `text` can name a house, an on-sale, a performance or a plan in a path and in a key."""
    return SLUG.fullmatch(text) is not None
