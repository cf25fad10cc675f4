"""Times in buckets at most 0.8 % wide, as in HdrHistogram: those of several processes add up exactly."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

PRECISION_BITS: Final = 7
"""A bucket is at most 1/128 of its own values wide."""


def bucket_of(value: int) -> int:
    """The number of the bucket of a value of 0 or more; larger values never have smaller numbers."""
    shift = max(0, value.bit_length() - PRECISION_BITS - 1)
    return (shift << PRECISION_BITS) + (value >> shift)


def middle_of(bucket: int) -> float:
    """The middle of the values of a bucket."""
    shift = max(0, (bucket >> PRECISION_BITS) - 1)
    return ((bucket - (shift << PRECISION_BITS)) << shift) + ((1 << shift) - 1) / 2


class Histogram:
    """How often each bucket was hit. Values are whole numbers: here microseconds."""

    def __init__(self, counts: Iterable[tuple[int, int]] = ()) -> None:
        self.counts: Counter[int] = Counter(dict(counts))

    def add(self, value: int) -> None:
        """Count a value; what is below 0 counts as 0."""
        self.counts[bucket_of(max(0, value))] += 1

    def merge(self, other: "Histogram") -> None:
        """Count all that another one has counted."""
        self.counts.update(other.counts)

    def __len__(self) -> int:
        return self.counts.total()

    def percentile(self, share: float) -> float:
        """The value below which a share (0 to 1) of the values lie, by nearest rank; 0 where there are none."""
        total = len(self)
        rank, seen = min(total - 1, int(share * total)), 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen > rank:
                return middle_of(bucket)
        return 0.0

    @property
    def mean(self) -> float:
        """The mean, as exact as the buckets are wide; 0 where there are no values."""
        return sum(middle_of(bucket) * count for bucket, count in self.counts.items()) / max(1, len(self))
