"""Window fairness in a running house: who came earlier is called earlier; anybody can check it, also after a loss."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from engine import verifier, waiting_room
from engine.catalogue import OnSale
from engine.drawing import transcript_of
from engine.errors import BadInput, Refused
from engine.instants import now_ms
from engine.ledger.entrants import entrants_between
from engine.waiting_room import PUBLIC
from engine.windows import Order, ends_of
from tests.backstage import Backstage, until
from tests.integration.test_recovery import go_back, keep, recover
from tests.town import Town

WINDOW_S = 60


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


async def windows_of(stage: Backstage, *sizes: int, **changed: Any) -> tuple[OnSale, list[list[tuple[str, str]]]]:
    """An on-sale that opens in an hour, and who came in each window."""
    opens_at_ms = now_ms() + 3_600_000
    on_sale = await stage.put_on(opens_at_ms=opens_at_ms, fair_window_seconds=WINDOW_S, **changed)
    places: list[list[tuple[str, str]]] = []
    for size in sizes:
        if places:
            pass_window(stage, on_sale)
        places.append(await stage.join(on_sale, size))
    return on_sale, places


def pass_window(stage: Backstage, on_sale: OnSale) -> None:
    """Redis's clock cannot be set; when the queue began can."""
    stage.redis.hincrby(stage.keys.sale(on_sale.on_sale), "prequeue_at_ms", -WINDOW_S * 1000)


async def check(stage: Backstage, on_sale: OnSale, *ends: int) -> Order:
    """The draw has these windows, and whoever reads its transcript finds it right."""
    draw = (await stage.status(on_sale)).draw
    assert ends_of(draw.windows) == ends
    await stage.drain()
    told = transcript_of(stage.slug, on_sale, PUBLIC, draw)
    told["secret_hashes"] = await entrants_between(stage.ledger, (on_sale.on_sale, PUBLIC), 0, draw.entrants)
    read = verifier.read(msgspec.json.encode(told))
    assert verifier.faults(read) == []
    order, position = Order(draw.seed, draw.entrants, ends), verifier.positions(read)
    assert list(order.positions()) == [position(index) for index in range(draw.entrants)]
    return order


async def test_nobody_of_a_later_window_is_admitted_before_all_of_an_earlier_one_were_called(stage: Backstage) -> None:
    on_sale, (early, late) = await windows_of(stage, 6, 5, rate_per_minute=600, burst_percent=100)
    await stage.tell(on_sale, "open")
    await check(stage, on_sale, 6, 11)
    waiting, admitted = {*early, *late}, []

    async def all_are_in() -> bool:
        for place, secret in sorted(waiting):
            try:
                await waiting_room.admit(stage.cell, on_sale, place, secret, secret)
            except Refused:
                continue
            admitted.append((place, secret))
            waiting.remove((place, secret))
            served = (await stage.status(on_sale)).now_serving
            assert (place, secret) in early or served > len(early)
        return not waiting

    await until(all_are_in, "everybody is let in")
    assert len(admitted) == 11


async def test_windows_outlive_the_loss_of_redis_before_the_start(stage: Backstage) -> None:
    on_sale, (first, second) = await windows_of(stage, 4, 3)
    await keep(stage)
    await stage.drain()
    await stage.join(on_sale, 1)
    go_back(stage, None)
    await recover(stage)
    known = (await stage.status(on_sale)).joined
    assert known > len(first) + len(second)
    pass_window(stage, on_sale)
    pass_window(stage, on_sale)
    await stage.join(on_sale, 2)
    await stage.tell(on_sale, "open")
    # Whoever may have come in the moment that was lost belongs to the window of that moment.
    await check(stage, on_sale, 4, known, known + 2)


async def test_a_draw_by_windows_stays_what_it_was_and_nobody_comes_in_twice(stage: Backstage) -> None:
    on_sale, _ = await windows_of(stage, 3, 4, 2, rate_per_minute=60_000)
    await stage.tell(on_sale, "open")
    before = (await stage.status(on_sale)).draw
    order = await check(stage, on_sale, 3, 7, 9)

    async def seven_are_called() -> bool:
        return await waiting_room.serve(stage.cell, on_sale.on_sale) == {"public": 9}

    await until(seven_are_called, "all are called")
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), mapping={"now_serving": 7, "rate": 0})
    await keep(stage)
    go_back(stage, None)
    await recover(stage)
    after = await stage.status(on_sale)
    assert (after.draw.seed, after.draw.windows) == (before.seed, before.windows)
    bits = stage.redis.get(stage.keys.claimed(on_sale.on_sale, PUBLIC))
    assert isinstance(bits, bytes)
    claimed = {index for index in range(9) if bits[index >> 3] & (0x80 >> (index & 7))}
    assert {index for index, position in enumerate(order.positions()) if position < 7} <= claimed
    assert after.now_serving < 9 or claimed == set(range(9))


async def test_the_rule_is_public_beforehand_and_the_windows_afterwards(town: Town) -> None:
    """In windows of a second by Redis's own clock."""
    async with await town.open_sale("noord", opens_at_ms=now_ms() + 1_000_000, fair_window_seconds=1) as sale:
        before = (await sale.status())["draw"]
        assert before["rule"]["window_seconds"] == 1
        assert "windows" not in before
        for window in range(2):
            if window:
                await asyncio.sleep(1.1)
            for _ in range(3):
                await sale.join()
        await sale.post(f"/manage/on-sales/{sale.on_sale}/open", {"reason": "a test"}, token=sale.manage_key)
        told = (await sale.until_status(phase="open"))["draw"]
        assert told["windows"][-1] == told["entrants"] == 6
        assert 3 in told["windows"]
        await sale.until_drained()
        transcript = (await sale.get(f"/on-sales/{sale.on_sale}/draw")).json
        assert {name: transcript[name] for name in told} == told
        read = verifier.read(json.dumps(transcript).encode())
        assert verifier.faults(read) == []
        position = verifier.positions(read)
        assert {position(index) for index in range(3)} == {0, 1, 2}


@pytest.mark.parametrize(("seconds", "before_s"), [(-1, 60), (3601, 60), (1, 86_400)])
async def test_windows_that_cannot_be_meant_are_refused(stage: Backstage, seconds: int, before_s: int) -> None:
    with pytest.raises(BadInput, match="fair_window_seconds"):
        await stage.put_on(opens_at_ms=now_ms() + before_s * 1000, fair_window_seconds=seconds)
