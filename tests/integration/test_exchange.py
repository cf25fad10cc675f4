"""An order is exchanged in one step: both the new seats and the return of the old ones, or neither; once only."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import orders, recovery, seats
from engine.audit import audit
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.entries import Payment
from engine.errors import BadInput, Refused
from engine.exchange import Exchanged, Wanted, difference_of, exchange
from engine.house import Change
from engine.ledger.dead_letters import dead_letter, requeue
from engine.ledger.payments import state_of_payment
from engine.orders import new_order_id
from engine.returns import give_back
from engine.seats import Held
from engine.settlement import Settlement
from engine.witness import Witness
from engine.words import OrderId
from tests.backstage import Backstage
from tests.faults.dumps import dump
from tests.integration.test_dead_letters import refusing
from tests.integration.test_recovery import check_clean, go_back, keep_copy, recover
from tests.integration.test_replay import go_back as ledger_goes_back
from tests.integration.test_writer import POINTS, killed_writer
from tests.sale import Answer
from tests.town import Town

BY = Change(who="The manager (k1)", why="another evening suits her")


@pytest.fixture
async def stage(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    monkeypatch.setattr(recovery, "QUIET_MS", 0)
    await stage.open()
    return stage


async def sell(stage: Backstage, on_sale: OnSale, *wanted: str) -> OrderId:
    order = await stage.sell(on_sale, *wanted)
    await stage.drain()
    return order


async def exchange_(
    stage: Backstage,
    order: OrderId,
    held: Held,
    *items: int,
    key: str = "",
    paid: str = "",
    cell: Cell | None = None,
    difference: int | None = None,
) -> Exchanged:
    cell = cell or stage.cell
    if difference is None:
        difference = await difference_of(cell, stage.ledger, order, items, held.hold.total)
    payment = Payment(provider="demo", reference=paid) if paid else None
    wanted = Wanted(items=items, held=held.hold, difference=difference, payment=payment)
    return await exchange(cell, stage.ledger, order, wanted, BY, key or str(uuid.uuid4()))


async def states(stage: Backstage) -> dict[str, str]:
    return dict(await stage.rows("SELECT order_id::text, state FROM orders"))


async def refunds(stage: Backstage, order: OrderId) -> list[tuple[int, str]]:
    query = "SELECT amount, reference FROM refund_requests WHERE order_id = $1 ORDER BY id"
    return [tuple(row) for row in await stage.rows(query, uuid.UUID(order))]


async def paid_with(stage: Backstage, order: OrderId) -> str:
    return str(await stage.value("SELECT reference FROM orders WHERE order_id = $1", uuid.UUID(order)))


async def look_for_unclaimed(stage: Backstage) -> None:
    """Gives up on every payment that no order has named."""
    limits = msgspec.structs.replace(stage.house.limits, payment_claim_seconds=0)
    cell = Cell(msgspec.structs.replace(stage.house, limits=limits))
    await cell.look()
    await Settlement(cell, stage.ledger).look()
    await cell.close()


async def refused(slug: str, attempt: object) -> Refused:
    with pytest.raises(Refused) as refusal:
        await attempt  # type: ignore[misc]
    assert refusal.value.slug == slug
    return refusal.value


async def check_swapped(stage: Backstage, on_sale: OnSale, former: OrderId, made: OrderId, sold: set[str]) -> None:
    """Both, and the books balance."""
    await stage.drain()
    assert await stage.sold(on_sale) == sold
    assert await states(stage) == {former: "exchanged", made: "recorded"}


# -- what becomes of seats and money


async def test_for_seats_of_the_same_price_nothing_is_paid_and_nothing_goes_back(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "vloer")
    held = await stage.hold(on_sale, "zaal-B-1", "zaal-B-2")
    made = await exchange_(stage, order, held)
    assert (made.former, made.total, made.credit, made.difference) == (order, 4200, 4200, 0)
    found = await orders.find(stage.cell, order)
    assert found is not None
    assert found.state == "exchanged"  # before the writer has heard of it
    now = await stage.status(on_sale)
    assert (now.orders, now.takings) == (1, 4200)
    await check_swapped(stage, on_sale, order, made.order, {"zaal-B-1", "zaal-B-2"})
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 0}
    assert await refunds(stage, order) == []
    recorded = await stage.ledger.order(made.order)
    assert recorded is not None
    assert (recorded.instead_of, recorded.credit, recorded.email) == (order, 4200, "visitor@example.org")
    told = await stage.rows("SELECT who, why, detail->>'order' FROM actions WHERE what = 'exchange'")
    assert told == [(BY.who, BY.why, made.order)]
    await check_clean(stage)


async def test_the_difference_is_paid_before_and_the_rest_of_the_order_stays(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    held = await stage.hold(on_sale, "zaal-B-1", "zaal-B-2")
    told = await refused("difference-due", exchange_(stage, order, held, 1))
    assert (told.facts["difference"], told.facts["currency"]) == (2100, "EUR")
    await refused("difference-due", exchange_(stage, order, held, 1, difference=0))
    await refused("payment-declined", exchange_(stage, order, held, 1, paid="no-more"))
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}
    made = await exchange_(stage, order, held, 1, paid="yes-more")
    assert (made.total, made.credit, made.difference) == (4200, 2100, 2100)
    await stage.drain()
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-B-1", "zaal-B-2"}
    assert await states(stage) == {order: "recorded", made.order: "recorded"}
    assert await stage.value("SELECT count(*) FROM unclaimed_payments") == 0
    await refused("already-refunded", exchange_(stage, order, await stage.hold(on_sale, "zaal-C-1"), 1, difference=0))
    await check_clean(stage)
    # What is returned now goes back where it came from.
    paid = await paid_with(stage, order)
    await give_back(stage.cell, stage.ledger, made.order, BY, "all of it")
    await give_back(stage.cell, stage.ledger, order, BY, "the rest")
    await stage.drain()
    assert await refunds(stage, made.order) == [(2100, "yes-more"), (2100, paid)]
    assert await refunds(stage, order) == [(2100, paid)]
    assert await states(stage) == {order: "refunded", made.order: "refunded"}
    await check_clean(stage)


async def test_what_the_new_seats_cost_less_goes_back_by_the_first_payment(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2", "zaal-A-3")
    paid = await paid_with(stage, order)
    held = await stage.hold(on_sale, "zaal-B-1")
    with pytest.raises(BadInput, match="nothing to be paid"):
        await exchange_(stage, order, held, paid="yes-why")
    made = await exchange_(stage, order, held)
    assert (made.credit, made.difference) == (2100, -4200)
    await check_swapped(stage, on_sale, order, made.order, {"zaal-B-1"})
    assert await refunds(stage, order) == [(4200, paid)]
    await check_clean(stage)
    # And that of an order that was exchanged twice, too.
    again = await exchange_(stage, made.order, await stage.hold(on_sale, "zaal-C-1"))
    await stage.drain()
    await give_back(stage.cell, stage.ledger, again.order, BY, "back")
    await stage.drain()
    assert await refunds(stage, again.order) == [(2100, paid)]
    assert sorted((await states(stage)).values()) == ["exchanged", "exchanged", "refunded"]
    await check_clean(stage)


async def test_between_performances_of_two_on_sales(stage: Backstage) -> None:
    today, tomorrow = await stage.put_on(), await stage.put_on()
    order = await sell(stage, today, "zaal-A-1", "zaal-A-2")
    made = await exchange_(stage, order, await stage.hold(tomorrow, "zaal-A-1"), 0)
    await stage.drain()
    assert (await stage.sold(today), await stage.sold(tomorrow)) == ({"zaal-A-2"}, {"zaal-A-1"})
    counted = [(now.orders, now.takings) for now in (await stage.status(today), await stage.status(tomorrow))]
    assert counted == [(1, 2100), (1, 2100)]
    assert made.credit == 2100
    await check_clean(stage)


async def test_the_history_tells_of_both_under_one_number(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    await exchange_(stage, order, await stage.hold(on_sale, "zaal-A-2"))
    await stage.drain()
    rows = await stage.rows("SELECT verb, sequence FROM seat_history ORDER BY at_ms, sequence")
    assert [verb for verb, _ in rows][-2:] == ["confirm", "exchange"]
    assert rows[-1][1] == rows[-2][1]


# -- the original is kept


async def test_seats_that_somebody_else_has_leave_the_order_as_it_was(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    await stage.hold(on_sale, "zaal-B-1", who="key:other")
    await refused("seats-taken", stage.hold(on_sale, "zaal-B-1"))
    lapsed = await stage.hold(on_sale, "zaal-B-2")
    await seats.release(stage.cell, lapsed.hold)
    await refused("hold-ended", exchange_(stage, order, lapsed))
    stranger = await stage.hold(on_sale, "zaal-B-3")
    claimed = msgspec.structs.replace(stranger, hold=msgspec.structs.replace(stranger.hold, owner="key:thief"))
    await refused("hold-ended", exchange_(stage, order, claimed))
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    await stage.drain()
    assert await states(stage) == {order: "recorded"}
    await check_clean(stage)


async def test_a_difference_that_was_paid_in_vain_goes_back(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    held = await stage.hold(on_sale, "zaal-B-1", "zaal-B-2")
    await seats.release(stage.cell, held.hold)
    await refused("hold-ended", exchange_(stage, order, held, paid="yes-in-vain"))
    await look_for_unclaimed(stage)
    due = await stage.rows("SELECT reference FROM unclaimed_payments WHERE refund_requested_at IS NOT NULL")
    assert due == [("yes-in-vain",)]
    await refused(
        "payment-used", exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1", "zaal-B-2"), paid="yes-in-vain")
    )
    assert await stage.sold(on_sale) == {"zaal-A-1"}


async def test_what_was_paid_for_an_exchange_that_is_refused_goes_back(stage: Backstage) -> None:
    """The difference has changed since it was offered, or the order was returned while it was paid."""
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    held = await stage.hold(on_sale, "zaal-B-1", "zaal-B-2", "zaal-B-3")
    await refused("difference-due", exchange_(stage, order, held, paid="yes-before", difference=4200))
    await give_back(stage.cell, stage.ledger, order, BY, "back")
    await stage.drain()
    await refused("already-refunded", exchange_(stage, order, held, 0, paid="yes-meanwhile", difference=4200))
    await refused("unknown-order", exchange_(stage, new_order_id(), held, paid="yes-lost", difference=6300))
    noted = await stage.rows("SELECT reference FROM unclaimed_payments ORDER BY reference")
    assert noted == [("yes-before",), ("yes-lost",), ("yes-meanwhile",)]


@pytest.mark.parametrize("is_conflicted", [False, True])
async def test_a_payment_that_redis_has_forgotten_pays_for_no_exchange_again(
    stage: Backstage, is_conflicted: bool
) -> None:
    """It has bought an order, or its money goes back already."""
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    other = await sell(stage, on_sale, "zaal-A-2")
    paid = await paid_with(stage, other)
    if is_conflicted:
        await stage.do("UPDATE order_items SET live = false WHERE seat = 'zaal-A-2'")
        await stage.do(f"UPDATE orders SET state = 'conflicted' WHERE order_id = '{other}'")
    stage.redis.delete(stage.keys.payment("demo", paid))  # a day later
    held = await stage.hold(on_sale, "zaal-B-1", "zaal-B-2")
    await refused("payment-used", exchange_(stage, order, held, paid=paid))
    await stage.drain()
    assert (await states(stage))[order] == "recorded"
    assert await stage.alarms() == []


async def test_a_hundred_at_once_exchange_an_item_once(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    held = [await stage.hold(on_sale, f"zaal-{row}-{seat}") for row in "BCDE" for seat in range(1, 9)]
    racers = [exchange_(stage, order, each, 0, difference=0) for each in held]
    back = [give_back(stage.cell, stage.ledger, order, BY, f"back {number}", items=(0,)) for number in range(8)]
    answers = await asyncio.gather(*racers, *back, return_exceptions=True)
    done = [each for each in answers if not isinstance(each, BaseException)]
    assert len(done) == 1
    assert {each.slug for each in answers if isinstance(each, Refused)} == {"already-refunded"}
    await stage.drain()
    assert "zaal-A-2" in await stage.sold(on_sale)
    assert len(await stage.sold(on_sale)) == 1 + isinstance(done[0], Exchanged)
    await check_clean(stage)


async def test_a_hold_is_exchanged_for_by_one_of_two_orders(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    both = [await sell(stage, on_sale, seat) for seat in ("zaal-A-1", "zaal-A-2")]
    held = await stage.hold(on_sale, "zaal-B-1")
    answers = await asyncio.gather(
        *(exchange_(stage, each, held, difference=0) for each in both), return_exceptions=True
    )
    assert sum(isinstance(each, Exchanged) for each in answers) == 1
    assert {each.slug for each in answers if isinstance(each, Refused)} == {"hold-ended"}
    await stage.drain()
    assert len(await stage.sold(on_sale)) == 2
    await check_clean(stage)


# -- repeats, deaths and losses


@pytest.mark.parametrize("is_lost", [False, True])
async def test_a_repeat_gets_the_first_answer(stage: Backstage, is_lost: bool) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    held = await stage.hold(on_sale, "zaal-B-1", "zaal-B-2")
    first = await exchange_(stage, order, held, 0, key="once", paid="yes-once")

    async def again() -> Exchanged:
        return await exchange_(stage, order, held, 0, key="once", paid="yes-once", difference=2100)

    assert await again() == first
    await refused("key-reused", exchange_(stage, order, held, 0, 1, key="once", difference=0))
    await stage.drain()
    if is_lost:
        go_back(stage, None)
        await recover(stage)
    assert await again() == first
    await stage.drain()
    assert await stage.sold(on_sale) == {"zaal-A-2", "zaal-B-1", "zaal-B-2"}
    assert await stage.value("SELECT count(*) FROM unclaimed_payments") == 0
    await check_clean(stage, *(["redis-lost"] if is_lost else []))


async def test_a_repeat_gets_the_first_answer_however_the_number_is_written(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    held = await stage.hold(on_sale, "zaal-B-1")
    first = await exchange_(stage, OrderId(order.upper()), held, key="once")
    await stage.drain()
    assert await exchange_(stage, OrderId(order.upper()), held, key="once", difference=0) == first
    assert first.former == order


async def test_a_repeat_that_overtakes_the_writer_gives_no_money_back(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had read that nobody names the payment, and noted that when the order was recorded."""
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    held = await stage.hold(on_sale, "zaal-B-1", "zaal-B-2")
    first = await exchange_(stage, order, held, key="once", paid="yes-once")

    async def read_before(*payment: Any) -> str | None:
        state = await state_of_payment(*payment)
        await stage.drain()
        return state

    monkeypatch.setattr("engine.exchange.state_of_payment", read_before)
    assert await exchange_(stage, order, held, key="once", paid="yes-once", difference=2100) == first
    assert await stage.value("SELECT count(*) FROM unclaimed_payments") == 1
    stage.redis.delete(stage.keys.payment("demo", "yes-once"))  # a day later
    await look_for_unclaimed(stage)
    assert await stage.value("SELECT count(*) FROM unclaimed_payments WHERE refund_requested_at IS NOT NULL") == 0
    await check_clean(stage)


