"""`parvis embed`: the lines that a house's web person puts into a page, with hashes, and what the policy needs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import quote, urlsplit

import msgspec
from cyclopts import Parameter

from engine.cli.speech import say
from engine.errors import BadInput
from engine.known_user import FILE
from engine.network import House, load
from engine.return_addresses import is_allowed_return
from engine.words import is_slug

Way = Literal["component", "redirect", "guard", "known-user"]
WIDGET: Final = "parvis.js"
ORIGIN: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?")
EXAMPLES: Final = "deploy/examples"


class Facts(msgspec.Struct, frozen=True):
    """What a file is pinned by, and how much of it travels."""

    integrity: str
    bytes: int
    brotli_bytes: int


class Widget(msgspec.Struct, frozen=True):
    """A version of the widget, as `api/embedding.py` tells of it."""

    version: str
    files: dict[str, Facts]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be embedded, where, and how."""

    server: str
    """Where visitors reach Parvis."""
    on_sale: str = ""
    way: Way = "component"
    origin: str = ""
    """Of the house's page."""
    back: str = ""
    """Where a visitor comes back to."""
    copy: Path | None = None
    """Where the files go that the house's own web server is to serve."""
    at: str = "/parvis"
    """Where that web server serves them."""


def ask_widget(server: str = "", folder: Path | None = None) -> Widget:
    """The widget of this release, from a process of the API's own: no arrow leads from here to there."""
    named = [server, str(folder)] if folder is not None else []
    done = subprocess.run([sys.executable, "-m", "api.embedding", *named], capture_output=True, check=False)
    if done.returncode:
        raise BadInput(f"the files cannot be had: {done.stderr.decode().strip().splitlines()[-1]}")
    return msgspec.json.decode(done.stdout, type=Widget)


def origin_of(text: str, option: str) -> str:
    """An origin without a slash behind it. Raises `BadInput`."""
    origin = text.rstrip("/")
    if not ORIGIN.fullmatch(origin):
        raise BadInput(f"{option}: {text!r} is not an origin; write https://tickets.example.org")
    return origin


def print_hashes(*, is_json: bool) -> None:
    """Prints what every file of the widget is pinned by."""
    widget = ask_widget()
    if is_json:
        print(msgspec.json.format(msgspec.json.encode(widget), indent=1).decode())
        return
    for name, facts in widget.files.items():
        say(f"/web/{widget.version}/{name}  {facts.integrity}  {facts.brotli_bytes} bytes compressed")


def print_snippet(network_file: Path, slug: str, wish: Wish) -> None:
    """Prints what stands in the house's page, and what else there is to do. Raises `BadInput`."""
    house = load(network_file).house(slug)
    if not is_slug(wish.on_sale):
        raise BadInput(f"--on-sale: {wish.on_sale!r} is no name of an on-sale")
    ways = {"component": _component, "redirect": _redirect, "guard": _guard, "known-user": _known_user}
    for line in ways[wish.way](house, wish):
        print(line)


def _component(house: House, wish: Wish) -> Iterator[str]:
    if wish.copy is not None:
        widget = ask_widget(wish.server, wish.copy)
        base, scripts = f"{wish.at.rstrip('/')}/{widget.version}", "'self'"
        yield f"<!-- The files are in {wish.copy / widget.version}: serve them at {base}/, unchanged. -->"
    else:
        widget = ask_widget()
        base, scripts = f"{wish.server}/web/{widget.version}", wish.server
    yield (
        f'<script type="module" src="{escape(base)}/{WIDGET}" crossorigin="anonymous"\n'
        f'  integrity="{widget.files[WIDGET].integrity}"></script>'
    )
    yield f'<parvis-waiting-room house="{house.slug}" on-sale="{wish.on_sale}"></parvis-waiting-room>'
    yield "\n# In the page's Content-Security-Policy (no 'unsafe-inline', and no style-src, is needed):"
    connect = " ".join(dict.fromkeys((wish.server, scripts)))
    yield f"script-src {scripts}; connect-src {connect}; trusted-types parvis"
    yield from _origin_advice(house, wish.origin)
    if wish.copy is None:
        yield (
            f"\n# This pins version {widget.version}. It outlives an upgrade of Parvis if the server runs with"
            "\n# PARVIS_WEB_VERSIONS=FOLDER, a folder that is kept; or serve the files yourself: --copy FOLDER."
        )


