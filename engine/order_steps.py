"""The ways an order ends in Redis, one function of `lua/orders/` each: sold, kept for its payment, sold after all,
or in conflict. `engine/orders.py` decides which of them it is.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from engine.cell import Cell, Reply, broken, pack
from engine.conditions import counted_of
from engine.entries import Order, Payment, encode_order
from engine.errors import Refused
from engine.one_plan import of_one_plan
from engine.promised import Confirmed
from engine.seats import STAFF_LIMIT
from engine.shares import area_names, letter_of
from engine.signing import Hold
from engine.waiting_room import moved_elsewhere
from engine.words import OPEN, OrderId, PerformanceId

TOO_LATE: Final = frozenset({"hold-ended", "too-many-seats"})
"""Refusals after which money that is there goes back."""


class Sold(msgspec.Struct, frozen=True):
    """What is sold: packed holds (see `lua/orders/confirm.lua`), who must own them, whose pass ends with it."""

    owner: str
    place: str
    holds: bytes


def _performances(order: Order) -> tuple[PerformanceId, ...]:
    return tuple(dict.fromkeys(item.performance for item in order.items))


def _due_keys(cell: Cell, order: Order) -> tuple[str, ...]:
    """The two keys a performance that confirming needs: its hash and its due holds."""
    return tuple(key for name in _performances(order) for key in cell.hall_keys(name)[::2])


def packed_holds(order: Order, holds: Sequence[Hold]) -> bytes:
    """The holds of an order as the functions take them."""
    performances = _performances(order)
    return pack([[held.hold, *(performances.index(name) + 1 for name in held.performances)] for held in holds])


def _hold_ids(holds: bytes) -> dict[int, list[str]]:
    """Packed holds as the holds of each performance, counting from 1."""
    ids: dict[int, list[str]] = {}
    for hold, *numbers in msgspec.msgpack.decode(holds) if holds else []:
        for number in numbers:
            ids.setdefault(number, []).append(hold)
    return ids


def _wanted(cell: Cell, order: Order, holds: bytes) -> bytes:
    """What an order wants of each of its performances, as `lua/orders/rebook.lua` takes it.

    Raises `KeyError` for a seat or an area that the plan has no more.
    """
    ids, wanted = _hold_ids(holds), []
    for number, performance in enumerate(_performances(order), start=1):
        layout = cell.catalogue.layout(cell.performance(performance).performance)
        items = [item for item in order.items if item.performance == performance]
        seats = [part for item in items if item.seat for part in layout.locate(item.seat)]
        numbers = {area.id: at for at, area in enumerate(layout.areas)}
        places = Counter(area_names(cell.catalogue, items, numbers))
        letters = "".join({letter_of(cell.catalogue, item) for item in items} - {OPEN})
        wanted.append((ids.get(number, []), seats, [part for pair in places.items() for part in pair], letters))
    return pack(wanted)


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


def _decide(cell: Cell, operation: str, reply: Reply, most: int = 0) -> tuple[OrderId, str]:
    """Order and state from the reply of `confirm`, `await` or `conflict`, or of the first of them that this
    operation id met: a repeat gets the first answer, whatever the payment has become since. Raises `Refused`.

    `most`: how many seats of a performance one customer may have, where the holds still stand.
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
        case b"moved":
            raise moved_elsewhere()
        case b"limit" if most:
            raise Refused(
                "too-many-seats", "that would be more seats than one customer may have", limit=most, yours=reply[2]
            )
        case b"hold_ended" | b"unknown_performance" | b"taken" | b"limit" | b"code_used":
            raise over()
    raise broken(operation, reply)


def over() -> Refused:
    """The refusal of holds that have ended."""
    return Refused("hold-ended", "the time for which these seats were kept has ended")


