"""Who may manage a house: its API keys, by scope. A mutating route without a guard fails a test."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from api.patience import SLOWEST_BODY_SECONDS, SLOWEST_PLAN_SECONDS
from engine.catalogue import ApiKey
from engine.cell import Cell, digest
from engine.errors import Refused
from engine.house import Change, bind, find_key
from engine.ledger.ledger import Ledger

LONGEST_KEY: Final = 200
BODY_BYTES: Final = 64 * 1024
"""Of a change: a reason, a few names and numbers."""
Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


class Caller(msgspec.Struct, frozen=True):
    """Who of a house calls: the cell and ledger of the house, the key, and the id of what is to be done."""

    cell: Cell
    ledger: Ledger
    key: ApiKey
    operation: str

    def change(self, why: str) -> Change:
        """Who does it and why, as the action log keeps it: the key's name and id."""
        return Change(who=f"{self.key.name} ({self.key.key_id})", why=why)


def allows(*scopes: str, is_plan: bool = False) -> Guard:
    """Lets keys of one of the scopes through; the scope `manage` may do all. `is_plan`: the body is a seating plan.

    Refuses what is wrong with the request as such: house, key, scope, Idempotency-Key, the body's type, size and shape.
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        house = connection.path_params["house"]
        cell: Cell | None = connection.app.state.cells.get(house)
        if cell is None:
            raise Refused("unknown-house", "there is no such house here")
        kind, _, secret = connection.headers.get("authorization", "").partition(" ")
        key = find_key(cell, secret.strip()) if kind.lower() == "bearer" else None
        if key is None:
            raise Refused("key-required", "one of the house's keys is needed here")
        if not {"manage", *scopes} & set(key.scopes):
            raise Refused("scope-missing", "this key may not do that", scopes=list(scopes))
        operation = ""
        if isinstance(connection, Request) and connection.method == "POST":
            operation = digest("manage", key.key_id, idempotency_key(connection.headers.get("idempotency-key", "")))
            limits = cell.house.limits
            limit, seconds = limits.body_bytes, SLOWEST_BODY_SECONDS
            if is_plan:
                limit, seconds = limits.plan_bytes, SLOWEST_PLAN_SECONDS
            body = await _body(connection, limit, seconds)
            # Litestar itself would take "1" for 1.
            msgspec.json.decode(body, type=handler.parsed_fn_signature.parameters["data"].annotation)
        ledger = connection.app.state.ledgers[house]
        connection.state.caller = Caller(cell=cell, ledger=ledger, key=key, operation=operation)

    return guard


def change(path: str, summary: str, *scopes: str, status_code: int = 200) -> post:
    """A route (POST) that changes something of the house, for keys with one of the scopes; see `allows`."""
    return post(
        path,
        guards=[allows(*scopes)],
        status_code=status_code,
        request_max_body_size=BODY_BYTES,
        summary=summary,
    )


async def _body(request: Request[Any, Any, Any], limit: int, seconds: float) -> bytes:
    """The body of a POST. Raises `Refused` when it is no JSON of that size, or is slow to come."""
    if not is_json(request.headers.get("content-type", "")):
        raise Refused("wrong-content-type", "the body is sent as application/json")
    try:
        async with asyncio.timeout(seconds):
            if (request.content_length or 0) > limit or len(body := await request.body()) > limit:
                raise Refused("body-too-large", f"a body has at most {limit} bytes", limit=limit)
    except TimeoutError as error:
        raise Refused("bad-body", "the body took too long to come") from error
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Refused("bad-body", f"the body is not UTF-8: {error}") from error
    return body


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is JSON's, whatever its parameters."""
    return content_type.partition(";")[0].strip().lower() == "application/json"


def idempotency_key(key: str) -> str:
    """A request's Idempotency-Key. Raises `Refused` when it is missing or cannot be one."""
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise Refused("idempotency-key-missing", f"an Idempotency-Key has 1 to {LONGEST_KEY} printable characters")
    return key


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Whom the route's guard let through."""
    caller: Caller = request.state.caller
    return caller


async def changing(request: Request[Any, Any, Any]) -> Caller:
    """Whom the route's guard let through, their Idempotency-Key bound to this very request from now on.

    Raises `Refused` (`key-reused`) when it was used for another one, and `CellUnavailable`.
    """
    caller = caller_of(request)
    await bind(caller.cell, caller.operation, caller.cell.fingerprint(request.url.path, await request.body()))
    return caller


SHOWN: Final = allows("counter", "orders:read")
"""For what a counter's page shows."""
Limit = Annotated[int, Parameter(ge=1, le=1000)]
"""How many of a long list are told at once."""
