"""What was used up and bought is known again after Redis was lost; what was only held can be used anew."""

import asyncio
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import orders, recovery, seats
from engine.catalogue import OnSale, PriceType
from engine.codes import NewBatch, add_codes, uses
from engine.conditions import Proofs
from engine.entries import Customer, Payment
from engine.errors import Refused
from engine.house import add_on_sale, add_performance
from engine.instants import now_ms
from engine.orders import Buyer
from engine.shares import Owner
from engine.waiting_room import admit
from engine.wishes import Wish
from engine.words import OnSaleId, OrderId, PerformanceId, SeatId
from tests.backstage import BY, Backstage
from tests.integration.test_recovery import check_clean, go_back, keep_copy, recover
from tests.integration.test_returns import return_

CODE = "Spring"


@pytest.fixture
async def stage(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    monkeypatch.setattr(recovery, "QUIET_MS", 0)  # nobody was promised anything here
    await stage.open()
    return stage


async def put_on(stage: Backstage, **changed: Any) -> OnSale:
    """An on-sale with a price that needs a code of three uses."""
    first = await stage.put_on()
    plain = stage.cell.performance(first.performances[0])
    show = msgspec.structs.replace(
        plain,
        performance=PerformanceId(f"{plain.performance}-promo"),
        price_types={"promo": PriceType(needs="code", share=5000)},
    )
    await add_performance(stage.cell, stage.ledger, show, BY)
    made = OnSale(
        on_sale=OnSaleId(f"{first.on_sale}-promo"),
        title="Sale",
        performances=(show.performance,),
        prequeue_at_ms=now_ms() - 1000,
        opens_at_ms=now_ms() - 500,
        rate_per_minute=60_000,
        cap=1_000,
        return_delay_seconds=0,
        lone_seats="off",
        **changed,
    )
    await add_on_sale(stage.cell, stage.ledger, made, BY)
    new = NewBatch(batch=f"batch-{made.on_sale}", title="Spring", codes=(CODE,), uses=3, price_type="promo")
    await add_codes(stage.cell, stage.ledger, new, BY)
    return made


async def used(stage: Backstage, on_sale: OnSale) -> int:
    return await uses(stage.cell, stage.cell.catalogue.code_batches[f"batch-{on_sale.on_sale}"])


async def hold(stage: Backstage, on_sale: OnSale, *names: str, types: Sequence[str] = ()) -> seats.Held:
    wish = Wish(performance=on_sale.performances[0], seats=tuple(map(SeatId, names)))
    owner = Owner(owner="key:staff", place="", on_sale=on_sale.on_sale)
    types = types or ["promo"] * len(names)
    return await seats.hold(stage.cell, owner, [wish], types, str(uuid.uuid4()), Proofs(codes=(CODE,)))


async def test_codes_that_were_sold_by_are_used_up_still_and_those_held_are_not(
    stage: Backstage, tmp_path: Path
) -> None:
    on_sale = await put_on(stage)
    copy = keep_copy(stage, tmp_path)
    sold = await stage.confirm(await hold(stage, on_sale, "zaal-A-1", "zaal-A-2"))
    returned = await stage.confirm(await hold(stage, on_sale, "zaal-A-3"))
    await stage.drain()
    await return_(stage, returned)
    await stage.drain()
    await hold(stage, on_sale, "zaal-A-4")
    assert await used(stage, on_sale) == 3
    go_back(stage, copy)
    await recover(stage)
    assert await used(stage, on_sale) == 2
    await hold(stage, on_sale, "zaal-A-5")
    with pytest.raises(Refused) as refused:
        await hold(stage, on_sale, "zaal-A-6")
    assert (refused.value.slug, refused.value.facts["left"]) == ("code-used-up", 0)
    await return_(stage, sold)
    assert await used(stage, on_sale) == 1
    await check_clean(stage, "redis-lost")


async def test_an_order_that_is_late_uses_its_code_again_or_its_money_goes_back(stage: Backstage) -> None:
    on_sale = await put_on(stage)
    late = await hold(stage, on_sale, "zaal-A-1", "zaal-A-2")
    await seats.release(stage.cell, late.hold)
    assert await used(stage, on_sale) == 0
    await stage.confirm(late)  # its money was there already
    assert await used(stage, on_sale) == 2
    other = await hold(stage, on_sale, "zaal-A-3")
    await seats.release(stage.cell, other.hold)
    await hold(stage, on_sale, "zaal-A-4")
    with pytest.raises(Refused) as refused:
        await stage.confirm(other)
    assert (refused.value.slug, refused.value.facts["refund"]) == ("hold-ended", "requested")
    assert await used(stage, on_sale) == 3


async def test_what_a_customer_bought_is_known_again(stage: Backstage, tmp_path: Path) -> None:
    on_sale = await put_on(stage, seats_a_customer=2)
    copy = keep_copy(stage, tmp_path)

    async def buy(*names: str) -> tuple[OrderId, str]:
        wish = Wish(performance=on_sale.performances[0], seats=tuple(map(SeatId, names)))
        (place, secret), *_ = await stage.join(on_sale)
        admitted = await a_visitor(stage, on_sale, place, secret)
        held = await seats.hold(stage.cell, admitted, [wish], (), str(uuid.uuid4()))
        buyer = Buyer(caller=admitted.owner, owner=admitted.owner, channel="web")
        paid = Payment(provider="demo", reference=f"yes-{uuid.uuid4()}")
        ann = Customer(email="ann@example.org")
        return await orders.confirm(stage.cell, buyer, [held.hold], ann, paid, str(uuid.uuid4()))

    assert (await buy("zaal-A-1"))[1] == "confirmed"
    await stage.drain()
    go_back(stage, copy)
    await recover(stage)
    with pytest.raises(Refused, match="money goes back"):
        await buy("zaal-A-2", "zaal-A-3")
    assert (await buy("zaal-A-4"))[1] == "confirmed"


async def a_visitor(stage: Backstage, on_sale: OnSale, place: str, secret: str) -> Owner:
    """Who a visitor is whose turn it is."""
    async with asyncio.timeout(20):
        while True:
            try:
                admitted = await admit(stage.cell, on_sale, place, secret, secret)
            except Refused:
                await asyncio.sleep(0.05)
                continue
            verified = stage.cell.signer.read_pass(admitted.token)
            return Owner(verified.owner, verified.index, verified.on_sale, generation=verified.generation)
