"""What can be checked from a shell: a plan, the books, a draw, the installation."""

import asyncio
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import uvloop
from redis.exceptions import RedisError
from rich.table import Table

from engine.audit import Audit, audit
from engine.cell import Cell
from engine.cli.attention import in_words
from engine.cli.sales import at_house, read_json
from engine.cli.speech import bad, console, good, say, so_many
from engine.errors import BadInput, CellUnavailable, ForgedToken, LedgerUnavailable, ParvisError
from engine.halls.check import check, summary
from engine.halls.pretix import Ids
from engine.instants import from_rfc3339, now_ms
from engine.ledger import attention
from engine.ledger.ledger import Ledger
from engine.ledger.recoveries import recoveries
from engine.library import assemble
from engine.network import House, Network, load
from engine.nodes import faults_of_nodes
from engine.pressure import Pressure
from engine.rights import too_much
from engine.signed import read_signed

NEEDED = ("litestar", "granian", "uvloop", "msgspec", "redis", "hiredis", "asyncpg", "alembic", "PyJWT")
OLDEST_PYTHON = (3, 11)


def check_plan(file: Path, ids: Ids, *, is_json: bool) -> int:
    """Prints what is wrong with a plan, and where. Answers the exit code."""
    document = read_json(file)
    faults = check(document, ids)
    errors = [fault for fault in faults if fault.severity == "error"]
    if is_json:
        print(msgspec.json.encode({"errors": len(errors), "faults": list(faults)}).decode())
        return 1 if errors else 0
    for fault in faults:
        colour = "red" if fault.severity == "error" else "yellow"
        say(f"{fault.where}: {fault.what}", mark=f"[{colour}]{fault.severity}[/]")
        if fault.remedy:
            say(f"      → {fault.remedy}")
    if errors:
        bad(f"{so_many(len(errors), 'error')}: this plan cannot be sold from")
        return 1
    good(summary(document, ids))
    return 0


def print_audit(found: Audit) -> None:
    """The books of a house as a table, with every fault in words."""
    table = Table(title=f"{found.house}: {'the books balance' if found.is_clean else 'the books do NOT balance'}")
    for column in (
        "seats",
        "sold",
        "held",
        "open",
        "orders",
        "recorded",
        "takings",
        "double sold",
        "lost",
        "stranded",
    ):
        table.add_column(column, justify="right")
    values = (
        *(found.seats, found.sold, found.held, found.open, found.orders_confirmed, found.orders_recorded),
        *(f"{found.takings / 100:.2f}", found.double_sold, found.lost, found.stranded_holds),
    )
    table.add_row(*map(str, values))
    console.print(table)
    for fault in found.faults:
        bad(fault)


async def audit_house(network: Path, slug: str, *, is_json: bool) -> int:
    """Audits a house. Answers the exit code."""
    async with at_house(network, slug) as (cell, ledger):
        found = await audit(cell, ledger)
    if is_json:
        print(msgspec.json.encode({**msgspec.structs.asdict(found), "clean": found.is_clean}).decode())
    else:
        print_audit(found)
    return 0 if found.is_clean else 1


async def verify_status(address: str, keys: str) -> int:
    """Checks who signed a status, or a summary, and says how old it is. Answers the exit code.

    Raises `BadInput`, `CellUnavailable`.
    """
    if not keys:
        own, is_status, _ = address.partition("/on-sales/")
        if not is_status:
            raise BadInput("--keys ADDRESS is needed: where the house publishes its keys")
        keys = f"{own}/.well-known/jwks.json"
    try:
        told = await read_signed(address, keys)
    except ForgedToken as error:
        bad(f"{address}: {error}")
        return 1
    age_s = (now_ms() - from_rfc3339(told.server_time)) / 1000 if told.server_time else None
    when = "" if age_s is None else f" {age_s:.1f} s ago"
    good(f"{told.house}/{told.on_sale} is {told.phase}, said by the house itself{when}")
    return 0


async def _doctor_house(house: House) -> list[str]:
    """What is wrong with a house's cell, in words."""
    faults = []
    cell = Cell(house)
    ledger = Ledger(house.postgres_dsn, pool=1, timeout_ms=house.limits.postgres_timeout_ms)
    try:
        await cell.look()
        if cell.pressure != Pressure():
            faults.append(f"it is under pressure: {cell.pressure}")
        if not cell.is_open:
            faults.append("its gate is closed: is `parvis serve` running for this house, and can it reach Postgres?")
    except (CellUnavailable, ParvisError, OSError) as error:
        faults.append(f"its Redis does not answer as it should: {str(error) or type(error).__name__}")
    try:
        await asyncio.wait_for(ledger.position(), 10)
        unseen = await attention.alarms(ledger, 1000)
        if unseen:
            count = so_many(len(unseen), "alarm")
            faults.append(f"{count} that nobody has seen to (`parvis alarm list`): {unseen[0].words}")
        last = await recoveries(ledger, 1)
        if last:
            say(f"  {house.slug}: last recovery at {last[0].at}: {in_words(last[0])}")
        faults += await too_much(house, ledger)
        faults += await faults_of_nodes(house)
    except (LedgerUnavailable, TimeoutError, OSError) as error:
        faults.append(f"its Postgres does not answer: {str(error) or type(error).__name__}")
    except RedisError as error:
        faults.append(f"its Redis does not say what its users may do: {error}")
    finally:
        await cell.close()
        await ledger.close()
    return faults


def _say_of_proxies(network: Network) -> None:
    """`parvis serve` speaks no TLS: where a house answers by https, a proxy stands before it."""
    behind = [house.slug for house in network.houses if house.address.startswith("https://")]
    if behind and not network.trusted_proxies:
        said = f"trusted_proxies = 0, and a proxy stands before {', '.join(behind)}: all visitors come from its address"
        say(f"{said}, and are taken for one neighbour. How many proxies stand there?", mark="[yellow]?[/]")


async def doctor(network_file: Path | None) -> int:
    """Says what is wrong with this installation. Answers the exit code."""
    faults = []
    if sys.version_info < OLDEST_PYTHON:
        faults.append(f"Python {platform.python_version()} is older than 3.11")
    for name in NEEDED:
        try:
            version(name)
        except PackageNotFoundError:
            faults.append(f"the package {name} is not installed")
    if not isinstance(asyncio.get_running_loop(), uvloop.Loop):
        faults.append("the event loop is not uvloop")
    say(f"Python {platform.python_version()}, function library {assemble().name}")
    if network_file is None:
        say("No network file was named (--network FILE): houses were not looked at")
    else:
        network = load(network_file)
        _say_of_proxies(network)
        for house in network.houses:
            found = await _doctor_house(house)
            faults += [f"{house.slug}: {fault}" for fault in found]
            if not found:
                good(f"{house.slug}: open, Redis and Postgres answer")
    for fault in faults:
        bad(fault)
    if not faults:
        good("nothing is wrong here")
    return 1 if faults else 0
