"""Sees that an on-sale has opened, and has it told.

Everything else that is told of a sale leaves Redis as an entry of the outbox. Sales open by their time, in whatever
call comes by, and nothing is written: so the keeper looks, as often as it keeps where on-sales stand.
"""

from collections.abc import Mapping

from engine.catalogue import PUBLIC_LINE
from engine.checkpoints import end_of
from engine.leap import number_in
from engine.ledger.ledger import Ledger
from engine.ledger.telling import known_openings, note_opening
from engine.words import OnSaleId


class Openings:
    """The on-sales of one cell that have opened."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._told: set[str] | None = None

    async def tell(self, kept: Mapping[OnSaleId, Mapping[str, str]]) -> None:
        """Tells of those that have opened since the last time, by their fields. Raises `LedgerUnavailable`."""
        if self._told is None:
            self._told = await known_openings(self._ledger)
        for on_sale, fields in list(kept.items()):
            if on_sale in self._told or end_of(fields, PUBLIC_LINE) is None:
                continue
            if await note_opening(self._ledger, on_sale, number_in(fields, "opens_at_ms")):
                self._told.add(on_sale)
