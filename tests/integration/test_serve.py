"""`parvis serve` as a process: it starts its own servers, opens its houses, and takes everything along when it ends."""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import tomli_w
from structlog.testing import capture_logs

from engine.cli import lookout, serve
from engine.cli.stage import Company, write_resolved
from engine.embedded.child import ServerFailed
from engine.network import Network, load
from engine.ports import free_port
from engine.writer import Writer
from tests.backstage import running_theatre, until

PARVIS = (sys.executable, "-m", "engine.cli")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can walk down to; pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="pt-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def network_of_one(folder: Path) -> Path:
    """A network file without addresses, as `--embedded` takes it."""
    policy = {"fees": "none", "refunds": "none", "delivery": "none"}
    house = {"slug": "kade", "name": "De Kade", "operator_contact": "ops@example.org", "policy": policy}
    file = folder / "network.toml"
    file.write_text(tomli_w.dumps({"name": "Test", "houses": [house]}))
    return file


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def children_of(pid: int, name: str) -> list[psutil.Process]:
    """What a process runs itself, by a part of its command line."""
    alive = [each for each in psutil.Process(pid).children() if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in alive if name in " ".join(each.cmdline())]


@pytest.mark.timeout(360)
def test_serves_with_servers_of_its_own_and_ends_them_all(folder: Path) -> None:
    port, data, log = free_port(), folder / "data", folder / "serve.log"
    words = ("serve", "--embedded", "--network", str(network_of_one(folder)), "--data", str(data))
    with log.open("wb") as output:
        process = subprocess.Popen([*PARVIS, *words, "--port", str(port)], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 60
        while not is_ready(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        resolved = data / "network.toml"
        assert f"other commands find them with --network {resolved}" in " ".join(log.read_text().split())
        assert resolved.stat().st_mode & 0o077 == 0
        # Another command, which has no PARVIS_ADDRESS, finds the other houses' API by it.
        assert [house.address for house in load(resolved).houses] == [f"http://127.0.0.1:{port}"]

        def doctor() -> int:
            return subprocess.run([*PARVIS, "doctor", "--network", str(resolved)], check=False).returncode

        assert doctor() == 0

        second = subprocess.run(
            [*PARVIS, *words, "--port", str(free_port())], capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 2
        assert f"{data} is in use: process {process.pid} runs its servers there" in " ".join(second.stderr.split())
        assert "Traceback" not in second.stderr

        # What is killed comes back, as a service manager would have it, and the house goes on.
        for name in ("redis-server", "postgres", "granian"):
            deadline = time.monotonic() + 90
            (killed,) = children_of(process.pid, name)
            workers = killed.children(recursive=True)
            killed.kill()
            while [each.pid for each in children_of(process.pid, name)] in ([], [killed.pid]) or not is_ready(port):
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            assert psutil.wait_procs(workers, timeout=20)[1] == [], name
        assert doctor() == 0

        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) > 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert log.read_text().splitlines()[-1].endswith("event=stopped"), "its log tells why it ends"
        assert psutil.wait_procs(family, timeout=10)[1] == []
    finally:
        if process.poll() is None:
            process.kill()


async def test_a_house_that_fails_in_an_unknown_way_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it was, it is no other house's matter: nothing leaves `keep_house`."""
    monkeypatch.setattr(serve, "RETRY_SECONDS", 0.05)
    run, failures = Writer.run, 0

    async def run_badly(writer: Writer, stop: asyncio.Event) -> None:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise ZeroDivisionError
        await run(writer, stop)

    monkeypatch.setattr(Writer, "run", run_badly)
    with running_theatre() as theatre:
        async with theatre.house() as stage:
            stop = asyncio.Event()
            keeping = asyncio.create_task(serve.keep_house(stage.house, stop))

            async def is_open() -> bool:
                assert not keeping.done()
                if failures < 3:
                    return False
                await stage.cell.look()
                return stage.cell.is_open

            await until(is_open, "the house opens after all")
            on_sale = await stage.put_on()
            await stage.sell(on_sale, "zaal-A-1")

            async def is_recorded() -> bool:
                return bool(await stage.value("SELECT count(*) FROM orders") == 1)

            await until(is_recorded, "the order is recorded")
            stop.set()
            await asyncio.wait_for(keeping, 20)


def processes_on(port: int) -> list[psutil.Process]:
    """The API's processes that were started for a port, the server's first."""
    alive = [each for each in psutil.Process().children(recursive=True) if each.status() != psutil.STATUS_ZOMBIE]
    return sorted((each for each in alive if str(port) in each.cmdline()), key=psutil.Process.create_time)


@pytest.mark.timeout(360)
async def test_an_api_that_is_stuck_is_told_of_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether before it listens, or later: a process that lives and does nothing ends by itself never."""
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(lookout, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(lookout, "TOLD_AFTER", 2)
    monkeypatch.setattr(lookout, "STUCK_AFTER", 25)
    monkeypatch.setattr(serve, "MOST_PATIENCE", 1_000)
    address = serve.Address("127.0.0.1", free_port(), workers=1)
    with running_theatre() as theatre, tempfile.TemporaryDirectory() as figures, capture_logs() as told:
        async with theatre.house() as stage:
            network = Path(figures) / "network.toml"
            write_resolved(Network("Test", (stage.house,)), network)
            stop = asyncio.Event()
            serving = asyncio.create_task(serve.serve_api(network, (stage.house,), address, Path(figures), stop))

            def said() -> list[str]:
                return [each["event"] for each in told]

            async def is_started() -> bool:
                return bool(processes_on(address.port))

            async def answers() -> bool:
                assert not serving.done()
                return said()[-1:] == ["the API answers"]

            await until(is_started, "the server is started")
            for family in (processes_on(address.port), []):
                family = family or processes_on(address.port)  # noqa: PLW2901 - whoever answers by then
                told.clear()
                for process in family:
                    process.suspend()
                await until(answers, "another one answers", seconds=120)
                assert "the API does not answer" in said()
                assert "the API was stuck" in said()
                assert psutil.wait_procs(family, timeout=5)[1] == []
            stop.set()
            await asyncio.wait_for(serving, 20)
            assert processes_on(address.port) == []


async def test_a_company_waits_for_no_server_that_has_ended(folder: Path) -> None:
    with running_theatre() as theatre, Company(folder) as company:
        async with theatre.house() as stage:
            company.serve(stage.house, folder / "nowhere.toml", free_port())
            with pytest.raises(ServerFailed, match=r"ended with code 2.*\n.*nowhere\.toml has a fault"):
                await company.until_ready()
