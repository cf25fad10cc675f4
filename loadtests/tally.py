"""What a crowd has lived through so far, counted from what its visitors were told."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from loadtests.people import is_calm

_SOLD = frozenset({"confirmed", "recorded"})


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, by nearest rank; 0 where there are none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else 0.0


class Tally:
    """Counts by visitor and by order; `note` takes what a visitor was told, `timed` what a request took."""

    def __init__(self, visitors: int, opens_at_ms: int) -> None:
        self.visitors = visitors
        self.joined = self.admitted = self.held = self.left = 0
        self.waiting: set[int] = set()
        self.holding: set[int] = set()
        self.orders: dict[str, int] = {}
        self.refusals: Counter[str] = Counter()
        self.endings: Counter[str] = Counter()
        self.not_now: Counter[str] = Counter()
        self.broken: list[str] = []
        self.errors = 0
        self.failures = 0
        """Of the errors, answers that say that something is broken: 5xx that is no 503."""
        self.requests: Counter[str] = Counter()
        self.opens_at_ms = opens_at_ms
        self._joined_at_ms: dict[int, int] = {}
        self._wait_ms: list[float] = []
        self._hold_ms: list[float] = []

    def note(self, entry: dict[str, Any]) -> None:
        """Count one thing that a visitor was told; what a quiet house next door tells is none of this."""
        visitor = entry["visitor"]
        if is_calm(visitor):
            return
        match entry["told"]:
            case "joined":
                self.joined += 1
                self.waiting.add(visitor)
                self._joined_at_ms[visitor] = entry["at_ms"]
            case "admitted":
                self.admitted += 1
                self.waiting.discard(visitor)
                since_ms = max(self.opens_at_ms, self._joined_at_ms[visitor])
                self._wait_ms.append(max(0, entry["at_ms"] - since_ms))
            case "held":
                self.held += 1
                self.holding.add(visitor)
            case "released" | "let_go":
                self.holding.discard(visitor)
            case "ordered":
                self.holding.discard(visitor)
                if entry["state"] in _SOLD:
                    self.orders[entry["order"]] = len(entry["items"])
            case "refused":
                self.refusals[entry["slug"]] += 1
                if entry["slug"] == "hold-ended":
                    self.holding.discard(visitor)
            case "not_now":
                self.not_now[entry["slug"]] += 1
            case "broken":
                self.broken.append(entry["what"])
            case "left":
                self.left += 1
                self.holding.discard(visitor)
                self.waiting.discard(visitor)
                self.endings[entry["why"]] += 1

    def timed(self, name: str, status: int, took_ms: float) -> None:
        """Count one request that went out, and what went wrong with it."""
        self.requests[name] += 1
        if name == "hold" and status:
            self._hold_ms.append(took_ms)
        is_failure = status >= 500 and status != 503
        self.failures += is_failure
        self.errors += is_failure or status == 0

    def progress(self) -> dict[str, Any]:
        """Where the crowd stands now."""
        return {
            "type": "progress",
            "joined": self.joined,
            "waiting": len(self.waiting),
            "admitted": self.admitted,
            "holding": len(self.holding),
            "confirmed": len(self.orders),
            "refusals": dict(self.refusals),
            "errors": self.errors,
        }

    def summary(self, seconds: float) -> dict[str, Any]:
        """How it all ended. `wait_ms` runs from the start of sales, or from joining if that was later."""
        return {
            "type": "summary",
            "visitors": self.visitors,
            "joined": self.joined,
            "admitted": self.admitted,
            "holds": self.held,
            "orders_confirmed": len(self.orders),
            "seats_bought": sum(self.orders.values()),
            "wait_ms": [percentile(self._wait_ms, 0.5), percentile(self._wait_ms, 0.95)],
            "hold_ms": [percentile(self._hold_ms, 0.5), percentile(self._hold_ms, 0.99)],
            "refusals": dict(self.refusals),
            "asked_again": dict(self.not_now),
            "endings": dict(self.endings),
            "broken": self.broken,
            "errors": self.errors,
            "failures": self.failures,
            "requests": dict(self.requests),
            "seconds": round(seconds, 1),
        }
