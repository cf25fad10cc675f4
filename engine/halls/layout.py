"""A hall as the engine sells from it: blocks of adjacent seats between aisles, best first, and standing areas."""

from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

import msgspec

from engine.halls.nearness import Nearness
from engine.halls.plan import Point, Unit
from engine.words import AreaId, SeatId


class Block(msgspec.Struct, frozen=True):
    """Adjacent seats, from left to right as the plan is drawn.

    `start`: its first seat among all, block by block; `focus`: 1-based, nearest the hall's middle.
    `classes`: a letter a seat, the category's in upper case, in lower case where no general request may take it.
    `zone`, `row`: the zone's name and the row's label; `zone_number` in the plan; `place`: the row's from the front
    of its zone, by position. `has_aisle_left`, `has_aisle_right`: an aisle, and not a wall, a unit or the longest
    block's end. `unit`: the kind of unit that it is (`wheelchair`, `table`, …), or empty.
    """

    start: int
    length: int
    focus: float
    classes: str
    zone: str = ""
    row: str = ""
    zone_number: int = 0
    place: int = 0
    has_aisle_left: bool = False
    has_aisle_right: bool = False
    is_step_free: bool = False
    unit: str = ""


class AreaPlaces(msgspec.Struct, frozen=True):
    """A standing area."""

    id: AreaId
    category: str
    capacity: int


class Layout:
    """Where each seat is: in the plan (`seat_ids`), and in its block. Built by `engine.halls.blocks.compile_layout`.

    `order`: for each seat block by block its number in the plan; `points`: where each of these stands.
    """

    def __init__(
        self,
        seat_ids: Sequence[SeatId],
        categories: Sequence[str],
        category_by_seat: Sequence[str],
        blocks: Sequence[Block],
        order: Sequence[int],
        points: Sequence[Point],
        areas: Sequence[AreaPlaces],
        units: Sequence[Unit],
        is_ranked: bool,
    ) -> None:
        self.seat_ids = tuple(seat_ids)
        self.categories = tuple(categories)
        self.blocks = tuple(blocks)
        self.areas = tuple(areas)
        self.units = tuple(units)
        self.is_ranked = is_ranked
        """Whether the house itself says which seats are better."""
        self.capacity = len(seat_ids) + sum(area.capacity for area in areas)
        self._order = tuple(order)
        self._points = tuple(points)
        self.known: dict[Hashable, Any] = {}
        """What kinds of wishes mean here: see `engine.best`."""
        self._unit_of = {seat: unit.seats for unit in units for seat in unit.seats}
        self._category = dict(zip(seat_ids, category_by_seat, strict=True))
        self._letters = {category: chr(65 + number) for number, category in enumerate(categories)}
        self._located: dict[SeatId, tuple[int, int]] = {}
        inverse = [0] * len(order)
        for number, block in enumerate(self.blocks):
            for offset in range(block.length):
                place = order[block.start + offset]
                inverse[place] = block.start + offset
                self._located[seat_ids[place]] = (number, offset)
        self._in_plan_order: Any = itemgetter(*inverse) if inverse else None

    def locate(self, seat: SeatId) -> tuple[int, int]:
        """Block and offset of a seat. Raises `KeyError`."""
        return self._located[seat]

    def seat_at(self, block: int, offset: int) -> SeatId:
        """The seat at an offset of a block."""
        return self.seat_ids[self._order[self.blocks[block].start + offset]]

    def has(self, seat: SeatId) -> bool:
        """Whether there is such a seat."""
        return seat in self._located

    def block_by_block(self) -> list[SeatId]:
        """Every seat, in the order of the blocks and of the seats in them."""
        return [self.seat_ids[place] for place in self._order]

    def class_of(self, category: str) -> str:
        """The letter of a category. Raises `KeyError`."""
        return self._letters[category]

    def category_of(self, seat: SeatId) -> str:
        """The category of a seat. Raises `KeyError`."""
        return self._category[seat]

    def initial_rows(self) -> list[str]:
        """A row a block, every seat open."""
        return ["o" * block.length for block in self.blocks]

    def seats_string(self, rows: Sequence[str]) -> str:
        """The rows of all blocks as one letter a seat, in plan order."""
        return "".join(self._in_plan_order("".join(rows))) if self._in_plan_order else ""

    def unit_of(self, seat: SeatId) -> tuple[SeatId, ...]:
        """The seats that are only sold together with this one, itself among them."""
        return self._unit_of.get(seat, (seat,))

    def mask(self, is_meant: Callable[[Block], bool]) -> bytes:
        """A bit a block that is meant, the first block's the highest of the first byte."""
        bits = "".join("1" if is_meant(block) else "0" for block in self.blocks)
        size = -(-len(bits) // 8)
        return int(bits.ljust(size * 8, "0"), 2).to_bytes(size, "big") if bits else b""

    def neighbours(self, block: int) -> tuple[list[int], list[int], list[int]]:
        """Blocks of the same row, of the rows before and behind it, and anywhere near: nearest first, 8, 8 and 12."""
        return self._nearness.neighbours(block)

    def near(self, seat: SeatId, most: int = 128) -> list[tuple[int, int]]:
        """Blocks by the distance of their nearest seat, and that seat's place from 1; the seat's own block first.

        Raises `KeyError`.
        """
        block, offset = self._located[seat]
        return self._nearness.near(self._points[self.blocks[block].start + offset], block, most)

    @cached_property
    def _nearness(self) -> Nearness:
        """Worked out when it is first asked for."""
        return Nearness(
            [self._points[block.start : block.start + block.length] for block in self.blocks],
            [(block.zone_number, block.place) for block in self.blocks],
            [bool(block.unit) for block in self.blocks],
        )
