"""The guard at a house's own web server: passes checked offline, what is never queued, and keys that cannot be had."""

import asyncio
import contextlib
import io
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import jwt
import msgspec
import pytest

from engine.ports import free_port
from engine.signing import Signer
from engine.words import HouseSlug
from parvis_guard import GuardASGI, GuardWSGI, Settings
from parvis_guard.keys import AGAIN_SECONDS
from parvis_guard.rules import is_never_queued, safe_target
from tests.edge import until_listening
from tests.guard_alone import GUARD, python_alone
from tests.guarded import HTML, ORIGIN, Browser, KeyServer, guard_of, header, pass_of

EXERCISES = ("examples/guard/**/*",)
"""As `parvis_guard`, which is found by its path."""


@pytest.fixture
def server() -> Iterator[KeyServer]:
    found = KeyServer()
    yield found
    found.stop()


@pytest.fixture
def signer(tmp_path: Path, server: KeyServer) -> Signer:
    made = Signer(HouseSlug("zeewind"), tmp_path / "keys")
    server.jwks = made.jwks()
    return made


def test_whoever_has_no_turn_is_sent_to_the_waiting_room_with_the_way_back(server: KeyServer) -> None:
    answer = Browser(guard_of(server)).goes("/tickets/7?seat=A 1&b=ü")
    assert answer is not None
    assert answer.status == 303
    room = urlsplit(header(answer, "location"))
    assert f"{room.scheme}://{room.netloc}{room.path}" == f"{server.url}/h/zeewind/opening"
    back = urlsplit(parse_qs(room.query)["return_to"][0])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{ORIGIN}/parvis/return"
    assert header(answer, "cache-control") == "no-store"


def test_a_pass_becomes_a_session_of_the_sites_own_and_ends_with_the_pass(server: KeyServer, signer: Signer) -> None:
    visitor = Browser(guard_of(server))
    visitor.goes()
    answer = visitor.returns(pass_of(signer), to="/tickets/7?a=b")
    assert (answer.status, header(answer, "location")) == (303, "/tickets/7?a=b")
    cookie = header(answer, "set-cookie")
    assert cookie.startswith("__Host-parvis_turn=")
    for needed in ("; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"):
        assert needed in cookie
    assert 600 <= int(cookie.partition("Max-Age=")[2].partition(";")[0]) <= 600 + 120 + 1
    assert visitor.goes() is None
    assert visitor.asks("POST", "/tickets/order", b"seats=2") is None
    asked = server.asked
    assert visitor.goes() is None
    assert server.asked == asked, "the guard asks nobody"


def test_a_form_that_was_under_way_when_the_pass_ended_is_still_taken(server: KeyServer, signer: Signer) -> None:
    for grace, is_taken in ((120, True), (0, False)):
        visitor = Browser(guard_of(server, grace_seconds=grace))
        visitor.goes()
        token = pass_of(signer, index=grace + 1, seconds=1)
        assert visitor.returns(token).status == 303
        until = jwt.decode(token, options={"verify_signature": False})["exp"]
        while time.time() < until:
            time.sleep(0.02)
        assert header(visitor.goes(), "location").startswith(server.url), "a new page wants a new turn"
        answer = visitor.asks("POST", "/tickets/order", b"seats=2", referer=f"{ORIGIN}/tickets/7")
        assert (answer is None) is is_taken
    assert answer is not None
    assert answer.status == 409
    assert "Er is niets verzonden" in answer.body.decode()
    assert "tickets%252F7" in answer.body.decode(), "the queue leads back to where the form is"


@pytest.mark.parametrize("headers", [{"accept": "application/json"}, {"sec-fetch-mode": "cors", "accept": "*/*"}])
def test_a_script_is_told_and_not_sent_elsewhere(server: KeyServer, headers: dict[str, str]) -> None:
    answer = Browser(guard_of(server)).asks("GET", "/tickets", b"", **headers)
    assert answer is not None
    assert answer.status == 409
    assert msgspec.json.decode(answer.body)["waiting_room"].startswith(f"{server.url}/h/zeewind/opening")


