"""A time-out for many who all may wait equally long: one timer for everybody; `asyncio.timeout` sets one for each."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

SLOWEST_BODY_SECONDS: Final = 10
SLOWEST_PLAN_SECONDS: Final = 60
"""For a body of up to sixteen megabytes."""
Value = TypeVar("Value")


class Patience:
    """At most `seconds` for each. Not for use from several threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[asyncio.Task[Any], float] = {}
        """Who waits until when in loop time, the first to be late first."""
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def bear(self, work: Awaitable[Value]) -> Value:
        """What `work` gives. Raises `TimeoutError` when that takes too long. A task waits for one thing at a time."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None  # noqa: S101 - as for `asyncio.timeout`
        self._until[task] = until = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(until, self._look)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            del self._until[task]
            self._late.discard(task)

    def _look(self) -> None:
        """Ends the wait of who is late, and comes back for who is next."""
        loop, self._timer = asyncio.get_running_loop(), None
        for task, until in self._until.items():
            if until > loop.time():
                self._timer = loop.call_at(until, self._look)
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()
