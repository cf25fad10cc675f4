"""Where a visitor may be sent back to: a house's return addresses, each itself and what lies under it.

It is the visitor's browser that goes there, the house's server that reads the path, and we who compare: three readers.
What is allowed is spelled so plainly that all of them read the same; what is odd is refused. The same rule stands in
`api/web/returning.js`, and `tests/vectors/returns.json` holds both to it.
"""

import re
from typing import Final, NamedTuple

PLAIN: Final = re.compile(
    r"(https?)://([a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?(/[^?#]*)?(\?[^#]*)?(#.*)?", re.ASCII | re.IGNORECASE
)
"""Scheme, host, port, path, query and fragment; no user, and no other spelling of a host."""
NOT_PLAIN: Final = re.compile(r"[^!-~]|\\")
"""Anywhere: tabs, line ends, blanks, letters beyond ASCII (a host has its `xn--` name), backslashes."""
ODD_PATH: Final = re.compile(r"//|%(?:2f|5c|25|00)|/(?:\.|%2e){1,2}(?:[/;]|$)", re.ASCII | re.IGNORECASE)
"""In a path: what servers may take for other steps up, down or elsewhere than we do."""
PORTS: Final = {"http": "80", "https": "443"}
HIGHEST_PORT: Final = 65_535


class PlainAddress(NamedTuple):
    """An address as it is compared."""

    scheme: str
    host: str
    port: str
    path: str
    query: str


def read_plain(address: str) -> PlainAddress | None:
    """An address that is spelled plainly; None for any other."""
    found = None if NOT_PLAIN.search(address) else PLAIN.fullmatch(address)
    if found is None:
        return None
    scheme, host = found[1].lower(), found[2].lower()
    port, path = found[3] or PORTS[scheme], found[4] or "/"
    if int(port) > HIGHEST_PORT or ODD_PATH.search(path):
        return None
    return PlainAddress(scheme, host, port, path, found[5] or "")


def is_allowed_return(address: str, allowed: str) -> bool:
    """Whether an address is one that a house allows, or lies under it. With a query it is that very one."""
    to, root = read_plain(address), read_plain(allowed)
    if to is None or root is None or to[:3] != root[:3]:
        return False
    if root.query:
        return to == root
    return to.path == root.path or to.path.startswith(root.path.rstrip("/") + "/")
