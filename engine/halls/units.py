"""What is wrong with a plan's units, and with what it says of stairs, in words."""

from engine.halls.extension import Complain
from engine.halls.plan import Plan, Seat, Unit

LONGEST_UNIT = 255


def check_units(plan: Plan, complain: Complain) -> None:
    """Complains of units that could not be sold as one: strangers, two rows, not side by side, a seat or name twice."""
    rows = [(zone, row) for zone in plan.zones for row in zone.rows]
    found: dict[str, tuple[int, int]] = {
        seat.id: (number, place) for number, (_, row) in enumerate(rows) for place, seat in enumerate(row.seats)
    }
    taken: dict[str, str] = {}
    names: set[tuple[str, str]] = set()
    for number, unit in enumerate(plan.units, 1):
        where = f"unit {unit.name!r}" if unit.name else f"unit {number}"
        if unit.name and (unit.kind, unit.name) in names:
            complain(where, f"there is another {unit.kind} of this name", "give one of them another name")
        names.add((unit.kind, unit.name))
        if unit.kind == "table" and not unit.name:
            complain(where, "a table has no name", "a visitor asks for a table by its name")
        strangers = [seat for seat in unit.seats if seat not in found]
        if strangers:
            complain(where, f"names seats that are not in the plan: {', '.join(map(repr, strangers[:4]))}")
            continue
        for seat in unit.seats:
            if seat in taken:
                complain(where, f"its seat {seat!r} is in {taken[seat]} already", "a seat is in one unit, once")
            taken[seat] = where
        _check_place(unit, where, found, [row.seats for _, row in rows], complain)


def _check_place(
    unit: Unit, where: str, found: dict[str, tuple[int, int]], rows: list[tuple[Seat, ...]], complain: Complain
) -> None:
    places = sorted({found[seat] for seat in unit.seats})
    (row, first), (last_row, last) = places[0], places[-1]
    if row != last_row:
        complain(where, "its seats are of two rows", "the seats of a unit stand side by side in one row")
    elif last - first + 1 != len(places):
        complain(where, "its seats do not stand side by side", "another seat stands between them")
    elif any(seat.is_before_aisle for seat in rows[row][first:last]):
        complain(where, "an aisle runs between its seats", "take the aisle out of aisles_after, or the unit apart")
    elif len(places) > LONGEST_UNIT:
        complain(where, f"has {len(places)} seats; {LONGEST_UNIT} is the most")


def check_step_free(plan: Plan, complain: Complain) -> None:
    """Warns of zones and rows that are said to be reached without stairs, and are not there."""
    if plan.step_free is None:
        return
    zones = {zone.name for zone in plan.zones}
    rows = {(zone.name, row.number) for zone in plan.zones for row in zone.rows}
    strangers = [repr(zone) for zone in plan.step_free.zones if zone not in zones]
    strangers += [f"{zone!r} row {row!r}" for zone, row in plan.step_free.rows if (zone, row) not in rows]
    if strangers:
        what = f"without_stairs names what is not in the plan: {', '.join(strangers[:4])}"
        complain("parvis", what, severity="warning")
