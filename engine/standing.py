"""Where each on-sale stands, kept in the house's ledger: a Redis that lost its data goes on from there.

While Redis lives, Redis alone decides. What is kept is about a second old, and good enough that a sale that was
paused stays paused, a draw stays the draw that was published, and nobody who was called waits a second time.
"""

import asyncio
from typing import Final

from engine.cell import Cell
from engine.errors import Refused
from engine.ledger.books import Sales
from engine.ledger.ledger import Ledger
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

    async def keep(self) -> None:
        """Writes down what has changed since the last time. Raises `CellUnavailable`'s kind, `LedgerUnavailable`."""
        on_sales = list(self._cell.catalogue.on_sales)
        found = await asyncio.gather(*map(self._look, on_sales))
        for on_sale, fields in zip(on_sales, found, strict=True):
            if fields and self._kept.get(on_sale) != fields:
                await self._ledger.keep_standing(on_sale, fields, int(self._cell.epoch))
                self._kept[on_sale] = fields

    async def _look(self, on_sale: OnSaleId) -> dict[str, str]:
        try:
            fields = await standing(self._cell, on_sale)
        except Refused:  # put up a moment from now
            return {}
        return {name: value for name, value in fields.items() if name not in KNOWN_BETTER}


async def restored(ledger: Ledger, on_sale: OnSaleId, sold: Sales) -> dict[str, str | int]:
    """The fields with which a lost on-sale goes on: as it was kept, and with what it has `sold`."""
    fields: dict[str, str | int] = {"orders": sold.orders, "takings": sold.money}
    kept = await ledger.standing(on_sale)
    if kept:
        # Whoever was called before the loss may find the pass lost: each one's turn begins anew.
        fields |= kept | {"gone": 0, "mark": 0}
    return fields
