"""A history is replayed change by change, begins anew where it has to, and what cannot have happened is said."""

from typing import Any

import pytest

from engine.history import Replay, Told, differences
from engine.words import HoldId

KEYS = ("entry", "plan_change", "sequence", "epoch", "at_ms", "verb", "who", "hold", "seats", "areas")


def told(number: int, verb: str, seats: list[Any], *areas: Any, hold: str = "one", plan_change: int = 0) -> Told:
    return Told(f"{number}-0", plan_change, number, 1, number, verb, "visitor", HoldId(hold), seats, list(areas))


def replay(*entries: Told, capacities: tuple[int, ...] = (20,), plan_change: int = 0) -> Replay:
    replayed = Replay(capacities, plan_change)
    for entry in entries:
        replayed.apply(entry)
    return replayed


HOLD = told(1, "hold", [3, 1, 2, "h"], 0, -2, 0)
CONFIRM = told(2, "confirm", [3, 1, 2, "s"], 0, 0, 2)


def test_seats_and_places_are_what_was_made_of_them() -> None:
    done = replay(HOLD, CONFIRM, told(3, "hold", [0, 0, 1, "h", 3, 0, 1, "h"], "A0", -1, 0, hold="two"))
    assert done.rows == {3: "hss", 0: "h"}
    assert done.places == {"0": (18, 2), "A0": (-1, 0)}
    assert len(done.faults) == 1
    assert "area A0" in done.faults[0]


def test_a_hold_that_comes_back_later_is_told_twice() -> None:
    done = replay(HOLD, told(2, "expire", []), told(3, "return", [3, 1, 2, "o"], 0, 2, 0))
    assert (done.rows, done.places, done.faults) == ({3: "ooo"}, {"0": (20, 0)}, [])


def test_what_was_sold_comes_back_by_a_return() -> None:
    done = replay(HOLD, CONFIRM, told(3, "refund", [3, 1, 2, "h", 3, 1, 2, "o"], 0, 0, -2, 0, 2, 0, hold="back"))
    assert (done.rows, done.places, done.faults) == ({3: "ooo"}, {"0": (20, 0)}, [])


def test_after_a_restoration_it_goes_on_from_what_is_stated() -> None:
    whole = told(3, "restore", [3, 0, 4, "sosb"], "0", 15, 5, "B0", 3, 0)
    done = replay(HOLD, CONFIRM, whole, told(1, "hold", [3, 1, 1, "h"]))
    assert (done.rows, done.places) == ({3: "shsb"}, {"0": (15, 5), "B0": (3, 0)})
    (gap,) = done.gaps
    assert gap == (
        "3-0",
        [
            *(("seat 0 of block 3", "o", "s"), ("seat 1 of block 3", "s", "o"), ("seat 3 of block 3", "o", "b")),
            *(
                ("area 0", "18 open and 2 sold", "15 open and 5 sold"),
                ("area B0", "0 open and 0 sold", "3 open and 0 sold"),
            ),
        ],
    )
    assert done.faults == ["entry 1-0: its number 1 comes after 3"]
    # One that states what was so is none.
    assert replay(HOLD, told(2, "restore", [3, 0, 4, "ohho"], "0", 18, 0)).gaps == [("2-0", [])]


def test_with_another_plan_it_begins_anew() -> None:
    done = replay(HOLD, told(2, "replan", [9, 0, 2, "h"], 0, -2, 0, plan_change=1), capacities=(50,), plan_change=1)
    assert (done.plan_change, done.rows, done.places, done.faults) == (1, {9: "hh"}, {"0": (48, 0)}, [])


OTHERS = HoldId("other")
IMPOSSIBLE: list[tuple[list[Told], str]] = [
    ([HOLD, told(2, "hold", [3, 2, 1, "h"], hold="two")], "hold of seat 2 of block 3, which was held"),
    ([HOLD, CONFIRM, told(3, "hold", [3, 1, 1, "h"], hold="two")], "which was sold"),
    ([HOLD, CONFIRM, told(3, "rebook", [3, 1, 1, "s"], hold="two")], "which was sold"),
    ([HOLD, told(2, "confirm", [3, 1, 2, "s"], hold="two")], "which was held by one"),
    ([HOLD, told(2, "release", [3, 1, 2, "o"], hold="two")], "which was held by one"),
    ([told(1, "confirm", [3, 1, 2, "s"])], "which was not held"),
    ([told(1, "block", [3, 1, 1, "b"]), told(2, "hold", [3, 1, 1, "h"])], "which was blocked"),
    (
        [HOLD, told(1, "hold", [4, 0, 1, "h"], hold="two"), told(0, "release", [4, 0, 1, "o"], hold="two")],
        "its number 0",
    ),
    ([told(1, "hold", [], 0, -21, 0)], "area 0 has (-1, 0) places"),
]


@pytest.mark.parametrize(("entries", "why"), IMPOSSIBLE, ids=[why for _, why in IMPOSSIBLE])
def test_what_cannot_have_happened_is_said(entries: list[Told], why: str) -> None:
    faults = replay(*entries).faults
    assert faults
    assert all(why in fault for fault in faults), faults


def test_states_that_are_the_same_in_other_words_do_not_differ() -> None:
    assert differences({1: "ooo"}, {"A0": (0, 0)}, {2: "o"}, {}) == []
    assert differences({1: "os"}, {}, {1: "o"}, {}, lambda block, place: f"{block}/{place}") == [("1/1", "s", "o")]
