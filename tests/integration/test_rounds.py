"""What a keeper does in a round does not grow with the on-sales that are over, and asks each other one once."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from engine import rests
from engine.catalogue import Contributor, OnSale
from engine.collecting import Contributions
from engine.instants import now_ms
from tests.backstage import Backstage
from tests.integration.test_recovery import recover

ROUNDS = 5
EACH = len({"status", "sweep", "serve", "standing"})
AHEAD_MS = 10**13


@pytest.fixture
async def stage(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    monkeypatch.setattr(rests, "CLOSED_SECONDS", 10_000.0)
    await stage.open()
    return stage


def calls(stage: Backstage) -> int:
    """Function calls of everybody until now."""
    stats: dict[str, Any] = stage.redis.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("fcall", "fcall_ro"))


async def round_of(stage: Backstage) -> None:
    keeper = stage.keeper
    await keeper.cell.look()
    await keeper._sweep()
    await keeper._standings.keep()
    await keeper._openings.tell(keeper._standings.kept)
    await keeper._gauges.tell()


async def counted(stage: Backstage, doing: Callable[[], Awaitable[object]]) -> int:
    """How many calls so many rounds take, once what is over has been looked at twice."""
    for _ in range(2):
        await doing()
    before = calls(stage)
    for _ in range(ROUNDS):
        await doing()
    return calls(stage) - before


async def closed(stage: Backstage) -> OnSale:
    on_sale = await stage.put_on(visitors_a_seat=2)
    await stage.tell(on_sale, "close")
    return on_sale


async def test_what_is_over_costs_nothing_in_most_rounds(stage: Backstage) -> None:
    await closed(stage)
    few = await counted(stage, lambda: round_of(stage))
    for _ in range(5):
        await closed(stage)
    assert await counted(stage, lambda: round_of(stage)) == few


async def test_what_ended_long_ago_and_was_never_closed_rests_too(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rests, "PAST_SECONDS", 10_000.0)
    await stage.put_on()
    some = await counted(stage, lambda: round_of(stage))
    with monkeypatch.context() as patched:
        patched.setattr(rests, "now_ms", lambda: now_ms() + 3 * 86_400_000)
        stage.keeper._rests._known = stage.keeper._standings._rests._known = ("", -1)
        assert await counted(stage, lambda: round_of(stage)) < some


async def test_each_on_sale_that_goes_on_is_asked_about_once_by_each_who_looks_after_it(stage: Backstage) -> None:
    await closed(stage)
    none = await counted(stage, lambda: round_of(stage))
    await stage.put_on(opens_at_ms=AHEAD_MS)
    assert await counted(stage, lambda: round_of(stage)) - none == ROUNDS * len(
        {"status", "sweep", "serve", "standing"}
    )
    on_sale = await stage.put_on()
    await stage.tell(on_sale, "pause")
    assert await counted(stage, lambda: round_of(stage)) - none == 2 * ROUNDS * EACH


async def test_a_hold_of_a_sale_that_is_over_ends_in_time(stage: Backstage) -> None:
    on_sale = await closed(stage)
    await counted(stage, lambda: round_of(stage))
    await stage.hold(on_sale, "zaal-A-1")
    due = stage.cell.hall_keys(on_sale.performances[0])[2]
    holds: Any = stage.redis.zrange(due, 0, -1)
    stage.redis.zadd(due, dict.fromkeys(holds, 1))
    assert stage.redis.zcard(due) == 1
    await stage.keeper._sweep()
    assert stage.redis.zcard(due) == 0


async def test_a_recovery_or_a_change_of_the_catalogue_wakes_all(stage: Backstage) -> None:
    await closed(stage)
    await counted(stage, lambda: round_of(stage))
    resting = stage.keeper._rests
    assert resting.awake() == []
    await recover(stage)
    assert len(resting.awake()) == 1
    await round_of(stage)
    assert resting.awake() == []
    await closed(stage)
    await stage.keeper.cell.look()
    assert len(resting.awake()) == 2


async def test_one_that_is_over_and_not_drawn_yet_does_not_rest(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sale = await stage.put_on(opens_at_ms=AHEAD_MS)
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "draw_after_ms", 3_600_000)
    await stage.tell(on_sale, "open")
    await stage.tell(on_sale, "close")
    await stage.keeper.cell.look()
    await stage.keeper._standings.keep()
    assert len(stage.keeper._standings._rests.awake()) == 1
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "draw_after_ms", 0)
    await round_of(stage)
    await round_of(stage)
    assert stage.keeper._rests.awake() == stage.keeper._standings._rests.awake() == []


async def test_houses_are_not_asked_what_they_contribute_before_the_start(stage: Backstage) -> None:
    on_sale = await stage.put_on(opens_at_ms=AHEAD_MS)
    known = stage.keeper.cell
    await known.look()
    contributions = Contributions(known, stage.ledger)

    def put(opens_at_ms: int) -> None:
        changed = msgspec.structs.replace(on_sale, opens_at_ms=opens_at_ms, contributors=(Contributor("nowhere", "x"),))
        known.catalogue.on_sales[on_sale.on_sale] = changed

    put(now_ms() + 3_600_000)
    assert await counted(stage, contributions.look) == 0
    put(now_ms() + 1_000)
    assert await counted(stage, contributions.look) > 0
    await stage.tell(on_sale, "close")
    assert await counted(stage, contributions.look) == 0
