"""A payment provider that tells its events as real ones do: late, twice, out of order, before the order, or never."""

import asyncio
import random
from collections import Counter
from typing import Final

import aiohttp
import msgspec

from engine.signing import Signer
from engine.words import HouseSlug
from tests.sale import Sale

FATES: Final = ("prompt", "late", "twice", "early", "out_of_order", "failed", "never")
AGAIN_SECONDS: Final = 0.2
GIVE_UP_SECONDS: Final = 60.0


class PaymentSimulator:
    """Decides what becomes of each payment, and tells the house, again and again until it is heard.

    `paid`: the references whose money was taken. `told`: how many payments had each fate. `answers`: what the house
    made of the events of a payment, the last one.
    """

    def __init__(self, sale: Sale, seed: int, *, longest_delay_s: float) -> None:
        print(f"payments at {sale.slug}, seed {seed}")
        self._sale = sale
        self._random = random.Random(seed)
        self._longest_delay_s = longest_delay_s
        house = sale.town.network.house(sale.slug)
        self._signer = Signer(HouseSlug(sale.slug), house.secrets_path)
        self._on_their_way: set[asyncio.Task[None]] = set()
        self.paid: set[str] = set()
        self.told: Counter[str] = Counter()
        self.answers: dict[str, str] = {}
        self.asked_again = 0

    async def take(self, reference: str) -> None:
        """A visitor pays under this reference, and is about to order with it."""
        fate = self._random.choice(FATES)
        self.told[fate] += 1
        if fate == "never":
            return
        if fate != "failed":
            self.paid.add(reference)
        if fate == "early":
            await self._tell(reference, is_paid=True)
            return
        self._later(reference, fate)

    def _later(self, reference: str, fate: str) -> None:
        """Sends the events of a payment, each after a delay of its own."""
        delays = {"prompt": [0.0], "twice": [0.0, 0.0], "failed": [0.1]}.get(fate)
        chosen = delays or [self._random.uniform(0, self._longest_delay_s) for _ in range(2)]
        kinds = [fate != "failed"] * len(chosen)
        if fate == "out_of_order":  # that it failed at first is told after it has succeeded
            chosen, kinds = sorted(chosen), [True, False]
        if fate == "late":
            chosen, kinds = chosen[:1], kinds[:1]
        for delay_s, is_paid in zip(chosen, kinds, strict=True):
            task = asyncio.create_task(self._tell(reference, is_paid=is_paid, after_s=delay_s))
            self._on_their_way.add(task)
            task.add_done_callback(self._on_their_way.discard)

    async def settle(self) -> None:
        """Until every event has been heard."""
        async with asyncio.timeout(GIVE_UP_SECONDS + self._longest_delay_s):
            while self._on_their_way:
                await asyncio.gather(*self._on_their_way)

    async def _tell(self, reference: str, *, is_paid: bool, after_s: float = 0.0) -> None:
        await asyncio.sleep(after_s)
        body = msgspec.json.encode({"reference": reference, "is_paid": is_paid})
        headers = {"Parvis-Demo-Signature": self._signer.event_signature("demo", body)}
        for _ in range(int(GIVE_UP_SECONDS / AGAIN_SECONDS)):
            try:
                answer = await self._sale.ask("POST", "/payments/demo/events", raw=body, key=None, headers=headers)
            except (aiohttp.ClientError, TimeoutError):
                answer = None
            if answer is not None and answer.status == 200:
                self.answers[reference] = answer.json["state"]
                return
            if answer is not None and answer.status == 404 and not is_paid:
                return  # that nothing was paid for nothing concerns nobody
            self.asked_again += 1
            await asyncio.sleep(AGAIN_SECONDS)
        raise AssertionError(f"the house does not hear of {reference}: {answer and (answer.status, answer.json)}")
