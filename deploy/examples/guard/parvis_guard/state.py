"""What all processes of a guard on one machine share, in one small file: used turns, the count of newcomers, and what
was last known of the on-sale, for when Parvis is away from the start.
"""

import hmac
import sqlite3
import threading
import time
from typing import Final

KEPT_SECONDS: Final = 86_400
SLACK_SECONDS: Final = 30.0
"""A net bears so many seconds' worth of newcomers at once before its room shows."""
DEEPEST_SECONDS: Final = 60.0
"""What comes on top in a long rush is not made up for: the room would show for hours after it."""
AT_ONCE_SECONDS: Final = 5.0
"""While Parvis is away an open guard lets in so many seconds' worth at once."""
TABLES: Final = """
    CREATE TABLE IF NOT EXISTS used (turn TEXT PRIMARY KEY, browser TEXT, until INTEGER);
    CREATE TABLE IF NOT EXISTS paced (name TEXT PRIMARY KEY, until REAL, rests INTEGER);
    CREATE TABLE IF NOT EXISTS known (name TEXT PRIMARY KEY, text TEXT);
"""


class State:
    """The file, or this process's memory. Raises `sqlite3.Error` where another process keeps it for too long."""

    def __init__(self, file: str) -> None:
        self._lock = threading.Lock()
        self._base = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=2)
        # Nothing here has to outlive the machine; a rush of newcomers has no time for its disk.
        self._base.execute("PRAGMA synchronous = OFF")
        self._base.executescript(TABLES)

    def is_first(self, turn: str, browser: str, until: int) -> bool:
        """Whether a turn is this browser's: it is whose came first, for as long as it lasts."""
        with self._lock:
            self._base.execute("DELETE FROM used WHERE until < ?", (int(time.time()) - KEPT_SECONDS,))
            self._base.execute("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", (turn, browser, until))
            found = self._base.execute("SELECT browser FROM used WHERE turn = ?", (turn,)).fetchone()
        return bool(found and hmac.compare_digest(found[0].encode(), browser.encode()))

    def rests_for(self, name: str, per_minute: int, *, may_rest: bool, is_waited: bool) -> bool:
        """Counts a newcomer in a safety net; whether the room rests for them, so that they come straight in.

        It shows from the one on who is too many, until newcomers have been fewer than `per_minute` for long enough to
        make up for that, and nobody waits in the line. `may_rest`: not before the opening, and not in a pause.
        """
        now = time.time()
        with self._lock, self._base:
            until, rested = self._paced(name)
            until = min(until, now + DEEPEST_SECONDS)
            rests = may_rest and (rested or (until <= now and not is_waited))
            until = max(now, until) + 60 / per_minute
            rests = rests and until - now <= SLACK_SECONDS
            self._base.execute("REPLACE INTO paced VALUES (?, ?, ?)", (name, until, int(rests)))
        return rests

    def rests(self, name: str) -> bool:
        """Whether the room rested for the last newcomer."""
        with self._lock:
            found = self._base.execute("SELECT rests FROM paced WHERE name = ?", (name,)).fetchone()
        return bool(found and found[0])

    def has_room(self, name: str, per_minute: int) -> bool:
        """Whether one more may come in at this pace, without anybody else to ask; counts who does."""
        if per_minute <= 0:
            return False
        now, interval = time.time(), 60 / per_minute
        with self._lock, self._base:
            until = max(now, min(self._paced(name)[0], now + DEEPEST_SECONDS)) + interval
            if until - now > max(interval, AT_ONCE_SECONDS):
                return False
            self._base.execute("REPLACE INTO paced VALUES (?, ?, 0)", (name, until))
        return True

    def _paced(self, name: str) -> tuple[float, bool]:
        """In a transaction of its own: nobody else counts meanwhile."""
        self._base.execute("BEGIN IMMEDIATE")
        found = self._base.execute("SELECT until, rests FROM paced WHERE name = ?", (name,)).fetchone()
        return (float(found[0]), bool(found[1])) if found else (0.0, False)

    def keep(self, name: str, text: str) -> None:
        """Keeps what was last known."""
        with self._lock:
            self._base.execute("REPLACE INTO known VALUES (?, ?)", (name, text))

    def kept(self, name: str) -> str:
        """What was last known, or an empty string."""
        with self._lock:
            found = self._base.execute("SELECT text FROM known WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""
