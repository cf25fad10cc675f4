"""A called visitor claims a turn."""

import time
from collections import deque
from typing import Any

import pytest

from tests.lua.stage import PASS_MS, SALE, Stage

MINUTE = 60_000
SLACK_MS = 10_000
UNTIL = "until the start of sales"


def called(stage: Stage, count: int, **changed: Any) -> None:
    """An open sale that has called the first `count` positions, and calls the next in a minute."""
    stage.put_up(**({"rate": 1, "joined": 20, "now_serving": count, "burst_ms": 100 * MINUTE} | changed))


def live(stage: Stage) -> set[str]:
    members: list[bytes] = stage.redis.execute_command("ZRANGE", stage.keys.live(SALE), 0, -1)
    return {member.decode() for member in members}


def test_whoever_is_called_gets_a_pass_until_a_time(stage: Stage) -> None:
    called(stage, 2)
    before = stage.now_ms()
    word, expires_at_ms, generation, stay_ends_at_ms, _ = stage.admit(1)
    assert stay_ends_at_ms == 0
    assert 0 <= generation < 4096
    assert word == b"admitted"
    assert before + PASS_MS <= expires_at_ms <= stage.now_ms() + PASS_MS
    assert live(stage) == {"1"}
    assert stage.sale()["admitted"] == "1"


def test_cannot_come_in_before_being_called(stage: Stage) -> None:
    called(stage, 2)
    with stage.nothing_changes():
        assert stage.admit(2)[:2] == [b"not_yet", 2]
    stage.pass_time(MINUTE + 30_000)
    assert stage.admit(2)[0] == b"admitted"


def test_the_position_decides_and_not_the_arrival(stage: Stage) -> None:
    called(stage, 2, entrants=10)
    with stage.nothing_changes():
        assert stage.admit(0, position=7, entrants=10)[:2] == [b"not_yet", 2]
    assert stage.admit(7, position=0, entrants=10)[0] == b"admitted"


@pytest.mark.parametrize("entrants", [-1, 0, 9, 11])
def test_cannot_claim_with_another_number_of_entrants(stage: Stage, entrants: int) -> None:
    called(stage, 2, entrants=10)
    with stage.nothing_changes():
        assert stage.admit(0, entrants=entrants) == [b"drawn", 10]


@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        ("scheduled", [b"not_yet", 2, UNTIL]),
        ("prequeue", [b"not_yet", 2, UNTIL]),
        ("sold_out", [b"ended", b"sold_out"]),
        ("closed", [b"ended", b"closed"]),
        ("paused", [b"paused"]),
    ],
)
def test_nobody_new_comes_in_unless_the_sale_is_open(stage: Stage, phase: str, answer: list[Any]) -> None:
    called(stage, 2, phase=phase, prequeue_at_ms=10**13, opens_at_ms=10**13)
    with stage.nothing_changes():
        found = stage.admit(0)
    assert found == [until(stage, found[2]) if each is UNTIL else each for each in answer]


def until(stage: Stage, wait_ms: int) -> int:
    """What is left until the start of sales, where `wait_ms` is that."""
    return wait_ms if 0 <= 10**13 - stage.now_ms() - wait_ms + SLACK_MS < 2 * SLACK_MS else -1


@pytest.mark.parametrize(
    ("changed", "wait_ms"),
    [
        ({"rate": 60}, 8_000),
        ({"rate": 60, "slowed_percent": 50}, 16_000),
        ({"rate": 60, "calls": 2}, 4_000),
        ({"rate": 600, "rates": "1 60 9999999999999 1"}, 8_000),
        ({"rate": 60, "draining": 1}, 0),
        ({"rate": 0}, 0),
        ({"rate": 60, "phase": "paused"}, 0),
        ({"rate": 60, "crowd": 1, "crowd_until_ms": 10**13, "inside": (20, 21)}, 16_000),
    ],
)
def test_whoever_comes_too_early_is_told_how_long_at_the_pace_that_holds_now(
    stage: Stage, changed: dict[str, Any], wait_ms: int
) -> None:
    called(stage, 2, **{key: value for key, value in changed.items() if key != "inside"})
    stage.let_in(*changed.get("inside", ()))
    assert stage.admit(9)[2] == wait_ms


