"""Orders: confirm a basket's holds in one step, keep them while a payment is late, settle it. Beside `lua/orders/`."""

import asyncio
import re
import secrets
import time
import uuid
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from engine.cell import Cell, broken, digest, pack
from engine.entries import Customer, Item, Order, Payment, decode_action, decode_order, items_of
from engine.errors import BadInput, Refused
from engine.instants import now_ms
from engine.losses import is_after
from engine.order_steps import TOO_LATE, Sold, conflict, keep, over, packed_holds, sell, sell_after_all
from engine.payments import Outcome, PaymentProvider, provider
from engine.signing import Hold
from engine.waiting_room import newest
from engine.words import OrderId

LONGEST_TEXT: Final = 200
LATE_MS: Final = 3_600_000
"""So long after the latest end of a hold its money still buys the same seats at the same prices; then it goes back.
Less than the day for which nothing else has the hold's name, see `lua/seats/hold.lua`."""
PROVIDER_SECONDS: Final = 5.0
"""For a payment provider to say how a payment stands."""
ADDRESS: Final = re.compile(r'[^\s@,;:<>()[\]"\\]+@[^\s@,;:<>()[\]"\\]+\.[^\s@,;:<>()[\]"\\.]+')
"""One e-mail address, and nothing that a mailer could take for two of them or for a name beside it."""
log = structlog.get_logger()


class Ordered(msgspec.Struct, frozen=True):
    """An order and where it stands: `confirmed`, `awaiting_payment`, `recorded`, `conflicted`, `refunded` or
    `exchanged`.
    """

    order: OrderId
    state: str
    items: tuple[Item, ...]
    total: int
    currency: str
    returned: tuple[Item, ...] = ()
    """Of an order that still stands, what of it was given back; `items` and `total` are without it."""


class Buyer(msgspec.Struct, frozen=True):
    """Who confirms. An empty `owner` may confirm anybody's holds: the house's own back end, or a payment.

    `caller`: whose operation ids these are.
    """

    caller: str
    owner: str
    channel: str
    claim: str = ""
    """The place by the pass of whoever confirms, see `Owner.claim`; empty for the house's own."""


