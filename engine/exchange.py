"""Exchanging what an order sold for other seats, in one step or not at all: beside `lua/orders/exchange.lua`.

The new seats are held first: where they are gone, the order is as it was. Then the hold is sold as an order of its own
and what was exchanged comes back, at once. What the old seats cost pays for the new ones; a difference is paid
before, or goes back.
"""

import contextlib
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.cell import Cell, broken, digest, pack
from engine.entries import Action, Item, Order, Payment, encode_action, encode_order
from engine.errors import BadInput, CellUnavailable, GateClosed, LedgerUnavailable, Refused
from engine.house import Change
from engine.instants import now_ms
from engine.ledger.ledger import Ledger
from engine.ledger.payments import note_unclaimed, state_of_payment
from engine.ledger.returns import Standing, read_standing, returned_by
from engine.one_plan import of_one_plan
from engine.orders import check_reference, new_order_id, outcome_of
from engine.payments import Outcome, provider
from engine.prices import total
from engine.promised import Confirmed
from engine.returns import check_epoch, check_own, mark_of, meant, parts_of, returnable
from engine.seats import release
from engine.signing import Hold
from engine.words import OrderId, PerformanceId

WITHOUT_PAYMENT: Final = "exchange"
"""The provider of an order for which nothing more was paid."""


class Wanted(msgspec.Struct, frozen=True):
    """What of an order is exchanged, counting from 0 (nothing named: all that stands), and for which hold.

    `difference`: what the new seats cost more than the old ones, as whoever asks knows it (minor units; below zero it
    goes back). `payment`: of a difference that is paid.
    """

    items: tuple[int, ...]
    held: Hold
    difference: int
    payment: Payment | None = None


class Exchanged(msgspec.Struct, frozen=True):
    """The order that somebody got, and what of its total the old seats have paid; `difference`: as in `Wanted`."""

    order: OrderId
    former: OrderId
    items: tuple[Item, ...]
    total: int
    currency: str
    credit: int
    difference: int


async def difference_of(
    cell: Cell, ledger: Ledger, order: OrderId, items: Sequence[int], total_: int = 0, *, own_of: str = ""
) -> int:
    """What something costs more than what of the order it is to be exchanged for. Raises as `exchange` does."""
    standing = await read_standing(ledger, order)
    former = await returnable(cell, order, standing)
    check_own(former, own_of)
    numbers = meant(former, standing, items)
    if not numbers or not set(numbers) <= set(standing.live):
        raise Refused("already-refunded", "this was refunded or exchanged before")
    return total_ - _worth(former, numbers)


@of_one_plan
async def exchange(
    cell: Cell, ledger: Ledger, order: OrderId, wanted: Wanted, change: Change, key: str, *, own_of: str = ""
) -> Exchanged:
    """Exchanges what a recorded order sold. Harmless to repeat with the same `key`, for as long as the ledger lives.

    `own_of`: as in `give_back`. Raises `BadInput`, `Refused` (`difference-due`, `payment-declined`, `payment-used`,
    `hold-ended`, and what `give_back` raises), `GateClosed`, `LedgerUnavailable`.
    """
    operation, fault = digest("exchange", key), await _note_paid(ledger, wanted)
    for _ in range(2):
        epoch = cell.epoch  # as in `give_back`
        standing = await read_standing(ledger, order)
        former = await returnable(cell, order, standing)
        order = former.order  # as in `give_back`
        check_own(former, own_of)
        numbers = meant(former, standing, wanted.items)
        if not numbers or not set(numbers) <= set(standing.live):
            return await _done_before(ledger, order, operation)
        check_epoch(standing, epoch)
        worth = _worth(former, numbers)
        _check_paid(former, worth, wanted, fault)
        some = msgspec.structs.replace(former, items=tuple(former.items[number] for number in numbers))
        made = _made(cell, former, worth, wanted, numbers, standing, change, operation)
        arguments = _arguments(cell, former, some, made, numbers, standing, wanted)
        reply = await cell.ask("orders/exchange", _keys(cell, made, some, operation), (epoch, *arguments))
        match reply[0]:
            case b"exchanged":
                name = cell.keys.order_of(reply[2].decode())
                if name == made.order:
                    cell.promised.note(Confirmed(made, b"", reply[1].decode(), int(epoch)))
                return _exchanged(name, made.items, made.total, made.currency, order, worth)
            case b"already_returned" | b"not_sold":
                with contextlib.suppress(Refused, CellUnavailable):
                    await release(cell, wanted.held)
                if reply[0] == b"not_sold":
                    raise Refused("not-returnable", "these seats are not as this order left them; the audit says more")
                raise Refused("already-refunded", "this was refunded or exchanged before")
            case b"hold_ended":
                raise Refused("hold-ended", "the time for which the new seats were kept has ended; nothing has changed")
            case b"payment_used":
                raise Refused("payment-used", "this payment belongs to another order")
            case b"other_payload":
                raise Refused("key-reused", "this Idempotency-Key was used before, with another request")
            case b"unknown_performance":
                raise Refused("unknown-performance", "there is no such performance here")
            case b"behind":
                raise LedgerUnavailable("the ledger has not yet recorded what was sold")
            case b"closed":
                raise GateClosed
            case b"fenced":
                cell.epoch = reply[1].decode()
            case _:
                raise broken("orders/exchange", reply)
    raise GateClosed("the cell is recovering")