def test_how_long_a_line_takes_is_told_by_its_share_of_the_pace(stage: Stage) -> None:
    called(stage, 2, rate=60, lines="members", **stage.line("members", share=25, now_serving=1, joined=1))
    assert stage.admit(9)[2] == 8_000, "what the others cannot use is this line's"
    stage.set_sale(**{"joined:members": 20})
    assert stage.admit(9)[2] == 10_667
    assert stage.admit(4, line="members")[2] == 16_000
    stage.set_sale(**{"closes_at_ms:members": 1})
    assert stage.admit(4, line="members")[2] == 0, "its window is over: nobody is called any more"


def test_a_pause_keeps_whoever_is_in_and_every_turn(stage: Stage) -> None:
    called(stage, 3, mark=3, turn_ms=10 * MINUTE)
    stage.admit(0)
    stage.change("pause")
    assert stage.admit(0)[0] == b"renewed"
    stage.pass_time(2 * MINUTE)
    assert stage.admit(0)[0] == b"renewed"  # also when the pass has ended meanwhile
    stage.pass_time(60 * MINUTE)
    with stage.nothing_changes():
        assert stage.admit(1) == [b"paused"]
    stage.change("resume")
    assert stage.admit(1)[0] == b"admitted"
    stage.pass_time(9 * MINUTE)
    assert stage.admit(2)[0] == b"admitted"  # nobody's turn ran while nobody could come in


def test_a_second_claim_renews_and_is_never_a_second_shopper(stage: Stage) -> None:
    called(stage, 2)
    first = stage.admit(0)
    again = stage.admit(0, pass_ms=2 * PASS_MS)
    assert again[0] == b"renewed"
    assert again[1] > first[1]
    assert live(stage) == {"0"}
    stage.pass_time(3 * PASS_MS)
    assert stage.admit(0)[0] == b"renewed"  # claimed once is claimed for good
    assert stage.sale()["admitted"] == "1"


def test_a_turn_is_kept_and_then_over(stage: Stage) -> None:
    called(stage, 2, turn_ms=10 * MINUTE)
    stage.admit(1, pass_ms=100 * MINUTE)
    for _ in range(3):
        stage.pass_time(10 * MINUTE)
        stage.come("somebody")
    with stage.nothing_changes():
        assert stage.admit(0) == [b"gone"]
    assert stage.admit(1)[0] == b"renewed"  # whoever is in stays in


def test_a_full_house_lets_in_as_soon_as_somebody_has_left(stage: Stage) -> None:
    called(stage, 4, cap=2)
    assert [stage.admit(index)[0] for index in (0, 1)] == [b"admitted", b"admitted"]
    with stage.nothing_changes():
        assert stage.admit(2) == [b"full"]
    assert stage.admit(1)[0] == b"renewed"
    stage.redis.execute_command("ZREM", stage.keys.live(SALE), 0)  # as confirming does
    assert stage.admit(2)[0] == b"admitted"
    with stage.nothing_changes():
        assert stage.admit(3) == [b"full"]
    stage.pass_time(2 * PASS_MS)
    assert stage.admit(3)[0] == b"admitted"
    assert live(stage) == {"3"}  # passes that ended are forgotten


def test_whose_pass_has_ended_waits_before_a_full_house_like_anybody(stage: Stage) -> None:
    called(stage, 4, cap=2)
    assert stage.admit(0)[0] == b"admitted"
    stage.pass_time(2 * PASS_MS)
    stage.let_in(7, 8)
    assert stage.admit(0) == [b"full"]
    stage.redis.execute_command("ZREM", stage.keys.live(SALE), 8)
    assert stage.admit(0)[0] == b"renewed"


