"""The counter undoes what it sold itself a moment ago; what others sold, and what is long past, a manager returns."""

import uuid
from typing import Any

import pytest

from engine import returns
from engine.cli.sales import at_house
from engine.errors import Refused
from engine.house import Change
from engine.words import OrderId
from tests.town import Answer, Sale, Town


async def sells(sale: Sale, key: str) -> dict[str, Any]:
    """An order of the counter, as it is recorded."""
    held = await sale.hold(key, *sale.unused(1))
    body = {"holds": [held.json["hold"]], "payment": {"provider": "counter", "reference": f"cash-{uuid.uuid4()}"}}
    ordered = await sale.post("/orders", body, token=key)
    assert ordered.status == 202, ordered.json
    await sale.until_recorded(ordered.json)
    found: dict[str, Any] = ordered.json
    return found


async def undo(sale: Sale, order: dict[str, Any], bearer: str, **options: Any) -> Answer:
    body = {"reason": "the wrong row"}
    return await sale.post(f"/manage/orders/{order['order']}/refund", body, token=bearer, **options)


async def test_the_counter_undoes_its_own_sale_once(shared: Sale) -> None:
    async with shared as sale:
        key = await sale.key("counter")
        order = await sells(sale, key)
        first = await undo(sale, order, key, key="undo-once")
        again = await undo(sale, order, key, key="undo-once")
        assert (first.status, first.json["state"]) == (200, "refunded")
        assert again.json == first.json
        manager = await undo(sale, order, sale.manage_key, key="undo-once")
        assert (manager.status, manager.slug) == (409, "already-refunded"), "an Idempotency-Key is its caller's own"
        other = await undo(sale, order, key)
        assert (other.status, other.slug) == (409, "already-refunded")
        await sale.until_recorded(order, "refunded")
        due = (await sale.get("/manage/refunds", token=sale.manage_key)).json["refunds"]
        assert [each["provider"] for each in due if each["order"] == order["order"]] == ["counter"]


async def test_the_counter_undoes_nothing_of_anybody_else(shared: Sale) -> None:
    async with shared as sale:
        one, other = await sale.key("counter"), await sale.key("counter")
        order = await sells(sale, one)
        token = await sale.enter()
        held = await sale.hold(token, *sale.unused(1))
        online = (await sale.order(token, held.json["hold"])).json
        await sale.until_recorded(online)
        nothing = await undo(sale, {"order": str(uuid.uuid4())}, one)
        for whose, key in ((order, other), (online, one)):
            answer = await undo(sale, whose, key)
            assert (answer.status, answer.json) == (404, nothing.json)
        assert (await undo(sale, online, await sale.key("orders:read"))).slug == "scope-missing"
        for whose in (order, online):
            assert (await undo(sale, whose, sale.manage_key)).status == 200


async def test_after_a_while_only_a_manager_returns_what_the_counter_sold(
    town: Town, shared: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared as sale:
        key = await sale.key("counter")
        order = await sells(sale, key)
        owner = f"key:{key.split('_')[1]}"
        change = Change(who="counter", why="late")
        monkeypatch.setattr(returns, "UNDO_MS", 0)
        async with at_house(town.network_file, sale.slug) as (cell, ledger):
            with pytest.raises(Refused) as refused:
                await returns.give_back(cell, ledger, OrderId(order["order"]), change, "late", own_of=owner)
            assert refused.value.slug == "undo-over"
            found = await returns.give_back(cell, ledger, OrderId(order["order"]), change, "later")
        assert found.state == "refunded"
