"""`parvis load`: Locust's crowd at a house; without `--host` at one of its own, on servers started for it."""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import uvloop
from cyclopts import App, Parameter

from engine.cli.options import INTERRUPTED
from engine.cli.programme import QUIET_PACE, RUSH, SHOWS, Opened, put_on
from engine.cli.sales import at_house, read_json
from engine.cli.speech import say
from engine.cli.stage import Company, demo_network_file, embedded_network, end_as_with_ctrl_c, new_folder
from engine.embedded.servers import EmbeddedServers
from engine.errors import BadInput
from engine.instants import now_ms
from engine.network import load
from engine.parenthood import child_of_this
from engine.ports import check_ports, free_port
from engine.words import HouseSlug

QUIET: Final = HouseSlug("gulden-masker")
LEAD_SECONDS: Final = 8
"""For Locust to start, before the first visitors come."""
LAST_WORDS_SECONDS: Final = 120
"""For the verdict of a run that was cut short."""
TWO_HOUSES: Final = "two-houses"
UNATTENDED: Final = ("--headless", "--only-summary", "--loglevel", "WARNING")
app = App(name="load", help="Rehearse an on-sale with Locust: `parvis load --help`.", help_flags=[], version_flags=[])


class Staged(msgspec.Struct, frozen=True):
    """Where the houses are, and what they opened."""

    urls: dict[HouseSlug, str]
    opened: dict[HouseSlug, Opened]
    network_file: Path


@app.default
def load_command(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> None:
    """Send a crowd to an on-sale and judge what it was told; all options are Locust's and the crowd's."""
    sys.exit(run(list(arguments)))


def _own_options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parvis load",
        add_help=False,
        allow_abbrev=False,
        description="Without --host a house of its own is opened for the crowd, on servers that start and end with it.",
    )
    parser.add_argument("--port", type=int, default=8200, help="where the house listens, and the quiet one after it")
    parser.add_argument("--rate", type=int, default=900, help="how many its line calls a minute")
    parser.add_argument("--cap", type=int, default=400, help="how many may be inside at once")
    parser.add_argument("--hold-seconds", type=int, default=45, help="how long it keeps seats")
    parser.add_argument("--plan", type=Path, help="sell this seating plan, in pretix's format, not the shipped hall")
    return parser


def _shared_options() -> argparse.ArgumentParser:
    """Options of the crowd that the stage has to know too."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--shape", default="opening")
    parser.add_argument("--come-within-s", type=float, default=30.0)
    parser.add_argument("--quiet-s", type=float, default=20.0)
    for name in ("--host", "--visitors", "--processes", "--loglevel"):
        parser.add_argument(name)
    for name in ("--help", "--headless", "--autostart", "--worker", "--master"):
        parser.add_argument(name, action="store_true")
    return parser


def locust(arguments: list[str]) -> list[str]:
    """Locust's command line on our file. Raises `BadInput` where it is not installed."""
    package = find_spec("loadtests")
    if find_spec("locust") is None or package is None or not package.submodule_search_locations:
        raise BadInput("Locust is not installed here: pip install '.[loadtests]' in Parvis's folder, or `make load`")
    file = Path(next(iter(package.submodule_search_locations))) / "locustfile.py"
    return [sys.executable, "-m", "locust", "-f", str(file), *arguments]


def run(arguments: list[str]) -> int:
    """Runs Locust, at `--host` or at a house of its own. Answers its exit code: 0 only for a clean verdict."""
    arguments = ["--host" if word == "-H" else word for word in arguments]
    shared, _ = _shared_options().parse_known_args(arguments)
    if shared.help:
        command = locust(["--help"])
        print(_own_options().format_help(), flush=True)
        subprocess.run([sys.executable, "-m", "loadtests.options"], check=False)
        return subprocess.run(command, check=False).returncode
    if not (shared.autostart or shared.worker or shared.headless):
        arguments = [*UNATTENDED, *arguments]
    if shared.host or shared.worker:
        return subprocess.run(locust(arguments), check=False).returncode
    own, arguments = _own_options().parse_known_args(arguments)
    # A port of its own for master and workers: two rehearsals on one machine would share Locust's.
    meeting = str(free_port())
    command = locust([*arguments, "--master-bind-port", meeting, "--master-port", meeting])
    command += [] if shared.processes else ["--processes", "2"]
    command += [] if shared.visitors else ["--visitors", "2000"]
    document = read_json(own.plan) if own.plan else None
    check_ports((own.port, own.port + 1))
    end_as_with_ctrl_c()
    return _on_stage(command, own, shared, document)


