"""The history of a performance's seats for whoever wants to read it: with the names of the plan, as CSV or JSON."""

import csv
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, Literal

import msgspec

from engine.catalogue import Catalogue
from engine.halls.layout import Layout
from engine.history import Replay, Told, in_words
from engine.instants import to_rfc3339
from engine.ledger.history import LAST, read_history
from engine.ledger.ledger import Ledger, guarded
from engine.words import OPEN, STATE_WORDS, PerformanceId

Form = Literal["csv", "jsonl"]
CSV_COLUMNS: Final = (
    *("entry", "at", "plan_change", "sequence", "epoch", "verb", "who", "hold"),
    *("seat", "state", "area", "open_change", "sold_change"),
)


class TakenPlaces(msgspec.Struct, frozen=True):
    """Of an area: in a whole and after `restore` how many places are open and sold, else how many more."""

    open: int
    sold: int


class Change(msgspec.Struct, frozen=True):
    """An entry of the history. `entry`: its id on the stream, which says the order; `at`: RFC 3339, Redis's clock.

    After `restore`, from which on the history goes on after a recovery, every seat that is not named is open.
    `seats`: what they are now: `open`, `held`, `sold`, `blocked`, or `allotment A`. `plan_change`: how often the plan
    had changed; seats of an earlier plan are told by block and place.
    """

    entry: str
    at: str
    plan_change: int
    sequence: int
    epoch: int
    verb: str
    who: str
    hold: str
    seats: dict[str, str]
    areas: dict[str, TakenPlaces]


class Hall(msgspec.Struct, frozen=True):
    """A performance at an instant: every seat of its plan, every area, and the last entry that led there."""

    performance: PerformanceId
    at: str
    entry: str
    seats: dict[str, str]
    areas: dict[str, TakenPlaces]


class Plan(msgspec.Struct, frozen=True):
    """What a performance's seats and areas are called, and which plan of it that is."""

    layout: Layout
    plan_change: int

    def seat(self, plan_change: int, block: int, place: int) -> str:
        """A seat's name."""
        if plan_change != self.plan_change:
            return in_words(block, place)
        return self.layout.seat_at(block, place)

    def area(self, plan_change: int, area: str) -> str:
        """An area's name; what is set aside of it has the letter of its allotment behind it."""
        if plan_change != self.plan_change:
            return f"area {area}"
        letter = area[0] if area[0].isalpha() else ""
        name = self.layout.areas[int(area.removeprefix(letter))].id
        return f"{name}, allotment {letter}" if letter else name


def plan_of(catalogue: Catalogue, performance: PerformanceId) -> Plan:
    """A performance's plan as it stands."""
    return Plan(catalogue.layout(performance), catalogue.performances[performance].plan_change)


def _word(letter: str) -> str:
    return STATE_WORDS.get(letter, f"allotment {letter}")


def _change(told: Told, plan: Plan) -> Change:
    seats = {}
    for block, offset, count, letters in told.runs():
        for place in range(count):
            letter = letters if len(letters) == 1 else letters[place]
            seats[plan.seat(told.plan_change, block, offset + place)] = _word(letter)
    areas: dict[str, TakenPlaces] = {}
    for area, open_, sold in told.places():
        name = plan.area(told.plan_change, area)
        before = areas.get(name, TakenPlaces(0, 0))
        areas[name] = TakenPlaces(before.open + open_, before.sold + sold)
    return Change(
        entry=told.entry,
        at=to_rfc3339(told.at_ms),
        plan_change=told.plan_change,
        sequence=told.sequence,
        epoch=told.epoch,
        verb=told.verb,
        who=told.who,
        hold=told.hold,
        seats=seats,
        areas=areas,
    )


def _csv_rows(change: Change) -> Iterator[tuple[object, ...]]:
    told = (change.entry, change.at, change.plan_change, change.sequence, change.epoch)
    done = (change.verb, change.who, change.hold)
    for seat, state in change.seats.items():
        yield *told, *done, seat, state, "", "", ""
    for area, places in change.areas.items():
        yield *told, *done, "", "", area, places.open, places.sold
    if not change.seats and not change.areas:
        yield *told, *done, "", "", "", "", ""


def last_of(until_ms: int | None) -> str:
    """The id that no entry of an instant comes after; the last of all without one."""
    return f"{LAST if until_ms is None else until_ms}-{LAST}"


async def export(
    ledger: Ledger, performance: PerformanceId, plan: Plan, form: Form, until_ms: int | None = None
) -> AsyncIterator[str]:
    """The history up to an instant as text, some of it at a time: JSON, an entry a line; or CSV, a seat or area a row.

    Raises `LedgerUnavailable`.
    """
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(CSV_COLUMNS)
    yield text.getvalue() if form == "csv" else ""
    async for entries in read_history(ledger, performance, last_of(until_ms)):
        changes = [_change(told, plan) for told in entries]
        if form == "jsonl":
            yield "".join(msgspec.json.encode(change).decode() + "\n" for change in changes)
            continue
        text.seek(0)
        text.truncate()
        for change in changes:
            rows.writerows(list(map(guarded, row)) for row in _csv_rows(change))
        yield text.getvalue()


async def replay(ledger: Ledger, performance: PerformanceId, plan: Plan, last: str) -> tuple[Replay, str]:
    """A history replayed up to an entry, and the entry that it came to. Raises `LedgerUnavailable`."""
    replayed = Replay([area.capacity for area in plan.layout.areas], plan.plan_change)
    entry = "0-0"
    async for entries in read_history(ledger, performance, last):
        for told in entries:
            replayed.apply(told)
        entry = entries[-1].entry
    return replayed, entry


async def hall_at(ledger: Ledger, performance: PerformanceId, plan: Plan, at_ms: int) -> Hall:
    """What every seat was at an instant, by the history. Raises `LedgerUnavailable`."""
    replayed, entry = await replay(ledger, performance, plan, last_of(at_ms))
    now = replayed.plan_change
    seats: dict[str, Any] = {}
    if now == plan.plan_change:
        seats = {str(seat): _word(OPEN) for seat in plan.layout.seat_ids}
    for block, row in replayed.rows.items():
        seats |= {plan.seat(now, block, place): _word(letter) for place, letter in enumerate(row)}
    areas = {plan.area(now, area): TakenPlaces(*places) for area, places in replayed.places.items()}
    return Hall(performance=performance, at=to_rfc3339(at_ms), entry=entry, seats=seats, areas=areas)
