"""Load at a pace: requests leave when they are due, whatever becomes of those before them.

So a server that is slow is asked as often as one that is fast, and the time of an answer counts from when its
request was due. A flood runs in a process of its own, at a lower priority than what it floods.
"""

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Self, cast

import msgspec
import uvloop

END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length: "
NICE: Final = 10
TICK_S: Final = 0.001
PATIENCE_S: Final = 10.0
"""For the answers that are still to come at the end."""
Make = Callable[[int], bytes]


class Paced(msgspec.Struct, frozen=True):
    """What became of the requests. `times_ms`: from due to answered, sorted; `lost`: never answered."""

    statuses: dict[int, int]
    times_ms: list[float]
    lost: int
    seconds: float

    def percentile(self, share: float) -> float:
        """The time within which this share was answered, ms."""
        return self.times_ms[min(len(self.times_ms) - 1, int(share * len(self.times_ms)))]


class _Link(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, pace: "_Pace") -> None:
        self._pace = pace
        self._rest = b""
        self._due = 0.0
        self._is_asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._pace.idle.append(self)
        self._pace.send()

    def ask(self, due: float, request: bytes) -> None:
        self._due, self._is_asked = due, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        head = data.find(END_OF_HEAD)
        lower = data[: max(0, head)].lower() + b"\r\n"
        at = lower.find(LENGTH)
        length = int(lower[at + len(LENGTH) : lower.index(b"\r\n", at)]) if at >= 0 else 0
        if head < 0 or len(data) < head + len(END_OF_HEAD) + length:
            self._rest = data
            return
        self._rest, self._is_asked = b"", False
        self._pace.answered(int(data[9:12]), self._due)
        if b"connection: close" in lower:
            self._transport.close()
            return
        self._pace.idle.append(self)
        self._pace.send()

    def connection_lost(self, _: Exception | None) -> None:
        if self in self._pace.idle:
            self._pace.idle.remove(self)
        self._pace.left(is_asked=self._is_asked)

    def close(self) -> None:
        self._transport.abort()


class _Pace:
    """The requests that are due and not sent, and the connections that are free."""

    def __init__(self, port: int, make: Make, first: int) -> None:
        self._port = port
        self._make = make
        self._number = first
        self._loop = asyncio.get_running_loop()
        self._links: set[asyncio.Task[None]] = set()
        self.idle: list[_Link] = []
        self.due: deque[float] = deque()
        self.under_way = 0
        self.lost = 0
        self.is_over = False
        self.statuses: Counter[int] = Counter()
        self.times_ms: list[float] = []

    async def connect(self) -> None:
        while not self.is_over:
            try:
                await self._loop.create_connection(lambda: _Link(self), "127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            return

    def send(self) -> None:
        while self.due and self.idle:
            self.under_way += 1
            self.idle.pop().ask(self.due.popleft(), self._make(self._number))
            self._number += 1

    async def until_answered(self) -> None:
        deadline = time.perf_counter() + PATIENCE_S
        while True:
            if not (self.due or self.under_way) or time.perf_counter() > deadline:
                return
            await asyncio.sleep(0.01)

    def answered(self, status: int, due: float) -> None:
        self.under_way -= 1
        self.statuses[status] += 1
        self.times_ms.append((time.perf_counter() - due) * 1000)

    def left(self, *, is_asked: bool) -> None:
        self.under_way -= is_asked
        self.lost += is_asked
        if not self.is_over:
            task = self._loop.create_task(self.connect())
            self._links.add(task)
            task.add_done_callback(self._links.discard)


async def _run(port: int, make: Make, a_second: float, seconds: float, connections: int, first: int) -> Paced:
    pace = _Pace(port, make, first)
    await asyncio.gather(*(pace.connect() for _ in range(connections)))
    started, sent = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        due = int(elapsed * a_second) + 1
        pace.due.extend(started + number / a_second for number in range(sent, due))
        sent = due
        pace.send()
        await asyncio.sleep(TICK_S)
    seconds = time.perf_counter() - started
    await pace.until_answered()
    pace.is_over = True
    for link in pace.idle[:]:
        link.close()
    lost = pace.lost + pace.under_way + len(pace.due)
    return Paced(dict(pace.statuses), sorted(pace.times_ms), lost, seconds)


def _work(port: int, make: Make, a_second: float, seconds: float, connections: int, first: int) -> Paced:
    return uvloop.run(_run(port, make, a_second, seconds, connections, first))


def _yield_to_others() -> None:
    """`nice` changes one thread: all of this process's are told."""
    for thread in Path("/proc/self/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(thread.name), NICE)


class Pacer:
    """A process that sends at a pace. A context manager. `is_nice`: when the machine has nothing better to do."""

    def __init__(self, *, is_nice: bool) -> None:
        initializer = _yield_to_others if is_nice else None
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=initializer)
        self._sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    async def send(self, port: int, make: Make, a_second: float, seconds: float, *, connections: int = 64) -> Paced:
        """Sends `make(number)`, each number once in the life of this, so many a second."""
        loop = asyncio.get_running_loop()
        first, self._sent = self._sent, self._sent + int(a_second * seconds) + 1_000_000
        return await loop.run_in_executor(self._pool, _work, port, make, a_second, seconds, connections, first)


class Joining(msgspec.Struct, frozen=True):
    """Makes joins of one on-sale, each of somebody else. `who`: keeps apart those who make them."""

    path: str
    who: int

    def __call__(self, number: int) -> bytes:
        # The base64 of some 32 bytes; nobody here will ever claim the turn.
        body = b'{"secret_hash":"%06d%036dA"}' % (self.who, number)
        return b"\r\n".join(
            (
                b"POST %s HTTP/1.1" % self.path.encode(),
                b"host: 127.0.0.1\r\ncontent-type: application/json",
                b"idempotency-key: %06d-%020d" % (self.who, number),
                b"content-length: %d\r\n" % len(body),
                body,
            )
        )


class Holding(msgspec.Struct, frozen=True):
    """Makes joins and holds of a standing place in turns, the holds with a key of the counter."""

    joining: Joining
    path: str
    key: str
    body: bytes

    def __call__(self, number: int) -> bytes:
        if number % 2:
            return self.joining(number)
        return b"\r\n".join(
            (
                b"POST %s HTTP/1.1" % self.path.encode(),
                b"host: 127.0.0.1\r\ncontent-type: application/json",
                b"authorization: Bearer %s" % self.key.encode(),
                b"idempotency-key: h%06d-%020d" % (self.joining.who, number),
                b"content-length: %d\r\n" % len(self.body),
                self.body,
            )
        )


class Polling(msgspec.Struct, frozen=True):
    """Makes the same GET again and again."""

    path: str

    def __call__(self, _: int) -> bytes:
        return b"GET %s HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % self.path.encode()
