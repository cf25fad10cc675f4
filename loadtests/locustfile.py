"""Rehearse an opening: `locust -f loadtests/locustfile.py --headless --host … --house … --on-sale …`.

Everybody comes at once, waits, shops and buys; when all have left, the verdict compares what they were told
with what the house says, and the exit code is 1 if a seat was sold twice, an order was lost or a limit was
broken. With workers (`--master`, `--worker`, `--processes`) their logs travel to the master, which judges.
"""

# Locust's own events are not typed.
# mypy: disable-error-code="no-untyped-call, untyped-decorator"

import sys
from pathlib import Path
from typing import Any, Final

# Locust loads this file by its path, from wherever it was started.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests.evidence import House, gather
from loadtests.shapes import Opening
from loadtests.verdict import judge
from loadtests.visitors import LOG, Visitor

__all__ = ["Opening", "Visitor"]
_FIELD: Final = "parvis_log"


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """The options of a rehearsal; each can come from the environment."""
    parser.add_argument("--house", env_var="PARVIS_HOUSE", required=True, help="the house's slug")
    parser.add_argument("--on-sale", env_var="PARVIS_ON_SALE", required=True, help="the on-sale to rehearse")
    parser.add_argument("--visitors", type=int, env_var="PARVIS_VISITORS", default=500, help="how many come")
    parser.add_argument("--seed", type=int, env_var="PARVIS_SEED", default=1, help="decides who comes")
    parser.add_argument("--think-s", type=float, env_var="PARVIS_THINK_S", default=1.0, help="how slowly they click")
    parser.add_argument("--longest-s", type=float, env_var="PARVIS_LONGEST_S", default=900.0, help="the longest run")
    parser.add_argument(
        "--key",
        env_var="PARVIS_KEY",
        default="",
        is_secret=True,
        help="an API key with the scope orders:read",
    )
    parser.add_argument("--log", type=Path, env_var="PARVIS_LOG", default=None, help="keep the visitors' log here")


@events.report_to_master.add_listener
def send_log(data: dict[str, Any], **_: object) -> None:
    """A worker hands over what its visitors were told since the last report."""
    data[_FIELD] = LOG.copy()
    del LOG[: len(data[_FIELD])]


@events.worker_report.add_listener
def take_log(data: dict[str, Any], **_: object) -> None:
    """The master keeps what a worker's visitors were told."""
    LOG.extend(data[_FIELD])


@events.quitting.add_listener
def give_verdict(environment: Environment, **_: object) -> None:
    """Judge the run, print the verdict, and let it decide the exit code."""
    if isinstance(environment.runner, WorkerRunner):
        return
    options = environment.parsed_options
    assert options is not None
    assert environment.host is not None
    if options.log is not None:
        options.log.write_bytes(b"\n".join(LOG) + b"\n")
    house = House(base_url=environment.host, house=options.house, on_sale=options.on_sale, key=options.key)
    verdict = judge(LOG, gather(house, LOG))
    sys.stdout.write(verdict.in_words() + "\n")
    environment.process_exit_code = 0 if verdict.is_clean else 1
