"""What chance somebody who waits has of seats, from public numbers alone: the same as `api/web/chance.js` tells.

Everybody who comes in before takes as many seats as buyers have taken so far, as often as those who came in have
bought, and comes as often as those who were called have come. What nobody has seen yet is assumed, as ten visitors'
worth. `tests/vectors/outlooks.json` holds both, `tests/property/test_told_honestly.py` that it is as it is told.
"""

import math
from collections.abc import Mapping
from typing import Final

from api.wire_status import ChanceReply, LineReply

ASSUMED: Final = 10
"""So many visitors' worth is what we expect, next to those who were seen."""
COME: Final = 0.85
BUY: Final = 0.75
SEATS: Final = 2.2
"""Of the called, how many come; of those, how many buy; and how many seats each."""
OWN_SEATS: Final = 2
SPREAD: Final = 0.6
"""How far parties differ in size: the variance, in seats a visitor."""
UNFORESEEN: Final = 0.06
"""What no number tells, as a part of what will be taken."""
LIKELY: Final = -0.2
VERY_UNLIKELY: Final = -1.8
"""In standard deviations of what may be left then. That errs on the dark side, because seats also come back: in a
simulation, of those who are told `likely` 97 % could buy, `unlikely` 42 %, `very_unlikely` 3 %.
"""


def others_before(ahead: int, lines: Mapping[str, LineReply]) -> float:
    """How many of other lines are called until so many of the public line are."""
    pace = max(1, lines["public"].per_minute)
    others = (line for name, line in lines.items() if name != "public")
    return sum(min(line.waiting, ahead * line.per_minute / pace) for line in others)


def chance_of(ahead: int, lines: Mapping[str, LineReply], seats_left: int, seen: ChanceReply) -> str:
    """`likely`, `unlikely` or `very_unlikely`, for somebody with so many ahead of them in the public line.

    `seats_left`: open, or held by somebody who has not paid yet.
    """
    finished = max(0, seen.admitted - seen.inside)
    come = min(1.0, (seen.admitted + ASSUMED * COME) / (seen.called + ASSUMED))
    buy = min(1.0, (seen.orders + ASSUMED * BUY) / (finished + ASSUMED))
    seats = (seen.orders * seen.seats_a_visitor + ASSUMED * SEATS) / (seen.orders + ASSUMED)
    waiting = seen.at_door + ahead + others_before(ahead, lines)
    taken = (seen.inside + waiting * come) * buy * seats

    def one(share: float, count: float) -> float:
        return count * share * (seats * seats + SPREAD * seats - share * seats * seats)

    unsure = (1 - come) / (come * (seen.called + ASSUMED)) + (1 - buy) / (buy * (finished + ASSUMED))
    unsure += SPREAD / (seats * (seen.orders + ASSUMED)) + UNFORESEEN * UNFORESEEN
    spread = math.sqrt(one(buy, seen.inside) + one(come * buy, waiting) + taken * taken * unsure + 1)
    score = (seats_left - taken - OWN_SEATS) / spread
    return "likely" if score >= LIKELY else "very_unlikely" if score <= VERY_UNLIKELY else "unlikely"
