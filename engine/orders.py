"""Orders: confirm a basket's holds in one step, keep them while a payment is late, settle it. Beside `lua/orders/`."""

import secrets
import time
import uuid
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.cell import Cell, Reply, broken, digest, pack
from engine.entries import Customer, Item, Order, Payment, decode_order, encode_order
from engine.errors import BadInput, Refused
from engine.payments import Outcome, PaymentEvent, provider
from engine.signing import Hold
from engine.words import OrderId, PerformanceId

KEPT_FOR_PAYMENT_MS: Final = 900_000
LONGEST_TEXT: Final = 200


class Ordered(msgspec.Struct, frozen=True):
    """An order and where it stands: `confirmed`, `awaiting_payment`, `recorded`, `conflicted` or `refunded`."""

    order: OrderId
    state: str
    items: tuple[Item, ...]
    total: int
    currency: str


class Buyer(msgspec.Struct, frozen=True):
    """Who confirms. An empty `owner` may confirm anybody's holds: the house's own back end, or a payment.

    `caller`: whose operation ids these are.
    """

    caller: str
    owner: str
    channel: str


class _Sold(msgspec.Struct, frozen=True):
    """What is sold: packed holds (see `lua/orders/confirm.lua`), who must own them, whose pass ends with it."""

    owner: str
    place: str
    holds: bytes


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
    name, at, domain = customer.email.rpartition("@")
    if not (name and at and "." in domain) or any(character.isspace() for character in customer.email):
        raise BadInput("customer.email is not an e-mail address")
    for field in ("email", "name", "language", "phone"):
        text = getattr(customer, field)
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise BadInput(f"customer.{field} is longer than {LONGEST_TEXT} characters, or is not plain text")


def _performances(order: Order) -> tuple[PerformanceId, ...]:
    return tuple(dict.fromkeys(item.performance for item in order.items))


def _due_keys(cell: Cell, order: Order) -> tuple[str, ...]:
    """The two keys a performance that confirming needs: its hash and its due holds."""
    return tuple(key for name in _performances(order) for key in cell.keys.performance(name)[::2])


def _packed_holds(order: Order, holds: Sequence[Hold]) -> bytes:
    performances = _performances(order)
    return pack([[held.hold, *(performances.index(name) + 1 for name in held.performances)] for held in holds])


async def confirm(
    cell: Cell, buyer: Buyer, holds: Sequence[Hold], customer: Customer | None, payment: Payment, key: str
) -> tuple[OrderId, str]:
    """Confirms the holds as one order, if the payment's provider says that it is paid. Answers order and state.

    Raises `Refused`: `payment-declined`, `payment-used`, `hold-ended` (with a refund requested where the
    money had been taken before).
    """
    _check_basket(cell, holds, payment)
    check_customer(customer)
    order = Order(
        order=new_order_id(),
        on_sale=holds[0].on_sale,
        owner=holds[0].owner,
        items=tuple(item for held in holds for item in held.items),
        total=sum(held.total for held in holds),
        currency=holds[0].currency,
        customer=customer,
        payment=payment,
        channel=buyer.channel,
    )
    fingerprint = digest(pack([held.hold for held in holds]), pack(customer), pack(payment))
    operation = digest("order", buyer.caller, key)
    sold = _Sold(owner=buyer.owner, place=holds[0].place, holds=_packed_holds(order, holds))
    paid_by = provider(payment.provider)
    match await paid_by.check(payment.reference, order.total, order.currency):
        case Outcome.PAID:
            try:
                ordered, state = await _sell(cell, order, sold, operation, fingerprint)
            except Refused as refusal:
                if refusal.slug != "hold-ended" or not paid_by.is_charged_first:
                    raise
                ordered, state = await _conflict(cell, order, operation, fingerprint), "conflicted"
            if state == "conflicted":
                raise Refused(
                    "hold-ended",
                    "the time for which these seats were kept has ended; your money goes back",
                    order=ordered,
                    order_secret=cell.signer.order_secret(ordered),
                    refund="requested",
                )
            return ordered, state
        case Outcome.PENDING:
            return await _await(cell, order, sold, operation, fingerprint)
    raise Refused("payment-declined", "the payment was declined; your seats stay reserved for you until their time")


def _check_basket(cell: Cell, holds: Sequence[Hold], payment: Payment) -> None:
    """Raises `BadInput` for a basket or payment that cannot be one order."""
    limit = cell.house.limits.holds_an_order
    if not 1 <= len(holds) <= limit:
        raise BadInput(f"an order has between 1 and {limit} holds")
    if len({held.hold for held in holds}) != len(holds):
        raise BadInput("a hold is named twice")
    if len({(held.owner, held.on_sale, held.currency) for held in holds}) > 1:
        raise BadInput("the holds of an order are one visitor's, of one on-sale, in one currency")
    reference = payment.reference
    if not 1 <= len(reference) <= LONGEST_TEXT or not reference.isprintable():
        raise BadInput(f"payment.reference has between 1 and {LONGEST_TEXT} plain characters")


