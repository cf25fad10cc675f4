"""The master's own eyes: once a second where the line and the seats stand, as everybody may read it.

With a key that may manage, also what only the house sees: how many passes live, and their cap.
"""

import time
from typing import Any

import msgspec

from loadtests.evidence import Reader
from loadtests.people import WATCHER
from loadtests.visit import now_ms
from loadtests.wire import Status


class Counters(msgspec.Struct, frozen=True):
    """An on-sale as its house watches it."""

    cap: int
    live_passes: int
    admitted: int
    seats: dict[str, int]
    """How many are `open`, `held`, `sold` and `blocked`."""


class Watcher:
    """Looks at one on-sale, and writes down what it sees as visitors do."""

    def __init__(self, base_url: str, house: str, on_sale: str, key: str) -> None:
        self._reader = Reader(base_url)
        self._house_path, self._on_sale, self._key = f"/v1/houses/{house}", on_sale, key
        self.status: Status | None = None
        self.held: int | None = None
        """How many seats are held; None where that cannot be seen."""
        self._nothing_since_s: float | None = None

    def look(self) -> list[dict[str, Any]]:
        """What there is to see now; nothing where the house does not answer."""
        seen: list[dict[str, Any]] = []
        asked_at_ms = now_ms()
        answer = self._reader.once(f"{self._house_path}/on-sales/{self._on_sale}/status")
        if answer.is_good:
            self.status = status = msgspec.json.decode(answer.body, type=Status)
            line = status.lines["public"]
            facts = msgspec.to_builtins(line) | {"phase": status.phase, "seats_open": status.seats_open}
            seen.append(self._entry("status", asked_at_ms) | facts)
        if self._key:
            asked_at_ms = now_ms()
            answer = self._reader.once(f"{self._house_path}/manage/on-sales/{self._on_sale}", self._key)
            if answer.is_good:
                counters = msgspec.json.decode(answer.body, type=Counters)
                self.held = counters.seats.get("held", 0)
                seen.append(self._entry("counters", asked_at_ms) | msgspec.to_builtins(counters))
            elif answer.is_decided:
                self._key = ""  # it may read orders, and no more
        return seen

    def _entry(self, told: str, asked_at_ms: int) -> dict[str, Any]:
        return {"at_ms": now_ms(), "visitor": WATCHER, "told": told, "asked_at_ms": asked_at_ms}

    def is_nothing_left(self, *, somebody_holds: bool, settle_s: float) -> bool:
        """Whether nothing has been open or held for `settle_s`, so that nothing will come back.

        `somebody_holds`: what the crowd knows of it, where the house does not say.
        """
        status = self.status
        if status is None or status.phase in {"scheduled", "prequeue"}:
            return False
        is_held = somebody_holds if self.held is None else self.held > 0
        if status.is_over:
            settle_s = min(settle_s, 25.0)
        elif is_held or any(status.seats_open.values()) or status.phase == "paused":
            self._nothing_since_s = None
            return False
        now_s = time.monotonic()
        self._nothing_since_s = self._nothing_since_s or now_s
        return now_s - self._nothing_since_s > settle_s
