"""Waits instead of proofs of work: one after another from one network, and none for whoever comes from elsewhere."""

import itertools

import pytest

from api import waits
from api.waits import LEAST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, PHONE_A_SECOND, Waits
from engine import proof

NOW = 1_700_000_000_000


def ends(queue: Waits, count: int, network: str = "here") -> list[float]:
    """After how many seconds the waits are over of so many who ask at once."""
    found = [queue.take(network, proof.numbers_for(joins), NOW) for joins in range(count)]
    return [(each - NOW) / 1000 for each in found if each is not None]


def test_a_crowd_from_one_network_joins_no_faster_than_an_old_phone_solves_what_is_asked_of_it() -> None:
    found = ends(Waits(), 150)
    assert found == sorted(found)
    assert len(found) == 150
    needed = [proof.numbers_for(joins) / PHONE_A_SECOND for joins in range(150)]
    for first, last in itertools.combinations(range(150), 2):
        assert found[last] - found[first] >= sum(needed[first + 1 : last + 1]) - (last - first) / 1000
    in_time = [sum(start <= end < start + 30 for end in found) for start in range(0, 240, 30)]
    assert max(in_time) <= 60, in_time
    assert in_time[2] <= 24, in_time


def test_a_school_that_comes_at_once_is_in_evenly_and_nobody_of_it_is_refused() -> None:
    found = ends(Waits(), 300)
    assert len(found) == 300
    assert max(found) < LONGEST_WAIT_SECONDS
    gaps = [later - sooner for sooner, later in itertools.pairwise(found)]
    assert max(gaps) <= proof.MOST / PHONE_A_SECOND


def test_nobody_elsewhere_waits_for_them() -> None:
    queue = Waits()
    ends(queue, 300)
    assert ends(queue, 1, "elsewhere") == [LEAST_WAIT_SECONDS]


def test_whoever_finds_too_many_before_them_comes_back_and_is_let_in_then() -> None:
    queue = Waits()
    waiting = len(ends(queue, 1_000))
    assert 300 < waiting < 400
    assert queue.take("here", proof.MOST, NOW) is None
    assert queue.take("here", proof.MOST, NOW + 5_000) is not None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "MOST_PREFIXES", 3)
    queue = Waits()
    for number in range(3):
        assert queue.take(f"network {number}", proof.MOST, NOW) == NOW + 5_000
    assert [queue.take(f"more {number}", proof.MOST, NOW) for number in range(2)] == [NOW + 5_000, NOW + 7_500]
    assert queue.take("later", proof.MOST, NOW + 60_000) == NOW + 65_000
    assert len(queue._until_ms) <= 4
