"""`parvis serve`: for each house the keeper of its cell and its writer, and the API workers beside them.

The API runs in processes of its own, so that a rush at the door never delays a writer. Everything that this
process starts ends with it, even if it is killed.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog
import uvloop

from engine.cell import Cell
from engine.cli.lookout import Lookout
from engine.contributions import own_address
from engine.errors import BadInput
from engine.figures import FOLDER_VARIABLE, TELL_SECONDS, Figures, shared_folder
from engine.folding import Folder
from engine.garbage import collect_seldom
from engine.keeper import Keeper
from engine.ledger.ledger import Ledger
from engine.ledger.migrate import migrate
from engine.ledger.retention import forget_daily
from engine.network import House, Network, load
from engine.nodes import keep_prepared
from engine.parenthood import child_of_this
from engine.ports import check_ports
from engine.redis_urls import connect, credentials
from engine.rights import TooMuch, check_rights
from engine.sealing import Opener
from engine.sender import Sender
from engine.sight import NETWORK_KIND, NetworkSight, Sight
from engine.statements import ADDRESS_VARIABLE
from engine.unrecorded import Unrecorded
from engine.writer import Writer

RETRY_SECONDS: Final = 1.0
REFUSED_SECONDS: Final = 5.0
"""Until a house that may do too much is looked at again."""
LONGEST_RETRY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
MOST_PATIENCE: Final = 8
MOST_WORKERS: Final = 256
log = structlog.get_logger()


class Address(msgspec.Struct, frozen=True):
    """Where the API listens, and with how many workers."""

    host: str
    port: int
    workers: int


async def _go_on(what: str, house: House, stop: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Works for one house until `stop`. What goes wrong is logged and begun again: it is no other house's matter."""
    while not stop.is_set():
        try:
            await work()
        except Exception:
            log.exception("begun again", what=what, house=house.slug)
            await _pause(stop, RETRY_SECONDS)


async def keep_house(
    house: House, stop: asyncio.Event, sight: Sight | None = None, figures: Figures | None = None
) -> None:
    """The keeper and the writer of one house, until `stop`. A server that is away is waited for. `sight` sees it.

    `figures`: what the API's processes tell of themselves.
    """
    await _go_on("keeping", house, stop, lambda: _keep_house(house, stop, sight, figures))


async def see_house(sight: Sight, stop: asyncio.Event) -> None:
    """Sees how one house is doing, until `stop`."""
    await _go_on("seeing", sight.house, stop, lambda: sight.run(stop))


async def _until_it_may_run(house: House, ledger: Ledger, stop: asyncio.Event) -> None:
    """Waits for the servers, refuses a house whose users may do too much, and brings its tables up to date."""
    said = ""
    while not stop.is_set():
        seconds = RETRY_SECONDS
        try:
            await check_rights(house, ledger)
            await asyncio.to_thread(migrate, house.postgres_dsn)
        except TooMuch as refusal:
            seconds = REFUSED_SECONDS
            if str(refusal) != said:
                log.error("refused to run", house=house.slug, too_much=refusal.faults)  # noqa: TRY400 - foreseen
            said = str(refusal)
        except Exception as error:  # noqa: BLE001 - whatever a server says while it is away or starting
            log.warning("servers wait", house=house.slug, why=(str(error) or type(error).__name__).splitlines()[0])
        else:
            return
        await _pause(stop, seconds)


async def _keep_house(house: House, stop: asyncio.Event, sight: Sight | None, figures: Figures | None) -> None:
    limits = house.limits
    ledger = Ledger(house.postgres_dsn, pool=limits.postgres_pool, timeout_ms=limits.postgres_timeout_ms)
    await _until_it_may_run(house, ledger, stop)
    cell = Cell(house, is_owner=True)
    owner = connect(house.redis_owner_url, cell.keys.cell)
    user, password = credentials(house.redis_url)
    keeper = Keeper(cell, owner, ledger, user, password, figures)
    writer = Writer(owner, cell.keys, ledger, limits.batch, Opener(cell.signer, house.secrets_path))
    log.info("keeping", house=house.slug, loop=_loop_name())
    if sight is not None:
        sight.keeper = keeper
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keeper.run(stop))
            tasks.create_task(writer.run(stop))
            tasks.create_task(Folder(owner, cell.keys).run(stop))
            tasks.create_task(Unrecorded(owner, cell.keys).run(stop))
            tasks.create_task(keep_prepared(house, stop))
            tasks.create_task(forget_daily(house, ledger, stop, owner))
            tasks.create_task(Sender(house, cell.signer).run(stop))
    finally:
        if sight is not None:
            sight.keeper = None
        await cell.close()
        await ledger.close()
        await owner.aclose()


async def tell_figures(sights: Sequence[Sight], folder: Path, stop: asyncio.Event) -> None:
    """Writes how the houses are doing where the API's processes read it, until `stop`."""
    figures = Figures(folder)
    while not stop.is_set():
        try:
            figures.tell(NETWORK_KIND, NetworkSight({sight.house.slug: sight.seen for sight in sights}))
        except OSError as error:  # a disk that is full is told of by what cannot do without it
            log.warning("figures are not told", why=str(error))
        await _pause(stop, TELL_SECONDS)


