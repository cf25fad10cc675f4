"""After the start too arrivals go by windows of time: nobody of one is called before it has ended."""

from typing import Any

from tests.lua.include.test_lines import called, standing
from tests.lua.stage import Stage

WINDOW = 60_000


def put_up(stage: Stage, **more: Any) -> None:
    stage.put_up(**{"draw": "parvis-draw-2", "fair_window_ms": WINDOW, "cap": 10_000} | more)


def join(stage: Stage, count: int, line: str = "public") -> None:
    for _ in range(count):
        stage.counter += 1
        assert stage.join(f"s{stage.counter}", line=line)[0] == b"joined"


def test_nobody_of_a_window_is_called_before_it_has_ended(stage: Stage) -> None:
    put_up(stage, joined=3, entrants=3)
    join(stage, 2)
    stage.pass_time(WINDOW - 5_000)
    assert called(stage) == {"public": 3}  # who was in the draw
    join(stage, 2)
    assert called(stage) == {"public": 3}
    assert stage.status()["later"] == b""
    stage.pass_time(6_000)
    assert called(stage) == {"public": 7}
    assert stage.status()["later"] == b"7"
    join(stage, 1)
    stage.pass_time(1_000)
    assert called(stage) == {"public": 7}
    stage.pass_time(3 * WINDOW)  # in between nobody came: those are no windows
    join(stage, 4)  # ends the window of the one before
    assert stage.sale()["later"] == "7 8"
    stage.pass_time(WINDOW)
    assert called(stage) == {"public": 12}
    assert stage.sale()["later"] == "7 8 12"
    stage.pass_time(WINDOW)
    called(stage)
    assert stage.sale()["later"] == "7 8 12"


def test_who_is_in_a_window_that_has_not_ended_is_told_when_it_will(stage: Stage) -> None:
    put_up(stage)
    join(stage, 2)
    stage.pass_time(20_000)
    word, served, wait_ms = stage.admit(0, position=-1)
    assert (word, served) == (b"not_yet", 0)
    assert WINDOW - 35_000 < wait_ms <= WINDOW - 20_000
    stage.pass_time(WINDOW)
    assert stage.admit(0, position=-1) == [b"drawn", 0]
    assert stage.admit(2, position=-1)[0] == b"not_yet"
    stage.pass_time(1_000)
    assert stage.admit(0, position=1)[0] == b"admitted"


def test_while_the_sale_is_paused_windows_end_and_nobody_is_called(stage: Stage) -> None:
    put_up(stage, phase="paused")
    join(stage, 1)
    stage.pass_time(WINDOW)
    join(stage, 1)
    stage.pass_time(WINDOW)
    stage.change("resume")
    assert stage.sale()["later"] == "1 2"
    stage.pass_time(1_000)
    assert called(stage) == {"public": 2}


def test_every_line_has_windows_of_its_own(stage: Stage) -> None:
    put_up(stage, lines="members", **stage.line("members", joined=2, entrants=2))
    join(stage, 1)
    stage.pass_time(WINDOW)
    join(stage, 2, "members")
    stage.pass_time(1_000)
    assert called(stage) == {"public": 1, "members": 2}
    assert (stage.status()["later"], standing(stage, "members")[8][9]) == (b"1", b"")
    stage.pass_time(WINDOW)
    assert called(stage) == {"public": 1, "members": 4}
    assert standing(stage, "members")[8][9] == b"4"


def test_a_clock_that_is_set_back_ends_the_window_and_stops_nobody(stage: Stage) -> None:
    put_up(stage)
    stage.pass_time(10 * WINDOW)
    join(stage, 2)
    stage.pass_time(-5 * WINDOW)
    join(stage, 1)
    assert stage.sale()["later"] == "2"
    stage.pass_time(WINDOW)
    assert stage.status()["now_serving"] == 3


def test_behind_the_last_window_everybody_keeps_the_order_of_arrival(stage: Stage) -> None:
    put_up(stage, joined=9, entrants=3, border=7, borders=4_999, border_window=0)
    stage.pass_time(WINDOW)
    join(stage, 1)
    assert (stage.sale()["borders"], stage.sale()["later"]) == ("5000", "9")
    stage.pass_time(1_000)
    assert called(stage) == {"public": 10}
    stage.pass_time(WINDOW)
    join(stage, 1)
    assert stage.sale()["later"] == "9"


def test_without_windows_everybody_is_called_at_once(stage: Stage) -> None:
    put_up(stage, fair_window_ms=0)
    join(stage, 2)
    stage.pass_time(1_000)
    assert called(stage) == {"public": 2}
    assert not {"border", "borders", "border_window", "later"} & set(stage.sale())


def test_a_persons_turn_behind_the_start_is_told_by_the_position(stage: Stage) -> None:
    put_up(stage, turn_ms=1_000)
    assert stage.join("phone", person="p1")[1] == 0
    join(stage, 1)
    stage.pass_time(WINDOW)
    called(stage)
    stage.set_sale(gone=1)
    assert stage.join("laptop", person="p1") == [b"drawn", 0, 0]
