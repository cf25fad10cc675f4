"""The pages and the widget of `api/web/`: plain files, read once at start-up, under a strict content policy.

Files are named by a version, `/web/<version>/waiting.js`: a browser keeps them for good, asks for nothing again in the
middle of a rush, and never mixes two releases. The widget's address has no version: `/web/parvis.js` only imports the
file that has one. A page is one module, put together from those of the folder (`api/bundle.py`). The widget carries the
hashes of what it loads later, so that whoever pins it has pinned that too (`parvis embed` prints all hashes).
"""

import hashlib
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final
from urllib.parse import quote, urlencode

import minify
import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from api.bundle import bundle, taken
from api.versions import File, file_of, integrity_of, kept_versions

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
FOR_GOOD: Final = "public, max-age=31536000, immutable"
FOR_A_WHILE: Final = "public, max-age=300, stale-while-revalidate=600, stale-if-error=86400"
WIDGET: Final = "parvis.js"
PAGE_NAMES: Final = ("onestop", "house", "waiting", "seats", "control", "counter", "ops")
PLAIN_TWINS: Final = {
    "onestop": "/plain",
    "house": "/h/{house}/plain",
    "waiting": "/h/{house}/{on_sale}/plain",
    "seats": "/h/{house}/{on_sale}/plain/seats",
}
"""The same without JavaScript (`api/forms/`). The page knows no house, and is the same bytes for everybody who asks for
nothing: a browser that runs no script is led to `?plain` of its own address, and from there on.
"""
CARRIED: Final = (b"language=", b"return_to=")
Page = Request[None, None, State]


