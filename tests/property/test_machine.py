"""Every call of seats and orders against a model, a hundred thousand of them; and the shortest way to a difference."""

import os
import random
from collections import Counter
from collections.abc import Iterator

import hypothesis.strategies as st
import pytest
import redis
from hypothesis import HealthCheck, given, settings

from tests.property.walk import Walk

OPERATIONS = int(os.environ.get("PARVIS_OPERATIONS", "100000"))
SEED = int(os.environ.get("PARVIS_SEED", random.SystemRandom().randrange(10**9)))
ONLY = os.environ.get("PARVIS_WALK", "")
STEPS = 400
ENOUGH = 100_000
ANSWERS = {
    "hold": "held taken whole none alone limit cool_down code_used pass_ended",
    "swap": "held taken whole none alone limit cool_down code_used pass_ended hold_ended being_paid",
    "release": "released hold_ended unknown_performance",
    "extend": "extended already_extended hold_ended unknown_performance",
    "leave": "held hold_ended",
    "await": "awaiting hold_ended unknown_performance",
    "confirm": "confirmed limit hold_ended unknown_performance",
    "return": "returned already_returned",
    "exchange": "exchanged already_returned hold_ended",
    "rebook": "confirmed taken limit code_used",
    "allot": "allotted taken few exists letter_used",
    "open": "opened nothing_aside",
    "replan": "replanned missing full",
    "sweep": "swept unknown_performance",
}
OUTCOMES = {
    *(f"{call} {answer}" for call, answers in ANSWERS.items() for answer in answers.split()),
    *("hold held in two", "hold refused in one of two", "hold unknown_performance", "swap unknown_performance"),
    *("swap left something", "swap left nothing", "return of all", "return of some", "sold out"),
    *("release of an allotment", "release of units", "release of units that waits"),
}
"""What must have been answered, or have come to pass, in so many calls."""


@pytest.fixture(autouse=True)
def without_a_disk(owner: redis.Redis) -> Iterator[None]:
    """What is asked here does not depend on when it is on disk."""
    owner.execute_command("CONFIG", "SET", "appendfsync", "no")
    yield
    owner.execute_command("CONFIG", "SET", "appendfsync", "always")


def walk(owner: redis.Redis, number: int) -> Walk:
    """The walk of that number with this run's seed; a failure tells its last calls, and how to see it again."""
    made = Walk(owner, random.Random(f"{SEED} {number}"))
    try:
        for _ in range(STEPS):
            made.step()
        made.finish()
    except Exception as error:
        error.add_note(made.last_calls())
        error.add_note(f"again: PARVIS_SEED={SEED} PARVIS_WALK={number} make test TESTS=tests/property/test_machine.py")
        raise
    return made


@pytest.mark.timeout(1800)
def test_a_hundred_thousand_calls_do_what_the_model_does(owner: redis.Redis) -> None:
    print(f"seed {SEED}")
    if ONLY:
        walk(owner, int(ONLY))
        return
    calls, number = 0, 0
    outcomes: Counter[str] = Counter()
    while calls < OPERATIONS:
        made = walk(owner, number)
        calls, number = calls + made.calls, number + 1
        outcomes += made.outcomes
    for outcome in sorted(outcomes):
        print(f"{outcomes[outcome]:7} {outcome}")
    missing = sorted(OUTCOMES - outcomes.keys())
    assert not missing or OPERATIONS < ENOUGH, "of so many calls none came to this"


@given(draw=st.randoms(use_true_random=False), steps=st.integers(1, 30))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_the_shortest_walk_that_differs_is_found(owner: redis.Redis, draw: random.Random, steps: int) -> None:
    made = Walk(owner, draw)
    for _ in range(steps):
        made.step()
    made.finish()
