"""Back to the house's own website with the pass, without JavaScript; beside `api/web/returning.js`."""

from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from engine.known_user import PARAMETER
from engine.return_addresses import is_allowed_return


def read_return(asked: list[str], allowed: Iterable[str]) -> str | None:
    """Where `return_to` leads, `asked` of the page: None without it, empty when the house does not allow it."""
    if not asked:
        return None
    return asked[0] if any(is_allowed_return(asked[0], each) for each in allowed) else ""


def with_pass(address: str, token: str, known_user: str = "") -> str:
    """The address with the pass behind the `#`: a fragment reaches no server's log, and no other page as a referrer.

    `known_user`: for a site with the connector of Queue-it, which reads it of the address.
    """
    bare = address.partition("#")[0]
    if known_user:
        bare += f"{'&' if '?' in bare else '?'}{urlencode({PARAMETER: known_user})}"
    return f"{bare}#{urlencode({'pass': token})}"


def origin_of(address: str) -> str:
    """An allowed address's origin, as a content policy names it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
