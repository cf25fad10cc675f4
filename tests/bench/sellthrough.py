"""Sell-through: parties come until nowhere in a hall two seats together are left; what is open then is lost.

On every shipped plan, through the functions themselves, with the rule against seats left alone and without it, and
with the best seats chosen by a first-fit instead: the first seats together, row by row in the order of their quality.
The same parties come to each. A party that finds no seats together leaves, and comes too late for smaller ones.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Final

import msgspec

from engine.halls.blocks import compile_layout
from engine.halls.layout import Layout
from engine.halls.shipped import SHIPPED, shipped_plan
from engine.wishes import decode_record
from loadtests.character import PARTIES
from tests.bench.redis_time import Owner, own_redis
from tests.bench.rounds import AT_MOST, Bar, Part
from tests.lua.stage import SALE, Reply, Stage

SEEDS: Final = range(9)
NAMING: Final = {"everybody asks for the best": 0.0, "half name seats anywhere": 0.5}
"""The share of the parties that point at seats somewhere in the hall, and take others only if theirs are refused."""
RULED, FREE, FIRST_FIT = "with the rule", "without it", "first-fit"
LONE_RULES: Final = {RULED: 1, FREE: 0, FIRST_FIT: 0}
LONE_LAST: Final = 10
A_DAY_MS: Final = 86_400_000
A_TURN: Final = 500
"""So many parties are let in at once."""

LOST = Bar(
    what="seats lost: open when no two together are left",
    yardstick="the same parties, the best seats by first-fit",
    sense=AT_MOST,
    bar=1,
    moonshot=0.25,
)


class Sold(msgspec.Struct, frozen=True):
    """How a sale went. `lost`: seats that are open at its end; `apart`: parties that found no seats together."""

    seats: int
    lost: int
    parties: int
    apart: int
    offered: int
    """Parties that named seats, were refused because one would be left alone, and took what was offered."""


class Hall:
    """A plan's general seats on a stage, and its rows as this program knows them."""

    def __init__(self, owner: Owner, layout: Layout, lone_rule: int, *, is_first_fit: bool) -> None:
        owner.flushall()
        self._stage = Stage(owner)
        self._stage.put_up()
        self._lone_rule, self._is_first_fit = lone_rule, is_first_fit
        # A unit's places are for whoever needs them: nobody here does.
        self.rows = [("o" if block.classes.isupper() else "b") * block.length for block in layout.blocks]
        blocks: Any = [
            (f"{block.focus:g} {block.classes}", row, layout.neighbours(number))
            for number, (block, row) in enumerate(zip(layout.blocks, self.rows, strict=True))
        ]
        reply = self._stage.install(blocks, len(layout.categories))
        assert reply == [b"installed", len(blocks)], reply
        self.seats = sum(row.count("o") for row in self.rows)
        self.offered = self._let_in = 0

    def starts(self, k: int) -> Iterator[tuple[int, int]]:
        """Block and offset wherever so many seats together are open, the best rows first."""
        for block, row in enumerate(self.rows):
            at = row.find("o" * k)
            while at >= 0:
                yield block, at
                at = row.find("o" * k, at + 1)

    def serve(self, visitor: int, k: int, whim: random.Random, *, is_naming: bool) -> bool:
        """Sells a party of k seats together. Answers whether there were any."""
        named: tuple[int, int] | None = None
        if is_naming:
            found = list(self.starts(k))
            named = whim.choice(found) if found else None
        elif self._is_first_fit:
            named = next(self.starts(k), None)
        if visitor >= self._let_in:
            self._let_in += A_TURN
            ends = dict.fromkeys(map(str, range(visitor, self._let_in)), self._stage.now_ms() + A_DAY_MS)
            self._stage.redis.zadd(self._stage.keys.live(SALE), ends)
        if named is None and (is_naming or self._is_first_fit):
            return False
        reply = self._hold(visitor, k, named)
        if reply[0] == b"alone":
            self.offered += 1
            reply = self._hold(visitor, reply[6], (reply[4], reply[5]))
        if reply[0] == b"none":
            return False
        assert reply[0] == b"held", reply
        flat = decode_record(reply[3]).seats
        assert sum(flat[2::3]) == k
        for block, offset, count in zip(*[iter(flat)] * 3, strict=True):
            row = self.rows[block]
            assert row[offset : offset + count] == "o" * count
            self.rows[block] = row[:offset] + "s" * count + row[offset + count :]
        self._stage.sell(visitor, f"h{visitor}", "p")
        return True

    def _hold(self, visitor: int, k: int, named: tuple[int, int] | None) -> Reply:
        item: list[Any] = [1, "best", "", k]
        if named:
            block, offset = named
            item = [1, "seats", *(part for step in range(k) for part in (block, offset + step))]
        terms = (self._lone_rule, LONE_LAST)
        return self._stage.hold_packed(visitor, [item], terms=terms, hold_ms=A_DAY_MS)

    def check(self) -> None:
        """That Redis has sold what this program believes."""
        assert self._stage.rows() == self.rows


