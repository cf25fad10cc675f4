"""Money that comes when Redis knows nothing of its order any more, or before there is one: an order or one refund."""

import uuid

import pytest

from engine import orders, settlement
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.entries import Customer, Payment
from engine.errors import Refused
from engine.ledger.payments import note_unclaimed
from engine.orders import Buyer
from engine.payments import PaymentEvent
from engine.seats import sweep
from engine.settlement import Settlement, forgo, settle
from engine.words import OrderId
from tests.backstage import Backstage

DAY_MS = 86_400_000


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


async def order_awaiting(stage: Backstage, on_sale: OnSale, *seats: str) -> tuple[OrderId, str]:
    """An order whose payment is late, and the payment's reference."""
    held = await stage.hold(on_sale, *seats)
    reference = f"late-{uuid.uuid4()}"
    buyer = Buyer(caller="key:staff", owner="", channel="web")
    paid = Payment(provider="demo", reference=reference)
    customer = Customer(email="visitor@example.org", name="A Visitor")
    order, state = await orders.confirm(stage.cell, buyer, [held.hold], customer, paid, reference)
    assert state == "awaiting_payment"
    return order, reference


async def tell(stage: Backstage, reference: str, *, is_paid: bool = True) -> str:
    event = PaymentEvent(reference=reference, is_paid=is_paid)
    return await settle(stage.cell, stage.ledger, "demo", event)


def forget(stage: Backstage) -> None:
    """What Redis knows of orders, payments and operations for a day only is gone."""
    for name in ("order", "payment", "op"):
        for key in stage.redis.scan_iter(f"{{{stage.slug}}}:{name}:*"):
            stage.redis.delete(key)


async def end_holds(stage: Backstage, on_sale: OnSale) -> None:
    """Every hold of the first performance has ended, and is swept."""
    due = stage.keys.performance(on_sale.performances[0])[2]
    for hold in stage.redis.zrange(due, 0, -1):
        stage.redis.execute_command("ZADD", due, 1, hold)
    await sweep(stage.cell, on_sale.performances[0], 100)


async def states(stage: Backstage) -> list[tuple[str, str]]:
    await stage.drain()
    return [(str(order), state) for order, state in await stage.rows("SELECT order_id, state FROM orders")]


async def refunds(stage: Backstage) -> int:
    return int(await stage.value("SELECT count(*) FROM refund_requests"))


