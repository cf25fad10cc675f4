"""Idempotency-Key: a repeat gets the first answer, another payload is refused, and nobody is served twice at once."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.instants import now_ms
from engine.waiting_room import hash_secret
from tests.town import Answer, Sale, Town, small_plan

REPEATS = 12


class Try:
    """A request that changes something, and the same with another payload; each made for one key."""

    def __init__(self, sale: Sale) -> None:
        self.sale = sale
        self.facts: dict[str, Any] = {}

    async def prepare(self) -> "Try":
        sale, facts = self.sale, self.facts
        facts["number"] = uuid.uuid4().hex[:8]
        facts["places"] = [await sale.join(), await sale.join()]
        facts["token"] = await sale.enter()
        facts["seats"] = sale.unused(4)
        held = [await sale.hold(facts["token"], seat) for seat in sale.unused(2)]
        facts["holds"] = [each.json["hold"] for each in held]
        facts["payment"] = f"yes-{uuid.uuid4()}"
        for place in facts["places"]:
            await sale.pass_for(*place)
        return self

    async def join(self, which: int, key: str) -> Answer:
        body = {"secret_hash": hash_secret(f"{self.facts['number']}-{which}")}
        return await self.sale.post(f"/on-sales/{self.sale.on_sale}/places", body, key=key)

    async def admit(self, which: int, key: str) -> Answer:
        return await self.sale.claim(*self.facts["places"][which], key=key)

    async def hold(self, which: int, key: str) -> Answer:
        return await self.sale.hold(self.facts["token"], self.facts["seats"][which], key=key)

    async def extend(self, which: int, key: str) -> Answer:
        path = f"/holds/{self.facts['holds'][which]}/extend"
        body = {"payment": {"provider": "demo", "reference": f"late-{self.facts['number']}"}}
        return await self.sale.post(path, body, token=self.facts["token"], key=key)

    async def swap(self, which: int, key: str) -> Answer:
        items = [{"performance": self.sale.performance, "seats": [self.facts["seats"][2 + which]]}]
        path = f"/holds/{self.facts['holds'][which]}/swap"
        return await self.sale.post(path, {"items": items}, token=self.facts["token"], key=key)

    async def order(self, which: int, key: str) -> Answer:
        holds, payment = self.facts["holds"][: which + 1], self.facts["payment"]
        return await self.sale.order(self.facts["token"], *holds, payment=payment, key=key)

    async def back_end_order(self, which: int, key: str) -> Answer:
        holds, payment = self.facts["holds"][: which + 1], self.facts["payment"]
        return await self.sale.order(self.sale.counter_key, *holds, payment=payment, key=key)

    async def _manage(self, path: str, body: Any, key: str) -> Answer:
        return await self.sale.post(f"/manage{path}", body, token=self.sale.manage_key, key=key)

    async def hall(self, which: int, key: str) -> Answer:
        hall = f"hall-{self.facts['number']}-{which}"
        return await self._manage("/halls", {"hall": hall, "name": "Hall", "plan": small_plan(rows=2)}, key)

    async def performance(self, which: int, key: str) -> Answer:
        body = {
            "performance": f"show-{self.facts['number']}-{which}",
            "hall": self.sale.hall,
            "title": "Show",
            "starts_at": "2030-01-01T20:00:00+01:00",
            "prices": {"Rang 1": {"full": 1000}, "Rang 2": {"full": 1000}},
        }
        return await self._manage("/performances", body, key)

    async def key(self, which: int, key: str) -> Answer:
        body = {"name": f"Program {which}", "scopes": ["orders:read"], "reason": "a test"}
        return await self._manage("/keys", body, key)

    async def message(self, which: int, key: str) -> Answer:
        body = {"message": f"{self.facts['number']} {which}", "reason": "a test"}
        return await self._manage(f"/on-sales/{self.sale.on_sale}/message", body, key)


TRIED: "dict[str, Callable[[Try, int, str], Awaitable[Answer]]]" = {
    name: getattr(Try, name)
    for name in (
        *("join", "admit", "hold", "extend", "swap", "order", "back_end_order"),
        *("hall", "performance", "key", "message"),
    )
}


@pytest.mark.parametrize("name", TRIED)
async def test_a_repeat_gets_the_first_answer_and_another_payload_is_refused(
    town: Town, shared: Sale, name: str
) -> None:
    async with shared as sale:
        attempt, key = await Try(sale).prepare(), str(uuid.uuid4())
        first = await TRIED[name](attempt, 0, key)
        assert first.status in {200, 201, 202}, first.json
        repeat = await TRIED[name](attempt, 0, key)
        assert (repeat.status, steady(repeat.json)) == (first.status, steady(first.json))
        other = await TRIED[name](attempt, 1, key)
        assert (other.status, other.slug) == (422, "key-reused")
        afresh = await TRIED[name](attempt, 1, str(uuid.uuid4()))
        if name in {"order", "back_end_order"}:  # its first hold was sold meanwhile
            assert afresh.slug in {"hold-ended", "payment-used"}
        else:
            assert afresh.status in {200, 201, 202}, afresh.json


@pytest.mark.parametrize("name", TRIED)
async def test_repeats_at_the_same_time_have_one_effect_and_one_answer(town: Town, shared: Sale, name: str) -> None:
    async with shared as sale:
        # A key as the pages make them: one that does not say when it was made may find a place by the ledger alone, and
        # that does not know since when it is waited at.
        attempt, key = await Try(sale).prepare(), f"{now_ms()}-{uuid.uuid4()}"
        answers = await asyncio.gather(*(TRIED[name](attempt, 0, key) for _ in range(REPEATS)))
        assert {answer.status for answer in answers} <= {200, 201, 202}, [answer.json for answer in answers]
        assert len({str(steady(answer.json)) for answer in answers}) == 1


async def test_different_payloads_at_the_same_time_have_one_winner(town: Town, shared: Sale) -> None:
    async with shared as sale:
        attempt, key = await Try(sale).prepare(), str(uuid.uuid4())
        answers = await asyncio.gather(*(attempt.hold(number % 4, key) for number in range(REPEATS)))
        won = [answer for answer in answers if answer.status == 201]
        assert len({answer.json["hold"] for answer in won}) == 1
        assert len(won) == REPEATS // 4
        assert {answer.slug for answer in answers if answer.status != 201} == {"key-reused"}


async def test_a_refusal_changed_nothing_and_is_decided_again(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        first, second = await sale.enter(), await sale.enter()
        taken = (await sale.hold(first, "zaal-A-1")).json["hold"]
        key = str(uuid.uuid4())
        assert (await sale.hold(second, "zaal-A-1", key=key)).slug == "seats-taken"
        await sale.ask("DELETE", f"/holds/{taken}", token=first)
        assert (await sale.hold(second, "zaal-A-1", key=key)).status == 201


async def test_two_visitors_with_the_same_key_do_not_meet(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        answers = [await sale.hold(await sale.enter(), seat, key="1") for seat in ("zaal-A-1", "zaal-A-2")]
        assert [answer.status for answer in answers] == [201, 201]


def steady(answer: Any) -> Any:
    """An answer without what counts on by itself: an on-sale's counters as they stand."""
    if isinstance(answer, dict) and "live_passes" in answer:
        return {name: answer[name] for name in ("on_sale", "phase", "message", "rate_per_minute", "cap")}
    return answer