async def test_an_exchange_that_was_lost_with_redis_is_as_if_it_had_not_been(stage: Backstage) -> None:
    """Nobody has the new seats, the old ones are still theirs, and a person is told."""
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    made = await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
    go_back(stage, None)
    await recover(stage)
    await Witness(stage.cell, stage.ledger).look()
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    await stage.drain()
    assert await states(stage) == {order: "recorded"}
    assert ("order-lost", {"order": made.order, "became": "lost"}) in await stage.alarms()
    again = await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
    await check_swapped(stage, on_sale, order, again.order, {"zaal-B-1"})
    await check_clean(stage, "redis-lost", "order-lost")


async def test_a_redis_from_before_the_exchange_learns_of_both(stage: Backstage, tmp_path: Path) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "vloer")
    copy = keep_copy(stage, tmp_path)
    made = await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
    await stage.drain()
    go_back(stage, copy)
    await recover(stage)
    await check_swapped(stage, on_sale, order, made.order, {"zaal-B-1"})
    assert (await stage.seats(on_sale)).sold_places == {"vloer": 0}
    await refused("already-refunded", exchange_(stage, order, await stage.hold(on_sale, "zaal-C-1"), difference=0))
    await check_clean(stage, "redis-lost")


async def test_redis_killed_before_the_writer_has_read_it_loses_neither(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    made = await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
    stage.redis_server.kill()
    stage.redis_server.start()
    await recover(stage)
    await check_swapped(stage, on_sale, order, made.order, {"zaal-B-1"})
    await check_clean(stage)


@pytest.mark.parametrize("point", POINTS)
async def test_a_writer_that_dies_over_it_leaves_both_or_neither(stage: Backstage, point: str) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2", "zaal-A-3")
    made = await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
    await killed_writer(stage, point, times=1, batch=1)
    found = await states(stage)
    assert found in ({order: "recorded"}, {order: "exchanged", made.order: "recorded"})
    assert len(await refunds(stage, order)) == len(found) - 1
    await check_swapped(stage, on_sale, order, made.order, {"zaal-B-1"})
    assert len(await refunds(stage, order)) == 1
    await check_clean(stage)


@pytest.mark.parametrize("is_recorded", [False, True])
async def test_a_ledger_from_before_the_exchange_gets_both_back(
    stage: Backstage, tmp_path: Path, is_recorded: bool
) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    await asyncio.to_thread(dump, stage.house.postgres_dsn, tmp_path / "backup")
    made = await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
    other = await stage.sell(on_sale, "zaal-A-1")
    if is_recorded:
        await stage.drain()
        again = await exchange_(stage, made.order, await stage.hold(on_sale, "zaal-B-2"))
        await stage.drain()
    await ledger_goes_back(stage, tmp_path / "backup")
    assert await states(stage) == {order: "recorded"}  # the fault bit
    await stage.drain(batch=1)
    wanted = {order: "exchanged", made.order: "recorded", other: "recorded"}
    if is_recorded:
        wanted |= {made.order: "exchanged", again.order: "recorded"}
    assert await states(stage) == wanted
    assert [amount for amount, _ in await refunds(stage, order)] == [2100]
    assert await stage.rows("SELECT * FROM dead_letters") == []
    assert (await audit(stage.cell, stage.ledger)).faults == ()


async def test_an_exchange_of_an_order_that_the_ledger_does_not_know_is_kept_whole_for_a_person(
    stage: Backstage,
) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
    await stage.do("DELETE FROM order_items")
    await stage.do("DELETE FROM orders")
    await stage.drain()
    assert await states(stage) == {}
    ((why,),) = await stage.rows("SELECT why FROM dead_letters")
    assert order in why


async def test_an_exchange_that_was_buried_is_recorded_whole_after_all(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1")
    async with refusing(stage):
        made = await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
        await stage.drain()
    assert await states(stage) == {order: "recorded"}  # neither
    ((entry,),) = await stage.rows("SELECT entry FROM dead_letters")
    letter = await dead_letter(stage.ledger, entry)
    assert letter is not None
    named = letter.order()
    assert named is not None
    assert named.order == made.order
    assert await requeue(stage.ledger, entry, stage.opener, who="a person", why="it is mended")
    await check_swapped(stage, on_sale, order, made.order, {"zaal-B-1"})
    await check_clean(stage, "dead-letter")


async def test_the_audit_says_where_the_money_of_an_exchange_is_missing(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await sell(stage, on_sale, "zaal-A-1", "zaal-A-2")
    await exchange_(stage, order, await stage.hold(on_sale, "zaal-B-1"))
    await stage.drain()
    assert (await audit(stage.cell, stage.ledger)).faults == ()
    await stage.do("DELETE FROM refund_requests")
    (fault,) = (await audit(stage.cell, stage.ledger)).faults
    assert fault == f"order {order}: 4200 left it, of which 2100 went back or paid for another order"


# -- over HTTP


async def test_a_manager_exchanges_some_of_an_order_over_http(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        token = await sale.enter()
        held = await sale.hold(token, "zaal-A-1", "zaal-A-2")
        ordered = (await sale.order(token, held.json["hold"])).json
        await sale.until_recorded(ordered)
        path = f"/manage/orders/{ordered['order']}"
        wish = {"performance": sale.performance, "seats": ["zaal-B-1", "zaal-B-2"]}

        async def offer(*items: int, **more: Any) -> Answer:
            return await sale.post(f"{path}/offers", {"wishes": [wish], "items": items} | more, token=sale.manage_key)

        async def take(offered: Answer, *items: int, key: str = "", **changed: Any) -> Answer:
            body = {"hold": offered.json["hold"], "items": items, "difference": offered.json["difference"]}
            body |= {"reason": "another row"} | changed
            return await sale.post(f"{path}/exchange", body, token=sale.manage_key, key=key)

        assert (await offer(7)).slug == "bad-input"
        assert (await sale.post(f"{path}/offers", {"wishes": []}, token=sale.manage_key)).slug == "bad-input"
        # The counter exchanges what it has sold itself.
        other = await sale.post(f"{path}/offers", {"wishes": [wish]}, token=sale.counter_key)
        assert other.slug == "unknown-order"
        first = await offer(0)
        assert (first.status, first.json["difference"]) == (201, 2100)
        assert (await offer(0)).slug == "seats-taken"
        again = await offer(0, instead=first.json["hold"])
        assert (again.status, again.json["difference"]) == (201, 2100)
        assert (await take(again, 0)).slug == "difference-due"
        assert (await take(again, 0, difference=0)).slug == "difference-due"
        cash = {"provider": "counter", "reference": f"cash-{uuid.uuid4()}"}
        assert (await take(first, 0, payment=cash)).slug == "hold-ended"
        made = await take(again, 0, payment=cash, key="once")
        assert (made.status, made.json["instead_of"], made.json["credit"]) == (200, ordered["order"], 2100)
        assert (await take(again, 0, payment=cash, key="once")).json == made.json
        assert (await take(again, 0, payment=cash)).slug == "already-refunded"
        await sale.until_recorded(made.json)
        seen = await sale.get(f"/orders/{made.json['order']}", token=made.json["order_secret"])
        assert (seen.json["state"], [item["seat"] for item in seen.json["items"]]) == ("recorded", wish["seats"])
        rest = await sale.get(f"/orders/{ordered['order']}", token=ordered["order_secret"])
        assert [item["seat"] for item in rest.json["items"]] == ["zaal-A-2"]
        wish["seats"] = ["zaal-C-1"]
        last = await offer()
        assert (last.json["difference"], (await take(last)).status) == (0, 200)
        await sale.until_recorded(ordered, "exchanged")
        assert (await sale.get(f"/orders/{ordered['order']}", token=ordered["order_secret"])).json[
            "state"
        ] == "exchanged"
        await sale.until_seats("s", "zaal-B-1", "zaal-B-2", "zaal-C-1")
        listed = await sale.get(f"/manage/orders/{made.json['order']}", token=sale.manage_key)
        assert (listed.json["instead_of"], listed.json["credit"]) == (ordered["order"], 2100)
        rows = (await sale.get("/manage/orders.csv", token=sale.manage_key)).body.decode().splitlines()
        assert sum(row.endswith(f"{ordered['order']},2100") for row in rows) == 3


async def test_the_counter_exchanges_what_it_has_just_sold(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        held = (await sale.hold(sale.counter_key, "zaal-A-1")).json["hold"]
        cash = {"provider": "counter", "reference": f"cash-{uuid.uuid4()}"}
        ordered = (await sale.post("/orders", {"holds": [held], "payment": cash}, token=sale.counter_key)).json
        await sale.until_recorded(ordered)
        path, wish = f"/manage/orders/{ordered['order']}", {"performance": sale.performance, "seats": ["zaal-A-5"]}
        offered = (await sale.post(f"{path}/offers", {"wishes": [wish]}, token=sale.counter_key)).json
        body = {"hold": offered["hold"], "difference": 0, "reason": "the wrong seat"}
        assert (await sale.post(f"{path}/exchange", body, token=sale.manage_key)).slug == "unknown-hold"
        made = await sale.post(f"{path}/exchange", body, token=sale.counter_key)
        assert (made.status, made.json["difference"]) == (200, 0)
        await sale.until_seats("s", "zaal-A-5")
