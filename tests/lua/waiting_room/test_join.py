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
