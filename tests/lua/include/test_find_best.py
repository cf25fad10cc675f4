"""The best seats together: nobody left alone, as near to the row's middle as may be, in the first row that can."""

import random

import pytest

from tests.lua.drawing import can_serve
from tests.lua.stage import Stage


@pytest.mark.parametrize(
    ("before", "quantity", "seats"),
    [
        ("A: . . . . . . .", 1, "A4"),  # the middle
        ("A: . . . . . . . .", 2, "A3 A4"),  # beside it: of three on either side one would be over
        ("A: . . . . . . . . .", 3, "A4 A5 A6"),  # three on either side are just another such party
        ("A: . . . . . . .", 3, "A3 A4 A5"),
        ("A: . . . . . .", 2, "A3 A4"),
        ("A: . . . . .   B: . . . . .", 3, "A1 A2 A3"),  # the middle would leave one on either side
        ("A: . . . .   B: . . . . .", 3, "B1 B2 B3"),  # A would leave one alone
        ("A: . . . .", 3, "A1 A2 A3"),  # unless nothing else is left; of two as good, the first
        ("A: . . h1 . .   B: . . . .", 4, "B1 B2 B3 B4"),
        ("A: . h1 .   B: . .", 2, "B1 B2"),
        ("A: s1 . . .", 1, "A2"),  # beside others rather than between two free seats
        ("A: s1 . . . .", 2, "A2 A3"),
        ("A: . s1 . . . . . .", 1, "A5"),  # nearer than the first that leaves nobody alone
        ("A: x . . x", 2, "A2 A3"),
        ("A: . .   B: .", 1, "B1"),
        ("A: . .", 1, "A1"),
        ("A: . . . s1 . .", 2, "A5 A6"),  # the run of three would leave one
        ("A: . . . . . . . . .   B: . . . . . . . . . .", 10, "B1 B2 B3 B4 B5 B6 B7 B8 B9 B10"),
        ("A: . . . . . . . . . . .", 9, "A1 A2 A3 A4 A5 A6 A7 A8 A9"),
        ("A: . . . . . . . . . .   B: . . . . . . . . . .", 9, "A1 A2 A3 A4 A5 A6 A7 A8 A9"),  # both leave one alone
    ],
)
def test_holds_the_best_together(stage: Stage, before: str, quantity: int, seats: str) -> None:
    stage.before(before)
    stage.let_in(2)
    assert stage.seats(stage.best(2, quantity, limit=20)) == seats
    assert stage.index_is_right()


@pytest.mark.parametrize(
    ("before", "quantity", "largest"),
    [
        ("A: . . s1 . . .   B: s1 s1 s1", 5, 3),
        ("A: s1 s1", 1, 0),
        ("A: . h1 . x .", 2, 1),
        ("A: . . . . . . . . .", 10, 8),  # the index knows parties of up to eight
    ],
)
def test_says_how_large_a_party_still_finds_seats(stage: Stage, before: str, quantity: int, largest: int) -> None:
    stage.before(before)
    stage.let_in(2)
    with stage.nothing_changes():
        assert stage.best(2, quantity, limit=20) == [b"none", 1, largest]


def test_a_general_request_never_takes_an_access_place(stage: Stage) -> None:
    stage.before("A: . . . .", categories={"A": "AAaa"})
    stage.let_in(2)
    assert stage.seats(stage.best(2, 2)) == "A1 A2"
    assert stage.best(2, 1) == [b"none", 1, 0]
    assert stage.best(2, 1, "A") == [b"none", 1, 0]
    assert stage.seats(stage.best(2, 2, "a", hold="access")) == "A3 A4"
    assert stage.index_is_right()


def test_finds_the_best_in_a_category(stage: Stage) -> None:
    stage.before("A: . . . .   B: . . .", categories={"A": "AABB", "B": "BBB"})
    stage.let_in(2)
    assert stage.seats(stage.best(2, 3, "B")) == "B1 B2 B3"
    assert stage.seats(stage.best(2, 2, "A", hold="other")) == "A1 A2"
    assert stage.best(2, 3, "B") == [b"none", 1, 2]
    assert stage.index_is_right()


def test_a_general_request_may_span_categories_and_a_category_may_not(stage: Stage) -> None:
    stage.before("A: . . . .", categories={"A": "AABB"})
    stage.let_in(2)
    assert stage.best(2, 4, "A") == [b"none", 1, 2]
    assert stage.seats(stage.best(2, 4)) == "A1 A2 A3 A4"


def test_several_parties_of_one_request_do_not_get_the_same_seats(stage: Stage) -> None:
    stage.before("A: . . . .   B: . . .   C: . .")
    stage.let_in(2)
    held = stage.hold_packed(2, [[1, "best", "", 2], [1, "seats", 1, 1], [1, "best", "", 2], [1, "best", "", 2]])
    assert stage.seats(held) == "A1 A2 B2 A3 A4 C1 C2"
    assert stage.after() == "A: h h h h   B: . h .   C: h h"
    assert stage.index_is_right()


def test_a_second_party_of_one_request_leaves_nobody_alone_either(stage: Stage) -> None:
    """The index speaks of row A as it was; as it is now, two more would leave one."""
    stage.before("A: . . . . .   B: . .")
    stage.let_in(2)
    assert stage.seats(stage.hold_packed(2, [[1, "best", "", 2], [1, "best", "", 2]])) == "A1 A2 B1 B2"


@pytest.mark.parametrize("seed", range(6))
def test_finds_what_a_look_at_every_seat_finds(stage: Stage, seed: int) -> None:
    """Random halls: the first row that can without leaving anybody alone; else the first that can at all."""
    chance = random.Random(seed)
    letters = {
        name: "".join(chance.choice("AAAAAABBBa") for _ in range(chance.randrange(1, 12))) for name in "ABCDEFGHIJKL"
    }
    drawing = "   ".join(
        f"{name}: " + " ".join(chance.choice("...x") for _ in classes) for name, classes in letters.items()
    )
    stage.before(drawing, categories=letters, kinds=2)
    stage.let_in(2)
    outcomes = set()
    for number in range(60):
        k, class_ = chance.randrange(1, 7), chance.choice(["", "A", "B", "a"])
        rows = list(zip(stage.names["p"], stage.rows(), letters.values(), strict=True))
        clean = [name for name, row, classes in rows if can_serve(row, classes, class_, k, is_clean=True)]
        at_all = [name for name, row, classes in rows if can_serve(row, classes, class_, k, is_clean=False)]
        reply = stage.best(2, k, class_, hold=f"hold {number}", limit=1000)
        if not at_all:
            largest = max(
                (n for n in range(9) for _, row, each in rows if can_serve(row, each, class_, n, is_clean=False)),
                default=0,
            )
            assert reply == [b"none", 1, largest]
            outcomes.add("none")
            continue
        seats = stage.seats(reply).split()
        name, first = seats[0][0], int(seats[0][1:]) - 1
        assert name == (clean or at_all)[0], f"seed {seed}"
        assert seats == [f"{name}{first + step + 1}" for step in range(k)]
        row, classes = next((row, classes) for each, row, classes in rows if each == name)
        chosen = classes[first : first + k]
        assert row[first : first + k] == "o" * k
        assert set(chosen) == {class_} if class_ else chosen.isupper()
        if clean:
            left, right = row[:first], row[first + k :]
            assert len(left) - len(left.rstrip("o")) != 1
            assert len(right) - len(right.lstrip("o")) != 1
        outcomes.add("clean" if clean else "at all")
    assert {"clean", "none"} <= outcomes
    assert stage.index_is_right()
