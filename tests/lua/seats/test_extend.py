"""A hold is kept longer, once, while its payment is under way."""

from tests.lua.stage import HOLD_MS, Stage


def test_keeps_a_hold_longer_in_every_performance(stage: Stage) -> None:
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1)
    held = stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 0]], ["p", "q"])
    reply = stage.extend(1, "h1", ["p", "q"], extend_ms=30_000)
    assert reply[:2] == [b"extended", held[1] + 30_000]
    for performance in "pq":
        record = stage.held("h1", performance)
        assert record is not None
        assert (record[1], record[4]) == (reply[1], 1)
        assert stage.due(performance) == {"h1": reply[1]}
    stage.pass_time(HOLD_MS + 15_000)
    assert stage.confirm(1, "h1", ["p", "q"])[0] == b"confirmed"


def test_an_extended_hold_ends_all_the_same(stage: Stage) -> None:
    stage.before("A: h1 .")
    stage.extend(1, "h1", extend_ms=30_000)
    stage.pass_time(HOLD_MS + 30_001)
    stage.sweep()
    assert stage.after() == "A: . ."


def test_no_hold_outlives_its_longest_life(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    stage.hold(1, "A1", terms=(0, 0, 0, 0, HOLD_MS + 5_000))
    record = stage.held("h1")
    assert record is not None
    assert stage.extend(1, "h1", extend_ms=30_000)[1] == record[7] == record[1] + 5_000


def test_cannot_be_extended_twice(stage: Stage) -> None:
    stage.before("A: h1 .")
    stage.extend(1, "h1")
    with stage.nothing_changes():
        assert stage.extend(1, "h1") == [b"already_extended"]


def test_cannot_extend_another_visitors_hold(stage: Stage) -> None:
    stage.before("A: h1 .")
    with stage.nothing_changes():
        assert stage.extend(2, "h1") == [b"hold_ended"]


def test_cannot_extend_what_is_over(stage: Stage) -> None:
    stage.before("A: h1 s2")
    with stage.nothing_changes():
        assert stage.extend(2, "s2") == [b"hold_ended"]
        assert stage.extend(1, "never") == [b"hold_ended"]
    stage.pass_time(HOLD_MS + 1)
    assert stage.extend(1, "h1") == [b"hold_ended"]
    assert stage.after() == "A: . s"


def test_cannot_extend_a_hold_in_a_performance_where_it_is_not(stage: Stage) -> None:
    stage.before("A: h1 .", performance="p")
    stage.before("A: . .", performance="q")
    with stage.nothing_changes():
        assert stage.extend(1, "h1", ["p", "q"]) == [b"hold_ended"]


def test_cannot_extend_what_only_waits_to_come_back(stage: Stage) -> None:
    stage.before("A: h1 .", return_ms=30_000)
    stage.release(1, "h1")
    with stage.nothing_changes():
        assert stage.extend(1, "h1") == [b"hold_ended"]


def test_cannot_extend_what_is_over_though_nobody_has_swept_it_yet(stage: Stage) -> None:
    """A call sweeps a few due holds on its way and not all of them."""
    stage.before("A: " + " ".join("." * 20))
    stage.let_in(1)
    for number in range(20):
        stage.hold_packed(1, [[1, "seats", 0, number]], hold=f"hold {number:02}", limit=20, hold_ms=1000 + number)
    stage.pass_time(2000)
    assert stage.extend(1, "hold 19") == [b"hold_ended"]
    assert "hold 19" in stage.due()


def test_however_long_it_is_extended_a_hold_ends_by_its_longest_life(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    held = stage.hold(1, "A1", terms=(0, 0, 0, 0, HOLD_MS + 10_000))
    assert stage.extend(1, "h1", extend_ms=30_000)[1] == held[1] + 10_000
    assert stage.due() == {"h1": held[1] + 10_000}
