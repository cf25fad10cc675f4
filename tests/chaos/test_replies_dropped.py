"""Redis runs what it is asked, and one answer in five never arrives: every request has one effect, and its first answer
comes back, to those who ask twice at once, again and again, or much later (A4).

`PARVIS_VISITORS=400` for the full size.
"""

import asyncio
import os
import uuid
from collections import Counter
from typing import Any

import aiohttp
import msgspec
import pytest

from engine.torture.proxy import FaultProxy
from engine.waiting_room import hash_secret
from tests.chaos.test_redis_slow import WEST, FarTown
from tests.chaos.truth import clean, recorded
from tests.sale import Answer, Sale
from tests.town import small_plan

SEED = 4
VISITORS = int(os.environ.get("PARVIS_VISITORS", "60"))
AT_ONCE = 12
GIVE_UP_SECONDS = 60.0
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240 + VISITORS)]


class Request(msgspec.Struct):
    """What was asked, under which key, and the first answer to it."""

    path: str
    body: Any
    token: str
    key: str
    answer: Answer


class Insistent:
    """Visitors who send everything twice at once, again until it is answered, and keep what they were told."""

    def __init__(self, sale: Sale) -> None:
        self._sale = sale
        self.told: list[Request] = []
        self.unanswered = 0
        self.orders: set[tuple[str, int]] = set()
        self.answers: Counter[tuple[str, int]] = Counter()

    async def _once(self, path: str, body: Any, token: str, key: str) -> Answer | None:
        try:
            answer = await self._sale.post(path, body, token=token, key=key)
        except (aiohttp.ClientError, TimeoutError):
            answer = None
        if answer is None or answer.status >= 500:
            self.unanswered += 1
            return None
        return answer

    async def ask(self, path: str, body: Any, *, token: str = "", until: int = 0) -> Answer:
        """The first answer; another one to the same request must be the same, but for a draw made in between."""
        key = str(uuid.uuid4())
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while True:
                both = await asyncio.gather(*(self._once(path, body, token, key) for _ in range(2)))
                answers = [each for each in both if each is not None and (not until or each.status == until)]
                if answers:
                    break
                await asyncio.sleep(0.02)
        told = [(each.status, {**each.json, "position": None}) for each in answers]
        assert all(each == told[0] for each in told), told
        self.answers[path.rpartition("/")[2], answers[0].status] += 1
        self.told.append(Request(path, body, token, key, answers[0]))
        return answers[0]

    async def visit(self, quantity: int) -> None:
        """From joining to an order."""
        sale, secret = self._sale, uuid.uuid4().hex
        on_sale = f"/on-sales/{sale.on_sale}"
        place = (await self.ask(f"{on_sale}/places", {"secret_hash": hash_secret(secret)})).json["place"]
        claim = {"place": place, "secret": secret}
        token = (await self.ask(f"{on_sale}/passes", claim, until=201)).json["pass"]
        wish = {"performance": sale.performance, "best": {"quantity": quantity}}
        held = await self.ask("/holds", {"items": [wish]}, token=token, until=201)
        payment = {"provider": "demo", "reference": f"yes-{uuid.uuid4()}"}
        order = {"holds": [held.json["hold"]], "customer": {"email": "visitor@example.org"}, "payment": payment}
        answer = await self.ask("/orders", order, token=token, until=202)
        self.orders.add((answer.json["order"], quantity))

    async def ask_again(self, request: Request) -> None:
        """Much later: the first answer, to the byte but for what an order has become; another payload is refused."""
        again = await self._sale.post(request.path, request.body, token=request.token, key=request.key)
        assert (again.status, again.json) == (request.answer.status, request.answer.json)
        body = {**request.body, "holds": [request.body["holds"][0]] * 2} if "holds" in request.body else None
        if "items" in request.body:
            body = {"items": [{**request.body["items"][0], "best": {"quantity": 4}}]}
        if body and "items" in body:
            other = await self._sale.post(request.path, body, token=request.token, key=request.key)
            assert (other.status, other.slug) == (422, "key-reused")


async def test_every_request_has_one_effect_and_its_first_answer_comes_back() -> None:
    print(f"seed {SEED}, {VISITORS} visitors")
    town = FarTown()
    async with FaultProxy(str(town.redis_socket), seed=SEED) as proxy:
        try:
            town.proxy_port = int(proxy.address.rpartition(":")[2])
            await asyncio.to_thread(town.start)
            await town.until_ready()
            plan = small_plan(rows=max(5, VISITORS // 8), seats=20, standing=0)
            async with await town.open_sale(WEST, plan=plan) as sale:
                crowd = Insistent(sale)
                proxy.drop_replies_share, proxy.only = 0.2, b"FCALL\r\n"
                waiting = iter(range(VISITORS))

                async def come() -> None:
                    for number in waiting:
                        await crowd.visit(1 + number % 3)

                await asyncio.gather(*(come() for _ in range(AT_ONCE)))
                proxy.calm()
                assert proxy.bitten["dropped_reply"] > VISITORS / 4, "the fault did not bite"
                await sale.until_drained()
                for request in crowd.told[-4 * AT_ONCE :]:
                    await crowd.ask_again(request)
                joined = (await sale.status())["lines"]["public"]["joined"]
            assert joined == VISITORS
            assert await recorded(town, WEST) == crowd.orders
            assert len(crowd.orders) == VISITORS
            print(f"{proxy.bitten['dropped_reply']} replies dropped, {crowd.unanswered} requests without an answer")
            await clean(town, WEST)
        finally:
            await asyncio.to_thread(town.stop)
