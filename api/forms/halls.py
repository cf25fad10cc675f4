"""A hall as a list: its zones, their rows, and the seats of each as they stand beside one another."""

import asyncio
from typing import Any, Final

import msgspec

from api.forms.words import Words
from engine.catalogue import OpenHall
from engine.entries import Item
from engine.halls.blocks import WHEELCHAIR
from engine.words import OPEN, SeatId

MOST_KNOWN: Final = 64


class ListedSeat(msgspec.Struct, frozen=True):
    """A seat. `n`: its place in plan order, where its letter stands in the seats document.

    `is_bay`: it is sold together with a place for a wheelchair; `comes_along`: whoever sits here comes along.
    """

    n: int
    id: SeatId
    number: str
    category: str
    is_wheelchair: bool
    is_bay: bool
    comes_along: bool


class ListedRow(msgspec.Struct, frozen=True):
    """A row: its seats from `first` on, up to `end`, in plan order. `runs`: those that have no aisle between them."""

    name: str
    zone: str
    first: int
    end: int
    runs: tuple[tuple[ListedSeat, ...], ...]

    @property
    def seats(self) -> tuple[ListedSeat, ...]:
        """All of them."""
        return tuple(seat for run in self.runs for seat in run)

    def count_open(self, states: str) -> int:
        """How many are free."""
        return states.count(OPEN, self.first, self.end)


class ListedZone(msgspec.Struct, frozen=True):
    """A part of the hall with its rows; `name` may be empty."""

    name: str
    rows: tuple[ListedRow, ...]

    def count_open(self, states: str) -> int:
        """How many seats are free."""
        return sum(row.count_open(states) for row in self.rows)


class Hall:
    """The zones of a hall, and what its seats and areas are called."""

    def __init__(self, hall: OpenHall) -> None:
        plan: dict[str, Any] = hall.hall.plan
        layout, extension = hall.layout, plan.get("parvis") or {}
        access = extension.get("access") or {}
        areas = extension.get("areas") or []
        self.areas = {str(each.get("id") or each["name"]): str(each.get("name") or each["id"]) for each in areas}
        self.seats: dict[str, tuple[ListedRow, ListedSeat]] = {}
        zones, n = [], 0
        for zone in plan["zones"]:
            rows = []
            for row in zone.get("rows") or []:
                listed = []
                for seat in row["seats"]:
                    id_ = layout.seat_ids[n]
                    is_wheelchair = "wheelchair" in (access.get(id_) or [])
                    number = str(seat.get("seat_number") or "")
                    block = layout.blocks[layout.locate(id_)[0]]
                    is_bay = block.unit == WHEELCHAIR and block.length > 1
                    comes_along = is_bay and layout.locate(id_)[1] == block.length - 1
                    listed.append(
                        ListedSeat(n, id_, number, layout.category_of(id_), is_wheelchair, is_bay, comes_along)
                    )
                    n += 1
                if listed:
                    runs = _runs(listed, [layout.locate(seat.id)[0] for seat in listed])
                    name, zone_name = str(row.get("row_number") or ""), str(zone.get("name") or "")
                    made = ListedRow(name, zone_name, listed[0].n, n, runs)
                    rows.append(made)
                    self.seats |= {seat.id: (made, seat) for seat in listed}
            if rows:
                zones.append(ListedZone(str(zone.get("name") or ""), tuple(rows)))
        self.zones = tuple(zones)
        has_seats = {seat.category for _, seat in self.seats.values()}
        self.categories = [name for name in layout.categories if name in has_seats]
        """Of seats, in the plan's order."""

    def name_seat(self, seat: str, words: Words) -> str:
        """Stalls, row C, seat 14."""
        if seat not in self.seats:
            return seat
        row, listed = self.seats[seat]
        name, facts = ("row_seat", {"row": row.name}) if row.name else ("only_seat", {})
        return ", ".join(filter(None, (row.zone, words.say(name, seat=listed.number, **facts))))

    def name_seats(self, seats: "list[str]", words: Words) -> str:
        """Stalls, row C, seats 14, 15, 16; seats of more rows are named one by one."""
        known = [self.seats[seat] for seat in seats if seat in self.seats]
        if len(seats) < 2 or len(known) < len(seats) or any(row is not known[0][0] for row, _ in known):
            return "; ".join(self.name_seat(seat, words) for seat in seats)
        row, numbers = known[0][0], ", ".join(seat.number for _, seat in known)
        return ", ".join(filter(None, (row.zone, words.say("row_seats", row=row.name, seats=numbers))))

    def name_area(self, area: str, words: Words) -> str:
        """Standing – Floor; an area that is called no more than that is named once."""
        name, standing = self.areas.get(area, area), words.say("standing")
        return name if name.lower() == standing.lower() else f"{standing} – {name}"

    def name_item(self, item: Item, words: Words) -> str:
        """The seat or area of an item."""
        return self.name_seat(item.seat, words) if item.seat else self.name_area(item.area or "", words)


_KNOWN: Final[dict[str, Hall]] = {}
"""By the plan's ETag."""


def _runs(seats: "list[ListedSeat]", blocks: "list[int]") -> "tuple[tuple[ListedSeat, ...], ...]":
    """Seats with those that no aisle parts from them."""
    runs: list[list[ListedSeat]] = []
    for number, seat in enumerate(seats):
        if number == 0 or blocks[number] != blocks[number - 1]:
            runs.append([])
        runs[-1].append(seat)
    return tuple(map(tuple, runs))


async def listed(hall: OpenHall) -> Hall:
    """The hall as a list, worked out once, beside the event loop."""
    known = _KNOWN.get(hall.etag)
    if known is None:
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[hall.etag] = await asyncio.to_thread(Hall, hall)
    return known