def _read(folder: Traversable, prefix: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _read(entry, f"{prefix}{entry.name}/")
        elif not entry.name.startswith((".", "_")):
            found[prefix + entry.name] = entry.read_bytes()
    return found


SOURCES: Final = _read(files("api").joinpath("web"))
HOME: Final = "new URL('/', import.meta.url)"
"""How the widget knows its server: it is where the widget came from."""
NO_HASHES: Final = re.compile(r"(const \w*HASHES = )\{\};")
STYLE: Final = re.compile(r"^(export const \w*STYLE = `)(.+?)(`;)$", re.MULTILINE | re.DOTALL)
"""A stylesheet inside a module: the widget's."""
SEAT_MAP: Final = "seatmap.js"
CHUNKS: Final = ("widgetmore.js", SEAT_MAP)
"""What the widget loads once it is needed, beside its first file."""
ALONE: Final = {"prove.js": ("joinWithProof",), "windows.js": ("leadsToAnchor", "rank")}
"""What pages and the widget load alike once it is needed, with what it gives: it takes nothing of theirs."""
STAFF_PARTS: Final = ("/staff.json", "/ops.json", "/plain.json", "/directory.json")
"""Words that the widget never loads."""
SHOP_PART: Final = "/shop.json"
"""Words that its seat map alone loads, and pins."""


def _data() -> dict[str, bytes]:
    """What is no script: words by language and part, and the rest made small."""
    built: dict[str, bytes] = {}
    for name, body in SOURCES.items():
        if name.endswith(".json"):
            for part, entries in msgspec.json.decode(body).items():
                built[f"{name.removesuffix('.json')}/{part}.json"] = msgspec.json.encode(entries)
        elif name.endswith(".css"):
            built[name] = minify.string("text/css", body.decode()).encode()
        elif not name.endswith((".js", ".html")):
            built[name] = body
    return built


def _small_style(found: "re.Match[str]") -> str:
    small: str = minify.string("text/css", found[2])
    return found[1] + small + found[3]


def _scripts(server: str) -> dict[str, str]:
    scripts = {name: STYLE.sub(_small_style, body.decode()) for name, body in SOURCES.items() if name.endswith(".js")}
    if server:
        scripts["api.js"] = scripts["api.js"].replace(HOME, f"new URL({msgspec.json.encode(server + '/').decode()})")
    return scripts


def _pinning(scripts: Mapping[str, str], name: str, later: Mapping[str, bytes]) -> dict[str, str]:
    """The scripts, with the hashes of what one of them leads to."""
    # A hash cannot be compressed: the shortest that browsers take.
    hashes = msgspec.json.encode({each: integrity_of(body, "sha256") for each, body in later.items()}).decode()
    return {**scripts, name: NO_HASHES.sub(lambda found: f"{found[1]}{hashes};", scripts[name])}


def _widget(scripts: Mapping[str, str], later: Mapping[str, bytes]) -> dict[str, bytes]:
    """The widget, with the hashes of what it loads later."""
    own = {name: body for name, body in later.items() if not name.endswith((*STAFF_PARTS, SHOP_PART))}
    gives = {name for chunk in CHUNKS for name in taken(scripts, chunk, WIDGET)}
    return {WIDGET: bundle(_pinning(scripts, "pinned.js", own), WIDGET, gives=gives).encode()}


def _later(scripts: Mapping[str, str], data: Mapping[str, bytes]) -> dict[str, bytes]:
    """What may be loaded after a first file: words, and the widget's further scripts."""
    words = {name: body for name, body in data.items() if name.endswith(".json")}
    alone = {name: bundle(scripts, name, gives=gives).encode() for name, gives in ALONE.items()}
    pinning = _pinning(scripts, SEAT_MAP, {name: body for name, body in words.items() if name.endswith(SHOP_PART)})
    return words | alone | {name: bundle(pinning, name, beside=WIDGET).encode() for name in CHUNKS}


def _version(built: Mapping[str, bytes]) -> str:
    """Of what is sent, not of what it is made from: another minifier makes another version of the same sources."""
    named = [b"%b\0%b" % (name.encode(), built[name]) for name in sorted(built)]
    return hashlib.sha256(b"\0".join(named)).hexdigest()[:12]


def widget_files(server: str = "") -> tuple[str, dict[str, File]]:
    """The widget with all that it may load, and the version of that.

    `server`: where Parvis is, for files that a house serves itself: `https://tickets.example.org`.
    """
    scripts = _scripts(server)
    later = {name: body for name, body in _later(scripts, _data()).items() if not name.endswith(STAFF_PARTS)}
    built = _widget(scripts, later) | later
    return _version(built) if server else VERSION, {name: file_of(name, body) for name, body in built.items()}


def _built() -> dict[str, bytes]:
    """Every file by its name."""
    scripts, data = _scripts(""), _data()
    pages = {f"{page}.js": bundle(scripts, f"{page}.js").encode() for page in PAGE_NAMES}
    later = _later(scripts, data)
    return pages | data | later | _widget(scripts, later)


_BUILT: Final = _built()
VERSION: Final = _version(_BUILT)
FOLDER: Final = f"/web/{VERSION}/"
VERSIONS: Final = kept_versions()
"""Those of other releases, and ours once it was served here; see `api/versions.py`."""


def _kept_or_made(name: str, body: bytes) -> File:
    """To compress all of them takes half a second, which is spared where they lie already."""
    return VERSIONS.find(VERSION, name) or file_of(name, body)


def _page_file(page: str) -> File:
    name = "page.html" if page in PLAIN_TWINS else "staff.html"
    text = SOURCES[name].decode().replace("PAGE.js", f"{page}.js").replace("/web/", FOLDER)
    return file_of(name, text.encode())


WEB: Final = {name: _kept_or_made(name, body) for name, body in _BUILT.items()}
WIDGET_FILE: Final = file_of(WIDGET, f"import '{FOLDER}{WIDGET}';\n".encode())
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


def _page(request: Page, name: str, carried: str = "") -> Response[bytes]:
    """`carried`: what its ways to the page without JavaScript take along."""
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "no-cache",
        # A visitor's place travels in a fragment, which no referrer carries; this keeps even the path at home.
        "referrer-policy": "same-origin",
    }
    found = PAGE_FILES[name]
    if not carried:
        return _send(request, found, headers)
    body = found.body.replace(b"?plain", b"?plain&amp;" + escape(carried).encode("latin-1"))
    return Response(body, media_type=found.media_type, headers={"x-content-type-options": "nosniff", **headers})


