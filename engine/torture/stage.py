"""The stage of a torture: embedded servers with the means to hurt them, and `parvis serve` processes on top."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Self

import aiohttp
import msgspec
import tomli_w

from engine.cell import Cell
from engine.cli.sales import SHARED_POLICY, at_house
from engine.cli.stage import write_resolved
from engine.embedded.child import ServerFailed
from engine.embedded.servers import EmbeddedServers
from engine.ledger.ledger import Ledger
from engine.network import load
from engine.parenthood import child_of_this
from engine.ports import free_port
from engine.torture.options import STRUCK, Options
from engine.torture.proxy import FaultProxy
from engine.torture.sale import ON_SALE, put_on
from engine.torture.shim import Shim, missing
from engine.words import HouseSlug

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
NEIGHBOURS_PATIENCE_MS: Final = 5_000
"""A neighbour may be slow on a machine that is this busy; it may not refuse."""
CLAIM_SECONDS: Final = 5
LOOKS: Final = 12


def children_of(pid: int) -> list[int]:
    """The processes below a process, its children first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found = [*parents.get(pid, [])]
    for each in found:
        found += parents.get(each, [])
    return found


class Served(msgspec.Struct):
    """One `parvis serve` of a house."""

    process: "subprocess.Popen[bytes]"
    url: str

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None


class Stage:
    """Servers and processes. A context manager."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="parvis-"))
        self.folder.chmod(0o711)  # Postgres runs as a user of its own below it
        self.servers = EmbeddedServers(self.folder / "data", options.houses)
        self.redis = self.servers.redis[STRUCK]
        self.shim = None if missing() else Shim(self.folder / "shim")
        if self.shim:
            self.redis.environment = self.shim.environment
        self.links = FaultProxy(str(self.redis.socket), str(self.folder / "links.sock"), seed=options.seed)
        self.serving: dict[HouseSlug, list[Served]] = {}
        self.release: Path | None = None
        """The folder of the release that the struck house runs; None: this one."""
        self.asked: Counter[str] = Counter()
        """Requests by where they went."""
        self._all: list[Served] = []

    def __enter__(self) -> Self:
        try:
            self.servers.start()
            self._write_networks()
        except BaseException:  # a Ctrl-C among them
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for served in self._all:
            self.end(served, signal.SIGKILL)
        if self.shim:
            self.shim.calm()
        self.servers.erase()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_networks(self) -> None:
        """Two files: `served` goes to the struck house's Redis by links that may fail, `network` straight there."""
        described = [
            {
                "slug": slug,
                "name": f"House {slug}",
                "operator_contact": "ops@example.org",
                "policy": msgspec.to_builtins(SHARED_POLICY),
                "limits": {"payment_claim_seconds": CLAIM_SECONDS}
                | {"redis_timeout_ms": self.options.redis_timeout_ms if slug == STRUCK else NEIGHBOURS_PATIENCE_MS},
            }
            for slug in self.options.houses
        ]
        source = self.folder / "source.toml"
        source.write_text(tomli_w.dumps({"name": "Torture", "houses": described}), encoding="utf-8")
        network = load(source, servers=self.servers.addresses)
        self.network_file, self.served_file = self.folder / "network.toml", self.folder / "served.toml"
        write_resolved(network, self.network_file)
        straight = network.house(STRUCK)
        urls = {
            name: getattr(straight, name).replace(str(self.redis.socket), self.links.address)
            for name in ("redis_url", "redis_owner_url")
        }
        linked = tuple(
            msgspec.structs.replace(house, **urls) if house.slug == STRUCK else house for house in network.houses
        )
        write_resolved(msgspec.structs.replace(network, houses=linked), self.served_file)
        self.network = network

    @contextlib.asynccontextmanager
    async def house(self, slug: HouseSlug) -> AsyncIterator[tuple[Cell, Ledger]]:
        """The house's cell and ledger, with the rights of its ops side, past the links."""
        async with at_house(self.network_file, slug, is_owner=True) as found:
            yield found

    def url(self, slug: HouseSlug) -> str:
        """Where a house is served just now: one of its servers in turn, as an edge would choose."""
        servers = self.serving[slug]
        chosen = servers[self.asked.total() % len(servers)].url
        self.asked[chosen] += 1
        return chosen

    def serve(self, slug: HouseSlug) -> Served:
        """Starts another `parvis serve` of a house; the struck one's is of the release that it runs."""
        release = self.release if slug == STRUCK else None
        port = free_port()
        command = [sys.executable, "-m", "engine.cli", "serve", "--network", str(self.served_file)]
        command += ["--house", slug, "--port", str(port)]
        command += ["--workers", str(self.options.workers if slug == STRUCK else 1)]
        environment = os.environ | ({"PYTHONPATH": str(release)} if release else {})
        with (self.folder / f"{slug}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=release,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=child_of_this(signal.SIGKILL),  # noqa: PLW1509 - only system calls
            )
        served = Served(process, f"http://127.0.0.1:{port}")
        self._all.append(served)
        return served

    def end(self, served: Served, number: signal.Signals) -> None:
        """Ends a `parvis serve`, which may be frozen, and waits for it."""
        if served.is_running:
            served.process.send_signal(number)
            served.process.send_signal(signal.SIGCONT)
            try:
                served.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                served.process.kill()
                served.process.wait()

    async def is_ready(self, slug: HouseSlug) -> bool:
        """Whether the house's newest server says that it can sell: another release's gate is no business of ours."""
        async with aiohttp.ClientSession() as session:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{self.serving[slug][-1].url}/readyz") as response:
                    return response.status == 200
        return False

    async def until_ready(self, served: Served, path: str = "/readyz") -> None:
        """Waits until it answers. Raises `ServerFailed`."""
        deadline = time.monotonic() + READY_SECONDS
        async with aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(served.url + path) as response:
                        if response.status == 200:
                            return
                if time.monotonic() > deadline or not served.is_running:
                    raise ServerFailed(f"parvis serve does not answer:\n{self.last_words()}")
                await asyncio.sleep(0.05)

    async def until_all_ready(self, served: Served, path: str = "/readyz") -> None:
        """The same for a while on end: each of its workers answers for itself."""
        for _ in range(LOOKS):
            await self.until_ready(served, path)
            await asyncio.sleep(0.1)

    async def open(self) -> None:
        """Serves every house, and opens its on-sale. Raises `ServerFailed`."""
        for slug in self.options.houses:
            self.serving[slug] = [self.serve(slug)]
        for slug in self.options.houses:
            await self.until_ready(self.serving[slug][0])
            async with self.house(slug) as (cell, ledger):
                await put_on(cell, ledger, self.options)
        for slug in self.options.houses:
            await self.until_all_ready(self.serving[slug][0], f"/v1/houses/{slug}/on-sales/{ON_SALE}/status")

    def last_words(self) -> str:
        """The end of every log of `parvis serve`."""
        return "\n".join(path.read_text(errors="replace")[-1500:] for path in sorted(self.folder.glob("*.log")))


def next_release(folder: Path) -> Path:
    """A copy of this release, in a new folder, whose function library is another: its Lua differs by a comment."""
    here = Path(__file__).parents[2]
    for room in ("engine", "api", "lua", "loadtests"):
        shutil.copytree(here / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    script = folder / "lua" / "cell" / "gate.lua"
    script.write_text(script.read_text(encoding="utf-8") + f"-- {folder.name}\n", encoding="utf-8")
    return folder
