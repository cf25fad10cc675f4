"""Who leaves lets go soon; who comes back in time has what they had."""

import pytest

from tests.lua.stage import HOLD_MS, Stage

GRACE_MS = 5_000


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.before("A: h1 h1 . h2", areas=(5,))
    return stage


def end_of(stage: Stage, hold: str = "h1", performance: str = "p") -> int:
    record = stage.held(hold, performance)
    assert record is not None
    assert stage.due(performance)[hold] == record[1]
    return int(record[1])


def test_what_is_left_ends_soon_and_comes_back(stage: Stage) -> None:
    word, expires_at_ms, _ = stage.leave(1, "h1", 1, GRACE_MS)
    assert word == b"held"
    assert expires_at_ms == end_of(stage)
    assert 0 < expires_at_ms - stage.now_ms() <= GRACE_MS
    assert end_of(stage, "h2") > stage.now_ms() + GRACE_MS  # the other visitor's
    stage.pass_time(GRACE_MS + 1)
    stage.let_in(3)
    assert stage.hold(3, "A1 A2")[0] == b"held"
    assert stage.index_is_right()


def test_who_comes_back_in_time_has_their_former_end(stage: Stage) -> None:
    before = end_of(stage)
    for round_ in (0, 10):
        stage.leave(1, "h1", round_ + 1, GRACE_MS)
        assert end_of(stage) < before
        assert stage.leave(1, "h1", round_ + 2, 0)[:2] == [b"held", before]
        assert end_of(stage) == before


def test_leaving_twice_gives_no_more_time_and_never_a_later_end(stage: Stage) -> None:
    before = end_of(stage)
    assert stage.leave(1, "h1", 1, 10 * HOLD_MS)[1] == before
    stage.leave(1, "h1", 2, GRACE_MS)
    stage.leave(1, "h1", 3, GRACE_MS)
    assert stage.leave(1, "h1", 4, 0)[1] == before


def test_the_newest_word_counts_in_whatever_order_they_come(stage: Stage) -> None:
    before = end_of(stage)
    stage.leave(1, "h1", 20, 0)
    assert stage.leave(1, "h1", 10, GRACE_MS)[1] == before  # said before the page was loaded again
    assert stage.leave(1, "h1", 20, GRACE_MS)[1] == before
    stage.leave(1, "h1", 30, GRACE_MS)
    assert stage.leave(1, "h1", 25, 0)[1] < before


def test_what_is_being_paid_ends_when_it_would(stage: Stage) -> None:
    stage.wait_for_payment(1, "h1")
    before = end_of(stage)
    assert stage.leave(1, "h1", 1, GRACE_MS)[1] == before
    assert end_of(stage) == before


def test_who_pays_after_all_buys_what_was_held(stage: Stage) -> None:
    stage.leave(1, "h1", 1, GRACE_MS)
    assert stage.confirm(1, "h1")[0] == b"confirmed"
    assert stage.after() == "A: s s . h"


def test_another_visitors_and_an_ended_hold(stage: Stage) -> None:
    with stage.nothing_changes():
        assert stage.leave(2, "h1", 1, GRACE_MS) == [b"hold_ended"]
        assert stage.leave(1, "none", 1, GRACE_MS) == [b"hold_ended"]
    stage.leave(1, "h1", 1, GRACE_MS)
    stage.pass_time(GRACE_MS + 1)
    with stage.nothing_changes():
        assert stage.leave(1, "h1", 2, 0) == [b"hold_ended"]


def test_in_every_performance_at_once(stage: Stage) -> None:
    stage.before("A: . .", performance="q")
    stage.let_in(3)
    stage.hold_packed(3, [[1, "area", 0, 2], [2, "seats", 0, 0]], ["p", "q"], hold="both")
    before = end_of(stage, "both")
    stage.leave(3, "both", 1, GRACE_MS, performances=["p", "q"])
    assert end_of(stage, "both") == end_of(stage, "both", "q") < before
    stage.leave(3, "both", 2, 0, performances=["p", "q"])
    assert end_of(stage, "both") == end_of(stage, "both", "q") == before


def test_whoever_does_something_with_it_in_time_has_not_left(stage: Stage) -> None:
    """Another tab of the same visitor, say."""
    before = end_of(stage)
    stage.leave(1, "h1", 1, GRACE_MS)
    assert stage.swap(1, "h1", "A2 A3")[:2] == [b"held", before]
    stage.leave(1, "new", 2, GRACE_MS)
    assert stage.extend(1, "new", extend_ms=30_000)[1] == before + 30_000
    assert end_of(stage, "new") == before + 30_000
