"""Who comes: every visitor of a crowd has a character, which the seed decides and no answer changes."""

import random
from typing import Final

import msgspec

POPULAR: Final = "popular"
BEST: Final = "best"
AREA: Final = "area"

BUYER: Final = "buyer"
HOARDER: Final = "hoarder"
ROBOT: Final = "robot"

PARTIES: Final = {1: 14, 2: 48, 3: 12, 4: 17, 5: 5, 6: 4}
"""How many people come together, and how often, in percent: an assumption, most of them in pairs."""


class Mix(msgspec.Struct, frozen=True):
    """What a crowd is made of: shares of it from 0 to 1, and how long its people have."""

    latecomers: float = 0.2
    """Come after the start of sales."""
    impatient: float = 0.03
    """Leave after less than a minute in the queue."""
    patience_s: float = 900.0
    """How long everybody else stays in the queue, on average."""
    walkers: float = 0.08
    """Hold seats, and do not buy."""
    late_payers: float = 0.03
    """Whose bank answers later; somebody has to play the bank."""
    reloaders: float = 0.1
    """Reload the page, and must find themselves in the same place."""
    returners: float = 0.08
    """Put the phone away while they wait, and may claim their turn late."""
    hoarders: float = 0.02
    """Hold as much as they may, let go of it just in time, and hold again."""
    robots: float = 0.01
    """Scripted buyers: many places, early claims, shared and forged passes, faster than a person."""


class Character(msgspec.Struct, frozen=True):
    """How one visitor behaves. Shares and times are invented, to be lively rather than average."""

    number: int
    kind: str
    """`buyer`, `hoarder` or `robot`."""
    party: int
    """How many seats it wants, 1 to 6."""
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
    reloads: bool
    """Reloads the page in the queue."""
    away_after_s: float
    """When it puts the phone away, from joining; 0 if it never does."""
    away_s: float
    places: int
    """How many places it takes: a person one, a robot several."""


def character(seed: int, number: int, think_s: float = 1.0, mix: Mix | None = None) -> Character:
    """Visitor `number` of the crowd of a seed; `think_s` scales how slowly everybody clicks."""
    mix = mix or Mix()
    rng = random.Random(f"parvis-crowd/{seed}/{number}")
    return Character(
        number=number,
        kind=rng.choices((HOARDER, ROBOT, BUYER), (mix.hoarders, mix.robots, max(0.0, 1 - mix.hoarders - mix.robots)))[
            0
        ],
        party=rng.choices(tuple(PARTIES), tuple(PARTIES.values()))[0],
        taste=rng.choices((POPULAR, BEST, AREA), (45, 45, 10))[0],
        is_late=rng.random() < mix.latecomers,
        arrival=rng.random(),
        queue_patience_s=rng.uniform(5, 60) if rng.random() < mix.impatient else rng.uniform(0.4, 1.6) * mix.patience_s,
        seat_patience_s=rng.uniform(8, 40) * max(think_s, 0.25),
        think_s=rng.uniform(0.3, 1.7) * think_s,
        payment=rng.choices(("yes", "no", "late"), (0.95 - mix.late_payers, 0.05, mix.late_payers))[0],
        has_second_card=rng.random() < 0.6,
        walks_away=rng.random() < mix.walkers,
        is_tidy=rng.random() < 0.7,
        double_clicks=rng.random() < 0.1,
        claims_twice=rng.random() < 0.05,
        is_greedy=rng.random() < 0.02,
        comes_back=rng.random() < 0.03,
        is_entitled=rng.random() < 0.2,
        reloads=rng.random() < mix.reloaders,
        away_after_s=rng.uniform(1, 20) if rng.random() < mix.returners else 0.0,
        away_s=rng.uniform(5, 60),
        places=rng.randint(2, 6),
    )


def whims(seed: int, number: int) -> random.Random:
    """What the visitor decides by on its way: which row, how long a pause."""
    return random.Random(f"parvis-whims/{seed}/{number}")
