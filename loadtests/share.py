"""One process's share of a rehearsal: its visitors come when the seed says, each a greenlet that lives a journey.

Nothing here waits for anything but the clock: a visitor whose predecessor still waits for an answer comes all the same.
"""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import gevent
import msgspec
from gevent.event import Event
from gevent.pool import Group

from loadtests.arrivals import Plan, share_of
from loadtests.calm import SHOPPERS, shop_calmly
from loadtests.character import BUYER, HOARDER, ROBOT, Character, character
from loadtests.counter import serve_customers
from loadtests.gevent_client import GeventClient
from loadtests.hoarding import Hoarder
from loadtests.people import CALM_FROM, STAFF_FROM
from loadtests.robots import robot
from loadtests.series import Row, Series
from loadtests.shopping import journey
from loadtests.visit import Left, Visit
from loadtests.wire import Answer, Ask, Pause, Steps

TELL_EVERY_S: Final = 1.0
GRACE_S: Final = 20.0
"""For what is under way when the run ends."""
Result = TypeVar("Result")


class Begin(msgspec.Struct, frozen=True):
    """What the master tells a process at the beginning."""

    plan: Plan
    host: str
    house: str
    on_sale: str
    share: int
    shares: int
    """Which share of the crowd this process has, of how many; of 0 it has none."""
    has_staff: bool
    counter_key: str
    desks: int
    is_calm: bool
    """Whether the calm shoppers live here."""
    quiet_host: str
    quiet_house: str
    quiet_on_sale: str
    quiet_rate: float
    nice: int
    ran_s: float = 0.0
    """How long the run has been going when this is read: a process that joins late keeps the timetable."""


class Told(msgspec.Struct, frozen=True):
    """What a process tells the master every second: the log's new lines and what requests took."""

    number: int
    """The how many-th this is: none may be missing."""
    lines: bytes
    rows: list[Row]
    cpu_s: float
    is_over: bool = False


def _yield_to_others(by: int) -> None:
    """`nice` changes one thread: all of this process's are told."""
    tasks = Path("/proc/self/task")
    for thread in tasks.iterdir() if tasks.is_dir() else [Path("0")]:
        os.setpriority(os.PRIO_PROCESS, int(thread.name), by)


