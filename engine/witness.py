"""After a recovery: what this process had been told to be confirmed is looked for, and sold again where it is lost.

An order that Redis or the ledger knows is left alone. One that neither knows is sold again under its own id, with its
own payment, if its seats are open; else its money goes back, as it does where that was said before. One for which
another was exchanged is not: the other stands as it was. Either way the ledger has an alarm that names it. The keeper
holds new visitors back for a moment after a loss (`lua/cell/open.lua`), so that these come first.
"""

import asyncio
import contextlib

import msgspec
import structlog

from engine.cell import WATCH_SECONDS, Cell, digest
from engine.errors import CellUnavailable, LedgerUnavailable, Refused
from engine.ledger.ledger import Ledger
from engine.ledger.recoveries import raise_alarm
from engine.order_steps import conflict, sell_late
from engine.orders import find_order
from engine.promised import Confirmed, GivenBack
from engine.returns import give_back

log = structlog.get_logger()


class Witness:
    """Speaks for one process to one cell."""

    def __init__(self, cell: Cell, ledger: Ledger) -> None:
        self._cell = cell
        self._ledger = ledger

    async def run(self) -> None:
        """Looks again and again, until cancelled; while a server is away it looks later."""
        while True:
            with contextlib.suppress(CellUnavailable, LedgerUnavailable):
                await self.look()
            await asyncio.sleep(WATCH_SECONDS)

    async def look(self) -> None:
        """Speaks of what was confirmed before this epoch. Raises `CellUnavailable`'s kind, `LedgerUnavailable`."""
        cell = self._cell
        if not cell.is_open:
            return
        for promise in cell.promised.before(int(cell.stored_epoch)):
            if isinstance(promise, Confirmed):
                await self._speak_of(promise)
            else:
                await self._give_back(promise)

    async def _give_back(self, promise: GivenBack) -> None:
        """The same asked for again, which is harmless where it is known."""
        with contextlib.suppress(Refused):
            again = promise.order, promise.change, promise.key
            await give_back(self._cell, self._ledger, *again, items=promise.items)
        self._cell.promised.forget(promise)

    async def _speak_of(self, confirmed: Confirmed) -> None:
        cell, order = self._cell, confirmed.order
        epoch = int(cell.stored_epoch)
        found = await find_order(cell, order.order)
        if found is not None and found.state != "awaiting_payment":
            # Not lost now; the next epoch may have lost it all the same.
            cell.promised.note(msgspec.structs.replace(confirmed, epoch=epoch))
            return
        state = "recorded"
        if await self._ledger.order(order.order) is None:
            again = digest("again", order.order)
            try:
                if order.exchange:
                    state = "lost"  # what was exchanged for it was lost with it: that order stands as it was
                elif confirmed.is_conflict:
                    await conflict(cell, order, again, again)
                    state = "conflicted"
                else:
                    state = await sell_late(cell, order, confirmed.holds, again)
            except Refused as refusal:  # its payment has bought another order: a visitor who asked again was sooner
                state = refusal.slug
            log.error("an order that was confirmed was lost", house=cell.house.slug, order=order.order, became=state)
            await raise_alarm(self._ledger, "order-lost", {"order": order.order, "became": state})
        cell.promised.forget(confirmed)
