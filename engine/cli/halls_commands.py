"""Houses, seating plans and performances from a shell."""

import sys
from pathlib import Path
from typing import Any, Final

import msgspec
from cyclopts import App

from engine.cli import checks, operators, sales
from engine.cli.options import House, Network, Whole, Why, now
from engine.cli.themes import theme
from engine.halls.pretix import Ids, export_plan
from engine.halls.shipped import shipped_plan

house: Final = App(name="house", help="The houses of a network file.")
plan: Final = App(name="plan", help="Seating plans in pretix's format.")
performance: Final = App(name="performance", help="Dated shows.")
key: Final = App(name="key", help="Keys for a house's programs and staff.")
operator: Final = App(name="operator", help="Who looks after the whole network.")


house.command(theme)


@house.command(name="add")
def house_add(
    slug: str,
    name: str,
    *,
    network: Network,
    redis_url: str,
    postgres_dsn: str,
    operator_contact: str,
    redis_owner_url: str = "",
    policy: str = "",
    listed: bool = False,
) -> None:
    """Add a house to a network file, which is made if need be.

    Parameters
    ----------
    slug
        Its name in every path and key: a-z, 0-9 and hyphens. It cannot change later.
    name
        Its name as people know it.
    network
        The network file.
    redis_url
        Its own Redis, as the user who may call its functions.
    postgres_dsn
        Its own database, under its own role.
    operator_contact
        Whom ops reach when its cell is in trouble.
    redis_owner_url
        The same Redis as the ops side, which loads functions and recovers; another user, or the house is refused.
    policy
        A shared policy of the file; left out, the first one there is.
    listed
        Whether its on-sales stand in the network's directory.
    """
    added: dict[str, Any] = {
        "slug": slug,
        "name": name,
        "redis_url": redis_url,
        "postgres_dsn": postgres_dsn,
        "operator_contact": operator_contact,
        "listed": listed,
    }
    chosen = {"redis_owner_url": redis_owner_url, "policy": policy}
    sales.add_house(network, added | {field: value for field, value in chosen.items() if value})


@plan.command(name="check")
def plan_check(file: Path, *, ids: Ids = "guid", json: bool = False) -> None:
    """Explain what is wrong with a seating plan, and where; exit 1 if it cannot be sold from."""
    sys.exit(checks.check_plan(file, ids, is_json=json))


@plan.command(name="example")
def plan_example() -> None:
    """Print a small hall's seating plan, to begin with: 120 seats and a floor for 280."""
    print(msgspec.json.encode(export_plan(shipped_plan("klinker"))).decode())


@plan.command(name="import")
def plan_import(
    file: Path,
    *,
    network: Network,
    house: House,
    hall: str = "",
    name: str = "",
    ids: Ids = "guid",
    aisles: Path | None = None,
    why: Why = "import",
) -> None:
    """Create a hall from a seating plan; `--aisles` takes the sheet of `plan aisles`, corrected."""
    now(sales.import_plan_file(network, house, file, hall, name, ids, aisles, why))


@plan.command(name="export")
def plan_export(hall: str, *, network: Network, house: House, plain: bool = False) -> None:
    """Print a hall's seating plan; with `--plain`, without what only Parvis knows of it."""
    now(sales.export_plan_file(network, house, hall, is_plain=plain))


@plan.command(name="aisles")
def plan_aisles(file: Path, *, ids: Ids = "guid") -> None:
    """Print a plan's rows with a bar at each aisle, what is least sure first: a sheet to correct, for `plan import`."""
    sales.print_aisles(file, ids)


@performance.command(name="create")
def performance_create(
    performance: str,
    *,
    network: Network,
    house: House,
    hall: str,
    title: str,
    starts_at: str,
    price: dict[str, str],
    fee: Whole = 0,
    currency: str = "EUR",
    vat_rate: Whole = 0,
    price_types: Path | None = None,
    why: Why = "create performance",
) -> None:
    """Create a performance. Prices are in minor units, one a category: `--price.Parterre 3200`.

    `--vat-rate` is contained in prices and fee, in basis points: 600 for 6 %. `--price-types` takes a JSON file of the
    others: `{"member": {"share": 8000, "needs": "number", "at_most": 2}}`, a share in basis points of each price.
    """
    fields = {"title": title, "fee": fee, "currency": currency, "vat_rate": vat_rate}
    now(sales.create_performance(network, house, performance, hall, starts_at, price, price_types, fields, why))


@performance.command(name="plan")
def performance_plan(
    performance: str,
    *,
    network: Network,
    house: House,
    hall: str,
    price: dict[str, str] | None = None,
    price_types: Path | None = None,
    why: Why,
) -> None:
    """Sell a performance from another hall's plan from now on, while it is on sale too.

    Seats are the same by their ids. A seat that is held, sold or set aside and not in the new plan refuses it all.
    `--hall` has the new plan (`plan import` makes one); prices, one a category, only where categories are others, and
    with them a file of the others, as for `performance create`.
    """
    now(sales.change_plan(network, house, performance, hall, price or {}, price_types, why))


@performance.command(name="access-release")
def performance_access_release(performance: str, *steps: str, network: Network, house: House, why: Why) -> None:
    """Change when places for wheelchairs that nobody took become general seats, while they are on sale too.

    A step is an instant and so many per cent of those that are free then: 2026-09-01T10:00:00+02:00=50. The steps are
    instead of all that have not passed yet; without any, none is to come.
    """
    now(sales.change_access_release(network, house, performance, steps, why))


@key.command(name="create")
def key_create(name: str, scope: tuple[str, ...], *, network: Network, house: House, why: Why = "create key") -> None:
    """Create a key and print it, this once. Scopes: manage, orders:read, orders:write, counter."""
    now(sales.create_key(network, house, name, scope, why))


@key.command(name="rotate")
def key_rotate(*, network: Network, house: House) -> None:
    """Make the next key that signs passes: published at once, used once everybody who keeps copies has it."""
    operators.rotate_key(network, house)


@house.command(name="keys")
def house_keys(*house: str, network: Network) -> None:
    """Make the keys of houses (default: all) that have none yet, for where a process may not write: in a container."""
    operators.make_house_keys(network, house)


@operator.command(name="key")
def operator_key() -> None:
    """Make a key that shows how every house of the network is doing, and nothing of any customer."""
    operators.make_key()
