"""Who leaves the shop makes room soon; who comes back in time has the pass that they had."""

import pytest

from tests.lua.stage import PASS_MS, SALE, Reply, Stage

GRACE_MS = 5_000
GENERATION = 7


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.put_up(cap=1, joined=2, now_serving=2, burst_ms=10**6)
    ends = f"{stage.now_ms() + PASS_MS}.{GENERATION * 10**12 // 4096:012d}"
    stage.redis.execute_command("ZADD", stage.keys.live(SALE), ends, "0")
    return stage


def score(stage: Stage) -> float:
    """The first visitor's, among the live passes."""
    return float(stage.redis.execute_command("ZSCORE", stage.keys.live(SALE), "0"))


def given_ms(stage: Stage) -> int:
    """When the first visitor's pass ends, before they have left."""
    return int(score(stage))


def leave(
    stage: Stage, said_ms: int, ends_at_ms: int, grace_ms: int = GRACE_MS, place: str = f"0 {GENERATION}"
) -> Reply:
    keys = [stage.keys.cell, stage.keys.live(SALE), stage.keys.presence(SALE, place)]
    return stage.run("waiting_room/leave", keys, place, said_ms, ends_at_ms, grace_ms)


def test_a_full_house_lets_the_next_one_in_after_somebody_left(stage: Stage) -> None:
    given = given_ms(stage)
    assert stage.admit(1)[0] == b"full"
    word, expires_at_ms, _ = leave(stage, 1, given)
    assert word == b"inside"
    assert 0 < expires_at_ms - stage.now_ms() <= GRACE_MS
    assert stage.admit(1)[0] == b"full", "who left may come back for a moment"
    stage.pass_time(GRACE_MS + 1)
    assert stage.admit(1)[0] == b"admitted"
    with stage.nothing_changes():
        assert leave(stage, 2, given, 0) == [b"pass_ended"], "who comes back later claims again"
    assert stage.admit(0, renews=GENERATION)[0] == b"full"


def test_who_comes_back_in_time_has_the_end_and_the_generation_that_they_had(stage: Stage) -> None:
    given, before = given_ms(stage), score(stage)
    for round_ in (0, 10):
        leave(stage, round_ + 1, given)
        assert score(stage) < before
        assert stage.newest(f"0 {GENERATION}")[0] == b"here"
        assert leave(stage, round_ + 2, given, 0)[:2] == [b"inside", given]
        assert score(stage) == before


def test_leaving_gives_no_more_time_and_never_a_later_end(stage: Stage) -> None:
    given = given_ms(stage)
    assert leave(stage, 1, given, 10 * PASS_MS)[1] == given
    soon = leave(stage, 2, given)[1]
    stage.pass_time(1_000)
    assert leave(stage, 3, given - 1_000)[1] == soon - 1_000, "who leaves twice has left"


def test_the_newest_word_counts_in_whatever_order_they_come(stage: Stage) -> None:
    given = given_ms(stage)
    leave(stage, 20, given, 0)
    assert leave(stage, 10, given)[1] == given  # said before the page was loaded again
    assert leave(stage, 20, given)[1] == given
    leave(stage, 30, given)
    assert leave(stage, 25, given, 0)[1] < given


def test_what_was_said_is_kept_as_long_as_the_pass(stage: Stage) -> None:
    leave(stage, 1, given_ms(stage))
    remaining: int = stage.redis.execute_command("PTTL", stage.keys.presence(SALE, f"0 {GENERATION}"))
    assert GRACE_MS < remaining <= PASS_MS


def test_the_pass_of_a_device_that_was_left_for_another_gives_nothing_back(stage: Stage) -> None:
    given = given_ms(stage)
    for generation in (0, GENERATION - 1, GENERATION + 1):
        with stage.nothing_changes():
            assert leave(stage, 1, given, place=f"0 {generation}") == [b"moved"]


def test_who_has_no_slot_any_more_gives_none_back_and_gets_none(stage: Stage) -> None:
    given = given_ms(stage)
    for grace_ms in (GRACE_MS, 0):
        with stage.nothing_changes():
            assert leave(stage, 1, given, grace_ms, "1 0") == [b"pass_ended"]
    stage.change("stop")
    with stage.nothing_changes():
        assert leave(stage, 1, given, 0) == [b"pass_ended"]
