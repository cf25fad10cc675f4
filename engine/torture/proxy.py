"""A proxy between a client and its server that delays, cuts, swallows and resets, from a seed."""

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Self

CHUNK_BYTES = 64 * 1024
CLOSE_WITH_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: TCP says RST instead of FIN


@dataclass
class Link:
    """One client's connection and ours to the server behind it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    swallows_replies: bool = False
    has_lost_bytes: bool = False


class FaultProxy:
    """Listens on a unix socket or on a TCP port of 127.0.0.1, forwards to `upstream`, and misbehaves.

    `upstream` and `listen` are a unix socket's path, `host:port`, or (`listen` only) empty for any free port.
    Every `…_share` is the share of chunks (what one read brought) that meets the fault; set and change them
    at any time. `bitten` counts each fault that struck: a test asserts that it did.

    delay_ms: from and to; each chunk waits so long, in both directions, in order.
    cut_after_request_share: the request goes on to the server, then both sides are closed at once.
    reset_share: the client's connection is reset; the request does not reach the server.
    drop_replies_share: from this request on the server runs what it gets, no reply comes back, and the link
        is cut `drop_for_ms` later.
    reply_bytes_a_second: replies trickle, byte by byte; 0 is no limit.
    is_black_hole: what arrives, from either side, vanishes; connections stay and new ones are accepted. A
        connection that lost bytes so stays dead when the black hole is gone.
    only: what a request must contain for one of the shares to strike it; empty strikes any.
    """

    def __init__(self, upstream: str, listen: str = "", *, seed: int = 0) -> None:
        self._upstream = upstream
        self._listen = listen
        self._random = random.Random(seed)
        self._links: list[Link] = []
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.delay_ms: tuple[float, float] = (0, 0)
        self.cut_after_request_share = 0.0
        self.reset_share = 0.0
        self.drop_replies_share = 0.0
        self.drop_for_ms = 20.0
        self.reply_bytes_a_second = 0
        self.is_black_hole = False
        self.only = b""
        self.bitten: Counter[str] = Counter()

    @property
    def address(self) -> str:
        """Where it listens: the socket's path, or `host:port`."""
        if self._listen.startswith("/"):
            return self._listen
        if self._server is None:
            raise RuntimeError("it does not listen yet")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    @property
    def redis_url(self) -> str:
        """The address as a Redis client takes it."""
        return f"unix://{self.address}" if self._listen.startswith("/") else f"redis://{self.address}"

    def calm(self) -> None:
        """No more faults; what was cut stays cut."""
        self.delay_ms = (0, 0)
        self.cut_after_request_share = self.reset_share = self.drop_replies_share = 0.0
        self.reply_bytes_a_second = 0
        self.is_black_hole = False
        self.only = b""

    def cut_all(self) -> None:
        """Reset every connection now."""
        for link in self._links[:]:
            self._end(link, "cut_all", reset=True)

    async def __aenter__(self) -> Self:
        if self._listen.startswith("/"):
            self._server = await asyncio.start_unix_server(self._accept, self._listen)
        else:
            host, _, port = (self._listen or "127.0.0.1:0").rpartition(":")
            self._server = await asyncio.start_server(self._accept, host, int(port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        tasks = [*self._carrying]
        for link in self._links[:]:
            self._end(link)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._upstream.startswith("/"):
                from_server, to_server = await asyncio.open_unix_connection(self._upstream)
            else:
                host, _, port = self._upstream.rpartition(":")
                from_server, to_server = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, to_server)
        self._links.append(link)
        for carrying in (self._carry_requests(link, reader), self._carry_replies(link, from_server)):
            task = asyncio.create_task(carrying)
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    async def _carry_requests(self, link: Link, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # uvloop's word for a transport that was closed meanwhile
            while chunk := await reader.read(CHUNK_BYTES):
                if not await self._passes(link):
                    continue
                is_meant = self.only in chunk
                if is_meant and self._strikes(self.reset_share):
                    self._end(link, "reset", reset=True)
                    return
                link.server.write(chunk)
                await link.server.drain()
                if is_meant and self._strikes(self.cut_after_request_share):
                    self._end(link, "cut_after_request")
                    return
                if is_meant and not link.swallows_replies and self._strikes(self.drop_replies_share):
                    link.swallows_replies = True
                    asyncio.get_running_loop().call_later(self.drop_for_ms / 1_000, self._end, link)
        self._end(link)

    async def _carry_replies(self, link: Link, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while chunk := await reader.read(CHUNK_BYTES):
                if link.swallows_replies:
                    self.bitten["dropped_reply"] += 1
                elif await self._passes(link):
                    await self._write_reply(link, chunk)
        self._end(link)

    async def _write_reply(self, link: Link, chunk: bytes) -> None:
        while chunk and self.reply_bytes_a_second:
            self.bitten["slow_reply"] += 1
            link.client.write(chunk[:1])
            chunk = chunk[1:]
            await asyncio.sleep(1 / self.reply_bytes_a_second)
        link.client.write(chunk)
        await link.client.drain()

    async def _passes(self, link: Link) -> bool:
        if self.is_black_hole or link.has_lost_bytes:
            # TCP never loses bytes and then goes on: a link that lost some stays dead until it is closed.
            link.has_lost_bytes = True
            self.bitten["black_hole"] += 1
            return False
        if self.delay_ms[1] > 0:
            self.bitten["delay"] += 1
            await asyncio.sleep(self._random.uniform(*self.delay_ms) / 1_000)
        return True

    def _strikes(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    def _end(self, link: Link, fault: str = "", *, reset: bool = False) -> None:
        if link not in self._links:
            return
        self._links.remove(link)
        if fault:
            self.bitten[fault] += 1
        raw = link.client.get_extra_info("socket")
        if reset and raw.family != socket.AF_UNIX:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_WITH_RESET)
        link.client.transport.abort()
        # What the server was given it runs to the end: closing, unlike aborting, loses nothing written.
        link.server.close()
