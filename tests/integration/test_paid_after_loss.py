"""A payment buys one order, before a loss as after it: whoever asks again, or is told again, finds the first one."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from api.visitor import confirm_basket, owner_of
from api.wire import OrderRequest
from engine import recovery, seats, waiting_room
from engine.audit import audit
from engine.entries import Customer, Payment
from engine.errors import Refused
from engine.orders import find_paid
from engine.settlement import forgo
from engine.wishes import Wish
from engine.witness import Witness
from engine.words import OrderId, SeatId
from tests.backstage import Backstage
from tests.integration.test_recovery import go_back, keep_copy, recover
from tests.integration.test_settlement import order_awaiting, refunds, states, tell

WHAT = ("zaal-A-1", "vloer")


@pytest.fixture
async def stage(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    monkeypatch.setattr(recovery, "QUIET_MS", 1)
    await stage.open()
    return stage


class Visitor:
    """Somebody who is inside with a hold, and confirms it as often as they like."""

    def __init__(self, stage: Backstage, token: str, hold: str) -> None:
        self.stage, self.token, self.hold, self.key = stage, token, hold, "the-key"

    @classmethod
    async def inside(cls, stage: Backstage, what: str) -> "Visitor":
        on_sale = await stage.put_on()
        ((place, secret),) = await stage.join(on_sale)
        token = (await waiting_room.admit(stage.cell, on_sale, place, secret, "in")).token
        performance = on_sale.performances[0]
        wish = Wish(performance=performance, seats=(SeatId(what),))
        if what == "vloer":
            area = stage.cell.catalogue.layout(performance).areas[0].id
            wish = Wish(performance=performance, area=area, quantity=1)
        held = await seats.hold(stage.cell, owner_of(stage.cell, token)[0], [wish], (), str(uuid.uuid4()))
        return cls(stage, token, stage.cell.signer.sign(held.hold))

    async def confirm(self, reference: str = "yes-1") -> tuple[OrderId, str]:
        customer = Customer(email="visitor@example.org", name="A Visitor")
        request = OrderRequest(holds=(self.hold,), payment=Payment("demo", reference), customer=customer)
        return await confirm_basket(self.stage.cell, self.stage.ledger, self.token, request, self.key)


@pytest.mark.parametrize("what", WHAT)
async def test_whoever_lost_the_answer_and_asks_again_after_a_loss_has_the_order_that_they_had(
    stage: Backstage, what: str
) -> None:
    visitor = await Visitor.inside(stage, what)
    order, state = await visitor.confirm()
    assert state == "confirmed"
    await stage.drain()
    go_back(stage, None)
    await recover(stage)
    left_s: Any = stage.redis.ttl(stage.keys.payment("demo", "yes-1"))
    assert left_s > 29 * 86_400, "remembered as long as without a loss"
    assert await visitor.confirm() == (order, "recorded")
    assert await states(stage) == [(order, "recorded")]
    with pytest.raises(Refused, match="declined"):
        await visitor.confirm("no-1")


async def test_so_has_whoever_asks_again_once_it_has_been_sold_again(stage: Backstage) -> None:
    """It was lost before it was recorded, and a witness was sooner."""
    visitor = await Visitor.inside(stage, "zaal-A-1")
    order, _ = await visitor.confirm()
    await stage.drain()
    before = await Visitor.inside(stage, "zaal-A-1")
    lost, _ = await before.confirm("yes-2")
    go_back(stage, None)
    await recover(stage)
    await Witness(stage.cell, stage.ledger).look()
    assert await before.confirm("yes-2") == (lost, "confirmed")
    assert await visitor.confirm() == (order, "recorded")
    assert {(order, "recorded"), (lost, "recorded")} == set(await states(stage))
    later = await Visitor.inside(stage, "zaal-A-1")
    await later.confirm("yes-3")
    later.key = "another"
    with pytest.raises(Refused, match="another order"):  # it knows of this one when it was made
        await later.confirm("yes-3")


@pytest.mark.parametrize("what", WHAT)
async def test_money_that_is_told_of_again_after_a_loss_sells_nothing_again(
    stage: Backstage, tmp_path: Path, what: str
) -> None:
    """The older Redis still waits for the payment; the ledger has its order."""
    on_sale = await stage.put_on()
    order, reference = await order_awaiting(stage, on_sale, what)
    copy = keep_copy(stage, tmp_path)
    assert await tell(stage, reference) == "confirmed"
    await stage.drain()
    go_back(stage, copy)
    await recover(stage)
    assert await tell(stage, reference) == "recorded"
    assert await states(stage) == [(order, "recorded")]
    assert await refunds(stage) == 0
    assert (await audit(stage.cell, stage.ledger)).faults == ()


async def test_a_payment_that_has_bought_an_order_buys_no_other_after_a_loss(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    order = await stage.sell(on_sale, "zaal-A-1", payment="yes-1")
    await stage.drain()
    go_back(stage, None)
    await recover(stage)
    with pytest.raises(Refused, match="another order"):
        await stage.sell(on_sale, "zaal-A-2", payment="yes-1")
    assert await states(stage) == [(order, "recorded")]


async def test_nor_does_one_whose_money_is_on_its_way_back(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    await tell(stage, "yes-1")
    assert await forgo(stage.cell, stage.ledger, "demo", "yes-1")
    await stage.sell(on_sale, "zaal-B-1")
    await stage.drain()
    go_back(stage, None)
    await recover(stage)
    assert await find_paid(stage.cell, "demo", "yes-1") == ""
    with pytest.raises(Refused, match="another order"):
        await stage.sell(on_sale, "zaal-A-1", payment="yes-1")
