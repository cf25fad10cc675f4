"""What the ledger knows as sold is put back after a loss."""

from tests.lua.stage import Stage


def test_restoring_ends_every_hold_and_sells_what_the_ledger_sold(stage: Stage) -> None:
    stage.before("A: h1 h1 . x", areas=(10,), return_ms=30_000)
    stage.let_in(2)
    stage.stand(2, 4)
    for _ in range(2):
        assert stage.restore("A2", [3]) == [b"restored", 1]
        assert stage.after() == "A: . s . x"
        assert stage.area() == (7, 3)
        assert stage.due() == {}
        assert stage.held("h1") is stage.held("h2") is None
        assert stage.index_is_right()
    assert (stage.owned(1), stage.owned(2)) == (0, 0)


def test_a_seat_that_waits_to_come_back_is_restored_too(stage: Stage) -> None:
    stage.before("A: h1 .", return_ms=30_000)
    stage.release(1, "h1")
    stage.restore("A1")
    assert (stage.after(), stage.due()) == ("A: s .", {})


def test_what_was_sold_before_stays_sold(stage: Stage) -> None:
    stage.before("A: s1 . s2", areas=(5,))
    stage.restore("A2", [0])
    assert stage.after() == "A: s s s"
    assert stage.area() == (5, 0)


def test_can_be_done_in_pieces_while_the_gate_is_closed(stage: Stage) -> None:
    stage.before("A: . . .", areas=(5,))
    stage.run("cell/close", [stage.keys.cell])
    assert stage.restore("A1", [2])[0] == b"restored"
    assert stage.restore("A3", [2])[0] == b"restored"
    assert (stage.after(), stage.area()) == ("A: s . s", (3, 2))


def test_what_was_returned_since_is_open_again(stage: Stage) -> None:
    stage.before("A: s1 s1 s2 x")
    assert stage.restore("A3", returned="A1 A2 A4")[0] == b"restored"
    assert stage.after() == "A: . . s x"
    assert stage.index_is_right()
