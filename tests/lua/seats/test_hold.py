"""A visitor takes seats, the best together, or standing places: all of them or nothing."""

from typing import Any

import pytest

from tests.lua.stage import HOLD_MS, Stage, pack


@pytest.mark.parametrize(
    ("before", "seats", "after"),
    [
        ("A: . . .   B: . .", "A1 A2", "A: h h .   B: . ."),
        ("A: . . .   B: . .", "A3 B1", "A: . . h   B: h ."),
        ("A: s1 . x", "A2", "A: s h x"),
        ("A: . h1 .", "A1 A3", "A: h h h"),
    ],
)
def test_holds_named_seats(stage: Stage, before: str, seats: str, after: str) -> None:
    stage.before(before)
    stage.let_in(2)
    assert stage.seats(stage.hold(2, seats)) == seats
    assert stage.after() == after
    assert stage.index_is_right()


def test_a_hold_says_who_has_what_until_when(stage: Stage) -> None:
    stage.before("A: . . .", areas=(5, 5))
    stage.let_in(1)
    now = stage.now_ms()
    items = [[1, "seats", 0, 2, 0, 0], [1, "area", 1, 3]]
    word, expires_at_ms, _, record = stage.hold_packed(1, items, hold="mine")
    assert word == b"held"
    assert now + HOLD_MS <= expires_at_ms <= stage.now_ms() + HOLD_MS
    assert record == pack(["v1", expires_at_ms, [0, 2, 1, 0, 0, 1], [1, 3], 0])
    assert stage.held("mine") == ["v1", expires_at_ms, [0, 2, 1, 0, 0, 1], [1, 3], 0]
    assert stage.due() == {"mine": expires_at_ms}
    assert stage.owned(1) == 5


def test_neighbours_named_in_order_are_one_run(stage: Stage) -> None:
    stage.before("A: . . . .   B: . .")
    stage.let_in(1)
    reply = stage.hold(1, "A2 A3 A4 B1 A1", hold="mine")
    assert stage.seats(reply) == "A2 A3 A4 B1 A1"
    record = stage.held("mine")
    assert record is not None
    assert record[2] == [0, 1, 3, 1, 0, 1, 0, 0, 1]
    assert stage.index_is_right()


@pytest.mark.parametrize(
    ("before", "wanted", "taken"),
    [
        ("A: . . h1", "A1 A3", [1, 0, 2]),
        ("A: x s1 .", "A1 A2 A3", [1, 0, 0, 1, 0, 1]),
        ("A: . .   B: . h1", "A1 B2", [1, 1, 1]),
        ("A: . .", "A1 A1", [1, 0, 0]),  # a seat twice in one request
        ("A: . .", "A2 A3", [1, 0, 2]),  # a seat that the row does not have
    ],
)
def test_cannot_hold_any_if_one_is_taken(stage: Stage, before: str, wanted: str, taken: list[int]) -> None:
    stage.before(before)
    stage.let_in(2)
    with stage.nothing_changes():
        assert stage.hold(2, wanted) == [b"taken", *taken]


def test_holds_standing_places_until_they_are_gone(stage: Stage) -> None:
    stage.before("A: . .", areas=(5, 1))
    stage.let_in(1, 2)
    assert stage.stand(1, 3)[0] == b"held"
    with stage.nothing_changes():
        assert stage.stand(2, 3) == [b"none", 1, 2]
        assert stage.hold_packed(2, [[1, "area", 0, 1], [1, "area", 0, 2]]) == [b"none", 2, 1]
    assert stage.hold_packed(2, [[1, "area", 0, 1], [1, "area", 0, 1], [1, "area", 1, 1]])[0] == b"held"
    assert (stage.area(0), stage.area(1)) == ((0, 0), (0, 0))
    with stage.nothing_changes():
        assert stage.stand(2, 1, hold="more") == [b"none", 1, 0]


def test_holds_over_several_performances(stage: Stage) -> None:
    stage.before("A: . . .", performance="p", areas=(2,))
    stage.before("A: . s1 .   B: . .", performance="q")
    stage.let_in(2)
    items = [[1, "seats", 0, 0], [2, "best", "", 2], [1, "area", 0, 2]]
    held = stage.hold_packed(2, items, ["p", "q"])
    assert (stage.seats(held, "p", 0), stage.seats(held, "q", 1)) == ("A1", "B1 B2")
    assert (stage.after("p"), stage.after("q")) == ("A: h . .", "A: . s .   B: h h")
    assert stage.due("p") == stage.due("q") == {"h2": held[1]}


@pytest.mark.parametrize(
    ("items", "answer"),
    [
        ([[1, "seats", 0, 0], [2, "seats", 0, 1]], [b"taken", 2, 0, 1]),
        ([[1, "area", 0, 2], [2, "best", "", 2]], [b"none", 2, 1]),
        ([[2, "seats", 0, 0], [1, "area", 0, 3]], [b"none", 2, 2]),
        ([[1, "best", "", 3], [2, "area", 0, 1]], [b"none", 2, 0]),
        ([[1, "seats", 0, 0], [2, "seats", 0, 0, 0, 2], [1, "area", 0, 2]], [b"limit", 1, 1]),
    ],
)
def test_holds_over_several_performances_or_none(stage: Stage, items: list[list[Any]], answer: list[Any]) -> None:
    stage.before("A: . . .", performance="p", areas=(2,))
    stage.before("A: . s1 .", performance="q", areas=(0,))
    stage.let_in(2)
    with stage.nothing_changes():
        assert stage.hold_packed(2, items, ["p", "q"], limit=2 if answer[0] == b"limit" else 8) == answer


