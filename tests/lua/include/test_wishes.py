"""What a wish for the best may say: a mask, an end of the row, near a seat, split in the least bad way, a unit."""

from typing import Any

import pytest

from engine.best import as_text
from tests.lua.stage import Stage, pack

HALL = "A: . . . .   B: . . . .   C: . . . ."


def bits(*blocks: int) -> Any:
    """A mask that allows these blocks."""
    return as_text(bytes([sum(128 >> block for block in blocks)]))


def lay(stage: Stage, drawing: str, categories: dict[str, str] | None = None) -> None:
    stage.before(drawing, categories=categories)
    stage.let_in(2)


def best(stage: Stage, k: int, class_: str = "", **wish: Any) -> Any:
    return stage.hold_packed(2, [[1, "best", class_, k, wish]], limit=20)


def test_a_mask_allows_some_rows_only(stage: Stage) -> None:
    lay(stage, HALL)
    assert stage.seats(best(stage, 2, mask=bits(1, 2))) == "B1 B2"
    assert stage.index_is_right()


def test_nothing_in_the_mask_is_nothing(stage: Stage) -> None:
    lay(stage, "A: . . . .   B: s1 s1 s1 .")
    with stage.nothing_changes():
        assert best(stage, 2, mask=bits(1)) == [b"none", 1, 1]


@pytest.mark.parametrize(("edge", "seats"), [(1, "B1 B2"), (2, "A3 A4"), (3, "A3 A4")])
def test_an_end_of_the_row(stage: Stage, edge: int, seats: str) -> None:
    lay(stage, "A: s1 . . .   B: . . . s1")
    reply = stage.hold_packed(2, [[1, "best", "", 2, {"edge": edge}]])
    assert stage.seats(reply) == seats
    assert stage.index_is_right()


@pytest.mark.parametrize(
    ("left", "right", "seats"),
    [
        (bits(1), bits(0), "A3 A4"),
        (bits(0, 1), bits(), "A1 A2"),
        (bits(1), bits(), "B1 B2"),
        (bits(), bits(), None),
    ],
)
@pytest.mark.parametrize("more", [{}, {"near": [0, 1, 1, 1]}, {"mask": bits(0, 1)}])
def test_where_either_end_will_do_it_is_one_that_is_meant(
    stage: Stage, left: Any, right: Any, seats: str | None, more: dict[str, Any]
) -> None:
    lay(stage, "A: . . . .   B: . . . .")
    reply = best(stage, 2, edge=3, ends=[left, right], **more)
    assert stage.seats(reply) == seats if seats else reply[0] == b"none"


@pytest.mark.parametrize(("left", "right", "seats"), [((0, 2), (2,), "A1 A2 C1 C2"), ((2,), (0, 2), "A4 A5 C1 C2")])
def test_a_party_apart_sits_at_ends_that_are_meant(
    stage: Stage, left: tuple[int, ...], right: tuple[int, ...], seats: str
) -> None:
    lay(stage, "A: . . s1 . .   B: . . .   C: . . .")
    _with_neighbours(stage, 0, [1], [2], [1, 2])
    reply = best(stage, 4, edge=3, ends=[bits(*left), bits(*right)], mask=bits(0, 1, 2), split=2)
    assert sorted(stage.seats(reply).split()) == seats.split()


@pytest.mark.parametrize(
    ("wish", "largest"),
    [({"edge": 1}, 1), ({"edge": 2}, 3), ({"edge": 3}, 3), ({"edge": 3, "ends": [bits(0, 1), bits()]}, 1)],
)
def test_who_finds_no_room_at_an_aisle_is_told_how_many_would(stage: Stage, wish: dict[str, Any], largest: int) -> None:
    lay(stage, "A: . s1 . . . . s1   B: s1 . . .")
    assert best(stage, 4, **wish) == [b"none", 1, largest]


def test_near_comes_before_better(stage: Stage) -> None:
    lay(stage, HALL)
    assert stage.seats(best(stage, 2, near=[2, 4, 1, 4])) == "C3 C4"


def test_where_nothing_near_is_left_the_best_anywhere(stage: Stage) -> None:
    lay(stage, "A: . . . .   B: s1 s1 s1 s1   C: s1 s1 s1 s1")
    assert stage.seats(best(stage, 2, near=[2, 4, 1, 4])) == "A1 A2"


def test_a_unit_is_whole_or_nothing(stage: Stage) -> None:
    lay(stage, "A: . . .   B: . .", {"A": "aaa", "B": "aa"})
    assert stage.seats(best(stage, 2, "a", unit=True)) == "B1 B2"
    assert best(stage, 2, "a", unit=True)[0] == b"none"


def _with_neighbours(stage: Stage, block: int, *levels: list[int]) -> None:
    stage.redis.execute_command("HSET", stage.hall()[0], f"g{block}", pack(levels))


@pytest.mark.parametrize(
    ("drawing", "split", "seats"),
    [
        ("A: . . s1 . .   B: . .   C: . .", 4, "A1 A2 A4 A5"),  # the same row
        ("A: . . s1 s1 s1   B: . .   C: . .", 1, "A1 A2 B1 B2"),  # across the aisle
        ("A: . . s1 s1 s1   B: s1 s1   C: . .", 2, "A1 A2 C1 C2"),
        ("A: . . s1 s1 s1   B: s1 s1   C: s1 s1   D: . .", 3, "A1 A2 D1 D2"),
        ("A: . s1 . s1 s1   B: s1 s1   C: s1 s1   D: s3 s3   E: . .", 4, "E1 E2 A1 A3"),
    ],
)
def test_a_party_is_split_in_the_least_bad_way(stage: Stage, drawing: str, split: int, seats: str) -> None:
    lay(stage, drawing)
    _with_neighbours(stage, 0, [1], [2], [1, 2, 3])
    reply = best(stage, 4, split=split)
    assert sorted(stage.seats(reply).split()) == sorted(seats.split())
    assert stage.index_is_right()


