"""Decides of each request whether it goes through; knows nothing of any web framework."""

import hmac
import secrets
import sqlite3
import time
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

import jwt

from parvis_guard.keys import Keys, NoKeys
from parvis_guard.messages import Answer, Request, Verdict, target_of
from parvis_guard.pages import HEADERS, RETURN_SCRIPT, language_of, problem_json, problem_page, return_page
from parvis_guard.room import Room
from parvis_guard.rules import is_guarded, is_never_queued, safe_target
from parvis_guard.settings import Settings
from parvis_guard.state import State

ALGORITHMS: Final = ("ES256",)
LONGEST_BODY: Final = 16_384
BROWSER_SECONDS: Final = 86_400
SAFE: Final = {"GET", "HEAD"}


class Guard:
    """The guard of one site and one on-sale."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        base, self._name = f"{settings.server}/v1/houses/{settings.house}", f"{settings.house}/{settings.on_sale}"
        self.keys = Keys(f"{base}/.well-known/jwks.json", settings.keys_fresh_seconds)
        self.state = State(settings.used_file)
        status = f"{base}/on-sales/{settings.on_sale}/status"
        self.room = Room(status, self._name, self.state, settings.status_fresh_seconds)
        self._secret = (settings.secret or secrets.token_hex(32)).encode()
        # `__Host-`: set by this host over https and by nobody else, no neighbour under the same domain.
        self._is_secure = settings.origin.startswith("https:")
        prefix = "__Host-" if self._is_secure else ""
        self.session_cookie, self.browser_cookie = f"{prefix}parvis_turn", f"{prefix}parvis_browser"
        self.inside_cookie = f"{prefix}parvis_inside"

    def answer(self, request: Request) -> Answer | None:
        """What to send instead of the page; nothing if the request goes through."""
        return self.decide(request).answer

    def decide(self, request: Request, *, is_counted: bool = True) -> Verdict:
        """What becomes of a request. `is_counted`: False for one that was refused just now."""
        path = request.path
        if path == self.settings.return_path:
            return Verdict(self._take_pass(request) if request.method == "POST" else self._show_return(request))
        if path == f"{self.settings.return_path}.js":
            return Verdict(Answer(200, [*HEADERS, ("content-type", "text/javascript")], RETURN_SCRIPT.encode()))
        is_free = not is_guarded(self.settings.protected, path) or is_never_queued(
            self.settings.never_queued, request.method, path
        )
        if is_free or self._has_turn(request):
            return Verdict(None)
        renewed = self._inside(request)
        return self._decide_newcomer(request, is_counted=is_counted) if renewed is None else Verdict(None, renewed)

    def _decide_newcomer(self, request: Request, *, is_counted: bool) -> Verdict:
        """Somebody who has no turn and is not inside: a robot that keeps no cookie is one each time."""
        known, pace = self.room.look(), self.pace()
        is_away, goes_on = self.room.is_away, known.goes_on()
        if is_counted:
            try:
                if known.net_per_minute:
                    comes_in = self.state.rests_for(self._name, pace, may_rest=goes_on, is_waited=known.is_waited)
                else:
                    comes_in = False
                if not comes_in and is_away and goes_on and self.fails_open():
                    comes_in = self.state.has_room(f"{self._name} away", pace)
            except sqlite3.Error:  # nobody can count just now
                comes_in = False
            if comes_in:
                return Verdict(None, [self._inside_cookie(int(time.time()))])
        return Verdict(self._problem(request, 503, "away") if is_away else self._send_to_queue(request))

    def fails_open(self) -> bool:
        """Whether newcomers come in, at a pace, while Parvis is away: as this guard is set, else as the on-sale is."""
        return (self.settings.fails or self.room.known.fails) == "open"

    def pace(self) -> int:
        """So many newcomers a minute come in without Parvis, here of as many machines as there are."""
        known = self.room.known
        called = known.per_minute if known.per_minute >= 0 else self.settings.per_minute
        together = known.net_per_minute or called
        return min(together, max(1, together // self.settings.machines))

    def _inside(self, request: Request) -> list[tuple[str, str]] | None:
        """What keeps somebody inside who came straight in: nothing, or a cookie for longer. None: they are not."""
        until, _, rest = request.cookies().get(self.inside_cookie, "").partition(".")
        since, _, mac = rest.partition(".")
        now = int(time.time())
        is_ours = hmac.compare_digest(mac.encode(), self._mac("inside", until, since).encode())
        if not is_ours or not until.isdecimal() or now >= int(until):
            return None
        is_old = int(until) - now < self.settings.inside_seconds * 2 / 3
        return [self._inside_cookie(int(since))] if is_old else []

    def _inside_cookie(self, since: int) -> tuple[str, str]:
        now = int(time.time())
        until = min(now + self.settings.inside_seconds, since + self.settings.longest_inside_seconds)
        value = f"{until}.{since}.{self._mac('inside', str(until), str(since))}"
        return self._cookie(self.inside_cookie, value, max(1, until - now))

    def _has_turn(self, request: Request) -> bool:
        cookies = request.cookies()
        until, _, rest = cookies.get(self.session_cookie, "").partition(".")
        turn, _, mac = rest.partition(".")
        right = self._mac(until, turn, cookies.get(self.browser_cookie, ""))
        if not until.isdecimal() or not hmac.compare_digest(mac.encode(), right.encode()):
            return False
        grace = 0 if request.method in SAFE else self.settings.grace_seconds
        return time.time() < int(until) + grace

    def _mac(self, *about: str) -> str:
        text = "|".join((self._name, *about))
        return hmac.new(self._secret, text.encode(), "sha256").hexdigest()

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
        # What is away is no way on.
        queue = "" if problem == "away" else self.queue_address(safe_target(target))
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
        if request.cookies().get(self.browser_cookie):
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
        browser = request.cookies().get(self.browser_cookie, "")
        if request.headers.get("origin", self.settings.origin) != self.settings.origin:
            return self._problem(request, 403, "no-turn")
        if not browser:
            return self._problem(request, 403, "no-cookies", target=target)
        try:
            claims = self.read_pass(form.get("pass", ""))
        except NoKeys:
            if self.fails_open():
                return Answer(303, [*HEADERS, ("location", target)])
            return self._problem(request, 503, "no-keys", target=target)
        except jwt.ExpiredSignatureError:
            return Answer(303, [*HEADERS, ("location", self.queue_address(target))])
        except (jwt.PyJWTError, ValueError):
            return self._problem(request, 403, "no-turn", target=target)
        until, turn = int(claims["exp"]), str(claims["sub"])
        if not self.state.is_first(turn, browser, until):
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
