"""The visitors' routes: `@asgi` handlers of the Litestar app with msgspec codecs, and nothing in between.

A route is a function from `Call` to `Answer`; everything that all of them share, from the body's limit to
CORS and problems, is here once. `ROUTES` lists them for the OpenAPI document.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
import structlog
from litestar import Litestar, asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from api.guards import idempotency_key, is_json
from api.patience import SLOWEST_BODY_SECONDS, Patience
from api.problems import MEDIA_TYPE, Problem, problem, problem_of
from api.tallies import REFUSALS, TALLIES
from engine.cell import Cell
from engine.errors import Refused
from engine.ledger.ledger import Ledger
from engine.pressure import Level

JSON: Final = b"application/json"
HOUSE_PATH: Final = "/v1/houses/{house:str}"
PATIENCE: Final = Patience(SLOWEST_BODY_SECONDS)
"""With a body that is slow to come."""
SLOWEST_PIECE_SECONDS: Final = 20.0
"""In which a piece of a long answer has to be taken."""
DRAINED_BYTES: Final = 4 * 1024 * 1024
BODILESS: Final = frozenset({"GET", "HEAD"})
Body = TypeVar("Body")
Header = tuple[bytes, bytes]
Headers = list[Header]
log = structlog.get_logger()


class Answer(msgspec.Struct):
    """What goes back: status, body and headers besides the content's length."""

    status: int
    body: bytes = b""
    headers: Headers = []
    media_type: bytes = JSON
    refusal: str = ""
    """The problem's slug, where it is one."""
    rest: AsyncGenerator[bytes] | None = None
    """What follows the body, in pieces."""


def header_of(scope: Scope, name: bytes) -> str:
    """A request's header (its name in lower case), or an empty string."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return ""


class Call:
    """One request of a house: its cell, the path's parameters, headers on demand and a body within its limit."""

    __slots__ = ("_receive", "cell", "is_done_with", "parameters", "scope")

    def __init__(self, scope: Scope, receive: Receive, cell: Cell) -> None:
        self.scope = scope
        self._receive = receive
        self.cell = cell
        self.parameters: dict[str, Any] = scope["path_params"]
        self.is_done_with = False
        """Whether the body has come to its end, or nobody has time for it."""

    @property
    def ledger(self) -> Ledger:
        """The house's ledger."""
        found: Ledger = self.scope["litestar_app"].state.ledgers[self.cell.house.slug]
        return found

    def header(self, name: bytes) -> str:
        """A header's value (its name in lower case), or an empty string."""
        return header_of(self.scope, name)

    def bearer(self) -> str:
        """The bearer token, or an empty string."""
        kind, _, token = self.header(b"authorization").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    def idempotency_key(self) -> str:
        """The request's Idempotency-Key. Raises `Refused` when it is missing or cannot be one."""
        return idempotency_key(self.header(b"idempotency-key"))

    def raw_body(self) -> Awaitable[bytes]:
        """The body as it came. Raises `Refused` above the house's limit, `TimeoutError` when it is slow to come."""
        return PATIENCE.bear(self._read())

    async def _read(self) -> bytes:
        limit = self.cell.house.limits.body_bytes
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            self.is_done_with = not message.get("more_body", False)
            if message["type"] == "http.disconnect":
                raise Refused("bad-body", "the request ended before its body did")
            chunk = cast("bytes", message.get("body", b""))
            size += len(chunk)
            if size > limit:
                raise Refused("body-too-large", f"a body has at most {limit} bytes", limit=limit)
            if self.is_done_with:
                return chunk if not chunks else b"".join((*chunks, chunk))
            chunks.append(chunk)

    async def body(self, decoder: "msgspec.json.Decoder[Body]") -> Body:
        """The JSON body. Raises `Refused` and `msgspec.MsgspecError`."""
        if not is_json(self.header(b"content-type")):
            raise Refused("wrong-content-type", "the body is sent as application/json")
        body = await self.raw_body()
        try:
            return decoder.decode(body)
        except UnicodeDecodeError as error:
            raise Refused("bad-body", f"the body is not the JSON that is asked for: {error}") from error


async def drain(receive: Receive) -> None:
    """Reads what nobody wants of a body, within limits: a client that is still sending would not see its answer."""
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(SLOWEST_BODY_SECONDS):
            while size < DRAINED_BYTES:
                message = await receive()
                size += len(cast("bytes", message.get("body", b"")))
                if not message.get("more_body", False):
                    return


