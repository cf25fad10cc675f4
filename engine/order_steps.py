"""The ways an order ends in Redis, one function of `lua/orders/` each: sold, kept for its payment, sold after all,
or in conflict. `engine/orders.py` decides which of them it is.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.cell import Cell, Reply, broken, pack
from engine.entries import Order, Payment, encode_order
from engine.errors import Refused
from engine.signing import Hold
from engine.words import OrderId, PerformanceId

KEPT_FOR_PAYMENT_MS: Final = 900_000


class Sold(msgspec.Struct, frozen=True):
    """What is sold: packed holds (see `lua/orders/confirm.lua`), who must own them, whose pass ends with it."""

    owner: str
    place: str
    holds: bytes


def _performances(order: Order) -> tuple[PerformanceId, ...]:
    return tuple(dict.fromkeys(item.performance for item in order.items))


def _due_keys(cell: Cell, order: Order) -> tuple[str, ...]:
    """The two keys a performance that confirming needs: its hash and its due holds."""
    return tuple(key for name in _performances(order) for key in cell.keys.performance(name)[::2])


def packed_holds(order: Order, holds: Sequence[Hold]) -> bytes:
    """The holds of an order as the functions take them."""
    performances = _performances(order)
    return pack([[held.hold, *(performances.index(name) + 1 for name in held.performances)] for held in holds])


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


async def sell(cell: Cell, order: Order, sold: Sold, operation: str, fingerprint: str) -> tuple[OrderId, str]:
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


async def keep(cell: Cell, order: Order, sold: Sold, operation: str, fingerprint: str) -> tuple[OrderId, str]:
    """Keeps the holds until the provider tells how the payment ended. Raises `Refused`."""
    reply = await cell.call(
        "orders/await",
        (*_payment_keys(cell, order, operation), *_due_keys(cell, order)),
        (fingerprint, sold.owner, encode_order(order), sold.holds, KEPT_FOR_PAYMENT_MS),
    )
    return _decide(cell, "orders/await", reply)


async def conflict(cell: Cell, order: Order, operation: str, fingerprint: str) -> OrderId:
    """Records that money came for seats that had gone, with one refund request. Raises `Refused`."""
    reply = await cell.call(
        "orders/conflict",
        (*_payment_keys(cell, order, operation), cell.keys.outbox),
        (fingerprint, encode_order(order)),
    )
    return _decide(cell, "orders/conflict", reply)[0]
