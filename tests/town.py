"""A network as it runs: embedded servers, `parvis serve`, and a small HTTP client that plays a visitor or staff."""

import asyncio
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp
import jwt
import msgspec
import tomli_w

from engine import house as houses
from engine.catalogue import OnSale, Performance
from engine.cli.sales import at_house
from engine.cli.stage import embedded_network
from engine.house import Change
from engine.instants import from_rfc3339, now_ms, to_rfc3339
from engine.network import load
from engine.waiting_room import hash_secret
from engine.words import OrderId

BY = Change(who="test", why="a test")
READY_SECONDS = 60.0
numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def past(instant: str) -> None:
    """Waits until an instant (RFC 3339) lies behind us."""
    await asyncio.sleep(max(0, from_rfc3339(instant) - now_ms() + 20) / 1000)


def small_plan(rows: int = 5, seats: int = 10, standing: int = 20) -> dict[str, Any]:
    """Rows A, B, … of one block each, the first two in category `Rang 1`, and a standing area; in pretix's format."""
    drawn = [
        {
            "row_number": chr(65 + row),
            "position": {"x": 0, "y": 160 + row * 32},
            "seats": [
                {
                    "seat_guid": f"zaal-{chr(65 + row)}-{number}",
                    "seat_number": str(number),
                    "category": "Rang 1" if row < 2 else "Rang 2",
                    "position": {"x": number * 26, "y": 0},
                }
                for number in range(1, seats + 1)
            ],
        }
        for row in range(rows)
    ]
    floor = {
        "shape": "rectangle",
        "rectangle": {"width": 200, "height": 80},
        "position": {"x": 0, "y": 40},
        "color": "#eeeeee",
        "border_color": "#000000",
        "rotation": 0,
        "text": {"text": "Floor", "size": 12, "color": "#000000", "position": {"x": 0, "y": 0}},
    }
    area = {"zone": 0, "area": 0, "id": "vloer", "name": "Vloer", "category": "Rang 2", "capacity": standing}
    return {
        "name": "Small hall",
        "categories": [{"name": "Rang 1", "color": "#8c2f39"}, {"name": "Rang 2", "color": "#4a6fa5"}],
        "zones": [{"name": "Zaal", "position": {"x": 0, "y": 0}, "rows": drawn, "areas": [floor]}],
        "size": {"width": 400, "height": 500},
        "parvis": {"areas": [area] if standing else []},
    }


class Town:
    """Houses, their servers, and one `parvis serve` for them all."""

    def __init__(
        self,
        slugs: Sequence[str],
        *,
        limits: "dict[str, int] | None" = None,
        own_limits: "dict[str, dict[str, int]] | None" = None,
    ) -> None:
        """`limits` of every house; `own_limits` of one, besides."""
        self.folder = Path(tempfile.mkdtemp(prefix="pt-"))
        self.folder.chmod(0o711)
        self.slugs = tuple(slugs)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.source = self.folder / "source.toml"
        policy = {"fees": "none", "refunds": "none", "delivery": "by e-mail"}
        described = [
            {
                "slug": slug,
                "name": f"House {slug}",
                "operator_contact": "ops@example.org",
                "policy": policy,
                "listed": True,
                "allowed_origins": ["https://www.example.org"],
                "limits": (limits or {}) | (own_limits or {}).get(slug, {}),
            }
            for slug in slugs
        ]
        self.source.write_text(tomli_w.dumps({"name": "Test", "houses": described}))
        self._stage = embedded_network(self.source, self.folder / "data")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Town":
        self.servers, self.network_file = self._stage.__enter__()
        self.network = load(self.network_file)
        self.serve()
        return self

    def serve(self) -> None:
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "engine.cli", "serve", "--network", str(self.network_file)),
                    *("--port", str(self.port)),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop_serving(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop_serving()
        self._stage.__exit__(None, None, None)
        self.servers.erase()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")

    async def until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"{self.url}/readyz") as response:
                        if set((await response.json())["cells"].values()) == {"open"}:
                            return
                except (aiohttp.ClientError, KeyError):
                    pass
                assert time.monotonic() < deadline, self.log()[-3000:]
                await asyncio.sleep(0.05)

    async def open_sale(
        self, slug: str, *, plan: "dict[str, Any] | None" = None, shows: int = 1, **changed: Any
    ) -> "Sale":
        """A fresh hall, performances, on-sale and keys; open and calling everybody, unless `changed`."""
        number = next(numbers) * 1000 + os.getpid() % 1000
        async with at_house(self.network_file, slug) as (cell, ledger):
            hall = f"hall-{number}"
            await houses.add_hall(cell, ledger, hall, "Hall", plan or small_plan(), BY)
            layout = cell.catalogue.halls[hall].layout  # type: ignore[index]
            names = []
            for show in range(shows):
                name = f"show-{number}-{show}"
                made = Performance(
                    performance=name,  # type: ignore[arg-type]
                    hall=hall,  # type: ignore[arg-type]
                    title="Show",
                    starts_at_ms=now_ms() + 86_400_000,
                    prices={c: {"full": 2000, "reduced": 1500} for c in layout.categories},
                    fee=100,
                )
                await houses.add_performance(cell, ledger, made, BY)
                names.append(name)
            fields = {
                "prequeue_at_ms": now_ms() - 1000,
                "opens_at_ms": now_ms() - 500,
                "rate_per_minute": 60_000,
                "cap": 1000,
                "hold_seconds": 60,
                "return_delay_seconds": 0,
                "seats_a_hold": 6,
                "seats_a_place": 6,
            } | changed
            on_sale = OnSale(on_sale=f"sale-{number}", title="Sale", performances=tuple(names), **fields)  # type: ignore[arg-type]
            on_sale = await houses.add_on_sale(cell, ledger, on_sale, BY)
            _, manage = await houses.add_key(cell, ledger, "Manager", ("manage",), BY, f"m{number}")
            _, counter = await houses.add_key(cell, ledger, "Counter", ("counter",), BY, f"c{number}")
            layouts: dict[str, Sequence[str]] = dict.fromkeys(names, layout.seat_ids)
        return Sale(self, slug, on_sale.on_sale, hall, layouts, manage, counter)


