"""The command line `parvis`: what runs and looks after all of it. The other commands stand in `*_commands.py`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import uvloop
from cyclopts import App, Parameter
from rich.console import Console

from engine import logs
from engine.cli import (
    attention,
    checks,
    demo,
    serve,
    torture,
)
from engine.cli.allotments import app as allotment
from engine.cli.codes import app as code
from engine.cli.embed import embed
from engine.cli.halls_commands import house, key, operator, performance, plan
from engine.cli.lines import app as invitation
from engine.cli.load import app as load
from engine.cli.on_sale_commands import on_sale
from engine.cli.options import INTERRUPTED, House, Network, Whole, now
from engine.cli.proof_commands import draw, status
from engine.cli.record_commands import alarm, customer, dead_letter, order, refund, seats
from engine.cli.speech import bad, say
from engine.cli.webhooks import app as webhook
from engine.errors import BadInput, ParvisError, Refused
from engine.halls.pretix import Ids

console = Console(stderr=True)
app = App(name="parvis", help="The on-sale engine: waiting room, seats, orders.", version_flags=["--version"])
for part in (
    house,
    plan,
    performance,
    on_sale,
    key,
    operator,
    draw,
    status,
    customer,
    order,
    seats,
    dead_letter,
    alarm,
    refund,
    webhook,
    code,
    invitation,
    allotment,
    load,
):
    app.command(part)


@app.command(name="serve")
def serve_command(
    *,
    network: Annotated[Path | None, Parameter(env_var="PARVIS_NETWORK")] = None,
    house: tuple[str, ...] = (),
    workers: Whole = 1,
    host: str = "127.0.0.1",
    port: Whole = 8000,
    embedded: bool = False,
    data: Path = Path(".parvis"),
) -> None:
    """Serve API, writers and recovery for the houses named (default: all).

    Parameters
    ----------
    network
        The network file. With `--embedded` it may leave out the servers' addresses.
    house
        A house to serve; may be given several times.
    workers
        API worker processes.
    host
        The address to listen on.
    port
        The port to listen on.
    embedded
        Start a Redis a house and one Postgres here, with their data under `--data`.
    data
        The embedded servers' data; `network.toml` there names them for the other commands.
    """
    address = serve.Address(host=host, port=port, workers=workers)
    serve.check(address)
    if embedded:
        demo.serve_embedded(network, house, address, data)
    elif network is None:
        raise BadInput("--network FILE is needed, or --embedded for the demo network with servers of its own")
    else:
        serve.run(network, house, address)


@app.command(name="demo")
def demo_command(
    *,
    visitors: Whole = 5000,
    seed: Whole = 1,
    plan: Path | None = None,
    ids: Ids = "guid",
    exit: bool = False,  # noqa: A002 - the contract's name
    json: bool = False,
    port: Whole = 8000,
) -> None:
    """Show the whole story on one machine: three houses, a crowd, faults, and the books balanced at the end.

    Parameters
    ----------
    visitors
        How many come to the rush.
    seed
        Makes the crowd's choices the same again.
    plan
        A seating plan in pretix's format, sold instead of the shipped hall.
    ids
        Which ids of that plan are unique: guid or uuid.
    exit
        End after the audit instead of staying up; exit code 0 only if the audit is clean.
    json
        Print one JSON object last.
    port
        The first of the ports to listen on.
    """
    sys.exit(demo.run(demo.Options(visitors, seed, plan, ids, is_ending=exit, is_json=json, port=port)))


@app.command(name="torture")
def torture_command(
    *,
    seed: Whole = 1,
    minutes: float = 0.5,
    only: tuple[str, ...] = (),
    json: bool = False,
) -> None:
    """Try every promise on servers of its own: kills, power cuts, freezes, full disks, clock jumps, late payments.

    Parameters
    ----------
    seed
        Draws the houses, their rules and the faults; the same seed draws the same.
    minutes
        How long faults strike. After them everything has to live again, and the books have to balance.
    only
        A kind of fault to draw from; may be given several times. Left out, all of them.
    json
        Print the verdict as one JSON object last.
    """
    sys.exit(torture.run(seed, minutes, only, is_json=json))


@app.command
def recoveries(*, network: Network, house: House, json: bool = False) -> None:
    """Say what each recovery of the house's Redis found, and what was lost."""
    now(attention.list_recoveries(network, house, is_json=json))


app.command(embed)


@app.command
def audit(*, network: Network, house: House, json: bool = False) -> None:
    """Compare Redis with the ledger; exit 1 if anything is wrong."""
    sys.exit(uvloop.run(checks.audit_house(network, house, is_json=json)))


@app.command
def doctor(*, network: Annotated[Path | None, Parameter(env_var="PARVIS_NETWORK")] = None) -> None:
    """Say in words what is wrong with this installation."""
    sys.exit(uvloop.run(checks.doctor(network)))


def _explain(error: Exception) -> None:
    if isinstance(error, OSError) and error.filename:
        bad(f"{error.filename}: {error.strerror}", console=console)
        return
    bad(str(error) or type(error).__name__, console=console)
    for problem in error.problems if isinstance(error, BadInput) else ():
        say(f"  · {problem}", console=console)
    for name, fact in error.facts.items() if isinstance(error, Refused) else ():
        say(f"  · {name}: {fact}", console=console)


def run(arguments: "list[str] | None" = None) -> None:
    """The entry point. Errors of ours become words and exit code 2."""
    logs.configure()
    command: Callable[..., Any] = app
    try:
        command(arguments)
    except (ParvisError, OSError) as error:
        _explain(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
