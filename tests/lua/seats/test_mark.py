"""A house blocks seats and opens them again."""

import pytest

from tests.lua.stage import Stage


@pytest.mark.parametrize(
    ("before", "change", "seats", "after"),
    [
        ("A: . . .", "ob", "A1 A3", "A: x . x"),
        ("A: x x .", "bo", "A2", "A: x . ."),
        ("A: s1 . .", "so", "A1", "A: . . ."),
        ("A: . .   B: . .", "os", "A2 B1", "A: . s   B: s ."),
    ],
)
def test_sets_seats_from_one_state_to_another(stage: Stage, before: str, change: str, seats: str, after: str) -> None:
    stage.before(before)
    assert stage.mark(change[0], change[1], seats)[0] == b"marked"
    assert stage.after() == after
    assert stage.index_is_right()


@pytest.mark.parametrize(
    ("before", "change", "seats", "taken"),
    [
        ("A: h1 . .", "ob", "A1 A2", [0, 0]),
        ("A: s1 x .", "ob", "A1 A2 A3", [0, 0, 0, 1]),
        ("A: . . .", "bo", "A2", [0, 1]),
        ("A: . .", "ob", "A1 A1", [0, 0]),
        ("A: . .", "ob", "A3", [0, 2]),
    ],
)
def test_cannot_set_any_unless_all_are_as_they_should_be(
    stage: Stage, before: str, change: str, seats: str, taken: list[int]
) -> None:
    stage.before(before)
    with stage.nothing_changes():
        assert stage.mark(change[0], change[1], seats) == [b"taken", *taken]


def test_nobody_can_hold_a_blocked_seat(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    stage.mark("o", "b", "A2")
    assert stage.hold(1, "A2") == [b"taken", 1, 0, 1]
    assert stage.best(1, 2) == [b"none", 1, 1]