class Share:
    """Visitors, desks and calm shoppers of one process."""

    def __init__(self, begin: Begin, tell: Callable[[Told], None], fire: Callable[..., None]) -> None:
        """`fire`: Locust's event of a request."""
        self._begin = begin
        self._tell = tell
        self._fire = fire
        self._began_s = time.monotonic() - begin.ran_s
        self._lines: list[bytes] = []
        self._series = Series()
        self._told = 0
        self._visitors = Group()
        self._others = Group()
        self._waiting: set[Event] = set()
        self._is_sold_out = False
        self._ended = Event()
        self._cpu_s = time.process_time()
        self._client = GeventClient(begin.host, self._timed)
        self._quiet = GeventClient(begin.quiet_host, self._timed)

    def run(self) -> None:
        """Live all of it; returns when the master has ended it."""
        begin = self._begin
        if begin.shares and begin.nice:
            _yield_to_others(begin.nice)
        reporter = gevent.spawn(self._report)
        try:
            if begin.is_calm:
                for number in range(SHOPPERS):
                    self._others.start(gevent.Greenlet(self._calm, number))
            if begin.has_staff and begin.counter_key:
                for number in range(begin.desks):
                    self._others.start(gevent.Greenlet(self._desk, STAFF_FROM - number))
            if begin.shares:
                self._let_come()
            self._ended.wait()
            self._visitors.join(GRACE_S)
            self._others.join(GRACE_S)
        finally:
            self._visitors.kill()
            self._others.kill()
            reporter.kill()
            self._send(is_over=True)

    def sold_out(self) -> None:
        """Nothing is left: whoever waits learns it, as a page would tell."""
        self._is_sold_out = True
        for woken in self._waiting:
            woken.set()

    def end(self) -> None:
        """All have left, or the time is over: what everybody was told last stands."""
        self._ended.set()
        self.sold_out()
        self._visitors.kill(block=False)

    def _let_come(self) -> None:
        begin = self._begin
        for comes_at_s, who in share_of(begin.plan, begin.share, begin.shares):
            due_s = self._began_s + comes_at_s
            if self._ended.wait(max(0.0, due_s - time.monotonic())):
                return
            self._late(due_s)
            self._visitors.start(gevent.Greenlet(self._visit, who, due_s))

    def _visit(self, who: Character, due_s: float) -> None:
        begin = self._begin
        visit = Visit(begin.house, begin.on_sale, who, self._note, seed=begin.plan.seed)
        visit.tell("came", kind=who.kind)
        journeys: dict[str, Callable[[Visit], Steps[str]]] = {
            BUYER: journey,
            HOARDER: lambda visit: journey(visit, Hoarder),
            ROBOT: robot,
        }
        try:
            self._follow(journeys[who.kind](visit), self._client, due_s)
        except gevent.GreenletExit:
            visit.tell("left", why="sent_home")
        except Exception as error:
            # What went wrong here is the crowd's own mistake: no verdict may call such a run clean.
            visit.broken(f"the visit ended in {type(error).__name__}: {error}")
            visit.tell("left", why="failed")
            raise

    def _desk(self, number: int) -> None:
        begin = self._begin
        who = character(begin.plan.seed, number, begin.plan.think_s)
        visit = Visit(begin.house, begin.on_sale, who, self._note, seed=begin.plan.seed)
        visit.tell("came", kind="desk")
        self._follow(serve_customers(visit, begin.counter_key), self._client, time.monotonic())

    def _calm(self, number: int) -> None:
        begin = self._begin
        who = character(begin.plan.seed, CALM_FROM - number)
        visit = Visit(begin.quiet_house, begin.quiet_on_sale, who, self._note, seed=begin.plan.seed)
        visit.tell("came", kind="calm")
        apart_s = SHOPPERS / begin.quiet_rate
        steps = shop_calmly(visit, apart_s, self._began_s + number * apart_s / SHOPPERS, self._calm_until_s)
        self._follow(steps, self._quiet, time.monotonic())

    def _calm_until_s(self) -> float:
        return 0.0 if self._ended.is_set() else float("inf")

    def _follow(self, steps: Steps[Result], client: GeventClient, due_s: float) -> Result:
        """Live a journey through. Everything has a time at which it is due: the end of a pause, or at once."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    due_s = time.monotonic() + step.seconds
                    step = self._pause(steps, step, due_s)
                else:
                    answers = self._ask(client, step, due_s)
                    due_s = time.monotonic()
                    step = steps.send(answers)
        except StopIteration as ended:
            result: Result = ended.value
            return result

    def _pause(self, steps: Steps[Any], pause: Pause, due_s: float) -> Pause | tuple[Ask, ...]:
        if not pause.is_waiting:
            gevent.sleep(pause.seconds)
        elif not self._is_sold_out:
            woken = Event()
            self._waiting.add(woken)
            woken.wait(pause.seconds)
            self._waiting.discard(woken)
        if pause.is_waiting and self._is_sold_out:
            return steps.throw(Left("sold_out"))
        self._late(due_s)
        return steps.send(())

    def _ask(self, client: GeventClient, asks: tuple[Ask, ...], due_s: float) -> tuple[Answer, ...]:
        others = [gevent.spawn(client.send, ask, due_s) for ask in asks[1:]]
        first = client.send(asks[0], due_s)
        gevent.joinall(others)
        return (first, *(each.value for each in others))

    def _late(self, due_s: float) -> None:
        self._series.late(int(time.time()), int((time.monotonic() - due_s) * 1_000_000))

    def _timed(self, ask: Ask, answer: Answer, due_s: float, sent_s: float) -> None:
        now_s = time.monotonic()
        due_ms = (now_s - due_s) * 1000
        self._series.add(
            int(time.time()), ask.name, answer.status, int(due_ms * 1000), int((now_s - sent_s) * 1_000_000)
        )
        is_failure = not answer.status or answer.status in {500, 502, 504}
        self._fire(
            request_type=ask.method,
            name=ask.name,
            response_time=due_ms,
            response_length=len(answer.body),
            exception=RuntimeError(answer.slug) if is_failure else None,
            context={},
        )

    def _note(self, entry: dict[str, Any]) -> None:
        self._lines.append(msgspec.json.encode(entry))

    def _report(self) -> None:
        gevent.sleep(random.random() * TELL_EVERY_S)
        while True:
            gevent.sleep(TELL_EVERY_S)
            self._send()

    def _send(self, *, is_over: bool = False) -> None:
        lines, self._lines = self._lines, []
        series, self._series = self._series, Series()
        self._told += 1
        self._tell(
            Told(self._told, b"\n".join(lines), series.rows(), time.process_time() - self._cpu_s, is_over=is_over)
        )