def test_cannot_have_more_than_the_limit_over_all_holds_and_orders(stage: Stage) -> None:
    stage.before("A: . . . . .", areas=(9,))
    stage.let_in(1, 2)
    assert stage.hold(1, "A1 A2", limit=3, hold="one")[0] == b"held"
    with stage.nothing_changes():
        assert stage.hold(1, "A3 A4", limit=3) == [b"limit", 1, 2]
        assert stage.stand(1, 2, limit=3) == [b"limit", 1, 2]
    stage.confirm(1, "one")
    stage.let_in(1)
    with stage.nothing_changes():
        assert stage.best(1, 2, limit=3) == [b"limit", 1, 2]  # what was bought counts as well
    assert stage.hold(1, "A3", limit=3)[0] == b"held"
    assert stage.hold(2, "A4 A5", limit=3)[0] == b"held"  # everyone has a limit of one's own
    assert stage.after() == "A: s s h h h"


def test_what_was_let_go_does_not_count(stage: Stage) -> None:
    stage.before("A: . . . .")
    stage.let_in(1)
    stage.hold(1, "A1 A2", limit=2)
    stage.release(1, "h1")
    assert stage.hold(1, "A3 A4", limit=2, hold="again")[0] == b"held"


def test_cannot_hold_without_a_live_pass(stage: Stage) -> None:
    stage.before("A: . .")
    with stage.nothing_changes():
        assert stage.hold(7, "A1") == [b"pass_ended"]
    stage.let_in(7, ms=30_000)
    stage.pass_time(30_001)
    with stage.nothing_changes():
        assert stage.hold(7, "A1") == [b"pass_ended"]


def test_the_houses_own_staff_need_no_pass(stage: Stage) -> None:
    stage.before("A: . .")
    stage.set_sale(phase="closed")
    assert stage.hold(7, "A1", place="")[0] == b"held"


@pytest.mark.parametrize("phase", ["paused", "sold_out"])
def test_whoever_is_in_goes_on(stage: Stage, phase: str) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    stage.set_sale(phase=phase)
    assert stage.hold(1, "A1")[0] == b"held"


def test_cannot_hold_once_the_sale_is_closed(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    stage.set_sale(phase="closed")
    with stage.nothing_changes():
        assert stage.hold(1, "A1") == [b"ended", b"closed"]


def test_cannot_hold_when_one_of_the_performances_is_unknown(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    with stage.nothing_changes():
        items = [[1, "seats", 0, 0], [2, "seats", 0, 0]]
        assert stage.hold_packed(1, items, ["p", "elsewhere"]) == [b"unknown_performance"]


def test_a_refusal_is_decided_again(stage: Stage) -> None:
    stage.before("A: . h1")
    stage.let_in(2)
    operation = stage.key()
    assert stage.hold(2, "A2", operation=operation)[0] == b"taken"
    stage.release(1, "h1")
    assert stage.hold(2, "A2", operation=operation)[0] == b"held"


def test_a_repeat_gets_the_first_answer_even_when_the_sale_has_moved_on(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    operation = stage.key()
    first = stage.hold(1, "A1", operation=operation)
    stage.confirm(1, "h1")
    stage.set_sale(phase="closed")
    with stage.nothing_changes():
        assert stage.hold(1, "A1", operation=operation) == first


def test_a_due_hold_is_ended_on_the_way(stage: Stage) -> None:
    stage.before("A: . .", areas=(2,))
    stage.let_in(1, 2)
    stage.hold_packed(1, [[1, "seats", 0, 0, 0, 1], [1, "area", 0, 2]])
    stage.pass_time(HOLD_MS - 30_000)
    assert stage.hold(2, "A1")[0] == b"taken"
    stage.pass_time(30_001)
    stage.let_in(2)
    assert stage.seats(stage.hold_packed(2, [[1, "seats", 0, 0, 0, 1], [1, "area", 0, 2]])) == "A1 A2"
    assert (stage.owned(1), stage.owned(2)) == (0, 4)
    assert stage.index_is_right()


def test_a_due_hold_is_ended_even_if_the_hold_is_refused_then(stage: Stage) -> None:
    stage.before("A: h1 s3")
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(2)
    assert stage.hold(2, "A2") == [b"taken", 1, 0, 1]
    assert stage.after() == "A: . s"
    assert stage.index_is_right()


def test_a_hold_at_its_last_moment_ends_in_every_performance(stage: Stage) -> None:
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1, 2)
    stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 0]], ["p", "q"])
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(2)
    assert stage.hold(2, "A2", performance="p")[0] == b"held"
    assert stage.hold(2, "A2", performance="q", hold="other")[0] == b"held"
    assert (stage.after("p"), stage.after("q")) == ("A: . h", "A: . h")


def test_every_change_has_a_version_of_its_own(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)

    def version() -> int:
        return int(stage.hash(stage.hall()[0])[b"v"])

    versions = [version()]
    stage.hold(1, "A1")
    versions.append(version())
    stage.confirm(1, "h1")
    versions.append(version())
    stage.mark("o", "b", "A2")
    versions.append(version())
    assert versions == sorted(set(versions))
