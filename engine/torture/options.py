"""What a seed draws: the houses, their halls and rules, the shoppers, and which faults strike when."""

import random
from typing import Final

import msgspec

from engine.words import HouseSlug

STRUCK: Final = HouseSlug("struck")
"""The house that the faults strike. Its neighbours share nothing with it but the machine, and Postgres."""
NEIGHBOURS: Final = (HouseSlug("calm"), HouseSlug("quiet"))
KINDS: Final = (
    *("kill redis", "cut power", "freeze redis", "slow syncs", "full disk", "clock forward", "clock back"),
    *("kill worker", "kill serve", "freeze serve", "kill postgres", "freeze postgres"),
    *("slow links", "cut links", "lose replies", "release"),
)
OF_SHIM: Final = frozenset({"cut power", "slow syncs", "full disk", "clock forward", "clock back"})
FEWEST_KINDS: Final = 7
FIRST_STRIKE_S: Final = 3.0
MOST_STANDING: Final = 200_000


class Strike(msgspec.Struct, frozen=True):
    """One fault: when it strikes, for how long, and how hard (0 to 1)."""

    kind: str
    at_s: float
    lasts_s: float
    force: float


class Options(msgspec.Struct, frozen=True):
    """A run, as drawn. `minutes` is the time in which faults strike; what follows is the time in which they do not."""

    seed: int
    minutes: float
    houses: tuple[HouseSlug, ...]
    rows: int
    seats: int
    standing: int
    shoppers: int
    pause_ms: int
    hold_seconds: int
    pass_seconds: int
    return_delay_seconds: int
    rate_per_minute: int
    cap: int
    workers: int
    redis_timeout_ms: int
    late_share: float
    """Of all payments; of these a quarter each comes once, twice, before its order, and never."""
    strikes: tuple[Strike, ...]

    @property
    def drawn(self) -> dict[str, int]:
        """How often each kind of fault was drawn."""
        kinds = [strike.kind for strike in self.strikes]
        return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}

    @property
    def words(self) -> str:
        """All but the strikes, in a line."""
        fields = msgspec.structs.asdict(self)
        del fields["strikes"], fields["seed"], fields["minutes"]
        fields["houses"] = len(self.houses)
        return ", ".join(f"{name} {value}" for name, value in fields.items())


def _strikes(chance: random.Random, seconds: float, kinds: tuple[str, ...]) -> tuple[Strike, ...]:
    """One after the other, and sometimes one into the other: every kind in turn, in an order of its own each time."""
    chosen = chance.sample(kinds, chance.randint(min(FEWEST_KINDS, len(kinds)), len(kinds)))
    strikes: list[Strike] = []
    waiting: list[str] = []
    at_s = FIRST_STRIKE_S
    while at_s < seconds:
        waiting = waiting or chance.sample(chosen, len(chosen))
        strike = Strike(waiting.pop(), round(at_s, 2), round(chance.uniform(0.5, 3), 2), round(chance.random(), 3))
        strikes.append(strike)
        at_s += chance.uniform(1, 3) + strike.lasts_s * chance.choice((0.5, 1, 1))
    return tuple(strikes)


def draw(seed: int, minutes: float, *, kinds: tuple[str, ...] = KINDS) -> Options:
    """The options of a seed. `kinds`: faults that can be had here, or that somebody wants to see."""
    chance = random.Random(seed)
    return Options(
        seed=seed,
        minutes=minutes,
        houses=(STRUCK, *NEIGHBOURS[: chance.randint(1, 2)]),
        rows=chance.randint(2, 12),
        seats=chance.randint(8, 30),
        standing=min(MOST_STANDING, 20_000 + int(minutes * 8_000)),
        shoppers=chance.randint(8, 24),
        pause_ms=chance.randint(5, 60),
        hold_seconds=chance.randint(3, 10),
        pass_seconds=chance.randint(8, 20),
        return_delay_seconds=chance.randint(0, 3),
        rate_per_minute=chance.choice((6_000, 20_000, 60_000)),
        cap=chance.choice((200, 1_000, 5_000)),
        workers=chance.randint(1, 2),
        redis_timeout_ms=250,
        late_share=round(chance.uniform(0.05, 0.25), 2),
        strikes=_strikes(chance, minutes * 60, kinds),
    )
