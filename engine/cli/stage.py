"""The stage of the demo: embedded servers, the network file that names them, and the processes that run on it."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from importlib.resources import as_file, files
from pathlib import Path
from types import FrameType
from typing import Final, Self

import aiohttp
import msgspec
import tomli_w
from rich.console import Console

from engine.embedded.child import ServerFailed
from engine.embedded.servers import EmbeddedServers
from engine.network import House, Network, load, read_slugs
from engine.network_file import MADE
from engine.parenthood import child_of_this
from engine.words import HouseSlug

READY_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 1.0
STOP_SECONDS: Final = 15.0
NICE: Final = 10
console: Final = Console()


def demo_network_file() -> Path:
    """The network file of the demo, without addresses: three invented houses."""
    with as_file(files("engine.cli").joinpath("demo_network.toml")) as path:
        return path


def write_resolved(network: Network, path: Path) -> None:
    """Writes a network with all its addresses, readable by its owner only: it holds passwords."""
    houses = []
    for house in network.houses:
        fields = msgspec.to_builtins(house, builtin_types=(), enc_hook=str)
        houses.append({name: value for name, value in fields.items() if value not in (None, "") and name != MADE})
    document = {
        "name": network.name,
        "operator_keys": list(network.operator_keys),
        "trusted_proxies": network.trusted_proxies,
        "houses": houses,
    }
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(tomli_w.dumps(document), encoding="utf-8")
    draft.replace(path)


@contextmanager
def embedded_network(
    source: Path, folder: Path, origins: Sequence[str] = (), address: str = ""
) -> Iterator[tuple[EmbeddedServers, Path]]:
    """Starts servers for the network file's houses. Gives them and the network file that names their addresses.

    `origins`: pages of the houses' own that may use the API besides those of the file. `address`: where the API of all
    those houses will answer of which the file says nothing else.
    """
    servers = EmbeddedServers(folder, read_slugs(source))
    with servers:
        network = load(source, servers=servers.addresses)
        houses = tuple(
            msgspec.structs.replace(
                house, allowed_origins=(*house.allowed_origins, *origins), address=house.address or address
            )
            for house in network.houses
        )
        resolved = folder / "network.toml"
        write_resolved(msgspec.structs.replace(network, houses=houses), resolved)
        yield servers, resolved


def say_started_again(name: str) -> None:
    """Tells whoever watches that something of the stage had ended, or was killed, and goes on."""
    console.print(f"[green]▌ The {name} had ended; it is started again.[/]")


class Kept(msgspec.Struct):
    """What is started again when it ends, and how."""

    module: str
    arguments: tuple[str, ...]
    process: "subprocess.Popen[bytes]"


class Company:
    """The processes of a demo. Leaving ends them all, in the reverse order of their start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._kept: dict[str, Kept] = {}
        self._is_kept_up = False
        self._urls: dict[HouseSlug, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self._running):
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def keep(self, name: str, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Starts a module of ours, which `kept_up` starts again."""
        process = self.start(name, module, *arguments)
        self._kept[name] = Kept(module, arguments, process)
        return process

    def start(
        self, name: str, module: str, *arguments: str, is_nice: bool = False, is_read: bool = False
    ) -> "subprocess.Popen[bytes]":
        """Starts a module of ours; its log is `<name>.log` in the folder. `is_read`: its output comes to us."""
        guard = child_of_this()

        def first() -> None:
            guard()
            if is_nice:
                os.nice(NICE)

        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if is_read else log,
                stderr=log,
                start_new_session=True,
                preexec_fn=first,  # noqa: PLW1509 - only system calls
            )
        self._running.append(process)
        return process

    def serve(self, house: House, network_file: Path, port: int) -> "subprocess.Popen[bytes]":
        """Starts `parvis serve` for one house on its own port."""
        self._urls[house.slug] = f"http://127.0.0.1:{port}"
        return self.keep(
            *(house.slug, "engine.cli", "serve", "--network", str(network_file)),
            *("--house", house.slug, "--port", str(port)),
        )

    @asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """Meanwhile what is kept and ends by itself, or is killed, is started again, and that is said."""
        self._is_kept_up = True
        keeping = asyncio.create_task(self._keep_up())
        try:
            yield
        finally:
            keeping.cancel()
            self._is_kept_up = False

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for name, kept in self._kept.items():
                if kept.process.poll() is not None:
                    self._running.remove(kept.process)
                    kept.process = self.start(name, kept.module, *kept.arguments)
                    say_started_again(f"server of {name}")

    async def until_ready(self) -> None:
        """Until every house's gate is open and its API answers.

        Raises `ServerFailed`, with the end of its log, where one ended that nobody starts again, or a minute was not
        enough.
        """
        deadline = time.monotonic() + READY_SECONDS
        timeout = aiohttp.ClientTimeout(total=READY_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for slug, url in self._urls.items():
                while not await _is_ready(session, url):
                    why = self._why_it_stays_away(slug, deadline)
                    if why:
                        log = (self._folder / f"{slug}.log").read_text(errors="replace")[-2000:]
                        raise ServerFailed(f"{slug} did not open ({why}):\n{log}")
                    await asyncio.sleep(0.1)

    def _why_it_stays_away(self, slug: HouseSlug, deadline: float) -> str:
        code = self._kept[slug].process.poll()
        if code is not None and not self._is_kept_up:
            return f"ended with code {code}"
        return f"not within {READY_SECONDS:g} s" if time.monotonic() > deadline else ""


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/readyz") as response:
            return response.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError):
        return False


def end_as_with_ctrl_c() -> None:
    """Whoever asks this process to end (SIGTERM) gets the same tidy end from now on as with Ctrl-C.

    That is asyncio's while a loop runs, which ends the main task: an exception out of nowhere would be swallowed where
    it struck a finalizer or a callback.
    """

    def end(number: int, frame: FrameType | None) -> None:
        as_with_ctrl_c = signal.getsignal(signal.SIGINT)
        if callable(as_with_ctrl_c):
            as_with_ctrl_c(number, frame)
        else:  # in the background of a script nobody hears Ctrl-C
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)


def new_folder() -> Path:
    """A short folder for one demo: a unix socket's path has little room."""
    folder = Path(tempfile.mkdtemp(prefix="parvis-"))
    folder.chmod(0o711)  # Postgres runs as a user of its own below it
    return folder
