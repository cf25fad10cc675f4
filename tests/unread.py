"""Requests to the application with no server between, whose bodies count how often they are read."""

from typing import Any, Final

from litestar import Litestar

from api.app import TypedRoutes
from api.hot import FastLane


class UnreadBody:
    """Asks the routes of an application; `reads` counts since the start."""

    def __init__(self, app: Litestar, body: bytes, media_type: str) -> None:
        self._routes: Final = FastLane(TypedRoutes(app), app)
        self._body, self._media_type = body, media_type
        self.reads = 0

    async def ask(self, method: str, path: str, query: str = "") -> tuple[int, dict[bytes, bytes]]:
        """Status and headers of the answer."""
        sent: list[Any] = []

        async def receive() -> Any:
            self.reads += 1
            return {"type": "http.request", "body": self._body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(b"content-type", self._media_type.encode()), (b"host", b"x")], "http_version": "1.1",
            "scheme": "http", "root_path": "", "server": None, "client": None, "asgi": {"version": "3.0"},
            "extensions": {},
        }  # fmt: skip
        await self._routes(scope, receive, send)
        return int(sent[-2]["status"]), dict(sent[-2]["headers"])