async def test_money_that_comes_days_later_buys_the_seats_with_the_customers_data(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order, reference = await order_awaiting(stage, on_sale, "zaal-A-1", "vloer")
    await stage.drain()
    await end_holds(stage, on_sale)
    forget(stage)
    assert await tell(stage, reference, is_paid=False) == "awaiting_payment"
    assert [await tell(stage, reference) for _ in range(2)] == ["confirmed", "confirmed"]
    assert await states(stage) == [(order, "recorded")]
    assert await stage.value("SELECT email FROM orders") == "visitor@example.org"
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    assert await stage.rows("SELECT order_id FROM awaited_orders") == []
    forget(stage)
    assert [await tell(stage, reference, is_paid=is_paid) for is_paid in (True, False)] == ["recorded"] * 2
    assert (await states(stage), await refunds(stage)) == ([(order, "recorded")], 0)


async def test_money_that_comes_after_its_seats_went_is_asked_back_once(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order, reference = await order_awaiting(stage, on_sale, "zaal-A-1")
    await stage.drain()
    forget(stage)
    await end_holds(stage, on_sale)
    other = await stage.sell(on_sale, "zaal-A-1")
    for _ in range(3):
        assert await tell(stage, reference) == "conflicted"
        forget(stage)
        await stage.drain()
    assert dict(await states(stage)) == {order: "conflicted", other: "recorded"}
    assert await refunds(stage) == 1


async def test_an_order_that_waited_outlives_the_loss_of_redis(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order, reference = await order_awaiting(stage, on_sale, "zaal-A-1", "zaal-A-2")
    await stage.drain()
    for key in stage.redis.scan_iter(f"{{{stage.slug}}}:*"):
        stage.redis.delete(key)
    await stage.keeper.recover()
    await stage.cell.look()
    assert await tell(stage, reference) == "confirmed"
    assert await states(stage) == [(order, "recorded")]
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}


async def test_money_that_no_order_names_goes_back_once_its_time_is_up(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    reference = f"yes-{uuid.uuid4()}"
    assert [await tell(stage, reference) for _ in range(2)] == ["unclaimed", "unclaimed"]
    await Settlement(stage.keeper.cell, stage.ledger).look()
    assert await stage.alarms() == []
    await stage.do("UPDATE unclaimed_payments SET told_at = now() - interval '2 hours'")
    await stage.keeper.cell.look()
    for _ in range(2):
        await Settlement(stage.keeper.cell, stage.ledger).look()
    ((kind, detail),) = await stage.alarms()
    assert (kind, detail["reference"]) == ("unclaimed-payment", reference)
    assert await tell(stage, reference) == "unclaimed"
    held = await stage.hold(on_sale, "zaal-A-1")
    with pytest.raises(Refused, match="another order"):
        await stage.confirm(held, payment=reference)


async def test_money_that_an_order_names_meanwhile_is_not_given_up(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    reference = f"yes-{uuid.uuid4()}"
    await tell(stage, reference)
    await stage.sell(on_sale, "zaal-A-1", payment=reference)
    await stage.do("UPDATE unclaimed_payments SET told_at = now() - interval '2 hours'")
    assert not await forgo(stage.cell, stage.ledger, "demo", reference)
    await Settlement(stage.keeper.cell, stage.ledger).look()
    await stage.drain()
    assert await stage.rows("SELECT * FROM unclaimed_payments") == []
    assert await stage.alarms() == []


async def test_money_that_was_told_of_before_its_order_began_to_wait_is_found(stage: Backstage) -> None:
    """Told, then named by an order for which the provider still said that it is under way: nobody tells again."""
    on_sale = await stage.put_on()
    order, reference = await order_awaiting(stage, on_sale, "zaal-A-1")
    await note_unclaimed(stage.ledger, "demo", reference)
    await stage.drain()
    await stage.keeper.cell.look()
    await Settlement(stage.keeper.cell, stage.ledger).look()
    assert await states(stage) == [(order, "recorded")]
    assert await stage.rows("SELECT * FROM unclaimed_payments") == []


async def test_an_order_that_comes_for_money_on_its_way_back_is_an_alarm(stage: Backstage) -> None:
    """Only where Redis lost what it knew of the payment in between; a person has to look."""
    on_sale = await stage.put_on()
    reference = f"yes-{uuid.uuid4()}"
    await tell(stage, reference)
    assert await forgo(stage.cell, stage.ledger, "demo", reference)
    forget(stage)
    await stage.sell(on_sale, "zaal-A-1", payment=reference)
    await stage.drain()
    assert [kind for kind, _ in await stage.alarms()] == ["unclaimed-payment", "payment-given-back"]


async def test_a_payment_that_buys_another_order_meanwhile_keeps_no_other_from_being_settled(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waited for it began anew and was served between two looks: that is decided in Redis, and ends nothing."""
    on_sale = await stage.put_on()
    waiting = [await order_awaiting(stage, on_sale, seat) for seat in ("zaal-A-1", "zaal-B-1")]
    await stage.drain()
    for _, reference in waiting:
        await note_unclaimed(stage.ledger, "demo", reference)
    forget(stage)
    await end_holds(stage, on_sale)
    sold_first = Payment("demo", waiting[0][1])
    find = orders.find_paid

    async def find_and_then(cell: Cell, provider: str, reference: str) -> OrderId | None:
        found = await find(cell, provider, reference)
        if reference == sold_first.reference and found is None:
            stage.redis.set(stage.keys.payment("demo", reference), stage.keys.order(OrderId("another")))
        return found

    monkeypatch.setattr(settlement, "find_paid", find_and_then)
    await stage.keeper.cell.look()
    await Settlement(stage.keeper.cell, stage.ledger).look()
    assert await states(stage) == [(waiting[1][0], "recorded")]
