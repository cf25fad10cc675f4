"""Payments by the demo provider, whose references say how they end: yes, no, late; events are signed."""

import uuid
from typing import Any

import msgspec
import pytest
import redis

from engine.address import address_of
from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.keys import Keys
from engine.signing import Hold, Signer
from engine.words import HouseSlug
from tests.town import Answer, Sale, Town


async def tell(sale: Sale, reference: str, *, is_paid: bool = True, house: str = "", signature: str = "") -> Answer:
    """The provider's event, signed with the house's key for it (or another house's, or anything)."""
    body = msgspec.json.encode({"reference": reference, "is_paid": is_paid})
    slug = HouseSlug(house or sale.slug)
    signed = Signer(slug, sale.town.network.house(slug).secrets_path).event_signature("demo", body)
    headers = {"Parvis-Demo-Signature": signature or signed}
    return await sale.ask("POST", "/payments/demo/events", raw=body, key=None, headers=headers)


async def state_of(sale: Sale, order: "dict[str, str]") -> str:
    read = await sale.get(f"/orders/{order['order']}", token=order["order_secret"])
    return str(read.json["state"])


async def recorded(sale: Sale, order: str, table: str = "orders") -> int:
    """How many rows of an order the ledger has, once everything is written."""
    async with at_house(sale.town.network_file, sale.slug) as (_, ledger), ledger.connection() as postgres:
        count: int = await postgres.fetchval(f"SELECT count(*) FROM {table} WHERE order_id::text = $1", order)
    return count


async def unclaimed(sale: Sale, reference: str) -> "list[bool]":
    """Whether a refund was requested, for a payment that no order has named; nothing for one that is named."""
    async with at_house(sale.town.network_file, sale.slug) as (_, ledger), ledger.connection() as postgres:
        rows = await postgres.fetch("SELECT * FROM unclaimed_payments WHERE reference = $1", reference)
    return [row["refund_requested_at"] is not None for row in rows]


def forget(sale: Sale, token: str) -> None:
    """Has Redis forget which request made a hold, as it does in time."""
    house = sale.town.network.house(sale.slug)
    held = Signer(HouseSlug(sale.slug), house.secrets_path).read(Hold, token)
    address = address_of(house.redis_owner_url)
    with redis.Redis(unix_socket_path=address.path, username=address.user or None, password=address.password) as owner:
        assert owner.delete(Keys(HouseSlug(sale.slug)).operation(held.hold)) == 1


async def awaiting(sale: Sale, seat: str) -> "tuple[str, dict[str, Any], str, str]":
    """An order whose payment is late: its reference, the order, the hold and the pass."""
    token = await sale.enter()
    held = (await sale.hold(token, seat)).json["hold"]
    reference = f"late-{uuid.uuid4()}"
    answer = await sale.order(token, held, payment=reference)
    assert (answer.status, answer.json["state"]) == (202, "awaiting_payment")
    return reference, answer.json, held, token


