"""The line as the crowd saw it: who came first stands first, nobody is let in early, the pace and the cap hold.

Everything here follows from what was asked and answered when: an answer that had come before another question was
asked was decided before it, whatever the network did to either.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Final

from loadtests.evidence import Evidence
from loadtests.fault import CLOCKS_MS, Fault, Told

WINDOW_MS: Final = 60_000
BURST: Final = 0.05
"""How far a house may go beyond its published rate in any one window."""
LEAST_BURST: Final = 5
STATUS_AGE_MS: Final = 8_000
"""How old a public status may be that comes through caches, and a little."""
Interval = tuple[int, int]


def judge_line(told: list[Told], evidence: Evidence) -> Iterator[Fault]:
    """Every fault of the line."""
    by: defaultdict[str, list[Told]] = defaultdict(list)
    for entry in told:
        by[entry["told"]].append(entry)
    yield from _arrivals(by["joined"])
    yield from _early(by, evidence)
    yield from _overtaken(by)
    yield from _one_shopper(by["admitted"] + by["renewed"])
    yield from _rate(by["admitted"])
    yield from _cap(by)


def _arrivals(joined: list[Told]) -> Iterator[Fault]:
    """Somebody who had a place before another asked for one has the smaller index."""
    answered = [entry for entry in joined if "asked_at_ms" in entry]
    for first, later in _passed(answered, answered, "index"):
        yield Fault(
            "broken_line",
            f"visitor {first['visitor']} had place {first['index']} before visitor {later['visitor']} asked, "
            f"who got place {later['index']}",
        )


def _early(by: dict[str, list[Told]], evidence: Evidence) -> Iterator[Fault]:
    """Nobody is in whose position the line has not reached, by any word of the house that is younger."""
    stood = [(entry["asked_at_ms"] - STATUS_AGE_MS, entry["now_serving"]) for entry in by["status"]]
    stood += [
        (entry["asked_at_ms"] - CLOCKS_MS, entry["now_serving"]) for entry in by["refused"] if "now_serving" in entry
    ]
    stood.sort()
    moments = [moment for moment, _ in stood]
    # From each moment on, the lowest number that was served: none may be below those who were in already.
    lowest = [evidence.status.lines["public"].now_serving]
    for _, serving in reversed(stood):
        lowest.append(min(lowest[-1], serving))
    lowest.reverse()
    for entry in by["admitted"]:
        serving = lowest[bisect_right(moments, entry["at_ms"])]
        if entry["position"] >= serving:
            yield Fault(
                "broken_line",
                f"visitor {entry['visitor']} was let in at position {entry['position']}, "
                f"and only those before {serving} had been called",
            )


def _overtaken(by: dict[str, list[Told]]) -> Iterator[Fault]:
    """Nobody is told to wait for a turn that somebody behind them has had."""
    waiting = [entry for entry in by["refused"] if entry["slug"] == "not-yet-served" and "position" in entry]
    for first, later in _passed(by["admitted"], waiting, "position"):
        yield Fault(
            "broken_line",
            f"visitor {first['visitor']} was let in at position {first['position']}, and then visitor "
            f"{later['visitor']} at {later['position']} was told to wait",
        )


def _passed(answered: list[Told], asking: list[Told], number: str) -> Iterator[tuple[Told, Told]]:
    """Who had an answer before another asked, with a higher number than that one's: the highest for each who asked."""
    in_order = sorted(answered, key=lambda entry: entry["at_ms"])
    highest: Told | None = None
    at = 0
    for entry in sorted(asking, key=lambda entry: entry["asked_at_ms"]):
        while at < len(in_order) and in_order[at]["at_ms"] < entry["asked_at_ms"] - CLOCKS_MS:
            if highest is None or in_order[at][number] > highest[number]:
                highest = in_order[at]
            at += 1
        if highest and highest[number] > entry[number]:
            yield highest, entry


def _one_shopper(passes: list[Told]) -> Iterator[Fault]:
    """One place is one shopper, and one shopper is one place."""
    shoppers: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    places: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for entry in passes:
        if entry.get("shopper"):
            place = (entry["visitor"], entry["index"])
            shoppers[place].add(entry["shopper"])
            places[entry["shopper"]].add(place)
    for (visitor, index), several in shoppers.items():
        if len(several) > 1:
            yield Fault("broken_limit", f"place {index} of visitor {visitor} became {len(several)} shoppers")
    for several_places in places.values():
        if len(several_places) > 1:
            yield Fault("broken_limit", f"one shopper stands for the places {sorted(several_places)}")


def _rate(admitted: list[Told]) -> Iterator[Fault]:
    """More visitors let in within a minute, by the house's clock, than its rate and a small burst allow."""
    if not admitted:
        return
    in_order = sorted(admitted, key=lambda entry: entry["issued_at_ms"])
    rate = max(entry["per_minute"] for entry in in_order)
    allowed = rate + max(LEAST_BURST, int(rate * BURST))
    first = most = 0
    for last, entry in enumerate(in_order):
        while in_order[first]["issued_at_ms"] <= entry["issued_at_ms"] - WINDOW_MS:
            first += 1
        most = max(most, last - first + 1)
    if most > allowed:
        yield Fault("broken_limit", f"{most} visitors were let in within a minute, at a rate of {rate}")


def _cap(by: dict[str, list[Told]]) -> Iterator[Fault]:
    """More passes alive at once than the house allows: by its own count, and by the crowd's."""
    if not by["counters"]:
        return
    cap = max(entry["cap"] for entry in by["counters"])
    most = max(entry["live_passes"] for entry in by["counters"])
    if most > cap:
        yield Fault("broken_limit", f"the house counted {most} live passes, and allows {cap}")
    starts, ends = [], []
    for start, end in chain.from_iterable(map(alive, _lives(by).values())):
        starts.append(start)
        ends.append(end)
    ends.sort()
    most = max((number - bisect_right(ends, start) for number, start in enumerate(sorted(starts), 1)), default=0)
    if most > cap:
        yield Fault("broken_limit", f"{most} visitors had a live pass at once, and {cap} may")


def _lives(by: dict[str, list[Told]]) -> dict[int, list[Interval]]:
    """When each visitor's passes surely lived, by the house's clock: to their end, or until an order was asked for.

    From having the pass to ordering, the visitor's own clock counts: whatever it shows, so long the pass lived.
    """
    orders: defaultdict[int, list[int]] = defaultdict(list)
    for entry in by["ordering"]:
        orders[entry["visitor"]].append(entry["at_ms"])
    lives: defaultdict[int, list[Interval]] = defaultdict(list)
    for entry in by["admitted"] + by["renewed"]:
        start: int = entry["issued_at_ms"]
        had_at: int = entry["at_ms"]
        ends = [start + asked_at - had_at for asked_at in orders[entry["visitor"]] if asked_at >= had_at]
        lives[entry["visitor"]].append((start, min([entry.get("expires_at_ms", start), *ends])))
    return lives


def alive(intervals: list[Interval]) -> list[Interval]:
    """The same time without overlaps: a renewed pass is one pass."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
