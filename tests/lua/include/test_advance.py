"""How a line is called, over a table of times. Rates are so low that no machine's hesitation decides a test."""

import random
from collections.abc import Callable

import pytest

from tests.lua.stage import SALE, Stage

MINUTE = 60_000
HALF = MINUTE // 2


@pytest.mark.parametrize(
    ("rate", "joined", "cap", "inside", "elapsed_ms", "now_serving"),
    [
        (1, 10, 100, 0, HALF, 0),
        (1, 10, 100, 0, MINUTE + HALF, 1),
        (1, 10, 100, 0, 7 * MINUTE + HALF, 7),
        (2, 10, 100, 0, 3 * MINUTE + 10_000, 6),
        (1, 10, 100, 0, 60 * MINUTE, 10),  # not more than there are
        (1, 10, 4, 0, 60 * MINUTE, 4),  # not more than the house takes
        (1, 10, 4, 3, 2 * MINUTE + HALF, 1),
        (1, 10, 4, 4, 60 * MINUTE, 0),
        (1, 10, 4, 9, 60 * MINUTE, 0),
        (0, 10, 100, 0, 60 * MINUTE, 0),
        (60_000, 10, 100, 0, 60 * MINUTE, 10),
    ],
)
def test_calls_as_many_as_the_rate_the_line_and_the_house_allow(
    stage: Stage, rate: int, joined: int, cap: int, inside: int, elapsed_ms: int, now_serving: int
) -> None:
    stage.put_up(rate=rate, joined=joined, cap=cap, turn_ms=10_000 * MINUTE)
    stage.pass_time(elapsed_ms)
    stage.let_in(*range(100, 100 + inside))
    with stage.nothing_changes():
        assert stage.status()["now_serving"] == now_serving
    stage.come("one more")
    assert int(stage.sale()["now_serving"]) == now_serving


def test_passes_that_have_ended_take_no_room(stage: Stage) -> None:
    stage.put_up(rate=1, joined=10, cap=4)
    stage.let_in(100, 101, 102, 103)
    stage.pass_time(2 * MINUTE + HALF)
    assert stage.status()["now_serving"] == 2


def test_what_was_called_between_two_looks_is_called_once(stage: Stage) -> None:
    stage.put_up(rate=1, joined=100)
    for minute in range(1, 8):
        stage.pass_time(MINUTE + 1)
        stage.come("somebody")
        assert int(stage.sale()["now_serving"]) == minute


def test_what_had_come_due_of_the_next_call_is_kept(stage: Stage) -> None:
    stage.put_up(rate=1, joined=100)
    stage.pass_time(MINUTE + HALF)
    stage.come("somebody")
    assert stage.sale()["now_serving"] == "1"
    stage.pass_time(HALF + 10_000)
    assert stage.status()["now_serving"] == 2


@pytest.mark.parametrize(("cap", "inside"), [(100, 0), (0, 0), (2, 2)])
def test_an_idle_line_or_a_full_house_saves_no_burst_up(stage: Stage, cap: int, inside: int) -> None:
    stage.put_up(rate=1, joined=1 if cap == 100 else 50, cap=cap)
    stage.let_in(*range(100, 100 + inside), ms=10**9)
    stage.pass_time(600 * MINUTE)
    stage.come("now")
    called = int(stage.sale()["now_serving"])
    stage.set_sale(joined=100, cap=100)
    stage.pass_time(MINUTE + HALF)
    stage.come("later")
    assert int(stage.sale()["now_serving"]) == called + 1


@pytest.mark.parametrize("phase", ["scheduled", "prequeue"])
def test_time_opens_the_sale_without_anybody(stage: Stage, phase: str) -> None:
    now = stage.now_ms()
    stage.put_up(phase=phase, prequeue_at_ms=now - MINUTE, opens_at_ms=now + 60 * MINUTE, rate=1)
    for secret in "abc":
        assert stage.come(secret)[0] == b"joined"
    assert stage.sale()["phase"] == "prequeue"
    stage.pass_time(59 * MINUTE)
    assert stage.status()["phase"] == b"prequeue"
    stage.pass_time(3 * MINUTE + HALF)
    stage.come("late")
    seen = stage.status()
    assert (seen["phase"], seen["entrants"], seen["now_serving"]) == (b"open", 3, 2)


@pytest.mark.parametrize("phase", ["paused", "sold_out", "closed"])
def test_nobody_is_called_unless_the_sale_is_open(stage: Stage, phase: str) -> None:
    stage.put_up(phase=phase, rate=60, joined=10)
    stage.pass_time(60 * MINUTE)
    assert stage.status()["now_serving"] == 0


