"""What a process has been told to be confirmed, or in conflict, and not yet seen recorded: its own memory, for seconds.

A Redis that lost its disk, or a replica that was promoted too early, does not know what it had confirmed last. The
process that passed the word on still does.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from engine.entries import Order
from engine.losses import is_after
from engine.words import OrderId

if TYPE_CHECKING:
    from engine.house import Change

REMEMBERED: Final = 100_000
"""Orders at most, some hundred megabytes; the oldest go first. Postgres away for ten minutes is less at any house."""


class Confirmed(msgspec.Struct, frozen=True):
    """An order as it left for the outbox, its packed holds, the entry that it became, and the epoch in which it did.

    `is_conflict`: its money goes back.
    """

    order: Order
    holds: bytes
    entry: str
    epoch: int
    is_conflict: bool = False

    @property
    def name(self) -> str:
        """Its own among all that is remembered."""
        return self.order.order


class GivenBack(msgspec.Struct, frozen=True):
    """What of an order was given back, as it was asked for (see `engine/returns.py`); entry and epoch as above."""

    order: OrderId
    change: "Change"
    key: str
    items: tuple[int, ...]
    entry: str
    epoch: int

    @property
    def name(self) -> str:
        """Its own among all that is remembered."""
        return f"{self.order} {self.key}"


class Promised:
    """The orders that one process saw confirmed in one cell, and given back."""

    def __init__(self) -> None:
        self._promises: dict[str, Confirmed | GivenBack] = {}

    def __len__(self) -> int:
        return len(self._promises)

    def note(self, promise: Confirmed | GivenBack) -> None:
        """Remembers what was promised until it is recorded."""
        if len(self._promises) >= REMEMBERED:
            del self._promises[next(iter(self._promises))]
        self._promises[promise.name] = promise

    def forget(self, promise: Confirmed | GivenBack) -> None:
        """There is nothing left to say of it, unless it was promised anew."""
        if self._promises.get(promise.name) is promise:
            del self._promises[promise.name]

    def forget_recorded(self, recorded: str, epoch: int) -> None:
        """Forgets what an epoch confirmed and recorded up to an entry. An earlier epoch's entries may have been lost:
        that later ones are recorded says nothing of them.
        """
        done = []
        for name, promise in self._promises.items():
            if promise.epoch != epoch:
                continue
            if is_after(promise.entry, recorded):
                break
            done.append(name)
        for name in done:
            del self._promises[name]

    def before(self, epoch: int) -> list[Confirmed | GivenBack]:
        """What was promised before an epoch began."""
        return [promise for promise in self._promises.values() if promise.epoch < epoch]
