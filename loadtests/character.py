"""Who comes: every visitor of a crowd has a character, which the seed decides and no answer changes."""

import random
from typing import Final

import msgspec

POPULAR: Final = "popular"
BEST: Final = "best"
AREA: Final = "area"


class Character(msgspec.Struct, frozen=True):
    """How one visitor behaves. Shares and times are invented, to be lively rather than average."""

    number: int
    party: int
    """How many seats it wants, 1 to 5."""
    taste: str
    """`popular` seats picked by name, the `best` together, or a standing `area`."""
    is_late: bool
    """Comes after the start of sales."""
    arrival: float
    """When within its part of the crowd, from 0 (first) to 1 (last)."""
    queue_patience_s: float
    seat_patience_s: float
    """How long it goes on looking for seats once it is inside."""
    think_s: float
    """How long it looks at a page before the next click, on average."""
    payment: str
    """How the demo provider ends its payment: `yes`, `no` or `late`."""
    has_second_card: bool
    walks_away: bool
    """Holds seats and does not buy."""
    is_tidy: bool
    """Gives seats back that it does not buy."""
    double_clicks: bool
    claims_twice: bool
    is_greedy: bool
    """Asks for more seats than a visitor may have."""
    comes_back: bool
    """Tries to buy a second time in the same turn."""
    is_entitled: bool
    """Takes a reduced price where there is one."""


def character(seed: int, number: int, think_s: float = 1.0) -> Character:
    """Visitor `number` of the crowd of a seed; `think_s` scales how slowly everybody clicks."""
    rng = random.Random(f"parvis-crowd/{seed}/{number}")
    return Character(
        number=number,
        party=rng.choices((1, 2, 3, 4, 5), (15, 50, 12, 18, 5))[0],
        taste=rng.choices((POPULAR, BEST, AREA), (45, 45, 10))[0],
        is_late=rng.random() < 0.2,
        arrival=rng.random(),
        queue_patience_s=rng.uniform(5, 60) if rng.random() < 0.03 else 3600,
        seat_patience_s=rng.uniform(8, 40) * max(think_s, 0.25),
        think_s=rng.uniform(0.3, 1.7) * think_s,
        payment=rng.choices(("yes", "no", "late"), (92, 5, 3))[0],
        has_second_card=rng.random() < 0.6,
        walks_away=rng.random() < 0.08,
        is_tidy=rng.random() < 0.7,
        double_clicks=rng.random() < 0.1,
        claims_twice=rng.random() < 0.05,
        is_greedy=rng.random() < 0.02,
        comes_back=rng.random() < 0.03,
        is_entitled=rng.random() < 0.2,
    )


def whims(seed: int, number: int) -> random.Random:
    """What the visitor decides by on its way: which row, how long a pause."""
    return random.Random(f"parvis-whims/{seed}/{number}")
