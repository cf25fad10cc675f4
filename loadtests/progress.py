"""What a long run says while it runs: one line, renewed in a terminal, and now and then elsewhere."""

import sys
import time
from typing import Final

from loadtests.series import LAG, Series
from loadtests.tally import Tally
from loadtests.wire import Status

SAY_EVERY_S: Final = 10.0
RECENT_S: Final = 10


class Progress:
    """The line, and when it was last said."""

    def __init__(self, tally: Tally, series: Series, visitors: int) -> None:
        self._tally = tally
        self._series = series
        self._visitors = visitors
        self._is_terminal = sys.stdout.isatty()
        self._said_at_s = -SAY_EVERY_S

    def line(self, ran_s: float, status: Status | None) -> str:
        """Queue, let in, seats left, orders, times, and how late the generator itself is."""
        tally, recent = self._tally, int(time.time()) - RECENT_S
        line = status.lines["public"] if status else None
        parts = [
            f"{int(ran_s) // 60}:{int(ran_s) % 60:02}",
            status.phase if status else "no answer",
            f"joined {tally.joined}",
            f"queue {max(0, line.joined - line.now_serving) if line else '?'}",
            f"let in {tally.admitted} ({line.per_minute if line else '?'}/min)",
            f"seats left {sum(status.seats_open.values()) if status else '?'}",
            f"orders {len(tally.orders)}",
            f"gone {tally.left}/{self._visitors}",
            f"p99 hold {self._p99_ms('hold', recent)} status {self._p99_ms('status', recent)} ms",
            f"generator late {self._p99_ms(LAG, recent)} ms",
        ]
        return " · ".join(parts)

    def _p99_ms(self, name: str, since: int) -> str:
        spell = self._series.over((name,), since)
        return f"{spell.due.percentile(0.99) / 1000:.0f}" if len(spell.due) else "-"

    def show(self, ran_s: float, status: Status | None) -> None:
        """Say it, if it is time."""
        if not self._is_terminal and ran_s - self._said_at_s < SAY_EVERY_S:
            return
        self._said_at_s = ran_s
        text = self.line(ran_s, status)
        sys.stdout.write(f"\r\x1b[K{text}" if self._is_terminal else f"{text}\n")
        sys.stdout.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal:
            sys.stdout.write("\n")
