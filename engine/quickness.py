"""How quick holding is, as the API processes of one `parvis serve` have told: what is too slow halves the lines' pace.

Whoever is in wants seats, so that fewer who come in are what relieves a house whose holds take too long. The pace is
halved at once, and comes back a little each second: what was too much is found again slowly, and left quickly.
"""

from bisect import bisect_left
from typing import Final

import msgspec

from engine.figures import BOUNDS, DOOR_KIND, Figures
from engine.words import HouseSlug

TICK_SECONDS: Final = 1.0
SLOW_SHARE: Final = 0.01
"""More than this share of a tick's holds over the limit: its p99 is over it."""
LEAST_SLOW: Final = 2
"""One slow hold among few says nothing."""
LEAST_PERCENT: Final = 5
"""The pace is never halved below this: a line that stands still tells nobody whether holding is quick again."""
RECOVERED_PERCENT: Final = 5
"""So much of the whole pace comes back each tick."""
SETTLE_SECONDS: Final = 5.0
"""Until the pace is halved again: those who are in already go on wanting seats."""


class _Route(msgspec.Struct, frozen=True):
    house: str
    route: str
    buckets: list[int]


class _Door(msgspec.Struct, frozen=True):
    """What matters here of all that an API process tells."""

    routes: list[_Route]


class Quickness:
    """Looks at one house's holds. `limit_ms`: what 99 of 100 keep to, rounded up to one of `BOUNDS`; 0: never slow."""

    def __init__(self, figures: Figures, house: HouseSlug, limit_ms: int) -> None:
        self._figures, self._house = figures, house
        self._limit_ms = limit_ms
        self._within = bisect_left(BOUNDS, limit_ms / 1000) + 1
        self._before: list[int] | None = None
        self._next_tick = self._settled_at = 0.0
        self._kept_percent = 100
        self._words = ""

    @property
    def slowed_percent(self) -> int:
        """How much of the pace is kept back, 0 to 95."""
        return 100 - self._kept_percent

    @property
    def why(self) -> str:
        """What was too slow last, the source's word first; empty while nothing is kept back."""
        return self._words if self.slowed_percent else ""

    def look(self, at_s: float) -> None:
        """Reads what was told, at most once a tick. `at_s`: any clock that only goes forward."""
        if not self._limit_ms or at_s < self._next_tick:
            return
        self._next_tick = at_s + TICK_SECONDS
        counted = self._counted()
        fresh = [max(0, now - then) for now, then in zip(counted, self._before or counted, strict=True)]
        self._before = counted
        slow, answered = sum(fresh[self._within :]), sum(fresh)
        if slow < LEAST_SLOW or slow <= answered * SLOW_SHARE:
            self._kept_percent = min(100, self._kept_percent + RECOVERED_PERCENT)
        elif at_s >= self._settled_at:
            self._settled_at = at_s + SETTLE_SECONDS
            self._kept_percent = max(LEAST_PERCENT, self._kept_percent // 2)
            self._words = f"holds: {slow} of {answered} took longer than {self._limit_ms} ms"

    def _counted(self) -> list[int]:
        """The house's holds since its processes began, by how long they took; what a process counted stays counted."""
        sums = [0] * (len(BOUNDS) + 1)
        for _, door in self._figures.read(DOOR_KIND, _Door):
            for told in door.routes:
                if told.house == self._house and told.route == "hold":
                    sums = [one + other for one, other in zip(sums, told.buckets, strict=True)]
        return sums
