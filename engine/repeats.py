"""Joining again: whoever asks once more, long after they asked first or after a loss, gets the place that they had.

Redis remembers a join for a minute, and until it is recorded (`engine/unrecorded.py`). What it has forgotten the ledger
knows, by the secret's hash; it is asked only for what may be a repeat. When somebody asked first is told by their
Idempotency-Key, where it begins with an instant: a UUIDv7, or thirteen digits of milliseconds; so our own pages' joins
cost no look at Postgres. Any other key may be old.
"""

import contextlib
import re
from typing import Final

from engine import waiting_room
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.errors import GateClosed, LedgerUnavailable, Recovered, Refused
from engine.instants import now_ms
from engine.ledger.ledger import Ledger
from engine.ledger.standings import index_of
from engine.signing import Place
from engine.waiting_room import REPEAT_SECONDS, Admissible, Joined
from engine.words import LineName, OnSaleId

REMEMBERED_MS: Final = REPEAT_SECONDS * 1000
SLACK_MS: Final = 15_000
"""So much may a client's clock, or an answer, be late."""
RECOVERIES: Final = 2
"""So many may go by while somebody joins."""
TIMED: Final = re.compile(r"(\d{13})\D?|([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-", re.IGNORECASE)


def asked_at_ms(key: str) -> int | None:
    """When a key was made, where it says so."""
    found = TIMED.match(key)
    if found is None:
        return None
    digits, high, low = found.groups()
    return int(digits) if digits else int(high + low, 16)


def may_be_repeat(asked_ms: int | None, lost_at_ms: int, now: int) -> bool:
    """Whether somebody may have joined already, and Redis not know it any more."""
    return asked_ms is None or abs(now - asked_ms) > REMEMBERED_MS - SLACK_MS or asked_ms < lost_at_ms + SLACK_MS


async def join(
    cell: Cell, ledger: Ledger, on_sale: OnSale, secret_hash: str, key: str, who: Admissible, asked_ms: int | None
) -> Joined:
    """The place that a secret has, else the next one of the line: see `waiting_room.join` for what it raises.

    `asked_ms`: when that was asked for first, where anybody knows. Raises `LedgerUnavailable` where that was before a
    loss, and the ledger can't say what the secret had.
    """
    for _ in range(RECOVERIES):
        joined, lost_at_ms = None, cell.whole.lost_at_ms
        # A person has the place that is theirs, and Redis knows it.
        is_asked = not who.person and may_be_repeat(asked_ms, lost_at_ms, now_ms())
        if is_asked:
            try:
                joined = await place_of(cell, ledger, on_sale.on_sale, who.line, secret_hash)
            except LedgerUnavailable:
                # Whoever asked before a loss may have a place that nobody but the ledger knows, and waits for it. Else
                # whoever joined before has lost a moment at most, and everybody else nothing.
                if asked_ms is not None and asked_ms < lost_at_ms + SLACK_MS:
                    raise
        if joined is not None:
            # Within the minute Redis still has the first answer, which says since when the place is waited at.
            with contextlib.suppress(Refused):
                return await waiting_room.join(cell, on_sale, secret_hash, key, who, is_known=True)
            return joined
        try:
            return await waiting_room.join(cell, on_sale, secret_hash, key, who, lost_at_ms=lost_at_ms)
        except Recovered:
            continue  # from a loss that this process did not know of: the ledger is asked again
        except Refused as refusal:
            if refusal.slug != "code-used" or who.person or is_asked:
                raise
            # By this very secret, as the ledger may know where Redis was lost: whatever the key says of when.
            with contextlib.suppress(LedgerUnavailable):
                joined = await place_of(cell, ledger, on_sale.on_sale, who.line, secret_hash)
            if joined is None:
                raise
            return joined
    raise GateClosed("the cell is recovering")


async def place_of(cell: Cell, ledger: Ledger, on_sale: OnSaleId, line: str, secret_hash: str) -> Joined | None:
    """The place of a secret that joined before, as the ledger knows it; None for whoever is new.

    Raises `LedgerUnavailable`.
    """
    index = await index_of(ledger, on_sale, line, secret_hash)
    if index is None:
        return None
    place = Place(on_sale, LineName(line), index, secret_hash, int(cell.whole.epoch))
    return Joined(place=cell.signer.sign(place), line=place.line, index=index)
