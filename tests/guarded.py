"""A guard as tests have it: before a server that stands for Parvis, and browsers that keep cookies."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import msgspec

from engine.instants import now_ms
from engine.signing import Place, Signer
from engine.words import LineName, OnSaleId
from parvis_guard import Answer, Guard, Request, Settings

ORIGIN = "https://www.zeewind.example"
HTML = {"accept": "text/html,*/*", "accept-language": "nl-BE,nl;q=0.9", "sec-fetch-mode": "navigate"}


class KeyServer:
    """A server with a house's keys and the status of its on-sale, that can fall silent, be slow, and change them."""

    def __init__(self) -> None:
        self.jwks: dict[str, Any] = {"keys": []}
        self.asked = 0
        self.is_well = True
        self.seconds = 0.0
        self.status: dict[str, Any] = {
            "phase": "open",
            "opens_at": "2026-01-01T10:00:00Z",
            "lines": {"public": {"now_serving": 7, "joined": 7, "per_minute": 120}},
        }
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                is_status = self.path == "/v1/houses/zeewind/on-sales/opening/status"
                if not is_status:
                    outer.asked += 1
                    assert self.path == "/v1/houses/zeewind/.well-known/jwks.json"
                time.sleep(outer.seconds)
                self.send_response(200 if outer.is_well else 503)
                self.end_headers()
                self.wfile.write(
                    msgspec.json.encode(outer.status if is_status else outer.jwks) if outer.is_well else b""
                )

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def line(self, **changed: int) -> None:
        """How the line stands from now on."""
        self.status = self.status | {"lines": {"public": self.status["lines"]["public"] | changed}}

    def net(self, per_minute: int) -> None:
        """From so many newcomers a minute on the room shows."""
        self.status = self.status | {"safety_net": {"per_minute": per_minute, "is_active": False}}

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def guard_of(server: KeyServer, **changed: Any) -> Guard:
    about = {"server": server.url, "house": "zeewind", "on_sale": "opening", "origin": ORIGIN, "secret": "s" * 32}
    return Guard(Settings(**about | changed))


def pass_of(signer: Signer, *, on_sale: str = "opening", index: int = 7, seconds: int = 600) -> str:
    place = Place(OnSaleId(on_sale), LineName("public"), index, "hash", 1)
    return signer.sign_pass(place, now_ms() + seconds * 1000)


class Browser:
    """Keeps cookies, as a browser does, and comes back with a pass."""

    def __init__(self, guard: Guard) -> None:
        self.guard, self.cookies = guard, dict[str, str]()

    def asks(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer | None:
        path, _, query = path.partition("?")
        kept = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        verdict = self.guard.decide(Request(method, path, query, HTML | kept | headers, body))
        answer = verdict.answer
        for name, value in answer.headers if answer else verdict.headers:
            if name == "set-cookie":
                self.cookies.update([value.partition(";")[0].split("=", 1)])  # type: ignore[list-item]
        return answer

    def goes(self, path: str = "/tickets") -> Answer | None:
        return self.asks("GET", path)

    def returns(self, token: str, to: str = "/tickets", **headers: str) -> Answer:
        body = urlencode({"pass": token, "to": to}).encode()
        answer = self.asks("POST", "/parvis/return", body, **({"origin": ORIGIN} | headers))
        assert answer is not None
        return answer


def header(answer: "Answer | None", name: str) -> str:
    assert answer is not None
    return dict(answer.headers).get(name, "")
