"""Dead letters from a shell: which there are, what is in one, and recording it after all."""

import getpass
from pathlib import Path

import msgspec
from rich.table import Table

from engine.cli.sales import at_ledger
from engine.cli.speech import console, good, say
from engine.entries import Order, decode_action
from engine.errors import BadInput
from engine.ledger import dead_letters
from engine.ledger.dead_letters import DeadLetter
from engine.network import House
from engine.sealing import Opener, Unopenable
from engine.signing import Signer

UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def _age(seconds: int) -> str:
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"


async def list_letters(network: Path, house: str, *, with_requeued: bool, is_json: bool) -> None:
    """Prints the dead letters of a house; without the customers in them."""
    async with at_ledger(network, house) as (_, ledger):
        found = await dead_letters.dead_letters(ledger, with_requeued=with_requeued)
    if is_json:
        told = [{"entry": each.entry, "kind": each.kind, "at": each.at, "why": each.why} for each in found]
        print(msgspec.json.encode(told).decode())
        return
    if not found:
        good("there is no dead letter")
        return
    table = Table()
    for column in ("entry", "age", "kind", "why"):
        table.add_column(column, overflow="fold")
    for each in found:
        why = f"recorded after all {each.requeued_at}" if each.requeued_at else each.why
        table.add_row(each.entry, _age(each.age_seconds), each.kind or "?", why)
    console.print(table)
    say("`parvis dead-letter show ENTRY` says more; when the cause is mended, `parvis dead-letter requeue ENTRY`.")


async def show(network: Path, slug: str, entry: str, reason: str, *, with_customer: bool) -> None:
    """Prints what is in a dead letter; who buys only if asked for, and that is logged. Raises `BadInput`."""
    if with_customer and not reason.strip():
        raise BadInput("whoever looks at a customer says why: --reason")
    async with at_ledger(network, slug) as (house, ledger):
        letter = await dead_letters.dead_letter(ledger, entry)
        if with_customer:
            await dead_letters.log_reading(ledger, entry, _who(), reason)
    say(f"{letter.entry}: {letter.kind or 'of no kind'}, {_age(letter.age_seconds)} old, since {letter.at}")
    say(f"why: {letter.why}")
    if letter.requeued_at:
        say(f"recorded after all: {letter.requeued_at}")
    if not letter.is_whole:
        say("not whole: it held what Postgres cannot keep")
    order = letter.order()
    if order:
        for line in (*_lines(order), *_customer(house, order, with_customer=with_customer)):
            say(line)
        return
    for line in _plain(letter, with_data=with_customer):
        say(line)


def _lines(order: Order) -> list[str]:
    lines = [f"order: {order.order}", f"on-sale: {order.on_sale}", f"owner: {order.owner} ({order.channel})"]
    lines += [
        f"  {item.performance}, {item.seat or item.area}: {item.category}, {item.price_type}, {item.price} + {item.fee}"
        for item in order.items
    ]
    payment = f"{order.payment.provider} {order.payment.reference}" if order.payment else "none"
    return [*lines, f"total: {order.total} {order.currency} (minor units)", f"payment: {payment}"]


def _customer(house: House, order: Order, *, with_customer: bool) -> list[str]:
    if order.customer is None:
        return ["customer: none"]
    if not with_customer:
        return ["customer: not shown (--customer --reason WHY)"]
    try:
        opened = Opener(Signer(house.slug, house.secrets_path), house.secrets_path).open(order)
    except Unopenable as error:
        return [f"customer: {error}"]
    return [f"customer.{name}: {value}" for name, value in msgspec.structs.asdict(opened).items()] if opened else []


def _plain(letter: DeadLetter, *, with_data: bool) -> list[str]:
    """What is in a letter that holds no order, or none that can be read: somebody's name may still be in it."""
    if letter.kind in {"action", "return"}:
        try:
            action = msgspec.structs.asdict(decode_action(letter.data))
        except (ValueError, msgspec.MsgspecError):
            pass
        else:
            return [f"{name}: {value}" for name, value in action.items()]
    lines = [f"{name}: {value}" for name, value in letter.fields.items() if name != "data"]
    if data := letter.fields.get("data"):
        lines.append(f"data: {data}" if with_data else f"data: {len(data) // 2} bytes (--customer --reason WHY)")
    return lines


def _who() -> str:
    return f"shell: {getpass.getuser()}"


async def requeue(network: Path, slug: str, entry: str, reason: str) -> None:
    """Records a dead letter after all, once. Raises `Refused` where its cause is not mended."""
    if not reason.strip():
        raise BadInput("--reason says why it can be recorded now")
    async with at_ledger(network, slug) as (house, ledger):
        opener = Opener(Signer(house.slug, house.secrets_path), house.secrets_path)
        is_first = await dead_letters.requeue(ledger, entry, opener, who=_who(), why=reason)
    good(f"{entry} is recorded" if is_first else f"{entry} was recorded before")
