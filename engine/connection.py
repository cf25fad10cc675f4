"""One connection to a house's Redis: requests go out in the order made, replies come back in that order."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Any, Final, NamedTuple, cast

import hiredis

from engine.address import Address
from engine.errors import (
    BrokenContract,
    CellBusy,
    CellDisconnected,
    CellOutOfMemory,
    CellTimedOut,
    FunctionMissing,
    ParvisError,
)

NOTHING_YET: Final = object()

CANNOT_SERVE: Final = frozenset({
    "ASK", "BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "READONLY", "TRYAGAIN",
})  # fmt: skip
"""Error codes of Redis that mean "not now, not here"; https://redis.io/docs/latest/develop/reference/."""
ASTRAY: Final = frozenset({"CLUSTERDOWN", "MASTERDOWN", "READONLY"})
"""Those of a node that was demoted or cut off: another one may serve the house by now."""


class Moved(ParvisError):
    """The hash slot lives elsewhere; the node that says so ran nothing."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        host, _, port = text.rsplit(" ", 1)[-1].rpartition(":")
        self.host = host
        """Empty where Redis means the host that was asked."""
        self.port = int(port)


def error_of(text: str) -> ParvisError:
    """The error of ours that an error reply of Redis means."""
    if " script: " in text:
        return BrokenContract(text)  # raised midway by a command of the function: its earlier writes stay
    code = text.partition(" ")[0]
    if code == "MOVED":
        return Moved(text)
    if code == "OOM":
        return CellOutOfMemory(text)
    if code in CANNOT_SERVE:
        return Astray(text) if code in ASTRAY else CellBusy(text)
    if code == "NOSCRIPT" or text.startswith("ERR Function not found"):
        return FunctionMissing(text)
    return BrokenContract(text)


class Astray(CellBusy):
    """The node cannot serve the house's keys any more; another one may."""


@cache
def _vouched_for(ca_file: str) -> ssl.SSLContext:
    """Who may vouch for a Redis; reading that takes longer than many a connection."""
    return ssl.create_default_context(cafile=ca_file or None)


class Mark(NamedTuple):
    """The calls of one loop tick: up to the `end`-th of the connection, due at `deadline` (loop seconds)."""

    deadline: float
    end: int