def _redirect(house: House, wish: Wish) -> Iterator[str]:
    address = f"{wish.server}/h/{house.slug}/{wish.on_sale}"
    if wish.back:
        address += f"?return_to={quote(wish.back, safe='')}"
    yield f'<a href="{escape(address)}">Tickets</a>'
    if wish.back:
        yield "\n# When it is their turn, visitors come back to that address with their pass behind the #, as #pass=…"
        yield f"# See {EXAMPLES}/redirect. Whoever checks the pass at a web server of their own: --way guard."
        yield from _return_advice(house, wish.back)


def _guard(house: House, wish: Wish) -> Iterator[str]:
    yield f"# For {EXAMPLES}/guard/parvis_guard, as environment variables (or `Settings(…)`):"
    yield f"PARVIS_GUARD_SERVER={wish.server}"
    yield f"PARVIS_GUARD_HOUSE={house.slug}"
    yield f"PARVIS_GUARD_ON_SALE={wish.on_sale}"
    origin = wish.origin or "https://www.example.org"
    yield f"PARVIS_GUARD_ORIGIN={origin}"
    yield f"# It fetches the keys from {wish.server}/v1/houses/{house.slug}/.well-known/jwks.json"
    yield from _return_advice(house, f"{origin}/parvis/return")


def _known_user(house: House, wish: Wish) -> Iterator[str]:
    yield "# For the connector of Queue-it that the house's site has: what changes in its settings."
    yield f"queueDomain      {urlsplit(wish.server).netloc}"
    yield f"queuePathPrefix  h/{house.slug}/{wish.on_sale}/queue-it"
    yield "eventId          as the on-sale's known_user_event says (parvis on-sale create --known-user-event …)"
    yield "customerId       as it is: it is not looked at"
    yield f"secretKey        as it stands in {house.secrets_path / FILE}: put yours there, or use the one that is"
    yield from _return_advice(house, wish.back or f"{wish.origin or 'https://www.example.org'}/")


def _origin_advice(house: House, origin: str) -> Iterator[str]:
    if origin and origin not in house.allowed_origins:
        yield f'\n# Not yet allowed. In the network file, house {house.slug}: allowed_origins = ["{origin}"]'
    elif not origin and not house.allowed_origins:
        yield f"\n# House {house.slug} has no allowed_origins in the network file: name the page's with --origin"


def _return_advice(house: House, back: str) -> Iterator[str]:
    if not any(is_allowed_return(back, allowed) for allowed in house.return_addresses):
        yield f'\n# Not yet allowed. In the network file, house {house.slug}: return_addresses = ["{back}"]'


def embed(
    *,
    network: Annotated[Path | None, Parameter(env_var="PARVIS_NETWORK")] = None,
    house: Annotated[str, Parameter(env_var="PARVIS_HOUSE")] = "",
    on_sale: str = "",
    server: str = "",
    way: Way = "component",
    origin: str = "",
    return_to: str = "",
    copy: Path | None = None,
    at: str = "/parvis",
    hashes: bool = False,
    json: bool = False,
) -> None:
    """Print the lines for a house's web page: the queue in it, a link to the queue, or a guard before it.

    Parameters
    ----------
    network
        The network file.
    house
        The house's slug.
    on_sale
        The on-sale that the page is about.
    server
        Where visitors reach Parvis: https://tickets.example.org.
    way
        component: the queue in the house's page. redirect: to the queue and back. guard: checked at the house's server.
        known-user: by the connector of Queue-it at the house's site.
    origin
        Of the house's page: https://www.example.org.
    return_to
        Where visitors come back to with their pass (redirect).
    copy
        Write the files into this folder, by version, for the house's own web server.
    at
        Where that web server serves them.
    hashes
        Print the hash of every file instead.
    json
        Print the hashes as one JSON object.
    """
    if hashes or json:
        print_hashes(is_json=json)
        return
    missing = {"--network": network, "--house": house, "--on-sale": on_sale, "--server": server}
    if network is None or not all(missing.values()):
        raise BadInput(f"{', '.join(name for name, value in missing.items() if not value)}: needed, or --hashes")
    wish = Wish(
        server=origin_of(server, "--server"),
        on_sale=on_sale,
        way=way,
        origin=origin_of(origin, "--origin") if origin else "",
        back=return_to,
        copy=copy,
        at=at,
    )
    print_snippet(network, house, wish)
