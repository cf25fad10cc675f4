"""A seating plan as a visitor's page reads it, and how people pick from it: all want the same seats."""

import random
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Final

import msgspec

_OPEN: Final = "o"
_CROWDING: Final = 3
"""How strongly people want the first rows of the plan; 1 would be not at all."""


class Row(msgspec.Struct, frozen=True):
    """Seats side by side: where they start in the order of the plan, and each one's id and category."""

    first: int
    seats: tuple[str, ...]
    categories: tuple[str, ...]


class Hall(msgspec.Struct, frozen=True):
    """A hall: its rows in plan order, and the category and the capacity of each standing area."""

    rows: tuple[Row, ...]
    areas: dict[str, str]
    capacities: dict[str, int]

    @property
    def seats(self) -> list[str]:
        """Every seat's id, in the order of the letters of a performance's `seats`."""
        return [seat for row in self.rows for seat in row.seats]

    def pick(self, letters: str, party: int, whim: random.Random, unwanted: AbstractSet[str]) -> list[str]:
        """Open seats next to one another in the most wanted row that has them; empty where no row has.

        `letters` is the performance's `seats`; categories in `unwanted` are left alone.
        """
        if not self.rows:
            return []
        favourite = int(len(self.rows) * whim.random() ** _CROWDING)
        for step in range(len(self.rows)):
            row = self.rows[(favourite + step) % len(self.rows)]
            runs = [at for at in _starts(row, letters, party) if unwanted.isdisjoint(row.categories[at : at + party])]
            if runs:
                middle = (len(row.seats) - party) / 2
                best = min(runs, key=lambda at: abs(at - middle))
                return list(row.seats[best : best + party])
        return []


def _starts(row: Row, letters: str, party: int) -> Iterator[int]:
    states = letters[row.first : row.first + len(row.seats)]
    at = states.find(_OPEN * party)
    while at >= 0:
        yield at
        at = states.find(_OPEN * party, at + 1)


@lru_cache(maxsize=16)
def read_hall(body: bytes) -> Hall:
    """The hall of a plan document, read once a process. Raises `ValueError` for what is no such document."""
    plan: dict[str, Any] = msgspec.json.decode(body)
    extension: dict[str, Any] = plan.get("parvis", {})
    aisles = frozenset(extension.get("aisles_after", ()))
    rows, first = [], 0
    for zone in plan["zones"]:
        for drawn in zone.get("rows", ()):
            for seats in _pieces(drawn["seats"], aisles):
                ids, categories = zip(*((seat["seat_guid"], seat["category"]) for seat in seats), strict=True)
                rows.append(Row(first=first, seats=ids, categories=categories))
                first += len(ids)
    areas = {area["id"]: area["category"] for area in extension.get("areas", ())}
    capacities = {area["id"]: area["capacity"] for area in extension.get("areas", ())}
    return Hall(rows=tuple(rows), areas=areas, capacities=capacities)


def _pieces(seats: list[dict[str, Any]], aisles: AbstractSet[str]) -> Iterator[list[dict[str, Any]]]:
    """A drawn row, cut where an aisle crosses it."""
    piece = []
    for seat in seats:
        piece.append(seat)
        if seat["seat_guid"] in aisles:
            yield piece
            piece = []
    if piece:
        yield piece