async def _done_before(ledger: Ledger, former: OrderId, operation: str) -> Exchanged:
    """What this operation made when it was done. Raises `Refused` where it was another."""
    detail = await returned_by(ledger, former, operation) or {}
    found = await ledger.order(OrderId(str(detail.get("order", ""))))
    if found is None:
        raise Refused("already-refunded", "this was refunded or exchanged before")
    return _exchanged(found.order, found.items, found.total, found.currency, former, int(detail["worth"]))


def _exchanged(
    name: OrderId, items: tuple[Item, ...], total_: int, currency: str, former: OrderId, worth: int
) -> Exchanged:
    return Exchanged(name, former, items, total_, currency, min(total_, worth), total_ - worth)


def _worth(former: Order, numbers: Sequence[int]) -> int:
    return total(tuple(former.items[number] for number in numbers))


async def _note_paid(ledger: Ledger, wanted: Wanted) -> str:
    """The refusal that a payment of the difference deserves, as far as whoever asks knows it; empty for none.

    Whatever is refused from now on: unless an order names what was charged first, its money goes back. Raises
    `BadInput`, `Refused` (`unknown-provider`).
    """
    payment = wanted.payment
    if payment is None or wanted.difference <= 0:
        return ""
    check_reference(payment)
    paid_by = provider(payment.provider)
    paid = await outcome_of(paid_by, payment.reference, wanted.difference, wanted.held.currency)
    if paid is not Outcome.PAID:
        return "payment-declined"
    if await state_of_payment(ledger, payment.provider, payment.reference) is not None:
        return "payment-used"  # Redis forgets it in the end
    if paid_by.is_charged_first:
        await note_unclaimed(ledger, payment.provider, payment.reference)
    return ""


def _check_paid(former: Order, worth: int, wanted: Wanted, fault: str) -> None:
    """Raises `Refused` unless whoever asks knows the difference, and it is paid where one is due.

    `fault`: see `_note_paid`.
    """
    held, payment = wanted.held, wanted.payment
    difference = held.total - worth
    if held.currency != former.currency:
        raise BadInput(f"this order was paid in {former.currency}, these seats are sold in {held.currency}")
    if wanted.difference != difference or (difference > 0 and payment is None):
        raise Refused(
            "difference-due",
            "the difference is another, or not paid yet; nothing has changed",
            difference=difference,
            currency=former.currency,
        )
    if payment is not None and difference <= 0:
        raise BadInput("there is nothing to be paid")
    if fault == "payment-used":
        raise Refused(fault, "this payment belongs to another order")
    if fault:
        raise Refused(fault, "the difference is not paid; nothing has changed")


def _made(
    cell: Cell,
    former: Order,
    worth: int,
    wanted: Wanted,
    numbers: Sequence[int],
    standing: Standing,
    change: Change,
    operation: str,
) -> Order:
    """The order that somebody gets. One that costs no more is paid by what was exchanged, which can be once only."""
    name, held = new_order_id(), wanted.held
    detail: dict[str, str | int] = {
        "operation": operation,
        "items": " ".join(map(str, numbers)),
        "order": name,
        "worth": worth,
        "credit": min(worth, held.total),
    }
    told = Action(who=change.who, what="exchange", subject=former.order, why=change.why, at_ms=now_ms(), detail=detail)
    return Order(
        order=name,
        on_sale=held.on_sale,
        owner=held.owner,
        items=held.items,
        total=held.total,
        currency=held.currency,
        customer=cell.sealer.seal(standing.customer, name) if standing.customer else None,
        payment=wanted.payment or Payment(provider=WITHOUT_PAYMENT, reference=f"{former.order}.{numbers[0]}"),
        channel="counter",
        exchange=told,
    )


def _halls(made: Order, some: Order) -> list[PerformanceId]:
    """The performances of both, in the order in which the function has their keys."""
    return list(dict.fromkeys(item.performance for item in (*made.items, *some.items)))


def _keys(cell: Cell, made: Order, some: Order, operation: str) -> tuple[str, ...]:
    keys, payment = cell.keys, made.payment or Payment("", "")
    return (
        *(keys.cell, keys.operation(operation), keys.payment(payment.provider, payment.reference)),
        *(keys.order(made.order), keys.sale(made.on_sale), keys.order(some.order), keys.sale(some.on_sale)),
        *(keys.outbox, *(part for name in _halls(made, some) for part in cell.hall_keys(name))),
    )


def _arguments(
    cell: Cell,
    former: Order,
    some: Order,
    made: Order,
    numbers: Sequence[int],
    standing: Standing,
    wanted: Wanted,
) -> tuple[bytes | str | int, ...]:
    halls, held = _halls(made, some), wanted.held
    backs = parts_of(cell, some, mark_of(cell, former, standing))
    names = dict.fromkeys(item.performance for item in some.items)
    sold = [(halls.index(name) + 1, part) for name, part in zip(names, backs, strict=True)]
    holds = [(held.hold, *(halls.index(name) + 1 for name in held.performances))]
    asked = cell.fingerprint(former.order, pack((numbers, held.hold)), pack(wanted.payment))
    action = made.exchange
    assert action is not None  # noqa: S101 - it was made with one
    return (
        *(asked, standing.recorded_ms, made.owner, encode_order(made), encode_order(former), encode_action(action)),
        pack(
            [standing.live, numbers, sold, f"{former.order}.{numbers[0]}", holds, total(some.items), made.total],
        ),
    )
