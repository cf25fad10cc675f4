"""Decides of each request whether it goes through; knows nothing of any web framework."""

import hmac
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

import jwt

from parvis_guard.keys import Keys, NoKeys
from parvis_guard.pages import HEADERS, RETURN_SCRIPT, language_of, problem_json, problem_page, return_page
from parvis_guard.rules import NEVER_QUEUED, Rule, is_guarded, is_never_queued, read_rules, safe_target

ALGORITHMS: Final = ("ES256",)
LONGEST_BODY: Final = 16_384
BROWSER_SECONDS: Final = 86_400
MUST: Final = ("server", "house", "on_sale", "origin")
SAFE: Final = {"GET", "HEAD"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a house's guard is set."""

    server: str
    """Where visitors reach Parvis: `https://tickets.example.org`."""
    house: str
    on_sale: str
    origin: str
    """Of the guarded site: `https://www.example.org`. The house's return addresses in Parvis name its return path."""
    secret: str = ""
    """Signs the cookies; every process of the guard has the same. Empty: a new one at each start."""
    protected: tuple[str, ...] = ("/",)
    """Paths that are guarded, with what lies under them."""
    never_queued: tuple[Rule, ...] = field(default_factory=lambda: read_rules(NEVER_QUEUED))
    return_path: str = "/parvis/return"
    fails_open: bool = False
    """Whether everybody is let in while Parvis cannot be reached; else nobody new is."""
    leeway_seconds: int = 10
    """By how much the clocks of the two servers may differ."""
    grace_seconds: int = 120
    """How long after the pass has ended a form that was under way is still taken."""
    used_file: str = ":memory:"
    """Which browser uses which turn, for all processes of the guard on this machine: a file."""
    keys_fresh_seconds: int = 300

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Settings":
        """From `PARVIS_GUARD_SERVER`, `…_HOUSE`, `…_ON_SALE`, `…_ORIGIN`, and what is set beyond these."""
        given = {name.removeprefix("PARVIS_GUARD_").lower(): value for name, value in environment.items()}
        more: dict[str, Any] = {name: given[name] for name in ("secret", "used_file") if name in given}
        if "protected" in given:
            more["protected"] = tuple(given["protected"].split())
        if "never_queued" in given:
            more["never_queued"] = read_rules(given["never_queued"].splitlines())
        if given.get("fails", "closed") not in {"closed", "open"}:
            raise ValueError("PARVIS_GUARD_FAILS is closed or open")
        missing = [name.upper() for name in MUST if not given.get(name)]
        if missing:
            raise ValueError(f"the environment has no PARVIS_GUARD_{', PARVIS_GUARD_'.join(missing)}")
        more |= {name: given[name].rstrip("/") for name in MUST}
        return Settings(fails_open=given.get("fails") == "open", **more)


@dataclass(frozen=True)
class Request:
    """A request as the guard needs it: the path decoded, header names in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What is sent instead of the guarded page."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""


class Guard:
    """The guard of one site and one on-sale."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        jwks = f"{settings.server}/v1/houses/{settings.house}/.well-known/jwks.json"
        self.keys = Keys(jwks, settings.keys_fresh_seconds)
        self._secret = (settings.secret or secrets.token_hex(32)).encode()
        # `__Host-`: set by this host over https and by nobody else, no neighbour under the same domain.
        self._is_secure = settings.origin.startswith("https:")
        prefix = "__Host-" if self._is_secure else ""
        self.session_cookie, self.browser_cookie = f"{prefix}parvis_turn", f"{prefix}parvis_browser"
        self._used = sqlite3.connect(settings.used_file, check_same_thread=False, isolation_level=None, timeout=2)
        self._used.execute("CREATE TABLE IF NOT EXISTS used (turn TEXT PRIMARY KEY, browser TEXT, until INTEGER)")
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer | None:
        """What to send instead of the page; nothing if the request goes through."""
        path = request.path
        if path == self.settings.return_path:
            return self._take_pass(request) if request.method == "POST" else self._show_return(request)
        if path == f"{self.settings.return_path}.js":
            return Answer(200, [*HEADERS, ("content-type", "text/javascript")], RETURN_SCRIPT.encode())
        return None if self.goes_through(request) else self._send_to_queue(request)

    def goes_through(self, request: Request) -> bool:
        """Whether a request may reach the guarded site."""
        settings = self.settings
        if not is_guarded(settings.protected, request.path):
            return True
        if is_never_queued(settings.never_queued, request.method, request.path):
            return True
        if self._has_turn(request):
            return True
        if settings.fails_open:
            self.keys.refresh(settings.keys_fresh_seconds)
        return settings.fails_open and self.keys.is_away

    def _has_turn(self, request: Request) -> bool:
        cookies = _cookies(request)
        until, _, rest = cookies.get(self.session_cookie, "").partition(".")
        turn, _, mac = rest.partition(".")
        right = self._mac(until, turn, cookies.get(self.browser_cookie, ""))
        if not until.isdecimal() or not hmac.compare_digest(mac.encode(), right.encode()):
            return False
        grace = 0 if request.method in SAFE else self.settings.grace_seconds
        return time.time() < int(until) + grace

    def _mac(self, until: str, turn: str, browser: str) -> str:
        about = f"{self.settings.house}/{self.settings.on_sale}|{until}|{turn}|{browser}"
        return hmac.new(self._secret, about.encode(), "sha256").hexdigest()

    def queue_address(self, target: str) -> str:
        """The waiting room, with the way back."""
        settings = self.settings
        back = f"{settings.origin}{settings.return_path}?{urlencode({'to': target})}"
        room = f"{settings.server}/h/{quote(settings.house)}/{quote(settings.on_sale)}"
        return f"{room}?{urlencode({'return_to': back})}"

    def _send_to_queue(self, request: Request) -> Answer:
        """A person who looks at a page is sent there; a form or a program is told, so that nothing is lost."""
        target = target_of(request)
        headers = [*HEADERS, *self._browser_header(request)]
        is_seen = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
        if request.method in SAFE and is_seen and "text/html" in request.headers.get("accept", "text/html"):
            return Answer(303, [*headers, ("location", self.queue_address(target))])
        referer = request.headers.get("referer", "").removeprefix(self.settings.origin)
        return self._problem(request, 409, "no-turn", target=target if request.method in SAFE else referer or "/")

    def _problem(self, request: Request, status: int, problem: str, *, target: str = "/") -> Answer:
        queue = self.queue_address(safe_target(target))
        headers = [*HEADERS, *self._browser_header(request)]
        if status == 503:
            headers.append(("retry-after", "10"))
        if "text/html" in request.headers.get("accept", ""):
            page = problem_page(problem, language_of(request.headers.get("accept-language", "")), queue)
            return Answer(status, [*headers, ("content-type", "text/html; charset=utf-8")], page)
        return Answer(
            status, [*headers, ("content-type", "application/problem+json")], problem_json(problem, status, queue)
        )

    def _browser_header(self, request: Request) -> list[tuple[str, str]]:
        """A name for a browser that has none yet: nothing but a random number."""
        if _cookies(request).get(self.browser_cookie):
            return []
        return [self._cookie(self.browser_cookie, secrets.token_hex(16), BROWSER_SECONDS)]

    def _cookie(self, name: str, value: str, seconds: int) -> tuple[str, str]:
        secure = "; Secure" if self._is_secure else ""
        return "set-cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"

    def _show_return(self, request: Request) -> Answer:
        target = safe_target(parse_qs(request.query).get("to", ["/"])[0])
        language = language_of(request.headers.get("accept-language", ""))
        page = return_page(language, self.settings.return_path, target, self.queue_address(target))
        return Answer(200, [*HEADERS, ("content-type", "text/html; charset=utf-8")], page)

    def _take_pass(self, request: Request) -> Answer:
        """A pass for a session of this site's own: once, for one browser."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode("ascii", "replace")).items()}
        target = safe_target(form.get("to", "/"))
        browser = _cookies(request).get(self.browser_cookie, "")
        if request.headers.get("origin", self.settings.origin) != self.settings.origin:
            return self._problem(request, 403, "no-turn")
        if not browser:
            return self._problem(request, 403, "no-cookies", target=target)
        try:
            claims = self.read_pass(form.get("pass", ""))
        except NoKeys:
            if self.settings.fails_open:
                return Answer(303, [*HEADERS, ("location", target)])
            return self._problem(request, 503, "no-keys", target=target)
        except jwt.ExpiredSignatureError:
            return Answer(303, [*HEADERS, ("location", self.queue_address(target))])
        except (jwt.PyJWTError, ValueError):
            return self._problem(request, 403, "no-turn", target=target)
        until, turn = int(claims["exp"]), str(claims["sub"])
        if not self._is_first(turn, browser, until):
            return self._problem(request, 403, "used-elsewhere", target=target)
        value = f"{until}.{turn}.{self._mac(str(until), turn, browser)}"
        cookie = self._cookie(
            self.session_cookie, value, max(1, until - int(time.time())) + self.settings.grace_seconds
        )
        return Answer(303, [*HEADERS, cookie, ("location", target)])

    def read_pass(self, token: str) -> dict[str, Any]:
        """A pass's claims, checked without asking anybody. Raises `jwt.PyJWTError`, `NoKeys`."""
        key = self.keys.key(str(jwt.get_unverified_header(token).get("kid", "")))
        if key is None:
            raise jwt.InvalidKeyError("nobody here has signed with that key")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=list(ALGORITHMS),
            audience=f"{self.settings.house}/{self.settings.on_sale}",
            issuer=self.settings.house,
            leeway=self.settings.leeway_seconds,
            options={"require": ["exp", "aud", "iss", "sub"]},
        )
        if not str(claims["sub"]).isalnum():
            raise jwt.InvalidTokenError("a pseudonym is letters and digits")
        return claims

    def _is_first(self, turn: str, browser: str, until: int) -> bool:
        """Whether a turn is this browser's: it is whose came first, for as long as it lasts."""
        with self._lock:
            self._used.execute("DELETE FROM used WHERE until < ?", (int(time.time()) - BROWSER_SECONDS,))
            self._used.execute("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", (turn, browser, until))
            found = self._used.execute("SELECT browser FROM used WHERE turn = ?", (turn,)).fetchone()
        return bool(found and hmac.compare_digest(found[0].encode(), browser.encode()))


def target_of(request: Request) -> str:
    """The address of a request on this site, to come back to."""
    path = quote(request.path, safe="/~@!$&'()*+,;=:")
    return safe_target(path + (f"?{request.query}" if request.query else ""))


def _cookies(request: Request) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(request.headers.get("cookie", "")).items()}
    except CookieError:
        return {}
