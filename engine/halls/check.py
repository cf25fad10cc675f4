"""What is wrong with a seating plan, and where, in words: `parvis plan check`."""

from collections import Counter

from engine.halls.blocks import compile_layout
from engine.halls.reader import Fault, Reader


def check(document: object, ids: str = "guid") -> tuple[Fault, ...]:
    """Every fault of a document in pretix's format, errors first; without an error it can be sold from."""
    reader = Reader(document, ids)
    reader.read()
    return tuple(sorted(reader.faults, key=lambda fault: fault.severity != "error"))


def summary(document: object, ids: str = "guid") -> str:
    """What a plan without errors holds, in a sentence."""
    plan = Reader(document, ids).read()
    layout = compile_layout(plan)
    seats = [seat for zone in plan.zones for row in zone.rows for seat in row.seats]
    standing = sum(area.capacity for area in layout.areas)
    counts = Counter(dict.fromkeys(layout.categories, 0))
    counts.update(seat.category for seat in seats)
    for area in layout.areas:
        counts[area.category] += area.capacity
    shown = ", ".join(f"{name} {count}" for name, count in counts.items())
    aisles = sum(seat.is_before_aisle for seat in seats)
    rows = sum(len(zone.rows) for zone in plan.zones)
    return (
        f"{plan.name or 'this plan'} can be sold from: {len(seats)} seats in {rows} rows and "
        f"{len(layout.blocks)} blocks between aisles ({aisles} aisles in rows), {standing} standing places; {shown}"
    )
