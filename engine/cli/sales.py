"""What a house's manager does from a shell: halls, performances, on-sales, keys. The API does the same."""

import contextlib
import getpass
import json
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import tomli_w

from engine import house as houses
from engine import on_sale as on_sales
from engine.access_release import change_release
from engine.catalogue import OnSale, Performance, PriceType, RateStep, Release
from engine.cell import Cell
from engine.cli.speech import good, so_many
from engine.entries import Action, Payment
from engine.errors import BadInput, BadNetworkFile, Refused
from engine.exchange import Wanted, difference_of, exchange
from engine.halls.pretix import Ids, import_plan
from engine.halls.sheet import write_sheet
from engine.house import Change
from engine.instants import from_rfc3339, now_ms, to_rfc3339
from engine.ledger.ledger import Ledger
from engine.network import House, Policy, load
from engine.orders import new_order_id
from engine.plan_change import NewPlan, replan
from engine.returns import give_back
from engine.schedule import told
from engine.seats import hold, release
from engine.shares import Owner
from engine.signing import Hold
from engine.wishes import Wish
from engine.words import HallId, OnSaleId, OrderId, PerformanceId

LARGEST_JSON_BYTES: Final = 64 * 1024 * 1024
SHARED_POLICY: Final = Policy(
    fees="A booking fee stands beside each price; nothing else is added when you pay.",
    refunds="A ticket can be refunded or exchanged until 48 hours before the performance.",
    delivery="Tickets come by e-mail at once.",
)


@asynccontextmanager
async def at_house(network_file: Path, slug: str, *, is_owner: bool = False) -> AsyncIterator[tuple[Cell, Ledger]]:
    """The cell and the ledger of a house. Raises `BadInput` for an unknown house, `CellUnavailable`."""
    house = load(network_file).house(slug)
    cell = Cell(house, is_owner=is_owner)
    ledger = Ledger(house.postgres_dsn, pool=1, timeout_ms=house.limits.postgres_timeout_ms)
    try:
        await cell.look()
        yield cell, ledger
    finally:
        await cell.close()
        await ledger.close()


@asynccontextmanager
async def at_ledger(network_file: Path, slug: str) -> AsyncIterator[tuple[House, Ledger]]:
    """A house and its ledger alone: its Redis may be away. Raises `BadInput` for an unknown house."""
    house = load(network_file).house(slug)
    ledger = Ledger(house.postgres_dsn, pool=1, timeout_ms=house.limits.postgres_timeout_ms)
    try:
        yield house, ledger
    finally:
        await ledger.close()


def change_of(why: str) -> Change:
    """Whoever is at the shell, and why. Raises `BadInput` without a reason."""
    if not why.strip():
        raise BadInput("--reason says why")
    return Change(who=f"shell: {getpass.getuser()}", why=why)


