"""The pages and the widget of `api/web/`: plain files, read once at start-up, under a strict content policy."""

import hashlib
import mimetypes
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
Page = Request[None, None, State]


class File(msgspec.Struct, frozen=True):
    """One file of `api/web/`."""

    body: bytes
    media_type: str
    etag: str


def _files(folder: Traversable, prefix: str = "") -> dict[str, File]:
    found: dict[str, File] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _files(entry, f"{prefix}{entry.name}/")
        elif not entry.name.startswith((".", "_")):
            body = entry.read_bytes()
            media_type = mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
            if media_type.startswith("text/") or media_type.endswith("javascript"):
                media_type += "; charset=utf-8"
            etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
            found[prefix + entry.name] = File(body=body, media_type=media_type, etag=etag)
    return found


WEB: Final = _files(files("api").joinpath("web"))


def _serve(request: Page, name: str, headers: dict[str, str]) -> Response[bytes]:
    found = WEB.get(name)
    if found is None:
        raise NotFoundException("there is no such page")
    headers = {"etag": found.etag, "x-content-type-options": "nosniff", **headers}
    if request.headers.get("if-none-match") == found.etag:
        return Response(b"", status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


def _page(request: Page, name: str) -> Response[bytes]:
    return _serve(
        request,
        name,
        {
            "content-security-policy": POLICY,
            "cache-control": "no-cache",
            # A visitor's place travels in a fragment, which no referrer carries; this keeps even the path at home.
            "referrer-policy": "same-origin",
        },
    )


@get("/web/{name:path}", include_in_schema=False)
async def web_file(request: Page, name: str) -> Response[bytes]:
    """A module, a stylesheet, an image. Any origin may load them: a house embeds the widget in its own page."""
    return _serve(
        request, name.lstrip("/"), {"access-control-allow-origin": "*", "cache-control": "public, max-age=60"}
    )


@get("/", include_in_schema=False)
async def one_stop(request: Page) -> Response[bytes]:
    """Every listed on-sale of the network."""
    return _page(request, "index.html")


@get("/h/{house:str}", include_in_schema=False)
async def house_page(request: Page, house: str) -> Response[bytes]:  # noqa: ARG001 - the page reads its own address
    """A house's on-sales."""
    return _page(request, "house.html")


@get("/h/{house:str}/control", include_in_schema=False)
async def control_page(request: Page, house: str) -> Response[bytes]:  # noqa: ARG001
    """For the house's manager."""
    return _page(request, "control.html")


@get("/h/{house:str}/counter", include_in_schema=False)
async def counter_page(request: Page, house: str) -> Response[bytes]:  # noqa: ARG001
    """For the house's counter."""
    return _page(request, "counter.html")


@get("/h/{house:str}/{on_sale:str}", include_in_schema=False)
async def waiting_page(request: Page, house: str, on_sale: str) -> Response[bytes]:  # noqa: ARG001
    """The waiting room."""
    return _page(request, "waiting.html")


@get("/h/{house:str}/{on_sale:str}/seats", include_in_schema=False)
async def seats_page(request: Page, house: str, on_sale: str) -> Response[bytes]:  # noqa: ARG001
    """Choosing seats, the basket, the confirmation."""
    return _page(request, "seats.html")


PAGES: Final = [web_file, one_stop, house_page, control_page, counter_page, waiting_page, seats_page]
