"""The shoppers of a house, over HTTP: each keeps a log of what it was told, and asks again until it knows."""

import asyncio
import random
import time
import uuid
from typing import Any, Final

import aiohttp
import msgspec

from engine.signing import Signer
from engine.torture.options import STRUCK, Options
from engine.torture.sale import ON_SALE, PERFORMANCE
from engine.torture.stage import Stage
from engine.torture.told import Bought, Told, slug_of
from engine.waiting_room import hash_secret
from engine.words import HouseSlug

TIMEOUT: Final = aiohttp.ClientTimeout(total=8)
AGAIN_SECONDS: Final = 0.05
GIVE_UP_SECONDS: Final = 90.0
POPULAR: Final = 12
"""So many seats do many shoppers want at once."""
MODES: Final = ("late", "twice", "early", "never")
EXPECTED: Final = frozenset(
    {"seats-taken", "sold-out", "seat-left-alone", "cool-down", "too-many-seats", "hold-ended", "pass-ended"}
)
"""Refusals of a hold or an order that end a visit in good order."""
Answer = tuple[int, Any]


class Shoppers:
    """A house's shoppers."""

    def __init__(self, stage: Stage, slug: HouseSlug) -> None:
        self._stage, self._slug = stage, slug
        options = stage.options
        self._options: Options = options
        self._signer = Signer(slug, stage.network.house(slug).secrets_path)
        self.told = Told()
        self._over = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        # Neighbours are there to notice, not to be busy.
        self._count = options.shoppers if slug == STRUCK else 4
        self._pause_s = options.pause_ms / 1000 * (1 if slug == STRUCK else 4)

    async def shop(self) -> None:
        """Until `go_home`, and then until every visit and every payment has come to its end."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
        async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT) as self._session:
            async with asyncio.TaskGroup() as tasks:
                for number in range(self._count):
                    tasks.create_task(self._come_and_go(random.Random(f"{self._options.seed} {self._slug} {number}")))
            while self._under_way:
                await asyncio.gather(*self._under_way)

    def go_home(self) -> None:
        """Nobody comes any more."""
        self._over.set()

    async def _come_and_go(self, chance: random.Random) -> None:
        while not self._over.is_set():
            await self._visit(chance)
            self.told.visits += 1
            await asyncio.sleep(self._pause_s * chance.uniform(0.5, 1.5))

    async def _visit(self, chance: random.Random) -> None:
        """From joining to an order, or to a reason why not."""
        secret = uuid.uuid4().hex
        on_sale = f"/on-sales/{ON_SALE}"
        status, place = await self.known("join", f"{on_sale}/places", {"secret_hash": hash_secret(secret)})
        if status != 201:
            self._odd("join", status, place)
            return
        pass_ = await self._wait(place["place"], secret)
        if not pass_:
            return
        held = await self._hold(chance, pass_)
        if held is None or chance.random() < 0.1:
            return  # walks away, and the hold ends by itself
        if chance.random() < 0.05:
            await self.known("release", f"/holds/{held['hold']}", None, token=pass_, method="DELETE")
            return
        await self._buy(chance, pass_, held)

    async def _wait(self, place: str, secret: str) -> str:
        """The pass, or nothing when there is none to be had."""
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until:
            path = f"/on-sales/{ON_SALE}/passes"
            status, claimed = await self.known("claim", path, {"place": place, "secret": secret})
            if status == 201:
                return str(claimed["pass"])
            if status != 409:
                self._odd("claim", status, claimed)
                return ""
            if self._over.is_set():
                return ""
            await asyncio.sleep(0.1)
        self.told.broken.append(f"a place was not called in {GIVE_UP_SECONDS:g} s")
        return ""

    async def _hold(self, chance: random.Random, pass_: str) -> Any:
        """The hold, or None: several want the same few seats, the others what is best, or to stand."""
        wish: dict[str, Any] = {"performance": PERFORMANCE}
        kind, quantity = chance.random(), chance.randint(1, 3)
        if kind < 0.15:
            first = chance.randint(1, min(POPULAR, self._options.seats - 1))
            wish["seats"] = [f"1-{first}", f"1-{first + 1}"]
        elif kind < 0.4:
            wish["best"] = {"quantity": quantity, "category": "Seat"}
        else:
            wish |= {"area": "floor", "quantity": quantity}
        status, held = await self.known("hold", "/holds", {"items": [wish]}, token=pass_, twice=chance.random() < 0.1)
        if status == 201:
            return held
        self._odd("hold", status, held)
        return None

    async def _buy(self, chance: random.Random, pass_: str, held: Any) -> None:
        """Pays, at once or late, and writes down what became of it."""
        mode = chance.choice(MODES) if chance.random() < self._options.late_share else ""
        reference = f"{'late' if mode else 'yes'}-{uuid.uuid4()}"
        if mode:
            self.told.payments[mode] += 1
        if mode == "early":
            await self._tell(reference)
        body = {
            "holds": [held["hold"]],
            "customer": {"email": "shopper@example.org", "name": "A Shopper"},
            "payment": {"provider": "demo", "reference": reference},
        }
        status, ordered = await self.known("order", "/orders", body, token=pass_, twice=chance.random() < 0.1)
        if status != 202:
            # Money that came long before its order has been promised back by then.
            if not (mode == "early" and slug_of(ordered) == "payment-used"):
                self._odd(f"{mode or 'prompt'} order", status, ordered)
            return
        bought = Bought(ordered["order"], ordered["order_secret"], tuple(held["items"]), reference)
        if ordered["state"] in {"confirmed", "recorded"}:
            self.told.confirm(bought)
        elif mode in {"late", "twice"}:
            task = asyncio.create_task(self._pay_late(bought, chance.uniform(0.1, 4), 1 + (mode == "twice")))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _pay_late(self, bought: Bought, after_s: float, times: int) -> None:
        """The provider tells that it was paid; told twice, it is told twice at once."""
        await asyncio.sleep(after_s)
        await asyncio.gather(*(self._tell(bought.reference) for _ in range(times)))

    async def _tell(self, reference: str) -> None:
        """A provider's event, told again until it is taken."""
        body = msgspec.json.encode({"reference": reference, "is_paid": True})
        headers = {"Parvis-Demo-Signature": self._signer.event_signature("demo", body)}
        status, settled = await self.known("payment", "/payments/demo/events", body, headers=headers)
        if status == 200:
            self.told.paid[reference] = settled["state"]
        else:
            self._odd("payment", status, settled)

    def _odd(self, step: str, status: int, answer: Any) -> None:
        """A refusal that no rule of the sale explains is a broken promise."""
        if slug_of(answer) not in EXPECTED and not (self._over.is_set() and status == 0):
            self.told.broken.append(f"{step} was answered {status} {slug_of(answer)}")

    async def known(
        self,
        step: str,
        path: str,
        body: Any,
        *,
        token: str = "",
        method: str = "POST",
        twice: bool = False,
        headers: "dict[str, str] | None" = None,
    ) -> Answer:
        """The answer that tells: after a 503 or none at all it asks again, with the same key.

        `twice`: two requests at once with one key, which have one effect and one answer.
        """
        sent = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())} | (headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until:
            answers = await asyncio.gather(*(self._ask(step, method, path, data, sent) for _ in range(1 + twice)))
            good = [answer for answer in answers if 200 <= answer[0] < 300]
            if len(good) == 2:
                self.told.repeats += 1
                if _essence(good[0][1]) != _essence(good[1][1]):
                    self.told.broken.append(f"{step}: one key had two answers")
            for answer in good or answers:
                if 0 < answer[0] < 500:
                    return answer
            await asyncio.sleep(AGAIN_SECONDS)
        self.told.broken.append(f"{step}: nothing known after {GIVE_UP_SECONDS:g} s")
        return 0, None

    async def _ask(self, step: str, method: str, path: str, data: "bytes | None", headers: "dict[str, str]") -> Answer:
        """Once. Status 0 when nothing was heard; any other failure than 503 is a broken promise."""
        url = f"{self._stage.url(self._slug)}/v1/houses/{self._slug}{path}"
        try:
            async with self._session.request(method, url, data=data, headers=headers) as response:
                text = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.told.answers[step, 0, ""] += 1
            return 0, None
        answer = msgspec.json.decode(text) if text else None
        self.told.answers[step, response.status, slug_of(answer)] += 1
        if response.status >= 500 and response.status != 503:
            self.told.broken.append(f"{step} was answered {response.status} {slug_of(answer)}")
        if response.status == 503 and "Retry-After" not in response.headers:
            self.told.broken.append(f"{step} was answered 503 without Retry-After")
        return response.status, answer


def _essence(answer: Any) -> Any:
    """What two answers to one key must have in common: an order may be recorded meanwhile."""
    return {name: value for name, value in answer.items() if name != "state"} if isinstance(answer, dict) else answer
