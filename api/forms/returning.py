"""Back to the house's own website with the pass, without JavaScript; beside `api/web/returning.js`.

It is the visitor's browser that goes there, and reads an address in its own way. What is allowed here is spelled so
plainly that every reading of it is the same; what is odd is refused.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

HOST: Final = re.compile(r"[a-z0-9.-]+(?::\d{1,5})?")
ODD: Final = re.compile(r"[^!-~]|\\|/(?:\.|%2e){1,2}(?:/|\?|#|$)", re.IGNORECASE)
"""What is not plain ASCII, a backslash, and steps up and down in a path."""
PORTS: Final = {"http": ":80", "https": ":443"}


def _read(address: str) -> SplitResult | None:
    """An address with its host as it is compared; None for one that is none, or odd."""
    if ODD.search(address):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    host = parts.netloc.lower()
    if parts.scheme not in PORTS or not HOST.fullmatch(host):
        return None
    return parts._replace(netloc=host.removesuffix(PORTS[parts.scheme]), path=parts.path or "/", fragment="")


def is_allowed_return(address: str, allowed: str) -> bool:
    """Whether an address is one that a house allows, or lies under it."""
    to, root = _read(address), _read(allowed)
    if to is None or root is None or (to.scheme, to.netloc) != (root.scheme, root.netloc):
        return False
    if root.query:
        return (to.path, to.query) == (root.path, root.query)
    return to.path == root.path or to.path.startswith(root.path.rstrip("/") + "/")


def read_return(asked: list[str], allowed: Iterable[str]) -> str | None:
    """Where `return_to` leads, `asked` of the page: None without it, empty when the house does not allow it."""
    if not asked:
        return None
    return asked[0] if any(is_allowed_return(asked[0], each) for each in allowed) else ""


def with_pass(address: str, token: str) -> str:
    """The address with the pass behind the `#`: a fragment reaches no server's log, and no other page as a referrer."""
    return f"{address.partition('#')[0]}#{urlencode({'pass': token})}"


def origin_of(address: str) -> str:
    """An allowed address's origin, as a content policy names it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
