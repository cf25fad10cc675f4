"""What a process has been told to be confirmed and has not yet seen recorded: its own memory, for a few seconds.

A Redis that lost its disk, or a replica that was promoted too early, does not know what it had confirmed last. The
process that passed the word on still does.
"""

from typing import Final

import msgspec

from engine.entries import Order
from engine.losses import is_after
from engine.words import OrderId

REMEMBERED: Final = 100_000
"""Orders at most, some hundred megabytes; the oldest go first. Postgres away for ten minutes is less at any house."""


class Confirmed(msgspec.Struct, frozen=True):
    """An order as it left for the outbox, its packed holds, the entry that it became, and the epoch in which it did."""

    order: Order
    holds: bytes
    entry: str
    epoch: int


class Promised:
    """The orders that one process saw confirmed in one cell."""

    def __init__(self) -> None:
        self._orders: dict[OrderId, Confirmed] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def note(self, confirmed: Confirmed) -> None:
        """Remembers an order until it is recorded."""
        if len(self._orders) >= REMEMBERED:
            del self._orders[next(iter(self._orders))]
        self._orders[confirmed.order.order] = confirmed

    def forget(self, order: OrderId) -> None:
        """There is nothing left to say of an order."""
        self._orders.pop(order, None)

    def forget_recorded(self, recorded: str, epoch: int) -> None:
        """Forgets what an epoch confirmed and recorded up to an entry. An earlier epoch's entries may have been lost:
        that later ones are recorded says nothing of them.
        """
        done = []
        for name, confirmed in self._orders.items():
            if confirmed.epoch != epoch:
                continue
            if is_after(confirmed.entry, recorded):
                break
            done.append(name)
        for name in done:
            del self._orders[name]

    def before(self, epoch: int) -> list[Confirmed]:
        """What was confirmed before an epoch began."""
        return [confirmed for confirmed in self._orders.values() if confirmed.epoch < epoch]
