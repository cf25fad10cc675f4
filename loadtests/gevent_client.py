"""HTTP for the visitors of one process: some kept-alive connections that they share, and the clock of each request."""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import gevent
from gevent.lock import BoundedSemaphore
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError

from loadtests.wire import UNKNOWN, Answer, Ask

CONNECTIONS: Final = 256
"""A request beyond them waits for one, and that counts: its time runs from when it was due."""
CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0
Timed = Callable[[Ask, Answer, float, float], None]


class GeventClient:
    """Sends asks. `timed` gets ask, answer, and when it was due and sent (monotonic)."""

    def __init__(self, base_url: str, timed: Timed) -> None:
        parts = urlsplit(base_url)
        self._base_path = parts.path.rstrip("/")
        self._timed = timed
        self._permits = BoundedSemaphore(CONNECTIONS)
        self._client = HTTPClient(
            parts.hostname or "localhost",
            parts.port or (443 if parts.scheme == "https" else 80),
            ssl=parts.scheme == "https",
            concurrency=CONNECTIONS,
            connection_timeout=CONNECT_S,
            network_timeout=ANSWER_S,
        )

    def send(self, ask: Ask, due_s: float) -> Answer:
        """The house's answer; an `UNKNOWN` one if the connection failed or nothing came in time."""
        with self._permits:
            sent_s = time.monotonic()
            try:
                response = self._client.request(ask.method, self._base_path + ask.path, ask.body, ask.headers)
                body = bytes(response.read())
                headers = {name.lower(): value for name, value in response.items()}
                answer = Answer(int(response.status_code), body, headers)
            except (OSError, HTTPParseError, gevent.Timeout):
                answer = Answer(UNKNOWN)
        self._timed(ask, answer, due_s, sent_s)
        return answer
