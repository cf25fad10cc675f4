"""The master of a rehearsal: gives every process its share, gathers what all were told, and judges it once."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import gevent
import msgspec

from loadtests.arrivals import TWO_HOUSES, Plan
from loadtests.character import character
from loadtests.evidence import House, Reader, gather
from loadtests.machine import commit_of, describe_machine
from loadtests.options import Options
from loadtests.people import is_person
from loadtests.progress import Progress
from loadtests.series import Series
from loadtests.share import GRACE_S, Begin, Told
from loadtests.tally import Tally
from loadtests.verdict import judge
from loadtests.visit import milliseconds, now_ms
from loadtests.watcher import Watcher
from loadtests.wire import OnSale

LOOK_EVERY_S: Final = 1.0
SETTLE_S: Final = 5.0
LAST_WORDS_S: Final = 2 * GRACE_S + 20.0
"""How long after the end a process may take to tell its last; one that does not is missing in the evidence."""
Send = Callable[[str, Any, str], None]


class Director:
    """One run. `send` reaches a worker: kind of message, data, worker."""

    def __init__(self, options: Options, workers: list[str], send: Send) -> None:
        self._options = options
        self._workers = workers
        self._send = send
        self._log: list[bytes] = []
        self._series = Series()
        self._told = dict.fromkeys(workers, 0)
        self._cpu_s = dict.fromkeys(workers, 0.0)
        self._missing: list[str] = []
        self._over: set[str] = set()
        self._left = 0
        self._ended_s: float | None = None
        self._is_finished = False
        self._watcher = Watcher(options.host, options.house, options.on_sale, options.key)

    def begin(self) -> None:
        """Read what is for sale, and give everybody their share. Raises `SystemExit` where it cannot be read."""
        options = self._options
        path = f"/v1/houses/{options.house}/on-sales/{options.on_sale}"
        answer = Reader(options.host).once(path)
        if not answer.is_good:
            raise SystemExit(f"{options.host}{path} cannot be had: {answer.slug}")
        self._on_sale = msgspec.json.decode(answer.body, type=OnSale)
        self._began_at = datetime.now(UTC)
        self._began_s = time.monotonic()
        opens_at_ms = milliseconds(self._on_sale.opens_at)
        self._plan = options.plan((opens_at_ms - now_ms()) / 1000)
        self._tally = Tally(options.visitors, opens_at_ms)
        self._progress = Progress(self._tally, self._series, options.visitors)
        sys.stdout.write(in_words(self._plan) + "\n")
        for worker, share in zip(self._workers, self._shares(), strict=True):
            self._send("parvis_begin", msgspec.msgpack.encode(share), worker)
        self._watching = gevent.spawn(self._watch)

    def _shares(self) -> list[Begin]:
        """The quiet house has the last process for itself, if there is another: nobody else may slow its clock."""
        options, count = self._options, len(self._workers)
        has_quiet = options.shape == TWO_HOUSES
        of_the_crowd = count - 1 if has_quiet and count > 1 else count
        return [
            Begin(
                plan=self._plan,
                share=number,
                shares=of_the_crowd if number < of_the_crowd else 0,
                has_staff=number == 0,
                is_calm=has_quiet and number == count - 1,
                ran_s=time.monotonic() - self._began_s,
                **{name: getattr(options, name) for name in OF_OPTIONS},
            )
            for number in range(count)
        ]

    @property
    def is_over(self) -> bool:
        """Whether every process has told its last, or will not any more."""
        if self._over.issuperset(self._workers):
            return True
        return self._ended_s is not None and time.monotonic() - self._ended_s > LAST_WORDS_S

    def take(self, worker: str, told: Told) -> None:
        """What a process was told since it last said something."""
        self._told[worker] += 1
        if told.number != self._told[worker]:
            self._missing.append(f"{self._name(worker)} spoke {told.number} times, {self._told[worker]} arrived")
        lines = told.lines.splitlines()
        self._log += lines
        for line in lines:
            entry = msgspec.json.decode(line)
            self._tally.note(entry)
            self._left += entry["told"] == "left" and is_person(entry["visitor"])
        self._series.merge(told.rows)
        self._cpu_s[worker] = told.cpu_s
        if told.is_over:
            self._over.add(worker)

    def _name(self, worker: str) -> str:
        """Without its machine's name."""
        return f"worker {self._workers.index(worker) + 1}"

    def _watch(self) -> None:
        """Look at the house, say how it goes, and end the run when there is nothing more to come."""
        settle_s = self._on_sale.hold_seconds + SETTLE_S
        is_sold_out = False
        while True:
            for entry in self._watcher.look():
                self._log.append(msgspec.json.encode(entry))
            ran_s = time.monotonic() - self._began_s
            self._progress.show(ran_s, self._watcher.status)
            holding = bool(self._tally.holding)
            if not is_sold_out and self._watcher.is_nothing_left(somebody_holds=holding, settle_s=settle_s):
                is_sold_out = True
                self._to_all("parvis_sold_out")
            if self._ended_s is None and (self._left >= self._plan.visitors or ran_s > self._options.longest_s):
                self._ended_s = time.monotonic()
                self._to_all("parvis_end")
            gevent.sleep(LOOK_EVERY_S)

    def _to_all(self, kind: str) -> None:
        for worker in self._workers:
            self._send(kind, None, worker)

    def finish(self) -> int:
        """Judge the run, say and write the verdict. Answers the exit code."""
        if self._is_finished:
            return 1
        self._is_finished = True
        self._watching.kill()
        self._progress.end()
        options = self._options
        missing = [
            *self._missing,
            *(f"{self._name(each)} did not tell its last" for each in self._workers if each not in self._over),
        ]
        if options.log is not None:
            options.log.write_bytes(b"\n".join(self._log) + b"\n")
        houses = [options.house] + ([options.quiet_house] if options.shape == TWO_HOUSES else [])
        house = House(base_url=options.host, house=options.house, on_sale=options.on_sale, key=options.key)
        evidence = gather(house, self._log, options.settles_within_s, auditor=options.auditor, audited_houses=houses)
        verdict = judge(self._log, evidence, missing)
        sys.stdout.write(verdict.in_words() + "\n")
        if options.reports is not None:
            from loadtests.report import Run, write_report

            run = Run(
                began_at=self._began_at.isoformat(timespec="seconds"),
                seconds=round(time.monotonic() - self._began_s, 1),
                processes=len(self._workers),
                generator_cpu_s=round(sum(self._cpu_s.values()), 1),
                options=options.shown,
                plan=self._plan,
                on_sale=self._on_sale,
                commit=commit_of(),
                machine=describe_machine(),
                verdict=verdict,
            )
            sys.stdout.write(f"report: {write_report(options.reports, run, self._log, self._series)}\n")
        return 0 if verdict.is_clean else 1


OF_OPTIONS: Final = (
    *("host", "house", "on_sale", "counter_key", "desks", "nice"),
    *("quiet_host", "quiet_house", "quiet_on_sale", "quiet_rate"),
)


def in_words(plan: Plan) -> str:
    """Who will come: the shares as the seed has drawn them."""
    crowd = [character(plan.seed, number, plan.think_s, plan.mix) for number in range(plan.visitors)]
    drawn = {
        "hoarders": sum(who.kind == "hoarder" for who in crowd),
        "scripted buyers": sum(who.kind == "robot" for who in crowd),
        "latecomers": sum(who.is_late for who in crowd),
        "walkers": sum(who.walks_away for who in crowd),
        "returners": sum(who.away_after_s > 0 for who in crowd),
        "reloaders": sum(who.reloads for who in crowd),
    }
    parties = ", ".join(f"{sum(who.party == size for who in crowd)} of {size}" for size in range(1, 7))
    people = ", ".join(f"{count} {name}" for name, count in drawn.items())
    return f"{plan.shape}, seed {plan.seed}: {plan.visitors} visitors, of them {people}; parties: {parties}"
