"""A visitor joins a line."""

from typing import Any

import pytest

from tests.lua.stage import SALE, Stage

FUTURE = 10**13


def test_everyone_gets_the_next_index_and_leaves_one_entry(stage: Stage) -> None:
    stage.put_up(rate=1)
    assert [stage.join(secret)[:2] for secret in "abc"] == [[b"joined", index] for index in range(3)]
    assert stage.sale()["joined"] == "3"
    assert stage.entries()[1] == {
        b"kind": b"join",
        b"on_sale": SALE.encode(),
        b"line": b"public",
        b"index": b"1",
        b"secret_hash": b"b",
    }
    assert len(stage.entries()) == 3


def test_within_a_minute_a_secret_finds_its_place_again(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join("a")
    stage.join("b")
    assert stage.join("a")[:2] == [b"joined", 0]
    assert len(stage.entries()) == 2
    stage.pass_time(61_000)
    assert stage.join("a")[:2] == [b"joined", 2]


def test_nothing_stays_in_redis_for_whoever_waits(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join("first")
    stage.pass_time(61_000)
    stage.redis.execute_command("XTRIM", stage.keys.outbox, "MAXLEN", 0)
    before = {key: len(str(value)) for key, value in stage.dump().items()}
    for number in range(200):
        stage.join(f"secret {number}")
    stage.pass_time(61_000)
    stage.redis.execute_command("XTRIM", stage.keys.outbox, "MAXLEN", 0)
    after = {key: len(str(value)) for key, value in stage.dump().items()}
    assert after.keys() == before.keys()
    assert sum(after.values()) - sum(before.values()) < 100  # a few counters grew by digits


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"phase": "scheduled", "prequeue_at_ms": FUTURE, "opens_at_ms": FUTURE}, [b"not_yet_open", FUTURE]),
        ({"phase": "closed"}, [b"ended", b"closed"]),
        ({"phase": "sold_out"}, [b"ended", b"sold_out"]),
    ],
)
def test_cannot_join_before_or_after(stage: Stage, changed: dict[str, Any], answer: list[Any]) -> None:
    stage.put_up(**changed)
    with stage.nothing_changes():
        assert stage.join() == answer


@pytest.mark.parametrize("phase", ["prequeue", "open", "paused"])
def test_joins_while_the_line_is_there(stage: Stage, phase: str) -> None:
    stage.put_up(phase=phase, rate=1, opens_at_ms=FUTURE)
    assert stage.join()[0] == b"joined"


def test_a_line_is_not_longer_than_its_limit(stage: Stage) -> None:
    stage.put_up(rate=1)
    assert stage.join("a", limit=1)[0] == b"joined"
    with stage.nothing_changes():
        assert stage.join("b", limit=1) == [b"line_full"]
    assert stage.join("a", limit=1)[:2] == [b"joined", 0]  # whoever is in it may ask again


def test_what_was_shown_to_join_finds_the_place_again_for_as_long_as_it_counts(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join("a", kept_s=180)
    stage.join("b")
    stage.pass_time(179_000)
    assert stage.join("a", kept_s=61)[:2] == [b"joined", 0]
    assert len(stage.entries()) == 2


def test_a_person_has_one_place_with_however_many_devices(stage: Stage) -> None:
    stage.put_up(rate=1)
    assert stage.join("phone", person="p1")[1] == 0
    assert stage.join("somebody else", person="p2")[1] == 1
    stage.pass_time(10**8)
    assert [stage.join(secret, person="p1")[1] for secret in ("laptop", "bot", "phone")] == [0, 0, 0]
    assert stage.join("anybody")[1] == 2
    assert stage.sale()["joined"] == "3"
    assert stage.fields(stage.keys.persons(SALE)) == {"p1": "0", "p2": "1"}
    entries = [entry for entry in stage.entries() if entry[b"kind"] == b"person"]
    assert entries == [
        {b"kind": b"person", b"on_sale": SALE.encode(), b"person": name, b"index": index}
        for name, index in ((b"p1", b"0"), (b"p2", b"1"))
    ]


def test_whoever_of_the_house_joined_for_somebody_is_told_once(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join("visitor")
    assert [stage.join("caller", action=b"who and why")[1] for _ in range(2)] == [1, 1]
    told = [entry for entry in stage.entries() if entry[b"kind"] == b"action"]
    assert told == [{b"kind": b"action", b"data": b"who and why"}]


def test_cannot_join_a_line_behind_its_window_or_one_that_is_not_there(stage: Stage) -> None:
    line = stage.line("members", closes_at_ms=stage.now_ms() - 1)
    stage.put_up(lines="members", rate=1, **line)
    with stage.nothing_changes():
        assert stage.join(line="members") == [b"line_over", line["closes_at_ms:members"]]
        assert stage.join(line="press") == [b"unknown_line"]


def test_a_code_gives_one_place_to_whoever_shows_it_first(stage: Stage) -> None:
    stage.put_up(rate=1, lines="members", **stage.line("members"))
    assert stage.join("a", line="members", code="c1", kept_s=86_400)[:2] == [b"joined", 0]
    with stage.nothing_changes():
        assert stage.join("b", line="members", code="c1", kept_s=86_400) == [b"code_used"]
    assert stage.join("b", line="members", code="c2", kept_s=86_400)[1] == 1
    stage.pass_time(10_000_000)
    assert stage.join("a", line="members", code="c1", kept_s=86_400)[1] == 0  # whose it is finds the place again
    assert stage.sale()["joined:members"] == "2"
    told = [entry[b"person"] for entry in stage.entries() if entry[b"kind"] == b"person"]
    assert told == [b"code/c1:members", b"code/c2:members"]  # after a loss it is known which are used


def test_an_invitation_ends_by_the_clock_of_redis(stage: Stage) -> None:
    stage.put_up(rate=1, lines="members", **stage.line("members"))
    until_ms = stage.now_ms() + 60_000
    assert stage.join("a", line="members", code="#1", until_ms=until_ms)[0] == b"joined"
    stage.pass_time(30_000)
    assert stage.join("b", line="members", code="#2", until_ms=until_ms - 30_000)[0] == b"joined"
    with stage.nothing_changes():
        assert stage.join("c", line="members", code="#3", until_ms=stage.now_ms()) == [b"code_ended"]


def test_whoever_missed_a_turn_that_was_drawn_is_asked_for_its_position(stage: Stage) -> None:
    stage.put_up(rate=1, turn_ms=10**7, joined=10, entrants=10, now_serving=4, gone=4, mark=4)
    stage.redis.execute_command("HSET", stage.keys.persons(SALE), "p1", 7, "p2", 8)
    with stage.nothing_changes():
        assert stage.join("a", person="p1") == [b"drawn", 10, 7]
        assert stage.join("a", person="p1", known=(8, 0)) == [b"drawn", 10, 7], "that was another's"
    assert stage.join("a", person="p1", known=(7, 4))[1] == 7, "called, and the turn runs"
    assert stage.join("b", person="p2", known=(8, 3))[1] == 10