class Answer(msgspec.Struct):
    status: int
    json: Any
    headers: Any
    body: bytes

    @property
    def slug(self) -> str:
        return str(self.json["type"]).rpartition("/")[2] if isinstance(self.json, dict) and "type" in self.json else ""


class Sale:
    """One on-sale over HTTP. Use as an async context manager."""

    def __init__(
        self,
        town: Town,
        slug: str,
        on_sale: str,
        hall: str,
        layouts: "dict[str, Sequence[str]]",
        manage: str,
        counter: str,
    ) -> None:
        """`layouts`: each performance's seats in plan order."""
        self.town, self.slug, self.on_sale = town, slug, on_sale
        self.layouts, self.hall = layouts, hall
        self.performances = tuple(layouts)
        self.performance = self.performances[0]
        self._unused = iter(layouts[self.performance])
        self.manage_key, self.counter_key = manage, counter
        self.base = f"{town.url}/v1/houses/{slug}"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        # Every API process looks at the catalogue twice a second.
        for _ in range(100):
            if (await self.get(f"/on-sales/{self.on_sale}/status")).status == 200:
                break
            await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "",
        key: "str | None" = "",
        raw: "bytes | None" = None,
        headers: "dict[str, str] | None" = None,
        timeout: float = 20,
    ) -> Answer:
        """Sends a request below the house (or anywhere, for a full URL). `key`: None leaves it out."""
        assert self._session is not None
        sent = {"Content-Type": "application/json"} if body is not None or raw is not None else {}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None and method != "GET":
            sent["Idempotency-Key"] = key or str(uuid.uuid4())
        data = raw if raw is not None else msgspec.json.encode(body) if body is not None else None
        url = path if path.startswith("http") else self.base + path
        limit = aiohttp.ClientTimeout(total=timeout)
        async with self._session.request(
            method, url, data=data, headers=sent | (headers or {}), timeout=limit
        ) as response:
            text = await response.read()
            try:
                parsed = msgspec.json.decode(text) if text else None
            except msgspec.DecodeError:
                parsed = None
            return Answer(response.status, parsed, response.headers, text)

    async def get(self, path: str, token: str = "", **options: Any) -> Answer:
        return await self.ask("GET", path, token=token, **options)

    async def post(self, path: str, body: Any, **options: Any) -> Answer:
        return await self.ask("POST", path, body, **options)

    async def join_once(self, secret: str, **options: Any) -> Answer:
        """Joins the public line, once."""
        return await self.post(f"/on-sales/{self.on_sale}/places", {"secret_hash": hash_secret(secret)}, **options)

    async def join(self, secret: str = "") -> "tuple[str, str]":
        """A place and its secret."""
        secret = secret or uuid.uuid4().hex
        answer = await self.join_once(secret)
        assert answer.status == 201, answer.json
        return answer.json["place"], secret

    async def claim(self, place: str, secret: str, **options: Any) -> Answer:
        """Claims the turn, once."""
        return await self.post(f"/on-sales/{self.on_sale}/passes", {"place": place, "secret": secret}, **options)

    async def pass_for(self, place: str, secret: str) -> str:
        """Waits for the turn and claims it."""
        for _ in range(200):
            answer = await self.claim(place, secret)
            if answer.status == 201:
                return str(answer.json["pass"])
            assert answer.status in {409, 503}, answer.json
            await asyncio.sleep(0.05)
        raise AssertionError(answer.json)

    def expires_at(self, token: str) -> str:
        """When a pass ends, by its own words (RFC 3339)."""
        return to_rfc3339(jwt.decode(token, options={"verify_signature": False})["exp"] * 1000)

    async def enter(self) -> str:
        """A fresh visitor's pass."""
        return await self.pass_for(*await self.join())

    async def hold(self, token: str, *seats: str, performance: str = "", **options: Any) -> Answer:
        items = [{"performance": performance or self.performance, "seats": list(seats)}]
        return await self.post("/holds", {"items": items}, token=token, **options)

    async def best(self, token: str, quantity: int, category: str = "", **options: Any) -> Answer:
        best = {"quantity": quantity} | ({"category": category} if category else {})
        items = [{"performance": self.performance, "best": best}]
        return await self.post("/holds", {"items": items}, token=token, **options)

    async def order(self, token: str, *holds: str, payment: str = "", **options: Any) -> Answer:
        body = {
            "holds": list(holds),
            "customer": {"email": "visitor@example.org", "name": "A Visitor"},
            "payment": {"provider": "demo", "reference": payment or f"yes-{uuid.uuid4()}"},
        }
        return await self.post("/orders", body, token=token, **options)

    def unused(self, count: int) -> list[str]:
        """Seats of the first performance that were not given out by this before."""
        return list(itertools.islice(self._unused, count))

    async def seats(self, performance: str = "") -> str:
        return str((await self.get(f"/performances/{performance or self.performance}/seats")).json["seats"])

    async def seat(self, seat: str, performance: str = "") -> str:
        """The letter of one seat."""
        layout = self.layouts[performance or self.performance]
        return (await self.seats(performance))[layout.index(seat)]

    async def until_seats(self, letter: str, *seats: str, performance: str = "") -> None:
        """Waits until the public seat map, which is half a second old at most, shows the seats so."""
        layout = self.layouts[performance or self.performance]
        for _ in range(200):
            shown = await self.seats(performance)
            if {shown[layout.index(seat)] for seat in seats} == {letter}:
                return
            await asyncio.sleep(0.05)
        raise AssertionError((letter, seats, shown))

    async def status(self) -> Any:
        """The public status as it stands by now: what is cached for a second has been renewed."""
        deadline = time.monotonic() + 10
        asked_at = (await self.get(f"/on-sales/{self.on_sale}/status")).json["server_time"]
        while time.monotonic() < deadline:
            found = (await self.get(f"/on-sales/{self.on_sale}/status")).json
            if found["server_time"] != asked_at:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError("the status is never renewed")

    async def until_recorded(self, order: "dict[str, str]", state: str = "recorded") -> None:
        """Waits until the order, `{order, order_secret}`, stands so in the ledger."""
        async with at_house(self.town.network_file, self.slug) as (_, ledger):
            for _ in range(200):
                found = await ledger.order(OrderId(order["order"]))
                if found is not None and found.state == state:
                    return
                await asyncio.sleep(0.05)
        raise AssertionError((order, state))

    async def key(self, *scopes: str) -> str:
        """A fresh key of the house's with these scopes."""
        body = {"name": "A program", "scopes": list(scopes), "reason": "a test"}
        made = await self.post("/manage/keys", body, token=self.manage_key)
        assert made.status == 201, made.json
        return str(made.json["key"])

    async def until_status(self, **expected: Any) -> Any:
        """The public status once it says so: it may be a second old."""
        for _ in range(60):
            found = (await self.get(f"/on-sales/{self.on_sale}/status")).json
            if all(found.get(name) == value for name, value in expected.items()):
                return found
            await asyncio.sleep(0.05)
        raise AssertionError((expected, found))

    async def until_epoch_after(self, epoch: int) -> int:
        """Waits until the house sells at a later epoch; answers it."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            answer = await self.get(f"/on-sales/{self.on_sale}/status")
            if answer.status == 200 and answer.json["epoch"] > epoch:
                return int(answer.json["epoch"])
            await asyncio.sleep(0.05)
        raise AssertionError(self.town.log()[-3000:])

    async def until_drained(self) -> None:
        """Waits until everything is recorded."""
        async with at_house(self.town.network_file, self.slug) as (cell, _):
            for _ in range(200):
                await cell.look()
                if cell.backlog == 0:
                    return
                await asyncio.sleep(0.05)
        raise AssertionError("the backlog stays")
