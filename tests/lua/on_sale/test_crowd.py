"""Fewer are called once more are inside than the seats that are open can do with."""

import pytest
import redis

from tests.lua.stage import SALE, Reply
from tests.lua.turned import TurnedStage

MINUTE = 60_000
LASTS_MS = 10_000


@pytest.fixture
def stage(owner: redis.Redis) -> TurnedStage:
    return TurnedStage(owner)


def crowd(stage: TurnedStage, count: int) -> Reply:
    keys = stage.keys
    return stage.run("on_sale/crowd", [keys.cell, keys.sale(SALE), keys.live(SALE)], count, LASTS_MS)


def called_in_a_minute(stage: TurnedStage, count: int) -> int:
    """While a keeper goes on saying so."""
    before = stage.serve()
    for _ in range(12):
        crowd(stage, count)
        stage.pass_time(MINUTE // 12)
    return stage.serve() - before


@pytest.mark.parametrize(("count", "called"), [(1_000, 60), (40, 60), (20, 30), (4, 6), (0, 0)])
def test_with_more_inside_than_the_seats_can_do_with_fewer_are_called_by_as_much(
    stage: TurnedStage, count: int, called: int
) -> None:
    stage.put_up(rate=60, joined=1000)
    stage.let_in(*range(500, 540), ms=60 * MINUTE)
    assert crowd(stage, count) == [b"kept", count]
    assert called_in_a_minute(stage, count) in {called, called - 1}


def test_whoever_was_called_comes_in_at_the_pace_however_few_seats_are_left(stage: TurnedStage) -> None:
    stage.put_up(rate=60, joined=1000, now_serving=10, burst_ms=MINUTE)
    stage.let_in(*range(500, 540), ms=60 * MINUTE)
    crowd(stage, 0)
    assert [stage.admit(index)[0] for index in range(5)] == [b"admitted"] * 5


def test_a_count_is_good_for_a_moment_and_what_comes_back_is_called_for(stage: TurnedStage) -> None:
    stage.put_up(rate=60, joined=1000, turn_ms=10_000 * MINUTE)
    stage.let_in(*range(500, 540), ms=60 * MINUTE)
    assert called_in_a_minute(stage, 0) == 0
    stage.pass_time(LASTS_MS + MINUTE)
    assert stage.serve() >= 60, "no keeper counts any more"
    assert called_in_a_minute(stage, 0) == 0
    assert called_in_a_minute(stage, 100) >= 59


def test_few_seats_are_not_taken_for_people_who_stay_away(stage: TurnedStage) -> None:
    stage.put_up(rate=600, joined=10_000, now_serving=10, burst_ms=MINUTE)
    stage.let_in(*range(5000, 5040), ms=60 * MINUTE)
    called_in_a_minute(stage, 4)
    assert float(stage.sale().get("calls", 1)) <= 1
