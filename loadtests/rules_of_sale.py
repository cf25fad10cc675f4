"""The sale as the crowd saw it, against what the house says: seats, orders, limits and books."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from loadtests.evidence import SOLD_STATES, Evidence, booked_seats
from loadtests.fault import CLOCKS_MS, Fault, Told
from loadtests.people import is_staff
from loadtests.visit import milliseconds
from loadtests.wire import Item

FOREVER_MS = 1 << 62
Orders = dict[str, Told]
"""The orders that visitors were told are sold, by id."""


def judge_sale(told: list[Told], orders: Orders, evidence: Evidence) -> Iterator[Fault]:
    """Every fault of the sale."""
    yield from _double_sales(orders)
    yield from _standing(orders, evidence)
    yield from _lost_orders(orders, evidence)
    yield from _books(orders, evidence)
    yield from _limits(told, evidence)
    yield from _audits(evidence)


def _items(entry: Told) -> tuple[Item, ...]:
    return msgspec.convert(entry["items"], tuple[Item, ...])


def _double_sales(orders: Orders) -> Iterator[Fault]:
    """One seat in two visitors' confirmed orders."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for order, entry in orders.items():
        for item in _items(entry):
            if item.seat:
                owners[item.performance, item.seat].append(order)
    for (performance, seat), sold_by in owners.items():
        if len(sold_by) > 1:
            yield Fault("double_sale", f"{performance} {seat}: orders {', '.join(sold_by)}")


def _standing(orders: Orders, evidence: Evidence) -> Iterator[Fault]:
    """More standing places sold and open than an area has."""
    sold: Counter[tuple[str, str]] = Counter()
    for entry in orders.values():
        sold.update((item.performance, item.area) for item in _items(entry) if item.area)
    for (performance, area), count in sold.items():
        seats = evidence.performances[performance]
        beyond = count + seats.areas[area] - seats.capacities.get(area, FOREVER_MS)
        if beyond > 0:
            yield Fault("double_sale", f"{performance} {area}: {beyond} places were sold that are not there")


def _lost_orders(orders: Orders, evidence: Evidence) -> Iterator[Fault]:
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


def _books(orders: Orders, evidence: Evidence) -> Iterator[Fault]:
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


def _limits(told: list[Told], evidence: Evidence) -> Iterator[Fault]:
    """More seats than a hold or a place may have, bought or held at once; staff may have any number."""
    limits = evidence.on_sale.limits
    owned: defaultdict[tuple[int, str], list[tuple[int, int, int]]] = defaultdict(list)
    ends = _ends(told)
    for entry in told:
        if entry["told"] != "held" or is_staff(entry["visitor"]):
            continue
        for name, count in Counter(item.performance for item in _items(entry)).items():
            if count > limits.seats_a_hold:
                yield Fault("broken_limit", f"visitor {entry['visitor']} held {count} seats of {name} at once")
            end_ms = ends.get(entry["hold"], milliseconds(entry["expires_at"]) - CLOCKS_MS)
            owned[entry["visitor"], name].append((entry["at_ms"], end_ms, count))
    for (visitor, name), holds in owned.items():
        most = max(
            sum(count for start_ms, end_ms, count in holds if start_ms <= now_ms < end_ms) for now_ms, _, _ in holds
        )
        if most > limits.seats_a_place:
            yield Fault("broken_limit", f"visitor {visitor} had {most} seats of {name}, bought or held")


def _ends(told: list[Told]) -> dict[str, int]:
    """Until when holds surely were their visitor's: sold ones for good, others until their release was asked for."""
    ends: dict[str, int] = {}
    for entry in told:
        if entry["told"] in {"releasing", "let_go"}:
            ends.setdefault(entry["hold"], entry["at_ms"])
        elif entry["told"] == "ordered" and entry["state"] in SOLD_STATES and "hold" in entry:
            ends[entry["hold"]] = FOREVER_MS
    return ends


def _audits(evidence: Evidence) -> Iterator[Fault]:
    """What the auditor of the books found."""
    for house, audit in evidence.audits.items():
        yield from (Fault("unbalanced_books", f"{house}: {fault}") for fault in audit.faults)
