"""Who arrives is counted; the line's clock is turned for that only where it would make a difference to them."""

import pytest

from tests.lua.stage import Stage

MINUTE = 60_000


def counted(stage: Stage) -> set[str]:
    """What Redis runs when somebody joins."""
    stage.redis.config_resetstat()
    assert stage.join("somebody")[0] == b"joined"
    return set(stage.redis.info("commandstats"))


def test_while_others_wait_an_arrival_is_counted_and_calls_nobody(stage: Stage) -> None:
    stage.put_up(rate=1, joined=5)
    stage.pass_time(2 * MINUTE + 1000)
    before = stage.sale()
    assert stage.join("s1")[:2] == [b"joined", 5]
    assert {**before, "joined": "6"} == stage.sale()
    assert stage.serve() == 2, "who is due is called by whoever turns the clock next"
    assert "cmdstat_zcount" not in counted(stage)


def test_whoever_comes_to_an_idle_line_finds_no_burst_saved_up(stage: Stage) -> None:
    stage.put_up(rate=60, joined=0)
    stage.pass_time(10 * MINUTE)
    stage.join("s1")
    for each in range(5):
        stage.join(f"more {each}")
    assert stage.serve() == 0


@pytest.mark.parametrize("phase", ["scheduled", "prequeue"])
def test_the_first_after_the_start_is_not_in_the_draw(stage: Stage, phase: str) -> None:
    now = stage.now_ms()
    stage.put_up(phase=phase, joined=3, prequeue_at_ms=now - 1, opens_at_ms=now + MINUTE, mark_at_ms=0, rate=0)
    assert stage.join("before")[:2] == [b"joined", 3]
    assert stage.sale()["phase"] == "prequeue"
    stage.pass_time(MINUTE)
    assert stage.join("after")[:2] == [b"joined", 4]
    assert (stage.sale()["phase"], stage.sale()["entrants"]) == ("open", "4")


@pytest.mark.parametrize("changed", [{"net_per_minute": 5}, {"fair_window_ms": MINUTE}])
def test_where_an_arrival_changes_more_than_the_count_the_clock_is_turned(
    stage: Stage, changed: dict[str, int]
) -> None:
    stage.put_up(rate=1, joined=5, **changed)
    assert "cmdstat_zcount" in counted(stage)


def test_with_other_lines_the_clock_is_turned(stage: Stage) -> None:
    stage.put_up(rate=1, joined=5, lines="members", **stage.line("members"))
    assert "cmdstat_zcount" in counted(stage)
