"""A circuit breaker: when a cell fails too often, callers are refused at once instead of waiting in turn."""

import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


class Breaker:
    """Closed lets every call through, open none, half-open one probe a cooldown.

    It opens after `consecutive_limit` failures with no success between them, or when at least `share_limit`
    of the calls in a window of `window_ms` failed (and there were `window_minimum` of them). `cooldown_ms`
    later one call is let through; its success closes the breaker, its failure opens it again. A probe of
    which nothing is heard for a cooldown is forgotten and the next call may try.

    `clock` gives seconds and never goes back. Not for use from several threads.
    """

    def __init__(
        self,
        *,
        consecutive_limit: int = 5,
        share_limit: float = 0.5,
        window_ms: int = 1_000,
        window_minimum: int = 50,
        cooldown_ms: int = 250,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consecutive_limit = consecutive_limit
        self._share_limit = share_limit
        self._window_s = window_ms / 1_000
        self._window_minimum = window_minimum
        self._cooldown_s = cooldown_ms / 1_000
        self._clock = clock
        self._state: BreakerState = "closed"
        self._consecutive = 0
        self._successes = 0
        self._failures = 0
        self._window_ends_at = clock() + self._window_s
        self._probe_at = 0.0
        self.is_closed = True
        """The same as `state == "closed"`; a plain attribute because every call reads it."""
        self.openings = 0
        """How often it went from closed to open."""

    @property
    def state(self) -> BreakerState:
        """`closed`, `open` or `half_open`."""
        return self._state

    def admits(self) -> bool:
        """Whether the call that asks may go now; when not closed, a yes hands out the one probe."""
        if self.is_closed:
            return True
        now = self._clock()
        if now < self._probe_at:
            return False
        self._state = "half_open"
        self._probe_at = now + self._cooldown_s
        return True

    def invite(self) -> None:
        """Something else shows that the cell is back (it greeted us): the next call may be the probe."""
        self._probe_at = self._clock()

    def succeeded(self, count: int = 1) -> None:
        """`count` calls were answered in time."""
        if self._state == "open":
            return  # sent before it opened: says nothing about now
        if self._state == "half_open":
            self._close()
        self._turn_window()
        self._consecutive = 0
        self._successes += count

    def failed(self, count: int = 1) -> None:
        """`count` calls failed in a way that says that the cell cannot serve."""
        if self._state == "open":
            return
        if self._state == "half_open":
            self._open()
            return
        self._turn_window()
        self._consecutive += count
        self._failures += count
        calls = self._successes + self._failures
        share_is_reached = calls >= self._window_minimum and self._failures >= self._share_limit * calls
        if self._consecutive >= self._consecutive_limit or share_is_reached:
            self.openings += 1
            self._open()

    def _turn_window(self) -> None:
        now = self._clock()
        if now >= self._window_ends_at:
            self._window_ends_at = now + self._window_s
            self._successes = self._failures = 0

    def _open(self) -> None:
        self._state = "open"
        self.is_closed = False
        self._probe_at = self._clock() + self._cooldown_s

    def _close(self) -> None:
        self._state = "closed"
        self.is_closed = True
        self._consecutive = self._successes = self._failures = 0
        self._window_ends_at = self._clock() + self._window_s
