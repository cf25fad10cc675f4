"""Giving back what an order sold, once: beside `lua/orders/return.lua`."""

from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from engine.cell import Cell, broken, digest, pack
from engine.entries import Action, Item, Order, encode_action, encode_order
from engine.errors import BadInput, GateClosed, LedgerUnavailable, Refused
from engine.house import Change
from engine.instants import now_ms
from engine.ledger.ledger import Ledger
from engine.ledger.returns import Standing, read_standing, returned_by
from engine.one_plan import of_one_plan
from engine.orders import Ordered, find, returned_items
from engine.prices import total
from engine.promised import GivenBack
from engine.shares import area_names, letter_of
from engine.words import OrderId

UNDO_MS: Final = 15 * 60_000
"""How long whoever sold something at the counter may undo it without a manager."""


@of_one_plan
async def give_back(
    cell: Cell,
    ledger: Ledger,
    order: OrderId,
    change: Change,
    key: str,
    *,
    own_of: str = "",
    items: Sequence[int] = (),
) -> Ordered:
    """Puts a recorded order's seats back, held by nobody for the return delay, and asks for its refund: once only.

    `items`: only these of the order, counting from 0; what is left of it stays valid. `own_of`: only for the owner who
    ordered it, and soon after. Harmless to repeat with the same `key`, for as long as the ledger lives. Raises
    `BadInput`, `Refused` (`unknown-order`, `not-returnable`, `already-refunded`, `undo-over`), `GateClosed`,
    `LedgerUnavailable`.
    """
    operation, gone = digest("return", key), frozenset[int]()
    for _ in range(3):
        # The ledger is asked after the epoch is known, and Redis is called at that epoch: whatever the ledger
        # knows, this Redis was not lost since.
        epoch = cell.epoch
        standing = await read_standing(ledger, order)
        known = await returnable(cell, order, standing)
        order = known.order  # however whoever asks has written it
        check_own(known, own_of)
        numbers = meant(known, standing, items, gone)
        if not numbers or not set(numbers) <= set(standing.live):
            if await returned_by(ledger, order, operation) is not None:
                return _returned(known, standing.live)
            raise Refused("already-refunded", "this was refunded before")
        check_epoch(standing, epoch)
        left = tuple(number for number in standing.live if number not in gone.union(numbers))
        some = msgspec.structs.replace(known, items=tuple(known.items[number] for number in numbers))
        asked = " ".join([order, *map(str, sorted(items))])
        arguments = (asked, *_arguments(cell, known, some, numbers, standing, change, operation))
        reply = await cell.ask("orders/return", _keys(cell, some, operation), (epoch, *arguments))
        match reply[0]:
            case b"returned":
                told = GivenBack(order, change, key, tuple(items), reply[1].decode(), int(epoch))
                cell.promised.note(told)
                return _returned(known, left)
            case b"already_returned":
                # Perhaps only some of it, of which the ledger has not heard yet; what is left is meant then.
                before, gone = gone, await returned_items(cell, order)
                if items or gone == before:
                    raise Refused("already-refunded", "this was refunded before")
            case b"other_payload":
                raise Refused("key-reused", "this Idempotency-Key was used before, with another request")
            case b"not_sold" | b"unknown_performance":
                raise Refused("not-returnable", "these seats are not as this order left them; the audit says more")
            case b"behind":
                raise LedgerUnavailable("the ledger has not yet recorded what was sold")
            case b"closed":
                raise GateClosed
            case b"fenced":
                cell.epoch = reply[1].decode()
            case _:
                raise broken("orders/return", reply)
    raise GateClosed("the cell is recovering")


def check_epoch(standing: Standing, epoch: str) -> None:
    """Raises `LedgerUnavailable` for what a ledger says that knows less than the cell's epoch."""
    if standing.epoch < int(epoch):
        raise LedgerUnavailable("the ledger is from an earlier time than its Redis; the two are about to be compared")


async def returnable(cell: Cell, order: OrderId, standing: Standing) -> Order:
    """The order, if it is recorded or was returned before. Raises `Refused`."""
    if standing.order is not None and standing.state in {"recorded", "refunded", "exchanged"}:
        return standing.order
    state = standing.state
    if not state:
        found = await find(cell, order)
        if found is None:
            raise Refused("unknown-order", "there is no such order here")
        state = "confirmed" if found.state == "recorded" else found.state
    raise Refused("not-returnable", f"only a recorded order can be returned; this one is {state}", state=state)


