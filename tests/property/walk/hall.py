"""A performance as the model knows it: whose seats and places these are, what ends when, and where all of it is."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from tests.property.walk.rows import Place, Rows

HALLS = {"p": ("AAaA", "AAABBB", "BBBBBBBB", "AB", "b", "aa", "BBBBB"), "q": ("AAAAA", "aa", "BBAA")}
NEIGHBOURS = {"p": {0: ([1], [2], [6]), 1: ([0], [2], [6]), 2: ([6], [0, 1], []), 6: ([2], [], [0, 1])}, "q": {}}
FLOORS = {"p": {"floor": 9, "balcony": 4}, "q": {"floor": 9}}
STAFF, PARTNER = "key:desk", "key:partner"
AGAIN_MS = 60_000
UNKNOWN = -1
"""An instant that Redis drew, or that it counted from a clock of its own: read there, within bounds."""
Area = tuple[str, str]
"""The letter of the allotment, or none, and the area."""
Beside = dict[int, tuple[list[int], list[int], list[int]]]


class Seat(msgspec.Struct, frozen=True):
    """A seat, the same in each plan; `letter`: its class there."""

    id: int
    letter: str


class Kept(msgspec.Struct):
    """A hold's part in a performance. Nobody's (an empty owner) once it waits to come back. Instants are the walk's.

    `seats`: by their ids, in the order in which they were chosen, with the letter to which each comes back.
    `former_ms`: when it ended before its owner left, else 0; `said`: when the last word of that was said.
    """

    owner: str
    ends_ms: int
    seats: dict[int, str]
    places: Counter[Area]
    is_extended: bool = False
    uses: int = 0
    latest_ms: int = 0
    former_ms: int = 0
    said: int = 0

    @property
    def full_ms(self) -> int:
        """When it ends, or would if its owner had not left."""
        return self.former_ms or self.ends_ms

    @property
    def count(self) -> int:
        return len(self.seats) + self.places.total()


class Aside(msgspec.Struct):
    """An allotment. `for_`: staff, partner or code; `release_ms`: 0 for never."""

    name: str
    for_: str
    release_ms: int
    areas: list[str]


class Plan(msgspec.Struct):
    """Blocks in the order of their quality, where each has its focus, which are near which, and standing areas."""

    blocks: list[list[Seat]]
    focuses: list[float]
    neighbours: Beside
    areas: dict[str, int]

    def classes(self) -> list[str]:
        return ["".join(seat.letter for seat in block) for block in self.blocks]


class Hall:
    """One performance: a plan, and what has become of it."""

    def __init__(self, name: str, return_ms: int, curve: list[tuple[int, int]]) -> None:
        self.name, self.return_ms, self.plan_change = name, return_ms, 0
        numbers = iter(range(1000))
        self.seen: Counter[str] = Counter()
        """How often what came to pass of itself."""
        self.holds: dict[str, Kept] = {}
        self.owned: Counter[str] = Counter()
        self.unpaid: dict[str, tuple[int, int]] = {}
        self.bought: Counter[str] = Counter()
        self.aside: dict[str, Aside] = {}
        self.ended: dict[str, Aside] = {}
        self.curve = curve
        blocks = [[Seat(next(numbers), letter) for letter in letters] for letters in HALLS[name]]
        self.next_seat = next(numbers)
        self.open: Counter[Area] = Counter({("", area): count for area, count in FLOORS[name].items()})
        self.sold: Counter[Area] = Counter()
        self.units = [[seat.id for seat in block] for block in blocks if block[0].letter.islower()] if curve else []
        """Those that are still released by the curve, the best first."""
        self.released: set[int] = set()
        self.rows: Rows = []
        self.where: dict[int, Place] = {}
        plan = Plan(blocks, [(len(block) + 1) / 2 for block in blocks], NEIGHBOURS[name], dict(FLOORS[name]))
        self.move(plan)

    def move(self, plan: Plan) -> None:
        """Into another plan, where there is room for all that is somebody's."""
        was = {seat: self.rows[block][offset] for seat, (block, offset) in self.where.items()}
        self.plan = plan
        self.where = {
            seat.id: (at, offset) for at, block in enumerate(plan.blocks) for offset, seat in enumerate(block)
        }
        self.rows = [[was.get(seat.id, "o") for seat in block] for block in plan.blocks]
        self.units = [unit for unit in self.units if unit[0] in self.where]
        self.units.sort(key=lambda unit: self.where[unit[0]])
        self.classes = [
            letters.upper() if self.released.intersection(seat.id for seat in block) else letters
            for letters, block in zip(plan.classes(), plan.blocks, strict=True)
        ]
        self.numbers = {area: number for number, area in enumerate(plan.areas)}

    def texts(self) -> list[str]:
        return ["".join(row) for row in self.rows]

    def ids(self, places: Iterable[Place]) -> list[int]:
        return [self.plan.blocks[block][offset].id for block, offset in places]

    def flat(self, seats: Iterable[int]) -> list[int]:
        """Blocks and offsets, as calls name seats."""
        return [part for seat in seats for part in self.where[seat]]

    def area(self, area: Area) -> int | str:
        """As calls name it."""
        letter, name = area
        return f"{letter}{self.numbers[name]}" if letter else self.numbers[name]

    def now_of(self, area: Area) -> Area:
        """Of whom a share is now."""
        return area if area[0] in self.aside else ("", area[1])

    def has_room_for(self, kept: Kept) -> bool:
        """Whether the plan has all that: what is not held or sold may have gone."""
        return all(seat in self.where for seat in kept.seats) and all(a in self.plan.areas for _, a in kept.places)

    def as_it_is(self, kept: Kept) -> Kept:
        """With the letters of allotments that live."""
        seats = {seat: letter if letter in self.aside else "o" for seat, letter in kept.seats.items()}
        places: Counter[Area] = Counter()
        for area, count in kept.places.items():
            places[self.now_of(area)] += count
        return msgspec.structs.replace(kept, seats=seats, places=places)

    def set(self, seats: Iterable[int], letter: str) -> None:
        for seat in seats:
            block, offset = self.where[seat]
            self.rows[block][offset] = letter

    # What time brings.

    def turn(self, now: int, most: int) -> list[tuple[str, Kept]]:
        """Holds end, so many at most, and what was kept is released. Answers whose ended, as they were."""
        due = sorted((kept.ends_ms, hold) for hold, kept in self.holds.items() if kept.ends_ms <= now)[:most]
        ended = [(hold, msgspec.structs.replace(self.holds[hold])) for _, hold in due]
        for hold, _ in ended:
            self.end(hold, now, is_unpaid=True)
        for letter, aside in list(self.aside.items()):
            if 0 < aside.release_ms <= now:
                self.end_aside(letter)
                self.seen["release of an allotment"] += 1
        while self.curve and self.curve[0][0] <= now:
            _, percent = self.curve.pop(0)
            if self._release_units(percent) and not self.curve:
                self.curve.append((UNKNOWN, percent))
                self.seen["release of units that waits"] += 1
                break
        return ended

    def _release_units(self, percent: int) -> bool:
        """So many of those that are free are everybody's, the worst first. Whether somebody holds one just then."""
        rows = [self.rows[self.where[unit[0]][0]] for unit in self.units]
        free = [unit for unit, row in zip(self.units, rows, strict=True) if set(row) == {"o"}]
        is_held = any("h" in row for row in rows)
        for unit in free[len(free) - len(free) * percent // 100 :]:
            self.seen["release of units"] += 1
            self.units.remove(unit)
            self.released |= set(unit)
            block = self.where[unit[0]][0]
            self.classes[block] = self.classes[block].upper()
        return is_held

    def next_release(self) -> int:
        """0 for none."""
        instants = [aside.release_ms for aside in self.aside.values() if aside.release_ms]
        instants += [instant for instant, _ in self.curve[:1]]
        return min(instants, default=0)

    def instants(self) -> list[int]:
        """When anything falls due."""
        instants = [kept.ends_ms for kept in self.holds.values()] + [instant for instant, _ in self.curve]
        return instants + [aside.release_ms for aside in self.aside.values()]

    def end(self, hold: str, now: int, *, is_unpaid: bool) -> int:
        """Ends a hold; what it has comes back, by and by where that takes a while. Answers its uses of a code."""
        kept = self.holds[hold]
        uses, kept.uses = kept.uses, 0
        if kept.owner:
            self.owned[kept.owner] -= kept.count
            if is_unpaid:
                self.note_unpaid(kept.owner, now)
            if self.return_ms:
                kept.owner, kept.is_extended, kept.ends_ms, kept.former_ms = "", False, UNKNOWN, 0
                return uses
        self.put_back(kept)
        del self.holds[hold]
        return uses

    def put_back(self, kept: Kept) -> None:
        for seat, letter in kept.seats.items():
            self.set([seat], letter if letter in self.aside else "o")
        for area, count in kept.places.items():
            self.open[self.now_of(area)] += count

    def note_unpaid(self, owner: str, now: int) -> None:
        if not owner.startswith("key:"):
            self.unpaid[owner] = (self.unpaid.get(owner, (0, 0))[0] + 1, now)

    def end_aside(self, letter: str) -> None:
        """What is left of an allotment is everybody's."""
        self.rows = [["o" if state == letter else state for state in row] for row in self.rows]
        for counts in (self.open, self.sold):
            for area in self.aside[letter].areas:
                counts["", area] += counts.pop((letter, area), 0)
        self.ended[letter] = self.aside.pop(letter)

    def letters_of(self, owner: str, *, has_code: bool) -> str:
        """What this owner may take, as calls say it: empty for everybody."""
        kinds = {STAFF: "staff", PARTNER: "partner"}.get(owner, "code" if has_code else "")
        own = "".join(letter for letter, aside in self.aside.items() if aside.for_ == kinds)
        if owner == PARTNER:
            return own or "-"
        return "o" + own if own or owner == STAFF else ""

    def is_sold_out(self) -> bool:
        may_come = any(
            aside.release_ms and (letter in "".join(self.texts()) or any(self.open[letter, a] for a in aside.areas))
            for letter, aside in self.aside.items()
        )
        is_open = any("o" in row for row in self.rows) or any(self.open["", area] for area in self.plan.areas)
        return not self.holds and not is_open and not may_come


# Another plan.


def changed(plan: Plan, draw: random.Random, next_seat: int, floors: int) -> Plan:
    """A plan that differs in up to three ways: rows and seats more or less, apart or together, in another order."""
    blocks, areas = [list(block) for block in plan.blocks], dict(plan.areas)
    numbers = iter(range(next_seat, next_seat + 1000))
    for _ in range(draw.choice((1, 1, 2, 3))):
        general = [at for at, block in enumerate(blocks) if any(seat.letter.isupper() for seat in block)]
        at = draw.choice(general)
        block = blocks[at]
        match draw.choice(
            ("add", "add", "row", "drop", "drop row", "split", "join", "turn", "order", "class", "area", "area")
        ):
            case "add" if len(block) < 9:
                block.insert(draw.randint(0, len(block)), Seat(next(numbers), draw.choice("AB")))
            case "row" if len(blocks) < 8:
                letters = draw.choice(("AAAA", "BBAB", "aa", "AAAAAA"))
                blocks.insert(draw.randint(0, len(blocks)), [Seat(next(numbers), letter) for letter in letters])
            case "drop" if len(block) > 1:
                block.pop(draw.randrange(len(block)))
            case "drop row" if len(general) > 2:
                blocks.pop(draw.choice((at, draw.randrange(len(blocks)))))
            case "split" if len(block) > 2 and len(blocks) < 8:
                cut = draw.randrange(1, len(block))
                blocks[at : at + 1] = [block[:cut], block[cut:]]
            case "join" if len(general) > 2:
                other = draw.choice([each for each in general if each != at])
                if len(block) + len(blocks[other]) < 10:
                    block += blocks[other]
                    blocks.pop(other)
            case "turn":
                draw.choice(blocks).reverse()
            case "order":
                draw.shuffle(blocks)
            case "class":
                seat = draw.randrange(len(block))
                block[seat] = Seat(block[seat].id, {"A": "B", "B": "A"}.get(block[seat].letter, block[seat].letter))
            case "area":
                _change_areas(areas, draw, floors)
    general = [at for at, block in enumerate(blocks) if any(seat.letter.isupper() for seat in block)]
    focuses = [draw.choice(((len(block) + 1) / 2, 1, len(block))) for block in blocks]
    return Plan(blocks, focuses, _neighbours(general, draw), areas)


def _change_areas(areas: dict[str, int], draw: random.Random, floors: int) -> None:
    area = draw.choice(list(areas))
    match draw.choice(("more", "less", "less", "gone", "new", "order")):
        case "more":
            areas[area] += draw.randint(1, 3)
        case "less":
            areas[area] = max(1, areas[area] - draw.randint(1, 4))
        case "gone" if len(areas) > 1:
            del areas[area]
        case "new" if len(areas) < 3:
            areas[f"floor {floors}"] = draw.randint(1, 5)
        case _:
            areas[area] = areas.pop(area)


def _neighbours(blocks: Sequence[int], draw: random.Random) -> Beside:
    """Of some of these blocks which are one row, one behind the other, or near: each of the other."""
    found: Beside = {block: ([], [], []) for block in blocks}
    for one in blocks:
        for other in blocks:
            kind = draw.choice((0, 1, 2, 3, 3, 3))
            if one < other and kind < 3:
                found[one][kind].append(other)
                found[other][kind].append(one)
    return found
