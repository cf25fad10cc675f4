"""Rounds: what is compared is measured in turns, so that a noisy moment of the machine hits both alike."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

Measure = Callable[[], Awaitable[float]]
AT_LEAST: Final = "at least"
AT_MOST: Final = "at most"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One ratio against one yardstick. `spread`: the lowest and highest ratio of a round."""

    what: str
    yardstick: str
    ratio: float
    sense: str
    bar: float
    holds: bool
    moonshot: float | None
    rounds: int
    spread: tuple[float, float]
    measured: str
    """The medians behind the ratio, in words; they only show proportions."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """What a ratio is asked to be."""

    what: str
    yardstick: str
    sense: str
    bar: float
    moonshot: float | None = None

    def judge(self, ours: Sequence[float], yardstick: Sequence[float], unit: str) -> Part:
        """The median of the rounds' ratios against the bar."""
        ratios = [one / other for one, other in zip(ours, yardstick, strict=True)]
        return self.judge_ratios(ratios, f"{_figure(median(ours))} against {_figure(median(yardstick))} {unit}")

    def judge_ratios(self, ratios: Sequence[float], measured: str) -> Part:
        """The median of ratios that were worked out already."""
        ratio = median(ratios)
        return Part(
            what=self.what,
            yardstick=self.yardstick,
            ratio=_rounded(ratio),
            sense=self.sense,
            bar=self.bar,
            holds=ratio >= self.bar if self.sense == AT_LEAST else ratio <= self.bar,
            moonshot=self.moonshot,
            rounds=len(ratios),
            spread=(_rounded(min(ratios)), _rounded(max(ratios))),
            measured=measured,
        )


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


async def interleave(rounds: int, measures: Mapping[str, Measure]) -> dict[str, list[float]]:
    """Each measure once a round, every second round in reverse order; one round before that only warms up."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        names = list(measures)[:: 1 if number % 2 else -1]
        for name in names:
            value = await measures[name]()
            if number:
                found[name].append(value)
    return found
