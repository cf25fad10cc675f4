"""HTTP/1.1 for the visitors of one process: some kept-alive connections that they share, and the clock of each request.

It is small because it is where a crowd's processor time goes: what a general client does for a request costs five times
as much, and on a machine that the crowd shares with the house, the crowd would be what is measured.
"""

import ssl
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from gevent import socket
from gevent.lock import BoundedSemaphore

from loadtests.wire import UNKNOWN, Answer, Ask

CONNECTIONS: Final = 256
"""A request beyond them waits for one, and that counts: its time runs from when it was due."""
CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0
RECEIVED_AT_ONCE: Final = 262_144
HEAD_END: Final = b"\r\n\r\n"
BODILESS: Final = frozenset({204, 304})
Timed = Callable[[Ask, Answer, float, float], None]


class Ended(OSError):
    """The other side closed the connection."""


class Connection:
    """One connection, one request at a time."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._socket = socket.create_connection((host, port), timeout=CONNECT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        self._socket.settimeout(ANSWER_S)
        self._rest = b""
        self.is_kept = True

    def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer. Raises `OSError`, and `ValueError` for what is no HTTP."""
        self._socket.sendall(request)
        head = self._until(HEAD_END)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.is_kept = headers.get("connection", "").lower() != "close"
        return Answer(status, b"" if status in BODILESS else self._body(headers), headers)

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", ""):
            chunks = []
            while size := int(self._until(b"\r\n").partition(b";")[0], 16):
                chunks.append(self._exactly(size))
                self._until(b"\r\n")
            while self._until(b"\r\n"):
                pass
            return b"".join(chunks)
        if "content-length" in headers:
            return self._exactly(int(headers["content-length"]))
        self.is_kept = False
        return self._to_the_end()

    def _receive(self) -> bytes:
        data: bytes = self._socket.recv(RECEIVED_AT_ONCE)
        if not data:
            raise Ended("closed before the answer was whole")
        return data

    def _until(self, mark: bytes) -> bytes:
        while (at := self._rest.find(mark)) < 0:
            self._rest += self._receive()
        found, self._rest = self._rest[:at], self._rest[at + len(mark) :]
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._rest += self._receive()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _to_the_end(self) -> bytes:
        try:
            while True:
                self._rest += self._receive()
        except Ended:
            return self._rest

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()


class GeventClient:
    """Sends asks. `timed` gets ask, answer, and when it was due and sent (monotonic)."""

    def __init__(self, base_url: str, timed: Timed) -> None:
        parts = urlsplit(base_url)
        is_secure = parts.scheme == "https"
        self._address = (parts.hostname or "localhost", parts.port or (443 if is_secure else 80))
        self._context = ssl.create_default_context() if is_secure else None
        self._base_path = parts.path.rstrip("/")
        self._tail = f" HTTP/1.1\r\nhost: {parts.netloc.rpartition('@')[2]}\r\n"
        self._timed = timed
        self._permits = BoundedSemaphore(CONNECTIONS)
        self._idle: list[Connection] = []

    def send(self, ask: Ask, due_s: float) -> Answer:
        """The house's answer; an `UNKNOWN` one if the connection failed or nothing came in time."""
        request = self._written(ask)
        with self._permits:
            sent_s = time.monotonic()
            try:
                answer = self._ask(request)
            except (OSError, ValueError, IndexError):
                answer = Answer(UNKNOWN)
        self._timed(ask, answer, due_s, sent_s)
        return answer

    def _written(self, ask: Ask) -> bytes:
        head = f"{ask.method} {self._base_path}{ask.path}{self._tail}"
        head += "".join(f"{name}: {value}\r\n" for name, value in ask.headers.items())
        if ask.method != "GET":
            head += f"content-length: {len(ask.body)}\r\n"
        return head.encode("latin-1") + b"\r\n" + ask.body

    def _ask(self, request: bytes) -> Answer:
        """Over a connection that was kept, or else over a new one: a server may close one that idles at any time."""
        while self._idle:
            connection = self._idle.pop()
            try:
                return self._over(connection, request)
            except (ConnectionError, Ended):
                continue
        return self._over(Connection(*self._address, self._context), request)

    def _over(self, connection: Connection, request: bytes) -> Answer:
        is_kept = False
        try:
            answer = connection.ask(request)
            is_kept = connection.is_kept
        finally:
            # Also when the visitor is sent home amid a request: a half-read answer is nobody else's.
            if is_kept:
                self._idle.append(connection)
            else:
                connection.close()
        return answer
