"""Where each on-sale stands, kept in the house's ledger: a Redis that lost its data goes on from there.

While Redis lives, Redis alone decides. What is kept is about a second old, and good enough that a sale that was
paused stays paused, a draw stays the draw that was published, and nobody who was called waits a second time.
"""

import asyncio
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


class Standings:
    """Keeps what changes about a cell's on-sales."""

    def __init__(self, cell: Cell, ledger: Ledger) -> None:
        self._cell = cell
        self._ledger = ledger
        self._kept: dict[OnSaleId, dict[str, str]] = {}
        self._cell_kept = CellStanding(0, 0, 0)

    async def keep(self) -> None:
        """Writes down what has changed since the last time. Raises `CellUnavailable`'s kind, `LedgerUnavailable`."""
        on_sales = list(self._cell.catalogue.on_sales)
        all_fields = await asyncio.gather(*map(self._look, on_sales))
        await self._keep_cell(sum(int(fields.get("orders", 0)) for fields in all_fields))
        found = [{name: value for name, value in each.items() if name not in KNOWN_BETTER} for each in all_fields]
        for on_sale, fields in zip(on_sales, found, strict=True):
            if fields and self._kept.get(on_sale) != fields:
                await self._ledger.keep_standing(on_sale, fields, int(self._cell.epoch))
                self._kept[on_sale] = fields

    async def _look(self, on_sale: OnSaleId) -> dict[str, str]:
        try:
            return await standing(self._cell, on_sale)
        except Refused:  # put up a moment from now
            return {}

    async def _keep_cell(self, orders: int) -> None:
        """How far the cell as a whole is; holds are counted by their ends, those of nobody included."""
        cell = self._cell
        due = [cell.keys.performance(name)[2] for name in cell.catalogue.performances]
        reply = await cell.call("cell/standing", (cell.keys.cell, *due))
        if reply[0] != b"standing":
            raise broken("cell/standing", reply)
        found = CellStanding(sequence=reply[1], orders=orders, holds=reply[2])
        if found != self._cell_kept:
            await keep_standing(self._ledger, found, int(cell.epoch))
            self._cell_kept = found


async def restored(ledger: Ledger, on_sale: OnSaleId, sold: Sales) -> dict[str, str | int]:
    """The fields with which a lost on-sale goes on: as it was kept, and with what it has `sold`."""
    fields: dict[str, str | int] = {"orders": sold.orders, "takings": sold.money}
    kept = await ledger.standing(on_sale)
    if kept:
        # Whoever was called before the loss may find the pass lost: each one's turn begins anew.
        fields |= kept | {"gone": 0, "mark": 0}
    return fields
