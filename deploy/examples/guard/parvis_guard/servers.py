"""The guard before an app that speaks ASGI or WSGI."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from parvis_guard.guard import LONGEST_BODY, Guard
from parvis_guard.messages import Answer, Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]
StartResponse = Callable[..., Any]
WSGI = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class GuardASGI:
    """Puts a guard before an ASGI app: Starlette, Django, Litestar, Quart."""

    def __init__(self, app: ASGI, guard: Guard) -> None:
        self.app, self.guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers instead of the app, or passes the request on untouched."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        body = await self._body(scope, receive)
        # Fetching keys and looking a turn up take a moment; nobody else waits for it.
        verdict = await asyncio.to_thread(self.guard.decide, request_of(scope, body))
        answer = verdict.answer
        if answer is None:
            await self.app(scope, receive, _sending(send, verdict.headers) if verdict.headers else send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send_answer(answer, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The body of what is meant for the guard itself; any other is left to the app."""
        body = b""
        if scope["path"] == self.guard.settings.return_path and scope.get("method") == "POST":
            while len(body) <= LONGEST_BODY:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    break
        return body if len(body) <= LONGEST_BODY else b""


def _sending(send: Send, more: list[tuple[str, str]]) -> Send:
    """Sends what the app does, with more headers."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in more]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return sending


def request_of(scope: Scope, body: bytes = b"") -> Request:
    """An ASGI scope as the guard reads it."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(scope.get("method", "GET"), scope["path"], query, headers, body)


def request_in(headers: dict[str, str]) -> Request:
    """The request that nginx asks about (`X-Original-Method`, `X-Original-URI`)."""
    path, _, query = headers.get("x-original-uri", "/").partition("?")
    return Request(headers.get("x-original-method", "GET"), unquote(path), query, headers)


async def send_answer(answer: Answer, send: Send) -> None:
    """Sends the guard's own answer."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


class GuardWSGI:
    """Puts a guard before a WSGI app: Django, Flask."""

    def __init__(self, app: WSGI, guard: Guard) -> None:
        self.app, self.guard = app, guard

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answers instead of the app, or passes the request on untouched."""
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace") or "/"
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        body = b""
        if path == self.guard.settings.return_path and environ["REQUEST_METHOD"] == "POST":
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length) if length <= LONGEST_BODY else b""
        request = Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, body)
        verdict = self.guard.decide(request)
        answer = verdict.answer
        if answer is None:

            def starting(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                return start_response(status, [*headers, *verdict.headers], *more)

            return self.app(environ, starting if verdict.headers else start_response)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", answer.headers)
        return [answer.body]