def add_house(network_file: Path, added: dict[str, Any]) -> None:
    """Appends a house to a network file, if the file is then right. Raises `BadInput` with every fault.

    A new file, or one without a policy, gets a shared policy to be put in the network's own words.
    """
    is_new = not network_file.exists()
    before = 'name = "Network"\n' if is_new else network_file.read_text(encoding="utf-8")
    document = _parse(network_file, before)
    policy = added.get("policy") or next(iter(document.get("policies", {})), "shared")
    if policy == "shared" and "policies" not in document:
        before += "\n" + tomli_w.dumps({"policies": {"shared": msgspec.to_builtins(SHARED_POLICY)}})
    after = before.rstrip() + "\n\n[[houses]]\n" + tomli_w.dumps({**added, "policy": policy})
    # Its owner's alone, as it holds passwords; or as it was.
    draft = network_file.with_name(f".{network_file.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    try:
        if not is_new:
            draft.chmod(network_file.stat().st_mode)
        draft.write_text(after, encoding="utf-8")
        load(draft)
        draft.replace(network_file)
    except BadNetworkFile as error:
        raise BadInput(
            f"{network_file} is left as it was: with this house it would have faults", error.problems
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    good(f"{added['name']} ({added['slug']}) is in {network_file}. Next: parvis serve --network {network_file}")


def _parse(network_file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{network_file} is not TOML: {error}") from error


async def import_plan_file(
    network: Path, house: str, file: Path, hall: str, name: str, ids: Ids, aisles: Path | None, why: str
) -> None:
    """Creates a hall from a plan's file, its aisles corrected by a sheet. Raises `BadPlan` with every fault."""
    sheet = aisles.read_text(encoding="utf-8-sig") if aisles else ""
    document = read_json(file)
    title = name or str(document.get("name") or file.stem) if isinstance(document, dict) else name
    slug = hall or "".join(letter if letter.isalnum() else "-" for letter in title.lower()).strip("-")[:40]
    async with at_house(network, house) as (cell, ledger):
        opened = await houses.add_hall(cell, ledger, slug, title, document, change_of(why), ids=ids, aisles=sheet)
    good(f"hall {slug}: {opened.layout.capacity} places, {', '.join(opened.layout.categories)}")


async def export_plan_file(network: Path, house: str, hall: str, *, is_plain: bool) -> None:
    """Prints a hall's plan as JSON; `is_plain`: without what pretix's format lacks. Raises `Refused`."""
    async with at_house(network, house) as (cell, _):
        plan = houses.find_hall(cell, hall).hall.plan
    print(
        json.dumps({name: part for name, part in plan.items() if name != "parvis" or not is_plain}, ensure_ascii=False)
    )


def print_aisles(file: Path, ids: Ids) -> None:
    """Prints where a plan's aisles are, as a sheet to correct. Raises `BadPlan`."""
    print(write_sheet(import_plan(read_json(file), ids)), end="")


async def change_plan(
    network: Path, house: str, performance: str, hall: str, prices: dict[str, str], price_types: Path | None, why: str
) -> None:
    """Moves a performance to another hall's plan, on sale or not. Raises `BadInput`, `Refused`."""
    wanted = NewPlan(
        hall=HallId(hall),
        prices=read_prices(prices) if prices else None,
        price_types=read_price_types(price_types) if price_types else None,
    )
    async with at_house(network, house) as (cell, ledger):
        made = await replan(cell, ledger, PerformanceId(performance), wanted, change_of(why), new_order_id())
    good(f"{performance} is sold from the plan of {made.hall}; it has changed {made.plan_change} times")


async def change_access_release(network: Path, house: str, performance: str, steps: Sequence[str], why: str) -> None:
    """Changes when places for wheelchairs become general seats. Raises `BadInput`, `Refused`."""
    wanted = [_read_step(step) for step in steps]
    async with at_house(network, house) as (cell, ledger):
        made = await change_release(cell, ledger, PerformanceId(performance), wanted, change_of(why), new_order_id())
    said = ", ".join(f"{step.percent} % from {to_rfc3339(step.at_ms)} on" for step in made.access_release)
    good(f"{performance} releases {said or 'no places for wheelchairs'}")


def _read_step(text: str) -> Release:
    instant, _, percent = text.rpartition("=")
    if not percent.isdecimal():
        raise BadInput(f"{text!r} is not an instant and a percentage such as 2026-09-01T10:00:00+02:00=50")
    return Release(from_rfc3339(instant), int(percent))


def read_json(file: Path) -> object:
    """The file's JSON. Raises `BadInput` when it is none."""
    size = file.stat().st_size
    if size > LARGEST_JSON_BYTES:
        raise BadInput(f"{file} has {size:,} bytes; {LARGEST_JSON_BYTES:,} is the most")
    try:
        text = file.read_text(encoding="utf-8-sig")  # as some editors save it
        if not text.strip():
            raise BadInput(f"{file} is empty")
        return json.loads(text)
    except RecursionError as error:
        raise BadInput(f"{file} is nested too deep") from error
    except ValueError as error:
        raise BadInput(f"{file} is not JSON: {error}") from error


def read_prices(prices: dict[str, str]) -> dict[str, dict[str, int]]:
    """Prices as typed, a category each, as one standard price. Raises `BadInput` for what is no whole number."""
    wrong = tuple(f"{category}: {price!r}" for category, price in prices.items() if not price.isdecimal())
    if wrong:
        raise BadInput("a price is a whole number of minor units: 1250 for 12.50", wrong)
    return {category: {"standard": int(price)} for category, price in prices.items()}


def read_price_types(file: Path) -> dict[str, PriceType]:
    """The price types of a JSON file, by name. Raises `BadInput` naming what is wrong."""
    try:
        return msgspec.convert(read_json(file), dict[str, PriceType])
    except msgspec.ValidationError as error:
        raise BadInput(f"{file} does not say price types: {error}") from error


async def create_performance(
    network: Path,
    house: str,
    performance: str,
    hall: str,
    starts_at: str,
    prices: dict[str, str],
    price_types: Path | None,
    fields: dict[str, Any],
    why: str,
) -> None:
    """Creates a performance with one standard price a category, and those that are a share of it."""
    made = Performance(
        performance=PerformanceId(performance),
        hall=HallId(hall),
        starts_at_ms=from_rfc3339(starts_at),
        prices=read_prices(prices),
        price_types=read_price_types(price_types) if price_types else {},
        **fields,
    )
    async with at_house(network, house) as (cell, ledger):
        await houses.add_performance(cell, ledger, made, change_of(why))
    good(f"performance {performance}")


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
        made = await houses.add_on_sale(cell, ledger, made, change_of(why))
    good(f"on-sale {on_sale}; the draw's commitment is {made.commitment}")


async def change_on_sale(network: Path, house: str, on_sale: str, verb: str, why: str, **values: Any) -> None:
    """Opens, pauses, resumes, closes, or sets pace or message."""
    detail = {name: value for name, value in values.items() if value is not None}
    action = Action(who=change_of(why).who, what=verb, subject=on_sale, why=why, at_ms=now_ms(), detail=detail)
    async with at_house(network, house) as (cell, _):
        cell.on_sale(on_sale)
        phase = await on_sales.change(cell, action, new_order_id(), **values)
    good(f"{on_sale} is {phase}")


def read_rates(steps: Sequence[str]) -> tuple[RateStep, ...]:
    """What a rate becomes, and when, as typed. Raises `BadInput`."""
    found = []
    for text in steps:
        instant, _, rate = text.rpartition("=")
        if not rate.isdecimal():
            raise BadInput(f"{text!r} is not an instant and a rate such as 2026-09-01T10:00:00+02:00=300")
        found.append(RateStep(from_rfc3339(instant), int(rate)))
    return tuple(found)


async def plan_rates(network: Path, house: str, on_sale: str, steps: Sequence[str], why: str) -> None:
    """Sets what an on-sale's rate becomes later, in place of all that was planned."""
    rates = read_rates(steps)
    detail: dict[str, str | int] = {"rates": told(rates)}
    action = Action(who=change_of(why).who, what="schedule", subject=on_sale, why=why, at_ms=now_ms(), detail=detail)
    async with at_house(network, house) as (cell, _):
        cell.on_sale(on_sale)
        await on_sales.change(cell, action, new_order_id(), rates=rates)
    good(f"{on_sale} lets in {told(rates)}" if rates else f"{on_sale} keeps its rate")


async def refund_order(network: Path, house: str, order: str, why: str, items: tuple[int, ...] = ()) -> None:
    """Returns an order, or only some of its items, counting from 0. Raises `Refused`."""
    if not why.strip():
        raise BadInput("--reason says why")
    async with at_house(network, house) as (cell, ledger):
        returned = await give_back(cell, ledger, OrderId(order), change_of(why), new_order_id(), items=items)
    is_all = returned.state == "refunded"
    words = "is returned:" if is_all else f"stays valid; returned: {so_many(len(returned.returned), 'place')}; left:"
    places = so_many(len(returned.items), "place")
    good(f"order {order} {words} {places}, {returned.total / 100:.2f} {returned.currency}")


async def exchange_order(
    network: Path, house: str, order: str, wish: Wish, items: tuple[int, ...], paid: str, why: str
) -> None:
    """Exchanges an order, or some of its items, for other seats. Raises `BadInput` where a difference is not paid."""
    key = new_order_id()
    async with at_house(network, house) as (cell, ledger):
        on_sale = cell.catalogue.on_sale_of(wish.performance)
        owner = Owner(owner="key:shell", place="", on_sale=on_sale, channel="counter")
        await difference_of(cell, ledger, OrderId(order), items)
        held = (await hold(cell, owner, [wish], (), key)).hold
        try:
            difference = await difference_of(cell, ledger, OrderId(order), items, held.total)
            payment = _till(difference, paid, held, key)
            wanted = Wanted(items=items, held=held, difference=difference, payment=payment)
            made = await exchange(cell, ledger, OrderId(order), wanted, change_of(why), key)
        except (BadInput, Refused):
            with contextlib.suppress(Refused):
                await release(cell, held)
            raise
    words = f"{_money(difference, held)} was paid" if difference > 0 else f"{_money(-difference, held)} goes back"
    good(f"order {order} is exchanged for order {made.order}: {so_many(len(made.items), 'place')}; {words}")


def _till(difference: int, paid: str, held: Hold, key: str) -> Payment | None:
    """How a difference was paid at the till. Raises `BadInput` where it was not."""
    if difference > 0 and not paid:
        raise BadInput(f"it costs {_money(difference, held)} more: --paid cash or --paid card says that it is paid")
    return Payment(provider="counter", reference=f"{paid}-{key}") if difference > 0 else None


def _money(amount: int, held: Hold) -> str:
    return f"{amount / 100:.2f} {held.currency}"


async def create_key(network: Path, house: str, name: str, scopes: tuple[str, ...], why: str) -> None:
    """Creates a key and prints its secret, this once."""
    async with at_house(network, house) as (cell, ledger):
        made, secret = await houses.add_key(cell, ledger, name, scopes, change_of(why), new_order_id())
    good(f"key {made.key_id} ({', '.join(made.scopes)}). Keep it now, it is not shown again:")
    print(secret)
