"""By the clock, in whatever is called: an allotment becomes general seats, and by and by the units that nobody took."""

from collections.abc import Callable

import pytest

from tests.lua.seats.test_allot import partners
from tests.lua.stage import Stage

HOUR = 3_600_000
TURNS: dict[str, Callable[[Stage], object]] = {
    "hold": lambda stage: stage.hold(1, "A5"),
    "sweep": lambda stage: stage.sweep(),
    "release": lambda stage: stage.release(9, "none"),
    "allot": lambda stage: stage.allot("Z", "A5"),
}


@pytest.mark.parametrize("turn", TURNS)
def test_an_allotment_is_everybodys_from_its_instant_on(stage: Stage, turn: str) -> None:
    stage.before("A: . . . . .   B: . .", areas=(6,))
    now = stage.now_ms()
    stage.allot("P", "A1 A2 B2", [0, 3, 0], release_at_ms=now + HOUR)
    stage.allot("Q", "A3", release_at_ms=now + 2 * HOUR)
    stage.allot("R", "A4")
    stage.pass_time(HOUR - 5_000)
    stage.let_in(1)
    stage.sweep()
    assert stage.after() == "A: P P Q R .   B: . P"
    stage.pass_time(6_000)
    TURNS[turn](stage)
    assert stage.after()[:12] == "A: . . Q R " + stage.after()[11]
    assert stage.rows()[1] == "oo"
    assert (stage.area(), stage.area("P0")) == ((6, 0), (0, 0))
    assert stage.index_is_right()
    assert ("open", "clock") in {(told[4], told[5]) for told in stage.told()}
    stage.pass_time(HOUR)
    stage.sweep()
    assert stage.rows()[0].startswith("oooR")
    stage.pass_time(100 * HOUR)
    stage.sweep()
    assert stage.rows()[0].startswith("oooR")


def test_what_is_held_of_it_then_is_everybodys_when_it_comes_back(stage: Stage) -> None:
    stage.before("A: . .", areas=(2,))
    stage.allot("P", "A1", [0, 1, 0], release_at_ms=stage.now_ms() + HOUR)
    stage.pass_time(HOUR - 30_000)
    stage.hold_packed(1, [[1, "seats", 0, 0], [1, "area", "P0", 1]], **partners("P"))
    stage.pass_time(31_000)
    stage.sweep()
    assert stage.hold(2, "A1", **partners("P")) == [b"taken", 1, 0, 0]
    stage.pass_time(30_000)
    stage.sweep()
    assert (stage.after(), stage.area()) == ("A: . .", (2, 0))
    assert stage.index_is_right()


BAYS = "A: . .   B: . .   C: . .   D: . .   E: . . ."
CLASSES = {"A": "aa", "B": "aa", "C": "aa", "D": "aa", "E": "AAA"}


def classes(stage: Stage) -> str:
    fields = stage.hash(stage.hall()[0])
    return " ".join(fields[f"c{block}".encode()].decode().split()[1] for block in range(5))


def test_of_the_free_bays_the_curve_releases_a_share_and_keeps_the_best(stage: Stage) -> None:
    now = stage.now_ms()
    stage.before(BAYS, categories=CLASSES, curve=[[now + 7 * HOUR, 50, now + 9 * HOUR, 100], [0, 1, 2, 3]])
    stage.let_in(1, 2, 3, ms=100 * HOUR)
    stage.hold(1, "C1 C2", hold_ms=8 * HOUR)
    assert stage.best(2, 2) is not None
    stage.release(2, "h2")
    stage.pass_time(7 * HOUR + 1000)
    stage.sweep()
    # Three are free: of these one, and not the best.
    assert classes(stage) == "aa aa aa AA AAA"
    assert stage.index_is_right()
    assert stage.told()[-1][4:] == ["open", "clock", "", [3, 0, 2, "o"], []], "the map hears that it is general now"
    assert stage.seats(stage.best(2, 2, hold="general")) == "D1 D2"
    stage.pass_time(HOUR)
    stage.sweep()
    assert classes(stage) == "aa aa aa AA AAA", "what came back is a bay"
    stage.pass_time(HOUR)
    stage.sweep()
    assert classes(stage) == "AA AA AA AA AAA"
    assert stage.index_is_right()
    assert b"q" not in stage.hash(stage.hall()[0])


