"""The clock is an argument: each test walks through a table of moments."""

import itertools

import pytest

from engine.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def walk_ms(self, ms: float) -> None:
        self.now_s += ms / 1_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(consecutive_limit=5, cooldown_ms=250, clock=clock)
    breaker.failed(5)
    assert breaker.state == "open"
    return breaker


def test_a_new_breaker_lets_every_call_through(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    assert breaker.state == "closed"
    assert breaker.is_closed
    assert all(breaker.admits() for _ in range(1_000))


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("ffff", "closed"),
        ("fffff", "open"),
        ("ffffsf", "closed"),
        ("ffffsffff", "closed"),
        ("ffffsfffff", "open"),
        ("sssssfffff", "open"),
    ],
)
def test_opens_only_after_consecutive_failures(outcomes: str, state: str, clock: Clock) -> None:
    breaker = Breaker(consecutive_limit=5, window_minimum=1_000, clock=clock)
    for outcome in outcomes:
        (breaker.failed if outcome == "f" else breaker.succeeded)()
    assert breaker.state == state
    assert breaker.openings == (state == "open")


def test_failures_that_come_together_count_each(clock: Clock) -> None:
    breaker = Breaker(consecutive_limit=5, clock=clock)
    breaker.failed(4)
    assert breaker.is_closed
    breaker.failed(2)
    assert not breaker.is_closed


@pytest.mark.parametrize(
    ("rounds", "step_ms", "state"),
    [
        (24, 10, "closed"),  # 48 calls: too few to judge by
        (25, 10, "open"),  # 50 calls in half a second, half of them failures
        (200, 45, "closed"),  # the same mix, but never 50 in one second
    ],
)
def test_opens_when_half_of_a_busy_window_fails(rounds: int, step_ms: int, state: str, clock: Clock) -> None:
    breaker = Breaker(consecutive_limit=5, share_limit=0.5, window_ms=1_000, window_minimum=50, clock=clock)
    for _ in range(rounds):
        breaker.succeeded()
        breaker.failed()
        clock.walk_ms(step_ms)
    assert breaker.state == state


def test_few_failures_among_many_successes_keep_it_closed(clock: Clock) -> None:
    breaker = Breaker(share_limit=0.5, window_minimum=50, clock=clock)
    for _ in range(10_000):
        breaker.succeeded(3)
        breaker.failed(2)
        clock.walk_ms(1)
    assert breaker.state == "closed"


def test_an_open_breaker_refuses_until_the_cooldown_is_over(clock: Clock) -> None:
    breaker = opened(clock)
    for _ in range(24):
        assert not breaker.admits()
        clock.walk_ms(10)
    clock.walk_ms(11)
    assert breaker.admits()
    assert breaker.state == "half_open"


def test_half_open_lets_exactly_one_of_many_racers_through(clock: Clock) -> None:
    breaker = opened(clock)
    clock.walk_ms(251)
    assert sum(breaker.admits() for _ in range(1_000)) == 1


def test_a_good_probe_closes_and_forgets_the_past(clock: Clock) -> None:
    breaker = opened(clock)
    clock.walk_ms(251)
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.is_closed
    breaker.failed(4)
    assert breaker.is_closed


def test_a_bad_probe_opens_again_for_a_whole_cooldown(clock: Clock) -> None:
    breaker = opened(clock)
    clock.walk_ms(251)
    assert breaker.admits()
    clock.walk_ms(100)
    breaker.failed()
    assert breaker.state == "open"
    clock.walk_ms(249)
    assert not breaker.admits()
    clock.walk_ms(2)
    assert breaker.admits()
    assert breaker.openings == 1, "an opening is counted when it was closed before"


def test_a_probe_that_vanished_does_not_lock_everybody_out(clock: Clock) -> None:
    breaker = opened(clock)
    clock.walk_ms(251)
    assert breaker.admits()
    assert not breaker.admits()
    clock.walk_ms(251)
    assert breaker.admits()


def test_late_news_of_old_calls_changes_nothing_while_open(clock: Clock) -> None:
    breaker = opened(clock)
    breaker.succeeded(100)
    assert breaker.state == "open"
    clock.walk_ms(200)
    breaker.failed(100)
    clock.walk_ms(51)
    assert breaker.admits(), "old failures do not stretch the cooldown"


def test_an_invitation_lets_the_next_call_probe_at_once(clock: Clock) -> None:
    breaker = opened(clock)
    breaker.invite()
    assert breaker.state == "open"
    assert [breaker.admits(), breaker.admits()] == [True, False]


def test_however_calls_end_it_is_never_open_for_longer_than_a_cooldown(clock: Clock) -> None:
    for outcomes in itertools.product("sfw", repeat=7):
        breaker = Breaker(consecutive_limit=2, window_minimum=3, cooldown_ms=250, clock=clock)
        for outcome in outcomes:
            if outcome == "w":
                clock.walk_ms(130)
                breaker.admits()
            else:
                (breaker.failed if outcome == "f" else breaker.succeeded)()
        clock.walk_ms(251)
        assert breaker.admits(), outcomes
        breaker.succeeded()
        assert breaker.is_closed, outcomes