def forged(key: str, algorithm: str, **changed: int) -> Callable[[str], str]:
    def make(token: str) -> str:
        claims = jwt.decode(token, options={"verify_signature": False}) | changed
        kid = jwt.get_unverified_header(token)["kid"]
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})

    return make


@pytest.mark.parametrize(
    "bend",
    [
        lambda token: token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB"),
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token[:0],
        lambda token: f"{token[:3]}.b.c",
        lambda token: "é" * len(token),
        forged("secret-of-somebody-else-of-32-bytes", "HS256"),
        forged("secret-of-somebody-else-of-32-bytes", "HS256", exp=9_999_999_999),
        forged("", "none"),
    ],
)
def test_what_only_looks_like_a_pass_opens_nothing(
    server: KeyServer, signer: Signer, bend: Callable[[str], str]
) -> None:
    visitor = Browser(guard_of(server))
    visitor.goes()
    answer = visitor.returns(bend(pass_of(signer)))
    assert answer.status == 403
    assert visitor.goes() is not None
    assert visitor.returns(pass_of(signer)).status == 303, "the true one does"


def test_a_pass_of_another_sale_house_or_time_opens_nothing(server: KeyServer, signer: Signer, tmp_path: Path) -> None:
    other = Signer(HouseSlug("klinker"), tmp_path / "other")
    server.jwks = {"keys": [*signer.jwks()["keys"], *other.jwks()["keys"]]}
    visitor = Browser(guard_of(server))
    visitor.goes()
    assert visitor.returns(pass_of(signer, on_sale="another")).status == 403
    assert visitor.returns(pass_of(other)).status == 403
    ended = visitor.returns(pass_of(signer, seconds=-60))
    assert header(ended, "location").startswith(f"{server.url}/h/zeewind/opening"), "to the queue again"
    assert visitor.goes() is not None
    assert visitor.returns(pass_of(signer, seconds=-5)).status == 303, "clocks differ a little"


def test_a_turn_is_one_browsers(server: KeyServer, signer: Signer, tmp_path: Path) -> None:
    token, shared = pass_of(signer), {"used_file": str(tmp_path / "used.db")}
    # Two processes of the guard, and fifty who were given the same pass.
    guards = [guard_of(server, **shared), guard_of(server, **shared)]
    browsers = [Browser(guards[number % 2]) for number in range(50)]
    for browser in browsers:
        browser.goes()
    answers = [browser.returns(token) for browser in browsers]
    assert [answer.status for answer in answers].count(303) == 1
    assert "al in een andere browser gebruikt" in answers[1].body.decode()
    assert [browser.goes() for browser in browsers].count(None) == 1
    assert browsers[0].returns(token).status == 303, "the same browser may come again"
    stolen = Browser(guards[0])
    stolen.goes()
    stolen.cookies["__Host-parvis_turn"] = browsers[0].cookies["__Host-parvis_turn"]
    assert stolen.goes() is not None, "a session is bound to its browser's other cookie"


def test_a_cookie_that_was_bent_is_no_session(server: KeyServer, signer: Signer) -> None:
    visitor = Browser(guard_of(server))
    visitor.goes()
    visitor.returns(pass_of(signer))
    until, turn, mac = visitor.cookies["__Host-parvis_turn"].split(".")
    bent = [f"{int(until) + 9}.{turn}.{mac}", f"{until}.x{turn}.{mac}", f"{until}.{turn}.", f"{until}", "", ".."]
    for value in [*bent, "٣.a.b", f"{until}.{turn}.é"]:
        visitor.cookies["__Host-parvis_turn"] = value
        assert visitor.goes() is not None, value
    visitor.cookies["__Host-parvis_turn"] = f"{until}.{turn}.{mac}"
    assert visitor.goes() is None
    for changed in ({"on_sale": "festival"}, {"house": "klinker"}, {"secret": "t" * 32}):
        visitor.guard = guard_of(server, **changed)
        assert visitor.goes() is not None, "one house's guards of several sales may have one secret"


