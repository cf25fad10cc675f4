"""Aisles: as a plan's extension tells them, or derived from positions, never from labels."""

from collections.abc import Callable, Collection, Sequence
from math import hypot
from statistics import median
from typing import Final

import msgspec

from engine.halls.plan import Row, Zone

AISLE: Final = 1.6
"""A gap this many times the row's pitch is an aisle."""
NEARLY: Final = 1.25
"""A gap from here on is worth a look."""
SURE: Final = 0.3
"""So far from the limit a gap is surely an aisle, or surely none."""
GAPS_FOR_A_PITCH: Final = 3


def told(zones: Sequence[Zone], after: Collection[str]) -> tuple[Zone, ...]:
    """The zones with an aisle after each seat named."""
    return _mark(zones, lambda row: [seat.id in after for seat in row.seats])


def begun(zones: Sequence[Zone], before: Collection[str]) -> tuple[Zone, ...]:
    """The zones with an aisle before each seat named, where it is the first of its row."""
    if not before:
        return tuple(zones)

    def marked(row: Row) -> Row:
        if not row.seats or row.seats[0].id not in before:
            return row
        first = msgspec.structs.replace(row.seats[0], is_after_aisle=True)
        return msgspec.structs.replace(row, seats=(first, *row.seats[1:]))

    return tuple(msgspec.structs.replace(zone, rows=tuple(map(marked, zone.rows))) for zone in zones)


def derived(zones: Sequence[Zone]) -> tuple[Zone, ...]:
    """The zones with an aisle wherever a gap is clearly wider than the row's pitch (in a short row: the hall's)."""
    ratios = _ratios(zones)
    return _mark(zones, lambda row: [ratio > AISLE for ratio in ratios(row)] + [False])


class Gap(msgspec.Struct, frozen=True):
    """A wider gap in a row: after which seat, how many pitches wide, and whether it counts as an aisle."""

    after: str
    ratio: float
    is_aisle: bool


class RowGaps(msgspec.Struct, frozen=True):
    """A row's aisles, and the gaps that are nearly one. `doubt`: 0 for a gap that is as wide as the limit."""

    zone: str
    row: str
    gaps: tuple[Gap, ...]
    doubt: float

    def is_unsure(self) -> bool:
        """Whether positions leave it open where this row's aisles are, or were overruled."""
        return self.doubt < SURE


def report(zones: Sequence[Zone]) -> list[RowGaps]:
    """Every row with its aisles and its nearly-aisles, what is least sure first."""
    ratios = _ratios(zones)
    rows = []
    for zone in zones:
        for row in zone.rows:
            wide = [
                Gap(after=seat.id, ratio=round(ratio, 2), is_aisle=seat.is_before_aisle)
                for seat, ratio in zip(row.seats, ratios(row), strict=False)
                if seat.is_before_aisle or ratio >= NEARLY
            ]
            doubt = min((gap.ratio - AISLE if gap.is_aisle else AISLE - gap.ratio for gap in wide), default=AISLE)
            rows.append(RowGaps(zone=zone.name, row=row.number, gaps=tuple(wide), doubt=round(doubt, 2)))
    return sorted(rows, key=lambda row: row.doubt)


def _ratios(zones: Sequence[Zone]) -> Callable[[Row], list[float]]:
    """Tells each gap of a row in pitches: its own, or the hall's usual one where the row is short."""
    pitches = [median(gaps) for zone in zones for row in zone.rows if len(gaps := _gaps(row)) >= GAPS_FOR_A_PITCH]
    usual = median(pitches) if pitches else 0.0

    def ratios(row: Row) -> list[float]:
        gaps = _gaps(row)
        pitch = median(gaps) if len(gaps) >= GAPS_FOR_A_PITCH else usual
        return [gap / pitch if pitch > 0 else 0.0 for gap in gaps]

    return ratios


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
