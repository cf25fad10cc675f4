"""The verdict on a run: what the visitors were told, against what the house says.

`python -m loadtests.verdict --help` judges the log of a crowd; a Locust run judges itself (see `locustfile`).
Exit code 1 if a seat was sold twice, an order was lost, a limit or a promise was broken.
"""

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec

from loadtests.evidence import SETTLES_WITHIN_S, Evidence, House, booked_seats, bought, entries, gather
from loadtests.wire import Item

WINDOW_MS: Final = 60_000
BURST: Final = 0.05
"""How far a house may go beyond its published rate in any one window."""
LEAST_BURST: Final = 5
SHOWN: Final = 20
KINDS: Final = ("double_sale", "lost_order", "broken_limit", "broken_promise")
Told = dict[str, Any]


class Fault(msgspec.Struct, frozen=True):
    """Something that must never happen, of one of the `KINDS`."""

    kind: str
    what: str


class Verdict(msgspec.Struct, frozen=True):
    """What was compared, and every fault. `unresolved`: payments to which no answer ever came."""

    visitors: int
    orders: int
    seats: int
    unresolved: int
    books_were_read: bool
    faults: tuple[Fault, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.faults

    def in_words(self) -> str:
        """The verdict for people."""
        counts = Counter(fault.kind for fault in self.faults)
        lines = [
            f"verdict: {'clean' if self.is_clean else 'FAULTS'}",
            f"  {self.visitors} visitors, {self.orders} orders, {self.seats} seats",
            "  " + ", ".join(f"{kind.replace('_', ' ')}s: {counts[kind]}" for kind in KINDS),
        ]
        if self.unresolved:
            lines.append(f"  {self.unresolved} payments never got an answer")
        if not self.books_were_read:
            lines.append("  the house's books were not compared: that takes a key with the scope orders:read")
        lines += [f"  {fault.kind}: {fault.what}" for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            lines.append(f"  and {len(self.faults) - SHOWN} more")
        return "\n".join(lines)


def judge(log: list[bytes], evidence: Evidence) -> Verdict:
    """Compare a log with the house's own words."""
    told = list(entries(log))
    orders = bought(log)
    faults = chain(
        _broken_promises(told),
        _double_sales(orders),
        _lost_orders(orders, evidence),
        _books(orders, evidence),
        _broken_limits(told, orders, evidence),
        _rate(told),
    )
    return Verdict(
        visitors=len({entry["visitor"] for entry in told}),
        orders=len(orders),
        seats=sum(len(entry["items"]) for entry in orders.values()),
        unresolved=_unresolved(told),
        books_were_read=evidence.books is not None,
        faults=tuple(faults),
    )


def _items(entry: Told) -> tuple[Item, ...]:
    return msgspec.convert(entry["items"], tuple[Item, ...])


def _unresolved(told: list[Told]) -> int:
    """Orders that were asked for, and of which the visitor never heard: neither sold nor refused."""
    open_: dict[int, Told] = {}
    for entry in told:
        if entry["told"] == "ordering":
            open_[entry["visitor"]] = entry
        elif entry["told"] in {"ordered", "refused"}:
            open_.pop(entry["visitor"], None)
    return len(open_)


def _broken_promises(told: list[Told]) -> Iterator[Fault]:
    """What visitors saw with their own eyes, and two of them in one place."""
    if not any(entry["told"] == "joined" for entry in told):
        yield Fault("broken_promise", "nobody got into the queue")
    for entry in told:
        if entry["told"] == "broken":
            yield Fault("broken_promise", f"visitor {entry['visitor']}: {entry['what']}")
    for index, count in Counter(entry["index"] for entry in told if entry["told"] == "joined").items():
        if count > 1:
            yield Fault("broken_promise", f"{count} visitors have the arrival index {index}")


def _double_sales(orders: dict[str, Told]) -> Iterator[Fault]:
    """One seat in two visitors' confirmed orders."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for order, entry in orders.items():
        for item in _items(entry):
            if item.seat:
                owners[item.performance, item.seat].append(order)
    for (performance, seat), sold_by in owners.items():
        if len(sold_by) > 1:
            yield Fault("double_sale", f"{performance} {seat}: orders {', '.join(sold_by)}")


def _lost_orders(orders: dict[str, Told], evidence: Evidence) -> Iterator[Fault]:
    """An order that the house does not know any more, or knows otherwise, or whose seats are not sold."""
    for order, entry in orders.items():
        seen = evidence.orders.get(order)
        if seen is None:
            yield Fault("lost_order", f"{order}: the house does not know it")
            continue
        if seen.state == "conflicted":
            yield Fault("double_sale", f"{order}: confirmed, and conflicted afterwards")
        if Counter(seen.items) != Counter(_items(entry)) or seen.total != entry["total"]:
            yield Fault("lost_order", f"{order}: the house has other items or another total than the visitor")
        for item in _items(entry):
            letter = evidence.performances[item.performance].letters.get(item.seat) if item.seat else "s"
            if letter != "s" and seen.state != "refunded":
                yield Fault("lost_order", f"{order}: {item.seat} is {letter!r} on the plan, not sold")


def _books(orders: dict[str, Told], evidence: Evidence) -> Iterator[Fault]:
    """The recorded orders hold every visitor's order, and exactly the seats that the plan shows sold."""
    if evidence.books is None or evidence.exported is None:
        return
    booked = {order.order: order for order in evidence.books}
    for order, entry in orders.items():
        if order not in evidence.exported or order not in booked:
            yield Fault("lost_order", f"{order}: confirmed, and not in the house's export")
        elif booked[order].total != entry["total"]:
            yield Fault("lost_order", f"{order}: recorded with another total")
    for name, seats in evidence.performances.items():
        sold = booked_seats(evidence.books, name)
        for seat, count in Counter(sold).items():
            if count > 1:
                yield Fault("double_sale", f"{name} {seat}: in {count} recorded orders")
        if len(set(sold)) != seats.sold:
            yield Fault("lost_order", f"{name}: {seats.sold} seats are sold, {len(set(sold))} are in recorded orders")


def _broken_limits(told: list[Told], orders: dict[str, Told], evidence: Evidence) -> Iterator[Fault]:
    """More seats than a hold or a visitor may have, and more standing places than there are."""
    limits = evidence.on_sale.limits
    for entry in told:
        if entry["told"] == "held":
            for name, count in Counter(item.performance for item in _items(entry)).items():
                if count > limits.seats_a_hold:
                    yield Fault("broken_limit", f"visitor {entry['visitor']} held {count} seats of {name} at once")
    owned: Counter[tuple[int, str]] = Counter()
    for entry in orders.values():
        owned.update((entry["visitor"], item.performance) for item in _items(entry))
    for (visitor, name), count in owned.items():
        if count > limits.seats_a_place:
            yield Fault("broken_limit", f"visitor {visitor} bought {count} seats of {name}")
    for name, seats in evidence.performances.items():
        for area, left in seats.areas.items():
            if left < 0:
                yield Fault("broken_limit", f"{name} {area}: {-left} places too many were sold")


def _rate(told: list[Told]) -> Iterator[Fault]:
    """More visitors let in within a minute, by the house's clock, than its rate and a small burst allow."""
    admitted = sorted((entry for entry in told if entry["told"] == "admitted"), key=lambda entry: entry["issued_at_ms"])
    if not admitted:
        return
    rate = max(entry["per_minute"] for entry in admitted)
    allowed = rate + max(LEAST_BURST, int(rate * BURST))
    first = most = 0
    for last, entry in enumerate(admitted):
        while admitted[first]["issued_at_ms"] <= entry["issued_at_ms"] - WINDOW_MS:
            first += 1
        most = max(most, last - first + 1)
    if most > allowed:
        yield Fault("broken_limit", f"{most} visitors were let in within a minute, at a rate of {rate}")


def main() -> None:
    """Judge a crowd's log. Exit code 0 if it is clean, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.verdict", description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--house", required=True)
    parser.add_argument("--on-sale", required=True)
    parser.add_argument("--log", type=Path, required=True, help="what the crowd was told")
    parser.add_argument("--key", default=os.environ.get("PARVIS_KEY", ""), help="an API key with orders:read")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument(
        "--settles-within-s",
        type=float,
        default=SETTLES_WITHIN_S,
        help="how long the last orders may take to be recorded",
    )
    options = parser.parse_args()
    log = options.log.read_bytes().splitlines()
    house = House(base_url=options.base_url, house=options.house, on_sale=options.on_sale, key=options.key)
    verdict = judge(log, gather(house, log, options.settles_within_s))
    text = msgspec.json.encode(verdict).decode() if options.json else verdict.in_words()
    sys.stdout.write(text + "\n")
    sys.exit(0 if verdict.is_clean else 1)


if __name__ == "__main__":
    main()