def test_a_pass_is_taken_from_our_own_page_alone_and_needs_cookies(server: KeyServer, signer: Signer) -> None:
    visitor = Browser(guard_of(server))
    assert "Sta cookies toe" in visitor.returns(pass_of(signer)).body.decode()
    visitor.goes()
    assert visitor.returns(pass_of(signer), origin="https://evil.example").status == 403
    assert visitor.returns(pass_of(signer), origin="null").status == 403
    assert visitor.goes() is not None
    shown = visitor.asks("GET", "/parvis/return?to=/tickets")
    assert shown is not None
    assert "default-src 'none'" in header(shown, "content-security-policy")
    assert header(shown, "referrer-policy") == "same-origin"


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/a\r\nSet-Cookie: a=b", ""],
)
def test_nobody_is_sent_to_another_site(server: KeyServer, signer: Signer, target: str) -> None:
    assert safe_target(target) == "/"
    visitor = Browser(guard_of(server))
    visitor.goes()
    assert header(visitor.returns(pass_of(signer), to=target), "location") == "/"
    shown = visitor.asks("GET", f"/parvis/return?{urlencode({'to': target})}")
    assert shown is not None
    assert "evil" not in shown.body.decode()


@pytest.mark.parametrize(
    ("method", "path", "is_free"),
    [
        ("POST", "/payments/webhook", True),
        ("POST", "/payment/callback/mollie", True),
        ("GET", "/payment/return", True),
        ("POST", "/webhooks/stripe", True),
        ("GET", "/assets/app.css", True),
        ("GET", "/.well-known/security.txt", True),
        ("GET", "/healthz", True),
        ("OPTIONS", "/tickets", True),
        ("GET", "/tickets", False),
        ("DELETE", "/payments/webhook", False),
        ("GET", "/webhooks/stripe", False),
        ("POST", "/assets/app.css", False),
        ("GET", "/assets/../tickets", False),
        ("GET", "/assets/..", False),
        ("GET", "/assets//tickets", False),
        ("GET", "/assets/%2e%2e/tickets", False),
        ("GET", "/assets/..;/tickets", False),
        ("GET", "/assets\\..\\tickets", False),
        ("GET", "/tickets/app.css", False),
        ("GET", "/tickets/assets/app.css", False),
        ("GET", "/healthz/../tickets", False),
    ],
)
def test_payments_webhooks_assets_and_health_are_never_queued_and_nothing_passes_for_them(
    server: KeyServer, method: str, path: str, is_free: bool
) -> None:
    guard = guard_of(server)
    assert is_never_queued(guard.settings.never_queued, method, path) is is_free
    assert (Browser(guard).asks(method, path) is None) is is_free


@pytest.mark.parametrize(
    ("path", "is_free"),
    [
        ("/", True),
        ("/about", True),
        ("/müller", True),
        ("/ticketshop", True),
        ("/tickets", False),
        ("/tickets/7", False),
    ]
    + [
        (path, False)
        for path in ("//tickets", "/about/../tickets", "/./tickets", "/x;/tickets", "/%74ickets", "/a\\tickets")
    ],
)
def test_only_what_is_named_is_guarded_and_what_can_be_read_in_two_ways(
    server: KeyServer, path: str, is_free: bool
) -> None:
    assert (Browser(guard_of(server, protected=("/tickets",))).goes(path) is None) is is_free