def test_a_bay_that_is_held_at_the_last_step_is_released_when_it_comes_back(stage: Stage) -> None:
    stage.before(BAYS, categories=CLASSES, curve=[[stage.now_ms() + HOUR, 100], [0, 1, 2, 3]])
    stage.let_in(1, 2, ms=100 * HOUR)
    stage.hold(1, "A1 A2", hold_ms=HOUR + 60_000)
    stage.hold(2, "B1 B2", hold_ms=HOUR + 60_000)
    stage.confirm(2, "h2")
    stage.pass_time(HOUR + 1000)
    stage.sweep()
    assert classes(stage) == "aa aa AA AA AAA"
    stage.pass_time(120_000)
    stage.sweep()
    assert classes(stage) == "AA aa AA AA AAA"
    assert b"q" not in stage.hash(stage.hall()[0])
    assert stage.index_is_right()


def test_a_hall_is_not_sold_out_while_something_may_be_released(stage: Stage) -> None:
    stage.before("A: s1 . s2", areas=(1,))
    stage.allot("P", "A2", [0, 1, 0], release_at_ms=stage.now_ms() + HOUR)
    assert stage.sweep()[2] == 0
    stage.hold_packed(3, [[1, "seats", 0, 1], [1, "area", "P0", 1]], **partners("P"))
    stage.confirm(3, "h3")
    assert stage.sweep()[2] == 1


def test_what_is_kept_for_ever_does_not_keep_a_hall_from_being_sold_out(stage: Stage) -> None:
    stage.before("A: s1 . x")
    stage.allot("H", "A2")
    assert stage.sweep()[2] == 1


def test_a_later_step_releases_its_share_of_what_is_a_bay_still(stage: Stage) -> None:
    now = stage.now_ms()
    stage.before(BAYS, categories=CLASSES, curve=[[now + HOUR, 50, now + 2 * HOUR, 50], [0, 1, 2, 3]])
    stage.pass_time(HOUR + 1000)
    stage.sweep()
    assert classes(stage) == "aa aa AA AA AAA"
    stage.pass_time(HOUR)
    stage.sweep()
    assert classes(stage) == "aa AA AA AA AAA"


def test_of_units_and_an_allotment_what_is_due_first_is_released_first(stage: Stage) -> None:
    now = stage.now_ms()
    stage.before(BAYS, categories=CLASSES, curve=[[now + 2 * HOUR, 100], [0, 1, 2, 3]])
    stage.allot("P", "E1", release_at_ms=now + HOUR)
    stage.pass_time(HOUR + 1000)
    stage.sweep()
    assert (classes(stage), stage.rows()[4]) == ("aa aa aa aa AAA", "ooo")
    stage.pass_time(HOUR)
    stage.sweep()
    assert classes(stage) == "AA AA AA AA AAA"


def test_a_unit_is_released_together_with_what_was_set_aside_in_it(stage: Stage) -> None:
    now = stage.now_ms()
    stage.before("A: . . . .   B: . .", categories={"B": "aa"}, curve=[[now + 2 * HOUR, 100], [1]])
    stage.allot("P", "B1", release_at_ms=now + HOUR)
    stage.pass_time(3 * HOUR)
    stage.let_in(2)
    assert stage.seats(stage.best(2, 4)) == "A1 A2 A3 A4"
    assert stage.index_is_right()
    assert stage.seats(stage.best(2, 2, hold="more")) == "B1 B2"
    assert stage.index_is_right()


def test_a_unit_is_released_by_the_call_that_ends_the_hold_of_it(stage: Stage) -> None:
    """That call writes twice: the second time it compares with what it wrote the first."""
    now = stage.now_ms()
    stage.before("A: . . . .   B: . .", categories={"B": "aa"}, curve=[[now + 2 * HOUR, 100], [1]])
    stage.let_in(1)
    assert stage.hold(1, "B1 B2", hold_ms=HOUR)[0] == b"held"
    stage.pass_time(3 * HOUR)
    stage.sweep()
    assert stage.after() == "A: . . . .   B: . ."
    assert stage.index_is_right()


def test_a_hall_is_not_sold_out_while_places_may_be_released(stage: Stage) -> None:
    stage.before("A: s1", areas=(1,))
    stage.allot("P", "", [0, 1, 0], release_at_ms=stage.now_ms() + HOUR)
    assert stage.sweep()[2] == 0
