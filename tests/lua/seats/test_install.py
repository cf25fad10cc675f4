"""A performance is laid out, a chunk at a time."""

from typing import Any

from tests.lua.stage import Stage

BLOCKS = [("2 AAA", "ooo"), ("1 B", "o"), ("1.5 Ab", "oo")]


def test_lays_out_a_hall_with_its_index(stage: Stage) -> None:
    assert stage.install(BLOCKS, 2, areas=(5, 0)) == [b"installed", 3]
    stage.names["p"] = ["A", "B", "C"]
    assert stage.after() == "A: . . .   B: .   C: . ."
    assert stage.area(0) == (5, 0)
    assert stage.area(1) == (0, 0)
    assert stage.index_is_right()


def test_seats_that_are_not_for_sale_are_not_in_the_index(stage: Stage) -> None:
    stage.install([("2 AAA", "obo")], 1)
    stage.names["p"] = ["A"]
    assert stage.after() == "A: . x ."
    assert stage.index_is_right()


def test_chunks_make_one_hall_and_the_last_makes_it_sellable(stage: Stage) -> None:
    stage.put_up()
    stage.let_in(1)
    assert stage.install(BLOCKS[:2], 2, last=3) == [b"installed", 2]
    assert stage.hold_packed(1, [[1, "seats", 0, 0]]) == [b"unknown_performance"]
    assert stage.install(BLOCKS[:2], 2, last=3) == [b"installed", 2]  # begun again after a fault
    assert stage.install(BLOCKS[2:], 2, first=2, last=3) == [b"installed", 3]
    stage.names["p"] = ["A", "B", "C"]
    assert stage.index_is_right()
    assert stage.hash(stage.hall()[0])[b"f"] == b"6"
    assert stage.hold(1, "C2")[0] == b"held"


def test_what_is_laid_out_stays_as_it_is(stage: Stage) -> None:
    stage.before("A: h1 s2 .")
    with stage.nothing_changes():
        assert stage.install(BLOCKS, 2) == [b"exists"]


def test_a_hall_of_standing_places_alone(stage: Stage) -> None:
    assert stage.install([], 1, areas=(3,)) == [b"installed", 0]
    stage.put_up()
    stage.let_in(1)
    assert stage.stand(1, 3)[0] == b"held"
    assert stage.best(1, 1, hold="seat") == [b"none", 1, 0]


def test_rows_know_their_neighbours(stage: Stage) -> None:
    blocks: list[Any] = [("1.5 AA", "oo", [[1], [], []]), ("1.5 AA", "oo")]
    stage.install(blocks, 1)
    stage.put_up()
    stage.let_in(1)
    stage.names["p"] = ["A", "B"]
    assert stage.seats(stage.hold_packed(1, [[1, "best", "", 4, {"split": 1}]])) == "A1 A2 B1 B2"


def test_the_index_tells_both_lengths_of_an_end_beside_another_class(stage: Stage) -> None:
    rows = [("2 AAb", "ooo"), ("2.5 bAAA", "oooo"), ("2.5 AABB", "ooob"), ("3 aBBBa", "ooooo")]
    assert stage.install(rows, 2) == [b"installed", len(rows)]
    stage.names["p"] = ["A", "B", "C", "D"]
    assert stage.index_is_right()