def test_a_key_is_changed_and_made_up_keys_make_nobody_fetch(
    server: KeyServer, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = guard_of(server)
    visitor = Browser(guard)
    visitor.goes()
    assert visitor.returns(pass_of(signer)).status == 303
    newer = Signer(HouseSlug("zeewind"), tmp_path / "newer")
    server.jwks = newer.jwks()
    for number in range(20):
        assert visitor.returns(pass_of(newer, index=number)).status == 403
    assert server.asked == 1, f"asked again only after {AGAIN_SECONDS} seconds"
    monkeypatch.setattr("parvis_guard.keys.AGAIN_SECONDS", 0)
    assert visitor.returns(pass_of(newer, index=1)).status == 303
    assert visitor.returns(pass_of(signer, index=2)).status == 403, "the old key is gone"


def test_keys_are_kept_while_parvis_is_away(server: KeyServer, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parvis_guard.keys.AGAIN_SECONDS", 0)
    guard = guard_of(server, keys_fresh_seconds=0)
    visitor = Browser(guard)
    visitor.goes()
    assert visitor.returns(pass_of(signer)).status == 303
    server.is_well = False
    asked = server.asked
    assert visitor.returns(pass_of(signer, index=8)).status == 303
    assert server.asked > asked
    assert guard.keys.is_away


def test_without_any_keys_the_guard_fails_as_it_is_set(server: KeyServer, signer: Signer) -> None:
    server.is_well = False
    closed = Browser(guard_of(server))
    away = closed.goes()
    assert away is not None
    assert (away.status, header(away, "retry-after")) == (503, "10")
    refused = closed.returns(pass_of(signer))
    assert (refused.status, header(refused, "retry-after")) == (503, "10")
    opened = Browser(guard_of(server, fails="open"))
    assert opened.goes() is None
    server.is_well = True
    assert Browser(guard_of(server, fails="open")).goes() is not None, "open only while Parvis is away"


def test_settings_are_read_from_the_environment() -> None:
    environment = {"SERVER": "https://t.example/", "HOUSE": "zeewind", "ON_SALE": "opening", "ORIGIN": ORIGIN + "/"}
    environment |= {"FAILS": "open", "PROTECTED": "/a /b", "NEVER_QUEUED": "GET /x/.*\n\nPOST,PUT /y\n"}
    settings = Settings.from_environment({f"PARVIS_GUARD_{name}": value for name, value in environment.items()})
    assert (settings.server, settings.origin, settings.fails) == ("https://t.example", ORIGIN, "open")
    assert settings.protected == ("/a", "/b")
    assert is_never_queued(settings.never_queued, "PUT", "/y")
    with pytest.raises(ValueError, match="has no PARVIS_GUARD_HOUSE, PARVIS_GUARD_ON_SALE"):
        Settings.from_environment({"PARVIS_GUARD_SERVER": "a", "PARVIS_GUARD_ORIGIN": "b"})
    with pytest.raises(ValueError, match="is no rule"):
        Settings.from_environment(
            {f"PARVIS_GUARD_{name}": "x" for name in ("SERVER", "HOUSE", "ON_SALE", "ORIGIN")}
            | {"PARVIS_GUARD_NEVER_QUEUED": "/payments"}
        )


def test_the_same_guard_stands_before_wsgi_and_asgi(server: KeyServer, signer: Signer) -> None:
    def old_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    guard = guard_of(server)
    told: list[Any] = []
    body = urlencode({"pass": pass_of(signer), "to": "/"}).encode()

    def by_wsgi(method: str, path: str, body: bytes = b"", cookie: str = "") -> bytes:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "HTTP_COOKIE": cookie,
        }
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return b"".join(GuardWSGI(old_app, guard)(environ, lambda status, headers: told.append((status, headers))))

    by_wsgi("GET", "/tickets")
    assert told[-1][0] == "303 See Other"
    browser = dict(told[-1][1])["set-cookie"].partition(";")[0]
    by_wsgi("POST", "/parvis/return", body, browser)
    turn = dict(told[-1][1])["set-cookie"].partition(";")[0]
    assert by_wsgi("POST", "/tickets/order", b"seats=2", f"{browser}; {turn}") == b"seats=2"

    async def new_app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await send({"type": "app", "body": message["body"]})

    async def by_asgi(kind: str, path: str, body: bytes = b"", cookie: str = "") -> list[Any]:
        sent: list[Any] = []
        scope = {"type": kind, "method": "POST", "path": path, "headers": [(b"Cookie", cookie.encode())]}

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await GuardASGI(new_app, guard)(scope, receive, send)
        return sent

    async def all_of_it() -> None:
        assert (await by_asgi("http", "/tickets/order", b"seats=2"))[0]["status"] == 409
        assert (await by_asgi("websocket", "/tickets/live"))[0]["type"] == "websocket.close"
        assert (await by_asgi("http", "/tickets/order", b"seats=2", f"{browser}; {turn}"))[0]["body"] == b"seats=2"
        taken = await by_asgi("http", "/parvis/return", body, browser)
        assert taken[0]["status"] == 303
        assert (await by_asgi("http", "/parvis/return", b"x" * 40_000, browser))[0]["status"] == 403

    asyncio.run(all_of_it())


OLD_SITE = """
from parvis_guard import Guard, GuardWSGI, Settings

def tickets(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"Tickets of our own"]

guarded = GuardWSGI(tickets, Guard(Settings.from_environment()))
"""


@contextlib.contextmanager
def site_alone(folder: Path, server: KeyServer, interface: str) -> Iterator[str]:
    """A guarded site's address, on a Python that has what the README tells to install and nothing else."""
    python, port = python_alone(folder / "venv"), free_port()
    (folder / "old_site.py").write_text(OLD_SITE)
    origin = f"http://127.0.0.1:{port}"
    about = {"SERVER": server.url, "HOUSE": "zeewind", "ON_SALE": "opening", "ORIGIN": origin}
    environment = {f"PARVIS_GUARD_{name}": value for name, value in about.items()} | {"PYTHONPATH": str(GUARD)}
    found = subprocess.run(
        [python, "-c", "import engine"], cwd=folder, env=environment, capture_output=True, check=False
    )
    assert b"No module named 'engine'" in found.stderr
    app = ("old_site:guarded",) if interface == "wsgi" else ("--factory", "ticketing:guarded")
    words = ("-m", "granian", "--interface", interface, "--host", "127.0.0.1", "--port", str(port), *app)
    with subprocess.Popen([python, *words], cwd=folder, env=environment) as process:
        try:
            until_listening(port, process, folder)
            yield origin
        finally:
            process.terminate()


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
async def test_it_runs_with_what_its_readme_tells_to_install_and_nothing_else(
    tmp_path: Path, server: KeyServer, signer: Signer, interface: str
) -> None:
    with site_alone(tmp_path, server, interface) as origin:
        async with aiohttp.ClientSession(headers=HTML, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.get(f"{origin}/tickets", allow_redirects=False) as answer:
                assert answer.status == 303
                assert answer.headers["location"].startswith(f"{server.url}/h/zeewind/opening?return_to=")
            form = {"pass": pass_of(signer), "to": "/tickets"}
            async with browser.post(f"{origin}/parvis/return", data=form, headers={"origin": origin}) as answer:
                assert (answer.status, str(answer.url)) == (200, f"{origin}/tickets")
                assert "Tickets of our own" in await answer.text()


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
async def test_who_comes_straight_in_gets_a_cookie_with_the_sites_own_page(
    tmp_path: Path, server: KeyServer, interface: str
) -> None:
    server.net(per_minute=2)
    with site_alone(tmp_path, server, interface) as origin:
        jars = [aiohttp.CookieJar(unsafe=True) for _ in range(3)]
        for jar, status in [(jars[0], 200), (jars[1], 303), (jars[0], 200), (jars[2], 303)]:
            async with (
                aiohttp.ClientSession(headers=HTML, cookie_jar=jar) as browser,
                browser.get(f"{origin}/tickets", allow_redirects=False) as answer,
            ):
                assert answer.status == status
        assert {cookie.key for cookie in jars[0]} == {"parvis_inside"}
