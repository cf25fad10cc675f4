"""Under pressure a house lets go of what can wait: first joining, then holding. Confirming, releasing, returning go on.

The rule is here, once. Whatever can run short (memory, the disk, the backlog, the time of an API process) is a
`Strain`: so much used of so much. The keeper judges what its Redis is short of and tells every process through
`lua/cell/press.lua`; a process judges itself.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

import msgspec

MEBIBYTE: Final = 1024 * 1024


class Level(IntEnum):
    """What is shed. Each level sheds what those before it do."""

    CALM = 0
    JOINS = 1
    HOLDS = 2


WORDS: Final = {
    Level.CALM: "calm",
    Level.JOINS: "joining is refused",
    Level.HOLDS: "joining and holding are refused",
}
SHED_AT: Final = {Level.JOINS: 0.8, Level.HOLDS: 0.9}
"""The share of its budget from which a strain sheds."""
RELIEF: Final = 0.1
"""So much less of it must be used before a level is left again: nothing flaps."""
SLOWS_AT: Final = 0.5
STOPS_AT: Final = SHED_AT[Level.JOINS]
"""Between these shares of the backlog's budget the pace at which visitors come in falls from all of it to none."""
PACE_STEP_PERCENT: Final = 10
PACE_RELIEF: Final = 0.02


class Strain(msgspec.Struct, frozen=True):
    """How much is used of what there is of something. `used` and `budget` are in the same unit."""

    source: str
    """One word: `memory`, `disk`, `backlog`, `cpu`."""
    used: float
    budget: float
    words: str
    """The same for people."""

    @property
    def share(self) -> float:
        """1 when all of it is used."""
        return self.used / self.budget if self.budget > 0 else float(self.used > 0)


class Pressure(msgspec.Struct, frozen=True):
    """What is shed, how much of their pace the lines are kept back, and why, the source's word first."""

    level: Level = Level.CALM
    slowed_percent: int = 0
    why: str = ""

    @property
    def source(self) -> str:
        """Which strain it is, or an empty string."""
        return self.why.partition(":")[0]

    def __str__(self) -> str:
        slowed = f"coming in is slowed by {self.slowed_percent} %" if self.slowed_percent else ""
        told = [WORDS[self.level]] if self.level else []
        return " and ".join([*told, *filter(None, [slowed])]) + f" ({self.why})" if self.why else WORDS[self.level]


class Judge:
    """Judges strains again and again, and remembers what was shed for which, so that no level is left too soon."""

    def __init__(self) -> None:
        self._levels: dict[str, Level] = {}
        self._slowed_percent = 0

    def judge(self, strains: Iterable[Strain], slowed: tuple[int, str] = (0, "")) -> Pressure:
        """The pressure that these strains make together: that of the worst of them.

        `slowed`: how many per cent of the pace are kept back because holding is slow, and what is said of it.
        """
        levels = {strain: self._level(strain) for strain in strains}
        self._levels = {strain.source: level for strain, level in levels.items()}
        self._slowed_percent = max((self._slowed(s) for s in levels if s.source == "backlog"), default=0)
        level = max(levels.values(), default=Level.CALM)
        # Whoever comes in wants seats.
        slowed_percent = 100 if level >= Level.HOLDS else self._slowed_percent
        if slowed[0] > slowed_percent:
            if not level:
                return Pressure(level, *slowed)
            slowed_percent = slowed[0]
        if not (level or slowed_percent):
            return Pressure()
        worst = max(levels, key=lambda strain: (levels[strain], strain.share))
        return Pressure(level, slowed_percent, f"{worst.source}: {worst.words}")

    def _level(self, strain: Strain) -> Level:
        before = self._levels.get(strain.source, Level.CALM)
        level = Level.CALM
        for each, share in SHED_AT.items():
            if strain.share >= share - (RELIEF if each <= before else 0):
                level = each
        return level

    def _slowed(self, strain: Strain) -> int:
        """In whole steps: each change of the pace is written into every line."""
        slowed = _slowed_percent(strain.share)
        if slowed < self._slowed_percent:
            return min(self._slowed_percent, _slowed_percent(strain.share + PACE_RELIEF))
        return slowed


def _slowed_percent(share: float) -> int:
    part = min(1.0, max(0.0, (share - SLOWS_AT) / (STOPS_AT - SLOWS_AT)))
    return int(part * 100 / PACE_STEP_PERCENT) * PACE_STEP_PERCENT


def in_mebibytes(used: float, budget: float) -> str:
    """`40 of 64 MiB`."""
    return f"{used / MEBIBYTE:.1f} of {budget / MEBIBYTE:.1f} MiB"
