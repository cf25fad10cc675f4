"""The halls of the demo network, drawn from public facts about a real region's halls, under invented names."""

from collections.abc import Callable
from typing import Final

from engine.halls.generate import DEPTH, PITCH, Drawn, arc, draw_row, horseshoe, label, settle, shape, stage
from engine.halls.plan import Area, Plan, Row, Seat, StepFree, Unit, Zone
from engine.words import AreaId, SeatId

WHEELCHAIR_AND_COMPANION: Final = ("wheelchair", "companion")


def _arcs(
    zone: str, rows: int, sections: tuple[int, ...], first_radius: float, category: Callable[[int], str], rank: int
) -> list[Row]:
    """Rows along arcs around the stage, one behind the other."""
    return [
        draw_row(
            Drawn(zone, label(number), category(number), sections, rank + number * 10),
            arc((0.0, -500.0), first_radius + number * DEPTH),
        )
        for number in range(rows)
    ]


def _zeewind_grote_zaal() -> Plan:
    """1,290 seats on three levels: parterre, first and second balcony."""
    parterre = _arcs("parterre", 20, (8, 16, 8), 700, lambda row: "Rang 1" if row < 12 else "Rang 2", 0)
    access = Drawn("parterre", label(20), "Rang 2", (10,), 200, WHEELCHAIR_AND_COMPANION * 5)
    parterre.append(draw_row(access, arc((0.0, -500.0), 700 + 20.4 * DEPTH)))
    first = _arcs("balkon-1", 10, (8, 18, 8), 1_440, lambda row: "Rang 2" if row < 3 else "Rang 3", 300)
    second = _arcs("balkon-2", 10, (7, 16, 7), 1_830, lambda row: "Rang 3" if row < 3 else "Rang 4", 500)
    zones = [
        Zone(name="Parterre", x=0, y=0, rows=tuple(parterre), areas=(stage(0, 420),)),
        Zone(name="Balkon 1", x=0, y=0, rows=tuple(first)),
        Zone(name="Balkon 2", x=0, y=0, rows=tuple(second)),
    ]
    step_free = StepFree(zones=("Parterre",))
    categories = ("Rang 1", "Rang 2", "Rang 3", "Rang 4")
    return settle("Concertzaal Zeewind, grote zaal", categories, zones, step_free=step_free)


def _zeewind_kamerzaal() -> Plan:
    """320 seats in 16 straight rows; four access places in front."""
    rows = []
    for number in range(16):
        category = "Rang 1" if number < 8 else "Rang 2" if number < 13 else "Rang 3"
        access = WHEELCHAIR_AND_COMPANION * 2 if number == 0 else ()
        drawn = Drawn("zaal", label(number), category, (10, 10), number * 10, access)
        y = 160 + number * DEPTH
        rows.append(draw_row(drawn, lambda distance, y=y: (distance, y)))  # type: ignore[misc]
    zone = Zone(name="Zaal", x=0, y=0, rows=tuple(rows), areas=(stage(0, 300),))
    step_free = StepFree(rows=(("Zaal", "A"),))
    return settle("Concertzaal Zeewind, kamerzaal", ("Rang 1", "Rang 2", "Rang 3"), [zone], step_free=step_free)


def _gulden_masker() -> Plan:
    """700 seats: a parterre of 280, and four balconies of 105 round it in a horseshoe, five boxes a row."""
    rows = []
    for number in range(14):
        category = "Rang 1" if number < 9 else "Rang 2"
        access = WHEELCHAIR_AND_COMPANION * 2 if number == 13 else ()
        drawn = Drawn("parterre", label(number), category, (10, 10), number * 10, access)
        rows.append(draw_row(drawn, arc((0.0, -900.0), 1_080 + number * DEPTH)))
    zones = [Zone(name="Parterre", x=0, y=0, rows=tuple(rows), areas=(stage(0, 300),))]
    length = PITCH * 30 + 60 * 4.0
    for level in range(1, 5):
        balcony = []
        for number in range(3):
            around = (level - 1) * 4 + number
            at = horseshoe((0, 330), 420 + around * 30, 370 + around * 30, length, 205)
            category = "Rang 2" if level == 1 else "Rang 3" if level < 4 else "Rang 4"
            drawn = Drawn(f"balkon-{level}", label(number), category, (7, 7, 7, 7, 7), 200 * level + number * 10)
            balcony.append(draw_row(drawn, at))
        zones.append(Zone(name=f"Balkon {level}", x=0, y=0, rows=tuple(balcony)))
    step_free = StepFree(rows=(("Parterre", label(12)), ("Parterre", label(13))))
    categories = ("Rang 1", "Rang 2", "Rang 3", "Rang 4")
    return settle("Schouwburg Het Gulden Masker", categories, zones, step_free=step_free)


def _klinker() -> Plan:
    """400: a floor for 280 to stand on, and 120 seats on the balcony behind it."""
    rows = []
    for number in range(6):
        drawn = Drawn("balkon", label(number), "Balkon", (10, 10), number * 10)
        y = 480 + number * DEPTH
        rows.append(draw_row(drawn, lambda distance, y=y: (distance, y)))  # type: ignore[misc]
    floor = Area(
        drawing=shape("rectangle", (-290.0, 140), "#e9dfd0", "Staanplaatsen", {"width": 580, "height": 290}),
        id=AreaId("vloer"),
        name="Staanplaatsen",
        category="Staanplaatsen",
        capacity=280,
    )
    zones = [
        Zone(name="Vloer", x=0, y=0, areas=(stage(0, 300), floor)),
        Zone(name="Balkon", x=0, y=0, rows=tuple(rows)),
    ]
    return settle("Club Klinker", ("Staanplaatsen", "Balkon"), zones, step_free=StepFree(zones=("Vloer",)))


def _klinker_cabaret() -> Plan:
    """72 at 18 tables of four: the twelve before are sold whole, the six behind by the seat."""
    rows, tables = [], []
    for number in range(18):
        at, is_whole = divmod(number, 6), number < 12
        corners = ((0.0, 0.0), (PITCH, 0.0), (PITCH, PITCH), (0.0, PITCH))  # once round the table
        seats = tuple(
            Seat(
                id=SeatId(f"tafel-{number + 1}-{seat}"),
                number=str(seat),
                category="Tafel" if is_whole else "Stoel",
                x=x,
                y=y,
                rank=at[0] * 100 + abs(at[1] * 2 - 5) * 10,
            )
            for seat, (x, y) in enumerate(corners, 1)
        )
        rows.append(Row(number=f"Tafel {number + 1}", x=at[1] * 90.0 - 238, y=160 + at[0] * 90.0, seats=seats))
        if is_whole:
            tables.append(Unit(kind="table", name=f"Tafel {number + 1}", seats=tuple(seat.id for seat in seats)))
    zone = Zone(name="Vloer", x=0, y=0, rows=tuple(rows), areas=(stage(0, 300),))
    step_free = StepFree(zones=("Vloer",))
    return settle("Club Klinker, cabaret", ("Tafel", "Stoel"), [zone], step_free=step_free, tables=tables)


_DRAWINGS: Final[dict[str, Callable[[], Plan]]] = {
    "zeewind-grote-zaal": _zeewind_grote_zaal,
    "zeewind-kamerzaal": _zeewind_kamerzaal,
    "gulden-masker": _gulden_masker,
    "klinker": _klinker,
    "klinker-cabaret": _klinker_cabaret,
}
SHIPPED: Final = tuple(_DRAWINGS)


def shipped_plan(name: str) -> Plan:
    """One of the `SHIPPED` halls. Raises `KeyError`."""
    return _DRAWINGS[name]()
