"""`parvis demo` as a stranger runs it, in processes of its own: the whole story, and a tidy end if it is cut short."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from engine.ports import free_port
from tests.town import small_plan

WANTED = {
    *("visitors", "admitted", "orders_confirmed", "orders_recorded", "seats_sold", "capacity", "double_sold"),
    *("lost", "stranded_holds", "wait_ms_p50", "wait_ms_p95", "duration_s", "houses"),
}
OF_A_HOUSE = {"slug", "seats_sold", "errors", "hold_ms_p99", "hold_ms_p99_quiet"}
HOUSES = 3
PORTS = (*range(HOUSES), 10)


@contextlib.contextmanager
def company_of(folder: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A command of ours whose temporary files lie in `folder`."""
    with subprocess.Popen(
        [sys.executable, "-m", "engine.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"TMPDIR": str(folder)},
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def demo(folder: Path, *options: str) -> contextlib.AbstractContextManager["subprocess.Popen[str]"]:
    """A demo on ports that are free."""
    return company_of(folder, "demo", "--port", str(free_port(*PORTS)), *options)


def everybody(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def those_who_run(process: "subprocess.Popen[str]", *words: str) -> Iterator[psutil.Process]:
    """Those of the family who have all these words in their command line."""
    for each in everybody(process):
        with contextlib.suppress(psutil.Error):  # it has just ended
            line = " ".join(each.cmdline())
            if all(word in line for word in words):
                yield each


def sells_out(folder: Path, sees: Callable[["subprocess.Popen[str]", str], None]) -> tuple[str, dict[str, Any]]:
    """A demo with a small plan, to its end; `sees` gets each line. What it said, and its result: balanced books."""
    plan = folder.with_suffix(".json")
    plan.write_bytes(msgspec.json.encode(small_plan(rows=24, seats=14, standing=60)))
    with demo(folder, "--visitors", "800", "--seed", "7", "--exit", "--json", "--plan", str(plan)) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            sees(process, line)
        told = "".join(lines)
        assert process.wait(10) == 0, told
    result: dict[str, Any] = msgspec.json.decode(lines[-1])
    assert result["double_sold"] == result["lost"] == result["stranded_holds"] == 0
    assert result["orders_confirmed"] == result["orders_recorded"] > 50
    assert result["takings"] == result["recorded_takings"] > 0
    return told, result


def assert_nothing_is_left(family: list[psutil.Process], folder: Path) -> None:
    deadline = time.monotonic() + 10
    while alive := [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)
    assert not list(folder.iterdir())


@pytest.mark.timeout(200)
def test_a_house_sells_out_its_own_plan_through_faults_and_the_books_balance(short_folder: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir=short_folder))
    folder.chmod(0o755)
    family: list[psutil.Process] = []

    def sees(process: "subprocess.Popen[str]", line: str) -> None:
        if "Postgres is stopped" in line:
            family.extend(everybody(process))

    told, result = sells_out(folder, sees)
    assert family
    assert "Redis of Concertzaal Zeewind is frozen" in told
    assert result.keys() >= WANTED
    assert result["capacity"] == result["seats_sold"] == 24 * 14 + 60
    assert result["visitors"] == 800
    assert len(result["houses"]) == HOUSES
    for house in result["houses"]:
        assert house.keys() >= OF_A_HOUSE
        assert house["errors"] == 0, house
        assert house["hold_ms_p99"] > 0
    assert result["asked_again"].get("cell-unavailable", 0) > 0, "the frozen Redis was not noticed by anybody"
    assert_nothing_is_left(family, folder)


@pytest.mark.timeout(240)
def test_whoever_kills_what_runs_sees_it_go_on_and_the_books_balance(short_folder: Path) -> None:
    """Somebody strikes at each point of the story, beside its own faults: a Redis, two servers, Postgres."""
    folder = Path(tempfile.mkdtemp(dir=short_folder))
    folder.chmod(0o755)
    redis = 0

    def strikes(process: "subprocess.Popen[str]", line: str) -> None:
        nonlocal redis
        if found := re.search(r"Concertzaal Zeewind +│ process (\d+)", line):
            redis = int(found[1])
        elif "live seat map" in line:
            os.kill(redis, signal.SIGKILL)
        elif "Postgres is stopped" in line:
            for house in ("zeewind", "klinker"):
                next(those_who_run(process, "engine.cli serve", f"--house {house}")).kill()
        elif "It goes on" in line:
            next(those_who_run(process, "postgres", "-D")).kill()

    told, _ = sells_out(folder, strikes)
    for name in ("Redis of zeewind", "server of zeewind", "server of klinker", "Postgres"):
        assert f"The {name} had ended; it is started again." in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_cut_short_leaves_nothing_behind(short_folder: Path, number: signal.Signals) -> None:
    folder = Path(tempfile.mkdtemp(dir=short_folder))
    folder.chmod(0o755)
    with demo(folder, "--visitors", "100") as process:
        assert process.stdout is not None
        told: list[str] = []
        while not told or "live seat map" not in told[-1]:
            line = process.stdout.readline()
            assert line, "".join(told)
            told.append(line)
        deadline = time.monotonic() + 20
        while not any(those_who_run(process, "loadtests.crowd")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        family = everybody(process)
        assert len(family) > 2 * HOUSES
        process.send_signal(number)
        assert process.wait(30) == 0, process.stdout.read()
    assert_nothing_is_left(family, folder)


@pytest.mark.parametrize(
    ("words", "code"),
    [(("demo", "--visitors", "100"), 0), (("torture", "--minutes", "0.1"), 130), (("load", "--headless"), 130)],
)
def test_what_is_interrupted_while_its_servers_start_leaves_nothing_behind(
    short_folder: Path, words: tuple[str, ...], code: int
) -> None:
    folder = Path(tempfile.mkdtemp(dir=short_folder))
    folder.chmod(0o755)
    ports = () if words[0] == "torture" else ("--port", str(free_port(*PORTS)))
    with company_of(folder, *words, *ports) as process:
        deadline = time.monotonic() + 60
        while not any(those_who_run(process, "initdb")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        family = everybody(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == code, process.stdout and process.stdout.read()
    assert_nothing_is_left(family, folder)


def test_sigterm_ends_a_loop_also_where_an_exception_would_be_swallowed() -> None:
    program = """
import asyncio, uvloop
from engine.cli.stage import end_as_with_ctrl_c

class Slow:
    def __del__(self):
        for _ in range(1_000_000):
            pass

async def main():
    print("runs", flush=True)
    while True:
        Slow()
        await asyncio.sleep(0)

end_as_with_ctrl_c()
try:
    uvloop.run(main())
except KeyboardInterrupt:
    print("ends")
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "runs\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            assert process.stdout.read() == "ends\n"
        finally:
            process.kill()


def test_an_interruption_before_anything_has_begun_is_silent() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "engine.cli", "codes"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.rstrip().endswith("structlog"):
                process.send_signal(signal.SIGINT)
                break
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == -signal.SIGINT


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--plan", "no-such-file.json"), "no-such-file.json"),
        (("--visitors", "0"), "at least one visitor"),
        (("--port", "70000"), "port 70000"),
    ],
)
def test_a_demo_that_cannot_be_says_why(short_folder: Path, options: tuple[str, ...], word: str) -> None:
    command = [sys.executable, "-m", "engine.cli", "demo", *options]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 2
    assert word in told.stderr
    assert "Traceback" not in told.stderr
