"""What Prometheus may read, of all processes of this `parvis serve` together, whichever of them it asks.

Counters are sums over the processes, those that ended included. What is so at this moment is told by those that live:
the worst of them where it is a state, their sum where it is an amount.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from api.tallies import CellFigures, Door, DoorFigures, add
from engine.figures import BOUNDS, DOOR_KIND, FRESH_MS, Figures
from engine.sight import NETWORK_KIND, HouseSight, NetworkSight

REGISTRY: Final = CollectorRegistry()
Sample = tuple[Sequence[str], float]


def gauge(name: str, help_: str, labels: Sequence[str], samples: Sequence[Sample]) -> Metric:
    """A gauge with all its samples."""
    family = GaugeMetricFamily(name, help_, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def counter(name: str, help_: str, labels: Sequence[str], samples: Sequence[Sample]) -> Metric:
    """A counter with all its samples."""
    family = CounterMetricFamily(name, help_, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def doors(door: Door, figures: Figures) -> tuple[list[DoorFigures], list[DoorFigures]]:
    """What every API process told that ever was, and what those told that live; this one among both."""
    own = door.now()
    others = figures.read(DOOR_KIND, DoorFigures, with_own=False)
    return [own, *(each for _, each in others)], [own, *(each for age_ms, each in others if age_ms < FRESH_MS)]


def houses_seen(figures: Figures) -> tuple[int, dict[str, HouseSight]]:
    """How the houses are, as the process that keeps them said last, and how long ago in milliseconds."""
    for age_ms, told in figures.read(NETWORK_KIND, NetworkSight):
        return age_ms, told.houses
    return 0, {}


class DoorCollector(Collector):
    """The API processes' requests, and their ways to each house's Redis."""

    def __init__(self, door: Door, figures: Figures) -> None:
        self._door = door
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Sums over all processes."""
        ever, alive = doors(self._door, self._figures)
        yield from _requests(ever)
        counters: dict[str, tuple[str, Callable[[CellFigures], float]]] = {
            "parvis_redis_calls": ("Function calls", lambda cell: cell.calls),
            "parvis_redis_timeouts": ("Function calls that were not answered in time", lambda cell: cell.timeouts),
            "parvis_redis_reconnects": ("Connections made again", lambda cell: cell.reconnects),
            "parvis_redis_refused": ("Function calls that were not made", lambda cell: cell.refused),
            "parvis_breaker_openings": ("Times that the breaker opened", lambda cell: cell.breaker_openings),
        }
        for name, (help_, read) in counters.items():
            yield counter(name, help_, ["house"], _by_house(ever, read, sum))
        gauges: dict[str, tuple[str, Callable[[CellFigures], float], Callable[[list[float]], float]]] = {
            "parvis_redis_waiting": ("Function calls under way", lambda cell: cell.waiting, sum),
            "parvis_requests_under_way": ("Requests being answered", lambda cell: cell.under_way, sum),
            "parvis_gate_open": ("1 when every API process sees the gate open", lambda cell: cell.is_open, min),
            "parvis_breaker_open": ("1 when an API process is kept from Redis", lambda c: not c.is_breaker_closed, max),
            "parvis_lines_slowed_ratio": ("How much of the pace is kept back", lambda c: c.slowed_percent / 100, max),
            "parvis_loop_lag_seconds": ("How late the latest process runs", lambda cell: cell.lag_s, max),
        }
        for name, (help_, read, together) in gauges.items():
            yield gauge(name, help_, ["house"], _by_house(alive, read, together))
        worst = {
            house: max((each.cells[house] for each in alive if house in each.cells), key=lambda cell: cell.level)
            for house in alive[0].cells
        }
        help_ = "0 calm, 1 joins are shed, 2 holds too; for want of what"
        samples = [((house, cell.source), float(cell.level)) for house, cell in worst.items()]
        yield gauge("parvis_pressure", help_, ["house", "source"], samples)
        yield gauge("parvis_api_processes", "API processes that live", [], [((), float(len(alive)))])


def _by_house(
    told: Sequence[DoorFigures], read: Callable[[CellFigures], float], together: Callable[[list[float]], float]
) -> list[Sample]:
    slugs = dict.fromkeys(house for each in told for house in each.cells)
    return [
        ((slug,), together([float(read(each.cells[slug])) for each in told if slug in each.cells])) for slug in slugs
    ]


def _requests(ever: Sequence[DoorFigures]) -> Iterator[Metric]:
    answers: dict[Sequence[str], float] = {}
    refusals: dict[Sequence[str], float] = {}
    times: dict[tuple[str, str], tuple[Sequence[int], float]] = {}
    for told in ever:
        for each in told.routes:
            for status, count in each.answers.items():
                name = (each.house, each.route, str(status))
                answers[name] = answers.get(name, 0) + count
            buckets, seconds = times.get((each.house, each.route), ([0] * len(each.buckets), 0.0))
            times[each.house, each.route] = (add(buckets, each.buckets), seconds + each.seconds)
        for house, reason, count in told.refusals:
            refusals[house, reason] = refusals.get((house, reason), 0) + count
    yield counter("parvis_answers", "Answers by status", ["house", "route", "status"], list(answers.items()))
    yield counter("parvis_refusals", "Refusals by the problem's word", ["house", "reason"], list(refusals.items()))
    family = HistogramMetricFamily("parvis_answer_seconds", "Time from request to answer", labels=["house", "route"])
    bounds = [*map(str, BOUNDS), "+Inf"]
    for names, (buckets, seconds) in times.items():
        family.add_metric(names, list(zip(bounds, accumulate(buckets), strict=True)), seconds)
    yield family


