"""The composition root of the API: cells, ledgers and boards for the houses that this process serves."""

import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import structlog
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api import contacts as _contact_routes
from api import doorbell as _doorbell_routes
from api import draws as _draw_routes
from api import ops as _ops_routes
from api import public as _public_routes
from api import visitor as _visitor_routes
from api.boards import Boards, Fresh
from api.changes import seat_changes
from api.forms import basket as _basket_pages
from api.forms import choosing as _choosing_pages
from api.forms import joining as _joining_pages
from api.forms import paying as _paying_pages
from api.forms import summary as _summary_page
from api.forms.directory import PLAIN_PAGES
from api.hot import (
    BODILESS,
    HANDLERS,
    FastLane,
    Headers,
    cors_headers,
    drain,
    full_house,
    header_of,
    name_parameters,
    preflight,
    send_answer,
)
from api.manage import MANAGE
from api.metrics import REGISTRY, DoorCollector, HouseCollector
from api.openapi import document_of
from api.ops import healthz, metrics, operated_houses, readyz
from api.pages import PAGES, VERSION, VERSIONS, WEB
from api.problems import MEDIA_TYPE, problem, problem_of
from api.public import DIRECTORY_SECONDS, directory, find_directory
from api.tallies import REFUSALS, TALLIES, Door
from api.theme import theme_style
from engine import logs
from engine.cell import Cell
from engine.figures import FOLDER_VARIABLE, Figures
from engine.garbage import collect_seldom
from engine.ledger.ledger import Ledger
from engine.ledger.statements import Signed
from engine.network import House, Network, load
from engine.parenthood import die_with
from engine.paths import Paths
from engine.rights import watch_rights
from engine.witness import Witness
from engine.words import HouseSlug

NETWORK_VARIABLE: Final = "PARVIS_NETWORK"
HOUSES_VARIABLE: Final = "PARVIS_HOUSES"
ROUTE_MODULES: Final = (_public_routes, _draw_routes, _doorbell_routes, _contact_routes, _visitor_routes, _ops_routes)
"""Imported for the routes that they register."""
PAGE_MODULES: Final = (_joining_pages, _choosing_pages, _basket_pages, _paying_pages, _summary_page)
"""Imported for the pages without JavaScript that they lay."""
TYPED: Final = (directory, MANAGE, operated_houses, healthz, readyz, metrics)
log = structlog.get_logger()


FRAMEWORK_SLUGS: Final = {
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "wrong-content-type",
}


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Every error of the typed routes and of the framework, as a problem."""
    found = problem_of(error)
    if found is None and isinstance(error, HTTPException):
        if error.status_code >= 500:
            found = problem("internal", "this should not have happened; it has been noted")
        else:
            slug = FRAMEWORK_SLUGS.get(error.status_code, "bad-body")
            found = problem(slug, _explain(error))
    if found is None:
        log.error("unforeseen", path=request.url.path, exc_info=error)
        found = problem("internal", "this should not have happened; it has been noted")
    REFUSALS[_known_house(request.app, request.url.path), found.slug] += 1
    headers = found.headers | dict(getattr(error, "headers", None) or {}) | _origin_headers(request)
    return Response(found.body, status_code=found.status, media_type=MEDIA_TYPE, headers=headers)


def _origin_headers(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The CORS headers of whatever lies below a house, on errors too."""
    slug = house_of(request.url.path)
    if not slug:
        return {}
    headers = cors_headers(request.app.state.cells.get(slug), request.headers.get("origin", ""), is_public=False)
    return {key.decode(): value.decode("latin-1") for key, value in headers}


def house_of(path: str) -> str:
    """The house that a path names, or an empty string."""
    parts = path.split("/")
    return parts[3] if parts[1:3] == ["v1", "houses"] and len(parts) > 3 else ""


def _known_house(app: Litestar, path: str) -> str:
    """The house under which a request is counted: nothing that somebody made up becomes a name there."""
    slug = house_of(path)
    return slug if slug in app.state.cells else "-"


