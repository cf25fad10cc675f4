"""After a loss: indices that a recovery leapt over cost the pace nothing, in the draw as behind it."""

import random

import pytest

from engine.leaps import called_to, leaps_of, persons_before
from tests.lua.include.test_lines import called, put_up, standing
from tests.lua.stage import Stage

MINUTE = 60_000
HALF = MINUTE // 2
LEAPT = {"rate": 1, "turn_ms": 10_000 * MINUTE, "joined": 286, "entrants": 10, "now_serving": 31, "leaps": "31 285"}


def test_the_first_who_comes_after_a_loss_is_the_next_who_is_called(stage: Stage) -> None:
    stage.put_up(**LEAPT)
    assert stage.status()["now_serving"] == 285
    stage.pass_time(MINUTE + HALF)
    assert stage.admit(285, entrants=10)[0] == b"admitted"


def test_whoever_was_lost_with_their_index_still_comes_in_and_the_door_holds(stage: Stage) -> None:
    stage.put_up(**LEAPT, burst_ms=0)
    assert stage.admit(40, entrants=10)[0] == b"admitted"
    assert stage.admit(41, entrants=10)[0] == b"paced"
    stage.pass_time(MINUTE)
    assert stage.admit(41, entrants=10)[0] == b"admitted"


def test_with_persons_still_in_front_they_are_called_at_the_pace_and_then_what_was_leapt_is_passed_over(
    stage: Stage,
) -> None:
    stage.put_up(**LEAPT | {"now_serving": 28})
    seen = []
    for _ in range(4):
        stage.pass_time(MINUTE + 100)
        seen.append(stage.status()["now_serving"])
    assert seen == [29, 30, 285, 286]


def test_what_cannot_be_told_apart_in_a_draw_is_called_as_much_faster(stage: Stage) -> None:
    stage.put_up(rate=1, turn_ms=10_000 * MINUTE, joined=222, entrants=222, leaps="2 222")
    seen = []
    for _ in range(3):
        stage.pass_time(MINUTE + 100)
        seen.append(called(stage)["public"])
    assert seen == [111, 222, 222]


def test_a_sale_that_opens_after_a_loss_draws_all_and_waits_for_those_who_are_there(stage: Stage) -> None:
    now = stage.now_ms()
    stage.put_up(phase="prequeue", rate=1, joined=222, leaps="2 222", opens_at_ms=now + MINUTE, mark_at_ms=0)
    stage.pass_time(2 * MINUTE + HALF)
    stage.admit(0, entrants=-1)
    assert (stage.sale()["entrants"], stage.sale()["now_serving"]) == ("222", "111")


def test_the_wait_that_is_told_counts_nobody(stage: Stage) -> None:
    stage.put_up(**LEAPT | {"now_serving": 29, "joined": 288})
    word, _, wait_ms = stage.admit(286, entrants=10)
    assert (word, wait_ms) == (b"not_yet", 4 * MINUTE)  # 29 and 30, 285, and this one


def test_each_line_has_its_own_and_takes_no_share_for_them(stage: Stage) -> None:
    put_up(stage, stage.line("a", share=50, joined=300, leaps="0 300"), joined=300, entrants=0)
    for _ in range(4):
        stage.pass_time(MINUTE + 10)
    assert called(stage) == {"public": 4, "a": 300}
    assert standing(stage, "a")[-1] == b"0 300"


def test_a_line_that_is_only_nobodies_is_empty(stage: Stage) -> None:
    stage.put_up(rate=60, joined=300, leaps="0 300")
    stage.pass_time(10_500)
    assert called(stage) == {"public": 300}
    for visitor in "abc":
        stage.join(visitor)
    stage.pass_time(1_100)
    assert called(stage) == {"public": 301}, "and earns nobody a burst"


@pytest.mark.parametrize("run", range(20))
def test_lua_does_the_same_sums_as_python(stage: Stage, run: int) -> None:
    chance = random.Random(run)
    first = chance.randrange(50)
    runs = [first, first + chance.randrange(1, 300)]
    runs += [runs[1] + chance.randrange(1, 9), runs[1] + chance.randrange(10, 500)]
    text, joined = " ".join(map(str, runs)), runs[-1] + chance.randrange(9)
    entrants = chance.choice((0, joined, chance.randrange(joined + 1)))
    served, due = chance.randrange(joined), chance.randrange(1, 40)
    leaps = leaps_of(text, entrants)
    stage.put_up(rate=1, turn_ms=10_000 * MINUTE, joined=joined, entrants=entrants, leaps=text, now_serving=served)
    stage.pass_time(due * MINUTE + HALF)
    persons = persons_before(leaps, joined) - persons_before(leaps, served)
    assert stage.status()["now_serving"] == called_to(leaps, called_to(leaps, served, 0), min(due, persons))


def test_a_line_with_one_person_among_nobodies_has_one_share(stage: Stage) -> None:
    put_up(stage, stage.line("a", share=50, joined=300, entrants=300, leaps="1 300"), joined=300)
    stage.pass_time(4 * MINUTE + HALF)
    assert called(stage) == {"public": 3, "a": 300}


def test_a_line_that_stands_between_two_persons_of_a_draw_stays_there(stage: Stage) -> None:
    stage.put_up(rate=1, turn_ms=10_000 * MINUTE, joined=222, entrants=222, leaps="2 222", now_serving=150)
    assert called(stage) == {"public": 150}
