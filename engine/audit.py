"""The audit: Redis against the ledger, seat by seat and cent by cent, at rest or while a sale runs.

The ledger is read before and after Redis. What it knew before, Redis has to know; what Redis knows, the ledger has
to know once it has recorded what there was. At rest the two readings are the same, and so is what lies between.
Every code counts as often as holds and orders use it. And the history of every seat is replayed: it leads to what
Redis has, and nothing in it is impossible.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.audited_codes import compare_codes, read_codes, read_holds
from engine.cell import Cell
from engine.history import State, differences
from engine.history_export import plan_of, replay
from engine.ledger.books import Books, Sales, Sold, read_books
from engine.ledger.ledger import Ledger
from engine.ledger.retention import forgotten_before_ms
from engine.losses import is_after
from engine.seat_map import SeatMap, count_states, snapshot
from engine.states import read_state
from engine.waiting_room import status
from engine.words import BLOCKED, HELD, OPEN, SOLD, STATE_WORDS, HouseSlug, OnSaleId, PerformanceId

DRAIN_SECONDS: Final = 30.0
TRIES: Final = 50
"""To see a performance's seats and its holds at one version."""
LISTED: Final = 20
"""Faults of one kind that are told one by one; the rest is counted."""
Places = dict[PerformanceId, dict[str, int]]
"""A performance's seats that are sold, once each, and how many places of each area."""


class Audit(msgspec.Struct, frozen=True):
    """One house's books. `seats` is the capacity, standing places included; money in minor units.

    `double_sold`: live ledger items of a seat beyond the first. `lost`: seats, places or orders that one side
    knows as sold and the other does not. `stranded_holds`: held seats that belong to no hold.
    """

    house: HouseSlug
    seats: int
    open: int
    held: int
    sold: int
    blocked: int
    orders_confirmed: int
    orders_recorded: int
    backlog: int
    double_sold: int
    lost: int
    stranded_holds: int
    takings: int
    recorded_takings: int
    conflicted: int
    refunded: int
    dead_letters: int
    faults: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether the books balance."""
        return not self.faults


class _Counted(msgspec.Struct):
    """What Redis knows."""

    states: dict[str, int]
    sold: Places
    stranded: int
    sales: dict[OnSaleId, Sales]
    capacity: int
    faults: list[str]


async def _held_by_holds(cell: Cell, performance: PerformanceId) -> tuple[int, int]:
    """Seats and places that the performance's holds hold, and how many holds have no due time (or the reverse)."""
    records, due = await read_holds(cell, performance)
    held = sum(sum(each.seats[2::3]) + sum(map(int, each.areas[1::2])) for each in records.values())
    return held, len(set(records) ^ due)


async def _look(cell: Cell, performance: PerformanceId) -> tuple[SeatMap, int, int]:
    """Seats and holds of a performance at one moment: see `_held_by_holds` for the latter."""
    for _ in range(TRIES):
        seat_map = await snapshot(cell, performance)
        held, unpaired = await _held_by_holds(cell, performance)
        if (await snapshot(cell, performance)).version == seat_map.version:
            break
    return seat_map, held, unpaired


async def _count(cell: Cell) -> _Counted:
    books = _Counted(dict.fromkeys(STATE_WORDS, 0), {}, 0, {}, 0, [])
    on_sales = list(cell.catalogue.on_sales.values())
    for performance in sorted({name for on_sale in on_sales for name in on_sale.performances}):
        seat_map, held, unpaired = await _look(cell, performance)
        layout = cell.catalogue.layout(performance, seat_map.plan_change)
        states = count_states(layout, seat_map)
        for state, count in states.items():
            books.states[state] += count
        seats = zip(layout.seat_ids, seat_map.seats, strict=True)
        places = {area: count for area, count in seat_map.sold_places.items() if count}
        books.sold[performance] = {seat: 1 for seat, state in seats if state == SOLD} | places
        books.capacity += layout.capacity
        stranded = abs(states[HELD] - held) + unpaired
        books.stranded += stranded
        if stranded:
            books.faults.append(f"{performance}: {stranded} held seats belong to no hold, or holds to no seat")
        if sum(states.values()) != layout.capacity or min(states.values()) < 0:
            told = ", ".join(f"{states[state]} {word}" for state, word in STATE_WORDS.items())
            books.faults.append(f"{performance}: {told} are not {layout.capacity} seats")
    for on_sale in on_sales:
        now = await status(cell, on_sale.on_sale)
        books.sales[on_sale.on_sale] = Sales(orders=now.orders, money=now.takings)
    return books


def _sold(books: Books) -> Places:
    sold: Places = {}
    for each in books.sold:
        sold.setdefault(each.performance, {})[each.name] = each.count if each.is_standing else min(1, each.count)
    return sold


def _returned(books: Books) -> Places:
    returned: Places = {}
    for each in books.sold:
        returned.setdefault(each.performance, {})[each.name] = each.returned
    return returned


def _doubled(books: Books) -> list[Sold]:
    """Seats with more than one live item."""
    return [each for each in books.sold if each.count > 1 and not each.is_standing]


async def _recorded_until_now(cell: Cell, ledger: Ledger) -> bool:
    """Waits, within a limit, until the ledger has recorded all that is in the outbox now.

    By the newest entry's id and not by an instant: where a clock was set back, ids run ahead of it.
    """
    await cell.look()
    newest = cell.newest
    for _ in range(int(DRAIN_SECONDS / 0.1)):
        if not is_after(newest, (await ledger.position()).cursor):
            return True
        await asyncio.sleep(0.1)
    return False


