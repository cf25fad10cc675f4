"""What was set aside is everybody's again."""

from tests.lua.stage import Stage


def test_blocked_seats_are_opened_by_name(stage: Stage) -> None:
    stage.before("A: x x . x")
    assert stage.open("b", "A2 A3")[0] == b"opened"
    assert stage.after() == "A: x . . x"
    assert stage.index_is_right()


def test_an_allotment_ends_as_a_whole(stage: Stage) -> None:
    stage.before("A: . . .   B: . .", areas=(5,))
    stage.allot("P", "A1 A3 B2", [0, 3, 0], name="partner", release_at_ms=stage.now_ms() + 10**6)
    stage.allot("Q", "A2")
    assert stage.open("P", name="partner")[0] == b"opened"
    assert (stage.after(), stage.area()) == ("A: . Q .   B: . .", (5, 0))
    assert stage.hash(stage.hall()[0])[b"l"] == b"Q"
    assert b"q" not in stage.hash(stage.hall()[0])
    assert stage.index_is_right()


def test_there_may_be_nothing_to_give_back(stage: Stage) -> None:
    stage.before("A: . s1")
    stage.allot("P", "A1", name="partner")
    with stage.nothing_changes():
        assert stage.open("P", name="another") == [b"nothing_aside"]
        assert stage.open("Q") == [b"nothing_aside"]
        assert stage.open("b", "A1 A2") == [b"nothing_aside"]


def test_only_what_is_blocked_is_opened_as_blocked(stage: Stage) -> None:
    stage.before("A: x h1 s2 .")
    stage.allot("P", "A4")
    assert stage.open("b", "A1 A2 A3 A4")[0] == b"opened"
    assert stage.after() == "A: . h s P"