def test_a_rate_of_nothing_lets_nobody_new_in(stage: Stage) -> None:
    called(stage, 2, rate=0)
    with stage.nothing_changes():
        assert stage.admit(0) == [b"paced", MINUTE]


def test_too_many_at_the_door_are_told_how_long_to_wait(stage: Stage) -> None:
    called(stage, 20, rate=2, burst_ms=0)
    assert stage.admit(0)[0] == b"admitted"
    with stage.nothing_changes():
        word, wait_ms = stage.admit(1)
    assert word == b"paced"
    assert 0 < wait_ms <= 30_000
    stage.pass_time(wait_ms)
    assert stage.admit(1)[0] == b"admitted"


def test_a_clock_that_was_set_back_holds_nobody_up_and_lets_nobody_in_sooner(stage: Stage) -> None:
    called(stage, 20, rate=2, burst_ms=0)
    stage.admit(0)
    stage.pass_time(-600 * MINUTE)
    word, wait_ms = stage.admit(1)
    assert word == b"paced"
    assert 29_000 < wait_ms <= 30_000
    stage.pass_time(wait_ms)
    assert stage.admit(1)[0] == b"admitted"


def test_an_idle_door_saves_up_no_more_than_a_burst(stage: Stage) -> None:
    called(stage, 20, rate=2, burst_ms=MINUTE)
    stage.admit(0)
    stage.pass_time(60 * MINUTE)
    assert [stage.admit(index)[0] for index in (1, 2, 3)] == [b"admitted", b"admitted", b"paced"]


@pytest.mark.parametrize(("rate", "burst_ms", "most"), [(60, 3000, 63), (60, 0, 61), (30, 15_000, 37)])
def test_the_passes_of_any_minute_are_the_rate_and_a_burst(stage: Stage, rate: int, burst_ms: int, most: int) -> None:
    """Everybody was called long ago and everybody wants in at once, again and again, for three minutes."""
    called(stage, 500, rate=rate, joined=500, burst_ms=burst_ms, turn_ms=100 * MINUTE)
    waiting, elapsed_ms, admitted_at_ms = deque(range(500)), 0, []
    while elapsed_ms < 3 * MINUTE:
        reply = stage.admit(waiting[0])
        if reply[0] == b"admitted":
            waiting.popleft()
            admitted_at_ms.append(reply[1] - PASS_MS + elapsed_ms)
        else:
            assert reply[0] == b"paced"
            elapsed_ms += reply[1]
            stage.pass_time(reply[1])
    in_a_minute = [sum(start <= instant < start + MINUTE for instant in admitted_at_ms) for start in admitted_at_ms]
    assert max(in_a_minute) <= most
    assert len(admitted_at_ms) >= 2 * rate  # and the pace is used


def test_each_claim_is_of_a_new_generation_and_only_the_newest_is_here(stage: Stage) -> None:
    called(stage, 2)
    first, second = (stage.admit(0)[2] for _ in range(2))
    assert second == (first + 1) % 4096
    assert stage.newest(f"0 {first}") == [b"moved"]
    assert stage.newest(f"0 {second}")[0] == b"here"
    assert live(stage) == {"0"}


def test_a_repeat_gets_the_generation_of_the_first_time(stage: Stage) -> None:
    called(stage, 2)
    first = stage.admit(0, operation="one")
    assert stage.admit(0, operation="one") == first
    assert stage.newest(f"0 {first[2]}")[0] == b"here"


def test_generations_begin_anew_after_the_last(stage: Stage) -> None:
    called(stage, 2)
    stage.redis.execute_command("ZADD", stage.keys.live(SALE), f"{stage.now_ms() + PASS_MS}.999755859375", 0)
    assert stage.newest("0 4095")[0] == b"here"
    assert stage.admit(0)[2] == 0
    assert stage.newest("0 0")[0] == b"here"


