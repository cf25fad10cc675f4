"""Aisles: as a plan's extension tells them, or derived from positions, never from labels."""

from collections.abc import Callable, Collection, Sequence
from math import hypot
from statistics import median
from typing import Final

import msgspec

from engine.halls.plan import Row, Zone

AISLE: Final = 1.6
"""A gap this many times the row's pitch is an aisle."""
GAPS_FOR_A_PITCH: Final = 3


def told(zones: Sequence[Zone], after: Collection[str]) -> tuple[Zone, ...]:
    """The zones with an aisle after each seat named."""
    return _mark(zones, lambda row: [seat.id in after for seat in row.seats])


def derived(zones: Sequence[Zone]) -> tuple[Zone, ...]:
    """The zones with an aisle wherever a gap is clearly wider than the row's pitch (in a short row: the hall's)."""
    pitches = [median(gaps) for zone in zones for row in zone.rows if len(gaps := _gaps(row)) >= GAPS_FOR_A_PITCH]
    usual = median(pitches) if pitches else 0.0

    def aisles(row: Row) -> list[bool]:
        gaps = _gaps(row)
        pitch = median(gaps) if len(gaps) >= GAPS_FOR_A_PITCH else usual
        return [pitch > 0 and gap > AISLE * pitch for gap in gaps] + [False]

    return _mark(zones, aisles)


def _gaps(row: Row) -> list[float]:
    return [hypot(b.x - a.x, b.y - a.y) for a, b in zip(row.seats, row.seats[1:], strict=False)]


def _mark(zones: Sequence[Zone], aisles: Callable[[Row], list[bool]]) -> tuple[Zone, ...]:
    """The zones with `is_before_aisle` set by `aisles(row)`, a bool a seat."""

    def marked(row: Row) -> Row:
        seats = tuple(
            msgspec.structs.replace(seat, is_before_aisle=is_before)
            for seat, is_before in zip(row.seats, aisles(row), strict=False)
        )
        return msgspec.structs.replace(row, seats=seats)

    return tuple(msgspec.structs.replace(zone, rows=tuple(map(marked, zone.rows))) for zone in zones)
