import time

import msgspec
import pytest

from tests.lua.stage import SALE, Stage


@pytest.mark.parametrize(
    ("before", "seats", "after"),
    [
        ("A: . . .   B: . .", "A1 A2", "A: h h .   B: . ."),
        ("A: . . .   B: . .", "A3 B1", "A: . . h   B: h ."),
        ("A: s1 . x", "A2", "A: s h x"),
    ],
)
def test_holds_named_seats(stage, before, seats, after):
    stage.before(before)
    stage.let_in(2)
    assert stage.seats(stage.hold(2, seats)) == seats
    assert stage.after() == after
    assert stage.index_is_right()


@pytest.mark.parametrize(
    ("before", "wanted", "taken"),
    [
        ("A: . . h1", "A1 A3", [[1, 0, 2]]),
        ("A: x s1 .", "A1 A2 A3", [[1, 0, 0], [1, 0, 1]]),
    ],
)
def test_cannot_hold_any_if_one_is_taken(stage, before, wanted, taken):
    stage.before(before)
    stage.let_in(2)
    unchanged = stage.after()
    assert stage.hold(2, wanted) == [b"taken", *(part for seat in taken for part in seat)]
    assert stage.after() == unchanged
    assert stage.index_is_right()


def test_cannot_hold_a_seat_twice_in_one_request(stage):
    stage.before("A: . .")
    stage.let_in(1)
    assert stage.hold(1, "A1 A1")[0] == b"taken"
    assert stage.after() == "A: . ."


@pytest.mark.parametrize(
    ("before", "quantity", "seats"),
    [
        (
            "A: . . . . .   B: . . . . .",
            3,
            "A1 A2 A3",
        ),  # leaves two, nobody alone; nearest to the middle would leave one
        ("A: . . . .   B: . . . . .", 3, "B1 B2 B3"),  # A would strand a seat
        ("A: . . . .", 3, "A1 A2 A3"),  # unless nothing else is left
        ("A: . . h1 . .   B: . . . .", 4, "B1 B2 B3 B4"),
        ("A: . h1 .   B: . .", 2, "B1 B2"),
        ("A: . . . . . . .", 1, "A4"),  # the middle
        ("A: s1 . . .", 1, "A2"),  # beside others rather than between two free seats
    ],
)
def test_holds_the_best_together(stage, before, quantity, seats):
    stage.before(before)
    stage.let_in(2)
    held = stage.best(2, quantity)
    assert stage.seats(held) in (
        seats,
        "A3 A4 A5" if seats == "A1 A2 A3" else seats,
        "A2 A3 A4" if before == "A: . . . ." else seats,
    )
    assert stage.index_is_right()


def test_says_how_large_a_party_still_finds_seats(stage):
    stage.before("A: . . s1 . . .   B: s1 s1 s1")
    stage.let_in(2)
    assert stage.best(2, 5) == [b"none", 1, 3]
    assert stage.after() == "A: . . s . . .   B: s s s"


def test_a_general_request_never_takes_an_access_place(stage):
    stage.before("A: . . . .", categories={"A": "AAaa"})
    stage.let_in(2)
    assert stage.seats(stage.best(2, 2)) == "A1 A2"
    assert stage.best(2, 1) == [b"none", 1, 0]
    assert stage.seats(stage.best(2, 2, "a", hold="h2b")) == "A3 A4"
    assert stage.index_is_right()


def test_finds_the_best_in_a_category(stage):
    stage.before("A: . . . .   B: . . .", categories={"A": "AABB", "B": "BBB"})
    stage.let_in(2)
    assert stage.seats(stage.best(2, 3, "B")) == "B1 B2 B3"
    assert stage.seats(stage.best(2, 2, "A", hold="h2b")) == "A1 A2"
    assert stage.index_is_right()


def test_holds_standing_places_until_they_are_gone(stage):
    stage.before("A: . .", areas=(5,))
    stage.let_in(1, 2)
    assert stage.hold_packed(1, [[1, "area", 0, 3]])[0] == b"held"
    assert stage.hold_packed(2, [[1, "area", 0, 3]]) == [b"none", 1, 2]
    assert stage.hold_packed(2, [[1, "area", 0, 1], [1, "area", 0, 1]])[0] == b"held"
    assert stage.hold_packed(2, [[1, "area", 0, 1]], hold="h2b") == [b"none", 1, 0]


