"""A visitor lets go."""

import pytest

from tests.lua.stage import HOLD_MS, Stage


def test_gives_seats_and_standing_places_back_in_every_performance(stage: Stage) -> None:
    stage.before("A: . . .", performance="p", areas=(4,))
    stage.before("A: . . .", performance="q")
    stage.let_in(1)
    stage.hold_packed(1, [[1, "seats", 0, 0, 0, 2], [1, "area", 0, 3], [2, "best", "", 2]], ["p", "q"])
    assert stage.release(1, "h1", ["p", "q"])[0] == b"released"
    assert (stage.after("p"), stage.after("q")) == ("A: . . .", "A: . . .")
    assert stage.area() == (4, 0)
    for performance in "pq":
        assert stage.held("h1", performance) is None
        assert stage.due(performance) == {}
        assert stage.owned(1, performance) == 0
        assert stage.index_is_right(performance)


def test_leaves_other_holds_of_the_visitor_alone(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    stage.hold(1, "A1", hold="one")
    stage.hold(1, "A2 A3", hold="two")
    stage.release(1, "one")
    assert stage.after() == "A: . h h"
    assert stage.owned(1) == 2


def test_cannot_release_another_visitors_hold(stage: Stage) -> None:
    stage.before("A: h1 .")
    with stage.nothing_changes():
        assert stage.release(2, "h1") == [b"hold_ended"]


def test_cannot_release_what_is_over(stage: Stage) -> None:
    stage.before("A: h1 s2")
    with stage.nothing_changes():
        assert stage.release(2, "s2") == [b"hold_ended"]  # sold is no hold any more
        assert stage.release(1, "never") == [b"hold_ended"]
    stage.pass_time(HOLD_MS + 1)
    assert stage.release(1, "h1") == [b"hold_ended"]
    assert stage.after() == "A: . s"


def test_releases_in_all_performances_or_in_none(stage: Stage) -> None:
    stage.before("A: h1 .", performance="p")
    stage.before("A: . .", performance="q")
    with stage.nothing_changes():
        assert stage.release(1, "h1", ["p", "q"]) == [b"hold_ended"]
        assert stage.release(1, "h1", ["p", "elsewhere"]) == [b"unknown_performance"]


def test_a_seat_that_comes_back_is_nobodys_for_a_while(stage: Stage) -> None:
    stage.before("A: h1 h1", areas=(3,), return_ms=30_000)
    stage.stand(1, 2, hold="standing")
    stage.release(1, "h1")
    stage.release(1, "standing")
    assert (stage.after(), stage.area()) == ("A: h h", (1, 0))
    assert b"ov1" not in stage.hash(stage.hall("p")[0])  # whoever has nothing leaves nothing
    stage.let_in(2)
    with stage.nothing_changes():
        assert stage.hold(2, "A1")[0] == b"taken"
        assert stage.hold(1, "A1")[0] == b"taken"  # whoever let go is not the first to have it again
        assert stage.confirm(1, "h1") == [b"hold_ended", b"h1"]
        assert stage.confirm(1, "h1", owner="") == [b"hold_ended", b"h1"]
        assert stage.release(1, "h1") == [b"hold_ended"]
    stage.pass_time(30_001)
    assert stage.sweep()[1] == 2
    assert (stage.after(), stage.area()) == ("A: . .", (3, 0))
    assert stage.index_is_right()


def test_the_return_delay_is_random_and_never_longer_than_it_may_be(stage: Stage) -> None:
    stage.before("A: . . . . . . . . . .", return_ms=30_000)
    stage.let_in(1)
    delays = set()
    for number in range(20):
        hold = f"hold {number}"
        assert stage.best(1, 1, hold=hold)[0] == b"held"
        now = stage.now_ms()
        stage.release(1, hold)
        delay = stage.due()[hold] - now
        assert 0 < delay <= 30_000 + (stage.now_ms() - now)
        delays.add(delay // 1000)
        stage.pass_time(30_001)
        stage.let_in(1)
    assert len(delays) > 5


@pytest.mark.parametrize(("is_there", "after"), [(True, "A: Q ."), (False, "A: . .")])
@pytest.mark.parametrize("return_ms", [0, 1])
def test_what_an_allotment_gave_comes_back_to_it_while_it_is_there(
    stage: Stage, return_ms: int, is_there: bool, after: str
) -> None:
    stage.before("A: . .", return_ms=return_ms)
    stage.let_in(1)
    assert stage.allot("Q", "A1")[0] == b"allotted"
    assert stage.hold(1, "A1 A2", terms=(0, 0, 0, 0, 1_800_000, (), ("oQ",)))[0] == b"held"
    if not is_there:
        assert stage.open("Q")[0] == b"opened"
    assert stage.release(1, "h1")[0] == b"released"
    if return_ms:
        stage.pass_time(1_000)
        stage.sweep()
    assert stage.after() == after
