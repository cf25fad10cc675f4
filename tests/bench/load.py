"""The load: a raw HTTP/1.1 client in a process of its own, so cheap that the server is the bottleneck.

Each connection is kept alive and asks its next question when it has read the answer. Requests are bytes
that were made before the clock starts.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final, cast

import msgspec
import uvloop

END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length: "
ROUND_SECONDS: Final = 120.0


class Answers(msgspec.Struct, frozen=True):
    """What came back: how long it took, how often which status, and the bodies that were to be kept, in order."""

    seconds: float
    statuses: dict[int, int]
    bodies: list[bytes]
    sample: bytes

    @property
    def a_second(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.seconds


class _Work:
    """The requests that all connections share, and what was answered."""

    def __init__(self, requests: Sequence[bytes], *, is_kept: bool) -> None:
        self.requests = requests
        self.numbers: Iterator[int] = iter(range(len(requests)))
        self.statuses: Counter[bytes] = Counter()
        self.bodies = [b""] * len(requests) if is_kept else []
        self.sample = b""
        """The last body that came."""
        self.left = len(requests)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._rest = b""
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        """Sends the next request, if there is one left."""
        number = next(self._work.numbers, None)
        if number is not None:
            self._number = number
            self.transport.write(self._work.requests[number])

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        head = data.find(END_OF_HEAD)
        at = data.find(LENGTH, 0, head)
        length = int(data[at + len(LENGTH) : data.index(b"\r\n", at)]) if at >= 0 else 0
        if head < 0 or len(data) < head + len(END_OF_HEAD) + length:
            self._rest = data
            return
        self._rest = b""
        work = self._work
        work.statuses[data[9:12]] += 1
        if work.bodies:
            work.bodies[self._number] = data[head + len(END_OF_HEAD) :]
        work.left -= 1
        if work.left:
            self.ask()
        else:
            work.sample = data[head + len(END_OF_HEAD) :]
            work.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._work.done.done():
            self._work.done.set_exception(ConnectionError(f"the server hung up: {exc}"))


async def _send(port: int, requests: Sequence[bytes], connections: int, is_kept: bool) -> Answers:
    loop = asyncio.get_running_loop()
    work = _Work(requests, is_kept=is_kept)
    callers = [
        (await loop.create_connection(lambda: _Caller(work), "127.0.0.1", port))[1]
        for _ in range(min(connections, len(requests)))
    ]
    started = time.perf_counter()
    for caller in callers:
        caller.ask()
    async with asyncio.timeout(ROUND_SECONDS):
        await work.done
    seconds = time.perf_counter() - started
    for caller in callers:
        caller.transport.abort()
    statuses = {int(status): count for status, count in work.statuses.items()}
    return Answers(seconds, statuses, work.bodies, work.sample)


def _run(port: int, requests: Sequence[bytes], connections: int, is_kept: bool) -> Answers:
    return uvloop.run(_send(port, requests, connections, is_kept))


class Load:
    """The client's process. A context manager."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    async def send(
        self, port: int, requests: Sequence[bytes], connections: int, expected: int, *, is_kept: bool = False
    ) -> Answers:
        """Sends all requests over so many connections. Raises `AssertionError` unless every status is as expected.

        is_kept: give the bodies too; they cost the client memory while it measures.
        """
        loop = asyncio.get_running_loop()
        answers = await loop.run_in_executor(self._pool, _run, port, requests, connections, is_kept)
        assert set(answers.statuses) == {expected}, f"{answers.statuses}: {answers.sample[:500]!r}"
        return answers

    def close(self) -> None:
        """Ends the process."""
        self._pool.shutdown()


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request's bytes; headers are named with underscores."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + END_OF_HEAD + body