def test_holds_over_several_performances_or_none(stage):
    stage.before("A: . . .", performance="p")
    stage.before("A: . s1 .", performance="q")
    stage.let_in(2)
    both = [[1, "seats", 0, 0], [2, "seats", 0, 1]]
    assert stage.hold_packed(2, both, ["p", "q"]) == [b"taken", 2, 0, 1]
    assert (stage.after("p"), stage.after("q")) == ("A: . . .", "A: . s .")
    both = [[1, "seats", 0, 0], [2, "best", "", 1]]
    held = stage.hold_packed(2, both, ["p", "q"])
    assert stage.seats(held, "p", 0) == "A1"
    assert stage.seats(held, "q", 1) in ("A1", "A3")


def test_cannot_have_more_than_the_limit_over_all_holds(stage):
    stage.before("A: . . . . .")
    stage.let_in(1)
    assert stage.hold(1, "A1 A2", limit=3, hold="one")[0] == b"held"
    assert stage.hold(1, "A3 A4", limit=3, hold="two") == [b"limit", 1, 2]
    assert stage.confirm(1, "one")[0] == b"confirmed"
    stage.let_in(1)
    assert stage.hold(1, "A3 A4", limit=3, hold="two") == [b"limit", 1, 2]
    assert stage.hold(1, "A3", limit=3, hold="two")[0] == b"held"
    assert stage.after() == "A: s s h . ."


def test_cannot_hold_without_a_live_pass(stage):
    stage.before("A: . .")
    assert stage.hold(7, "A1") == [b"pass_ended"]
    stage.let_in(7, ms=-1)
    assert stage.hold(7, "A1") == [b"pass_ended"]
    assert stage.hold(7, "A1", place="")[0] == b"held"  # the house's own staff


def test_cannot_hold_once_the_sale_is_closed(stage):
    stage.before("A: . .")
    stage.let_in(1)
    stage.redis.hset(stage.keys.sale(SALE), "phase", "closed")
    assert stage.hold(1, "A1") == [b"ended", b"closed"]


def test_a_repeat_gets_the_first_answer_and_another_payload_none(stage):
    stage.before("A: . . .")
    stage.let_in(1)
    operation = stage.key()
    first = stage.hold(1, "A1", operation=operation, fingerprint="x")
    assert stage.hold(1, "A1", operation=operation, fingerprint="x") == first
    assert stage.hold(1, "A2", operation=operation, fingerprint="y") == [b"other_payload"]
    assert stage.after() == "A: h . ."


def test_a_refusal_is_decided_again(stage):
    stage.before("A: . h1")
    stage.let_in(2)
    operation = stage.key()
    assert stage.hold(2, "A2", operation=operation)[0] == b"taken"
    stage.release(1, "h1")
    assert stage.hold(2, "A2", operation=operation)[0] == b"held"


def test_a_due_hold_is_ended_on_the_way(stage):
    stage.before("A: . .")
    stage.let_in(1, 2)
    stage.hold(1, "A1 A2", hold_ms=1)
    time.sleep(0.005)
    assert stage.seats(stage.hold(2, "A1 A2")) == "A1 A2"
    assert stage.index_is_right()


def test_a_seat_that_comes_back_is_nobodys_for_a_while(stage):
    stage.before("A: . .", return_ms=30_000)
    stage.let_in(1, 2)
    stage.hold(1, "A1")
    assert stage.release(1, "h1")[0] == b"released"
    assert stage.after() == "A: h ."
    assert stage.hold(2, "A1")[0] == b"taken"
    assert stage.confirm(1, "h1") == [b"hold_ended", b"h1"]
    assert stage.release(1, "h1") == [b"hold_ended"]
    key, _, due = stage.keys.performance("p")
    record = msgspec.msgpack.decode(stage.redis.hget(key, "hh1"))
    assert record[0] == ""
    record[1] = 1
    stage.redis.hset(key, "hh1", msgspec.msgpack.encode(record))
    stage.redis.zadd(due, {"h1": 1})
    stage.sweep()
    assert stage.after() == "A: . ."
    assert stage.index_is_right()


def test_a_closed_gate_holds_nothing(owner):
    stage = Stage(owner)
    stage.before("A: . .")
    stage.let_in(1)
    stage.epoch = "2"
    assert stage.hold(1, "A1") == [b"fenced", b"1"]
    stage.run("cell/close", [stage.keys.cell])
    assert stage.hold(1, "A1") == [b"closed"]
    assert stage.after() == "A: . ."
