"""How many visitors may be inside for the seats that are still open: a keeper counts, the line's clock goes by it.

Whoever is called for seats that others are just buying waited for nothing. So for each open seat a few may be inside
(`OnSale.visitors_a_seat`), and for each that is held whoever holds it; with more inside than that, the line is called
more slowly by as much, and nobody further once no seat is open. What comes back is called for again.
"""

from typing import Final

from engine.catalogue import OnSale
from engine.cell import Cell, broken
from engine.errors import Refused
from engine.seat_map import count_states, snapshot
from engine.words import HELD, OPEN, OnSaleId

LASTS_MS: Final = 10_000
"""So long a count is good when no keeper counts again."""
EVERY_MS: Final = 2_000


class Crowds:
    """Counts for one cell, which must have the owner's rights."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._next_ms: dict[OnSaleId, float] = {}

    async def tell(self, on_sale: OnSale, phase: str, at_ms: float) -> None:
        """Counts an on-sale that is open, now and then. `at_ms`: any clock that only goes forward.

        Raises what a call does.
        """
        name = on_sale.on_sale
        if not on_sale.visitors_a_seat or phase != "open" or at_ms < self._next_ms.get(name, 0):
            return
        self._next_ms[name] = at_ms + EVERY_MS
        await keep(self._cell, name, await self._count(on_sale))

    async def _count(self, on_sale: OnSale) -> int:
        crowd = 0
        for performance in on_sale.performances:
            seat_map = await snapshot(self._cell, performance)
            layout = self._cell.catalogue.layout(performance, seat_map.plan_change)
            states = count_states(layout, seat_map)
            crowd += max(0, states[OPEN]) * on_sale.visitors_a_seat + max(0, states[HELD])
        return crowd


async def keep(cell: Cell, on_sale: OnSaleId, crowd: int) -> None:
    """Tells the line that so many may be inside. Raises `Refused` (`unknown-on-sale`), `GateClosed`."""
    keys = cell.keys
    reply = await cell.call("on_sale/crowd", (keys.cell, keys.sale(on_sale), keys.live(on_sale)), (crowd, LASTS_MS))
    match reply[0]:
        case b"kept":
            return
        case b"unknown_on_sale":
            raise Refused("unknown-on-sale", "there is no such on-sale here")
    raise broken("on_sale/crowd", reply)