def _on_stage(command: list[str], own: argparse.Namespace, shared: argparse.Namespace, document: object) -> int:
    folder = new_folder()
    servers: EmbeddedServers | None = None
    try:
        with contextlib.ExitStack() as stack:
            say("Starting servers, and opening the house …")
            servers, network_file = stack.enter_context(embedded_network(demo_network_file(), folder / "data"))
            company = stack.enter_context(Company(folder))
            staged = uvloop.run(_open_houses(company, network_file, own, shared, document))
            return _let_come([*command, *_where(staged)], staged)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if servers is not None:
            servers.erase()
        shutil.rmtree(folder, ignore_errors=True)


async def _open_houses(
    company: Company,
    network_file: Path,
    own: argparse.Namespace,
    shared: argparse.Namespace,
    document: object,
) -> Staged:
    network = load(network_file)
    slugs = (RUSH, QUIET) if shared.shape == TWO_HOUSES else (RUSH,)
    urls = {slug: f"http://127.0.0.1:{own.port + number}" for number, slug in enumerate(slugs)}
    for slug in slugs:
        company.serve(network.house(slug), network_file, int(urls[slug].rpartition(":")[2]))
    await company.until_ready()
    opened = {}
    for slug in slugs:
        async with at_house(network_file, slug) as (cell, ledger):
            if slug == QUIET:
                opened[slug] = await put_on(cell, ledger, SHOWS[slug], lambda _: QUIET_PACE, now_ms())
            else:
                opens_at_ms = now_ms() + int(1000 * _opens_in_s(shared))
                opened[slug] = await put_on(
                    cell, ledger, SHOWS[slug], lambda _: _pace(own), opens_at_ms, document=document
                )
    return Staged(urls, opened, network_file)


def _pace(own: argparse.Namespace) -> dict[str, Any]:
    return {
        "rate_per_minute": own.rate,
        "cap": own.cap,
        "hold_seconds": own.hold_seconds,
        "pass_seconds": 120,
        "turn_seconds": 60,
        "return_delay_seconds": 2,
    }


def _opens_in_s(shared: argparse.Namespace) -> float:
    """A spike and a soak strike a sale that has been open for a while."""
    if shared.shape not in {"opening", TWO_HOUSES}:
        return 0
    quiet_s = shared.quiet_s if shared.shape == TWO_HOUSES else 0
    return float(LEAD_SECONDS + quiet_s + shared.come_within_s)


def _where(staged: Staged) -> list[str]:
    """The options that say where the crowd goes, and who audits."""
    auditor = f"{sys.executable} -m engine.cli audit --network {staged.network_file} --json --house {{house}}"
    options = ["--host", staged.urls[RUSH], "--house", RUSH, "--on-sale", staged.opened[RUSH].on_sale]
    options += ["--auditor", auditor]
    if QUIET in staged.opened:
        options += ["--quiet-host", staged.urls[QUIET], "--quiet-house", QUIET]
        options += ["--quiet-on-sale", staged.opened[QUIET].on_sale]
    return options


def _let_come(command: list[str], staged: Staged) -> int:
    opened = staged.opened[RUSH]
    keys = {"PARVIS_KEY": opened.manage_key, "PARVIS_COUNTER_KEY": opened.counter_key}
    # In a session of its own it hears of an interruption from here alone, once, and still gives its verdict.
    process = subprocess.Popen(
        command,
        env=os.environ | keys,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=child_of_this(),  # noqa: PLW1509 - only system calls
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        code = process.wait(LAST_WORDS_SECONDS)
        return code if code >= 0 else INTERRUPTED  # it had not begun yet
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
