"""What an on-sale's rate becomes later by itself: steps by time, which the line's own clock carries out."""

from collections.abc import Sequence
from typing import Final

from engine.catalogue import RateStep
from engine.errors import BadInput
from engine.instants import now_ms, to_rfc3339

MOST_STEPS: Final = 50


def check_steps(steps: Sequence[RateStep], fastest: int) -> None:
    """Raises `BadInput` for a plan that no house can mean. `fastest`: a minute."""
    times = [step.at_ms for step in steps]
    if len(steps) > MOST_STEPS or times != sorted(set(times)) or any(at_ms <= 0 for at_ms in times):
        raise BadInput(f"rates are at most {MOST_STEPS}, each at a later instant than the one before")
    if any(not 0 <= step.rate_per_minute <= fastest for step in steps):
        raise BadInput(f"rate_per_minute lies between 0 and {fastest}")


def check_future(steps: Sequence[RateStep]) -> None:
    """Raises `BadInput` for a step that has passed: nothing is let in afterwards."""
    if steps and steps[0].at_ms <= now_ms():
        raise BadInput("what is planned lies in the future")


def plan_of(steps: Sequence[RateStep]) -> str:
    """The steps as the on-sale's hash in Redis has them: instant and rate in turn (`lua/include/pace.lua`)."""
    return " ".join(f"{step.at_ms} {step.rate_per_minute}" for step in steps)


def steps_of(plan: str) -> tuple[RateStep, ...]:
    """What such a plan says."""
    numbers = list(map(int, plan.split()))
    return tuple(map(RateStep, numbers[::2], numbers[1::2]))


def told(steps: Sequence[RateStep]) -> str:
    """The steps as the log of actions has them."""
    return ", ".join(f"{to_rfc3339(step.at_ms)}={step.rate_per_minute}" for step in steps)