class HouseCollector(Collector):
    """How each house is doing, as the process says that keeps them."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """One sample a house and metric; those of an on-sale while it is under way."""
        age_ms, houses = houses_seen(self._figures)
        ages = [((slug,), age_ms / 1000) for slug in houses]
        yield gauge("parvis_figures_age_seconds", "How long ago the rest of this was told", ["house"], ages)
        if age_ms > FRESH_MS:
            return
        gauges: dict[str, tuple[str, Callable[[HouseSight], float]]] = {
            "parvis_redis_up": ("1 when Redis answers", lambda seen: seen.is_redis_up),
            "parvis_postgres_up": ("1 when Postgres answers", lambda seen: seen.is_postgres_up),
            "parvis_epoch": ("Raised by each recovery", lambda seen: seen.epoch),
            "parvis_outbox_entries": ("Changes that wait to be recorded", lambda seen: seen.outbox_entries),
            "parvis_writer_lag_seconds": ("How long the oldest of them has waited", lambda seen: seen.writer_lag_s),
            "parvis_holds": ("Holds that live, of visitors and of nobody", lambda seen: seen.holds),
            "parvis_dead_letters": ("Entries that could not be recorded", lambda seen: seen.counts.dead_letters),
            "parvis_webhooks_waiting": (
                "Events to be told that no endpoint has taken yet",
                lambda s: s.counts.webhooks_waiting,
            ),
            "parvis_webhook_oldest_seconds": (
                "How long the oldest of them has waited",
                lambda s: s.counts.oldest_webhook_s,
            ),
            "parvis_refunds_due": ("Payments whose money has to go back", lambda seen: seen.counts.refunds_due),
        }
        for name, (help_, read) in gauges.items():
            yield gauge(name, help_, ["house"], [((slug,), float(read(seen))) for slug, seen in houses.items()])
        yield from _counts(houses)
        yield from _on_sales(houses)


def _counts(houses: dict[str, HouseSight]) -> Iterator[Metric]:
    strains = [(slug, each) for slug, seen in houses.items() for each in seen.strains]
    labels = ["house", "source"]
    used = [((slug, each.source), each.used) for slug, each in strains]
    limits = [((slug, each.source), each.budget) for slug, each in strains]
    yield gauge("parvis_strain_used_bytes", "How much is used: backlog, memory, disk", labels, used)
    yield gauge("parvis_strain_limit_bytes", "How much there is of it", labels, limits)
    orders = [((slug, state), float(n)) for slug, seen in houses.items() for state, n in seen.counts.orders.items()]
    yield gauge("parvis_orders", "Orders in the ledger by state", ["house", "state"], orders)
    tries = [((slug, ending), float(n)) for slug, seen in houses.items() for ending, n in seen.counts.webhooks.items()]
    yield counter("parvis_webhook_attempts", "Attempts to tell an endpoint, by outcome", ["house", "outcome"], tries)
    alarms = [((slug, kind), float(n)) for slug, seen in houses.items() for kind, n in seen.counts.alarms.items()]
    yield gauge("parvis_alarms_open", "Alarms that nobody has seen to", ["house", "kind"], alarms)


def _on_sales(houses: dict[str, HouseSight]) -> Iterator[Metric]:
    sales = [(slug, each) for slug, seen in houses.items() for each in seen.on_sales]
    labels = ["house", "on_sale"]
    phases = [((slug, each.on_sale, each.phase), 1.0) for slug, each in sales]
    yield gauge("parvis_on_sale_phase", "1 for the phase that it is in", [*labels, "phase"], phases)
    waiting = [((slug, each.on_sale), float(each.waiting)) for slug, each in sales]
    yield gauge("parvis_places_waiting", "Places that have not been called", labels, waiting)
    passes = [((slug, each.on_sale), float(each.live_passes)) for slug, each in sales]
    yield gauge("parvis_passes_live", "Visitors who may shop now", labels, passes)
    joined = [((slug, each.on_sale), float(each.joined)) for slug, each in sales]
    yield counter("parvis_places_joined", "Places given", labels, joined)
    admitted = [((slug, each.on_sale), float(each.admitted)) for slug, each in sales]
    yield counter("parvis_admissions", "Visitors let in", labels, admitted)
    missing = [((slug, each.on_sale), max(0.0, each.joined - each.waiting - each.admitted)) for slug, each in sales]
    yield gauge("parvis_turns_unclaimed", "Visitors who were called and have not come in", labels, missing)
    seats = [
        ((slug, each.on_sale, category), float(n)) for slug, each in sales for category, n in each.seats_open.items()
    ]
    yield gauge("parvis_seats_open", "Seats and standing places that are open", [*labels, "category"], seats)
