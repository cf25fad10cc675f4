"""Due holds end when nobody's request does it on the way."""

import pytest

from tests.lua.stage import HOLD_MS, Stage


def test_ends_what_is_due_and_nothing_else(stage: Stage) -> None:
    stage.before("A: . . . .", areas=(3,))
    stage.let_in(1, 2)
    stage.hold_packed(1, [[1, "seats", 0, 0, 0, 1], [1, "area", 0, 2]], hold="short", hold_ms=10_000)
    stage.hold(2, "A3", hold="long", hold_ms=100_000)
    with stage.nothing_changes_but("sequence"):
        assert stage.sweep()[:2] == [b"swept", 0]
    stage.pass_time(30_000)
    assert stage.sweep()[:3] == [b"swept", 1, 0]
    assert (stage.after(), stage.area()) == ("A: . . h .", (3, 0))
    assert stage.due().keys() == {"long"}
    assert (stage.owned(1), stage.owned(2)) == (0, 1)
    assert stage.held("short") is None
    assert stage.index_is_right()


def test_ends_no_more_than_it_is_asked_to(stage: Stage) -> None:
    stage.before("A: h1 h2 h3 h4 h5")
    stage.pass_time(HOLD_MS + 1)
    assert [stage.sweep(limit=2)[1] for _ in range(4)] == [2, 2, 1, 0]
    assert stage.after() == "A: . . . . ."
    assert stage.index_is_right()


def test_what_ends_by_itself_comes_back_as_late_as_what_is_let_go(stage: Stage) -> None:
    stage.before("A: h1 .", return_ms=10**9)
    stage.pass_time(HOLD_MS + 1)
    stage.sweep()
    assert stage.after() == "A: h ."
    record = stage.held("h1")
    assert record is not None
    assert record[0] == ""
    stage.pass_time(10**9)
    stage.sweep()
    assert stage.after() == "A: . ."


@pytest.mark.parametrize(
    ("before", "categories", "areas", "is_sold_out"),
    [
        ("A: s1 s1", "AA", (), 1),
        ("A: s1 x", "AA", (), 1),
        ("A: s1 .", "AA", (), 0),
        ("A: s1 h1", "AA", (), 0),  # may still come back
        ("A: s1 .", "Aa", (), 0),  # a wheelchair place is a place
        ("A: s1 s1", "AA", (0, 0), 1),
        ("A: s1 s1", "AA", (0, 1), 0),
    ],
)
def test_says_when_nothing_is_left(
    stage: Stage, before: str, categories: str, areas: tuple[int, ...], is_sold_out: int
) -> None:
    stage.before(before, categories={"A": categories}, areas=areas)
    assert stage.sweep()[1:3] == [0, is_sold_out]


def test_what_a_call_ends_on_its_way_has_a_version_of_its_own(stage: Stage) -> None:
    stage.before("A: h1 . .")
    version = int(stage.hash(stage.hall()[0])[b"v"])
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(2)
    assert stage.hold(2, "A2")[0] == b"held"
    assert int(stage.hash(stage.hall()[0])[b"v"]) == version + 2


def test_the_history_tells_what_ended_by_the_clock_and_what_came_back_then(stage: Stage) -> None:
    stage.before("A: h1 .", return_ms=10_000)
    stage.pass_time(HOLD_MS + 1)
    stage.sweep()
    stage.pass_time(10_001)
    stage.sweep()
    assert [entry[4:] for entry in stage.told()][-2:] == [
        ["expire", "clock", "h1", [], []],
        ["return", "clock", "h1", [0, 0, 1, "o"], []],
    ]
