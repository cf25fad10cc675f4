"""What requests took, second by second: counted in each process, added up in the master.

A time runs from when a request was *due*: when its visitor meant to send it, whatever kept the process from doing so.
A slow house cannot hide by keeping the crowd from asking (no coordinated omission). What the house itself took, from
sending to the answer, stands beside it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from loadtests.histogram import Histogram

LAG: Final = "lag"
"""Not a request: how late the generator itself woke its visitors."""


class Spell(NamedTuple):
    """What one kind of request took in one second: from due to answered, and from sent to answered; microseconds."""

    due: Histogram
    sent: Histogram


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A spell on its way to the master, and how the requests ended: HTTP status → how many."""

    second: int
    name: str
    due: list[tuple[int, int]]
    sent: list[tuple[int, int]]
    statuses: dict[int, int]


class Series:
    """Spells by second (Unix epoch) and name of the request."""

    def __init__(self) -> None:
        self.spells: defaultdict[tuple[int, str], Spell] = defaultdict(lambda: Spell(Histogram(), Histogram()))
        self.statuses: defaultdict[tuple[int, str], Counter[int]] = defaultdict(Counter)

    def add(self, second: int, name: str, status: int, due_us: int, sent_us: int) -> None:
        """Count a request that ended in this second."""
        spell = self.spells[second, name]
        spell.due.add(due_us)
        spell.sent.add(sent_us)
        self.statuses[second, name][status] += 1

    def late(self, second: int, lag_us: int) -> None:
        """Count how late a visitor was woken."""
        self.spells[second, LAG].due.add(lag_us)

    def rows(self) -> list[Row]:
        """All of it, ready to travel."""
        return [
            Row(second, name, [*spell.due.counts.items()], [*spell.sent.counts.items()], dict(self.statuses[key]))
            for key, spell in sorted(self.spells.items())
            for second, name in [key]
        ]

    def merge(self, rows: Iterable[Row]) -> None:
        """Add what another process has counted."""
        for row in rows:
            spell = self.spells[row.second, row.name]
            spell.due.merge(Histogram(row.due))
            spell.sent.merge(Histogram(row.sent))
            self.statuses[row.second, row.name].update(row.statuses)

    @property
    def names(self) -> list[str]:
        """The kinds of requests, in alphabetical order."""
        return sorted({name for _, name in self.spells if name != LAG})

    def over(self, names: Iterable[str], first: int = 0, last: int = 1 << 60) -> Spell:
        """One spell of all seconds from `first` to before `last`, of these kinds together."""
        wanted, whole = set(names), Spell(Histogram(), Histogram())
        for (second, name), spell in self.spells.items():
            if name in wanted and first <= second < last:
                whole.due.merge(spell.due)
                whole.sent.merge(spell.sent)
        return whole

    def ended(self, name: str) -> Counter[int]:
        """How requests of a kind ended, over the whole run."""
        total: Counter[int] = Counter()
        for (_, each), statuses in self.statuses.items():
            if each == name:
                total.update(statuses)
        return total

    def windows(self, names: Iterable[str], first: int, last: int, width_s: int) -> Iterator[tuple[int, Spell]]:
        """Spells of `width_s` seconds each, with the second at which each begins."""
        wanted = frozenset(names)
        spells: dict[int, Spell] = {}
        for (second, name), spell in self.spells.items():
            if name in wanted and first <= second < last:
                whole = spells.setdefault((second - first) // width_s, Spell(Histogram(), Histogram()))
                whole.due.merge(spell.due)
                whole.sent.merge(spell.sent)
        yield from ((first + number * width_s, spells[number]) for number in sorted(spells))
