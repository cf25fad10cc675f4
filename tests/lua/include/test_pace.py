"""A rate that becomes another by itself, and why a line is slower than it was meant to be."""

from typing import Any

import pytest
import redis

from tests.lua.stage import SALE
from tests.lua.turned import TurnedStage

MINUTE = 60_000


@pytest.fixture
def stage(owner: redis.Redis) -> TurnedStage:
    return TurnedStage(owner)


def plan(stage: TurnedStage, *steps: tuple[int, int]) -> str:
    """Steps by when they come, counted from the beginning."""
    return " ".join(f"{stage.now_ms() - round(stage.at_ms) + at_ms} {rate}" for at_ms, rate in steps)


def served(stage: TurnedStage, at_ms: int) -> int:
    """Read only, and then written down: the same."""
    stage.turn(at_ms)
    with stage.nothing_changes():
        shown = int(stage.status()["now_serving"])
    assert stage.serve() == shown
    return shown


@pytest.mark.parametrize("is_looked_at", [True, False])
def test_the_rate_becomes_what_was_planned_whoever_looks_when(stage: TurnedStage, *, is_looked_at: bool) -> None:
    stage.put_up(
        rate=10,
        turn_ms=10_000 * MINUTE,
        joined=10_000,
        cap=100_000,
        rates=plan(stage, (10 * MINUTE, 60), (20 * MINUTE, 0), (30 * MINUTE, 120)),
    )
    expected = {5: 50, 10: 100, 12: 220, 20: 700, 25: 700, 30: 700, 31: 820, 40: 1_900}
    for minute, count in expected.items():
        if is_looked_at or minute == 40:
            assert served(stage, minute * MINUTE) == count, minute
    assert (stage.sale()["rate"], stage.sale()["rates"]) == ("120", "")
    assert stage.status()["rate"] == 120


def test_what_had_come_due_of_a_call_at_a_step_is_kept(stage: TurnedStage) -> None:
    stage.put_up(rate=1, turn_ms=10_000 * MINUTE, joined=100, rates=plan(stage, (MINUTE // 2, 10)))
    assert served(stage, MINUTE // 2 + 2_900) == 0
    assert served(stage, MINUTE // 2 + 3_100) == 1


def test_a_plan_counts_before_the_sale_opens_and_in_a_pause(stage: TurnedStage) -> None:
    later = stage.now_ms() + 60 * MINUTE
    stage.put_up(
        phase="prequeue",
        rate=10,
        turn_ms=10_000 * MINUTE,
        joined=1000,
        opens_at_ms=later,
        rates=plan(stage, (MINUTE, 20), (120 * MINUTE, 30)),
    )
    assert served(stage, 70 * MINUTE) == 200
    stage.change("pause")
    assert served(stage, 121 * MINUTE) == 200
    assert stage.sale()["rate"] == "30"
    stage.change("resume")
    assert served(stage, 122 * MINUTE) == 230


def test_the_door_empties_at_the_pace_of_each_time(stage: TurnedStage) -> None:
    stage.put_up(rate=1, joined=100, now_serving=100, rates=plan(stage, (MINUTE // 2, 2)))
    assert stage.admit(0)[0] == b"admitted"
    stage.turn(MINUTE // 2)
    word, wait_ms = stage.admit(1)
    assert word == b"paced"
    assert 14_000 < wait_ms <= 15_000
    stage.turn(MINUTE // 2 + 15_000)
    assert stage.admit(1)[0] == b"admitted"


def test_a_plan_is_changed_as_a_whole_and_a_rate_set_by_hand_keeps_what_comes_later(stage: TurnedStage) -> None:
    stage.put_up(rate=10, turn_ms=10_000 * MINUTE, joined=10_000, cap=100_000, rates=plan(stage, (10 * MINUTE, 60)))
    stage.turn(5 * MINUTE)
    assert stage.change("rate", 20)[0] == b"changed"
    assert served(stage, 12 * MINUTE) == 50 + 5 * 20 + 2 * 60
    assert stage.change("schedule", plan(stage, (20 * MINUTE, 1)))[0] == b"changed"
    assert stage.status()["rates"].decode() == plan(stage, (20 * MINUTE, 1))
    stage.change("schedule", "")
    assert served(stage, 30 * MINUTE) == 270 + 18 * 60


def told(stage: TurnedStage) -> str:
    return str(stage.status()["why"].decode())


def test_why_the_wait_is_longer_is_told_by_what_weighs_most(stage: TurnedStage) -> None:
    stage.put_up(rate=60, joined=100, cap=3)
    facts: list[tuple[str, Any, str]] = [
        ("rate", 90, ""),
        ("rate", 30, "lowered"),
        ("let in", (1, 2, 3), "full"),
        ("press", 50, "busy"),
        ("crowd", 2, "few-seats"),
        ("drain", "", "draining"),
        ("pause", "", "paused"),
        ("resume", "", "few-seats"),
        ("crowd", 3, "busy"),
        ("press", 0, "full"),
        ("cap", 9, "lowered"),
        ("rate", 60, ""),
        ("schedule", plan(stage, (1, 30)), "lowered"),
        ("sell_out", "", ""),
    ]
    for verb, value, why in facts:
        keys = stage.keys
        sale = (keys.sale(SALE), keys.live(SALE))
        if verb == "let in":
            stage.let_in(*value)
        elif verb == "press":
            stage.run("cell/press", [keys.cell, *sale], "keeper", 0, value, "backlog: much", 10_000)
        elif verb == "crowd":
            stage.run("on_sale/crowd", [keys.cell, *sale], value, 10_000)
        else:
            stage.change(verb, value)
        stage.turn(stage.at_ms + 10)
        assert told(stage) == why, verb