def test_a_renewal_takes_over_from_no_other_device(stage: Stage) -> None:
    called(stage, 2)
    first = stage.admit(0)[2]
    second = stage.admit(0)[2]
    with stage.nothing_changes():
        assert stage.admit(0, renews=first) == [b"moved"]
    third = stage.admit(0, renews=second)
    assert third[0] == b"renewed"
    assert stage.newest(f"0 {third[2]}")[0] == b"here"
    assert stage.admit(0)[0] == b"renewed"  # a claim takes it back


def test_a_pass_of_long_ago_is_not_the_newest_again(stage: Stage) -> None:
    called(stage, 2)
    first = stage.admit(0)[2]
    stage.redis.execute_command("ZREM", stage.keys.live(SALE), 0)
    while stage.now_ms() // 1000 % 4096 == first:
        time.sleep(0.01)
    assert stage.admit(0, renews=first)[0] == b"renewed"  # of the former nothing is known: nobody else is in
    assert stage.newest(f"0 {first}") == [b"moved"]


def test_whoever_was_in_comes_in_again_though_the_turn_is_over(stage: Stage) -> None:
    called(stage, 3, gone=3, turn_ms=100 * MINUTE)
    stage.let_in(0, 1)
    stage.pass_time(PASS_MS + MINUTE)
    stage.come("somebody")  # the line's clock is turned
    with stage.nothing_changes():
        assert stage.admit(2, grace_ms=2 * MINUTE) == [b"gone"]  # was never in
    assert stage.admit(0, grace_ms=2 * MINUTE, kept_ms=4 * MINUTE)[0] == b"admitted"
    stage.pass_time(MINUTE)
    stage.come("somebody else")
    with stage.nothing_changes():
        assert stage.admit(1, grace_ms=2 * MINUTE) == [b"gone"]
    assert stage.admit(1, grace_ms=4 * MINUTE, kept_ms=4 * MINUTE)[0] == b"admitted"  # who asked for more time


def test_the_grace_is_no_way_past_a_full_house_or_the_pace(stage: Stage) -> None:
    called(stage, 3, gone=3, turn_ms=100 * MINUTE, cap=1)
    stage.let_in(0)
    stage.pass_time(PASS_MS + MINUTE)
    stage.come("somebody")  # the line's clock is turned
    stage.let_in(2)
    with stage.nothing_changes():
        assert stage.admit(0, grace_ms=2 * MINUTE) == [b"full"]
    stage.set_sale(cap=2, burst_ms=0, door=1, door_at_ms=stage.now_ms())
    with stage.nothing_changes():
        assert stage.admit(0, grace_ms=2 * MINUTE)[0] == b"paced"


def test_what_has_ended_is_forgotten_after_the_longest_grace(stage: Stage) -> None:
    called(stage, 4)
    stage.let_in(0, 1, ms=MINUTE)
    stage.pass_time(2 * MINUTE)
    stage.admit(2, kept_ms=2 * MINUTE)
    assert live(stage) == {"0", "1", "2"}
    assert stage.status()["live"] == 1
    stage.admit(3, kept_ms=30_000)
    assert live(stage) == {"2", "3"}


def test_every_line_has_its_own_turns(stage: Stage) -> None:
    called(stage, 0, lines="members", **stage.line("members", joined=2, now_serving=1))
    with stage.nothing_changes():
        assert stage.admit(0)[:2] == [b"not_yet", 0]
        assert stage.admit(1, line="members")[:2] == [b"not_yet", 1]
        assert stage.admit(0, line="press") == [b"unknown_line"]
    assert stage.admit(0, line="members")[0] == b"admitted"
    assert live(stage) == {"members/0"}


def test_a_stay_that_is_over_is_over(stage: Stage) -> None:
    """How long it lasts is in `test_stay.py`."""
    called(stage, 2)
    assert stage.admit(0, stay_ms=1)[0] == b"admitted"
    stage.pass_time(1)
    assert stage.admit(0, stay_ms=1)[0] == b"stay_over"
