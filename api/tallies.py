"""What this process counts of its requests, and what it tells the others. Counted by one event loop, so without locks.

Names that are counted by are houses of the network, routes, and words of `api/problems.py`: nothing that a visitor
sends can become one, and nobody is in them.
"""

import asyncio
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Final

import msgspec
import structlog

from engine.cell import Cell
from engine.figures import BOUNDS, DOOR_KIND, TELL_SECONDS, Figures
from engine.words import HouseSlug

MINUTE_SECONDS: Final = 60.0
log = structlog.get_logger()


class Tally:
    """What became of a route's requests in a house."""

    __slots__ = ("answers", "buckets", "seconds")

    def __init__(self) -> None:
        self.answers: dict[int, int] = {}
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def note(self, status: int, seconds: float) -> None:
        """Counts one answer."""
        self.answers[status] = self.answers.get(status, 0) + 1
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


TALLIES: Final[defaultdict[tuple[str, str], Tally]] = defaultdict(Tally)
"""By house and route."""
REFUSALS: Final[defaultdict[tuple[str, str], int]] = defaultdict(int)
"""By house and the problem's slug."""


class RouteFigures(msgspec.Struct, frozen=True):
    """A tally, as it is told."""

    house: str
    route: str
    answers: dict[int, int]
    buckets: Sequence[int]
    seconds: float


class CellFigures(msgspec.Struct, frozen=True):
    """A house as this process serves it."""

    is_open: bool
    is_breaker_closed: bool
    breaker_openings: int
    calls: int
    timeouts: int
    reconnects: int
    refused: int
    waiting: int
    under_way: int
    lag_s: float
    level: int
    source: str
    slowed_percent: int


class DoorFigures(msgspec.Struct, frozen=True):
    """All that an API process tells. `last_minute`: each house's answers of the last minute, in the buckets."""

    routes: list[RouteFigures] = []
    refusals: list[tuple[str, str, int]] = []
    cells: dict[str, CellFigures] = {}
    last_minute: dict[str, list[int]] = {}


def _cell_figures(cell: Cell) -> CellFigures:
    client, worst = cell.client, cell.worst_pressure
    return CellFigures(
        is_open=cell.is_open,
        is_breaker_closed=client.breaker.is_closed,
        breaker_openings=client.breaker.openings,
        calls=client.calls,
        timeouts=client.timeouts,
        reconnects=client.reconnects,
        refused=client.refused,
        waiting=client.waiting,
        under_way=cell.under_way,
        lag_s=cell.lag_s,
        level=worst.level,
        source=worst.source,
        slowed_percent=worst.slowed_percent,
    )


def add(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """Two histograms in one."""
    return [a + b for a, b in zip(one, other, strict=True)]


def _by_house() -> dict[str, list[int]]:
    sums: dict[str, list[int]] = {}
    for (house, _), tally in TALLIES.items():
        sums[house] = add(sums.get(house, [0] * len(tally.buckets)), tally.buckets)
    return sums


class Door:
    """Tells, again and again, what this process counts."""

    def __init__(self, cells: Mapping[HouseSlug, Cell], figures: Figures) -> None:
        self._cells = cells
        self._figures = figures
        self._minute: deque[tuple[float, dict[str, list[int]]]] = deque([(monotonic(), _by_house())])

    def now(self) -> DoorFigures:
        """What there is to tell."""
        before = self._minute[0][1]
        last_minute = {
            house: [now - then for now, then in zip(counts, before.get(house, [0] * len(counts)), strict=True)]
            for house, counts in _by_house().items()
        }
        return DoorFigures(
            routes=[
                RouteFigures(house, route, tally.answers, tally.buckets, tally.seconds)
                for (house, route), tally in TALLIES.items()
            ],
            refusals=[(*names, count) for names, count in REFUSALS.items()],
            cells={slug: _cell_figures(cell) for slug, cell in self._cells.items()},
            last_minute=last_minute,
        )

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            now = monotonic()
            self._minute.append((now, _by_house()))
            while self._minute[0][0] < now - MINUTE_SECONDS:
                self._minute.popleft()
            try:
                self._figures.tell(DOOR_KIND, self.now())
            except OSError as error:
                log.warning("figures are not told", why=str(error))
            await asyncio.sleep(TELL_SECONDS)


def quantile(share: float, buckets: Sequence[int]) -> float | None:
    """The seconds within which that share was answered, as Prometheus estimates it; None where nothing was asked."""
    total = sum(buckets)
    if not total:
        return None
    rank, seen, least = share * total, 0, 0.0
    for count, bound in zip(buckets, BOUNDS, strict=False):
        if count and seen + count >= rank:
            return least + (bound - least) * (rank - seen) / count
        seen, least = seen + count, bound
    return BOUNDS[-1]
