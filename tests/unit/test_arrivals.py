"""Who comes when is the seed's affair alone, however many processes share the crowd."""

import pytest

from loadtests.arrivals import LATE_WITHIN, SHAPES, SPIKE_WITHIN_S, Plan, comes_at_s, share_of
from loadtests.character import Mix

LATE_S = LATE_WITHIN * 30


def plan(shape: str, **changed: object) -> Plan:
    fields = {"shape": shape, "seed": 7, "visitors": 400, "opens_in_s": 40.0, "lasts_s": 90.0} | changed
    return Plan(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shares", [2, 3])
def test_the_shares_of_several_processes_are_the_crowd_of_one(shape: str, shares: int) -> None:
    whole = list(share_of(plan(shape), 0, 1))
    parts = [each for share in range(shares) for each in share_of(plan(shape), share, shares)]
    assert sorted(parts, key=lambda each: each[1].number) == sorted(whole, key=lambda each: each[1].number)
    assert [moment for moment, _ in whole] == sorted(moment for moment, _ in whole)
    assert whole == list(share_of(plan(shape), 0, 1))
    assert whole != list(share_of(plan(shape, seed=8), 0, 1))


@pytest.mark.parametrize(
    ("shape", "first_s", "last_s"),
    [
        ("opening", 10, 40 + LATE_S),
        ("two-houses", 10, 40 + LATE_S),
        ("spike", 0, 90),
        ("soak", 0, 90),
    ],
)
def test_a_shape_has_its_time(shape: str, first_s: float, last_s: float) -> None:
    moments = [moment for moment, _ in share_of(plan(shape), 0, 1)]
    assert first_s <= moments[0] < first_s + 5
    assert moments[-1] <= last_s


def test_most_come_just_before_an_opening_and_latecomers_after_it() -> None:
    moments = [moment for moment, _ in share_of(plan("opening"), 0, 1)]
    thirds = [sum(low <= moment < low + 10 for moment in moments) for low in (10, 20, 30)]
    assert thirds == sorted(thirds)
    assert 40 < sum(moment > 40 for moment in moments) < 120


def test_a_spike_is_a_few_seconds_of_a_calm_sale() -> None:
    moments = [moment for moment, _ in share_of(plan("spike"), 0, 1)]
    struck = sum(30 <= moment < 30 + SPIKE_WITHIN_S for moment in moments)
    assert struck > 0.7 * len(moments)
    assert sum(moment < 30 for moment in moments) > 10


def test_a_soak_is_the_same_every_second() -> None:
    moments = [moment for moment, _ in share_of(plan("soak", visitors=3000), 0, 1)]
    thirds = [sum(low <= moment < low + 30 for moment in moments) for low in (0, 30, 60)]
    assert all(900 < third < 1100 for third in thirds)


def test_everybody_comes_in_a_second_where_sales_have_begun() -> None:
    early = Mix(latecomers=0)
    moments = [comes_at_s(plan("opening", opens_in_s=0.0, mix=early), who) for _, who in share_of(plan("soak"), 0, 1)]
    punctual = [moment for moment in moments if moment <= 1]
    assert len(punctual) > 200
    assert min(moments) >= 0
