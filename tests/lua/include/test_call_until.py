"""Whom a line calls that nobody saw to for a while: its Redis was frozen, or away. On a clock that the test turns."""

import pytest
import redis

from tests.lua.turned import TurnedStage

SECOND, MINUTE = 1_000, 60_000
RATE, TURN_MS = 60, 2 * MINUTE


@pytest.fixture
def turned(owner: redis.Redis) -> TurnedStage:
    return TurnedStage(owner)


@pytest.mark.parametrize("away_s", [0, 30, 55, 60, 120, 600])
def test_nobody_loses_a_turn_that_they_claim_all_the_time_because_redis_was_away(
    turned: TurnedStage, away_s: int
) -> None:
    turned.put_up(rate=RATE, joined=2_000, cap=5_000, burst_ms=3_000, turn_ms=TURN_MS)
    waits, called, let_in, second = list[int](), 0, 0, 0
    for step in range(1, 600):
        second += 1 + (away_s if step == 30 else 0)
        turned.turn(second * SECOND)
        now_serving = turned.serve()
        assert now_serving - called <= max(RATE * TURN_MS / 2 / MINUTE, 3)
        waits, called = [*waits, *range(called, now_serving)], now_serving
        while waits and (word := turned.admit(waits[0], pass_ms=20 * MINUTE)[0]) != b"paced":
            assert word == b"admitted", f"number {waits[0]} at {second} s"
            del waits[0]
            let_in += 1
    assert 590 <= let_in <= 600 + 3


def test_who_looks_meanwhile_sees_no_number_that_goes_back(turned: TurnedStage) -> None:
    plan = f"{turned.now_ms() + 90 * SECOND} 6 {turned.now_ms() + 200 * SECOND} 600"
    turned.put_up(rate=RATE, joined=9_000, cap=5_000, turn_ms=TURN_MS, rates=plan)
    seen = []
    for second in range(0, 400, 5):
        turned.turn(second * SECOND)
        seen.append(int(turned.status()["now_serving"]))
    assert seen == sorted(seen)
    assert turned.serve() == seen[-1]


@pytest.mark.parametrize("rate", [1, 2, 7])
def test_a_line_that_is_slower_than_half_a_turn_goes_on(turned: TurnedStage, rate: int) -> None:
    turned.put_up(rate=rate, joined=200, turn_ms=10 * SECOND)
    for second in range(1, 20 * 60 + 2):
        turned.turn(second * SECOND)
        called = turned.serve()
    assert called == 20 * rate