def check_own(order: Order, own_of: str) -> None:
    """Raises `Refused` unless the order is the owner's own (or anybody's, where none is named) and still fresh."""
    if own_of and order.owner != own_of:
        raise Refused("unknown-order", "there is no such order here")
    # An order's id tells when it was made (RFC 9562).
    if own_of and now_ms() - (UUID(order.order).int >> 80) > UNDO_MS:
        raise Refused("undo-over", "a sale can be undone at the counter for fifteen minutes; a manager can return it")


def meant(
    order: Order, standing: Standing, items: Sequence[int], gone: frozenset[int] = frozenset()
) -> tuple[int, ...]:
    """Which of the order's items are meant: these, or all that stand and are not `gone`.

    Raises `BadInput` for what it never had.
    """
    if not set(items) <= set(range(len(order.items))) or len(set(items)) != len(items):
        raise BadInput(f"this order has the items 0 to {len(order.items) - 1}, each of them once")
    return tuple(sorted(items)) or tuple(number for number in standing.live if number not in gone)


def standing_order(order: OrderId, items: Sequence[Item], total_: int, currency: str, left: Sequence[int]) -> Ordered:
    """A recorded order of which only some items, counting from 0, are left; refunded, and shown whole, without any."""
    if not left:
        return Ordered(order=order, state="refunded", items=tuple(items), total=total_, currency=currency)
    stays = tuple(items[number] for number in left)
    gone = tuple(item for number, item in enumerate(items) if number not in left)
    return Ordered(order=order, state="recorded", items=stays, total=total(stays), currency=currency, returned=gone)


def _returned(order: Order, left: Sequence[int]) -> Ordered:
    return standing_order(order.order, order.items, order.total, order.currency, left)


def _keys(cell: Cell, order: Order, operation: str) -> tuple[str, ...]:
    keys = cell.keys
    performances = dict.fromkeys(item.performance for item in order.items)
    return (
        *(keys.cell, keys.operation(operation), keys.order(order.order), keys.outbox, keys.sale(order.on_sale)),
        *(part for name in performances for part in cell.hall_keys(name)),
    )


def _arguments(
    cell: Cell,
    order: Order,
    some: Order,
    numbers: tuple[int, ...],
    standing: Standing,
    change: Change,
    operation: str,
) -> tuple[bytes | str | int, ...]:
    is_whole = numbers == standing.live
    detail: dict[str, str | int] = {"operation": operation}
    if not is_whole:
        detail["items"] = " ".join(map(str, numbers))
    action = Action(who=change.who, what="return", subject=order.order, why=change.why, at_ms=now_ms(), detail=detail)
    parts = pack([standing.live, numbers, parts_of(cell, some, mark_of(cell, order, standing))])
    return (
        *(standing.recorded_ms, f"{order.order}.{numbers[0]}", encode_action(action)),
        *(encode_order(order), parts, total(some.items)),
    )


def mark_of(cell: Cell, order: Order, standing: Standing) -> str:
    """What the customer's seats were counted under, if they were."""
    if standing.customer is None or order.owner.startswith("key:"):
        return ""
    return cell.signer.customer_mark(standing.customer.email).hex()


def parts_of(cell: Cell, order: Order, mark: str) -> list[list[object]]:
    """For each performance what was sold, as `lua/orders/return.lua` takes it."""
    parts = []
    for name in dict.fromkeys(item.performance for item in order.items):
        cell.performance(name)
        layout = cell.catalogue.layout(name)
        numbers = {area.id: number for number, area in enumerate(layout.areas)}
        items = [item for item in order.items if item.performance == name]
        seats = [part for item in items if item.seat for part in (*layout.locate(item.seat), 1)]
        returns_to = "".join(letter_of(cell.catalogue, item) for item in items if item.seat)
        places = Counter(area_names(cell.catalogue, items, numbers))
        used = Counter(item.code for item in items if item.code)
        areas, codes = ([part for pair in counts.items() for part in pair] for counts in (places, used))
        parts.append([order.owner, 0, seats, areas, 0, returns_to, codes, 0, mark])
    return parts
