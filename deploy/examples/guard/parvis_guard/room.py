"""What a guard knows of the waiting room: what the house chose, how the line stands, whether it can be reached.

It is read from the public status, behind the back of whoever asks for a page, and kept in the guard's file.
"""

import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from parvis_guard.state import State

FETCH_SECONDS: Final = 2.0
"""Who takes longer to answer is away."""
STALE_SECONDS: Final = 15.0
"""What is older is waited for, as long as a fetch may take."""
LONGEST_STATUS: Final = 1_000_000
BEFORE: Final = {"scheduled", "prequeue"}
GOES_ON: Final = {"open", "sold_out", "closed"}
OVER: Final = {"sold_out", "closed"}


@dataclass(frozen=True)
class Known:
    """An on-sale as its status told of it. Before anything was heard of it: as if it had only just been made."""

    net_per_minute: int = 0
    """From so many newcomers a minute on the room shows; 0: always."""
    fails: str = ""
    phase: str = "open"
    opens_at: float = 0
    is_waited: bool = True
    """Whether somebody waits in the line."""
    per_minute: int = -1
    """How many are called a minute; -1: not known."""

    def goes_on(self) -> bool:
        """Whether visitors come in at all: not before the opening, and not in a pause."""
        return self.phase in GOES_ON or (self.phase in BEFORE and time.time() >= self.opens_at)


def read_status(body: bytes) -> Known:
    """What a status says. Raises `ValueError` for what is none."""
    try:
        status: dict[str, Any] = json.loads(body)
        lines = status["lines"].values()
        waiting = sum(max(0, int(line["joined"]) - int(line["now_serving"])) for line in lines)
        # A drained line calls nobody further: for who comes anew that is a pause.
        phase = "paused" if status.get("why") == "draining" else str(status["phase"])
        return Known(
            net_per_minute=int((status.get("safety_net") or {}).get("per_minute", 0)),
            fails="open" if status.get("fails") == "open" else "closed",
            phase=phase,
            opens_at=datetime.fromisoformat(status["opens_at"]).timestamp(),
            is_waited=waiting > 0 and phase not in OVER,
            per_minute=int(status["lines"]["public"]["per_minute"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("this is no status of an on-sale") from error


class Room:
    """The waiting room from afar. `look` and `is_away` wait for nobody, but where nothing is known or all is stale."""

    def __init__(self, address: str, name: str, state: State, fresh_seconds: float) -> None:
        """`name`: under which the state keeps what is known."""
        self._address, self._name, self._state, self._fresh_seconds = address, name, state, fresh_seconds
        self._lock = threading.Lock()
        self._under_way: threading.Thread | None = None
        self._began = self._ended = float("-inf")
        self._has_failed = False
        self.known: Known
        """What is known, however old."""
        try:
            self.known = Known(**json.loads(state.kept(name) or "{}"))
        except (ValueError, TypeError):
            self.known = Known()

    def look(self) -> Known:
        """What is known; what is not fresh any more is fetched meanwhile."""
        now = time.monotonic()
        with self._lock:
            if self._under_way is None and now - self._ended >= self._fresh_seconds:
                self._began = now
                self._under_way = threading.Thread(target=self._fetch, daemon=True)
                self._under_way.start()
            waits_for = self._under_way if now - self._ended > STALE_SECONDS else None
            left = self._began + FETCH_SECONDS - now
        if waits_for is not None and left > 0:
            waits_for.join(left)
        return self.known

    @property
    def is_away(self) -> bool:
        """Whether it did not answer when it was last asked, or takes too long to."""
        with self._lock:
            is_slow = self._under_way is not None and time.monotonic() - self._began >= FETCH_SECONDS
            return is_slow or self._has_failed

    def _fetch(self) -> None:
        has_failed = True
        try:
            # The address is the house's own setting.
            with urllib.request.urlopen(self._address, timeout=FETCH_SECONDS) as answer:  # noqa: S310
                found = read_status(answer.read(LONGEST_STATUS))
            if found != self.known:
                self._state.keep(self._name, json.dumps(asdict(found)))
            self.known, has_failed = found, False
        except urllib.error.HTTPError as error:
            has_failed = error.code >= 500  # it is there, and says that it knows no such on-sale
            error.close()
        except (OSError, ValueError, sqlite3.Error):
            pass
        with self._lock:
            self._under_way, self._has_failed, self._ended = None, has_failed, time.monotonic()
