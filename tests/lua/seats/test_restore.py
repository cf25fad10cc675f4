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


def test_what_is_set_aside_is_as_the_documents_say(stage: Stage) -> None:
    """This Redis is from the past: one allotment ended since, another was made, and some of it was sold."""
    stage.before("A: . . . . .   B: x x . h1", areas=(10,))
    stage.allot("O", "A1 A2", [0, 4, 0], name="old")
    new = ("P", "new", 0, "A2 A3 A4", (0, 5, 2))
    for _ in range(2):
        assert stage.restore("A3", [3], aside=[new, ("b", "", 0, "B2", ())])[0] == b"restored"
        assert stage.after() == "A: . P s P .   B: . x . ."
        assert [stage.area(name) for name in (0, "P0", "O0")] == [(4, 1), (3, 2), (0, 0)]
        assert stage.hash(stage.hall()[0])[b"l"] == b"P"
        assert stage.index_is_right()
    assert stage.open("P", name="new")[0] == b"opened"
    assert (stage.after(), stage.area()) == ("A: . . s . .   B: . x . .", (7, 3))


def test_what_is_restored_is_released_when_its_time_comes(stage: Stage) -> None:
    stage.before("A: . . .", areas=(4,))
    at_ms = stage.now_ms() + 600_000
    later, first = ("P", "later", at_ms + 600_000, "A1", (0, 2, 1)), ("Q", "first", at_ms, "A2", ())
    for aside in ([first, later], [later, first]):
        assert stage.restore("", [1], aside=aside)[0] == b"restored"
        assert stage.hash(stage.hall()[0])[b"q"] == str(at_ms).encode()
    stage.pass_time(600_001)
    stage.sweep()
    assert (stage.after(), stage.area("P0")) == ("A: P . .", (1, 1))


def test_a_share_that_is_sold_out_leaves_nothing_to_sell(stage: Stage) -> None:
    stage.before("A: x", areas=(2,))
    share = ("P", "share", stage.now_ms() + 600_000, "", (0, 2, 2))
    assert stage.restore("", [2], aside=[share])[0] == b"restored"
    assert stage.area("P0") == (0, 2)
    assert stage.sweep()[:3] == [b"swept", 0, 1]


def test_whose_hold_a_loss_ended_has_not_let_it_go(stage: Stage) -> None:
    stage.before("A: h1 .")
    for number in range(2):
        stage.restore("")
        stage.let_in(1)
        terms = (0, 0, 1, 60_000)
        assert stage.hold(1, "A1", hold=f"hold {number}", terms=terms)[0] == b"held"
