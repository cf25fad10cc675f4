"""The visitors' routes: `@asgi` handlers of the Litestar app with msgspec codecs, and nothing in between.

A route is a function from `Call` to `Answer`; everything that all of them share, from the body's limit to
CORS and problems, is here once. `ROUTES` lists them for the OpenAPI document.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

import msgspec
import structlog
from litestar import Litestar, asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from api.metrics import ANSWERS, SECONDS
from api.problems import MEDIA_TYPE, Problem, problem, problem_of
from engine.cell import Cell
from engine.errors import Refused

JSON: Final = b"application/json"
LONGEST_KEY: Final = 200
SLOWEST_BODY_SECONDS: Final = 10
Body = TypeVar("Body")
Headers = list[tuple[bytes, bytes]]
log = structlog.get_logger()


class Answer(msgspec.Struct):
    """What goes back: status, body and headers besides the content's length."""

    status: int
    body: bytes = b""
    headers: Headers = []
    media_type: bytes = JSON


class Call:
    """One request of a house: its cell, the path's parameters, headers on demand and a body within its limit."""

    __slots__ = ("_receive", "cell", "parameters", "scope")

    def __init__(self, scope: Scope, receive: Receive, cell: Cell) -> None:
        self.scope = scope
        self._receive = receive
        self.cell = cell
        self.parameters: dict[str, Any] = scope["path_params"]

    def header(self, name: bytes) -> str:
        """A header's value (its name in lower case), or an empty string."""
        for key, value in self.scope["headers"]:
            if key == name:
                return value.decode("latin-1")
        return ""

    def bearer(self) -> str:
        """The bearer token, or an empty string."""
        kind, _, token = self.header(b"authorization").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    def idempotency_key(self) -> str:
        """The request's Idempotency-Key. Raises `Refused` when it is missing or cannot be one."""
        key = self.header(b"idempotency-key")
        if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
            raise Refused("idempotency-key-missing", f"an Idempotency-Key has 1 to {LONGEST_KEY} printable characters")
        return key

    async def raw_body(self) -> bytes:
        """The body as it came. Raises `Refused` above the house's limit."""
        limit = self.cell.house.limits.body_bytes
        chunks: list[bytes] = []
        size = 0
        async with asyncio.timeout(SLOWEST_BODY_SECONDS):
            while True:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise Refused("bad-body", "the request ended before its body did")
                chunk = cast("bytes", message.get("body", b""))
                size += len(chunk)
                if size > limit:
                    raise Refused("body-too-large", f"a body has at most {limit} bytes", limit=limit)
                if not message.get("more_body", False):
                    return chunk if not chunks else b"".join((*chunks, chunk))
                chunks.append(chunk)

    async def body(self, decoder: "msgspec.json.Decoder[Body]") -> Body:
        """The JSON body. Raises `Refused` and `msgspec.MsgspecError`."""
        media_type = self.header(b"content-type").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused("wrong-content-type", "the body is sent as application/json")
        return decoder.decode(await self.raw_body())


class Route(msgspec.Struct, frozen=True):
    """What the OpenAPI document says of a hot route."""

    method: str
    path: str
    summary: str
    request: Any
    answers: dict[int, Any]


ROUTES: Final[list[Route]] = []
HANDLERS: Final[list[ASGIRouteHandler]] = []
Handler = Callable[[Call], Awaitable[Answer]]


class _AnyMethod(dict[str, Any]):
    """A route's path parameters by method: an `@asgi` route's are the same for all."""

    def __missing__(self, _: str) -> Any:
        return self["asgi"]


def name_parameters(app: Litestar) -> None:
    """Gives `@asgi` routes their path parameters under every method.

    Litestar (2.21 to 2.25) stores them under `asgi` and looks them up by the request's method: a `KeyError`.
    """
    nodes: list[Any] = [app.asgi_router.root_route_map_node]
    while nodes:
        node = nodes.pop()
        nodes += node.children.values()
        if node.is_asgi:
            node.path_parameters = _AnyMethod(node.path_parameters)


EXPOSED: Final = (b"access-control-expose-headers", b"Retry-After, ETag")


def cors_headers(cell: Cell | None, origin: str, *, is_public: bool) -> Headers:
    """The CORS headers: everybody for public documents, the house's own list otherwise, never with credentials."""
    if is_public:
        return [(b"access-control-allow-origin", b"*"), EXPOSED]
    headers = [(b"vary", b"Origin")]
    if cell and origin and origin in cell.house.allowed_origins:
        headers += [(b"access-control-allow-origin", origin.encode("latin-1")), EXPOSED]
    return headers


async def send_answer(send: Send, answer: Answer) -> None:
    """Sends an answer."""
    headers = [(b"content-length", b"%d" % len(answer.body)), *answer.headers]
    if answer.body:
        headers.append((b"content-type", answer.media_type))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def answer_problem(found: Problem) -> Answer:
    """A problem as an answer."""
    headers: Headers = [(b"cache-control", b"no-store")]
    if found.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % found.retry_after_s))
    return Answer(found.status, found.body, headers, MEDIA_TYPE.encode())


async def _answer(handler: Handler, call: Call, method: str) -> Answer:
    cell = call.cell
    if call.scope.get("method") != method:
        return answer_problem(problem("method-not-allowed", f"this address answers to {method}"))
    if cell.under_way >= cell.house.limits.concurrency:
        return answer_problem(problem("house-busy", "too many requests at once", retry_after_s=1))
    cell.under_way += 1
    try:
        return await handler(call)
    except Exception as error:
        found = problem_of(error)
        if found is None:
            if isinstance(error, TimeoutError):
                found = problem("bad-body", "the body took too long to come")
            else:
                log.exception("unforeseen", house=cell.house.slug, path=call.scope["path"])
                found = problem("internal", "this should not have happened; it has been noted")
        return answer_problem(found)
    finally:
        cell.under_way -= 1


def hot(
    method: str,
    path: str,
    *,
    summary: str,
    answers: dict[int, Any],
    request: Any = None,
    is_public: bool = False,
) -> Callable[[Handler], Handler]:
    """Makes a route of a house, below `/v1/houses/{house}`. `is_public`: any web page may read it."""
    full_path = "/v1/houses/{house:str}" + path
    ROUTES.append(Route(method=method, path=full_path, summary=summary, request=request, answers=answers))

    def register(handler: Handler) -> Handler:
        name = handler.__name__

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            started = time.perf_counter()
            cell: Cell | None = scope["litestar_app"].state.cells.get(scope["path_params"]["house"])
            if cell is None:
                answer = answer_problem(problem("unknown-house", "there is no such house here"))
                slug = "-"
            else:
                answer = await _answer(handler, Call(scope, receive, cell), method)
                slug = cell.house.slug
            origin = ""
            for key, value in scope["headers"]:
                if key == b"origin":
                    origin = value.decode("latin-1")
                    break
            answer.headers = [*answer.headers, *cors_headers(cell, origin, is_public=is_public)]
            await send_answer(send, answer)
            ANSWERS.labels(slug, name, answer.status).inc()
            SECONDS.labels(slug, name).observe(time.perf_counter() - started)

        HANDLERS.append(asgi(full_path)(serve))
        return handler

    return register
