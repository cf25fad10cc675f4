"""Times in buckets: never more than one per cent off, and the same whether one process counted or four."""

import random

import pytest

from loadtests.histogram import Histogram, bucket_of, middle_of
from loadtests.series import Row, Series

VALUES = [0, 1, 127, 128, 255, 256, 257, 511, 512, 1000, 4095, 4096, 65_537, 10_000_000, 3_600_000_000]


@pytest.mark.parametrize("value", VALUES)
def test_a_bucket_is_within_one_per_cent_of_its_values(value: int) -> None:
    assert abs(middle_of(bucket_of(value)) - value) <= value * 0.008


def test_larger_values_never_have_smaller_buckets() -> None:
    buckets = [bucket_of(value) for value in range(20_000)]
    assert buckets == sorted(buckets)
    assert set(range(buckets[-1])) <= set(buckets)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95, 0.99, 0.999, 1.0])
@pytest.mark.parametrize("processes", [1, 4])
def test_merged_percentiles_are_those_of_all_values_together(share: float, processes: int) -> None:
    rng = random.Random(7)
    values = [int(rng.lognormvariate(9, 1.5)) for _ in range(10_000)]
    whole, merged = Histogram(), Histogram()
    parts = [Histogram() for _ in range(processes)]
    for number, value in enumerate(values):
        whole.add(value)
        parts[number % processes].add(value)
    for part in parts:
        merged.merge(Histogram(part.counts.items()))
    exact = sorted(values)[min(len(values) - 1, int(share * len(values)))]
    assert merged.counts == whole.counts
    assert merged.percentile(share) == pytest.approx(exact, rel=0.01)


def test_an_empty_histogram_has_no_times() -> None:
    assert (Histogram().percentile(0.99), Histogram().mean, len(Histogram())) == (0.0, 0.0, 0)


def test_series_of_several_processes_add_up_and_survive_the_way() -> None:
    import msgspec

    here, there, master = Series(), Series(), Series()
    here.add(100, "hold", 201, 5_000, 4_000)
    here.add(100, "hold", 409, 7_000, 6_000)
    there.add(100, "hold", 201, 9_000, 8_000)
    there.add(101, "status", 200, 1_000, 1_000)
    there.late(101, 300)
    for series in (here, there):
        travelled = msgspec.msgpack.encode(series.rows())
        master.merge(msgspec.msgpack.decode(travelled, type=list[Row]))
    assert master.names == ["hold", "status"]
    assert master.ended("hold") == {201: 2, 409: 1}
    assert master.over(("hold",)).due.percentile(1.0) == pytest.approx(9_000, rel=0.01)
    assert len(master.over(("hold", "status"), first=101).due) == 1
    assert [(at, len(spell.sent)) for at, spell in master.windows(("hold", "status"), 100, 110, 5)] == [(100, 4)]
