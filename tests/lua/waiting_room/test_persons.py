"""Where each person has one place: what becomes of it when its turn passes, and who they are in two lines."""

from typing import Any

import pytest

from tests.lua.stage import PASS_MS, SALE, Stage

MINUTE = 60_000


def run(stage: Stage, **changed: Any) -> None:
    """An open sale in which whoever joins is called at once, and a turn is over after a minute."""
    stage.put_up(**({"rate": 6_000, "turn_ms": MINUTE, "burst_ms": 100 * MINUTE, "cap": 100} | changed))


def is_over(stage: Stage) -> None:
    """The turn of everybody who was called passes."""
    for _ in range(3):
        stage.pass_time(MINUTE + 1_000)
        stage.run("waiting_room/serve", [stage.keys.cell, stage.keys.sale(SALE), stage.keys.live(SALE)])


def persons(stage: Stage) -> dict[str, str]:
    return stage.fields(stage.keys.persons(SALE))


def test_whoever_missed_their_turn_stands_at_the_end_with_one_place_however_often_they_join(stage: Stage) -> None:
    run(stage)
    stage.join("phone", person="p1", kept_s=10_000)
    stage.join("b")
    stage.pass_time(1_000)
    assert stage.join("laptop", person="p1")[1] == 0, "the turn runs still"
    is_over(stage)
    assert stage.admit(0, person="p1") == [b"gone"]
    again = [stage.join(secret, person="p1")[1] for secret in ("phone", "laptop", "phone", "bot")]
    assert again == [2, 2, 2, 2]
    assert stage.sale()["joined"] == "3"
    assert persons(stage) == {"p1": "2"}
    told = [entry[b"index"] for entry in stage.entries() if entry[b"kind"] == b"person"]
    assert told == [b"0", b"2"], "the ledger follows"
    stage.pass_time(1_000)
    assert stage.admit(2, person="p1")[0] == b"admitted"


def test_whoever_was_inside_keeps_the_place_until_the_time_to_come_back_is_over(stage: Stage) -> None:
    run(stage)
    stage.join("a", person="p1")
    stage.pass_time(1_000)
    assert stage.admit(0, person="p1", pass_ms=10 * MINUTE, kept_ms=100 * MINUTE)[0] == b"admitted"
    is_over(stage)
    assert stage.join("b", person="p1", grace_ms=2 * MINUTE)[1] == 0, "they are inside"
    stage.pass_time(8 * MINUTE)
    assert stage.join("c", person="p1", grace_ms=2 * MINUTE)[1] == 0
    stage.pass_time(2 * MINUTE)
    assert stage.join("d", person="p1", grace_ms=2 * MINUTE)[1] == 1
    # Whoever has more time to come back has it with the newest place alone.
    assert stage.admit(0, person="p1", grace_ms=100 * MINUTE) == [b"gone"]


def test_whoever_has_stayed_as_long_as_a_place_lets_them_joins_again_with_another(stage: Stage) -> None:
    run(stage, turn_ms=100 * MINUTE)
    stay: dict[str, Any] = {"stay_ms": 3 * MINUTE, "leeway_ms": 10_000}
    stage.join("a", person="p1")
    stage.pass_time(1_000)
    assert stage.admit(0, person="p1", pass_ms=5 * MINUTE, **stay)[0] == b"admitted"
    assert stage.join("b", person="p1", **stay)[1] == 0, "they are inside"
    stage.pass_time(3 * MINUTE)
    assert stage.admit(0, person="p1", **stay)[0] == b"stay_over"
    assert stage.join("b", person="p1", **stay)[1] == 1
    stage.pass_time(1_000)
    assert stage.admit(1, person="p1", **stay)[0] == b"admitted", "with a stay of its own"
    assert stage.admit(0, person="p1", **stay) == [b"gone"]
    # Who asked for more time is inside still, and has the place that they have.
    stage.admit(1, person="p1", pass_ms=5 * MINUTE, stay_ms=6 * MINUTE, leeway_ms=10_000)
    stage.pass_time(4 * MINUTE)
    assert stage.join("c", person="p1", **stay)[1] == 1


