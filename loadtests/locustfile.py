"""Rehearse an on-sale with Locust; `parvis load` is the short way, with servers of its own if need be.

    locust -f loadtests/locustfile.py --headless --host … --house … --on-sale … --key … --shape opening --visitors 5000

A Locust user is here one process's share of the crowd: its visitors come when the seed says, not when a user is free.
With workers (`--processes`, or `--master` and `--worker` on several machines) each lives its share; the master gathers
what all were told, judges it once, writes the report, and lets the verdict decide the exit code.
"""

# Locust's own events are not typed.
# mypy: disable-error-code="no-untyped-call, untyped-decorator"

import sys
from pathlib import Path
from typing import Any, Final

# Locust loads this file by its path, from wherever it was started.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from gevent.event import Event
from locust import LoadTestShape, User, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.exception import StopUser
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from loadtests import options
from loadtests.director import Director
from loadtests.share import Begin, Share, Told

_A_SECOND: Final = 100
"""Processes that begin in a second: Locust warns above that."""
_shares: Final[list[Share]] = []
"""This process's share of the run, once it has begun."""
_has_share: Final = Event()
_directors: Final[list[Director]] = []
"""The run, in the master, or where there are no workers."""


class Crowd(User):
    """One process's share of the crowd."""

    @task
    def live(self) -> None:
        """From the first visitor to the last. Raises `StopUser` at its end."""
        _has_share.wait()  # a process that came too late for a share has none
        _shares[-1].run()
        raise StopUser


class Rehearsal(LoadTestShape):
    """One share a process, until the master has all that there is to know."""

    def tick(self) -> tuple[int, float] | None:
        """How many shares there should be now; None at the end."""
        assert self.runner is not None
        if _directors and _directors[-1].is_over:
            return None
        shares = self.runner.worker_count if isinstance(self.runner, MasterRunner) else 1
        return shares, _A_SECOND


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """The options of a rehearsal."""
    options.add_options(parser)


@events.init.add_listener
def listen(environment: Environment, **_: object) -> None:
    """Workers learn their share and the end from the master; the master what the workers were told."""
    runner = environment.runner
    assert runner is not None

    def begin(environment: Environment, msg: Message) -> None:
        del environment

        def tell(told: Told) -> None:
            runner.send_message("parvis_told", msgspec.msgpack.encode(told))

        share = msgspec.msgpack.decode(msg.data, type=Begin)
        _shares.append(Share(share, tell, runner.environment.events.request.fire))
        _has_share.set()

    def told(environment: Environment, msg: Message) -> None:
        del environment
        _directors[-1].take(msg.node_id, msgspec.msgpack.decode(msg.data, type=Told))

    if not isinstance(runner, WorkerRunner):
        assert environment.parsed_options is not None
        options.read_options(environment.parsed_options, environment.host or "")  # a wrong one ends it here
    if not isinstance(runner, MasterRunner):
        runner.register_message("parvis_begin", begin)
        runner.register_message("parvis_sold_out", lambda **_: _shares[-1].sold_out())
        runner.register_message("parvis_end", lambda **_: _shares[-1].end())
    if not isinstance(runner, WorkerRunner):
        runner.register_message("parvis_told", told)


@events.test_start.add_listener
def begin_run(environment: Environment, **_: object) -> None:
    """The master reads what is for sale and gives every process its share."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        return
    assert runner is not None
    assert environment.host is not None
    workers = [client.id for client in runner.clients.all] if isinstance(runner, MasterRunner) else ["local"]

    def send(kind: str, data: Any, worker: str) -> None:
        runner.send_message(kind, data, client_id=worker)

    director = Director(options.read_options(environment.parsed_options, environment.host), workers, send)
    _directors.append(director)
    director.begin()


@events.test_stop.add_listener
def give_verdict(environment: Environment, **_: object) -> None:
    """Judge the run, write the report, and let the verdict decide the exit code."""
    if not isinstance(environment.runner, WorkerRunner) and _directors:
        environment.process_exit_code = _directors[-1].finish()
