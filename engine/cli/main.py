"""The command line `parvis`."""

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import uvloop
from cyclopts import App, Parameter
from rich.console import Console

from engine import logs
from engine.cli import checks, demo, sales, serve
from engine.errors import BadInput, CellUnavailable, LedgerUnavailable, ParvisError, Refused

console = Console(stderr=True)
app = App(name="parvis", help="The on-sale engine: waiting room, seats, orders.", version_flags=["--version"])
house = App(name="house", help="The houses of a network file.")
plan = App(name="plan", help="Seating plans in pretix's format.")
performance = App(name="performance", help="Dated shows.")
on_sale = App(name="on-sale", help="Windows in which performances go on sale.")
key = App(name="key", help="Keys for a house's programs and staff.")
draw = App(name="draw", help="The published draw.")
for part in (house, plan, performance, on_sale, key, draw):
    app.command(part)

Network = Annotated[Path, Parameter(name="--network", env_var="PARVIS_NETWORK", help="The network file.")]
House = Annotated[str, Parameter(name="--house", env_var="PARVIS_HOUSE", help="The house's slug.")]


@app.command(name="serve")
def serve_command(
    *,
    network: Annotated[Path | None, Parameter(env_var="PARVIS_NETWORK")] = None,
    house: tuple[str, ...] = (),
    workers: int = 1,
    host: str = "127.0.0.1",
    port: int = 8000,
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
    if embedded:
        demo.serve_embedded(network, house, address, data)
    elif network is None:
        raise BadInput("--network FILE is needed, or --embedded for the demo network with servers of its own")
    else:
        serve.run(network, house, address)


@app.command(name="demo")
def demo_command(
    *,
    visitors: int = 5000,
    seed: int = 1,
    plan: Path | None = None,
    ids: str = "guid",
    exit: bool = False,  # noqa: A002 - the contract's name
    json: bool = False,
    port: int = 8000,
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


def _now(coroutine: Coroutine[Any, Any, Any]) -> None:
    uvloop.run(coroutine)


@house.command(name="add")
def house_add(slug: str, name: str, *, network: Network, redis_url: str, postgres_dsn: str) -> None:
    """Add a house to a network file."""
    sales.add_house(network, slug, name, redis_url, postgres_dsn)


@plan.command(name="check")
def plan_check(file: Path, *, ids: str = "guid", json: bool = False) -> None:
    """Explain what is wrong with a seating plan, and where; exit 1 if it cannot be sold from."""
    sys.exit(checks.check_plan(file, ids, is_json=json))


@plan.command(name="import")
def plan_import(
    file: Path,
    *,
    network: Network,
    house: House,
    hall: str = "",
    name: str = "",
    ids: str = "guid",
    why: str = "import",
) -> None:
    """Create a hall from a seating plan."""
    _now(sales.import_plan_file(network, house, file, hall, name, ids, why))


@performance.command(name="create")
def performance_create(
    performance: str,
    *,
    network: Network,
    house: House,
    hall: str,
    title: str,
    starts_at: str,
    price: dict[str, int],
    fee: int = 0,
    currency: str = "EUR",
    why: str = "create performance",
) -> None:
    """Create a performance. Prices are in minor units, one a category: `--price.Parterre 3200`."""
    _now(sales.create_performance(network, house, performance, hall, title, starts_at, price, fee, currency, why))


@on_sale.command(name="create")
def on_sale_create(
    on_sale: str,
    *,
    network: Network,
    house: House,
    title: str,
    performance: tuple[str, ...],
    prequeue_at: str,
    opens_at: str,
    rate_per_minute: int = 300,
    cap: int = 500,
    hold_seconds: int = 600,
    seats_a_place: int = 8,
    why: str = "create on-sale",
) -> None:
    """Put performances on sale."""
    fields = {
        "rate_per_minute": rate_per_minute,
        "cap": cap,
        "hold_seconds": hold_seconds,
        "seats_a_hold": min(8, seats_a_place),
        "seats_a_place": seats_a_place,
    }
    _now(sales.create_on_sale(network, house, on_sale, title, performance, (prequeue_at, opens_at), fields, why))


def _verb(name: str, summary: str) -> None:
    def command(on_sale: str, *, network: Network, house: House, why: str) -> None:
        _now(sales.change_on_sale(network, house, on_sale, name, why))

    command.__doc__ = summary
    on_sale.command(command, name=name)


_verb("open", "Open a sale now.")
_verb("pause", "Let nobody in for a while; whoever is in goes on.")
_verb("resume", "Let people in again.")
_verb("close", "End a sale.")


@on_sale.command(name="rate")
def on_sale_rate(
    on_sale: str,
    *,
    network: Network,
    house: House,
    why: str,
    per_minute: int | None = None,
    cap: int | None = None,
) -> None:
    """Set how many are called a minute, how many may be in at once, or both."""
    _now(sales.change_on_sale(network, house, on_sale, "rate", why, rate_per_minute=per_minute, cap=cap))


@on_sale.command(name="message")
def on_sale_message(on_sale: str, text: str, *, network: Network, house: House, why: str) -> None:
    """Tell everyone who waits something; an empty text takes it away."""
    _now(sales.change_on_sale(network, house, on_sale, "message", why, message=text))


@key.command(name="create")
def key_create(name: str, scope: tuple[str, ...], *, network: Network, house: House, why: str = "create key") -> None:
    """Create a key and print it, this once. Scopes: manage, orders:read, orders:write, counter."""
    _now(sales.create_key(network, house, name, scope, why))


@app.command
def audit(*, network: Network, house: House, json: bool = False) -> None:
    """Compare Redis with the ledger; exit 1 if anything is wrong."""
    sys.exit(uvloop.run(checks.audit_house(network, house, is_json=json)))


@draw.command(name="verify")
def draw_verify(file: Path) -> None:
    """Recompute a published draw, from its transcript alone."""
    sys.exit(checks.verify_draw(file))


@app.command
def doctor(*, network: Annotated[Path | None, Parameter(env_var="PARVIS_NETWORK")] = None) -> None:
    """Say in words what is wrong with this installation."""
    sys.exit(uvloop.run(checks.doctor(network)))


def _explain(error: Exception) -> None:
    console.print(f"[bold red]✗[/] {error}", highlight=False)
    problems = error.problems if isinstance(error, BadInput) else ()
    for problem in problems:
        console.print(f"  · {problem}", highlight=False)
    if isinstance(error, Refused) and error.facts:
        for name, fact in error.facts.items():
            console.print(f"  · {name}: {fact}", highlight=False)


def run(arguments: "list[str] | None" = None) -> None:
    """The entry point. Errors of ours become words and exit code 2."""
    logs.configure()
    command: Callable[..., Any] = app
    try:
        command(arguments)
    except (BadInput, Refused, CellUnavailable, LedgerUnavailable, ParvisError, FileNotFoundError) as error:
        _explain(error)
        sys.exit(2)
