"""The safety net: a room that rests, and shows by itself when more newcomers come than the house set."""

from typing import Any

import pytest

from tests.lua.stage import SALE, Stage

FUTURE = 10**13
PER_MINUTE = 60


def put_up(stage: Stage, **changed: Any) -> None:
    """An on-sale with a net of sixty a minute; the pace is so high that whoever joins is called."""
    stage.put_up(**({"net_per_minute": PER_MINUTE, "rate": 60_000, "cap": 100_000} | changed))


def comes(stage: Stage, count: int, *, every_ms: int = 0) -> None:
    """So many newcomers, one after the other."""
    for _ in range(count):
        stage.pass_time(every_ms)
        stage.join(f"{stage.key()}")


def is_active(stage: Stage) -> bool:
    seen = stage.status()
    assert seen["net_per_minute"] == PER_MINUTE
    return bool(seen["net_active"])


def test_without_a_net_the_room_always_shows(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join("a")
    seen = stage.status()
    assert (seen["net_per_minute"], seen["net_active"], seen["fails"]) == (0, 1, b"closed")
    assert not {"net_until_ms", "net_rests"} & stage.sale().keys()


def test_it_rests_below_the_threshold_for_as_long_as_that_lasts(stage: Stage) -> None:
    put_up(stage)
    for _ in range(300):
        assert not is_active(stage)
        comes(stage, 1, every_ms=1100)
    assert not is_active(stage)


def test_half_a_minutes_worth_at_once_is_borne_and_one_more_is_not(stage: Stage) -> None:
    put_up(stage)
    comes(stage, PER_MINUTE // 2)
    assert not is_active(stage)
    comes(stage, 1)
    assert is_active(stage)


def test_at_twice_the_threshold_it_shows_within_half_a_minute_and_a_bit(stage: Stage) -> None:
    put_up(stage)
    seconds = 0
    while not is_active(stage):
        comes(stage, 2, every_ms=500)
        seconds += 1
    assert 25 <= seconds <= 32


def test_after_a_long_rush_it_rests_within_a_minute_of_silence(stage: Stage) -> None:
    put_up(stage)
    comes(stage, 500)
    assert is_active(stage)
    stage.pass_time(55_000)
    assert is_active(stage)
    stage.pass_time(6_000)
    assert not is_active(stage)
    comes(stage, 5)
    assert not is_active(stage), "it was noted down that it rests"


def test_it_goes_on_showing_while_newcomers_are_as_many_as_the_threshold(stage: Stage) -> None:
    put_up(stage)
    comes(stage, 100)
    for _ in range(120):
        comes(stage, 1, every_ms=1000)
        assert is_active(stage)


def test_nobody_who_waits_is_overtaken(stage: Stage) -> None:
    put_up(stage, rate=60, turn_ms=10**9)
    comes(stage, 200)
    stage.pass_time(100_000)
    assert is_active(stage), "some still wait"
    comes(stage, 1)
    stage.pass_time(90_000)
    assert is_active(stage)
    stage.pass_time(15_000)
    assert not is_active(stage)


@pytest.mark.parametrize("phase", ["scheduled", "prequeue", "paused"])
def test_before_the_opening_and_in_a_pause_it_shows(stage: Stage, phase: str) -> None:
    at_ms = FUTURE if phase == "scheduled" else 0
    put_up(stage, phase=phase, prequeue_at_ms=at_ms, opens_at_ms=0 if phase == "paused" else FUTURE)
    assert is_active(stage)


def test_who_gathered_before_the_opening_is_let_in_first(stage: Stage) -> None:
    put_up(stage, phase="prequeue", opens_at_ms=FUTURE, rate=60)
    comes(stage, 5, every_ms=5000)
    stage.pass_time(120_000)
    stage.change("open")
    assert is_active(stage)
    stage.pass_time(6_000)
    assert not is_active(stage)


@pytest.mark.parametrize("phase", ["sold_out", "closed"])
def test_a_line_that_ended_is_no_line(stage: Stage, phase: str) -> None:
    put_up(stage, rate=0)
    comes(stage, 40)
    stage.change("close" if phase == "closed" else "sell_out")
    assert is_active(stage)
    stage.pass_time(61_000)
    assert not is_active(stage)


def test_a_repeat_is_no_newcomer(stage: Stage) -> None:
    put_up(stage)
    for _ in range(200):
        stage.join("the same")
    assert not is_active(stage)


def test_a_net_that_is_hung_up_again_shows_the_room_to_those_who_wait(stage: Stage) -> None:
    put_up(stage, rate=60, turn_ms=10**9)
    comes(stage, 10)
    assert not is_active(stage)
    stage.change("net_per_minute", 0)
    comes(stage, 50)
    assert stage.status()["net_per_minute"] == 0
    stage.change("net_per_minute", PER_MINUTE)
    assert is_active(stage)
    stage.pass_time(61_000)
    assert not is_active(stage)


def test_a_clock_that_was_set_back_leaves_no_room_open_for_hours(stage: Stage) -> None:
    put_up(stage)
    stage.set_sale(net_until_ms=f"{stage.now_ms() + 9_000_000:.3f}", net_rests=0)
    comes(stage, 1)
    stage.pass_time(61_000)
    assert not is_active(stage)


def test_what_guards_do_meanwhile_is_said(stage: Stage) -> None:
    put_up(stage, fails="open")
    assert stage.status()["fails"] == b"open"
    stage.change("fails", "closed")
    assert stage.status()["fails"] == b"closed"
    assert stage.entries() == [{b"kind": b"action", b"data": b"action"}]
    assert stage.redis.execute_command("HGET", stage.keys.sale(SALE), "fails") == b"closed"
