"""Sees that an on-sale has opened, and has it told.

Everything else that is told of a sale leaves Redis as an entry of the outbox. Sales open by their time, in whatever
call comes by, and nothing is written: so the keeper looks, as often as it keeps where on-sales stand.
"""

from engine.cell import Cell
from engine.errors import Refused
from engine.ledger.ledger import Ledger
from engine.ledger.telling import known_openings, note_opening
from engine.waiting_room import status
from engine.words import OnSaleId


class Openings:
    """The on-sales of one cell that have opened."""

    def __init__(self, cell: Cell, ledger: Ledger) -> None:
        self._cell = cell
        self._ledger = ledger
        self._told: set[str] | None = None

    async def tell(self) -> None:
        """Tells of those that have opened since the last time. Raises `CellUnavailable`'s kind, `LedgerUnavailable`."""
        if self._told is None:
            self._told = await known_openings(self._ledger)
        for on_sale in list(self._cell.catalogue.on_sales):
            if on_sale in self._told:
                continue
            opened_at_ms = await self._opened_at_ms(on_sale)
            if opened_at_ms is not None and await note_opening(self._ledger, on_sale, opened_at_ms):
                self._told.add(on_sale)

    async def _opened_at_ms(self, on_sale: OnSaleId) -> int | None:
        """When an on-sale opened, by the clock of Redis; None for one that has not, or never did."""
        try:
            found = await status(self._cell, on_sale)
        except Refused:  # put up a moment from now
            return None
        return found.opens_at_ms if found.entrants >= 0 else None
