"""Other seats for somebody whose wish was taken."""

import pytest

from tests.lua.stage import Stage


@pytest.mark.parametrize(
    ("class_", "quantity", "suggested"),
    [
        ("A", 2, [0, 1]),  # the best of the class is the best anywhere: said once
        ("B", 3, [1, 0]),
        ("A", 3, [1, 0]),  # none in the class, but elsewhere
        ("B", 2, [1, 1, 0, 1]),  # the best of the class, and a better one elsewhere
        ("A", 5, []),
    ],
)
def test_alternatives_are_seats_together_in_the_class_and_anywhere(
    stage: Stage, class_: str, quantity: int, suggested: list[int]
) -> None:
    stage.before("A: s1 . .   B: . . . s1", categories={"A": "AAA", "B": "BBBB"})
    key, index, _ = stage.hall()
    with stage.nothing_changes():
        assert stage.ask("seats/suggest", [key, index], class_, quantity) == [b"suggested", *suggested]


def test_a_performance_that_is_not_there(stage: Stage) -> None:
    key, index, _ = stage.hall("elsewhere")
    assert stage.ask("seats/suggest", [key, index], "A", 1) == [b"unknown_performance"]
