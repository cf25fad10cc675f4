"""What a house's manager does from a shell: halls, performances, on-sales, keys. The API does the same."""

import getpass
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import tomli_w
from rich.console import Console

from engine import house as houses
from engine import on_sale as on_sales
from engine.catalogue import OnSale, Performance
from engine.cell import Cell
from engine.entries import Action
from engine.errors import BadInput
from engine.house import Change
from engine.instants import from_rfc3339, now_ms
from engine.ledger.ledger import Ledger
from engine.network import load
from engine.orders import new_order_id
from engine.words import HallId, HouseSlug, OnSaleId, PerformanceId

console = Console()


@asynccontextmanager
async def at_house(network_file: Path, slug: str, *, is_owner: bool = False) -> AsyncIterator[tuple[Cell, Ledger]]:
    """The cell and the ledger of a house. Raises `BadInput` for an unknown house, `CellUnavailable`."""
    network = load(network_file)
    if slug not in {house.slug for house in network.houses}:
        raise BadInput(f"the network has no house {slug!r}; it has {', '.join(h.slug for h in network.houses)}")
    house = network.house(HouseSlug(slug))
    cell = Cell(house, is_owner=is_owner)
    ledger = Ledger(house.postgres_dsn, pool=1, timeout_ms=house.limits.postgres_timeout_ms)
    try:
        await cell.look()
        yield cell, ledger
    finally:
        await cell.close()
        await ledger.close()


def _change(why: str) -> Change:
    return Change(who=f"shell: {getpass.getuser()}", why=why)


def add_house(network_file: Path, slug: str, name: str, redis_url: str, postgres_dsn: str) -> None:
    """Appends a house to a network file, if the file is then still right. Raises `BadNetworkFile`."""
    before = network_file.read_text(encoding="utf-8") if network_file.exists() else 'name = "Network"\n'
    added = {"slug": slug, "name": name, "redis_url": redis_url, "postgres_dsn": postgres_dsn}
    after = before.rstrip() + "\n\n[[houses]]\n" + tomli_w.dumps(added)
    draft = network_file.with_suffix(".draft.toml")
    draft.write_text(after, encoding="utf-8")
    try:
        load(draft)
        draft.replace(network_file)
    finally:
        draft.unlink(missing_ok=True)
    console.print(f"[green]✓[/] {name} ({slug}) is in {network_file}. Next: parvis serve --network {network_file}")


async def import_plan_file(network: Path, house: str, file: Path, hall: str, name: str, ids: str, why: str) -> None:
    """Creates a hall from a plan's file. Raises `BadPlan` with every fault."""
    document = read_json(file)
    title = name or str(document.get("name") or file.stem) if isinstance(document, dict) else name
    slug = hall or "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")[:40]
    async with at_house(network, house) as (cell, ledger):
        opened = await houses.add_hall(cell, ledger, slug, title, document, _change(why), ids=ids)
    console.print(f"[green]✓[/] hall {slug}: {opened.layout.capacity} places, {', '.join(opened.layout.categories)}")


def read_json(file: Path) -> object:
    """The file's JSON. Raises `BadInput` when it is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{file} is not JSON: {error}") from error


async def create_performance(
    network: Path,
    house: str,
    performance: str,
    hall: str,
    title: str,
    starts_at: str,
    prices: dict[str, int],
    fee: int,
    currency: str,
    why: str,
) -> None:
    """Creates a performance with one standard price a category."""
    made = Performance(
        performance=PerformanceId(performance),
        hall=HallId(hall),
        title=title,
        starts_at_ms=from_rfc3339(starts_at),
        prices={category: {"standard": price} for category, price in prices.items()},
        fee=fee,
        currency=currency,
    )
    async with at_house(network, house) as (cell, ledger):
        await houses.add_performance(cell, ledger, made, _change(why))
    console.print(f"[green]✓[/] performance {performance}")


async def create_on_sale(
    network: Path,
    house: str,
    on_sale: str,
    title: str,
    performances: Sequence[str],
    times: tuple[str, str],
    fields: dict[str, Any],
    why: str,
) -> None:
    """Puts performances on sale. `times`: when the queue opens, and when sales start."""
    made = OnSale(
        on_sale=OnSaleId(on_sale),
        title=title,
        performances=tuple(map(PerformanceId, performances)),
        prequeue_at_ms=from_rfc3339(times[0]),
        opens_at_ms=from_rfc3339(times[1]),
        **fields,
    )
    async with at_house(network, house) as (cell, ledger):
        made = await houses.add_on_sale(cell, ledger, made, _change(why))
    console.print(f"[green]✓[/] on-sale {on_sale}; the draw's commitment is {made.commitment}")


async def change_on_sale(network: Path, house: str, on_sale: str, verb: str, why: str, **values: Any) -> None:
    """Opens, pauses, resumes, closes, or sets pace or message."""
    detail = {name: value for name, value in values.items() if value is not None}
    action = Action(who=_change(why).who, what=verb, subject=on_sale, why=why, at_ms=now_ms(), detail=detail)
    async with at_house(network, house) as (cell, _):
        cell.on_sale(on_sale)
        phase = await on_sales.change(cell, action, new_order_id(), **values)
    console.print(f"[green]✓[/] {on_sale} is {phase}")


async def create_key(network: Path, house: str, name: str, scopes: tuple[str, ...], why: str) -> None:
    """Creates a key and prints its secret, this once."""
    async with at_house(network, house) as (cell, ledger):
        made, secret = await houses.add_key(cell, ledger, name, scopes, _change(why), new_order_id())
    console.print(f"[green]✓[/] key {made.key_id} ({', '.join(made.scopes)}). Keep it now, it is not shown again:")
    print(secret)
