"""The rush of the demo: the crowd at one house, calm shoppers at the others, a late bank, and faults on the way."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from engine.cli.programme import RUSH, Opened
from engine.cli.stage import Company, console
from engine.embedded.child import ServerFailed
from engine.embedded.servers import EmbeddedServers
from engine.instants import now_ms
from engine.network import Network
from engine.signing import Signer
from engine.words import HouseSlug

FIRST_FAULT_SECONDS: Final = 5
POSTGRES_AWAY_SECONDS: Final = 10
CALM_SECONDS: Final = 4
REDIS_FROZEN_SECONDS: Final = 3
LATE_PAYMENT_SECONDS: Final = 2.0
LEFT_AT_LEAST: Final = 20
Process = subprocess.Popen[bytes]
Line = dict[str, Any]


class Scene(msgspec.Struct, frozen=True):
    """Where the rush happens: the folder for logs, the servers, and the houses with what they opened."""

    folder: Path
    servers: EmbeddedServers
    network: Network
    urls: dict[HouseSlug, str]
    opened: dict[HouseSlug, Opened]
    opens_at_ms: int


class Told(msgspec.Struct):
    """What came of it: the crowd's summary, each quiet house's samples, the rush house's holds before its rush."""

    opens_at_ms: int
    summary: Line = {}
    samples: dict[HouseSlug, list[Line]] = {}
    quiet_ms: list[float] = []


