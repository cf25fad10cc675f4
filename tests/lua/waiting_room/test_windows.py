"""Who joins before the start is counted by windows of time, each line by its own."""

from typing import Any

import pytest

from tests.lua.stage import SALE, Stage

WINDOW = 60_000
BEFORE: dict[str, Any] = {"phase": "prequeue", "mark_at_ms": 0, "draw": "parvis-draw-2"}


def put_up(stage: Stage, *, windows: int = WINDOW, ago_ms: int = 0, left_ms: int = 10 * WINDOW, **more: Any) -> None:
    now = stage.now_ms()
    instants = {"prequeue_at_ms": now - ago_ms - 1_000, "opens_at_ms": now + left_ms}
    stage.put_up(**BEFORE | instants | ({"fair_window_ms": windows} if windows else {}) | more)


def join(stage: Stage, count: int, line: str = "public") -> None:
    for _ in range(count):
        stage.counter += 1
        assert stage.join(f"s{stage.counter}", line=line)[0] == b"joined"


def test_a_window_ends_where_the_first_joins_the_next_one(stage: Stage) -> None:
    put_up(stage)
    join(stage, 2)
    assert "windows" not in stage.sale()
    stage.pass_time(WINDOW)
    join(stage, 3)
    assert stage.sale()["windows"] == "2"
    stage.pass_time(5 * WINDOW)  # in between nobody came: those are no windows
    join(stage, 1)
    assert stage.sale()["windows"] == "2 5"
    assert stage.status()["windows"] == b""  # nothing is told before the list is closed
    stage.change("open")
    assert stage.status()["windows"] == b"2 5 6"
    assert stage.tail()[7] == b"2 5 6"


def test_a_repeat_is_nobodys_first_of_a_window(stage: Stage) -> None:
    put_up(stage)
    assert stage.join("one")[:2] == [b"joined", 0]
    stage.pass_time(WINDOW)
    stage.redis.execute_command("SET", stage.keys.retry(SALE, "one", "public"), "0.1")
    assert stage.join("one")[:2] == [b"joined", 0]
    assert "windows" not in stage.sale()


def test_who_comes_after_the_start_is_in_no_window(stage: Stage) -> None:
    put_up(stage, left_ms=WINDOW)
    join(stage, 2)
    stage.pass_time(3 * WINDOW)
    join(stage, 2)
    stage.pass_time(WINDOW)
    join(stage, 1)
    assert stage.status()["windows"] == b"2"
    assert stage.status()["entrants"] == 2
    assert "windows" not in stage.sale()


def test_a_clock_that_is_set_back_leads_into_no_earlier_window(stage: Stage) -> None:
    put_up(stage, ago_ms=3 * WINDOW)
    join(stage, 2)
    stage.pass_time(-2 * WINDOW)
    join(stage, 2)
    stage.pass_time(2 * WINDOW)
    join(stage, 2)
    assert "windows" not in stage.sale()
    stage.pass_time(WINDOW)
    join(stage, 1)
    assert stage.sale()["windows"] == "6"


def test_while_a_start_is_held_up_there_is_one_window_more_at_most(stage: Stage) -> None:
    put_up(stage, left_ms=WINDOW * 3 // 2, phase="paused")
    join(stage, 1)
    for _ in range(4):
        stage.pass_time(WINDOW)
        join(stage, 1)
    assert stage.sale()["windows"] == "1"
    stage.change("resume")
    assert stage.status()["windows"] == b"1 5"


def test_every_line_has_windows_of_its_own(stage: Stage) -> None:
    now = stage.now_ms()
    line = stage.line("members", mark_at_ms=0, prequeue_at_ms=now - 1_000, opens_at_ms=now + 10 * WINDOW)
    put_up(stage, lines="members", **line)
    join(stage, 2)
    stage.pass_time(WINDOW)
    join(stage, 3, "members")
    stage.pass_time(WINDOW)
    join(stage, 1)
    join(stage, 1, "members")
    sale = stage.sale()
    assert (sale["windows"], sale["windows:members"]) == ("2", "3")


@pytest.mark.parametrize("joined", [0, 2])
def test_without_windows_nothing_is_counted(stage: Stage, joined: int) -> None:
    put_up(stage, windows=0)
    join(stage, joined)
    stage.pass_time(WINDOW)
    join(stage, joined)
    assert not {"window", "windows"} & set(stage.sale())
    stage.change("open")
    assert stage.status()["windows"] == b""


def test_nobody_in_the_list_is_one_empty_window(stage: Stage) -> None:
    put_up(stage)
    stage.change("open")
    assert stage.status()["windows"] == b"0"


def test_who_a_loss_may_have_swallowed_belongs_to_the_last_window_that_is_known(stage: Stage) -> None:
    put_up(stage)
    join(stage, 2)
    stage.pass_time(WINDOW)
    join(stage, 2)
    stage.set_sale(joined=50)  # leapt
    stage.pass_time(WINDOW)
    join(stage, 1)
    assert stage.sale()["windows"] == "2 50"