def test_a_clock_that_was_set_back_neither_recalls_anybody_nor_stops_the_line(stage: Stage) -> None:
    stage.put_up(rate=1, joined=50, turn_ms=10_000 * MINUTE)
    stage.pass_time(5 * MINUTE + HALF)
    stage.come("before")
    stage.pass_time(-600 * MINUTE)
    stage.come("after")
    assert int(stage.sale()["now_serving"]) == 5
    stage.pass_time(2 * MINUTE + HALF)
    assert stage.status()["now_serving"] == 7


def test_a_turn_lasts_at_least_as_long_as_promised(stage: Stage) -> None:
    stage.put_up(rate=1, joined=50, turn_ms=10 * MINUTE)
    gone_over_time = []
    for _ in range(6):
        stage.pass_time(5 * MINUTE)
        stage.come("somebody")
        gone_over_time.append((int(stage.sale()["now_serving"]), int(stage.sale()["gone"])))
    # Those called by minute 10 are marked then, and gone when a whole turn has passed since.
    assert gone_over_time == [(5, 0), (10, 0), (15, 0), (20, 10), (25, 10), (30, 20)]


def test_nobodys_turn_runs_out_before_a_full_house(stage: Stage) -> None:
    stage.put_up(rate=1, joined=50, cap=3, turn_ms=10 * MINUTE)
    stage.pass_time(3 * MINUTE + HALF)
    stage.come("three are called")
    stage.let_in(100, 101, 102, ms=10**9)
    for _ in range(5):
        stage.pass_time(11 * MINUTE)
        stage.come("somebody")
    assert (stage.sale()["now_serving"], stage.sale()["gone"]) == ("3", "0")
    stage.set_sale(cap=50)
    for _ in range(2):
        stage.pass_time(11 * MINUTE)
        stage.come("somebody")
    assert int(stage.sale()["gone"]) >= 3


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("is_clock_steady", [True, False])
def test_now_serving_never_goes_back_whatever_happens(stage: Stage, seed: int, *, is_clock_steady: bool) -> None:
    """What is written never does; what a status works out from it neither, unless the clock itself goes back."""
    chance = random.Random(seed)
    stage.put_up(rate=60, joined=200, cap=1000, turn_ms=3 * MINUTE)
    pressed = [stage.keys.cell, stage.keys.sale(SALE), stage.keys.live(SALE)]
    actions: dict[str, Callable[[], object]] = {
        "wait": lambda: stage.pass_time(chance.randrange(MINUTE)),
        "join": lambda: stage.join(str(chance.random())),
        "admit": lambda: stage.admit(chance.randrange(30)),
        "rate": lambda: stage.change("rate", chance.choice([0, 60, 600, 6000])),
        "cap": lambda: stage.change("cap", chance.choice([0, 10, 100, 1000])),
        "pause": lambda: stage.change("pause"),
        "resume": lambda: stage.change("resume"),
        "drain": lambda: stage.change("drain"),
        "stop": lambda: stage.change("stop"),
        "sell out": lambda: stage.change("sell_out"),
        "plan": lambda: stage.change(
            "schedule", f"{stage.now_ms() + chance.randrange(MINUTE)} {chance.randrange(600)}"
        ),
        "press": lambda: stage.run("cell/press", pressed, "keeper", 0, chance.choice([0, 50, 100]), "why", MINUTE),
        "crowd": lambda: stage.run("on_sale/crowd", pressed, chance.choice([0, 3, 30, 3000]), MINUTE),
        "restart": lambda: stage.open_at(int(stage.epoch)),
    }
    if not is_clock_steady:
        actions["set the clock back"] = lambda: stage.pass_time(-chance.randrange(MINUTE))
    written = shown = 0
    for _ in range(120):
        name = chance.choice([*actions, *["wait", "join", "admit", "resume"] * 3])
        actions[name]()
        status, sale = stage.status()["now_serving"], stage.sale()
        now_serving = int(sale["now_serving"])
        assert written <= now_serving <= status <= int(sale["joined"]), f"seed {seed}, {name}"
        assert int(sale["gone"]) <= now_serving
        if is_clock_steady:
            assert shown <= status, f"seed {seed}, {name}"
        written, shown = now_serving, status
    # And it is not stuck either.
    stage.change("resume")
    stage.change("schedule", "")
    stage.change("rate", 60)
    stage.change("cap", 10_000)
    stage.run("cell/press", pressed, "keeper", 0, 0, "", MINUTE)
    stage.run("on_sale/crowd", pressed, 10_000, MINUTE)
    stage.set_sale(joined=written + 10_000)
    stage.pass_time(30_500)
    assert stage.status()["now_serving"] >= written + 30
