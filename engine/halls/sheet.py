"""Aisles as a sheet of plain text that a person reads and corrects: a line a row, a bar where an aisle is.

    Parterre, row C: 1 2 3 4 | 5 6 7 8      # after 4: 2.1 seats wide

What is least sure comes first, the gaps that made it so behind a `#`. Bars may be put and taken away, at the ends of a
row too; a line that is left out leaves its row as it is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from engine.errors import BadPlan
from engine.halls.aisles import report
from engine.halls.plan import Plan, Row, Seat, Zone

BAR = "|"
NOTE = "#"


def write_sheet(plan: Plan) -> str:
    """The sheet of a plan as it is."""
    named = {name: f"{name}: {' '.join(_drawn(row))}" for name, _, row in _rows(plan)}
    notes: dict[str, str] = {}
    order: list[str] = []
    waiting: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for name, zone, row in _rows(plan):
        waiting.setdefault((zone.name, row.number), []).append((name, row))
    for found in report(plan.zones):
        name, row = waiting[found.zone, found.row].pop(0)
        called: dict[str, str] = dict(zip((seat.id for seat in row.seats), _names(row), strict=True))
        told = [f"after {called[gap.after]}: {gap.ratio:g} seats wide" for gap in found.gaps]
        notes[name] = f"  {NOTE} {'; '.join(told)}" if told else ""
        order.append(name)
    return "".join(f"{named[name]}{notes[name]}\n" for name in order)


def corrected(plan: Plan, sheet: str) -> Plan:
    """The plan with the aisles of a sheet. Raises `BadPlan` with every line that is not one of its rows."""
    rows = {name: row for name, _, row in _rows(plan)}
    told: dict[str, Row] = {}
    faults = []
    for number, line in enumerate(sheet.splitlines(), start=1):
        text = line.partition(f" {NOTE}")[0].strip()
        if not text or text.startswith(NOTE):
            continue
        name, _, drawn = text.rpartition(": ")
        row = rows.get(name.strip())
        if row is None:
            faults.append(f"line {number}: the plan has no row {name or text!r:.80}")
        elif name in told:
            faults.append(f"line {number}: {name} is there twice")
        elif [word for word in drawn.replace(BAR, f" {BAR} ").split() if word != BAR] != _names(row):
            faults.append(f"line {number}: the seats of {name} are {' '.join(_names(row))}, in this order")
        else:
            told[name] = _with_bars(row, drawn.replace(BAR, f" {BAR} ").split())
    if faults:
        raise BadPlan("the sheet of aisles does not fit the plan", tuple(faults))
    return msgspec.structs.replace(plan, zones=_replaced(plan, told))


def _rows(plan: Plan) -> Iterator[tuple[str, Zone, Row]]:
    """Every row with its name on the sheet: its zone and its label, and which of them where several have the same."""
    seen: Counter[str] = Counter()
    for number, zone in enumerate(plan.zones, start=1):
        for row in zone.rows:
            name = f"{zone.name or f'zone {number}'}, row {row.number or '-'}"
            name = name.replace(NOTE, "no.")
            seen[name] += 1
            yield (name if seen[name] == 1 else f"{name} ({seen[name]})"), zone, row


def _names(row: Row) -> list[str]:
    """What a row's seats are called on the sheet: their numbers, or their ids where numbers are not all different."""
    numbers = [seat.number for seat in row.seats]
    are_clear = len(set(numbers)) == len(numbers) and all(
        number and not set(number) & {BAR, NOTE, ":", " "} for number in numbers
    )
    return numbers if are_clear else [seat.id.replace(" ", "_") for seat in row.seats]


def _drawn(row: Row) -> Iterator[str]:
    if row.seats[0].is_after_aisle:
        yield BAR
    for seat, name in zip(row.seats, _names(row), strict=True):
        yield name
        if seat.is_before_aisle:
            yield BAR


def _with_bars(row: Row, words: list[str]) -> Row:
    seats: list[Seat] = []
    for seat in row.seats:
        is_after = words[0] == BAR
        words = words[words.index(next(word for word in words if word != BAR)) + 1 :]
        seats.append(
            msgspec.structs.replace(seat, is_before_aisle=words[:1] == [BAR], is_after_aisle=is_after and not seats)
        )
    return msgspec.structs.replace(row, seats=tuple(seats))


def _replaced(plan: Plan, told: Mapping[str, Row]) -> tuple[Zone, ...]:
    names = (name for name, _, _ in _rows(plan))
    return tuple(
        msgspec.structs.replace(zone, rows=tuple(told.get(next(names), row) for row in zone.rows))
        for zone in plan.zones
    )
