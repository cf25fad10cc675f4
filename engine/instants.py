"""Instants: integer milliseconds since the Unix epoch inside, RFC 3339 in UTC on the wire."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from engine.errors import BadInput

LATEST_MS: Final = 253_370_764_800_000
"""The year 9999: later instants have no RFC 3339."""


@lru_cache(maxsize=4096)
def _second(instant_s: int) -> str:
    return datetime.fromtimestamp(instant_s, UTC).isoformat(timespec="seconds")[:19]


def to_rfc3339(instant_ms: int) -> str:
    """`1767225600000` → `2026-01-01T00:00:00.000Z`."""
    second, rest_ms = divmod(instant_ms, 1000)
    return f"{_second(second)}.{rest_ms:03d}Z"


def from_rfc3339(text: str) -> int:
    """Milliseconds of an RFC 3339 instant with an offset; raises `BadInput`."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is not an instant such as 2026-09-01T10:00:00+02:00") from error
    if instant.tzinfo is None:
        raise BadInput(f"{text!r} has no offset from UTC, such as Z or +02:00")
    instant_ms = round(instant.timestamp() * 1000)
    if not 0 <= instant_ms < LATEST_MS:
        raise BadInput(f"{text!r} does not lie between the years 1970 and 9999")
    return instant_ms


def now_ms() -> int:
    """The host's clock: for records and for the pages, never to decide an expiry (Redis's clock does)."""
    return time.time_ns() // 1_000_000