class Rush:
    """The countdown, the sale and the faults."""

    def __init__(self, scene: Scene, company: Company) -> None:
        self._scene = scene
        self._company = company
        self._told = Told(opens_at_ms=scene.opens_at_ms)

    async def play(self, visitors: int, seed: int, longest_s: int, *, leaves_seats: bool) -> Told:
        """Until the crowd has gone home and every late payment has come. Raises `ServerFailed`."""
        scene = self._scene
        log = scene.folder / "crowd.jsonl"
        crowd = self._company.start(
            "crowd",
            "loadtests.crowd",
            *self._address(RUSH),
            *("--visitors", str(visitors), "--seed", str(seed), "--log", str(log), "--progress"),
            *("--think-s", "0.6", "--longest-s", str(longest_s)),
            *(("--leave-category", self._left_over()) if leaves_seats else ()),
            is_nice=True,
            is_read=True,
        )
        probes = {slug: self._start_probe(slug) for slug in scene.urls if slug != RUSH}
        readers = [asyncio.create_task(self._read_probe(slug, process)) for slug, process in probes.items()]
        bank = asyncio.create_task(self._bank(log))
        faults = asyncio.create_task(self._faults(crowd))
        quiet = asyncio.create_task(self._measure_quiet())
        try:
            await self._follow(crowd, visitors)
            await asyncio.gather(faults, quiet)
            await asyncio.sleep(LATE_PAYMENT_SECONDS)
        finally:
            for process in probes.values():
                process.send_signal(signal.SIGTERM)
            for task in (bank, faults, quiet, *readers):
                task.cancel()
            await asyncio.gather(bank, faults, quiet, *readers, return_exceptions=True)
        return self._told

    def _address(self, slug: HouseSlug) -> tuple[str, ...]:
        scene = self._scene
        return ("--base-url", scene.urls[slug], "--house", slug, "--on-sale", scene.opened[slug].on_sale)

    def _left_over(self) -> str:
        """The smallest category worth leaving to whoever came by the printed link."""
        counts = self._scene.opened[RUSH].categories
        enough = {name: count for name, count in counts.items() if count >= LEFT_AT_LEAST}
        return min(enough or counts, key=lambda name: counts[name])

    async def _follow(self, crowd: Process, visitors: int) -> None:
        """The progress bars, until the crowd has gone home."""
        capacity = self._scene.opened[RUSH].capacity
        columns = (
            TextColumn("{task.description:<13}"),
            BarColumn(22),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console) as bars:
            joined = bars.add_task("in the queue", total=visitors, note="")
            admitted = bars.add_task("let in", total=visitors, note="")
            sold = bars.add_task("seats sold", total=capacity, note="")
            watching = asyncio.create_task(self._watch_seats(lambda count: bars.update(sold, completed=count)))
            async for line in _lines(crowd):
                if line.get("type") == "summary":
                    self._told.summary = line
                    break
                to_go = (self._scene.opens_at_ms - now_ms()) / 1000
                bars.update(joined, completed=line["joined"], note=f"opens in {to_go:.0f} s" if to_go > 0 else "open")
                refused = sum(line["refusals"].values())
                bars.update(
                    admitted, completed=line["admitted"], note=f"{line['confirmed']} orders, {refused} refusals"
                )
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await asyncio.to_thread(crowd.wait)
        if not self._told.summary:
            log = (self._scene.folder / "crowd.log").read_text(errors="replace")[-2000:]
            raise ServerFailed(f"the crowd went home without a word:\n{log}")

    async def _watch_seats(self, show: Callable[[int], None]) -> None:
        scene = self._scene
        url = f"{scene.urls[RUSH]}/v1/houses/{RUSH}/performances/{scene.opened[RUSH].performance}/seats"
        async with aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(url) as response:
                        if response.status == 200:
                            show((await response.json())["seats"].count("s"))
                await asyncio.sleep(1)

    async def _faults(self, crowd: Process) -> None:
        """Postgres away for ten seconds, then the rush house's Redis frozen for three."""
        servers = self._scene.servers
        await asyncio.sleep(max(0.0, (self._scene.opens_at_ms - now_ms()) / 1000) + FIRST_FAULT_SECONDS)
        if crowd.poll() is not None:
            return
        console.print("[yellow]▌ Postgres is stopped for ten seconds; confirming goes on …[/]")
        await asyncio.to_thread(servers.postgres.stop, "immediate")
        await asyncio.sleep(POSTGRES_AWAY_SECONDS)
        await asyncio.to_thread(servers.postgres.start)
        console.print("[green]▌ Postgres is back; the writers catch up.[/]")
        await asyncio.sleep(CALM_SECONDS)
        if crowd.poll() is not None:
            return
        name = self._scene.network.house(RUSH).name
        console.print(f"[yellow]▌ The Redis of {name} is frozen for three seconds …[/]")
        pid = servers.redis[RUSH].pid
        with contextlib.suppress(ProcessLookupError):  # somebody else strikes too
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(REDIS_FROZEN_SECONDS)
            finally:
                os.kill(pid, signal.SIGCONT)
        neighbours = "its neighbours' visitors held seats as before"
        console.print(f"[green]▌ It goes on; its visitors were asked to try again, {neighbours}.[/]")

    def _start_probe(self, slug: HouseSlug) -> Process:
        options = ("--quiet-probe", "--visits-per-second", "5", *self._address(slug))
        return self._company.start(f"probe-{slug}", "loadtests.crowd", *options, is_read=True)

    async def _read_probe(self, slug: HouseSlug, process: Process) -> None:
        samples = self._told.samples.setdefault(slug, [])
        async for line in _lines(process):
            if line.get("type") == "sample":
                samples.append(line)

    async def _measure_quiet(self) -> None:
        """The rush house's own holds before its rush: staff at the counter, a few a second."""
        opened = self._scene.opened[RUSH]
        holds = f"{self._scene.urls[RUSH]}/v1/houses/{RUSH}/holds"
        staff = {"Authorization": f"Bearer {opened.counter_key}"}
        body = {"items": [{"performance": opened.performance, "best": {"quantity": 2}}]}
        async with aiohttp.ClientSession(headers=staff) as session:
            number = 0
            while now_ms() < self._scene.opens_at_ms - 1000:
                number += 1
                started = time.perf_counter()
                with contextlib.suppress(aiohttp.ClientError):  # somebody has just killed it
                    key = {"Idempotency-Key": f"quiet-{number}"}
                    async with session.post(holds, json=body, headers=key) as response:
                        held = await response.json()
                        self._told.quiet_ms.append((time.perf_counter() - started) * 1000)
                    if response.status == 201:
                        async with session.delete(f"{holds}/{held['hold']}"):
                            pass
                await asyncio.sleep(0.2)

    async def _bank(self, log: Path) -> None:
        """Plays the payment provider: tells the house, some seconds later, that late payments came."""
        signer = Signer(RUSH, self._scene.network.house(RUSH).secrets_path)
        url = f"{self._scene.urls[RUSH]}/v1/houses/{RUSH}/payments/demo/events"
        position, due = 0, asyncio.Queue[tuple[float, str]]()
        async with aiohttp.ClientSession() as session:
            while True:
                position = await asyncio.to_thread(_late_references, log, position, due.put_nowait)
                while not due.empty():
                    at, reference = due.get_nowait()
                    await asyncio.sleep(max(0.0, at - time.monotonic()))
                    body = msgspec.json.encode({"reference": reference, "is_paid": True})
                    headers = {"Parvis-Demo-Signature": signer.event_signature("demo", body)}
                    await _tell(session, url, body, headers)
                await asyncio.sleep(0.5)


async def _lines(process: Process) -> AsyncIterator[Line]:
    """The JSON lines that a process of ours writes, until it ends."""
    assert process.stdout is not None  # noqa: S101 - it was started to be read
    while line := await asyncio.to_thread(process.stdout.readline):
        yield msgspec.json.decode(line)


def _late_references(log: Path, position: int, put: Callable[[tuple[float, str]], None]) -> int:
    """Reads on in the crowd's log; answers how far. Late payments come `LATE_PAYMENT_SECONDS` after they were made."""
    if not log.exists():
        return position
    with log.open("rb") as file:
        file.seek(position)
        for line in file:
            if not line.endswith(b"\n"):
                break
            position += len(line)
            entry = msgspec.json.decode(line)
            if entry.get("told") == "ordering" and entry.get("payment") == "late":
                put((time.monotonic() + LATE_PAYMENT_SECONDS, entry["reference"]))
    return position


async def _tell(session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> None:
    """Delivers an event as a provider does: again until it is taken. One that no order waits for is let go."""
    for _ in range(20):
        with contextlib.suppress(aiohttp.ClientError):
            async with session.post(url, data=body, headers=headers) as response:
                if response.status in {200, 404}:
                    return
        await asyncio.sleep(0.5)
