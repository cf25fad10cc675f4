"""A small crowd that buys over HTTP, keeps its own log, and asks again with the same key until it knows."""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp

from tests.town import Answer, Sale

GIVE_UP_SECONDS = 60
BUYERS = 12


class Crowd:
    """Buyers who come one after another, each with a place of their own; an async context manager.

    `confirmed`: what each acknowledged order bought. `answers`: how many of each status and problem, a step.
    `unknown`: how often nobody knew what had become of a request. `slowest_s`: the longest that an answer took.
    """

    def __init__(self, sale: Sale, seed: int, *, pause_s: float = 0.01, patience_s: float = GIVE_UP_SECONDS) -> None:
        print(f"crowd at {sale.slug}, seed {seed}")
        self._sale = sale
        self._random = random.Random(seed)
        self._pause_s = pause_s
        self._patience_s = patience_s
        self._buyers: list[asyncio.Task[None]] = []
        self._is_over = False
        self.confirmed: dict[str, list[Any]] = {}
        self.answers: Counter[tuple[str, int, str]] = Counter()
        self.unknown = 0
        self.slowest_s = 0.0

    async def __aenter__(self) -> Self:
        self._buyers = [asyncio.create_task(self._buy_on()) for _ in range(BUYERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        ends = await asyncio.gather(*self._buyers, return_exceptions=True)
        for end in filter(None, ends):
            raise end

    @property
    def refused(self) -> dict[tuple[str, int, str], int]:
        """Answers that were no success: how many of a step, status and problem."""
        return {each: count for each, count in self.answers.items() if each[1] >= 400 and count}

    @property
    def bought(self) -> set[tuple[str, int]]:
        """Every order that was acknowledged, with how many items."""
        return {(order, len(items)) for order, items in self.confirmed.items()}

    async def until_confirmed(self, count: int) -> None:
        """Waits for so many more confirmed orders."""
        wanted = len(self.confirmed) + count
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while len(self.confirmed) < wanted:
                for buyer in self._buyers:
                    if buyer.done():
                        buyer.result()
                await asyncio.sleep(0.01)

    async def _buy_on(self) -> None:
        while not self._is_over:
            await self._buy_once()
            await asyncio.sleep(self._pause_s)

    async def _buy_once(self) -> None:
        sale, secret = self._sale, uuid.uuid4().hex
        place = await self._known("join", lambda key: sale.join_once(secret, key=key))
        claimed = await self._known("claim", lambda key: sale.claim(place.json["place"], secret, key=key), until=201)
        token = claimed.json["pass"]
        quantity = self._random.randint(1, 3)
        wish: dict[str, Any] = {"performance": sale.performance, "area": "vloer", "quantity": quantity}
        if self._random.random() < 0.1:  # seats are few, standing places last
            wish = {"performance": sale.performance, "best": {"quantity": quantity}}
        held = await self._known("hold", lambda key: sale.post("/holds", {"items": [wish]}, token=token, key=key))
        if held.status != 201:  # sold out, or the pass ended while a server was away
            return
        payment = f"yes-{uuid.uuid4()}"
        hold = held.json["hold"]
        ordered = await self._known("order", lambda key: sale.order(token, hold, payment=payment, key=key))
        if ordered.status == 202:
            self.confirmed[ordered.json["order"]] = held.json["items"]

    async def _known(self, step: str, ask: Callable[[str], Awaitable[Answer]], *, until: int = 0) -> Answer:
        """The answer that tells: after 503 and a lost connection it asks again, with the same key."""
        key = str(uuid.uuid4())
        for _ in range(int(self._patience_s / 0.05)):
            started = time.monotonic()
            try:
                answer = await ask(key)
            except (aiohttp.ClientError, TimeoutError):
                self.unknown += 1
                await asyncio.sleep(0.05)
                continue
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)
            self.answers[step, answer.status, answer.slug] += not (until and answer.status == 409)
            if answer.status < 500 and (not until or answer.status == until):
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError(f"{step}: nothing known after {self._patience_s} s; {dict(self.answers)}")
