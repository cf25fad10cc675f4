"""What is counted of an on-sale while its lines move, read off the fields that Redis keeps of it anyway.

Nothing more is written when somebody joins or is admitted: once a second the keeper writes down how far each counter
is, a row a minute.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.leap import number_in, suffixes
from engine.leaps import leaps_of, persons_before

A_MINUTE_S: Final = 60.0
COUNTERS: Final = ("joined", "called", "admitted", "missed", "orders")


class Counted(msgspec.Struct, frozen=True):
    """How many there have been: places given, turns called, visitors let in, turns that passed unclaimed, orders.

    `missed`: at least so many; whoever was called lately may come yet.
    """

    joined: int = 0
    called: int = 0
    admitted: int = 0
    missed: int = 0
    orders: int = 0

    def since(self, before: "Counted") -> "Counted":
        """How many since then."""
        return Counted(*(max(0, getattr(self, name) - getattr(before, name)) for name in COUNTERS))


def persons_in(fields: Mapping[str, str], line: str, name: str) -> int:
    """How many stand in a line before the position, or number, that a field of it says. `line`: see `suffixes`."""
    leaps = leaps_of(fields.get("leaps" + line, ""), number_in(fields, "entrants" + line))
    return persons_before(leaps, number_in(fields, name + line))


def counted_in(fields: Mapping[str, str]) -> Counted:
    """The counters of an on-sale's hash, over all its lines; what a recovery leapt over is nobody."""
    lines = suffixes(fields)
    admitted = number_in(fields, "admitted")
    gone = sum(persons_in(fields, line, "gone") for line in lines)
    return Counted(
        joined=sum(persons_in(fields, line, "joined") for line in lines),
        called=sum(persons_in(fields, line, "now_serving") for line in lines),
        admitted=admitted,
        missed=max(0, gone - admitted),
        orders=number_in(fields, "orders"),
    )


class LastMinute:
    """The admissions of the last minute, looked at once a second."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, int]] = deque()

    def overshoot(self, fields: Mapping[str, str], now_s: float) -> int:
        """By how many the admissions of the last minute were more than the highest rate in it; at least 0."""
        looks = self._looks
        looks.append((now_s, number_in(fields, "admitted"), number_in(fields, "rate")))
        while looks[0][0] < now_s - A_MINUTE_S:
            looks.popleft()
        return max(0, looks[-1][1] - looks[0][1] - max(rate for _, _, rate in looks))
