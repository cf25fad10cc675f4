"""An order that was said to be confirmed, and that Redis lost before it was recorded: the process that said so sells it
again, or its money goes back."""

from pathlib import Path
from typing import Any

import pytest

from engine import recovery
from engine.cell import Cell
from engine.entries import Customer, Payment
from engine.errors import BrokenContract, GateClosed, Refused
from engine.ledger.recoveries import recoveries
from engine.orders import Buyer, confirm, find
from engine.payments import PaymentEvent
from engine.returns import give_back
from engine.settlement import settle
from engine.witness import Witness
from tests.backstage import BY, Backstage
from tests.integration.test_recovery import check_clean, crash, go_back, keep, keep_copy, patiently, recover
from tests.integration.test_settlement import end_holds


@pytest.fixture
async def stage(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    monkeypatch.setattr(recovery, "QUIET_MS", 60_000)
    await stage.open()
    return stage


def not_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is sooner is sooner."""
    monkeypatch.setattr(recovery, "QUIET_MS", 0)


async def states(stage: Backstage) -> dict[str, str]:
    await stage.drain()
    return {str(order): state for order, state in await stage.rows("SELECT order_id, state FROM orders")}


async def told(stage: Backstage) -> list[tuple[str, object]]:
    """Every alarm: its kind, and what it says became of an order."""
    return [(kind, detail.get("became")) for kind, detail in await stage.alarms()]


@pytest.mark.parametrize("is_older", [True, False])
async def test_what_a_lost_redis_had_confirmed_is_sold_again_under_its_own_id(
    stage: Backstage, tmp_path: Path, *, is_older: bool
) -> None:
    """An older Redis still has the hold; an empty one has nothing."""
    on_sale = await stage.put_on()
    recorded = await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    held = await stage.hold(on_sale, "zaal-A-2", "vloer")
    copy = keep_copy(stage, tmp_path)
    lost = await stage.confirm(held, payment="yes-lost")
    await keep(stage)
    go_back(stage, copy if is_older else None)
    await recover(stage)
    with pytest.raises(GateClosed):
        await stage.hold(on_sale, "zaal-A-2")
    witness = Witness(stage.cell, stage.ledger)
    for _ in range(2):
        await witness.look()
    assert await states(stage) == {recorded: "recorded", lost: "recorded"}
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}
    assert await stage.value("SELECT email FROM orders WHERE reference = 'yes-lost'") == "visitor@example.org"
    assert await told(stage) == [("redis-lost", None), ("order-lost", "confirmed")]
    await check_clean(stage, "redis-lost", "order-lost")


async def test_what_was_lost_is_counted_in_words_and_figures(stage: Backstage, tmp_path: Path) -> None:
    on_sale = await stage.put_on()
    await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    copy = keep_copy(stage, tmp_path)
    for seat in ("zaal-A-2", "zaal-A-3", "zaal-A-4"):
        await stage.sell(on_sale, seat)
    await stage.hold(on_sale, "zaal-B-1")
    await stage.hold(on_sale, "zaal-B-2")
    await keep(stage)
    go_back(stage, copy)
    await recover(stage)
    found = (await recoveries(stage.ledger, 1))[0]
    # Three holds and their orders, and two holds more: eight operations.
    figures = {name: found.detail[name] for name in ("kind", "operations", "orders", "holds")}
    assert figures == {"kind": "fell_behind", "operations": 8, "orders": 3, "holds": 2}
    assert (found.epoch, (await stage.ledger.position()).epoch) == (2, 2)
    await recover(stage)
    assert (await recoveries(stage.ledger, 1))[0].detail["kind"] == "none", "it is told once"


async def test_what_was_lost_and_sold_to_somebody_else_is_paid_back_once(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    not_quiet(monkeypatch)
    on_sale = await stage.put_on()
    lost = await stage.sell(on_sale, "zaal-A-1")
    go_back(stage, None)
    await recover(stage)
    other = Cell(stage.house)
    await other.look()
    sooner = await stage.confirm(await stage.hold(on_sale, "zaal-A-1", cell=other), cell=other)
    for _ in range(2):
        await Witness(stage.cell, stage.ledger).look()
    assert await states(stage) == {lost: "conflicted", sooner: "recorded"}
    assert await stage.value("SELECT count(*) FROM refund_requests") == 1
    assert ("order-lost", "conflicted") in await told(stage)
    await stage.cell.look()
    assert len(stage.cell.promised) == 0
    await other.close()


@pytest.mark.parametrize("losses", [1, 2])
async def test_money_that_was_said_to_go_back_does_so_after_a_loss_too(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch, losses: int
) -> None:
    """Its seats are open again, and nobody sells them to whoever was told that they cannot have them."""
    not_quiet(monkeypatch)
    on_sale = await stage.put_on()
    held = await stage.hold(on_sale, "zaal-A-1")
    await end_holds(stage, on_sale)
    other = Cell(stage.house)
    await other.look()
    await stage.confirm(await stage.hold(on_sale, "zaal-A-1", cell=other), cell=other)
    with pytest.raises(Refused, match="your money goes back") as refused:
        await stage.confirm(held, payment="yes-late")
    for _ in range(losses):
        go_back(stage, None)
        await recover(stage)
        for _ in range(2):
            await Witness(stage.cell, stage.ledger).look()
    assert await states(stage) == {refused.value.facts["order"]: "conflicted"}
    assert await stage.rows("SELECT reference FROM refund_requests") == [("yes-late",)]
    assert ("order-lost", "conflicted") in await told(stage)
    assert await stage.sold(on_sale) == set()
    await other.close()


async def test_what_is_recorded_or_still_known_is_left_alone(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    recorded = await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    known = await stage.sell(on_sale, "zaal-A-2")
    assert len(stage.cell.promised) == 2
    stage.redis_server.kill()
    stage.redis_server.start()
    await recover(stage)
    await Witness(stage.cell, stage.ledger).look()
    assert await states(stage) == {recorded: "recorded", known: "recorded"}
    await patiently(stage.cell.look)
    assert len(stage.cell.promised) == 0
    await check_clean(stage)


async def test_a_visitor_who_asked_again_sooner_is_not_sold_to_twice(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    not_quiet(monkeypatch)
    on_sale = await stage.put_on()
    lost = await stage.sell(on_sale, "zaal-A-1", payment="yes-mine")
    go_back(stage, None)
    await recover(stage)
    again = await stage.sell(on_sale, "zaal-A-2", payment="yes-mine")
    await Witness(stage.cell, stage.ledger).look()
    assert await states(stage) == {again: "recorded"}
    assert ("order-lost", "payment-used") in await told(stage)
    assert await find(stage.cell, lost) is None


async def test_that_later_entries_are_recorded_says_nothing_of_a_lost_one(
    stage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replica that was promoted goes on with ids that are later than those that it never had."""
    not_quiet(monkeypatch)
    on_sale = await stage.put_on()
    copy = keep_copy(stage, tmp_path)
    lost = await stage.sell(on_sale, "zaal-A-1")
    await keep(stage)
    go_back(stage, copy)
    await recover(stage)
    later = await stage.sell(on_sale, "zaal-A-2")
    await stage.drain()
    await stage.cell.look()
    await Witness(stage.cell, stage.ledger).look()
    assert await states(stage) == {lost: "recorded", later: "recorded"}


async def test_a_repeat_is_the_first_orders_and_not_remembered_as_its_own(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    held = await stage.hold(on_sale, "zaal-A-1")
    buyer, paid = Buyer(caller="key:staff", owner="", channel="counter"), Payment("demo", "yes-1")
    customer = Customer(email="visitor@example.org")
    answers = {await confirm(stage.cell, buyer, [held.hold], customer, paid, "the-key") for _ in range(3)}
    assert len(answers) == len(stage.cell.promised) == 1


async def test_what_an_older_redis_knows_and_the_ledger_does_not_counts_all_the_same(
    stage: Backstage, tmp_path: Path
) -> None:
    on_sale = await stage.put_on()
    first = await stage.sell(on_sale, "zaal-A-1")
    copy = keep_copy(stage, tmp_path)
    second = await stage.sell(on_sale, "zaal-A-2")
    await keep(stage)
    go_back(stage, copy)
    await recover(stage)
    assert (await stage.status(on_sale)).orders == 1
    await Witness(stage.cell, stage.ledger).look()
    assert await states(stage) == {first: "recorded", second: "recorded"}
    await check_clean(stage, "redis-lost", "order-lost")


async def test_an_order_that_waits_again_after_it_was_confirmed_is_sold(stage: Backstage, tmp_path: Path) -> None:
    """The older Redis still waits for a payment of which this process has been told."""
    on_sale = await stage.put_on()
    held = await stage.hold(on_sale, "zaal-A-1")
    buyer, paid = Buyer(caller="key:staff", owner="", channel="web"), Payment("demo", "late-1")
    order, state = await confirm(stage.cell, buyer, [held.hold], None, paid, "the-key")
    assert state == "awaiting_payment"
    copy = keep_copy(stage, tmp_path)
    event = PaymentEvent(reference="late-1", is_paid=True)
    assert await settle(stage.cell, stage.ledger, "demo", event) == "confirmed"
    await keep(stage)
    go_back(stage, copy)
    await recover(stage)
    await Witness(stage.cell, stage.ledger).look()
    assert await states(stage) == {order: "recorded"}
    assert ("order-lost", "confirmed") in await told(stage)


async def test_a_gate_that_a_second_recovery_opens_is_opened_after_a_loss_too(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ended between telling what was lost and opening: the second finds all as it was put back."""
    on_sale = await stage.put_on()
    await stage.sell(on_sale, "zaal-A-1")
    await stage.drain()
    await keep(stage)
    go_back(stage, None)
    ask = stage.keeper.cell.ask

    async def ask_until_it_opens(operation: str, *rest: Any) -> Any:
        if operation == "cell/open":
            raise BrokenContract("it ends here")
        return await ask(operation, *rest)

    monkeypatch.setattr(stage.keeper.cell, "ask", ask_until_it_opens)
    with pytest.raises(BrokenContract):
        await patiently(stage.keeper.recover)
    monkeypatch.setattr(stage.keeper.cell, "ask", ask)
    await recover(stage)
    assert stage.cell.lost_at_ms > 0
    with pytest.raises(GateClosed):
        await stage.hold(on_sale, "zaal-A-2")
    crash(stage)
    await recover(stage)
    await stage.hold(on_sale, "zaal-A-2")


@pytest.mark.parametrize("items", [(), (1,)])
async def test_what_was_given_back_and_lost_is_given_back_again(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch, items: tuple[int, ...]
) -> None:
    not_quiet(monkeypatch)
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2")
    await stage.drain()
    await give_back(stage.cell, stage.ledger, order, BY, "the-key", items=items)
    go_back(stage, None)
    await recover(stage)
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}
    for _ in range(2):
        await Witness(stage.cell, stage.ledger).look()
    left = {"zaal-A-1"} if items else set()
    assert await stage.sold(on_sale) == left
    assert await states(stage) == {order: "recorded" if left else "refunded"}
    assert await stage.rows("SELECT amount FROM refund_requests") == [(2100 if left else 4200,)]
    await stage.cell.look()
    assert len(stage.cell.promised) == 0
    await check_clean(stage, "redis-lost")


async def test_what_was_given_back_and_is_recorded_or_still_known_is_left_alone(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1", "zaal-A-2")
    await stage.drain()
    await give_back(stage.cell, stage.ledger, order, BY, "one", items=(0,))
    await stage.drain()
    await give_back(stage.cell, stage.ledger, order, BY, "two", items=(1,))
    crash(stage)
    await recover(stage)
    for _ in range(2):
        await Witness(stage.cell, stage.ledger).look()
    assert await states(stage) == {order: "refunded"}
    assert await stage.rows("SELECT amount FROM refund_requests") == [(2100,), (2100,)]
    await stage.cell.look()
    assert len(stage.cell.promised) == 0
    await check_clean(stage)
