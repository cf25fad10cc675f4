"""The state of the hall: every seat of a performance at one version. Beside `lua/seats/snapshot.lua`."""

import msgspec

from engine.cell import Cell, broken
from engine.errors import Refused
from engine.halls.layout import Layout
from engine.one_plan import of_one_plan
from engine.words import ALLOTTED, BLOCKED, HELD, OPEN, SOLD, STATE_WORDS, PerformanceId


class SeatMap(msgspec.Struct, frozen=True):
    """Every seat of a performance at one version: a letter a seat in plan order (`o h s b`), places open an area.

    What is set aside for somebody is blocked, as anybody else sees it.
    """

    version: int
    seats: str
    areas: dict[str, int]
    sold_places: dict[str, int]
    places_aside: dict[str, int]
    plan_change: int = 0
    """How often the plan had changed whose seats these are."""


def split_rows(layout: Layout, rows: str) -> list[str]:
    """Rows as Redis joins them, in quality order, one a block."""
    split, start = [], 0
    for block in layout.blocks:
        split.append(rows[start : start + block.length])
        start += block.length
    return split


@of_one_plan
async def snapshot(cell: Cell, performance: PerformanceId) -> SeatMap:
    """The state of every seat, at one version. Raises `Refused` (`unknown-performance`), `GateClosed`."""
    known = cell.performance(performance)  # a Redis that is being recovered may have said that there is none
    layout = cell.catalogue.layout(performance)
    reply = await cell.read("seats/snapshot", (cell.hall_keys(performance)[0],), (len(layout.areas),))
    match reply[0]:
        case b"seats":
            open_places, sold_places, places_aside = reply[3::3], reply[4::3], reply[5::3]
            return SeatMap(
                version=reply[1],
                seats=layout.seats_string(split_rows(layout, reply[2].decode().translate(ALLOTTED))),
                areas={area.id: count for area, count in zip(layout.areas, open_places, strict=True)},
                sold_places={area.id: count for area, count in zip(layout.areas, sold_places, strict=True)},
                places_aside={area.id: count for area, count in zip(layout.areas, places_aside, strict=True)},
                plan_change=known.plan_change,
            )
        case b"unknown_performance":
            raise Refused("unknown-performance", "there is no such performance here")
    raise broken("seats/snapshot", reply)


def count_states(layout: Layout, seat_map: SeatMap) -> dict[str, int]:
    """How many seats and standing places are in each state, by its letter."""
    states = {state: seat_map.seats.count(state) for state in STATE_WORDS}
    for area in layout.areas:
        open_places, sold_places = seat_map.areas[area.id], seat_map.sold_places[area.id]
        places_aside = seat_map.places_aside[area.id]
        states[OPEN] += open_places
        states[SOLD] += sold_places
        states[BLOCKED] += places_aside
        states[HELD] += area.capacity - open_places - sold_places - places_aside
    return states


def open_by_category(layout: Layout, seat_map: SeatMap) -> dict[str, int]:
    """How many seats and places are open, a category."""
    counts = dict.fromkeys(layout.categories, 0)
    for seat, state in zip(layout.seat_ids, seat_map.seats, strict=True):
        if state == "o":
            counts[layout.category_of(seat)] += 1
    for area in layout.areas:
        counts[area.category] += max(0, seat_map.areas[area.id])
    return counts


def count_taken(layout: Layout, seat_map: SeatMap) -> tuple[int, int]:
    """How many seats and places somebody holds who has not paid yet, and how many are sold."""
    held, sold = seat_map.seats.count(HELD), seat_map.seats.count(SOLD) + sum(seat_map.sold_places.values())
    for area in layout.areas:
        others = (seat_map.areas, seat_map.sold_places, seat_map.places_aside)
        held += max(0, area.capacity - sum(places[area.id] for places in others))
    return held, sold