def sell(owner: Owner, layout: Layout, way: str, share: float, seed: int) -> Sold:
    """One sale, until nowhere two seats together are left."""
    hall = Hall(owner, layout, LONE_RULES[way], is_first_fit=way == FIRST_FIT)
    parties = apart = 0
    while next(hall.starts(2), None):
        # The same party comes to every way of selling, whatever the others before it were given.
        whim = random.Random(f"sell-through/{seed}/{parties}")
        (k,) = whim.choices(tuple(PARTIES), tuple(PARTIES.values()))
        is_naming = whim.random() < share
        parties += 1
        apart += not hall.serve(parties, k, whim, is_naming=is_naming)
    hall.check()
    lost = sum(row.count("o") for row in hall.rows)
    return Sold(seats=hall.seats, lost=lost, parties=parties, apart=apart, offered=hall.offered)


def _total(sales: Sequence[Sold]) -> Sold:
    """Several halls as one."""
    return Sold(**{name: sum(getattr(sold, name) for sold in sales) for name in Sold.__struct_fields__})


def _judge(what: str, found: Mapping[str, Sequence[Sold]]) -> Part:
    """`found`: by the way of selling a sale a seed."""
    ratios = [one.lost / max(1, other.lost) for one, other in zip(found[RULED], found[FIRST_FIT], strict=True)]
    ways = []
    for way, sales in found.items():
        lost, apart = (median(getattr(sold, name) for sold in sales) for name in ("lost", "apart"))
        parties = median(sold.parties for sold in sales)
        share = median(100 * sold.lost / sold.seats for sold in sales)
        ways.append(f"{way} {lost:g} ({share:.2f} %), {apart:g} of {parties:g} parties not together")
    offered = median(sold.offered for sold in found[RULED])
    told = f"of {found[RULED][0].seats:,} seats {'; '.join(ways)}; {offered:g} took the choice offered"
    return msgspec.structs.replace(LOST.judge_ratios(ratios, told), what=f"{LOST.what}; {what}")


async def sellthrough() -> list[Part]:
    """Seats lost on every shipped plan, and on all of them together, ours with the rule against first-fit."""
    parts = []
    layouts = {name: compile_layout(shipped_plan(name)) for name in SHIPPED}
    with own_redis(appendonly=False) as (_, owner):
        for naming, share in NAMING.items():
            found = {
                name: {way: [sell(owner, layout, way, share, seed) for seed in SEEDS] for way in LONE_RULES}
                for name, layout in layouts.items()
            }
            halls = found | {"all of them": _together(list(found.values()))}
            parts += [_judge(f"{name}, {naming}", sales) for name, sales in halls.items()]
    return parts


def _together(halls: Sequence[Mapping[str, Sequence[Sold]]]) -> dict[str, list[Sold]]:
    return {way: [_total([hall[way][seed] for hall in halls]) for seed in SEEDS] for way in LONE_RULES}
