"""After the start too arrivals go by windows of time, and what decides the order inside each was fixed beforehand."""

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
from engine.windows import Later, seed_after
from tests.backstage import Backstage, until
from tests.integration.test_recovery import go_back, keep, recover
from tests.integration.test_windows import WINDOW_S
from tests.town import Town

Places = list[tuple[str, str]]


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


def pass_window(stage: Backstage, on_sale: OnSale) -> None:
    """Redis's clock cannot be set; when the sale began can."""
    stage.redis.hincrby(stage.keys.sale(on_sale.on_sale), "opens_at_ms", -WINDOW_S * 1000)


async def open_by_windows(stage: Backstage, early: int, **changed: Any) -> tuple[OnSale, Places]:
    """An on-sale that opens a moment ago, and so many who came before that."""
    on_sale = await stage.put_on(opens_at_ms=now_ms() + 3_600_000, fair_window_seconds=WINDOW_S, **changed)
    places = await stage.join(on_sale, early)
    await stage.tell(on_sale, "open")
    return on_sale, places


async def let_in(stage: Backstage, on_sale: OnSale, places: Places) -> Places:
    """Who of them can come in now."""
    found = []
    for place, secret in places:
        try:
            await waiting_room.admit(stage.cell, on_sale, place, secret, secret)
        except Refused as refused:
            if refused.slug != "not-yet-served":
                raise
        else:
            found.append((place, secret))
    return found


async def all_come_in(stage: Backstage, on_sale: OnSale, places: Places) -> None:
    async def are_in() -> bool:
        return len(await let_in(stage, on_sale, places)) == len(places)

    await until(are_in, "they are let in")


async def later_of(stage: Backstage, on_sale: OnSale) -> Later:
    """What is told of windows after the start; it leads to the anchor, and to what everybody's position is."""
    draw = (await stage.status(on_sale)).draw
    await stage.drain()
    told = transcript_of(stage.slug, on_sale, PUBLIC, draw)
    told["secret_hashes"] = await entrants_between(stage.ledger, (on_sale.on_sale, PUBLIC), 0, draw.entrants)
    read = verifier.read(msgspec.json.encode(told))
    assert verifier.faults(read) == []
    later = draw.later_windows
    assert later is not None
    position = verifier.positions(read)
    await waiting_room._draw(stage.cell, on_sale.on_sale)
    for index in range(later.borders[-1] + 2):
        assert waiting_room.position(stage.cell, on_sale.on_sale, index) == position(index)
    return later


async def test_nobody_of_a_window_is_let_in_before_it_has_ended_and_all_before_it_were_called(
    stage: Backstage,
) -> None:
    on_sale, early = await open_by_windows(stage, 2)
    first = await stage.join(on_sale, 4)
    await all_come_in(stage, on_sale, early)
    assert await let_in(stage, on_sale, first) == []
    with pytest.raises(Refused) as refused:
        await waiting_room.admit(stage.cell, on_sale, *first[0], "another key")
    assert "position" not in refused.value.facts
    assert refused.value.facts["retry_after_s"] in range(1, WINDOW_S + 1)
    later = await later_of(stage, on_sale)
    assert (later.borders, later.seed) == ((2,), on_sale.anchor)
    pass_window(stage, on_sale)
    second = await stage.join(on_sale, 3)
    await all_come_in(stage, on_sale, first)
    assert await let_in(stage, on_sale, second) == []
    assert (await stage.status(on_sale)).now_serving == 6
    later = await later_of(stage, on_sale)
    assert (later.borders, later.seed) == ((2, 6), seed_after(stage.cell.signer, on_sale.on_sale, PUBLIC, 1))
    pass_window(stage, on_sale)
    await all_come_in(stage, on_sale, second)
    assert (await later_of(stage, on_sale)).borders == (2, 6, 9)


async def test_inside_a_window_the_order_is_the_draws(stage: Backstage) -> None:
    on_sale, _ = await open_by_windows(stage, 0, rate_per_minute=600)
    places = await stage.join(on_sale, 12)
    pass_window(stage, on_sale)
    await later_of(stage, on_sale)
    waiting = list(range(12))

    async def all_are_in() -> bool:
        for index in tuple(waiting):
            if await let_in(stage, on_sale, [places[index]]):
                waiting.remove(index)
                position = waiting_room.position(stage.cell, on_sale.on_sale, index)
                assert position is not None
                assert position < (await stage.status(on_sale)).now_serving
        return not waiting

    await until(all_are_in, "they are let in")


async def test_windows_after_the_start_outlive_the_loss_of_redis(stage: Backstage) -> None:
    on_sale, early = await open_by_windows(stage, 1)
    first = await stage.join(on_sale, 4)
    pass_window(stage, on_sale)
    await all_come_in(stage, on_sale, [*early, *first])
    second = await stage.join(on_sale, 3)
    before = await later_of(stage, on_sale)
    places = [waiting_room.position(stage.cell, on_sale.on_sale, index) for index in range(5)]
    await keep(stage)
    go_back(stage, None)
    await recover(stage)
    after = await later_of(stage, on_sale)
    assert after.borders[:2] == before.borders == (1, 5)
    assert after.borders[2] == 8
    assert len(after.borders) == 4
    assert [waiting_room.position(stage.cell, on_sale.on_sale, index) for index in range(5)] == places
    # Who was in the window of the moment that was lost comes in; whoever comes now waits for the end of theirs.
    await all_come_in(stage, on_sale, second)
    third = await stage.join(on_sale, 2)
    assert await let_in(stage, on_sale, third) == []
    admitted = (await stage.status(on_sale)).admitted
    await let_in(stage, on_sale, first)
    assert (await stage.status(on_sale)).admitted == admitted, "nobody counts twice"


async def test_the_anchor_is_public_beforehand_and_only_what_is_still_being_served_afterwards(town: Town) -> None:
    async with await town.open_sale("noord", fair_window_seconds=1) as sale:
        draw = (await sale.status())["draw"]
        assert draw["later"] == {"first": 1, "borders": [0], "seed": draw["rule"]["anchor"]}
        place, secret = await sale.join()
        await sale.pass_for(place, secret)
        found = await sale.until_status(phase="open")
        while found["draw"]["later"]["first"] < 2:
            found = await sale.status()
        assert found["draw"]["later"]["borders"] == [1]
        whole = (await sale.get(f"/on-sales/{sale.on_sale}/draw")).json
        assert (whole["later"]["first"], whole["later"]["borders"]) == (1, [0, 1])
        assert whole["later"]["seed"] == found["draw"]["later"]["seed"] != draw["later"]["seed"]


async def test_a_safety_net_is_not_set_beside_windows(stage: Backstage) -> None:
    on_sale, _ = await open_by_windows(stage, 0)
    with pytest.raises(BadInput, match="no safety net"):
        await stage.tell(on_sale, "guard", safety_net_per_minute=5)
