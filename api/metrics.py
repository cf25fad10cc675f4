"""What Prometheus may read of this process. Labels name houses and routes, never visitors or customers."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.cell import Cell
from engine.words import HouseSlug

REGISTRY: Final = CollectorRegistry()
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds, of the histogram's buckets."""


class Tally:
    """What became of a route's requests in a house. Counted by one event loop, so without the library's locks."""

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


class TallyCollector(Collector):
    """The tallies, read when asked."""

    def collect(self) -> Iterator[Metric]:
        """Answers by status, and the time from request to answer."""
        answers = CounterMetricFamily("parvis_answers", "Answers by status", labels=["house", "route", "status"])
        times = HistogramMetricFamily("parvis_answer_seconds", "Time from request to answer", labels=["house", "route"])
        bounds = [*map(str, BOUNDS), "+Inf"]
        for (house, route), tally in TALLIES.items():
            for status, count in tally.answers.items():
                answers.add_metric([house, route, str(status)], count)
            buckets = list(zip(bounds, accumulate(tally.buckets), strict=True))
            times.add_metric([house, route], buckets, tally.seconds)
        yield answers
        yield times


REGISTRY.register(TallyCollector())


class CellCollector(Collector):
    """The cells' connections, read when asked."""

    def __init__(self, cells: Mapping[HouseSlug, Cell]) -> None:
        self._cells = cells

    def collect(self) -> Iterator[Metric]:
        """One sample a house and metric."""
        counters = ("calls", "timeouts", "reconnects", "refused")
        for name in counters:
            family = CounterMetricFamily(f"parvis_redis_{name}", f"Function calls: {name}", labels=["house"])
            for slug, cell in self._cells.items():
                family.add_metric([slug], getattr(cell.client, name))
            yield family
        gauges: dict[str, Callable[[Cell], float]] = {
            "parvis_redis_waiting": lambda cell: cell.client.waiting,
            "parvis_requests_under_way": lambda cell: cell.under_way,
            "parvis_gate_open": lambda cell: int(cell.is_open),
            "parvis_outbox_backlog": lambda cell: cell.backlog,
            "parvis_lines_slowed_percent": lambda cell: cell.pressure.slowed_percent,
            "parvis_loop_lag_seconds": lambda cell: cell.lag_s,
        }
        for name, read in gauges.items():
            gauge = GaugeMetricFamily(name, name.removeprefix("parvis_").replace("_", " "), labels=["house"])
            for slug, cell in self._cells.items():
                gauge.add_metric([slug], read(cell))
            yield gauge
        pressure = GaugeMetricFamily(
            "parvis_pressure", "0 calm, 1 joins are shed, 2 holds too; for want of what", labels=["house", "source"]
        )
        for slug, cell in self._cells.items():
            worst = cell.worst_pressure
            pressure.add_metric([slug, worst.source], worst.level)
        yield pressure