def new_order_id() -> OrderId:
    """A UUIDv7 (RFC 9562): ordered by time, random behind it."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return OrderId(str(uuid.UUID(int=value)))


def check_customer(customer: Customer | None) -> None:
    """Raises `BadInput` for a customer who cannot be written to."""
    if customer is None:
        return
    if not ADDRESS.fullmatch(customer.email):
        raise BadInput("customer.email is not an e-mail address")
    for field in ("email", "name", "language", "phone"):
        text = getattr(customer, field)
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise BadInput(f"customer.{field} is longer than {LONGEST_TEXT} characters, or is not plain text")


async def confirm(
    cell: Cell, buyer: Buyer, holds: Sequence[Hold], customer: Customer | None, payment: Payment, key: str
) -> tuple[OrderId, str]:
    """Confirms the holds as one order, if the payment's provider says that it is paid. Answers order and state.

    Raises `Refused`: `payment-declined`, `payment-used`, `hold-ended` (with a refund requested where the
    money had been taken before and the seats are gone).
    """
    _check_basket(cell, holds, payment)
    check_customer(customer)
    name = new_order_id()
    order = Order(
        order=name,
        on_sale=holds[0].on_sale,
        owner=holds[0].owner,
        items=tuple(item for held in holds for item in held.items),
        total=sum(held.total for held in holds),
        currency=holds[0].currency,
        customer=cell.sealer.seal(customer, name) if customer else None,
        payment=payment,
        channel=buyer.channel,
        mark=_mark(cell, holds[0], customer),
    )
    fingerprint = cell.fingerprint(pack([held.hold for held in holds]), pack(customer), pack(payment))
    operation = digest("order", buyer.caller, key)
    sold = Sold(owner=buyer.owner, place=buyer.claim or holds[0].place, holds=packed_holds(order, holds))
    paid_by = provider(payment.provider)
    slug, is_over = "hold-ended", await _are_over(cell, holds, payment)
    match await outcome_of(paid_by, payment.reference, order.total, order.currency):
        case Outcome.PAID:
            try:
                if is_over:
                    raise over()
                ordered, state = await sell(cell, order, sold, operation, fingerprint)
            except Refused as refusal:
                if refusal.slug not in TOO_LATE or not paid_by.is_charged_first:
                    raise
                slug = refusal.slug
                if is_over:
                    ordered, state = await conflict(cell, order, operation, fingerprint), "conflicted"
                else:
                    ordered, state = await sell_after_all(cell, order, sold.holds, operation, fingerprint)
            if state == "conflicted":
                raise Refused(
                    slug,
                    "these seats cannot be yours any more; your money goes back",
                    order=ordered,
                    order_secret=cell.signer.order_secret(ordered),
                    refund="requested",
                )
            return ordered, state
        case Outcome.PENDING:
            if is_over:
                raise over()
            await newest(cell, order.on_sale, buyer.claim)
            return await keep(cell, order, sold, operation, fingerprint)
    raise Refused("payment-declined", "the payment was declined; your seats stay reserved for you until their time")


async def _are_over(cell: Cell, holds: Sequence[Hold], payment: Payment) -> bool:
    """Whether one of the holds ended so long ago that it is sold no more; not for whoever asks again, having paid."""
    now = now_ms()
    if all(now <= held.latest_ms + LATE_MS for held in holds if held.latest_ms):
        return False
    return await find_paid(cell, payment.provider, payment.reference) is None


def _mark(cell: Cell, held: Hold, customer: Customer | None) -> str:
    """What stands for a visitor's customer where it is counted how much they buy; the house's own staff sell freely."""
    on_sale = cell.catalogue.on_sales.get(held.on_sale)
    is_counted = customer is not None and held.place and on_sale is not None and on_sale.seats_a_customer
    return cell.signer.customer_mark(customer.email).hex() if is_counted and customer else ""


async def outcome_of(paid_by: PaymentProvider, reference: str, total: int | None, currency: str) -> Outcome:
    """How the payment stands; from a provider that does not answer in time, its event will tell."""
    try:
        async with asyncio.timeout(PROVIDER_SECONDS):
            return await paid_by.check(reference, total, currency)
    except (TimeoutError, OSError):
        log.warning("a provider does not answer", provider=paid_by.name)
        return Outcome.PENDING


async def check_under_way(cell: Cell, payment: Payment | None, currency: str) -> None:
    """Raises `Refused` unless a payment is under way, or made, and has bought nothing yet: `payment-not-under-way`,
    `payment-declined`, `payment-used`, `unknown-provider`.
    """
    if payment is None:
        raise Refused("payment-not-under-way", "seats are kept longer only while their payment is under way")
    check_reference(payment)
    if await outcome_of(provider(payment.provider), payment.reference, None, currency) is Outcome.DECLINED:
        raise Refused("payment-declined", "the payment was declined; your seats stay reserved for you until their time")
    if await find_paid(cell, payment.provider, payment.reference) is not None:
        raise Refused("payment-used", "this payment belongs to an order")


def check_reference(payment: Payment) -> None:
    """Raises `BadInput` for a reference that no provider gave."""
    if not 1 <= len(payment.reference) <= LONGEST_TEXT or not payment.reference.isprintable():
        raise BadInput(f"payment.reference has between 1 and {LONGEST_TEXT} plain characters")


def _check_basket(cell: Cell, holds: Sequence[Hold], payment: Payment) -> None:
    """Raises `BadInput` for a basket or payment that cannot be one order."""
    limit = cell.house.limits.holds_an_order
    if not 1 <= len(holds) <= limit:
        raise BadInput(f"an order has between 1 and {limit} holds")
    if len({held.hold for held in holds}) != len(holds):
        raise BadInput("a hold is named twice")
    if len({(held.owner, held.on_sale, held.currency) for held in holds}) > 1:
        raise BadInput("the holds of an order are one visitor's, of one on-sale, in one currency")
    check_reference(payment)


class Found(msgspec.Struct, frozen=True):
    """An order as Redis knows it; `holds` is packed, and kept while a payment is awaited."""

    order: Order
    state: str
    holds: bytes


def _is_recorded(entry: str, recorded: str) -> bool:
    """Whether the writer has committed the outbox up to an entry's id (`<ms>-<number>`)."""
    if not entry:
        return False
    return not is_after(entry, recorded)


async def find_order(cell: Cell, order: OrderId) -> Found | None:
    """An order of the last 24 hours with all that Redis knows of it, or None."""
    reply = await cell.read("orders/find", (cell.keys.order(order), cell.keys.recorded))
    match reply[0]:
        case b"found":
            state = reply[1].decode()
            if state == "confirmed" and _is_recorded(reply[2].decode(), reply[4].decode()):
                state = "recorded"
            return Found(order=decode_order(reply[3]), state=state, holds=reply[5])
        case b"unknown_order":
            return None
    raise broken("orders/find", reply)


async def find(cell: Cell, order: OrderId) -> Ordered | None:
    """An order of the last 24 hours as Redis knows it; None for one that only the ledger may know."""
    found = await find_order(cell, order)
    if found is None:
        return None
    known = found.order
    return Ordered(order=order, state=found.state, items=known.items, total=known.total, currency=known.currency)


async def returned_items(cell: Cell, order: OrderId) -> frozenset[int]:
    """What Redis remembers to have been returned of an order, counting from 0."""
    reply = await cell.read("orders/find", (cell.keys.order(order), cell.keys.recorded))
    match reply[0]:
        case b"found":
            return frozenset(
                number for action in map(decode_action, reply[6][1::2]) for number in items_of(action) or ()
            )
        case b"unknown_order":
            return frozenset()
    raise broken("orders/find", reply)


async def find_paid(cell: Cell, provider_name: str, reference: str) -> OrderId | None:
    """The order that a payment bought, or that waits for it: None where Redis knows of none, empty where the payment
    has been given up.
    """
    reply = await cell.read("orders/find_payment", (cell.keys.payment(provider_name, reference),))
    match reply[0]:
        case b"paid_for":
            return cell.keys.order_of(reply[1].decode())
        case b"unknown_payment":
            return None
        case b"forgone":
            return OrderId("")
    raise broken("orders/find_payment", reply)
