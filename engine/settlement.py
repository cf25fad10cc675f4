"""What becomes of money: a payment ends in one order or one refund request, whenever and however often it is told.

In this order: the order that waits for it is sold; where its holds have ended, the same seats are held again and sold
in one step; where they are gone, one refund is requested. A payment that no order has named yet is kept until one
does, or until its time is up and its money goes back.
"""

import asyncio
import contextlib
from typing import Final

import structlog

from engine.cell import Cell, broken, digest
from engine.errors import CellUnavailable, LedgerUnavailable, Refused
from engine.ledger.ledger import Ledger
from engine.ledger.payments import (
    awaited_order,
    note_unclaimed,
    paid_and_awaited,
    request_unclaimed_refund,
    state_of_payment,
    unclaimed_payments,
)
from engine.order_steps import sell_late
from engine.orders import find_order, find_paid
from engine.payments import PaymentEvent

UNCLAIMED: Final = "unclaimed"
LOOK_SECONDS: Final = 2.0
FORGONE_SECONDS: Final = 30 * 86_400
"""How long Redis remembers that a payment buys nothing any more; the ledger remembers for good."""
log = structlog.get_logger()


async def settle(cell: Cell, ledger: Ledger, provider: str, event: PaymentEvent) -> str:
    """What a provider's event makes of its order. Harmless to repeat.

    Answers the order's state, or `unclaimed` for money that no order has named so far. Raises `Refused`
    (`unknown-payment`) for a payment that failed and that nobody waits for, `CellUnavailable`'s kind and
    `LedgerUnavailable`: the provider tells it again.
    """
    order = await find_paid(cell, provider, event.reference)
    if order == "":
        return UNCLAIMED
    found = await find_order(cell, order) if order else None
    if found is None:
        return await _settle_from_ledger(cell, ledger, provider, event)
    if found.state != "awaiting_payment" or not event.is_paid:
        return found.state
    return await sell_late(cell, found.order, found.holds, digest("event", provider, event.reference))


async def _settle_from_ledger(cell: Cell, ledger: Ledger, provider: str, event: PaymentEvent) -> str:
    """For a payment that Redis does not know: after a day, after a loss, or before its order comes."""
    state = await state_of_payment(ledger, provider, event.reference)
    if state:
        return state
    order = await awaited_order(ledger, provider, event.reference)
    if order and event.is_paid:
        return await sell_late(cell, order, b"", digest("event", provider, event.reference))
    if order:
        return "awaiting_payment"
    if not event.is_paid:
        raise Refused("unknown-payment", "no order waits for this payment")
    await note_unclaimed(ledger, provider, event.reference)
    return UNCLAIMED


async def forgo(cell: Cell, ledger: Ledger, provider: str, reference: str) -> bool:
    """Gives up on an unclaimed payment: it buys nothing any more, and one refund is requested. False if it is claimed.

    Which of the two it is, is decided in Redis, where an order would claim it.
    """
    reply = await cell.call(
        "orders/forgo", (cell.keys.cell, cell.keys.payment(provider, reference)), (FORGONE_SECONDS,)
    )
    match reply[0]:
        case b"forgone":
            return await request_unclaimed_refund(ledger, provider, reference)
        case b"paid_for":
            return False
    raise broken("orders/forgo", reply)


class Settlement:
    """Looks after the unclaimed payments of a cell."""

    def __init__(self, cell: Cell, ledger: Ledger) -> None:
        self._cell = cell
        self._ledger = ledger

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; while a server is away it waits."""
        while not stop.is_set():
            with contextlib.suppress(CellUnavailable, LedgerUnavailable):
                if self._cell.is_open:
                    await self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def look(self) -> None:
        """Settles what has found its order meanwhile, and gives up on what has waited too long."""
        seconds = self._cell.house.limits.payment_claim_seconds
        for provider, reference in await paid_and_awaited(self._ledger):
            event = PaymentEvent(reference=reference, is_paid=True)
            with contextlib.suppress(Refused):  # it has bought another order meanwhile
                await settle(self._cell, self._ledger, provider, event)
        for provider, reference in await unclaimed_payments(self._ledger, seconds):
            if await forgo(self._cell, self._ledger, provider, reference):
                log.warning("money goes back that no order has named", house=self._cell.house.slug, provider=provider)
