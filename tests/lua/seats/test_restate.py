"""A performance told as a whole: nothing changes but the outbox and the house's sequence."""

from tests.lua.seats.test_state import PLACES, ROWS, set_up
from tests.lua.stage import Stage


def test_the_whole_is_told_and_nothing_else_changes(stage: Stage) -> None:
    set_up(stage)
    before, told = stage.hash(stage.hall("p")[0]), len(stage.told())
    sequence = int(stage.fields(stage.keys.cell)["sequence"])
    reply = stage.run("seats/restate", [stage.keys.cell, stage.keys.outbox, stage.hall("p")[0]])
    assert reply == [b"restated", sequence + 1]
    (entry,) = stage.told()[told:]
    key, number, epoch, at_ms, *verb, rows, places = entry
    assert (key, number, epoch) == (stage.hall("p")[0], sequence + 1, "1")
    assert abs(at_ms - stage.now_ms()) < 60_000
    assert verb == ["restore", "house", ""]
    assert (rows, places) == (ROWS, PLACES)
    assert stage.hash(stage.hall("p")[0]) == before


def test_a_performance_that_nobody_knows(stage: Stage) -> None:
    with stage.nothing_changes():
        keys = [stage.keys.cell, stage.keys.outbox, stage.hall("p")[0]]
        assert stage.run("seats/restate", keys) == [b"unknown_performance"]


def test_whoever_recovers_no_more_is_fenced(stage: Stage) -> None:
    set_up(stage)
    stage.set_cell(epoch=7)
    with stage.nothing_changes():
        keys = [stage.keys.cell, stage.keys.outbox, stage.hall("p")[0]]
        assert stage.run("seats/restate", keys) == [b"fenced", b"7"]
