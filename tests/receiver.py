"""A house's own program that takes webhooks over TLS on loopback, and checks each with the public library."""

import asyncio
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

ADDRESS = "127.0.0.1"


def trust(certificate: Path) -> ssl.SSLContext:
    """What a sender trusts that knows this certificate alone."""
    return ssl.create_default_context(cafile=str(certificate))


class Received(msgspec.Struct, frozen=True):
    """One request as it came: its path, headers and body, and whether its signature was right."""

    path: str
    headers: dict[str, str]
    body: bytes
    is_right: bool

    @property
    def event(self) -> str:
        return self.headers["webhook-id"]

    @property
    def says(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def type(self) -> str:
        return str(self.says["type"])


class Receiver:
    """Use as an async context manager. `secrets`: by path, what its endpoint was given."""

    def __init__(self, certificate: Path) -> None:
        self.secrets: dict[str, str] = {}
        self.received: list[Received] = []
        self.answer: Callable[[Received], web.StreamResponse | int] = lambda _: 204
        self.delay_seconds = 0.0
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, ADDRESS, self.port, ssl_context=self._context)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def url(self, path: str = "/hook", host: str = ADDRESS) -> str:
        return f"https://{host}:{self.port}{path}"

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body, headers = await request.read(), {name.lower(): value for name, value in request.headers.items()}
        came = Received(request.path, headers, body, self._is_right(request.path, headers, body))
        self.received.append(came)
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        answer = self.answer(came)
        return web.Response(status=answer) if isinstance(answer, int) else answer

    def _is_right(self, path: str, headers: dict[str, str], body: bytes) -> bool:
        try:
            Webhook(self.secrets[path]).verify(body, headers)
        except (KeyError, WebhookVerificationError):
            return False
        return True

    def types(self, path: str = "") -> list[str]:
        """What was told, in the order in which it came."""
        return [each.type for each in self.received if not path or each.path == path]

    async def until(self, count: int, path: str = "", seconds: float = 20) -> list[Received]:
        """Waits for so many requests, at a path or at all."""
        deadline = time.monotonic() + seconds
        while True:
            found = [each for each in self.received if not path or each.path == path]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, (count, [(each.path, each.type) for each in self.received])
            await asyncio.sleep(0.01)
