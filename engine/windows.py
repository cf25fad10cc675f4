"""Window fairness: who joins a line before its start is drawn among those of the same window of so many seconds.

Earlier windows come first. `windows` of a draw are where they end, as counts of those who had joined: rising, the last
one all entrants. They are mixed into the seed. Within window n, counted from 0, the order is `parvis-feistel-1` under
HMAC-SHA-256(seed, "window/<n>"). Redis counts a window where anybody joined (`lua/include/windows.lua`); after a loss
who may have joined in the moment that is lost belongs to the last one that is known.
"""

import hmac
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from engine.catalogue import OnSale
from engine.draw import Draw, decode
from engine.errors import BadInput

LONGEST_WINDOW_S: Final = 3_600
MOST_WINDOWS: Final = 1_500
"""A day in minutes. Everybody reads them in the status of a draw that was made."""


def ends_of(text: str) -> tuple[int, ...]:
    """Where the windows end, as Redis writes it."""
    return tuple(map(int, text.split()))


class Order:
    """The position of everybody in a line whose draw was made: within windows, where there are any."""

    def __init__(self, seed: bytes, entrants: int, windows: Sequence[int] = ()) -> None:
        self.entrants = entrants
        self._seed = seed
        self._ends = list(windows)
        self._draws: dict[int, Draw] = {} if windows else {0: Draw(seed, entrants)}

    def position(self, index: int) -> int:
        """The position of an arrival index, both from 0. Latecomers keep theirs."""
        if index >= self.entrants:
            return index
        number = bisect_right(self._ends, index) if self._ends else 0
        start = self._ends[number - 1] if number else 0
        drawn = self._draws.get(number)
        if drawn is None:
            own = hmac.digest(self._seed, f"window/{number}".encode(), "sha256")
            drawn = self._draws[number] = Draw(own, self._ends[number] - start)
        return start + drawn.position(index - start)

    def positions(self) -> Iterator[int]:
        """The position of every entrant, in order of arrival."""
        return map(self.position, range(self.entrants))


@lru_cache(maxsize=64)
def order_of(seed: str, entrants: int, windows: Sequence[int] = ()) -> Order:
    """An `Order`, kept for the on-sales that are being asked for. `seed`: base64url."""
    return Order(decode(seed), entrants, windows)


def check_windows(made: OnSale) -> None:
    """Raises `BadInput` for windows that cannot be meant, or are too many."""
    seconds = made.fair_window_seconds
    if not 0 <= seconds <= LONGEST_WINDOW_S:
        raise BadInput(f"fair_window_seconds lies between 0 (no windows) and {LONGEST_WINDOW_S}")
    before_s = (made.opens_at_ms - made.prequeue_at_ms) // 1000
    if seconds and before_s // seconds >= MOST_WINDOWS:
        least = before_s // MOST_WINDOWS + 1
        raise BadInput(f"{MOST_WINDOWS} windows at most lie before opens_at: fair_window_seconds is at least {least}")
