"""The auditor: plain Python that replays a house's history in the order of its sequence numbers, and believes nobody.

It knows nothing of the scripts. An event is what a caller was told; a seat is (performance, …). Redis may know
less of a hold than its owner does (it ends), never more: a seat changes hands only through release, the end of
its time, or a sale, and a sold seat only through the return of its order, once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

Seat = tuple[str | int, ...]


class Broken(AssertionError):
    """A promise that the history does not keep."""


class Event(NamedTuple):
    """One effect. `at_ms`: Redis's clock where the reply tells it, else 0. `places`: standing places by area, or, where
    the plan was changed, how many there are of each from now on. What is returned is all of an order, or what is named.
    """

    sequence: int
    what: str
    hold: str
    owner: str = ""
    at_ms: int = 0
    expires_at_ms: int = 0
    seats: frozenset[Seat] = frozenset()
    places: Mapping[Seat, int] = {}
    order: str = ""


class _Hold(NamedTuple):
    owner: str
    expires_at_ms: int
    seats: frozenset[Seat]
    places: Mapping[Seat, int]


class Auditor:
    """`areas`: places of each standing area; `limit`: seats and places that one owner may have of a performance."""

    def __init__(self, areas: Mapping[Seat, int], limit: int) -> None:
        self._areas = areas
        self._limit = limit
        self._last = 0
        self._by_seat: dict[Seat, str] = {}
        self.holds: dict[str, _Hold] = {}
        self.sold: dict[Seat, str] = {}
        self.sold_places: Counter[Seat] = Counter()
        self.bought: Counter[tuple[str, str | int]] = Counter()
        self.orders: set[str] = set()
        self._standing: dict[str, _Hold] = {}

    def replay(self, history: Iterable[Event]) -> None:
        """Raises `Broken` at the first event that cannot have happened."""
        for event in sorted(history, key=lambda event: event.sequence):
            self.apply(event)

    def apply(self, event: Event) -> None:
        """The next event. Raises `Broken`."""
        if event.sequence <= self._last:
            raise Broken(f"{event}: the number {event.sequence} was given twice")
        self._last = event.sequence
        match event.what:
            case "held":
                self._hold(event)
            case "released":
                self._known(event)
                self._end(event.hold)
            case "extended":
                held = self._known(event)
                self.holds[event.hold] = held._replace(expires_at_ms=event.expires_at_ms)
            case "confirmed":
                self._confirm(event)
            case "returned":
                self._return(event)
            case "replanned":
                self._areas = {**self._areas, **event.places}
            case _:
                raise Broken(f"{event}: there is no such event")

    def _known(self, event: Event) -> _Hold:
        held = self.holds.get(event.hold)
        if held is None:
            raise Broken(f"{event}: nobody has this hold")
        if held.owner != event.owner:
            raise Broken(f"{event}: the hold is {held.owner}'s")
        return held

    def _end(self, hold: str) -> None:
        for seat in self.holds.pop(hold).seats:
            del self._by_seat[seat]

    def _end_what_is_due(self, hold: str, at_ms: int) -> bool:
        is_due = self.holds[hold].expires_at_ms <= at_ms
        if is_due:
            self._end(hold)
        return is_due

    def _hold(self, event: Event) -> None:
        if event.hold in self.holds and not self._end_what_is_due(event.hold, event.at_ms):
            raise Broken(f"{event}: the hold exists")
        for seat in event.seats:
            if seat in self.sold:
                raise Broken(f"{event}: {seat} was sold to {self.sold[seat]}")
            other = self._by_seat.get(seat)
            if other and not self._end_what_is_due(other, event.at_ms):
                raise Broken(f"{event}: {seat} is held by {self.holds[other]}")
        self.holds[event.hold] = _Hold(event.owner, event.expires_at_ms, event.seats, event.places)
        self._by_seat |= dict.fromkeys(event.seats, event.hold)
        self._check_areas(event)
        self._check_limit(event)

    def _check_areas(self, event: Event) -> None:
        for area in event.places:
            held = sum(each.places.get(area, 0) for each in self._live(event.at_ms))
            if held + self.sold_places[area] > self._areas[area]:
                raise Broken(f"{event}: {held} held and {self.sold_places[area]} sold of {self._areas[area]} places")

    def _check_limit(self, event: Event) -> None:
        owned = Counter(
            {performance: count for (owner, performance), count in self.bought.items() if owner == event.owner}
        )
        for each in self._live(event.at_ms):
            if each.owner == event.owner:
                owned.update(_by_performance(each))
        for performance, count in owned.items():
            if count > self._limit:
                raise Broken(f"{event}: {event.owner} has {count} of {performance}, and may have {self._limit}")

    def _live(self, at_ms: int) -> list[_Hold]:
        return [each for each in self.holds.values() if each.expires_at_ms > at_ms]

    def _confirm(self, event: Event) -> None:
        held = self._known(event)
        if held.expires_at_ms <= event.at_ms:
            raise Broken(f"{event}: the hold had ended at {held.expires_at_ms}")
        if event.order in self.orders:
            raise Broken(f"{event}: the order was confirmed before")
        self._end(event.hold)
        self.orders.add(event.order)
        self._standing[event.order] = held
        self.sold |= dict.fromkeys(held.seats, event.order)
        self.sold_places.update(held.places)
        for performance, count in _by_performance(held).items():
            self.bought[held.owner, performance] += count

    def _return(self, event: Event) -> None:
        standing = self._standing.pop(event.order, None)
        if standing is None:
            raise Broken(f"{event}: the order does not stand")
        sold = standing
        if event.seats or event.places:
            sold = standing._replace(seats=event.seats, places=event.places)
        left = Counter(standing.places)
        left.subtract(sold.places)
        if not sold.seats <= standing.seats or any(count < 0 for count in left.values()):
            raise Broken(f"{event}: more is returned than still stands of the order")
        if sold.seats != standing.seats or +left:
            self._standing[event.order] = standing._replace(seats=standing.seats - sold.seats, places=+left)
        for seat in sold.seats:
            del self.sold[seat]
        self.sold_places.subtract(sold.places)
        for performance, count in _by_performance(sold).items():
            self.bought[sold.owner, performance] -= count

    def check_seats(self, states: Mapping[Seat, str]) -> None:
        """The hall as Redis has it, every due hold swept: `o`, `h`, `s` a seat. Raises `Broken`."""
        for seat, state in states.items():
            known = "s" if seat in self.sold else "h" if seat in self._by_seat else "o"
            # A hold whose time is over may have been swept without anybody being told.
            if state != known and not (state == "o" and known == "h"):
                raise Broken(f"{seat} is {state!r} in Redis and {known!r} by its history")


def _by_performance(held: _Hold) -> Counter[str | int]:
    counts = Counter(seat[0] for seat in held.seats)
    for area, count in held.places.items():
        counts[area[0]] += count
    return counts
