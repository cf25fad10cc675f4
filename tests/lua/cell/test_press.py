"""How strained a cell is, told by its keepers, and what that does to its lines."""

import pytest

from tests.lua.stage import SALE, Reply, Stage

MINUTE = 60_000
HALF = MINUTE // 2
LASTS_MS = 10_000


def press(stage: Stage, level: int, slowed_percent: int = 0, *, keeper: str = "one", why: str = "disk: full") -> Reply:
    keys = stage.keys
    sale = (keys.sale(SALE), keys.live(SALE))
    return stage.run("cell/press", [keys.cell, *sale], keeper, level, slowed_percent, why, LASTS_MS)


def told(stage: Stage) -> Reply:
    """Level, slowed by, and why, as every process learns them."""
    return stage.ask("cell/gate", [stage.keys.cell, stage.keys.outbox, stage.keys.recorded])[6:9]


def called(stage: Stage) -> int:
    return int(stage.status()["now_serving"])


def test_everybody_learns_what_the_keeper_says(stage: Stage) -> None:
    assert told(stage) == [0, 0, b""]
    assert press(stage, 1, 50) == [b"pressed", 1]
    assert told(stage) == [1, 50, b"disk: full"]
    assert press(stage, 0, why="") == [b"pressed", 0]
    assert told(stage) == [0, 0, b""]


def test_a_calm_cell_is_not_written_to_and_a_strained_one_only_now_and_then(stage: Stage) -> None:
    stage.put_up()
    with stage.nothing_changes():
        press(stage, 0)
    press(stage, 2, 100)
    with stage.nothing_changes():
        press(stage, 2, 100, why="disk: a little fuller")
    stage.set_cell(pressed_until_ms=stage.now_ms() + LASTS_MS // 3)
    press(stage, 2, 100, why="disk: later")
    assert told(stage)[2] == b"disk: later"


def test_a_milder_keeper_waits_until_the_stricter_one_has_been_silent(stage: Stage) -> None:
    press(stage, 1, 50, keeper="strict")
    with stage.nothing_changes():
        assert press(stage, 0, keeper="mild") == [b"outdone", 1]
        assert press(stage, 1, 40, keeper="mild") == [b"outdone", 1]
    assert press(stage, 2, keeper="stricter") == [b"pressed", 2]
    stage.set_cell(pressed_until_ms=stage.now_ms() - 1)
    assert press(stage, 0, keeper="mild") == [b"pressed", 0]


def test_a_slowed_line_is_called_at_the_slower_pace_and_no_position_is_taken_back(stage: Stage) -> None:
    stage.put_up(rate=10, joined=1000, turn_ms=10_000 * MINUTE)
    stage.pass_time(6 * MINUTE)
    assert called(stage) == 60
    press(stage, 0, 50)
    assert called(stage) == 60
    stage.pass_time(6 * MINUTE)
    assert called(stage) == 90
    press(stage, 0, 100)
    stage.pass_time(60 * MINUTE)
    assert called(stage) == 90
    press(stage, 0, 0)
    assert called(stage) == 90
    stage.pass_time(MINUTE)
    assert called(stage) == 100


@pytest.mark.parametrize(("before", "after", "still_ms"), [(0, 50, MINUTE), (50, 0, HALF // 2)])
def test_what_had_come_due_of_the_next_call_is_kept(stage: Stage, before: int, after: int, still_ms: int) -> None:
    """Half a call had come due when the pace changed; half is still to come, at the new pace."""
    stage.put_up(rate=1, joined=10)
    press(stage, 0, before)
    stage.pass_time(HALF if before == 0 else MINUTE)
    press(stage, 0, after)
    stage.pass_time(still_ms - 5_000)
    assert called(stage) == 0
    stage.pass_time(25_000)
    assert called(stage) == 1


def test_the_pace_holds_for_the_passes_too_and_a_stopped_line_keeps_every_turn(stage: Stage) -> None:
    stage.put_up(rate=60, joined=10, now_serving=5, turn_ms=MINUTE, mark=5)
    press(stage, 2, 100)
    with stage.nothing_changes():
        word, wait_ms = stage.admit(0)
    assert word == b"paced"
    assert 0 < wait_ms <= 10_000
    for _ in range(5):
        stage.pass_time(2 * MINUTE)
        stage.join("somebody")
    assert stage.sale()["gone"] == "0"
    press(stage, 0, 50)
    assert stage.admit(0)[0] == b"admitted"
    word, wait_ms = stage.admit(1)
    assert word == b"paced"
    assert 1_000 < wait_ms <= 2_000


def test_whoever_is_in_stays_in(stage: Stage) -> None:
    stage.put_up(joined=10, now_serving=5)
    assert stage.admit(0)[0] == b"admitted"
    press(stage, 2, 100)
    assert stage.admit(0)[0] == b"renewed"


@pytest.mark.parametrize("phase", ["scheduled", "prequeue", "paused", "sold_out", "closed"])
def test_a_line_that_is_not_open_is_slowed_when_it_opens(stage: Stage, phase: str) -> None:
    later = stage.now_ms() + 600 * MINUTE
    stage.put_up(phase=phase, joined=10, prequeue_at_ms=later, opens_at_ms=later)
    press(stage, 0, 30)
    assert (stage.sale()["phase"], stage.sale()["slowed_percent"]) == (phase, "30")


def test_an_on_sale_that_is_not_there_is_left_out(stage: Stage) -> None:
    assert press(stage, 1, 10) == [b"pressed", 1]
    assert stage.sale() == {}


def test_a_new_pace_neither_empties_nor_fills_the_door(stage: Stage) -> None:
    """What was handed out counts, however often the pace changes."""
    stage.put_up(rate=60, joined=100, now_serving=50, burst_ms=6_000)
    assert [stage.admit(index)[0] for index in range(7)] == [b"admitted"] * 6 + [b"paced"]
    press(stage, 0, 50)
    stage.pass_time(6_500)
    press(stage, 0, 0)
    assert [stage.admit(index)[0] for index in range(7, 12)] == [b"admitted"] * 3 + [b"paced"] * 2