def _loop_name() -> str:
    loop = asyncio.get_running_loop()
    return f"{type(loop).__module__}.{type(loop).__qualname__}"


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def api_command(address: Address) -> list[str]:
    """The command line of the API's server."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--loop", "uvloop", "--factory"),
        *("--host", address.host, "--port", str(address.port), "--workers", str(address.workers)),
        *("--log-level", "warning", "--respawn-failed-workers", "--workers-kill-timeout", "3"),
        *("--backlog", "4096", "--no-ws", "api.app:from_environment"),
    ]


async def serve_api(
    network_file: Path, houses: Sequence[House], address: Address, figures: Path, stop: asyncio.Event
) -> None:
    """The API's processes, which share the folder `figures`, until `stop`.

    They are started again when they end by themselves, or are stuck: a little later each time, until they live.
    """
    environment = os.environ | {
        "PARVIS_NETWORK": str(network_file),
        "PARVIS_HOUSES": ",".join(house.slug for house in houses),
        FOLDER_VARIABLE: str(figures),
    }
    pause_seconds, patience = RETRY_SECONDS, 1
    while not stop.is_set():
        process = await asyncio.create_subprocess_exec(
            *api_command(address),
            env=environment,
            start_new_session=True,
            # The API's server takes one SIGTERM. More in a row, as the kernel sends them, can lock it up for ever.
            preexec_fn=child_of_this(signal.SIGKILL),
        )
        lookout = Lookout(own_address(address.host, address.port), Figures(figures), patience)
        ended = asyncio.create_task(process.wait())
        looking = asyncio.create_task(lookout.until_stuck())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((ended, looking, stopping), return_when=asyncio.FIRST_COMPLETED)
        is_stuck = looking.done() and not ended.done()
        for task in (looking, stopping):
            task.cancel()
        if stop.is_set() and not ended.done():
            await _end(process, ended)
            return
        with contextlib.suppress(ProcessLookupError):  # a worker of one that was killed would go on for ever
            os.killpg(process.pid, signal.SIGKILL)
        log.error("the API was stuck" if is_stuck else "the API ended", code=await ended)
        if lookout.has_lived:
            pause_seconds, patience = RETRY_SECONDS, 1
        elif is_stuck:
            patience = min(patience * 2, MOST_PATIENCE)
        await _pause(stop, pause_seconds)
        pause_seconds = min(pause_seconds * 2, LONGEST_RETRY_SECONDS)


async def _end(process: asyncio.subprocess.Process, ended: "asyncio.Task[int]") -> None:
    """Asks the server to stop; then makes it, with everything that it started."""
    process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(ended), STOP_SECONDS)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await ended


def _asked_to_stop(number: signal.Signals, stop: asyncio.Event) -> None:
    stop.set()
    log.info("asked to stop", signal=number.name)


async def _serve(network_file: Path, houses: Sequence[House], address: Address) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, _asked_to_stop, name, stop)
    # What other houses contribute to a draw is asked for here, unless the network file says another address.
    os.environ.setdefault(ADDRESS_VARIABLE, own_address(address.host, address.port))
    log.info("serving", loop=_loop_name(), port=address.port, houses=[house.slug for house in houses])
    sights = [Sight(house) for house in houses]
    with shared_folder() as folder:
        async with asyncio.TaskGroup() as tasks:
            for sight in sights:
                tasks.create_task(keep_house(sight.house, stop, sight, Figures(folder)))
                tasks.create_task(see_house(sight, stop))
            tasks.create_task(tell_figures(sights, folder, stop))
            tasks.create_task(serve_api(network_file, houses, address, folder, stop))
    log.info("stopped")


def check(address: Address) -> None:
    """Raises `BadInput` unless it can be listened on with so many workers.

    Two servers that share a port would start in silence and split the visitors between them.
    """
    if not 1 <= address.workers <= MOST_WORKERS:
        raise BadInput(f"--workers lies between 1 and {MOST_WORKERS}")
    check_ports((address.port,), address.host)


def choose(network: Network, slugs: Sequence[str]) -> tuple[House, ...]:
    """The houses named, or all. Raises `BadInput` for an unknown one."""
    known = {house.slug: house for house in network.houses}
    unknown = [slug for slug in slugs if slug not in known]
    if unknown:
        raise BadInput(f"the network has no house {', '.join(unknown)}; it has {', '.join(known)}")
    return tuple(house for house in network.houses if not slugs or house.slug in slugs)


def run(network_file: Path, slugs: Sequence[str], address: Address) -> None:
    """Serves until SIGINT or SIGTERM. Raises `BadInput` for a network file that can't be right."""
    houses = choose(load(network_file), slugs)
    collect_seldom()
    uvloop.run(_serve(network_file.resolve(), houses, address))
