"""Where each on-sale stands, kept in the house's ledger: a Redis that lost its data goes on from there.

While Redis lives, Redis alone decides. What is kept is about a second old, and good enough that a sale that was
paused stays paused, a draw stays the draw that was published, and nobody who was called waits a second time.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from engine.cell import Cell, broken
from engine.errors import Refused
from engine.ledger.books import Sales
from engine.ledger.ledger import Ledger
from engine.ledger.recoveries import CellStanding, keep_standing
from engine.on_sale import standing
from engine.words import OnSaleId

KEEP_SECONDS: Final = 1.0
KNOWN_BETTER: Final = frozenset({"seed", "commitment", "orders", "takings", "slowed_percent"})
"""By the on-sale's document, by the orders themselves, and by the keeper."""
NEVER_BACK: Final = ("joined", "now_serving", "admitted")


class Standings:
    """Keeps what changes about a cell's on-sales."""

    def __init__(self, cell: Cell, ledger: Ledger) -> None:
        self._cell = cell
        self._ledger = ledger
        self._kept: dict[OnSaleId, dict[str, str]] = {}
        self._cell_kept = CellStanding(0, 0, 0)
        self.holds = 0
        """How many live, those of nobody included, as they were counted last."""

    async def keep(self) -> None:
        """Writes down what has changed since the last time. Raises `CellUnavailable`'s kind, `LedgerUnavailable`."""
        # The cell's sequence is read first and written last: what stands beside it is at least as new.
        sequence, holds = await self._look_at_cell()
        on_sales = list(self._cell.catalogue.on_sales)
        all_fields = await asyncio.gather(*map(self._look, on_sales))
        for on_sale, found in zip(on_sales, all_fields, strict=True):
            fields = {name: value for name, value in found.items() if name not in KNOWN_BETTER}
            if fields and self._kept.get(on_sale) != fields:
                await self._ledger.keep_standing(on_sale, fields, int(self._cell.epoch))
                self._kept[on_sale] = fields
        now = CellStanding(sequence, sum(int(fields.get("orders", 0)) for fields in all_fields), holds)
        if now != self._cell_kept:
            await keep_standing(self._ledger, now, int(self._cell.epoch))
            self._cell_kept = now

    async def _look(self, on_sale: OnSaleId) -> dict[str, str]:
        try:
            return await standing(self._cell, on_sale)
        except Refused:  # put up a moment from now
            return {}

    async def _look_at_cell(self) -> tuple[int, int]:
        """The cell's sequence, and how many holds live, those of nobody included."""
        cell = self._cell
        due = [cell.hall_keys(name)[2] for name in cell.catalogue.performances]
        reply = await cell.call("cell/standing", (cell.keys.cell, *due))
        if reply[0] != b"standing":
            raise broken("cell/standing", reply)
        self.holds = reply[2]
        return reply[1], self.holds


async def restored(ledger: Ledger, on_sale: OnSaleId, sold: Sales, own: Mapping[str, str]) -> dict[str, str | int]:
    """The fields with which an on-sale goes on after a loss: as they were kept, and with what it has `sold`.

    `own`: what this Redis says itself. That may be a moment newer than what was kept, or the only word there is;
    nobody's number is called a second time either way.
    """
    kept = await ledger.standing(on_sale)
    fields: dict[str, str | int] = {**own, **kept, "orders": sold.orders, "takings": sold.money}
    for name in NEVER_BACK:
        known = [int(each[name]) for each in (own, kept) if name in each]
        fields |= {name: max(known)} if known else {}
    if own or kept:
        # Whoever was called before the loss may find the pass lost: each one's turn begins anew.
        fields |= {"gone": 0, "mark": 0}
    return fields