def _payment_keys(cell: Cell, order: Order, operation: str) -> tuple[str, ...]:
    """The keys that every way of ending an order has: cell, operation, payment, order."""
    payment = order.payment or Payment(provider="", reference="")
    keys = cell.keys
    return (
        keys.cell,
        keys.operation(operation),
        keys.payment(payment.provider, payment.reference),
        keys.order(order.order),
    )


def _decide(cell: Cell, operation: str, reply: Reply) -> tuple[OrderId, str]:
    """Order and state from the reply of `confirm`, `await` or `conflict`, or of the first of them that this
    operation id met: a repeat gets the first answer, whatever the payment has become since. Raises `Refused`.
    """
    match reply[0]:
        case b"confirmed":
            return cell.keys.order_of(reply[2].decode()), "confirmed"
        case b"awaiting":
            return cell.keys.order_of(reply[2].decode()), "awaiting_payment"
        case b"conflicted":
            return cell.keys.order_of(reply[2].decode()), "conflicted"
        case b"payment_used":
            raise Refused("payment-used", "this payment belongs to another order")
        case b"hold_ended" | b"unknown_performance":
            raise Refused("hold-ended", "the time for which these seats were kept has ended")
    raise broken(operation, reply)


async def _sell(cell: Cell, order: Order, sold: _Sold, operation: str, fingerprint: str) -> tuple[OrderId, str]:
    """Seats sold, holds gone, one outbox entry. Raises `Refused`."""
    keys = cell.keys
    reply = await cell.call(
        "orders/confirm",
        (
            *_payment_keys(cell, order, operation),
            keys.outbox,
            keys.sale(order.on_sale),
            keys.live(order.on_sale),
            *_due_keys(cell, order),
        ),
        (fingerprint, sold.owner, sold.place, encode_order(order), sold.holds, order.total),
    )
    return _decide(cell, "orders/confirm", reply)


async def _await(cell: Cell, order: Order, sold: _Sold, operation: str, fingerprint: str) -> tuple[OrderId, str]:
    """Keeps the holds until the provider tells how the payment ended. Raises `Refused`."""
    reply = await cell.call(
        "orders/await",
        (*_payment_keys(cell, order, operation), *_due_keys(cell, order)),
        (fingerprint, sold.owner, encode_order(order), sold.holds, KEPT_FOR_PAYMENT_MS),
    )
    return _decide(cell, "orders/await", reply)


async def _conflict(cell: Cell, order: Order, operation: str, fingerprint: str) -> OrderId:
    """Records that money came for seats that had gone, with one refund request. Raises `Refused`."""
    reply = await cell.call(
        "orders/conflict",
        (*_payment_keys(cell, order, operation), cell.keys.outbox),
        (fingerprint, encode_order(order)),
    )
    return _decide(cell, "orders/conflict", reply)[0]


class _Found(msgspec.Struct, frozen=True):
    """An order as Redis knows it; `holds` is packed, and kept while a payment is awaited."""

    order: Order
    state: str
    holds: bytes


def _is_recorded(entry: str, recorded: str) -> bool:
    """Whether the writer has committed the outbox up to an entry's id (`<ms>-<number>`)."""
    if not entry:
        return False
    return tuple(map(int, recorded.split("-"))) >= tuple(map(int, entry.split("-")))


async def _find(cell: Cell, order: OrderId) -> _Found | None:
    reply = await cell.read("orders/find", (cell.keys.order(order), cell.keys.recorded))
    match reply[0]:
        case b"found":
            state = reply[1].decode()
            if state == "confirmed" and _is_recorded(reply[2].decode(), reply[4].decode()):
                state = "recorded"
            return _Found(order=decode_order(reply[3]), state=state, holds=reply[5])
        case b"unknown_order":
            return None
    raise broken("orders/find", reply)


async def find(cell: Cell, order: OrderId) -> Ordered | None:
    """An order of the last 24 hours as Redis knows it; None for one that only the ledger may know."""
    found = await _find(cell, order)
    if found is None:
        return None
    known = found.order
    return Ordered(order=order, state=found.state, items=known.items, total=known.total, currency=known.currency)


async def settle(cell: Cell, provider_name: str, event: PaymentEvent) -> str:
    """How a late payment ended: its order is confirmed, or conflicted with a refund request. Harmless to repeat.

    Answers the order's state. Raises `Refused` (`unknown-payment`) for a payment that no order waits for.
    """
    reply = await cell.read("orders/find_payment", (cell.keys.payment(provider_name, event.reference),))
    match reply[0]:
        case b"paid_for":
            found = await _find(cell, cell.keys.order_of(reply[1].decode()))
        case b"unknown_payment":
            found = None
        case _:
            raise broken("orders/find_payment", reply)
    if found is None:
        raise Refused("unknown-payment", "no order waits for this payment")
    if found.state != "awaiting_payment" or not event.is_paid:
        return found.state
    operation = digest("event", provider_name, event.reference)
    sold = _Sold(owner="", place="", holds=found.holds)
    try:
        return (await _sell(cell, found.order, sold, operation, operation))[1]
    except Refused as refusal:
        if refusal.slug != "hold-ended":
            raise
        await _conflict(cell, found.order, operation, operation)
        return "conflicted"
