"""What happened in a run, put together from the log and the times of its requests: what plots and tables show."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from loadtests.arrivals import Plan
from loadtests.evidence import SOLD_STATES
from loadtests.fault import Told
from loadtests.people import FURTHER_PLACES, is_calm, is_person, is_staff
from loadtests.series import Series
from loadtests.tally import percentile
from loadtests.verdict import Verdict
from loadtests.visit import milliseconds
from loadtests.wire import ENDED, OnSale

KINDS_OF_PEOPLE: Final = {
    "buyer": "people",
    "hoarder": "hoarders",
    "robot": "scripted buyers",
    "desk": "desks at the counter",
}
LATE_MS: Final = 100.0
"""A generator that is later than this, at the 99th percentile of some window, was itself the bottleneck."""
LAG_WINDOW_S: Final = 10


class Run(msgspec.Struct, frozen=True):
    """One run: when, where, of what, and how it ended."""

    began_at: str
    seconds: float
    processes: int
    generator_cpu_s: float
    options: dict[str, Any]
    plan: Plan
    on_sale: OnSale
    commit: str
    machine: dict[str, str]
    verdict: Verdict


class Moment(msgspec.Struct):
    """One second: what the house showed, and what became of the crowd."""

    phase: str = ""
    joined: int = 0
    now_serving: int = 0
    per_minute: int = 0
    live_passes: int = 0
    cap: int = 0
    seats_open: dict[str, int] = {}
    came: int = 0
    admitted: int = 0
    orders: int = 0
    gone: int = 0
    refusals: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def queue(self) -> int:
        """How many places have not been called; once all is over nobody queues."""
        return 0 if self.phase in ENDED else max(0, self.joined - self.now_serving)


class Group(msgspec.Struct):
    """What became of one kind of people."""

    name: str
    came: int = 0
    places: int = 0
    admitted: int = 0
    orders: int = 0
    seats: int = 0


class Story:
    """A run, second by second and person by person."""

    def __init__(self, run: Run, log: Iterable[bytes], series: Series) -> None:
        self.run = run
        self.series = series
        self.moments: defaultdict[int, Moment] = defaultdict(Moment)
        self.refusals: Counter[tuple[int, str, str]] = Counter()
        self.orders: dict[str, Told] = {}
        self.endings: Counter[str] = Counter()
        self.groups = {kind: Group(name) for kind, name in KINDS_OF_PEOPLE.items()}
        self.not_now: Counter[str] = Counter()
        self._kinds: dict[int, str] = {}
        self._joined_at_ms: dict[int, int] = {}
        self.waits_ms: list[int] = []
        self.opens_at_ms = milliseconds(run.on_sale.opens_at)
        for line in log:
            if line:
                self._tell(msgspec.json.decode(line))
        self.first = min(self.moments, default=0)
        self.last = max(self.moments, default=0)

    def _tell(self, entry: Told) -> None:
        visitor, moment = entry["visitor"], self.moments[entry["at_ms"] // 1000]
        if is_calm(visitor):
            return
        group = self.groups.get(self._kinds.get(visitor % FURTHER_PLACES if visitor >= 0 else visitor, ""))
        match entry["told"]:
            case "came":
                self._kinds[visitor] = entry["kind"]
                self.groups[entry["kind"]].came += 1
                moment.came += is_person(visitor)
            case "joined":
                self._joined_at_ms[visitor] = entry["at_ms"]
                if group:
                    group.places += 1
            case "admitted":
                moment.admitted += 1
                self.waits_ms.append(entry["at_ms"] - max(self.opens_at_ms, self._joined_at_ms.get(visitor, 0)))
                if group:
                    group.admitted += 1
            case "ordered" if entry["state"] in SOLD_STATES and entry["order"] not in self.orders:
                moment.orders += 1
                self.orders[entry["order"]] = entry | {"kind": group.name if group else ""}
                if group:
                    group.orders += 1
                    group.seats += len(entry["items"])
            case "refused":
                moment.refusals[entry["slug"]] += 1
                self.refusals[entry["at_ms"] // 1000, entry["step"], entry["slug"]] += 1
            case "not_now":
                self.not_now[entry["slug"]] += 1
            case "left" if is_person(visitor) or is_staff(visitor):
                moment.gone += 1
                self.endings[entry["why"]] += 1
            case "status":
                moment.phase, moment.joined, moment.now_serving = entry["phase"], entry["joined"], entry["now_serving"]
                moment.per_minute, moment.seats_open = entry["per_minute"], entry["seats_open"]
            case "counters":
                moment.live_passes, moment.cap = entry["live_passes"], entry["cap"]

    @property
    def zero(self) -> int:
        """The second from which plots count: the start of sales, where it lies in the run."""
        opens_at = self.opens_at_ms // 1000
        return opens_at if self.first <= opens_at <= self.last else self.first

    @property
    def seen(self) -> list[tuple[int, Moment]]:
        """The seconds in which the house was looked at, in order."""
        return [(second, moment) for second, moment in sorted(self.moments.items()) if moment.phase]

    @property
    def rush_at(self) -> int:
        """The second in which the first of the crowd came."""
        return min((second for second, moment in self.moments.items() if moment.came), default=self.first)

    @property
    def sold_out_after_s(self) -> int | None:
        """How long after the start of sales the last seat was sold; None where some were left."""
        over = [second for second, moment in self.seen if moment.phase == "sold_out"]
        return over[0] - self.zero if over else None

    def wait_s(self, share: float) -> float:
        """How long people waited for their turn, from the start of sales or from joining; seconds."""
        return percentile(self.waits_ms, share) / 1000

    @property
    def lag_ms(self) -> float:
        """How late the generator woke its visitors, at the 99th percentile of its worst ten seconds."""
        windows = self.series.windows(("lag",), self.first, self.last + 1, LAG_WINDOW_S)
        return max((spell.due.percentile(0.99) / 1000 for _, spell in windows), default=0.0)

    @property
    def requests(self) -> int:
        """How many requests got out."""
        return sum(sum(self.series.ended(name).values()) for name in self.series.names)

    @property
    def busiest(self) -> int:
        """The most requests that ended in one second."""
        seconds: Counter[int] = Counter()
        for (second, _), statuses in self.series.statuses.items():
            seconds[second] += statuses.total()
        return max(seconds.values(), default=0)