async def test_a_late_payment_confirms_its_order_however_often_it_is_told(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        reference, order, _, _ = await awaiting(sale, "zaal-A-1")
        assert await state_of(sale, order) == "awaiting_payment"
        await sale.until_seats("h", "zaal-A-1")
        told = await tell(sale, reference)
        assert (told.status, told.json) == (200, {"state": "confirmed"})
        for _ in range(2):
            assert (await tell(sale, reference)).json["state"] in {"confirmed", "recorded"}
        await sale.until_seats("s", "zaal-A-1")
        await sale.until_recorded(order)
        assert await recorded(sale, order["order"]) == 1
        assert await recorded(sale, order["order"], "refund_requests") == 0


async def test_a_payment_that_fails_late_leaves_the_order_waiting_and_may_still_come(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        reference, order, _, _ = await awaiting(sale, "zaal-A-1")
        assert (await tell(sale, reference, is_paid=False)).json == {"state": "awaiting_payment"}
        assert (await tell(sale, reference)).json == {"state": "confirmed"}
        assert (await tell(sale, reference, is_paid=False)).json["state"] in {"confirmed", "recorded"}
        await sale.until_recorded(order)


async def test_a_payment_for_seats_that_were_resold_becomes_one_refund_request(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        reference, order, held, token = await awaiting(sale, "zaal-A-1")
        assert (await sale.ask("DELETE", f"/holds/{held}", token=token)).status == 204
        buyer = await sale.enter()
        resold = await sale.hold(buyer, "zaal-A-1")
        assert (await sale.order(buyer, resold.json["hold"])).status == 202
        for _ in range(2):
            assert (await tell(sale, reference)).json == {"state": "conflicted"}
        await sale.until_recorded(order, "conflicted")
        assert await recorded(sale, order["order"], "refund_requests") == 1
        await sale.until_seats("s", "zaal-A-1")


async def test_a_payment_that_comes_after_the_hold_has_ended_still_gets_the_seats_if_they_are_open(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        reference, order, held, token = await awaiting(sale, "zaal-A-1")
        assert (await sale.ask("DELETE", f"/holds/{held}", token=token)).status == 204
        await sale.until_seats("o", "zaal-A-1")
        assert (await tell(sale, reference)).json == {"state": "confirmed"}
        await sale.until_seats("s", "zaal-A-1")
        await sale.until_recorded(order)
        assert await recorded(sale, order["order"], "refund_requests") == 0


async def test_a_visitor_whose_hold_has_ended_and_who_has_paid_gets_the_seats_or_the_money(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        one, two, other = await sale.enter(), await sale.enter(), await sale.enter()
        first = (await sale.hold(one, "zaal-A-1")).json["hold"]
        second = (await sale.hold(two, "zaal-A-2")).json["hold"]
        for token, held in ((one, first), (two, second)):
            assert (await sale.ask("DELETE", f"/holds/{held}", token=token)).status == 204
        assert (await sale.hold(other, "zaal-A-2")).status == 201
        bought = await sale.order(one, first)
        assert (bought.status, bought.json["state"]) == (202, "confirmed")
        lost = await sale.order(two, second)
        assert (lost.status, lost.slug, lost.json["refund"]) == (410, "hold-ended", "requested")
        await sale.until_recorded(lost.json, "conflicted")
        assert await recorded(sale, lost.json["order"], "refund_requests") == 1


def aged(sale: Sale, token: str, hours: int) -> str:
    """A hold's token as it would be had it been given so long ago."""
    signer = Signer(HouseSlug(sale.slug), sale.town.network.house(sale.slug).secrets_path)
    held = signer.read(Hold, token)
    assert held.latest_ms > now_ms()
    return signer.sign(msgspec.structs.replace(held, latest_ms=held.latest_ms - hours * 3_600_000))


async def test_what_a_hold_would_have_cost_is_no_price_for_ever(town: Town) -> None:
    """Long after it ended nobody buys by it what has become dearer, nor past the queue: the money goes back."""
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        assert (await sale.ask("DELETE", f"/holds/{held}", token=token)).status == 204
        old = aged(sale, held, hours=2)
        reference, key = f"yes-{uuid.uuid4()}", str(uuid.uuid4())
        for _ in range(2):
            refused = await sale.order(token, old, payment=reference, key=key)
            assert (refused.status, refused.slug, refused.json["refund"]) == (410, "hold-ended", "requested")
        await sale.until_recorded(refused.json, "conflicted")
        assert await recorded(sale, refused.json["order"], "refund_requests") == 1
        for payment in ("late", "silent"):
            late = await sale.order(token, old, payment=f"{payment}-{uuid.uuid4()}")
            assert (late.status, late.slug) == (410, "hold-ended")
        assert await sale.seat("zaal-A-1") == "o"


async def test_a_hold_of_another_day_is_not_paid_by_the_token_of_one_that_had_its_name(town: Town) -> None:
    """A hold is named by its Idempotency-Key: for a day longer than it may live nobody else's holds have that name."""
    async with await town.open_sale("noord", prices={"Rang 1": 9000}) as sale:
        token, key = await sale.enter(), str(uuid.uuid4())
        cheap = (await sale.hold(token, "zaal-C-1", key=key)).json["hold"]
        assert (await sale.ask("DELETE", f"/holds/{cheap}", token=token)).status == 204
        forget(sale, cheap)
        assert (await sale.hold(token, "zaal-A-1", key=key)).status == 201
        refused = await sale.order(token, aged(sale, cheap, hours=25))
        assert (refused.status, refused.slug) == (410, "hold-ended")
        await sale.until_seats("h", "zaal-A-1")


async def test_whoever_asks_again_long_after_is_told_of_their_order(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token, key, reference = await sale.enter(), str(uuid.uuid4()), f"yes-{uuid.uuid4()}"
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        first = await sale.order(token, held, payment=reference, key=key)
        again = await sale.order(token, aged(sale, held, hours=20), payment=reference, key=key)
        assert (again.status, again.json["order"]) == (202, first.json["order"])


async def test_a_payment_that_is_told_before_its_order_comes_buys_it(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        reference = f"late-{uuid.uuid4()}"
        assert (await tell(sale, reference)).json == {"state": "unclaimed"}
        answer = await sale.order(token, held, payment=reference)
        assert answer.json["state"] == "awaiting_payment"
        await sale.until_recorded(answer.json)
        assert await unclaimed(sale, reference) == []


async def test_a_provider_that_does_not_answer_is_waited_for_with_the_seats_kept(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        reference = f"silent-{uuid.uuid4()}"
        answer = await sale.order(token, held, payment=reference)
        assert (answer.status, answer.json["state"]) == (202, "awaiting_payment")
        await sale.until_seats("h", "zaal-A-1")
        assert (await tell(sale, reference)).json == {"state": "confirmed"}


async def test_a_declined_payment_leaves_the_seats_reserved_for_another_try(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        declined = await sale.order(token, held, payment="no-money", key="try")
        assert (declined.status, declined.slug) == (402, "payment-declined")
        await sale.until_seats("h", "zaal-A-1")
        assert (await sale.order(token, held)).json["state"] == "confirmed"


async def test_a_payment_buys_one_order(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        one, two = await sale.enter(), await sale.enter()
        first = (await sale.hold(one, "zaal-A-1")).json["hold"]
        second = (await sale.hold(two, "zaal-A-2")).json["hold"]
        reference = f"yes-{uuid.uuid4()}"
        assert (await sale.order(one, first, payment=reference)).status == 202
        refused = await sale.order(two, second, payment=reference)
        assert (refused.status, refused.slug) == (422, "payment-used")
        await sale.until_seats("h", "zaal-A-2")


@pytest.mark.parametrize(
    ("how", "status", "slug"),
    [
        ({"is_paid": False}, 404, "unknown-payment"),
        ({"house": "zuid"}, 401, "forged-event"),
        ({"signature": "0" * 64}, 401, "forged-event"),
        ({"signature": "é"}, 401, "forged-event"),
    ],
)
async def test_an_event_of_no_money_for_nobody_or_that_is_not_the_providers_is_refused(
    town: Town, shared: Sale, how: "dict[str, Any]", status: int, slug: str
) -> None:
    async with shared as sale:
        answer = await tell(sale, f"late-{uuid.uuid4()}", **how)
        assert (answer.status, answer.slug) == (status, slug)


async def test_the_houses_back_end_confirms_a_visitors_hold_with_its_own_key(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        keys = {scope: await sale.key(scope) for scope in ("orders:write", "orders:read")}
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json["hold"]
        refused = await sale.order(keys["orders:read"], held)
        assert (refused.status, refused.slug) == (403, "scope-missing")
        answer = await sale.order(keys["orders:write"], held, headers={"Prefer": "wait=5"})
        assert (answer.status, answer.json["state"]) == (202, "recorded")
        listed = await sale.get("/manage/orders?limit=1000", token=keys["orders:read"])
        mine = [each for each in listed.json["orders"] if each["order"] == answer.json["order"]]
        assert [each["channel"] for each in mine] == ["api"]


async def test_the_counter_sells_without_a_pass_for_cash_or_by_card(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        held = (await sale.hold(sale.counter_key, "zaal-A-1")).json["hold"]
        body = {"holds": [held], "payment": {"provider": "counter", "reference": f"cash-{uuid.uuid4()}"}}
        assert (await sale.post("/orders", body, token=await sale.key("orders:write"))).status == 422
        answer = await sale.post("/orders", body, token=sale.counter_key)
        assert (answer.status, answer.json["state"]) == (202, "confirmed")
        token = await sale.enter()
        visitors = (await sale.hold(token, "zaal-A-2")).json["hold"]
        refused = await sale.post("/orders", body | {"holds": [visitors]}, token=token)
        assert (refused.status, refused.slug) == (422, "bad-input")
