"""Back to the house's own website with the pass, without JavaScript; beside `api/web/returning.js`."""

from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from engine.return_addresses import is_allowed_return


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
