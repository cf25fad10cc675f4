"""One on-sale of a town over HTTP: a small client that plays a visitor, the counter or the manager."""

import asyncio
import itertools
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import jwt
import msgspec

from engine.catalogue import PASS_LEEWAY_MS
from engine.cli.sales import at_house
from engine.instants import from_rfc3339, now_ms, to_rfc3339
from engine.waiting_room import hash_secret
from engine.words import OrderId

if TYPE_CHECKING:
    from tests.town import Town

READY_SECONDS = 60.0
NEXT_POLLS = 20
"""A tenth of a second apart: the cache's second, and one for a machine that is busy."""


async def past(instant: str) -> None:
    """Waits until an instant (RFC 3339) lies behind us."""
    await asyncio.sleep(max(0, from_rfc3339(instant) - now_ms() + 20) / 1000)


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
        town: "Town",
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
        return str((await self.until_claimed(place, secret))["pass"])

    async def until_claimed(self, place: str, secret: str) -> Any:
        """Waits for the turn and claims it: what is told of the pass."""
        for _ in range(200):
            answer = await self.claim(place, secret)
            if answer.status == 201:
                return answer.json
            assert answer.status in {409, 503}, answer.json
            await asyncio.sleep(0.05)
        raise AssertionError(answer.json)

    def expires_at(self, token: str) -> str:
        """When a pass ends, by its own words (RFC 3339)."""
        return to_rfc3339(jwt.decode(token, options={"verify_signature": False})["exp"] * 1000)

    def slot_ends_at(self, token: str) -> str:
        """When the slot of a pass ends, a leeway later: until then it holds (RFC 3339)."""
        return to_rfc3339(from_rfc3339(self.expires_at(token)) + PASS_LEEWAY_MS)

    async def enter(self) -> str:
        """A fresh visitor's pass."""
        return await self.pass_for(*await self.join())

    async def hold(self, token: str, *seats: str, performance: str = "", **options: Any) -> Answer:
        items = [{"performance": performance or self.performance, "seats": list(seats)}]
        return await self.post("/holds", {"items": items}, token=token, **options)

    async def swap(self, token: str, hold: str, *seats: str, performance: str = "", **options: Any) -> Answer:
        items = [{"performance": performance or self.performance, "seats": list(seats)}]
        return await self.post(f"/holds/{hold}/swap", {"items": items}, token=token, **options)

    async def best(self, token: str, quantity: int, category: str = "", **options: Any) -> Answer:
        best = {"quantity": quantity} | ({"category": category} if category else {})
        items = [{"performance": self.performance, "best": best}]
        return await self.post("/holds", {"items": items}, token=token, **options)

    async def order(self, token: str, *holds: str, payment: str = "", **options: Any) -> Answer:
        canary = self.town.canaries[self.slug]
        body = {
            "holds": list(holds),
            "customer": {"email": canary.email, "name": canary.name},
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

    async def first_status(self, since_ms: int = 0) -> Any:
        """The very first public status that was worked out after an instant (now): whatever came before it is in it.

        Fails where a poll a second and a bit later would still be given an older one.
        """
        since_ms = since_ms or now_ms()
        for _ in range(NEXT_POLLS):
            found = (await self.get(f"/on-sales/{self.on_sale}/status")).json
            if from_rfc3339(found["server_time"]) >= since_ms:
                return found
            await asyncio.sleep(max(0, since_ms - now_ms()) / 1000 + 0.1)
        raise AssertionError((since_ms, found["server_time"]))

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

    async def webhook(self, url: str = "", *types: str) -> str:
        """A fresh endpoint of the house's; without an address, one that nobody listens at."""
        body = {"url": url or "https://127.0.0.1:1024/", "types": types or ["on_sale.sold_out"], "reason": "a test"}
        made = await self.post("/manage/webhooks", body, token=self.manage_key)
        assert made.status == 201, made.json
        return str(made.json["webhook"])

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
