"""The product's app with the yardsticks' routes beside its own: same server, same process, same router."""

from litestar import Litestar, asgi
from litestar.types import ASGIApp, Receive, Scope, Send

from api import app as product
from api.hot import name_parameters
from engine.cell import Cell

EMPTY = [(b"content-length", b"0")]


async def _send_nothing(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": EMPTY})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@asgi("/yardstick/empty")
async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    """Nothing: what server and router cost."""
    await _send_nothing(send, 200)


@asgi("/yardstick/one-write")
async def one_write(scope: Scope, receive: Receive, send: Send) -> None:
    """One function call that makes one write; the body is read, as that of every POST, and not looked at."""
    await receive()
    cell: Cell = next(iter(scope["litestar_app"].state.cells.values()))
    await cell.client.call("yardstick_one_write", (cell.keys.cell,), ())
    await _send_nothing(send, 201)


def from_environment() -> ASGIApp:
    """As `api.app.from_environment`."""
    app = product.from_environment()
    inner: Litestar = app.litestar  # type: ignore[attr-defined]
    inner.register(empty)
    inner.register(one_write)
    name_parameters(inner)
    return app
