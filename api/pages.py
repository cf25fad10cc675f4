"""The pages and the widget of `api/web/`: plain files, read once at start-up, under a strict content policy.

Files are named by a version, `/web/<version>/waiting.js`: a browser keeps them for good, asks for nothing again in the
middle of a rush, and never mixes two releases. The widget's address has no version: `/web/parvis.js` only imports the
file that has one. A page is one module, put together from those of the folder (`api/bundle.py`).
"""

import gzip
import hashlib
import mimetypes
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import brotli
import minify
import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from api.bundle import bundle

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
FOR_GOOD: Final = "public, max-age=31536000, immutable"
FOR_A_WHILE: Final = "public, max-age=300, stale-while-revalidate=600, stale-if-error=86400"
WIDGET: Final = "parvis.js"
MEDIA_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
PAGE_NAMES: Final = ("onestop", "house", "waiting", "seats", "control", "counter")
Page = Request[None, None, State]


class File(msgspec.Struct, frozen=True):
    """What is sent for one address, as it is and compressed."""

    body: bytes
    brotli: bytes
    gzipped: bytes
    media_type: str
    etag: str


def _read(folder: Traversable, prefix: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _read(entry, f"{prefix}{entry.name}/")
        elif not entry.name.startswith((".", "_")):
            found[prefix + entry.name] = entry.read_bytes()
    return found


def _file(name: str, body: bytes) -> File:
    suffix = name[name.rfind(".") :]
    media_type = MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    return File(
        body=body,
        brotli=brotli.compress(body),
        gzipped=gzip.compress(body, mtime=0),
        media_type=media_type,
        etag=etag,
    )


SOURCES: Final = _read(files("api").joinpath("web"))
VERSION: Final = hashlib.sha256(b"\0".join(b"%b\0%b" % (n.encode(), SOURCES[n]) for n in sorted(SOURCES))).hexdigest()[
    :12
]
FOLDER: Final = f"/web/{VERSION}/"


def _built() -> dict[str, bytes]:
    """Every file by its name: modules put together, words by language and part, the rest made small."""
    scripts = {name: body.decode() for name, body in SOURCES.items() if name.endswith(".js")}
    built = {name: bundle(scripts, name).encode() for name in (WIDGET, *(f"{page}.js" for page in PAGE_NAMES))}
    for name, body in SOURCES.items():
        if name.endswith(".json"):
            for part, entries in msgspec.json.decode(body).items():
                text = msgspec.json.encode(entries).decode()
                built[f"{name.removesuffix('.json')}/{part}.js"] = f"export default {text};".encode()
        elif name.endswith(".css"):
            built[name] = minify.string("text/css", body.decode()).encode()
        elif not name.endswith((".js", ".html")):
            built[name] = body
    return built


def _page_file(page: str) -> File:
    text = SOURCES["page.html"].decode().replace("PAGE.js", f"{page}.js").replace("/web/", FOLDER)
    return _file("page.html", text.encode())


WEB: Final = {name: _file(name, body) for name, body in _built().items()}
WIDGET_FILE: Final = _file(WIDGET, f"import '{FOLDER}{WIDGET}';\n".encode())
PAGE_FILES: Final = {page: _page_file(page) for page in PAGE_NAMES}


def _send(request: Page, found: File, headers: dict[str, str]) -> Response[bytes]:
    headers = {"etag": found.etag, "vary": "accept-encoding", "x-content-type-options": "nosniff", **headers}
    if request.headers.get("if-none-match") == found.etag:
        return Response(b"", status_code=304, headers=headers)
    body = found.body
    accepted = request.headers.get("accept-encoding", "")
    if "br" in accepted:
        body, headers["content-encoding"] = found.brotli, "br"
    elif "gzip" in accepted:
        body, headers["content-encoding"] = found.gzipped, "gzip"
    return Response(body, media_type=found.media_type, headers=headers)


def _page(request: Page, name: str) -> Response[bytes]:
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "no-cache",
        # A visitor's place travels in a fragment, which no referrer carries; this keeps even the path at home.
        "referrer-policy": "same-origin",
    }
    return _send(request, PAGE_FILES[name], headers)


@get("/web/{name:path}", include_in_schema=False)
async def web_file(request: Page, name: str) -> Response[bytes]:
    """A module, a stylesheet, an image. Any origin may load them: a house embeds the widget in its own page.

    Another version is asked for while two releases serve side by side; it gets ours, and does not keep it.
    """
    name = name.lstrip("/")
    version, _, rest = name.partition("/")
    found, cache = (WIDGET_FILE, FOR_A_WHILE) if name == WIDGET else (WEB.get(rest), "no-store")
    if found is None:
        raise NotFoundException("there is no such page")
    if version == VERSION:
        cache = FOR_GOOD
    return _send(request, found, {"access-control-allow-origin": "*", "cache-control": cache})


@get("/", include_in_schema=False)
async def one_stop(request: Page) -> Response[bytes]:
    """Every listed on-sale of the network."""
    return _page(request, "onestop")


@get("/h/{house:str}", include_in_schema=False)
async def house_page(request: Page, house: str) -> Response[bytes]:  # noqa: ARG001 - the page reads its own address
    """A house's on-sales."""
    return _page(request, "house")


@get("/h/{house:str}/control", include_in_schema=False)
async def control_page(request: Page, house: str) -> Response[bytes]:  # noqa: ARG001
    """For the house's manager."""
    return _page(request, "control")


@get("/h/{house:str}/counter", include_in_schema=False)
async def counter_page(request: Page, house: str) -> Response[bytes]:  # noqa: ARG001
    """For the house's counter."""
    return _page(request, "counter")


@get("/h/{house:str}/{on_sale:str}", include_in_schema=False)
async def waiting_page(request: Page, house: str, on_sale: str) -> Response[bytes]:  # noqa: ARG001
    """The waiting room."""
    return _page(request, "waiting")


@get("/h/{house:str}/{on_sale:str}/seats", include_in_schema=False)
async def seats_page(request: Page, house: str, on_sale: str) -> Response[bytes]:  # noqa: ARG001
    """Choosing seats, the basket, the confirmation."""
    return _page(request, "seats")


PAGES: Final = [web_file, one_stop, house_page, control_page, counter_page, waiting_page, seats_page]
