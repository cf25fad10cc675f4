"""What a cell's Redis has lost, as far as anybody can know it, and said as it is.

Two things outlive Redis in the ledger: the cursor (everything up to it is recorded) and, about a second old, how far
the cell was. A Redis whose stream ends before the cursor is from the past. One whose stream reaches it and whose
sequence is lower than it was has lost what came last: a replica that was behind when it was promoted.
"""

from typing import Any, Final, Literal

import msgspec

from engine.ledger.recoveries import CellStanding

Kind = Literal["none", "fell_behind", "from_the_past"]
WORDS: Final[dict[Kind, str]] = {
    "none": "it restarted and had lost nothing",
    "fell_behind": "it had lost what it did last, before that was recorded",
    "from_the_past": "it was from the past, or empty; what the ledger knew was put back",
}


def is_after(first: str, second: str) -> bool:
    """Whether the first stream id comes after the second."""
    return tuple(map(int, first.split("-"))) > tuple(map(int, second.split("-")))


class Loss(msgspec.Struct, frozen=True):
    """What was compared, and what is known to be gone: at least so much, by what was last seen at `known_at`.

    `operations`: changes of any kind; `orders`: confirmed and not recorded; `holds`: that had not ended.
    """

    kind: Kind
    cursor: str
    last_id: str
    known_at: str
    operations: int = 0
    orders: int = 0
    holds: int = 0

    @property
    def is_one(self) -> bool:
        """Whether anything is gone."""
        return self.kind != "none"

    def detail(self) -> dict[str, Any]:
        """For the ledger."""
        return msgspec.structs.asdict(self)

    def __str__(self) -> str:
        told = WORDS[self.kind]
        if not self.is_one:
            return told
        return (
            f"{told}: at least {self.operations} operations are gone, {self.orders} confirmed orders that were not "
            f"recorded and {self.holds} holds among them, as seen at {self.known_at or 'no time'}"
        )


def compare(cursor: str, last_id: str, known: CellStanding, seen_sequence: int, sequence: int) -> Loss:
    """What the ledger's cursor and what was known of the cell say of a Redis that is at `last_id` and `sequence`.

    `seen_sequence`: the highest that this process saw itself.
    """
    operations = max(0, max(known.sequence, seen_sequence) - sequence)
    kind: Kind = "from_the_past" if is_after(cursor, last_id) else "fell_behind" if operations else "none"
    return Loss(kind=kind, cursor=cursor, last_id=last_id, known_at=known.at, operations=operations)