def test_a_place_that_is_newer_than_what_is_known_after_a_loss_counts(stage: Stage) -> None:
    run(stage)
    for secret in "abc":
        stage.join(secret)
    stage.pass_time(1_000)
    stage.redis.execute_command("HSET", stage.keys.persons(SALE), "p1", 0)
    assert stage.admit(2, person="p1")[0] == b"admitted"


def test_a_person_in_two_lines_is_inside_once(stage: Stage) -> None:
    run(stage, lines="members", **stage.line("members"))
    stage.join("phone", person="p1")
    stage.join("laptop", person="p1", line="members")
    assert persons(stage) == {"p1": "0", "p1:members": "0"}
    stage.pass_time(MINUTE // 2)
    first = stage.admit(0, person="p1")
    stage.pass_time(1_000)
    second = stage.admit(0, person="p1", line="members", pass_ms=PASS_MS)
    assert (first[0], second[0]) == (b"admitted", b"admitted")
    assert second[2] == (first[2] + 1) % 4096, "the second takes over, as another device does"
    assert stage.redis.execute_command("ZRANGE", stage.keys.live(SALE), 0, -1) == [b"p1"]
    assert stage.sale()["admitted"] == "1", "nobody else has come in"
    assert stage.newest(f"p1 {first[2]}") == [b"moved"]


@pytest.mark.parametrize(("secret", "person", "answer"), [("a", "p1", [b"joined", 1]), ("b", "p2", [b"code_used"])])
def test_the_code_of_whoever_missed_their_turn_is_good_for_the_next_and_nobody_elses(
    stage: Stage, secret: str, person: str, answer: list[Any]
) -> None:
    run(stage, lines="members", **stage.line("members"))
    members: dict[str, Any] = {"line": "members", "code": "c1"}
    stage.join("a", person="p1", **members)
    stage.pass_time(1_000)
    is_over(stage)
    assert stage.join(secret, person=person, **members)[:2] == answer
    stage.pass_time(1_000)
    is_over(stage)
    assert stage.join("x", person="p3", **members) == [b"code_used"]


def test_a_person_in_two_lines_stays_inside_once_and_longer_only_with_a_place_given_after_that(stage: Stage) -> None:
    run(stage, turn_ms=100 * MINUTE, lines="members", **stage.line("members"))
    stay: dict[str, Any] = {"stay_ms": 3 * MINUTE, "leeway_ms": 10_000}
    members: dict[str, Any] = {"line": "members", "person": "p1", **stay}
    stage.join("a", person="p1", **stay)
    stage.join("a", **members)
    stage.join("b", line="members", person="p2", **stay)
    assert stage.redis.execute_command("EXISTS", stage.keys.stays(SALE)) == 0, "who waits costs nothing"
    stage.pass_time(MINUTE // 2)
    assert stage.admit(0, person="p1", pass_ms=5 * MINUTE, **stay)[0] == b"admitted"
    stage.pass_time(3 * MINUTE)
    for over in (stage.admit(0, person="p1", **stay), stage.admit(0, **members)):
        assert over[0] == b"stay_over", "the other place is no other stay"
    assert stage.admit(1, line="members", person="p2", **stay)[0] == b"admitted"
    # What they are given now, they have for as long as they wait for it, from wherever they ask.
    assert [stage.join(secret, **members)[1] for secret in ("a", "b", "c")] == [2, 2, 2]
    assert stage.admit(0, person="p1", **stay)[0] == b"stay_over"
    stage.pass_time(MINUTE // 2)
    assert stage.admit(2, **members)[0] == b"admitted", "with a stay of its own"
    assert stage.admit(0, person="p1", **stay)[0] == b"renewed", "which is the person's"
    stage.pass_time(3 * MINUTE)
    assert stage.admit(2, **members)[0] == stage.admit(0, person="p1", **stay)[0] == b"stay_over"
