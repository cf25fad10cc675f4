"""When people come. The seed and the shape decide, long before anybody is asked anything: a slow house is asked as
often as a fast one (an open model), and every process works out its own share of the crowd alone.

`opening`    most come in the minute before the start of sales, more and more of them; the latecomers after it
`two-houses` the same at one house, while another one's few calm visitors are timed before and during the rush
`spike`      a sale that is open and calm, until somebody famous tells the world
`soak`       the same number every second, for long: what grows, leaks or drifts shows itself
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from loadtests.character import Character, Mix, character

OPENING: Final = "opening"
SPIKE: Final = "spike"
SOAK: Final = "soak"
TWO_HOUSES: Final = "two-houses"
SHAPES: Final = (OPENING, SPIKE, SOAK, TWO_HOUSES)
LATE_WITHIN: Final = 2.0
"""Latecomers come within so many times the window before the start of sales, most of them soon."""
SPIKE_WITHIN_S: Final = 5.0
SPIKE_AFTER: Final = 1 / 3
"""Where in its length a spike strikes."""
LEAST_WINDOW_S: Final = 1.0
WALKERS_IN_A_SOAK: Final = 0.85
"""Most people at a soak give back what they held, so that the hall lasts."""


class Plan(msgspec.Struct, frozen=True):
    """A crowd and its timetable. Seconds count from the beginning of the run."""

    shape: str
    seed: int
    visitors: int
    think_s: float = 1.0
    opens_in_s: float = 0.0
    """When sales start; 0 if they have started."""
    come_within_s: float = 30.0
    """How long before the start of sales the first ones come."""
    lasts_s: float = 300.0
    """How long people go on coming in a spike or a soak."""
    mix: Mix = Mix()

    @property
    def rush_at_s(self) -> float:
        """When the first of the crowd can come."""
        return max(0.0, self.opens_in_s - self.come_within_s) if self.shape in {OPENING, TWO_HOUSES} else 0.0


def comes_at_s(plan: Plan, who: Character) -> float:
    """When a visitor comes, seconds after the beginning of the run."""
    match plan.shape:
        case "soak":
            return who.arrival * plan.lasts_s
        case "spike":
            if who.is_late:  # here those who would have come in any case
                return who.arrival * plan.lasts_s
            return plan.lasts_s * SPIKE_AFTER + who.arrival * SPIKE_WITHIN_S
    window_s = max(LEAST_WINDOW_S, plan.opens_in_s - plan.rush_at_s)
    if not who.is_late:
        return plan.rush_at_s + window_s * math.sqrt(who.arrival)
    # Exponential, cut where 95 % have come.
    return plan.rush_at_s + window_s - math.log(1 - 0.95 * who.arrival) / 3 * LATE_WITHIN * plan.come_within_s


def share_of(plan: Plan, share: int, shares: int) -> Iterator[tuple[float, Character]]:
    """The visitors of one process with their times, the first to come first; the shares together are the crowd."""
    crowd = (character(plan.seed, number, plan.think_s, plan.mix) for number in range(share, plan.visitors, shares))
    yield from sorted(((comes_at_s(plan, who), who) for who in crowd), key=lambda each: each[0])