def _carried(request: Page) -> str:
    """What of an address's query goes along to the page's twin without JavaScript."""
    query: bytes = request.scope["query_string"]
    return b"&".join(each for each in query.split(b"&") if each.startswith(CARRIED)).decode("latin-1")


def _visitors_page(request: Page, name: str, **where: str) -> Response[bytes]:
    carried = _carried(request)
    if b"plain" not in request.scope["query_string"].split(b"&"):
        return _page(request, name, carried)
    path = PLAIN_TWINS[name].format(**{key: quote(value) for key, value in where.items()})
    headers = {"location": f"{path}?{carried}" if carried else path, "cache-control": "no-cache"}
    return Response(b"", status_code=303, headers=headers)


@get("/web/{name:path}", include_in_schema=False)
async def web_file(request: Page, name: str) -> Response[bytes]:
    """A module, a stylesheet, an image. Any origin may load them: a house embeds the widget in its own page.

    Another version is asked for by a house that has pinned it, or while two releases serve side by side. Where it was
    not kept, ours is sent, and does not stay; whoever pinned the other by its hash will not run it.
    """
    name = name.lstrip("/")
    version, _, rest = name.partition("/")
    kept = None if version == VERSION else VERSIONS.find(version, rest)
    found, cache = (WIDGET_FILE, FOR_A_WHILE) if name == WIDGET else (kept or WEB.get(rest), "no-store")
    if found is None:
        raise NotFoundException("there is no such page")
    if kept or version == VERSION:
        cache = FOR_GOOD
    return _send(request, found, {"access-control-allow-origin": "*", "cache-control": cache})


@get("/", include_in_schema=False)
async def one_stop(request: Page) -> Response[bytes]:
    """Every listed on-sale of the network."""
    return _visitors_page(request, "onestop")


@get("/ops", include_in_schema=False)
async def ops_page(request: Page) -> Response[bytes]:
    """How every house is doing, for the network's operators."""
    return _page(request, "ops")


@get("/h/{house:str}", include_in_schema=False)
async def house_page(request: Page, house: str) -> Response[bytes]:
    """A house's on-sales."""
    return _visitors_page(request, "house", house=house)


@get("/h/{house:str}/control", include_in_schema=False)
async def control_page(request: Page, house: str) -> Response[bytes]:  # noqa: ARG001 - it reads its own address
    """For the house's manager."""
    return _page(request, "control")


@get("/h/{house:str}/counter", include_in_schema=False)
async def counter_page(request: Page, house: str) -> Response[bytes]:  # noqa: ARG001
    """For the house's counter."""
    return _page(request, "counter")


@get("/h/{house:str}/{on_sale:str}", include_in_schema=False)
async def waiting_page(request: Page, house: str, on_sale: str) -> Response[bytes]:
    """The waiting room."""
    return _visitors_page(request, "waiting", house=house, on_sale=on_sale)


@get("/h/{house:str}/{on_sale:str}/seats", include_in_schema=False)
async def seats_page(request: Page, house: str, on_sale: str) -> Response[bytes]:
    """Choosing seats, the basket, the confirmation."""
    return _visitors_page(request, "seats", house=house, on_sale=on_sale)


@get(
    ["/h/{house:str}/{on_sale:str}/queue-it", "/h/{house:str}/{on_sale:str}/queue-it/error/{code:str}"],
    include_in_schema=False,
)
async def from_queue_it(request: Page, house: str, on_sale: str) -> Response[bytes]:
    """Whom the connector of Queue-it at a house's own site sends here: to the room, which judges the way back (`t`)."""
    target = request.query_params.get("t", "")
    room = f"/h/{quote(house, safe='')}/{quote(on_sale, safe='')}"
    location = f"{room}?{urlencode({'return_to': target})}" if target else room
    return Response(b"", status_code=303, headers={"location": location, "cache-control": "no-store"})


PAGES: Final = [
    web_file,
    one_stop,
    ops_page,
    house_page,
    control_page,
    counter_page,
    waiting_page,
    seats_page,
    from_queue_it,
]
