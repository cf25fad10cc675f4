"""Which on-sales a keeper need not look at in every round: what is over changes seldom, and by a manager's hand.

A house keeps its old on-sales in the catalogue for good. Looking at each of them once a second would cost the more, the
longer the house is with us. Holds are looked after all the same, and a recovery or a change of the catalogue wakes all.
"""

import time
from typing import Final

from engine.catalogue import OnSale
from engine.cell import Cell
from engine.instants import now_ms
from engine.words import OnSaleId

CLOSED_SECONDS: Final = 10.0
"""A house may still sell at its counter."""
PAST_SECONDS: Final = 60.0
PAST_MS: Final = 86_400_000
"""So long after the start of its last performance nobody comes for an on-sale any more, closed or not."""


class Rests:
    """The on-sales of one cell, and until when each of them rests."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._known = ("", -1)
        self._until_s: dict[OnSaleId, float] = {}

    def awake(self) -> list[OnSale]:
        """Those that have to be looked at now."""
        known = self._cell.epoch, self._cell.catalogue.version
        if known != self._known:
            self._known = known
            self._until_s.clear()
        at_s = time.monotonic()
        return [each for each in self._cell.catalogue.on_sales.values() if self._until_s.get(each.on_sale, 0.0) <= at_s]

    def note(self, on_sale: OnSaleId, phase: str) -> None:
        """Lets an on-sale rest that was looked at and is in this phase, if that is over."""
        seconds = CLOSED_SECONDS if phase == "closed" else 0.0
        if self._is_past(on_sale):
            seconds = PAST_SECONDS
        if seconds:
            self._until_s[on_sale] = time.monotonic() + seconds

    def _is_past(self, on_sale: OnSaleId) -> bool:
        catalogue = self._cell.catalogue
        known = catalogue.on_sales.get(on_sale)
        performances = known.performances if known else ()
        starts = [catalogue.performances[name].starts_at_ms for name in performances if name in catalogue.performances]
        return bool(starts) and now_ms() > max(starts) + PAST_MS
