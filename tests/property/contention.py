"""Many callers at one small house at once, who hold, extend, let go, buy, return and repeat themselves at random."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from engine.client import FunctionClient
from engine.errors import CellUnavailable
from engine.keys import Keys
from engine.library import assemble
from engine.words import HouseSlug, OnSaleId, OrderId, PerformanceId
from tests.property.auditor import Auditor, Event, Seat

SALE = OnSaleId("sale")
BLOCKS = (("4.5 AAAABBBB", "oooooooo"), ("3 AAAAA", "ooooo"), ("6 BBBBBBBBBBB", "ooooooooooo"), ("1 A", "o")) * 3
CATEGORIES = 2
AREAS = (12,)
PERFORMANCES = ("one", "two", "three", "four")
OWNERS = 90
LIMIT = 6
HOLD_MS = 120
EXTENSION_MS = 60
RECENT = 40
NOW_RECORDED_MS = 10**15
"""A ledger that is never behind."""
EFFECTS = {b"held", b"released", b"extended", b"confirmed", b"returned"}


def pack(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


class Bought(NamedTuple):
    """An order of this round, and what it sold."""

    order: str
    owner: str
    performances: list[str]
    seats: frozenset[Seat]
    places: dict[Seat, int]

    def part(self, performance: str) -> list[Any]:
        """What it sold of a performance, as `free_hold` takes it."""
        seats = [part for name, block, offset in self.seats if name == performance for part in (block, offset, 1)]
        areas = [part for key, count in self.places.items() if key[0] == performance for part in (key[2], count)]
        return [self.owner, 0, seats, areas, 0]


class House:
    """A house whose few performances are laid out again and again as they sell out; its whole history is kept."""

    def __init__(self, client: FunctionClient, seed: int) -> None:
        self._client = client
        self._random = random.Random(seed)
        self.keys = Keys(HouseSlug("house"))
        self.history: list[Event] = []
        self.outcomes: Counter[str] = Counter()
        self.operations = 0
        self.repeats = 0
        self.generation = 0
        self.performances: tuple[str, ...] = ()
        self.entries: list[str] = []
        self._bought: list[Bought] = []
        self._parties = itertools.count(1)
        """Never a number twice: a second hold of the same id would be told what became of the first."""

    async def ask(self, operation: str, keys: list[str], *arguments: Any) -> list[Any]:
        library = assemble()
        reply: list[Any] = await self._client.call(
            library.functions[operation], keys, ("1", *arguments), read_only=operation in library.read_only
        )
        return reply

    def hall(self, performance: str) -> list[str]:
        return list(self.keys.performance(PerformanceId(performance)))

    async def open(self) -> None:
        """An open gate, an on-sale, everybody let in, and empty halls."""
        await self._client.call(assemble().functions["cell/close"], [self.keys.cell], ("1",))
        await self._client.call(assemble().functions["cell/open"], [self.keys.cell], ("1", 0))
        fields = ["phase", "open", "rate", 0, "cap", 1000, "joined", 0, "now_serving", 0, "opens_at_ms", 1]
        await self.ask("on_sale/create", [self.keys.cell, self.keys.sale(SALE)], pack(fields), 0)
        await self.lay_out()

    async def lay_out(self) -> None:
        """Fresh, empty halls for the next round."""
        self.generation += 1
        self._bought.clear()
        self.performances = tuple(f"{name}-{self.generation}" for name in PERFORMANCES)
        for performance in self.performances:
            key, index, _ = self.hall(performance)
            arguments = (0, pack(BLOCKS), CATEGORIES, 0, pack(AREAS), "", len(BLOCKS))
            reply = await self.ask("seats/install", [self.keys.cell, key, index], *arguments)
            assert reply[0] == b"installed", reply

    @property
    def areas(self) -> Mapping[Seat, int]:
        names = [f"{name}-{n}" for name in PERFORMANCES for n in range(1, self.generation + 1)]
        return {(name, "area", area): places for name in names for area, places in enumerate(AREAS)}

    async def change(self, operation: str, keys: list[str], *arguments: Any) -> list[Any]:
        """A mutating call; one in eight is said twice at once, and must have one effect and one answer."""
        self.operations += 1
        if self._random.random() > 0.125:
            reply = await self.ask(operation, keys, *arguments)
        else:
            self.repeats += 1
            reply, again = await asyncio.gather(
                self.ask(operation, keys, *arguments), self.ask(operation, keys, *arguments)
            )
            # A refusal changed nothing and is decided anew; an effect is told again to the letter.
            if reply[0] in EFFECTS:
                assert reply == again, (operation, reply, again)
            elif again[0] in EFFECTS:
                reply = again
        self.outcomes[reply[0].decode()] += 1
        return reply

    async def visit(self, number: int) -> None:
        """One party: a hold, and what becomes of it."""
        draw = self._random
        hold, owner = f"h{number}", f"v{draw.randrange(OWNERS)}-{self.generation}"
        performances = draw.sample(self.performances, draw.choice((1, 1, 1, 2)))
        items = [self._wish(place + 1) for place in range(len(performances))]
        halls = [part for name in performances for part in self.hall(name)]
        operation = self.keys.operation
        reply = await self.change(
            "seats/hold",
            [self.keys.cell, operation(hold), self.keys.outbox, self.keys.sale(SALE), self.keys.live(SALE), *halls],
            *("f", hold, owner, "", pack((HOLD_MS, LIMIT, 1, 0, 0, 0, 10 * HOLD_MS, (), ())), pack(items)),
        )
        if reply[0] != b"held":
            return
        seats, places = _pieces(performances, reply[3:-1])
        expires_at_ms = int(reply[1])
        self.history.append(
            Event(int(reply[2]), "held", hold, owner, expires_at_ms - HOLD_MS, expires_at_ms, seats, places)
        )
        match draw.choices(("buy", "let go", "extend", "dawdle", "forget"), (18, 50, 9, 13, 10))[0]:
            case "let go":
                await self._release(hold, owner, halls)
            case "extend":
                reply = await self.change(
                    "seats/extend",
                    [self.keys.cell, operation(f"x{hold}"), self.keys.outbox, *halls],
                    *("f", hold, owner, EXTENSION_MS),
                )
                if reply[0] == b"extended":
                    self.history.append(Event(int(reply[2]), "extended", hold, owner, 0, int(reply[1])))
                await self._buy(hold, owner, performances)
            case "dawdle":
                await asyncio.sleep(draw.uniform(0.5, 1.5) * HOLD_MS / 1000)
                await self._buy(hold, owner, performances)
            case "buy":
                if await self._buy(hold, owner, performances):
                    self._bought.append(Bought(hold, owner, performances, seats, places))
                await self._release(hold, owner, halls)
                if self._bought and draw.random() < 0.5:
                    # Any of this round, those too that were returned before and whose seats are sold again.
                    await self._return(draw.choice(self._bought[-RECENT:]), f"{number}")

    def _wish(self, number: int) -> list[object]:
        draw = self._random
        match draw.choice(("seats", "seats", "best", "best", "area")):
            case "seats":
                block = draw.randrange(len(BLOCKS))
                length = len(BLOCKS[block][1])
                first = draw.randrange(length)
                return [number, "seats", *(p for at in range(first, min(first + 3, length)) for p in (block, at))]
            case "best":
                return [number, "best", draw.choice(("", "A", "B")), draw.randint(1, 4)]
        return [number, "area", 0, draw.randint(1, 5)]

    async def _release(self, hold: str, owner: str, halls: list[str]) -> None:
        keys = [self.keys.cell, self.keys.operation(f"r{hold}"), self.keys.outbox, *halls]
        reply = await self.change("seats/release", keys, "f", hold, owner)
        if reply[0] == b"released":
            self.history.append(Event(int(reply[1]), "released", hold, owner))

    async def _return(self, bought: Bought, key: str) -> None:
        keys, order = self.keys, self.keys.order(OrderId(bought.order))
        reply = await self.change(
            "orders/return",
            [
                *(keys.cell, keys.operation(f"b{key}"), order, keys.outbox, keys.sale(SALE)),
                *(part for name in bought.performances for part in self.hall(name)),
            ],
            *("f", NOW_RECORDED_MS, bought.order, b"action", b"order"),
            *(pack([[0], [0], [bought.part(name) for name in bought.performances]]), 100),
        )
        if reply[0] == b"returned":
            self.entries.append(reply[1].decode())
            self.history.append(Event(int(reply[3]), "returned", "", bought.owner, order=bought.order))

    async def _buy(self, hold: str, owner: str, performances: list[str]) -> bool:
        keys = self.keys
        due = [part for name in performances for part in self.hall(name)[::2]]
        reply = await self.change(
            "orders/confirm",
            [
                *(keys.cell, keys.operation(f"o{hold}"), keys.payment("demo", hold), keys.order(OrderId(hold))),
                *(keys.outbox, keys.sale(SALE), keys.live(SALE), *due),
            ],
            *("f", owner, "", hold, pack([[hold, *range(1, len(performances) + 1)]]), 100, pack(["", 0])),
        )
        if reply[0] == b"confirmed":
            at_ms = int(reply[1].split(b"-")[0])
            self.entries.append(reply[1].decode())
            self.history.append(Event(int(reply[3]), "confirmed", hold, owner, at_ms, order=hold))
        return bool(reply[0] == b"confirmed")

    async def states(self) -> dict[Seat, str]:
        """Every seat of this round as Redis has it, once all holds have ended."""
        found: dict[Seat, str] = {}
        for performance in self.performances:
            while (await self.ask("seats/sweep", [self.keys.cell, self.keys.outbox, *self.hall(performance)], 1000))[1]:
                pass
            reply = await self._client.call(
                assemble().functions["seats/snapshot"], [self.hall(performance)[0]], (len(AREAS),), read_only=True
            )
            rows, start = reply[2].decode(), 0
            for block, (_, row) in enumerate(BLOCKS):
                for offset in range(len(row)):
                    found[performance, block, offset] = rows[start + offset]
                start += len(row)
        return found

    async def rush(self, operations: int, *, at_once: int = 48) -> None:
        """Visits until so many operations were made."""

        async def visitor() -> None:
            while self.operations < wanted:
                try:
                    await self.visit(next(self._parties))
                except CellUnavailable:
                    self.outcomes["unavailable"] += 1

        wanted = self.operations + operations
        await asyncio.gather(*(visitor() for _ in range(at_once)))

    def audit(self) -> Auditor:
        """Replays everything. Raises `Broken`."""
        auditor = Auditor(self.areas, LIMIT)
        auditor.replay(self.history)
        return auditor


def _pieces(performances: list[str], records: list[bytes]) -> tuple[frozenset[Seat], dict[Seat, int]]:
    seats: set[Seat] = set()
    places: dict[Seat, int] = {}
    for performance, record in zip(performances, records, strict=True):
        _, _, flat, areas, *_ = msgspec.msgpack.decode(record)
        for block, offset, count in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
            seats |= {(performance, block, offset + step) for step in range(count)}
        for area, count in zip(areas[::2], areas[1::2], strict=True):
            places[performance, "area", area] = places.get((performance, "area", area), 0) + count
    return frozenset(seats), places