class Connection(asyncio.Protocol):
    """The queue of calls that were sent and not answered, and the reader of their replies.

    A call that timed out or was cancelled keeps its slot in `futures` until its reply has come and been
    dropped: replies carry no name, only their order says whose they are.

    `on_answers(connection, answered, served, busy)` follows each read: how many replies came, how many of
    them somebody still waited for and were served, how many said `CellBusy`. `on_lost(connection, slots)`
    comes once with the number of slots that were open, `on_writable(connection)` when the transport drains.
    """

    def __init__(
        self,
        on_answers: Callable[["Connection", int, int, int], None],
        on_lost: Callable[["Connection", int], None],
        on_writable: Callable[["Connection"], None],
    ) -> None:
        self._on_answers = on_answers
        self._on_lost = on_lost
        self._on_writable = on_writable
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=error_of, notEnoughData=NOTHING_YET)
        self._transport: asyncio.Transport | None = None
        self._sent = 0
        self._answered = 0
        self._expired = 0
        self._received_at = 0.0
        self.futures: deque[asyncio.Future[Any]] = deque()
        self.marks: deque[Mark] = deque()
        self.is_paused = False
        self.is_lost = False
        self.is_astray = False
        """Whether the node said that it serves no more."""
        self.address = Address()
        self.write_pauses = 0
        self.ended = self._loop.create_future()

    async def open(self, address: Address, *, as_primary: bool = False) -> None:
        """Connect and greet (`HELLO 2`, with `AUTH` if there is a password); `as_primary`: no replica will do.

        Raises `OSError` or a `ParvisError` that says why Redis would not have us.
        """
        self.address = address
        try:
            if address.path:
                await self._loop.create_unix_connection(lambda: self, address.path)
            else:
                context = _vouched_for(address.ca_file) if address.is_tls else None
                await self._loop.create_connection(lambda: self, address.host, address.port, ssl=context)
            greeting = self._loop.create_future()
            words: tuple[Any, ...] = ("HELLO", 2)
            if address.password:
                words += ("AUTH", address.user or "default", address.password)
            self.send(float("inf"), [greeting], [hiredis.pack_command(words)])
            told = await greeting
            if as_primary and dict(zip(told[::2], told[1::2], strict=True)).get(b"role") != b"master":
                raise Astray(f"{address!r} is a replica")  # noqa: TRY301 - ends as every other refusal does
        except BaseException:  # also when we are cancelled, or out of time
            self.cut("")
            raise

    def send(self, deadline: float, futures: list[asyncio.Future[Any]], commands: list[bytes]) -> None:
        """Write all `commands` at once; their replies settle `futures`, in order, until `deadline`."""
        self.futures.extend(futures)
        self._sent += len(futures)
        self.marks.append(Mark(deadline, self._sent))
        if self._transport is not None:
            self._transport.write(b"".join(commands))

    def expire(self, now: float, timeout_s: float) -> tuple[int, bool]:
        """Time out the calls whose deadline is past.

        Returns how many, and whether nothing at all has come in since the first of them was sent.
        """
        expired, is_silent, known = 0, False, self.stale
        while self.marks and self.marks[0].deadline <= now:
            mark = self.marks.popleft()
            if mark.end <= self._answered:
                continue
            is_silent = is_silent or self._received_at <= mark.deadline - timeout_s
            self._expired = mark.end
        for future in islice(self.futures, known, self.stale):
            if not future.done():
                future.set_exception(CellTimedOut())
                expired += 1
        return expired, is_silent

    @property
    def stale(self) -> int:
        """Replies still to come for which it is too late."""
        return max(0, self._expired - self._answered)

    def cut(self, reason: str) -> int:
        """Drop the connection, with whatever is unwritten; returns how many callers lost a reply."""
        if self._transport is not None:
            self._transport.abort()
        return self._lose(reason)

    def close(self) -> None:
        """Close the connection once everything is written."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self.is_lost:  # we gave up while it was being made
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.is_lost:
            return
        self._received_at = self._loop.time()
        answered = served = busy = 0
        next_future = self.futures.popleft
        try:
            self._reader.feed(data)
            gets = self._reader.gets
            while (reply := gets()) is not NOTHING_YET:
                future = next_future()
                answered += 1
                if future.done():
                    continue
                if isinstance(reply, Exception):
                    future.set_exception(reply)
                    if isinstance(reply, CellBusy):
                        busy += 1
                        self.is_astray = self.is_astray or isinstance(reply, Astray)
                        continue
                else:
                    future.set_result(reply)
                served += 1
        except (hiredis.ProtocolError, IndexError):
            # From here on no reply can be matched with its request: better none than another's.
            self._settle(answered, served, busy)
            self.cut("What came from Redis was not a reply to anything asked; the effect is unknown.")
            return
        self._settle(answered, served, busy)

    def pause_writing(self) -> None:
        self.is_paused = True
        self.write_pauses += 1

    def resume_writing(self) -> None:
        self.is_paused = False
        self._on_writable(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose("" if exc is None else f"{CellDisconnected.__doc__} ({exc})")
        if not self.ended.done():
            self.ended.set_result(None)

    def _settle(self, answered: int, served: int, busy: int) -> None:
        self._answered += answered
        while self.marks and self.marks[0].end <= self._answered:
            self.marks.popleft()
        if answered:
            self._on_answers(self, answered, served, busy)

    def _lose(self, reason: str) -> int:
        if self.is_lost:
            return 0
        self.is_lost = True
        slots, callers = len(self.futures), 0
        for future in self.futures:
            if not future.done():
                future.set_exception(CellDisconnected(reason) if reason else CellDisconnected())
                callers += 1
        self.futures.clear()
        self.marks.clear()
        self._on_lost(self, slots)
        return callers