def _bear_in_mind(cell: Cell, order: Order, holds: bytes, word: bytes, *rest: Any) -> None:
    """What was confirmed just now, or is in conflict, is remembered here until it is recorded; a repeat's answer names
    the first order.
    """
    if word in {b"confirmed", b"conflicted"} and rest[1].decode() == cell.keys.order(order.order):
        is_conflict = word == b"conflicted"
        cell.promised.note(Confirmed(order, holds, rest[0].decode(), int(cell.epoch), is_conflict=is_conflict))


def _customer(cell: Cell, order: Order) -> tuple[str, int]:
    """The mark of an order's customer, and how many seats of a performance they may buy; empty where all may."""
    on_sale = cell.catalogue.on_sales.get(order.on_sale)
    most = on_sale.seats_a_customer if on_sale else 0
    return (order.mark, most) if most else ("", 0)


@of_one_plan
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
        (
            fingerprint,
            sold.owner,
            sold.place,
            encode_order(order),
            sold.holds,
            order.total,
            pack(_customer(cell, order)),
        ),
    )
    _bear_in_mind(cell, order, sold.holds, *reply)
    return _decide(cell, "orders/confirm", reply, _customer(cell, order)[1])


@of_one_plan
async def keep(cell: Cell, order: Order, sold: Sold, operation: str, fingerprint: str) -> tuple[OrderId, str]:
    """Keeps the holds until the provider tells how the payment ended. Raises `Refused`."""
    reply = await cell.call(
        "orders/await",
        (*_payment_keys(cell, order, operation), cell.keys.outbox, *_due_keys(cell, order)),
        (fingerprint, sold.owner, encode_order(order), sold.holds, cell.house.limits.payment_keep_seconds * 1000),
    )
    return _decide(cell, "orders/await", reply)


async def conflict(cell: Cell, order: Order, operation: str, fingerprint: str) -> OrderId:
    """Records that money came for seats that had gone, with one refund request. Raises `Refused`."""
    reply = await cell.call(
        "orders/conflict",
        (*_payment_keys(cell, order, operation), cell.keys.outbox),
        (fingerprint, encode_order(order)),
    )
    _bear_in_mind(cell, order, b"", *reply)
    return _decide(cell, "orders/conflict", reply)[0]


@of_one_plan
async def sell_after_all(
    cell: Cell, order: Order, holds: bytes, operation: str, fingerprint: str
) -> tuple[OrderId, str]:
    """An order whose money is there and whose holds have ended: the same seats sold, or else one refund requested.

    `holds`: packed, or empty where nobody knows them any more. Raises `Refused` (`payment-used`).
    """
    keys, on_sale = cell.keys, cell.catalogue.on_sales.get(order.on_sale)
    is_visitors = on_sale is not None and not order.owner.startswith("key:")
    try:
        wanted = _wanted(cell, order, holds)
    except KeyError:
        return await conflict(cell, order, operation, fingerprint), "conflicted"
    limit = on_sale.seats_a_place if is_visitors and on_sale else STAFF_LIMIT
    reply = await cell.call(
        "orders/rebook",
        (
            *_payment_keys(cell, order, operation),
            keys.outbox,
            keys.sale(order.on_sale),
            *(part for name in _performances(order) for part in cell.hall_keys(name)),
        ),
        (
            fingerprint,
            order.owner,
            encode_order(order),
            wanted,
            order.total,
            pack((limit, counted_of(cell, order.items), *_customer(cell, order))),
        ),
    )
    _bear_in_mind(cell, order, holds, *reply)
    try:
        return _decide(cell, "orders/rebook", reply)
    except Refused as refusal:
        if refusal.slug != "hold-ended":
            raise
        return await conflict(cell, order, operation, fingerprint), "conflicted"


async def sell_late(cell: Cell, order: Order, holds: bytes, operation: str) -> str:
    """An order whose money is there: sold by its holds, or else after all. Answers its state. Raises `Refused`."""
    try:
        if holds:
            return (await sell(cell, order, Sold(owner="", place="", holds=holds), operation, operation))[1]
    except Refused as refusal:
        if refusal.slug not in TOO_LATE:
            raise
    return (await sell_after_all(cell, order, holds, operation, operation))[1]
