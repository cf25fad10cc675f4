"""The history of a performance's seats, replayed change by change: what every seat was at any instant of it.

It begins with a hall that is all open, and anew at each change of the plan. After a recovery it goes on from a whole
that is told anew (`restore`), since nobody knows all that led there. It knows nothing of the scripts: what cannot have
happened, such as a seat held twice, is said as a fault.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from engine.words import BLOCKED, HELD, OPEN, SOLD, HoldId

RESTORE: Final = "restore"
OF_ITS_HOLD: Final = frozenset({"confirm", "release", "expire", "return"})
"""What is done to the seats of the one hold that it names."""
OF_FREE_SEATS: Final = frozenset({"hold", "swap"})
Rows = dict[int, str]
"""The letters of each block's seats, of blocks that are spoken of; all others are open."""
Places = dict[str, tuple[int, int]]
"""How many standing places of each area are open, and how many sold."""


class Told(msgspec.Struct, frozen=True):
    """An entry of the history as the ledger keeps it, by its id on the stream. For the rest see `entries.SeatChange`.

    `plan_change`: how often the performance's plan had changed; blocks are of that plan.
    """

    entry: str
    plan_change: int
    sequence: int
    epoch: int
    at_ms: int
    verb: str
    who: str
    hold: HoldId
    seats: list[int | str]
    areas: list[int | str]

    def runs(self) -> Iterable[tuple[int, int, int, str]]:
        """Block, offset, count, and a letter for all of these seats, or one for each."""
        flat = iter(self.seats)
        return ((int(block), int(next(flat)), int(next(flat)), str(next(flat))) for block in flat)

    def places(self) -> Iterable[tuple[str, int, int]]:
        """Area, how many more of its places are open, and how many more are sold."""
        flat = iter(self.areas)
        return ((str(area), int(next(flat)), int(next(flat))) for area in flat)


class State(msgspec.Struct, frozen=True):
    """A performance as Redis has it after an entry of the outbox and before the next."""

    entry: str
    rows: Rows
    places: Places


class Replay:
    """Seats and places of one performance, as its history has made them so far.

    `capacities`: places of each area, in the plan after `plan_change` changes of it. `faults`: what cannot have
    happened, in words. `gaps`: at each `restore`, its entry and where what it states differs from what was replayed.
    """

    def __init__(self, capacities: Sequence[int], plan_change: int = 0) -> None:
        self._capacities = {plan_change: capacities}
        self.plan_change = -1
        self.rows: Rows = {}
        self.places: Places = {}
        self.faults: list[str] = []
        self.gaps: list[tuple[str, list[tuple[str, str, str]]]] = []
        self._holders: dict[tuple[int, int], str] = {}
        self._last = 0
        self._begin(0)

    def _begin(self, plan_change: int) -> None:
        self.plan_change = plan_change
        self.rows, self._holders = {}, {}
        self.places = {str(area): (open_, 0) for area, open_ in enumerate(self._capacities.get(plan_change, ()))}

    def apply(self, told: Told) -> None:
        """The next entry, in the order of the stream."""
        if told.sequence < self._last and told.verb != RESTORE:
            self.faults.append(f"entry {told.entry}: its number {told.sequence} comes after {self._last}")
        self._last = told.sequence
        if told.plan_change != self.plan_change:
            self._begin(told.plan_change)
        if told.verb == RESTORE:
            self._restore(told)
            return
        for block, offset, count, letters in told.runs():
            self._put(told, block, offset, letters * (count if len(letters) == 1 else 1))
        for area, more_open, more_sold in told.places():
            open_, sold = self.places.get(area, (0, 0))
            self.places[area] = open_ + more_open, sold + more_sold
            if min(self.places[area]) < 0 and told.plan_change in self._capacities:
                self.faults.append(f"entry {told.entry}: area {area} has {self.places[area]} places open and sold")

    def _restore(self, told: Told) -> None:
        before_rows, before_places = self.rows, self.places
        self.rows, self._holders = {block: letters for block, _, _, letters in told.runs()}, {}
        self.places = {area: (open_, sold) for area, open_, sold in told.places()}
        self.gaps.append((told.entry, differences(before_rows, before_places, self.rows, self.places)))

    def _put(self, told: Told, block: int, offset: int, letters: str) -> None:
        end = offset + len(letters)
        row = self.rows.get(block, "").ljust(end, OPEN)
        self.rows[block] = row[:offset] + letters + row[end:]
        for place, (before, after) in enumerate(zip(row[offset:end], letters, strict=True), start=offset):
            seat = block, place
            holder = self._holders.pop(seat, None)
            if after == HELD and told.hold:
                self._holders[seat] = told.hold
            if why := _fault(told, before, after, holder):
                self.faults.append(f"entry {told.entry}: {told.verb} of {in_words(block, place)}, {why}")


def _fault(told: Told, before: str, after: str, holder: str | None) -> str:
    """Why a seat cannot have gone from one state to the other; empty where it can."""
    if after in (HELD, SOLD) and before == BLOCKED:
        return "which was blocked"
    if after == SOLD and before == SOLD:
        return "which was sold"
    if after == HELD and (before == HELD or (before == SOLD and told.verb in OF_FREE_SEATS)):
        return f"which was {'held' if before == HELD else 'sold'}"
    if told.verb in OF_ITS_HOLD and (before != HELD or holder not in {told.hold, None}):
        return f"which was held by {holder}" if before == HELD else "which was not held"
    return ""


def in_words(block: int, place: int) -> str:
    """A seat of a hall whose plan is not at hand, its place from 0 on."""
    return f"seat {place} of block {block}"


def differences(
    rows: Rows, places: Places, other_rows: Rows, other_places: Places, name: Callable[[int, int], str] = in_words
) -> list[tuple[str, str, str]]:
    """Where two states of a performance differ: which seat or area, and what it is in the one and in the other."""
    found = []
    for block in sorted({*rows, *other_rows}):
        first, second = rows.get(block, ""), other_rows.get(block, "")
        width = max(len(first), len(second))
        pairs = zip(first.ljust(width, OPEN), second.ljust(width, OPEN), strict=True)
        found += [(name(block, place), a, b) for place, (a, b) in enumerate(pairs) if a != b]
    for area in sorted({*places, *other_places}):
        first_places, second_places = places.get(area, (0, 0)), other_places.get(area, (0, 0))
        if first_places != second_places:
            a, b = (f"{open_} open and {sold} sold" for open_, sold in (first_places, second_places))
            found.append((f"area {area}", a, b))
    return found
