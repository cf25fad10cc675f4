"""HTTP for a crowd on one machine: a few kept-alive connections, and the cache before every big crowd."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp

from loadtests.visit import Left
from loadtests.wire import UNKNOWN, Answer, Ask, Pause, Steps

CONNECTIONS: Final = 200
Result = TypeVar("Result")
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=10)


class HttpClient:
    """Sends asks over at most `CONNECTIONS` connections; `timed` gets name, status and milliseconds of each.

    `cached` answers from the newest document that is still fresh for the ask, as any cache between a crowd
    and a house may; of many who want the same at once, one goes and the others wait for what it brings.
    """

    def __init__(self, base_url: str, timed: Callable[[str, int, float], None]) -> None:
        self._base_url = base_url.rstrip("/")
        self._timed = timed
        self._permits = asyncio.Semaphore(CONNECTIONS)
        self._documents: dict[str, tuple[float, Answer]] = {}
        self._under_way: dict[str, asyncio.Task[Answer]] = {}

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, ask: Ask) -> Answer:
        """The house's answer; an `UNKNOWN` one if the connection failed or nothing came in time."""
        async with self._permits:
            started = time.perf_counter()
            try:
                async with self._session.request(
                    ask.method, self._base_url + ask.path, data=ask.body or None, headers=ask.headers
                ) as response:
                    body = await response.read()
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    answer = Answer(response.status, body, headers)
            except (aiohttp.ClientError, TimeoutError, OSError):
                answer = Answer(UNKNOWN)
            self._timed(ask.name, answer.status, (time.perf_counter() - started) * 1000)
            return answer

    async def cached(self, ask: Ask) -> Answer:
        """An answer that is at most `ask.fresh_ms` old."""
        at_s, answer = self._documents.get(ask.path, (float("-inf"), Answer(UNKNOWN)))
        if time.monotonic() - at_s < ask.fresh_ms / 1000:
            return answer
        fetching = self._under_way.get(ask.path)
        if fetching is None:
            fetching = self._under_way[ask.path] = asyncio.create_task(self._fetch(ask))
        return await asyncio.shield(fetching)

    async def _fetch(self, ask: Ask) -> Answer:
        try:
            answer = await self.send(ask)
        finally:
            del self._under_way[ask.path]
        if answer.is_good:
            self._documents[ask.path] = (time.monotonic(), answer)
        return answer


async def follow(
    steps: Steps[Result], send: Callable[[Ask], Awaitable[Answer]], pause: Callable[[Pause], Awaitable[None]]
) -> Result:
    """Live a journey through and answer what it ends with. `pause` may raise `Left` to end the visit."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Pause):
                try:
                    await pause(step)
                except Left as left:
                    step = steps.throw(left)
                else:
                    step = steps.send(())
            else:
                step = steps.send(tuple(await asyncio.gather(*(send(ask) for ask in step))))
    except StopIteration as ended:
        result: Result = ended.value
        return result
