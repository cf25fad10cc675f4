"""What comes to the guard and what it says, without any web framework."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from parvis_guard.rules import safe_target


@dataclass(frozen=True)
class Request:
    """A request as the guard needs it: the path decoded, header names in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    def cookies(self) -> dict[str, str]:
        """What the browser brings along; nothing where it cannot be read."""
        try:
            return {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("cookie", "")).items()}
        except CookieError:
            return {}


@dataclass(frozen=True)
class Answer:
    """What is sent instead of the guarded page."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


@dataclass(frozen=True)
class Verdict:
    """Of a request: what is sent instead of the guarded page, if anything, and what goes along with that page."""

    answer: Answer | None
    headers: list[tuple[str, str]] = field(default_factory=list)


def target_of(request: Request) -> str:
    """The address of a request on this site, to come back to."""
    path = quote(request.path, safe="/~@!$&'()*+,;=:")
    return safe_target(path + (f"?{request.query}" if request.query else ""))
