"""What Parvis keeps beside a plan in pretix's format, under the root key `parvis`."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Complain = Callable[..., None]
"""`complain(where, what, remedy="", severity="error")`."""


class Extension(msgspec.Struct, frozen=True):
    """`aisles_after`: seats whose neighbour in the row is across an aisle; None where positions tell.

    `ranks` and `access` by seat; `areas`: id, name, category and capacity of standing areas by zone and area number.
    """

    aisles_after: frozenset[str] | None
    ranks: Mapping[str, int]
    access: Mapping[str, tuple[str, ...]]
    areas: Mapping[tuple[int, int], dict[str, Any]]

    def check(self, seats: frozenset[str], areas: frozenset[tuple[int, int]], complain: Complain) -> None:
        """Complains of what it tells about seats and areas that the plan does not have."""
        for name, told in (("aisles_after", self.aisles_after or ()), ("ranks", self.ranks), ("access", self.access)):
            strangers = sorted(set(told) - seats)
            if strangers:
                shown = ", ".join(map(repr, strangers[:4])) + (" …" if len(strangers) > 4 else "")
                what = f"{name} names {len(strangers)} seats that are not in the plan: {shown}"
                complain("parvis", what, severity="warning")
        for zone, area in sorted(set(self.areas) - areas):
            complain("parvis", f"areas tells of zone {zone}, area {area}, which is not there", "both count from 0")


def read_extension(document: Mapping[str, Any], complain: Complain) -> Extension:
    """The extension of a plan's document, as far as it is right."""
    found = document.get("parvis", {})
    if not isinstance(found, dict):
        complain("parvis", "is not an object")
        found = {}

    def part(name: str, kind: type) -> Any:
        value = found.get(name)
        if value is not None and not isinstance(value, kind):
            complain("parvis", f"{name!r} is not {'a list' if kind is list else 'an object'}")
            value = None
        return value

    aisles_after = part("aisles_after", list)
    ranks = {}
    for seat, rank in (part("ranks", dict) or {}).items():
        if isinstance(rank, int) and not isinstance(rank, bool):
            ranks[seat] = rank
        else:
            complain("parvis", f"the rank {rank!r} of {seat!r} is not a whole number")
    access = {}
    for seat, needs in (part("access", dict) or {}).items():
        if isinstance(needs, list) and all(isinstance(need, str) for need in needs):
            access[seat] = tuple(needs)
        else:
            complain("parvis", f"the access needs {needs!r} of {seat!r} are not a list of words")
    areas: dict[tuple[int, int], dict[str, Any]] = {}
    for area in part("areas", list) or []:
        numbers = (area.get("zone"), area.get("area")) if isinstance(area, dict) else (None, None)
        if not all(isinstance(number, int) for number in numbers):
            complain("parvis", f"an area {area!r} does not say where it is", 'write {"zone": 0, "area": 0, …}')
        elif numbers in areas:
            complain("parvis", f"zone {numbers[0]}, area {numbers[1]} is told of twice")
        else:
            areas[numbers] = area  # type: ignore[index]
    after = None if aisles_after is None else frozenset(map(str, aisles_after))
    return Extension(aisles_after=after, ranks=ranks, access=access, areas=areas)
