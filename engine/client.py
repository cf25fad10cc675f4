"""The small client of the hot path: many callers, one connection, one write for the calls of a loop tick.

redis-py's pool hands each call a connection of its own and pays for it in Python; here the calls that were
made in one turn of the event loop leave together and their replies are matched by order (5 % of the cost,
see *Speed* in the README). Everything that is not a function call goes through redis-py.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from hiredis import pack_command

from engine.address import location_of
from engine.breaker import Breaker
from engine.connection import Connection, Moved
from engine.dialling import Dialler
from engine.errors import BreakerOpen, CellBusy, CellOverloaded, CellUnreachable

LOAD: Final = 64
"""So many calls leave before the tick's end: Redis starts on them while we pack the rest (+ 20 to 30 %)."""
WATCH_S: Final = 1.0
LATE_SWEEP_S: Final = 0.05
"""A sweep this late means that our own loop stood still: replies may lie unread, so it reads first."""


class Unsent(NamedTuple):
    """Calls of one loop tick that no connection could take yet; `deadline` in loop seconds."""

    deadline: float
    futures: list[asyncio.Future[Any]]
    commands: list[bytes]


class FunctionClient:
    """Calls Redis Functions over one connection, each call with a deadline of `timeout_ms`.

    A call that was written is never sent again, whatever happens: repeating is for whoever holds its
    operation id. A call that was not written yet waits for the connection until its deadline. `MOVED` is
    followed once (the node that says it ran nothing), with a new deadline.

    url: see `engine.address.location_of`.
    waiting_limit: calls that may be under way; above it callers are refused at once.
    connect_timeout_ms: for connecting and greeting together.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_ms: int = 250,
        waiting_limit: int = 10_000,
        connect_timeout_ms: int = 250,
        breaker: Breaker | None = None,
    ) -> None:
        self._timeout_s = timeout_ms / 1_000
        self._waiting_limit = waiting_limit
        self._stale_limit = max(1, waiting_limit // 10)
        self.breaker = breaker or Breaker()

        self._futures: list[asyncio.Future[Any]] = []
        self._commands: list[bytes] = []
        self._flush_is_due = False
        self._unsent: deque[Unsent] = deque()
        self._under_way = 0

        self._connection: Connection | None = None
        self._connections: list[Connection] = []
        self._connecting: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._dialler = Dialler(
            location_of(url),
            connect_timeout_ms / 1_000,
            lambda: Connection(self._on_answers, self._on_lost, self._send_unsent),
            self.breaker.failed,
        )
        self._is_acquainted = False
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop  # of the first call
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._sweep_was_put_off = False
        self._past_write_pauses = 0

        self.calls = 0
        self.timeouts = 0
        self.reconnects = 0
        self.refused = 0

    @property
    def waiting(self) -> int:
        """Calls under way: made and not answered, those given up by their callers included."""
        return len(self._futures) + self._under_way

    @property
    def write_pauses(self) -> int:
        """How often Redis read so slowly that writing had to wait."""
        return self._past_write_pauses + sum(connection.write_pauses for connection in self._connections)

    async def call(
        self,
        function: str,
        keys: Sequence[str | bytes],
        arguments: Sequence[str | bytes | int],
        *,
        read_only: bool = False,
    ) -> Any:
        """Call `function` (`FCALL`, or `FCALL_RO` when `read_only`) and return its reply, strings as bytes.

        Raises `CellTimedOut` and `CellDisconnected` (effect unknown); `CellUnreachable`, `CellOverloaded`,
        `BreakerOpen`, `FunctionMissing`, `CellOutOfMemory`, `CellBusy` (no effect); `BrokenContract`
        for every other error reply.
        """
        if (
            not self.breaker.is_closed
            or len(self._futures) + self._under_way >= self._waiting_limit
            or self._connection is None
        ):
            self._admit()
        words: tuple[Any, ...] = (
            b"FCALL_RO" if read_only else b"FCALL",
            function,
            len(keys),
            *keys,
            *arguments,
        )
        command: bytes = pack_command(words)
        has_moved = False
        while True:
            future = self._loop.create_future()
            self._futures.append(future)
            self._commands.append(command)
            if len(self._futures) >= LOAD:
                self._flush()
            elif not self._flush_is_due:
                self._flush_is_due = True
                self._loop.call_soon(self._flush)
            try:
                return await future
            except Moved as moved:
                if has_moved:
                    raise CellBusy(f"The slot is moving from node to node: {moved}") from moved
                has_moved = True
                self._follow(moved)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close; whoever still waits gets `CellDisconnected`, or `CellUnreachable` if it was never sent."""
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._watching is not None:
            self._watching.cancel()
        if self._flush_is_due:
            self._flush()
        self._give_up(float("inf"), "The client was closed; this call was never sent.")
        connections = self._connections[:]
        for connection in connections:
            connection.cut("The client was closed with the call under way; its effect is unknown.")
        for connection in connections:
            await connection.ended
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()

    def _admit(self) -> None:
        """What a call passes when something is not as usual."""
        if self._is_closed:
            raise CellUnreachable("The client is closed; this call was never sent.")
        self._loop = asyncio.get_running_loop()
        if self.waiting >= self._waiting_limit:
            self.refused += 1
            raise CellOverloaded
        if self._connection is None:
            self._connect_soon()
        # Without a connection the greeting is the probe: a caller would only wait for it.
        if not self.breaker.is_closed and (self._connection is None or not self.breaker.admits()):
            self.refused += 1
            raise BreakerOpen

    def _flush(self) -> None:
        self._flush_is_due = False
        if not self._futures:
            return  # a full load left before the tick's end
        futures, commands = self._futures, self._commands
        self._futures, self._commands = [], []
        self.calls += len(futures)
        self._under_way += len(futures)
        deadline = self._loop.time() + self._timeout_s
        connection = self._connection
        if connection is None or connection.is_paused:
            self._unsent.append(Unsent(deadline, futures, commands))
        else:
            connection.send(deadline, futures, commands)
        if self._sweep_timer is None:
            self._sweep_at(deadline)

    def _send_unsent(self, connection: Connection) -> None:
        """Send what waited for a connection that takes it, less what nobody waits for any more."""
        while self._unsent and connection is self._connection and not connection.is_paused:
            deadline, futures, commands = self._unsent.popleft()
            wanted = [n for n, future in enumerate(futures) if not future.done()]
            self._under_way -= len(futures) - len(wanted)
            if wanted:
                connection.send(deadline, [futures[n] for n in wanted], [commands[n] for n in wanted])

    def _sweep_at(self, moment: float) -> None:
        self._sweep_timer = self._loop.call_at(moment, self._sweep, moment)

    def _sweep(self, due_at: float) -> None:
        """The one timer: fires at the oldest deadline, times out what is due, waits for the next."""
        self._sweep_timer = None
        now = self._loop.time()
        if now - due_at > LATE_SWEEP_S and not self._sweep_was_put_off:
            self._sweep_was_put_off = True
            self._sweep_at(now + LATE_SWEEP_S / 10)
            return
        self._sweep_was_put_off = False
        given_up = self._give_up(now, f"{CellUnreachable.__doc__} {self._dialler.last_refusal}".strip())
        self._note_timeouts(given_up)
        for connection in self._connections[:]:
            expired, is_silent = connection.expire(now, self._timeout_s)
            self._note_timeouts(expired)
            if is_silent or connection.stale > self._stale_limit:
                # Whatever else we wrote would be run when Redis wakes, for callers who are long gone.
                lost = connection.cut("Redis fell silent with the call under way; its effect is unknown.")
                self.breaker.failed(lost)
        deadlines = [connection.marks[0].deadline for connection in self._connections if connection.marks]
        deadlines += [self._unsent[0].deadline] if self._unsent else []
        if deadlines:
            self._sweep_at(min(deadlines))

    def _give_up(self, now: float, reason: str) -> int:
        """Refuse the unsent calls whose deadline is past; returns how many had a caller."""
        count = 0
        while self._unsent and self._unsent[0].deadline <= now:
            futures = self._unsent.popleft().futures
            self._under_way -= len(futures)
            for future in futures:
                if not future.done():
                    future.set_exception(CellUnreachable(reason))
                    count += 1
        return count

    def _note_timeouts(self, count: int) -> None:
        if count:
            self.timeouts += count
            self.breaker.failed(count)

    def _on_answers(self, connection: Connection, answered: int, served: int, busy: int) -> None:
        if connection not in self._connections:
            return  # its greeting
        self._under_way -= answered
        self._dialler.proved_good()
        if busy:
            self.breaker.failed(busy)
            if connection.is_astray and connection is self._connection and self._dialler.leave():
                self._retire()
        if served:
            self.breaker.succeeded(served)
        if connection is not self._connection and not connection.futures:
            connection.close()

    def _on_lost(self, connection: Connection, slots: int) -> None:
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        self._under_way -= slots
        self._past_write_pauses += connection.write_pauses
        if connection is self._connection:
            self._connection = None
            if not self._is_closed:
                self.breaker.failed()
                self._connect_soon()

    def _follow(self, moved: Moved) -> None:
        """Go to the node that the slot moved to."""
        if not self._dialler.redirect(moved):
            return  # another call was told before
        self._retire()

    def _retire(self) -> None:
        """Go elsewhere; the calls still under way here are let finish."""
        retired, self._connection = self._connection, None
        if retired is not None and not retired.futures:
            retired.close()
        self._connect_soon()

    def _connect_soon(self) -> None:
        if self._connecting is None and not self._is_closed:
            self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        connection = await self._dialler.dial()
        self._connecting = None
        self._connections.append(connection)
        self._connection = connection
        self.reconnects += self._is_acquainted
        self._is_acquainted = True
        self.breaker.invite()
        self._send_unsent(connection)
        if self._dialler.asks_sentinels:
            if self._watching is not None:
                self._watching.cancel()
            self._watching = self._loop.create_task(self._watch(connection))

    async def _watch(self, connection: Connection) -> None:
        """Leaves a primary that the sentinels have replaced: it may have been cut off from them, and not from us."""
        while connection is self._connection:
            await asyncio.sleep(WATCH_S)
            is_superseded = await self._dialler.is_superseded(connection.address)
            if is_superseded and connection is self._connection:
                self._retire()