def test_a_party_that_may_not_be_split_so_far_is_refused(stage: Stage) -> None:
    lay(stage, "A: . . s1 s1 s1   B: s1 s1   C: . .")
    _with_neighbours(stage, 0, [1], [2], [1, 2])
    with stage.nothing_changes():
        assert best(stage, 4, split=1) == [b"none", 1, 2]


def test_a_unit_is_not_split_either(stage: Stage) -> None:
    lay(stage, "A: . .   B: . .", {"A": "aa", "B": "aa"})
    _with_neighbours(stage, 0, [1], [], [])
    with stage.nothing_changes():
        assert best(stage, 4, "a", unit=True, split=4)[0] == b"none"
    assert stage.seats(best(stage, 4, "a", split=4)) == "A1 A2 B1 B2"


@pytest.mark.parametrize("wish", [{}, {"mask": bits(0, 1)}])
def test_a_party_of_eight_finds_the_row_of_eight(stage: Stage, wish: dict[str, Any]) -> None:
    """Seven would leave one alone there, and not in the row of ten."""
    lay(stage, "A: . . . . . . . .   B: . . . . . . . . . .")
    assert stage.seats(best(stage, 8, **wish)) == "A1 A2 A3 A4 A5 A6 A7 A8"


def test_a_split_seats_nobody_alone_where_it_need_not(stage: Stage) -> None:
    lay(stage, "A: . . . . s1 .   B: . .")
    _with_neighbours(stage, 0, [], [1], [])
    assert stage.seats(best(stage, 5, split=1)) == "A1 A2 A3 A4 A6", "nobody may sit in another row"
    stage.release(2, "h2")
    assert stage.seats(best(stage, 5, split=2)) == "A2 A3 A4 B1 B2"


def test_a_split_anywhere_seats_nobody_alone_where_it_need_not(stage: Stage) -> None:
    """Eight would find room in the first row, and the ninth would sit alone in the second."""
    lay(stage, "A: . . . . . . . .   B: . . . . . . . .")
    assert stage.seats(best(stage, 9, split=4)) == "A1 A2 A3 A4 A5 A6 A7 B3 B4"


def test_the_smaller_part_obeys_the_mask_too(stage: Stage) -> None:
    lay(stage, "A: . . . s1   B: . .   C: . . s1 s1")
    _with_neighbours(stage, 0, [1], [], [2])
    assert stage.seats(best(stage, 5, split=3, mask=bits(0, 2))) == "A1 A2 A3 C1 C2"


def test_the_nearer_of_two_splits_is_taken_though_the_other_is_more_even(stage: Stage) -> None:
    lay(stage, "A: . . . . s1   B: . .   C: . . .")
    _with_neighbours(stage, 0, [1], [], [2])
    assert stage.seats(best(stage, 6, split=3)) == "A1 A2 A3 A4 B1 B2"


@pytest.mark.parametrize(
    ("drawing", "k", "way"),
    [
        ("A: . . . .", 2, [1, 0, 0]),
        ("A: . . .", 2, [1, 0, 1]),  # a seat is left alone
        ("A: . . s1 . .", 4, [1, 1, 0]),  # split in one row
        ("A: . . .   B: . .", 4, [1, 4, 1]),  # anywhere
    ],
)
def test_it_is_told_how_the_best_were_found(stage: Stage, drawing: str, k: int, way: list[int]) -> None:
    lay(stage, drawing)
    assert best(stage, k, split=4)[-1] == pack([way])


def test_a_hall_whose_first_row_alone_serves(stage: Stage) -> None:
    lay(stage, "A: . .   B: s1 s1", {"A": "AB", "B": "AB"})
    assert stage.seats(best(stage, 2, mask=bits(0, 1))) == "A1 A2"


def test_of_rows_with_room_for_a_part_the_best_comes_first_whatever_its_category(stage: Stage) -> None:
    lay(stage, "A: . . .   B: . . .", {"A": "BBB", "B": "AAA"})
    _with_neighbours(stage, 0, [1], [], [])
    _with_neighbours(stage, 1, [0], [], [])
    reply = best(stage, 5, split=1)
    assert stage.held("h2")[2][0] == 0, "the larger part sits in the better row"  # type: ignore[index]
    assert stage.seats(reply) == "A1 A2 A3 B1 B2"


def test_where_the_first_row_with_room_has_no_neighbour_another_is_split_from(stage: Stage) -> None:
    lay(stage, "A: . . . s1   B: . . . s1   C: . . s1 s1")
    _with_neighbours(stage, 1, [2], [], [])
    assert stage.seats(best(stage, 5, split=1)) == "B1 B2 B3 C1 C2"


def test_the_smaller_part_obeys_the_mask_where_its_row_was_looked_at_before(stage: Stage) -> None:
    lay(stage, "A: . . . s1   B: . . .   C: . . s1 s1")
    _with_neighbours(stage, 0, [1], [], [2])
    items = [[1, "seats", 1, 2], [1, "best", "", 5, {"split": 3, "mask": bits(0, 2)}]]
    assert stage.seats(stage.hold_packed(2, items, terms=(0,))) == "B3 A1 A2 A3 C1 C2"


def test_the_first_row_is_in_a_mask_too(stage: Stage) -> None:
    lay(stage, "A: . . .   B: . . .", {"A": "ABA", "B": "AAA"})
    assert stage.seats(best(stage, 1, mask=bits(0, 1))) == "A1"