def _between(here: int, before: int, after: int, returned: int) -> int:
    """How far a figure of Redis lies outside what the ledger knew before and after; so much came back meanwhile."""
    return max(0, before - returned - here, here - after - returned)


def _compare_seats(here: Places, before: Books, after: Books) -> tuple[list[str], int]:
    """What is sold on one side only, in words, and how much of it."""
    faults, lost = [], 0
    known_as = (here, _sold(before), _sold(after), _returned(before), _returned(after))
    for performance in sorted({*here, *known_as[1], *known_as[2]}):
        sides = [side.get(performance, {}) for side in known_as]
        for place in sorted(set().union(*sides)):
            in_redis, known, known_later, returned, returned_later = (side.get(place, 0) for side in sides)
            if difference := _between(in_redis, known, known_later, returned_later - returned):
                lost += difference
                faults.append(f"{performance}, {place}: sold {in_redis} times in Redis, {known_later} in the ledger")
    return faults, lost


def _compare_sales(here: Mapping[OnSaleId, Sales], before: Books, after: Books) -> tuple[list[str], int]:
    """Where the orders and the money of an on-sale differ, in words, and how many orders."""
    faults, lost = [], 0
    for on_sale in sorted({*here, *before.sales, *after.sales}):
        in_redis, known, known_later = (side.get(on_sale, Sales()) for side in (here, before.sales, after.sales))
        returned = known_later.returned - known.returned
        returned_money = known_later.returned_money - known.returned_money
        if difference := _between(in_redis.orders, known.orders, known_later.orders, returned):
            lost += difference
            faults.append(f"{on_sale}: {in_redis.orders} orders in Redis, {known_later.orders} in the ledger")
        if _between(in_redis.money, known.money, known_later.money, returned_money):
            faults.append(f"{on_sale}: takings of {in_redis.money} in Redis, {known_later.money} in the ledger")
    return faults, lost


def _listed(faults: list[str]) -> list[str]:
    more = len(faults) - LISTED
    return [*faults[:LISTED], f"… and {more} more like these"] if more > 0 else faults


def _faults_of_the_ledger(books: Books) -> list[str]:
    """What is wrong with the ledger by itself, in words."""
    doubled = [f"{each.performance}, {each.name}: sold {each.count} times in the ledger" for each in _doubled(books)]
    unbalanced = [
        f"order {order}: its total is {total}, its items are {items}" for order, total, items in books.unbalanced
    ]
    unbalanced += [
        f"order {order}: {gone} left it, of which {told} went back or paid for another order"
        for order, gone, told in books.unaccounted
    ]
    buried = [f"entry {entry} could not be recorded: {why}" for entry, why in books.dead_letters]
    return [*_listed(doubled), *_listed(unbalanced), *_listed(buried)]


def _kept(cell: Cell) -> list[PerformanceId]:
    """Performances whose history is kept."""
    after_ms = forgotten_before_ms(cell.house)
    names = {name for on_sale in cell.catalogue.on_sales.values() for name in on_sale.performances}
    return sorted(name for name in names if cell.catalogue.performances[name].starts_at_ms >= after_ms)


async def _compare_history(cell: Cell, ledger: Ledger, states: Mapping[PerformanceId, State]) -> list[str]:
    """Where a performance is not what its history has made of it, and what in there cannot have happened, in words."""
    faults = []
    for performance, state in states.items():
        plan = plan_of(cell.catalogue, performance)
        replayed, _ = await replay(ledger, performance, plan, state.entry)
        found = differences(state.rows, state.places, replayed.rows, replayed.places, plan.layout.seat_at)
        words = [f"{place} is {here!r} in Redis and {there!r} by its history" for place, here, there in found]
        faults += _listed([f"{performance}, {each}" for each in (*words, *replayed.faults)])
    return faults


async def audit(cell: Cell, ledger: Ledger) -> Audit:
    """Compares Redis with the ledger. Raises when one of them cannot be asked."""
    before = await read_books(ledger)
    here, codes = await _count(cell), await read_codes(cell)
    states = {performance: await read_state(cell, performance) for performance in _kept(cell)}
    is_recorded = await _recorded_until_now(cell, ledger)
    after = await read_books(ledger)
    of_seats, lost_seats = _compare_seats(here.sold, before, after)
    of_sales, lost_orders = _compare_sales(here.sales, before, after)
    of_codes = compare_codes(cell, codes, before.codes, after.codes)
    faults = [*here.faults, *_listed(of_seats), *of_sales, *_listed(of_codes), *_faults_of_the_ledger(after)]
    if not is_recorded:
        faults.append(f"{cell.backlog} entries are not recorded after {DRAIN_SECONDS:g} s: is `parvis serve` running?")
    else:
        faults += await _compare_history(cell, ledger, states)
    return Audit(
        house=cell.house.slug,
        seats=here.capacity,
        open=here.states[OPEN],
        held=here.states[HELD],
        sold=here.states[SOLD],
        blocked=here.states[BLOCKED],
        orders_confirmed=sum(sales.orders for sales in here.sales.values()),
        orders_recorded=after.orders,
        backlog=cell.backlog,
        double_sold=sum(each.count - 1 for each in _doubled(after)),
        lost=lost_seats + lost_orders,
        stranded_holds=here.stranded,
        takings=sum(sales.money for sales in here.sales.values()),
        recorded_takings=after.money,
        conflicted=after.conflicted,
        refunded=after.refunded,
        dead_letters=len(after.dead_letters),
        faults=tuple(faults),
    )