class Route(msgspec.Struct, frozen=True):
    """What the OpenAPI document says of a hot route."""

    method: str
    path: str
    summary: str
    answers: dict[int, Any]
    request: Any = None
    media_type: str = JSON.decode()
    query: tuple[str, ...] = ()
    bearer: tuple[str, ...] = ()
    """What the bearer token may be: `pass`, `key`, `order_secret`; none where nobody has to say who they are."""


ROUTES: Final[list[Route]] = []
HANDLERS: Final[list[ASGIRouteHandler]] = []
Handler = Callable[[Call], Awaitable[Answer]]
Served = dict[str, tuple[Handler, Level | None]]
"""By method: what answers, and from which level of pressure on it is refused unread; None: it always goes on."""
Tell = Callable[[Scope, Cell | None, Problem], Answer]
"""Tells a problem to whoever asked, of a house where the path names one."""
Serve = Callable[[Scope, Receive, Send], Awaitable[None]]
Found = tuple[Serve, dict[str, str]]
PATTERNS: Final[list[tuple[re.Pattern[str], Serve]]] = []
LONGEST_REMEMBERED_PATH: Final = 200


def _find(path: str) -> Found | None:
    for pattern, serve in PATTERNS:
        found = pattern.fullmatch(path)
        if found:
            return serve, found.groupdict()
    return None


_find_again = lru_cache(maxsize=4096)(_find)


class FastLane:
    """Takes a request for a hot route straight there: it needs none of the layers that the framework has on the way.

    Everything else, odd spellings of a hot route's path too, goes the usual way.
    """

    def __init__(self, app: ASGIApp, litestar: Litestar) -> None:
        self.app = app
        self.litestar = litestar

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        found = _find_again(path) if len(path) <= LONGEST_REMEMBERED_PATH else _find(path)
        if found is None:
            await self.app(scope, receive, send)
            return
        serve, scope["path_params"] = found
        scope["litestar_app"] = self.litestar
        await serve(scope, receive, send)


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


FULL: Final = problem("house-busy", "too many requests at once", retry_after_s=1)
UNKNOWN_HOUSE: Final = problem("unknown-house", "there is no such house here")
EXPOSED: Final = (b"access-control-expose-headers", b"Retry-After, ETag, Parvis-Signature")
FOR_EVERYBODY: Final[Headers] = [(b"access-control-allow-origin", b"*"), EXPOSED]


def cors_headers(cell: Cell | None, origin: str, *, is_public: bool) -> Headers:
    """The CORS headers: everybody for public documents, the house's own list otherwise, never with credentials."""
    if is_public:
        return FOR_EVERYBODY
    headers = [(b"vary", b"Origin")]
    if cell and origin and origin in cell.house.allowed_origins:
        headers += [(b"access-control-allow-origin", origin.encode("latin-1")), EXPOSED]
    return headers


def preflight(cell: Cell | None, origin: str, *, is_public: bool) -> Answer:
    """The answer to a preflight: what a script of that origin may ask."""
    headers = [*cors_headers(cell, origin, is_public=is_public)]
    if any(key == b"access-control-allow-origin" for key, _ in headers):
        headers += [
            (b"access-control-allow-methods", b"GET, POST, DELETE"),
            (b"access-control-allow-headers", b"Authorization, Content-Type, Idempotency-Key, Prefer"),
            (b"access-control-max-age", b"600"),
        ]
    return Answer(204, headers=headers)


async def _send_piece(send: Send, piece: bytes) -> None:
    """Raises `TimeoutError` where whoever asked does not read it: they may keep nobody else from it."""
    async with asyncio.timeout(SLOWEST_PIECE_SECONDS):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _send_in_pieces(
    send: Send, answer: Answer, pieces: AsyncGenerator[bytes], headers: Headers, *, is_head: bool
) -> None:
    async with aclosing(pieces) as rest:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if not is_head:
            await _send_piece(send, answer.body)
            async for piece in rest:
                await _send_piece(send, piece)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def send_answer(send: Send, answer: Answer, *, more: Sequence[Header] = (), is_head: bool = False) -> None:
    """Sends an answer, with more headers; to a HEAD only what it would be."""
    headers = [*answer.headers, *more]
    if answer.rest is not None:
        headers = [*headers, (b"content-type", answer.media_type)]
        await _send_in_pieces(send, answer, answer.rest, headers, is_head=is_head)
        return
    if answer.body:
        headers += ((b"content-length", b"%d" % len(answer.body)), (b"content-type", answer.media_type))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else answer.body, "more_body": False})


