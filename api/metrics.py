"""What Prometheus may read of this process. Labels name houses and routes, never visitors or customers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.cell import Cell
from engine.words import HouseSlug

REGISTRY: Final = CollectorRegistry()
ANSWERS: Final = Counter("parvis_answers", "Answers by status", ["house", "route", "status"], registry=REGISTRY)
SECONDS: Final = Histogram(
    "parvis_answer_seconds",
    "Time from request to answer",
    ["house", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)


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
        }
        for name, read in gauges.items():
            gauge = GaugeMetricFamily(name, name.removeprefix("parvis_").replace("_", " "), labels=["house"])
            for slug, cell in self._cells.items():
                gauge.add_metric([slug], read(cell))
            yield gauge
