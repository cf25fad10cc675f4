"""A house sets seats and places aside: blocked, or for somebody who sells them under its letter."""

from typing import Any

import pytest

from engine.best import as_text
from tests.lua.stage import Stage


@pytest.mark.parametrize(
    ("before", "letter", "seats", "after"),
    [
        ("A: . . .", "b", "A1 A3", "A: x . x"),
        ("A: x . .", "b", "A1 A2", "A: x x ."),
        ("A: . . .   B: . .", "P", "A1 A2 B2", "A: P P .   B: . P"),
    ],
)
def test_open_seats_are_set_aside(stage: Stage, before: str, letter: str, seats: str, after: str) -> None:
    stage.before(before)
    assert stage.allot(letter, seats)[0] == b"allotted"
    assert stage.after() == after
    assert stage.index_is_right()


@pytest.mark.parametrize(
    ("before", "letter", "seats", "taken"),
    [
        ("A: h1 . .", "b", "A1 A2", [0, 0]),
        ("A: s1 x .", "P", "A1 A2 A3", [0, 0, 0, 1]),
        ("A: . .", "P", "A3", [0, 2]),
    ],
)
def test_all_of_them_or_nothing(stage: Stage, before: str, letter: str, seats: str, taken: list[int]) -> None:
    stage.before(before)
    with stage.nothing_changes():
        assert stage.allot(letter, seats) == [b"taken", *taken]


def test_places_are_set_aside_by_count(stage: Stage) -> None:
    stage.before("A: . .", areas=(10, 4))
    with stage.nothing_changes():
        assert stage.allot("P", "A1", [0, 3, 0, 1, 5, 0]) == [b"few", 1, 4]
    assert stage.allot("P", "A1", [0, 3, 0, 1, 4, 0])[0] == b"allotted"
    assert [stage.area(name) for name in (0, 1, "P0", "P1")] == [(7, 0), (0, 0), (3, 0), (4, 0)]


def test_a_letter_is_given_once_and_a_repeat_changes_nothing(stage: Stage) -> None:
    stage.before("A: . . . .")
    stage.allot("P", "A1", name="partner")
    with stage.nothing_changes():
        assert stage.allot("P", "A1", name="partner") == [b"exists"]
        assert stage.allot("P", "A2", name="another") == [b"letter_used", b"partner"]


def test_nobody_of_the_public_can_hold_what_is_set_aside(stage: Stage) -> None:
    stage.before("A: . . .", areas=(2,))
    stage.let_in(1)
    stage.allot("b", "A1")
    stage.allot("P", "A2", [0, 2, 0])
    assert stage.hold(1, "A1 A2") == [b"taken", 1, 0, 0, 1, 0, 1]
    assert stage.best(1, 2) == [b"none", 1, 1]
    assert stage.stand(1, 1) == [b"none", 1, 0]


def partners(letters: str) -> dict[str, Any]:
    """Somebody of the house who may take what has one of these letters in its row."""
    return {"place": "", "terms": (0, 0, 0, 0, 1_800_000, (), (letters,))}


def test_a_partner_holds_what_is_its_own_and_nothing_else(stage: Stage) -> None:
    stage.before("A: . . . . .   B: . . .", areas=(5,))
    stage.allot("P", "A1 A2 B2 B3", [0, 2, 0])
    stage.allot("Q", "A3")
    assert stage.hold(1, "A1 A3 A4", hold="no", **partners("P")) == [b"taken", 1, 0, 2, 1, 0, 3]
    own = [[1, "best", "", 2, {"from": "P"}], [1, "seats", 1, 2], [1, "area", "P0", 2]]
    assert stage.seats(stage.hold_packed(1, own, **partners("P"))) == "A1 A2 B3"
    assert stage.hold_packed(2, [[1, "best", "", 2, {"from": "P"}]], **partners("P")) == [b"none", 1, 1]
    assert stage.hold_packed(2, [[1, "area", "P0", 1]], **partners("P")) == [b"none", 1, 0]
    assert stage.after() == "A: h h Q . .   B: . P h"
    assert (stage.area(), stage.area("P0")) == ((3, 0), (0, 0))


@pytest.mark.parametrize(
    ("class_", "k", "wish", "seats"),
    [
        ("", 2, {}, "A2 A3"),
        ("", 2, {"mask": as_text(b"\x40")}, "B1 B2"),
        ("B", 1, {}, "A3"),
        ("", 2, {"near": [1, 1]}, "B1 B2"),
        ("", 2, {"near": [2, 1]}, "A2 A3"),
        ("", 5, {"split": 4}, "A1 A2 A3 B1 B2"),
    ],
)
def test_a_wish_says_the_same_of_a_share_as_of_what_is_open(
    stage: Stage, class_: str, k: int, wish: dict[str, Any], seats: str
) -> None:
    stage.before("A: . . . .   B: . . .   C: . . . . .", categories={"A": "AABA"})
    stage.allot("P", "A1 A2 A3 B1 B2")
    asked = [[1, "best", class_, k, wish | {"from": "P"}]]
    assert stage.seats(stage.hold_packed(1, asked, **partners("P"))) == seats