def _explain(error: HTTPException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [str(each.get("message", "")) for each in extra if isinstance(each, dict)]
    return ": ".join([error.detail.split(" for http://")[0].split(" for https://")[0], *filter(None, parts)])


class TypedRoutes:
    """What the hot routes of a house do themselves, for its typed ones: the limit on requests at a time, CORS, and
    reading a refused body to its end.
    """

    def __init__(self, app: Litestar) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if "/manage/" not in path:
            await self.app(scope, receive, send)
            return
        origin = header_of(scope, b"origin")
        cell = self.app.state.cells.get(house_of(path))
        if scope.get("method") == "OPTIONS":
            await send_answer(send, preflight(cell, origin, is_public=False))
            return
        more = cors_headers(cell, origin, is_public=False)
        if cell is None:
            await self._serve(scope, receive, send, more)
            return
        full = full_house(cell)
        if full is not None:
            REFUSALS[cell.house.slug, full.refusal] += 1
            await send_answer(send, full, more=more)
            return
        cell.under_way += 1
        try:
            await self._serve(scope, receive, send, more)
        finally:
            cell.under_way -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send, more: Headers) -> None:
        is_read = scope.get("method") in BODILESS
        started = time.perf_counter()

        async def receive_and_note() -> Any:
            nonlocal is_read
            message = await receive()
            is_read = not message.get("more_body", False)
            return message

        async def send_with_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = time.perf_counter() - started
                TALLIES[_known_house(self.app, scope["path"]), "manage"].note(message["status"], seconds)
                if not is_read:
                    await drain(receive)
                known = {key for key, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in more if each[0] not in known)]
            await send(message)

        await self.app(scope, receive_and_note, send_with_more)


def create_app(houses: Sequence[House], network: Network | None = None) -> Litestar:
    """The app for the houses given, of a network. Servers that are away do not stop it from starting."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        cells = {house.slug: Cell(house) for house in houses}
        ledgers = {
            house.slug: Ledger(
                house.postgres_dsn,
                pool=house.limits.postgres_pool,
                timeout_ms=house.limits.postgres_timeout_ms,
            )
            for house in houses
        }
        app.state.cells = cells
        app.state.ledgers = ledgers
        app.state.paths = {slug: Paths(ledger) for slug, ledger in ledgers.items()}
        app.state.signed = {slug: Signed(ledger) for slug, ledger in ledgers.items()}
        app.state.boards = {slug: Boards(cell) for slug, cell in cells.items()}
        app.state.directory = Fresh(DIRECTORY_SECONDS, lambda: find_directory(app.state))
        app.state.stopping = asyncio.Event()
        app.state.network = network or Network("", tuple(houses))
        figures = app.state.figures = Figures(os.environ.get(FOLDER_VARIABLE))
        door = app.state.door = Door(cells, figures)
        collectors = (DoorCollector(door, figures), HouseCollector(figures))
        for collector in collectors:
            REGISTRY.register(collector)
        watching = [asyncio.create_task(door.run())]
        watching += [asyncio.create_task(cell.watch()) for cell in cells.values()]
        watching += [asyncio.create_task(Witness(cell, ledgers[slug]).run()) for slug, cell in cells.items()]
        watching += [asyncio.create_task(watch_rights(house, ledgers[house.slug])) for house in houses]
        try:
            yield
        finally:
            app.state.stopping.set()
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            for cell in cells.values():
                await cell.close()
            for ledger in ledgers.values():
                await ledger.close()
            for collector in collectors:
                REGISTRY.unregister(collector)

    app = Litestar(
        route_handlers=[
            *HANDLERS,
            seat_changes,
            *TYPED,
            document_of(TYPED),
            *PAGES,
            *PLAIN_PAGES,
            theme_style,
        ],
        lifespan=[lifespan],
        exception_handlers={Exception: on_error},
        openapi_config=None,
        logging_config=None,
    )
    name_parameters(app)
    return app


def from_environment() -> ASGIApp:
    """The app of a worker that `parvis serve` starts: the network file and its houses are in the environment."""
    # The server's main process may be killed; its workers would go on answering on the port.
    parent = multiprocessing.parent_process()
    die_with(parent.pid if parent and parent.pid else os.getppid(), signal.SIGKILL)
    logs.configure()
    network = load(Path(os.environ[NETWORK_VARIABLE]))
    slugs = [HouseSlug(slug) for slug in os.environ[HOUSES_VARIABLE].split(",")]
    app = create_app([network.house(slug) for slug in slugs], network)
    VERSIONS.keep(VERSION, WEB)
    collect_seldom()
    return FastLane(TypedRoutes(app), app)