def answer_problem(found: Problem, *more: tuple[bytes, bytes]) -> Answer:
    """A problem as an answer."""
    headers = [(key.encode(), value.encode()) for key, value in found.headers.items()]
    return Answer(found.status, found.body, [*headers, *more], MEDIA_TYPE.encode(), found.slug)


def unknown_house() -> Answer:
    """The answer where the path names no house of ours."""
    return answer_problem(UNKNOWN_HOUSE)


def not_allowed(methods: Sequence[str]) -> Answer:
    """The answer to another method than a route's own."""
    allowed = ", ".join(methods)
    found = problem("method-not-allowed", f"this address answers to {allowed}")
    return answer_problem(found, (b"allow", allowed.encode()))


def is_full(cell: Cell) -> bool:
    """Whether this process serves as many of the house's requests as it may; a body then stays unread."""
    return cell.under_way >= cell.house.limits.concurrency


def full_house(cell: Cell) -> Answer | None:
    """The answer, to a body that stays unread, where this process serves as many of the house's requests as it may."""
    return answer_problem(FULL) if is_full(cell) else None


def tell_programs(_: Scope, __: Cell | None, found: Problem) -> Answer:
    """Tells a problem as JSON."""
    return answer_problem(found)


async def _answer(handler: Handler, sheds: Level | None, call: Call, tell: Tell) -> Answer:
    cell = call.cell
    if is_full(cell):
        call.is_done_with = True
        return tell(call.scope, cell, FULL)
    cell.under_way += 1
    try:
        if sheds is not None:
            cell.shed(sheds)  # before anything of the body is read
        return await handler(call)
    except Exception as error:
        call.is_done_with = call.is_done_with or (isinstance(error, Refused) and error.slug == "house-busy")
        found = problem_of(error)
        if found is None:
            if isinstance(error, TimeoutError):
                found = problem("bad-body", "the body took too long to come")
            else:
                log.exception("unforeseen", house=cell.house.slug, path=call.scope["path"])
                found = problem("internal", "this should not have happened; it has been noted")
        return tell(call.scope, cell, found)
    finally:
        cell.under_way -= 1


def hot(
    method: str,
    path: str,
    *,
    summary: str,
    answers: dict[int, Any],
    request: Any = None,
    bearer: tuple[str, ...] = (),
    is_public: bool = False,
    sheds: Level | None = None,
) -> Callable[[Handler], Handler]:
    """Makes a route of a house, below `/v1/houses/{house}`. `is_public`: any web page may read it.

    `sheds`: from which level of pressure on it is refused unread; None for what always goes on.
    """
    full_path = HOUSE_PATH + path
    ROUTES.append(Route(method, full_path, summary, answers, request, bearer=bearer))

    def register(handler: Handler) -> Handler:
        lay(full_path, handler.__name__, {method: (handler, sheds)}, is_public=is_public)
        return handler

    return register


def lay(path: str, name: str, served: Served, *, tell: Tell = tell_programs, is_public: "bool | None" = False) -> None:
    """Lays a lane of a house, counted as `name`. `is_public`: see `hot`; None: no other site's script may read it."""
    methods = served | {"HEAD": served["GET"]} if "GET" in served else served

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        cell: Cell | None = scope["litestar_app"].state.cells.get(scope["path_params"]["house"])
        origin, asked = header_of(scope, b"origin"), scope.get("method", "")
        if asked == "OPTIONS" and is_public is not None:
            await send_answer(send, preflight(cell, origin, is_public=is_public))
            return
        is_read = asked in BODILESS
        if cell is None:
            answer = tell(scope, None, UNKNOWN_HOUSE)
        elif asked not in methods:
            answer = not_allowed(tuple(methods))
        else:
            call = Call(scope, receive, cell)
            answer = await _answer(*methods[asked], call, tell)
            is_read = is_read or call.is_done_with
        if not is_read:
            await drain(receive)
        cors = [] if is_public is None else cors_headers(cell, origin, is_public=is_public)
        with suppress(TimeoutError):  # nobody reads it: there is nobody to tell
            await send_answer(send, answer, more=cors, is_head=asked == "HEAD")
        slug = cell.house.slug if cell else "-"
        TALLIES[slug, name].note(answer.status, time.perf_counter() - started)
        if answer.refusal:
            REFUSALS[slug, answer.refusal] += 1

    HANDLERS.append(asgi(path)(serve))
    PATTERNS.append((re.compile(re.sub(r"\\{(\w+):str\\}", r"(?P<\1>[^/]+)", re.escape(path))), serve))