@pytest.mark.parametrize(
    ("class_", "wish", "largest"),
    [("", {}, 3), ("B", {}, 1), ("", {"mask": as_text(b"\x40")}, 2), ("", {"edge": 2}, 0), ("", {"edge": 1}, 3)],
)
def test_whoever_finds_no_room_in_a_share_is_told_of_the_largest_party_that_does(
    stage: Stage, class_: str, wish: dict[str, Any], largest: int
) -> None:
    stage.before("A: . . . .   B: . . .", categories={"A": "AABA"})
    stage.allot("P", "A1 A2 A3 B1 B2")
    asked = [[1, "best", class_, 6, wish | {"from": "P"}]]
    assert stage.hold_packed(1, asked, **partners("P")) == [b"none", 1, largest]


def test_staff_take_house_seats_and_open_ones_alike(stage: Stage) -> None:
    stage.before("A: . . . x")
    stage.allot("H", "A2")
    assert stage.hold(1, "A1 A2 A3", **partners("oH"))[0] == b"held"
    assert stage.after() == "A: h h h x"


def test_what_a_partner_lets_go_is_its_own_again(stage: Stage) -> None:
    stage.before("A: . . .", areas=(5,))
    stage.allot("P", "A1 A2", [0, 2, 0])
    stage.hold_packed(1, [[1, "seats", 0, 0, 0, 1, 0, 2], [1, "area", "P0", 1], [1, "area", 0, 1]], **partners("oP"))
    assert (stage.after(), stage.area(), stage.area("P0")) == ("A: h h h", (2, 0), (1, 0))
    stage.release(1, "h1")
    assert (stage.after(), stage.area(), stage.area("P0")) == ("A: P P .", (3, 0), (2, 0))
    assert stage.index_is_right()


def test_the_best_that_a_partner_lets_go_are_its_own_again(stage: Stage) -> None:
    stage.before("A: . . . .")
    stage.allot("P", "A1 A2 A3")
    asked = [[1, "best", "", 2, {"from": "P"}]]
    assert stage.seats(stage.hold_packed(1, asked, **partners("P"))) == "A2 A3"
    stage.release(1, "h1")
    assert stage.after() == "A: P P P ."
    assert stage.index_is_right()


def test_what_is_held_when_an_allotment_ends_comes_back_to_everybody(stage: Stage) -> None:
    stage.before("A: . . .", areas=(5,))
    stage.allot("P", "A1 A2", [0, 2, 0])
    stage.hold_packed(1, [[1, "seats", 0, 0], [1, "area", "P0", 1]], hold="back", **partners("P"))
    stage.hold_packed(1, [[1, "seats", 0, 1], [1, "area", "P0", 1]], hold="sold", **partners("P"))
    stage.open("P")
    stage.confirm(1, "sold")
    stage.release(1, "back")
    assert (stage.after(), stage.area()) == ("A: . s .", (4, 1))
    assert stage.area("P0") == (0, 0)
    assert stage.index_is_right()


def test_what_is_sold_of_an_allotment_is_sold(stage: Stage) -> None:
    stage.before("A: . . .", areas=(5,))
    stage.allot("P", "A1 A2", [0, 2, 0])
    stage.hold_packed(1, [[1, "seats", 0, 0], [1, "area", "P0", 1]], **partners("P"))
    stage.confirm(1, "h1")
    assert (stage.after(), stage.area(), stage.area("P0")) == ("A: s P .", (3, 0), (1, 1))
    assert stage.open("P")[0] == b"opened"
    assert (stage.after(), stage.area(), stage.area("P0")) == ("A: s . .", (4, 1), (0, 0))


def test_the_history_tells_of_it(stage: Stage) -> None:
    stage.before("A: . . .", areas=(5,))
    stage.allot("P", "A1 A2", [0, 2, 0])
    stage.allot("b", "A3")
    stage.open("P")
    assert [(verb, who, seats, areas) for _, _, _, _, verb, who, _, seats, areas in stage.told()] == [
        ("allot", "house", [0, 0, 1, "P", 0, 1, 1, "P"], [0, -2, 0, "P0", 2, 0]),
        ("block", "house", [0, 2, 1, "b"], []),
        ("open", "house", [0, 0, 2, "o"], ["P0", -2, 0, 0, 2, 0]),
    ]


@pytest.mark.parametrize("sold", [40, 300])
@pytest.mark.parametrize(("k", "split", "found"), [(4, 1, "hhbhh PPbPP"), (6, 4, "hhbhh hhbPP")])
def test_a_party_is_split_in_what_is_left_of_a_large_share(
    stage: Stage, sold: int, k: int, split: int, found: str
) -> None:
    """However many of its rows are taken already: the best are, as a rule."""
    names = [chr(0x4E00 + row) for row in range(sold + 2)]
    stage.before("   ".join(f"{name}: . . x . ." for name in names))
    stage.allot("P", " ".join(f"{name}{seat}" for name in names for seat in (1, 2, 4, 5)))
    taken = [[1, "seats", *(part for seat in (0, 1, 3, 4) for part in (row, seat))] for row in range(sold)]
    assert stage.hold_packed(1, taken, **partners("P") | {"limit": 10_000})[0] == b"held"
    assert stage.hold_packed(2, [[1, "best", "", k, {"from": "P", "split": split}]], **partners("P"))[0] == b"held"
    assert " ".join(stage.rows()[sold:]) == found
