"""Many rows change at once: a rush of holds that are due together, a hall that is restored."""

from tests.lua.stage import HOLD_MS, Stage

BLOCKS = 2_500
ROW, CLASSES = "ooooo", "AABBB"


def big_hall(stage: Stage) -> None:
    stage.put_up()
    assert stage.install([(f"3 {CLASSES}", ROW)] * BLOCKS, 2)[0] == b"installed"
    stage.names["p"] = []


def test_five_hundred_holds_that_are_due_together_all_come_back(stage: Stage) -> None:
    big_hall(stage)
    stage.let_in(1)
    for block in range(500):
        seats = [part for offset in range(5) for part in (block, offset)]
        assert stage.hold_packed(1, [[1, "seats", *seats]], hold=f"x{block}", limit=5000)[0] == b"held"
    stage.pass_time(HOLD_MS + 1)
    assert stage.sweep(limit=500)[:2] == [b"swept", 500]
    assert stage.rows() == [ROW] * BLOCKS
    assert stage.due() == {}
    assert stage.owned(1) == 0
    assert stage.index_is_right()


def test_a_row_of_every_block_is_marked_at_once(stage: Stage) -> None:
    big_hall(stage)
    every = [part for block in range(BLOCKS) for part in (block, 1)]
    assert stage.allot_packed("b", every)[0] == b"allotted"
    assert stage.rows() == ["obooo"] * BLOCKS
    assert stage.index_is_right()
