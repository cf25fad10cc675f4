"""Hoarders: they hold all that they may, let go of it just before its end, and hold again; they never buy."""

from typing import Final

from loadtests.shopping import Shopper
from loadtests.visit import Visit
from loadtests.wire import Hold, OnSale, Pause, Steps

ROUNDS: Final = 3
PATIENCE_S: Final = 3600.0


class Hoarder(Shopper):
    """Somebody who wants to have been able to."""

    def __init__(self, visit: Visit, rules: OnSale, pass_: str) -> None:
        super().__init__(visit, rules, pass_)
        self.party = rules.limits.seats_a_hold
        self.patience_s = PATIENCE_S
        self._rounds = 0

    def decide(self, hold: Hold) -> Steps[str]:
        """Keep it as long as that costs nothing. Whoever is tidy gives it back; else it ends by itself."""
        self._rounds += 1
        if self.visit.character.is_tidy:
            yield Pause(self.rules.hold_seconds * 0.9)
            yield from self.release(hold)
        else:
            yield Pause(self.rules.hold_seconds + 0.5)
            self.visit.tell("let_go", hold=hold.hold)
        return "hoarded" if self._rounds == ROUNDS else ""
