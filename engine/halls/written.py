"""Seats as a person writes them, from a hall's plan: `A1-A4, B7`, `A 1-4`, `Balcony B12`, or a seat's id."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from engine.errors import BadInput, Refused
from engine.words import SeatId

LONGEST: Final = 10_000
LONGEST_PART: Final = 200
"""A part is read in every way there is, from every dash and gap of it: of a longer one that would take minutes."""
APART: Final = re.compile(r"[,;\n]+")
BETWEEN: Final = " /:."
"""What may stand between a row and a number; something must, where both are numbers."""
DASH: Final = "-"
DASHES: Final = str.maketrans("–—", "--")
Row = tuple[str, list[Any]]
"""What it is called with its zone, and its seats as the plan has them."""


def written_seats(plan: Mapping[str, Any], text: str, is_id: Callable[[str], bool]) -> tuple[SeatId, ...]:
    """The seats that a text names, each once, in its order. `plan`: in pretix's format, as a hall keeps it.

    From one to another are all that stand between them in their row. `is_id`: whether a word is a seat's id. Raises
    `BadInput`, and `Refused` (`unclear-seats`) with every part that names none, or not surely one.
    """
    if len(text) > LONGEST:
        raise BadInput(f"a list of seats has at most {LONGEST} characters")
    rows = _rows(plan)
    named: dict[SeatId, None] = {}
    faults = []
    for part in filter(None, (" ".join(part.split()) for part in APART.split(text.translate(DASHES)))):
        if is_id(part):
            named[SeatId(part)] = None
            continue
        found = list(_read(rows, part)) if len(part) <= LONGEST_PART else []
        if len(found) == 1:
            named |= dict.fromkeys(SeatId(seat["seat_guid"]) for seat in found[0][1])
        elif found:
            faults.append(
                (part, f"is it {' or '.join(name for name, _ in found)}? Write the part of the hall before it")
            )
        else:
            faults.append((part, "there is no such seat, or no such row of seats, in this hall"))
    if faults:
        parts = [part for part, _ in faults]
        raise Refused(
            "unclear-seats", "not every seat of the list is clear", seats=parts, reasons=[why for _, why in faults]
        )
    return tuple(named)


def _rows(plan: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Every row by what it may be called: its label, alone or after its zone."""
    rows: dict[str, list[Row]] = {}
    for zone in plan["zones"]:
        for row in zone["rows"]:
            name = f"{zone['name']} {row['row_number']}".strip()
            for called in dict.fromkeys((row["row_number"].casefold(), name.casefold())):
                rows.setdefault(called, []).append((name, row["seats"]))
    return rows


def _read(rows: Mapping[str, list[Row]], part: str) -> Iterator[Row]:
    """Every way to read a part: what its row is called, and its seats."""
    for _, name, seats, number in _places(rows, part):
        yield name, [seats[number]]
    for dash in (at for at, letter in enumerate(part) if letter == DASH):
        first, last = part[:dash].strip(), part[dash + 1 :].strip()
        for label, name, seats, number in _places(rows, first):
            ends = [place for place, seat in enumerate(seats) if seat["seat_number"].casefold() == last.casefold()]
            ends += [end for same, other, _, end in _places(rows, last) if (same, other) == (label, name)]
            for end in dict.fromkeys(ends):
                yield name, seats[min(number, end) : max(number, end) + 1]


def _places(rows: Mapping[str, list[Row]], words: str) -> Iterator[tuple[str, str, list[Any], int]]:
    """Every way to read a row and a seat's number: what the row was called, its name, its seats, and which of them."""
    for at in range(1, len(words)):
        label, number = words[:at].rstrip(BETWEEN).casefold(), words[at:].casefold()
        if number[0] in BETWEEN or (label[-1:].isdigit() and words[at - 1] not in BETWEEN):
            continue
        for name, seats in rows.get(label, ()):
            for place, seat in enumerate(seats):
                if seat["seat_number"].casefold() == number:
                    yield label, name, seats, place
