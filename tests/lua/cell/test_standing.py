"""How far an open cell is."""

from tests.lua.stage import Reply, Stage


def standing(stage: Stage, *performances: str) -> Reply:
    due = [stage.hall(name)[2] for name in performances]
    return stage.run("cell/standing", [stage.keys.cell, *due])


def test_tells_the_sequence_and_the_holds_that_live(stage: Stage) -> None:
    stage.before("A: h1 s2 s3", performance="p")
    stage.before("A: h4 h5 .", performance="q")
    sequence = int(stage.fields(stage.keys.cell)["sequence"])
    with stage.nothing_changes():
        assert standing(stage, "p", "q") == [b"standing", sequence, 3, [1, 2]]
        assert standing(stage, "p") == [b"standing", sequence, 1, [1]]
        assert standing(stage, "none", "q") == [b"standing", sequence, 2, [2]]


def test_a_cell_that_is_closed_tells_nothing(stage: Stage) -> None:
    stage.before("A: h1 s2")
    stage.run("cell/close", [stage.keys.cell])
    assert standing(stage, "p") == [b"closed"]
    stage.open_at(2)
    assert standing(stage, "p") == [b"fenced", b"2"]


def test_a_cell_that_never_sold_stands_at_its_start(stage: Stage) -> None:
    assert standing(stage) == [b"standing", 0, 0, []]
