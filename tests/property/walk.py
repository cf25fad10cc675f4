"""A walk at random through the calls of seats and orders, one at a time, beside a model that knows each answer.

Two performances with two categories, rows that mix them, access places, a unit, a floor of standing places and an
allotment; visitors and staff, who wish for named seats, the best in every way, and places, with codes and rules. After
every call the model, the index and the books agree; at the end the history is replayed, by itself and by the auditor.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

import msgspec
import redis

from engine.best import as_text
from engine.words import OrderId
from tests.lua.drawing import index_bits
from tests.lua.stage import SALE, Reply, Stage, pack
from tests.property.auditor import Auditor, Event, Seat

HALLS = {"p": ("AAaA", "AAABBB", "BBBBBBBB", "AB", "b", "aa", "BBBBB"), "q": ("AAAAA", "aa", "BBAA")}
NEIGHBOURS = {"p": {0: ([1], [2], [6]), 1: ([0], [2], [6]), 2: ([6], [0, 1], []), 6: ([2], [], [0, 1])}, "q": {}}
FLOOR, LIMIT, CODE, MOST, LETTER = 9, 7, "spring", 6, "Q"
HOLD_MS, LONGEST_MS, COOL_MS, RETURN_MS, KEPT_MS = 60_000, 150_000, 90_000, 30_000, 100_000
VISITORS, STAFF, STRANGER = ("v1", "v2", "v3"), "key:desk", "v9"
MARGIN_MS = 3_000
"""Nothing falls due within so long after a call began."""
SHIFT = """
for at = 1, #KEYS, 2 do
  for _, name in ipairs(redis.call('HKEYS', KEYS[at])) do
    local value, kind = redis.call('HGET', KEYS[at], name), string.sub(name, 1, 1)
    if kind == 'h' then
      local record = cmsgpack.unpack(value)
      record[2] = record[2] - ARGV[1]
      if record[8] then record[8] = record[8] - ARGV[1] end
      redis.call('HSET', KEYS[at], name, cmsgpack.pack(record))
    elseif kind == 'w' then
      local count, last = string.match(value, '(%d+) (%d+)')
      redis.call('HSET', KEYS[at], name, string.format('%s %.0f', count, last - ARGV[1]))
    end
  end
  for _, hold in ipairs(redis.call('ZRANGE', KEYS[at + 1], 0, -1)) do
    redis.call('ZINCRBY', KEYS[at + 1], -ARGV[1], hold)
  end
end"""
Place = tuple[int, int]
Rows = list[list[str]]


class Kept(msgspec.Struct):
    """A hold's part in a performance. Nobody's (an empty owner) once it waits to come back. Instants are the walk's."""

    owner: str
    ends_ms: int
    seats: dict[Place, str]
    places: int
    is_extended: bool = False
    uses: int = 0
    latest_ms: int = 0

    @property
    def count(self) -> int:
        return len(self.seats) + self.places


class Hall:
    """A performance as the model knows it."""

    def __init__(self, name: str, return_ms: int) -> None:
        self.name, self.return_ms, self.classes = name, return_ms, HALLS[name]
        self.rows: Rows = [["o"] * len(letters) for letters in self.classes]
        self.open_places, self.sold_places = FLOOR, 0
        self.is_allotted = False
        self.holds: dict[str, Kept] = {}
        self.owned: Counter[str] = Counter()
        self.unpaid: dict[str, tuple[int, int]] = {}

    def texts(self) -> list[str]:
        return ["".join(row) for row in self.rows]


def starts(row: str, letters: str, class_: str, k: int, *, free: str = "o") -> Iterator[tuple[int, float]]:
    """Every start of k seats together, and how many seats it leaves alone: half a one for an odd number each side."""
    for start in range(len(row) - k + 1):
        chosen = letters[start : start + k]
        if row[start : start + k] == free * k and all(c in class_ if class_ else c.isupper() for c in chosen):
            left = len(row[:start]) - len(row[:start].rstrip(free))
            right = len(row[start + k :]) - len(row[start + k :].lstrip(free))
            odd = left % 2 and right % 2 and (left % k or right % k)
            yield start, (left == 1) + (right == 1) or (odd and 0.5)


@cache
def fitting(row: str, letters: str, class_: str, k: int, end: int, focus: float) -> tuple[int, int] | None:
    """The start to be chosen, and how many it leaves alone. `end`: 0 anywhere, 1 left, 2 right."""
    wanted = {0: range(len(row)), 1: (0,), 2: (len(row) - k,)}[end]
    found = [(alone, abs(start + 1 - (focus - (k - 1) / 2)), start) for start, alone in starts(row, letters, class_, k)]
    best = min((each for each in found if each[2] in wanted), default=None)
    return best and (best[2], int(best[0]))


@cache
def block_bits(row: str, letters: str) -> tuple[bool, ...]:
    """What the index says of a block, segment by segment."""
    return tuple(bit for _, bit in islice(index_bits([row], [letters], 2), None))


class Walk:
    """One walk. `calls`: how many functions were called; `trace`: the last of them."""

    def __init__(self, owner: redis.Redis, draw: random.Random) -> None:
        owner.flushall()
        self.draw = draw
        self.stage = Stage(owner)
        self.stage.put_up(joined=9, now_serving=9)
        self.stage.let_in(1, 2, 3, ms=10**12)
        self.halls = {name: Hall(name, draw.choice((0, RETURN_MS))) for name in HALLS}
        self.shifted_ms = 0
        self.calls = 0
        self.number = 0
        self.uses = 0
        self.trace: list[tuple[str, Sequence[Any], Reply]] = []
        self.outcomes: Counter[str] = Counter()
        self.history: list[Event] = []
        self.orders: list[tuple[str, str, dict[str, Kept], str]] = []
        self.returned: set[str] = set()
        self.lapsed: list[tuple[str, str, dict[str, Kept]]] = []
        for hall in self.halls.values():
            self._install(hall)

    def _install(self, hall: Hall) -> None:
        key, index, _ = self.stage.hall(hall.name)
        blocks = [
            (f"{(len(letters) + 1) / 2:g} {letters}", "o" * len(letters), NEIGHBOURS[hall.name].get(at))
            for at, letters in enumerate(hall.classes)
        ]
        blocks_packed = pack([block if block[2] else block[:2] for block in blocks])
        arguments = (0, blocks_packed, 2, hall.return_ms, pack([FLOOR]), "", len(blocks))
        assert self.stage.run("seats/install", [self.stage.keys.cell, key, index], *arguments)[0] == b"installed"

    def last_calls(self, count: int = 8) -> str:
        """For whoever looks for the fault."""
        drawn = [f"{name} {' '.join(hall.texts())}" for name, hall in self.halls.items()]
        return (
            "\n".join(drawn)
            + "\n"
            + "\n".join(
                f"{name} {[_read(a) for a in arguments]} → {reply}" for name, arguments, reply in self.trace[-count:]
            )
        )

    # Time.

    def now(self) -> int:
        """The walk's clock: Redis's own, and what was passed by hand."""
        return int(time.time() * 1000) + self.shifted_ms

    def pass_time(self, ms: int) -> None:
        keys = [part for name in HALLS for part in self.stage.hall(name)[::2]]
        self.stage.redis.execute_command("EVAL", SHIFT, len(keys), *keys, ms)
        self.shifted_ms += ms

    def _make_room(self) -> None:
        """Lets time pass until nothing falls due while a call is made."""
        instants = [kept.ends_ms for hall in self.halls.values() for kept in hall.holds.values()]
        instants += [last + COOL_MS for hall in self.halls.values() for _, last in hall.unpaid.values()]
        while any(-5 <= instant - self.now() <= MARGIN_MS for instant in instants):
            self.pass_time(MARGIN_MS + 10)

    # What ends.

    def _turn(self, hall: Hall, most: int = 8) -> int:
        due = sorted((kept.ends_ms, hold) for hold, kept in hall.holds.items() if kept.ends_ms <= self.now())[:most]
        for _, hold in due:
            kept = hall.holds[hold]
            if kept.owner:
                self.lapsed.append((hold, kept.owner, {hall.name: msgspec.structs.replace(kept)}))
            self._end(hall, hold, is_unpaid=True)
        return len(due)

    def _end(self, hall: Hall, hold: str, *, is_unpaid: bool) -> None:
        kept = hall.holds[hold]
        if kept.owner:
            hall.owned[kept.owner] -= kept.count
            self.uses -= kept.uses
            if is_unpaid and kept.owner != STAFF:
                hall.unpaid[kept.owner] = (hall.unpaid.get(kept.owner, (0, 0))[0] + 1, self.now())
            if hall.return_ms:
                kept.owner, kept.is_extended, kept.ends_ms, kept.uses = "", False, -1, 0
                return
        for (block, offset), letter in kept.seats.items():
            hall.rows[block][offset] = letter if letter != LETTER or hall.is_allotted else "o"
        hall.open_places += kept.places
        del hall.holds[hold]

    # Calls.

    def call(self, operation: str, keys: Sequence[str], *arguments: Any) -> Reply:
        """A call; now and then said twice, to one effect and one answer."""
        self.calls += 1
        reply = self.stage.run(operation, keys, *arguments)
        told = reply[0].decode()
        self.trace.append((operation, arguments, reply))
        self.outcomes[told] += 1
        if self.draw.random() < 0.06 and told in {"held", "released", "extended", "confirmed", "returned", "awaiting"}:
            self.calls += 1
            assert self.stage.run(operation, keys, *arguments) == reply, "a repeat has another answer"
        return reply

    def _halls_of(self, names: Sequence[str]) -> list[str]:
        return [part for name in names for part in self.stage.hall(name)]

    def _front(self) -> list[str]:
        keys = self.stage.keys
        return [keys.cell, self.stage.key(), keys.outbox]

    def step(self) -> None:
        """One call at random, its answer compared, and then everything."""
        self._make_room()
        actions = {
            self.hold: 10, self.release: 5, self.extend: 2, self.keep: 1, self.confirm: 3,
            self.give_back: 2,
            self.rebook: 1, self.set_aside: 2, self.sweep: 1, self.wait: 2,
        }  # fmt: skip
        self.draw.choices(list(actions), list(actions.values()))[0]()
        self.compare()

    # Holding.

    def hold(self) -> None:
        draw, keys = self.draw, self.stage.keys
        self.number += 1
        hold, owner = f"h{self.number}", draw.choice((*VISITORS * 6, STAFF, STAFF, STRANGER))
        place = "" if owner == STAFF else owner[1:]
        names = draw.choice((["p"], ["p"], ["q"], ["p", "q"], ["q", "p"]))
        items = [item for number, name in enumerate(names, 1) for item in self._wishes(number, self.halls[name])]
        rule, last = draw.choice((0, 1, 1, 2)), draw.choice((0, 0, 5))
        unpaid, uses = draw.choice((0, 0, 2)), draw.choice((0, 0, 0, 1, 2))
        letters = ["o" + LETTER if owner == STAFF else ""] * len(names)
        terms = [HOLD_MS, LIMIT, rule, last, unpaid, COOL_MS, LONGEST_MS, [CODE, uses, MOST] if uses else [], letters]
        reply = self.call(
            "seats/hold",
            [*self._front(), keys.sale(SALE), keys.live(SALE), *self._halls_of(names)],
            *("f", hold, owner, place, pack(terms), pack(items)),
        )
        halls = [self.halls[name] for name in names]
        for hall in halls:
            self._turn(hall)
        refusal = self._refusal(owner, halls, items, unpaid, uses)
        if refusal is not None:
            assert reply == refusal, (reply, refusal)
            return
        self._choose(reply, hold, owner, halls, items, rule, last, uses)

    def _refusal(self, owner: str, halls: list[Hall], items: list[list[Any]], unpaid: int, uses: int) -> Reply | None:
        """What is refused before any seat is looked at."""
        if owner == STRANGER:
            return [b"pass_ended"]
        for hall in halls if unpaid else ():
            count, last_ms = hall.unpaid.get(owner, (0, 0))
            if count >= unpaid and self.now() < last_ms + COOL_MS:
                return [b"cool_down", self._stored_unpaid(hall, owner)[1] + COOL_MS]
        owned = [hall.owned[owner] for hall in halls]
        for item in items:
            at, count = item[0] - 1, (len(item) - 2) // 2 if item[1] == "seats" else item[3]
            if owned[at] + count > LIMIT:
                return [b"limit", item[0], owned[at]]
            owned[at] += count
        return [b"code_used", CODE.encode(), MOST - self.uses] if self.uses + uses > MOST else None

    def _stored_unpaid(self, hall: Hall, owner: str) -> tuple[int, int]:
        count, last_ms = self.stage.hash(self.stage.hall(hall.name)[0])[f"w{owner}".encode()].split()
        return int(count), int(last_ms)

    def _wishes(self, number: int, hall: Hall) -> list[list[Any]]:
        draw, wishes = self.draw, []
        kind = draw.choice(("seats", "seats", "best", "best", "best", "area"))
        if kind == "seats":
            block = draw.randrange(len(hall.classes))
            first, length = draw.randrange(len(hall.classes[block])), draw.choice((1, 2, 2, 3))
            seats = [(block, at) for at in range(first, min(first + length, len(hall.classes[block])))]
            if draw.random() < 0.3:
                other = draw.randrange(len(hall.classes))
                seats.append((other, draw.randrange(len(hall.classes[other]))))
            wishes.append([number, "seats", *(part for seat in dict.fromkeys(seats) for part in seat)])
        elif kind == "best":
            wishes.append(self._best(number, hall))
        if kind == "area" or draw.random() < 0.15:
            wishes.append([number, "area", 0, draw.randint(1, 4)])
        return wishes

    def _best(self, number: int, hall: Hall) -> list[Any]:
        draw = self.draw
        class_ = draw.choice(("", "", "A", "B", "AB", "b", "a"))
        k = draw.choice((1, 2, 2, 3, 4, 5, 6, 7, 9))
        wish: dict[str, Any] = {}
        blocks = range(len(hall.classes))
        match draw.choice(("", "", "mask", "mask", "edge", "near", "split", "split", "unit")):
            case "mask":
                wish = {"mask": self._mask(draw.sample(blocks, draw.randint(1, len(blocks))))}
            case "edge":
                wish = {"edge": draw.randint(1, 3)}
            case "near":
                near = draw.sample(blocks, draw.randint(1, 3))
                wish = {"near": [part for block in near for part in (block, draw.randint(1, 8))]}
            case "split":
                wish = {"split": draw.randint(1, 4)}
                if draw.random() < 0.5:
                    wish["mask"] = self._mask(draw.sample(blocks, draw.randint(2, len(blocks))))
            case "unit":
                class_, k, wish = "a", 2, {"unit": True}
        return [number, "best", class_, k, wish] if wish else [number, "best", class_, k]

    @staticmethod
    def _mask(blocks: Sequence[int]) -> Any:
        return as_text(bytes([sum(128 >> block for block in blocks)]))

    def _choose(
        self,
        reply: Reply,
        hold: str,
        owner: str,
        halls: list[Hall],
        items: list[list[Any]],
        rule: int,
        last: int,
        uses: int,
    ) -> None:
        word = reply[0]
        held: list[list[Place]] = [[] for _ in halls]
        if word == b"held":
            assert len(reply) == 4 + len(halls), reply
            held = [_expanded(msgspec.msgpack.decode(record)[2]) for record in reply[3:-1]]
        draft = [[list(row) for row in hall.rows] for hall in halls]
        kept = [Kept(owner, 0, {}, 0) for _ in halls]
        free = "o" + (LETTER if owner == STAFF else "")
        taken: list[int] = []
        ways: list[list[int]] = []
        for number, item in enumerate(items, 1):
            at = item[0] - 1
            hall, rows = halls[at], draft[at]
            if item[1] == "area":
                left = hall.open_places - kept[at].places
                if left < item[3]:
                    assert reply == [b"none", number, left], reply
                    return
                kept[at].places += item[3]
            elif item[1] == "seats":
                for block, offset in zip(item[2::2], item[3::2], strict=True):
                    if rows[block][offset] not in free:
                        taken += [number, block, offset]
                    else:
                        kept[at].seats[block, offset] = rows[block][offset]
                        rows[block][offset] = "h"
            else:
                k, wish = item[3], item[4] if len(item) > 4 else {}
                got = held[at][len(kept[at].seats) :][:k]
                way = self._check_best(hall, item[2], k, wish, 0 if rule else 1, reply, got)
                if way is None:
                    assert word == b"none", reply
                    assert reply[1] == number
                    assert reply[2] == self._largest(hall, item[2], wish), reply
                    return
                split, is_clean = way
                for block, offset in got:
                    kept[at].seats[block, offset] = "o"
                    rows[block][offset] = "h"
                touched = {block for block, _ in got}
                leaves_alone = any(
                    _newly_alone(hall.rows[block], rows[block], hall.classes[block]) for block in touched
                )
                ways.append([number, split, int(leaves_alone and not is_clean)])
        if taken:
            assert reply == [b"taken", *taken], (reply, taken)
            return
        if rule and owner != STAFF:
            for at, hall in enumerate(halls):
                named = [item for item in items if item[0] == at + 1 and item[1] == "seats"]
                alone = self._alone(hall, draft[at], named, rule, last)
                if alone is not None:
                    assert reply[:4] == [b"alone", at + 1, *alone], (reply, alone)
                    self._check_alternative(hall, draft[at], reply)
                    return
        assert word == b"held", reply
        assert msgspec.msgpack.decode(reply[-1]) == ways, (reply, ways)
        for at, hall in enumerate(halls):
            assert held[at] == list(kept[at].seats), "not the seats of the request"
            part = kept[at]
            part.ends_ms, part.latest_ms = reply[1] + self.shifted_ms, reply[1] - HOLD_MS + LONGEST_MS + self.shifted_ms
            part.uses = uses if at == 0 else 0
            hall.rows, hall.holds[hold] = draft[at], part
            hall.open_places -= part.places
            hall.owned[owner] += part.count
        self.uses += uses
        self.tell("held", reply[2], hold, owner, {hall.name: part for hall, part in zip(halls, kept, strict=True)})

    def _check_best(
        self, hall: Hall, class_: str, k: int, wish: dict[str, Any], level: int, reply: Reply, got: list[Place]
    ) -> list[int] | None:
        """`[split, is clean]` where there are such seats, having looked whether they are the right ones."""
        mask = wish.get("mask")
        allowed = [at for at in range(len(hall.classes)) if mask is None or bytes(mask)[-1] & 128 >> at]
        rows = hall.texts()
        edges = {0: (0,), 1: (1,), 2: (2,), 3: (1, 2)}[wish.get("edge", 0)]
        level = 1 if wish.get("unit") else level
        near = wish.get("near", [])
        focus = dict(zip(near[::2], near[1::2], strict=True))
        for blocks in ([near[::2]] if near else []) + [allowed]:
            found = [
                (at, *fit)
                for at in blocks
                for end in edges
                if not wish.get("unit") or len(rows[at]) == k
                for fit in [
                    fitting(
                        rows[at],
                        hall.classes[at],
                        class_,
                        k,
                        end,
                        focus.get(at, (len(rows[at]) + 1) / 2) if blocks is not allowed else (len(rows[at]) + 1) / 2,
                    )
                ]
                if fit
            ]
            clean = [each for each in found if each[2] == 0]
            if found:
                block, start, alone = (clean if clean and level == 0 else found)[0]
                if reply[0] == b"held":
                    assert got == [(block, start + step) for step in range(k)], (got, block, start)
                return [0, int(level == 0 and not alone)]
        if not wish.get("split") or k == 1:
            return None
        return self._check_split(hall, class_, k, wish["split"], allowed, reply, got)

    def _check_split(
        self, hall: Hall, class_: str, k: int, most: int, allowed: list[int], reply: Reply, got: list[Place]
    ) -> list[int] | None:
        rows, neighbours = hall.texts(), NEIGHBOURS[hall.name]

        def kind_of(one: int, other: int) -> int:
            kinds = [1] if one == other else []
            kinds += [kind for kind, blocks in enumerate(neighbours.get(one, ()), 1) if other in blocks]
            return min(kinds, default=4)

        def has_room(one: int, other: int, first: int) -> bool:
            for start, _ in starts(rows[one], hall.classes[one], class_, first):
                row = rows[one][:start] + "h" * first + rows[one][start + first :] if one == other else rows[other]
                if next(starts(row, hall.classes[other], class_, k - first), None):
                    return True
            return False

        possible = [
            kind_of(one, other)
            for one in allowed
            for other in allowed
            if kind_of(one, other) <= min(most, 3)
            for first in range(-(-k // 2), k)
            if has_room(one, other, first)
        ]
        free = sum(
            rows[at][place] == "o" and (letter in class_ if class_ else letter.isupper())
            for at in allowed
            for place, letter in enumerate(hall.classes[at])
        )
        if not possible and (most < 4 or free < k):
            return None
        if reply[0] != b"held":
            return [possible[0] if possible else 4, 0]
        assert len(set(got)) == k == len(got)
        for block, offset in got:
            letter = hall.classes[block][offset]
            assert rows[block][offset] == "o", "not free"
            assert block in allowed, "not allowed"
            assert letter in class_ if class_ else letter.isupper(), "not of that class"
        blocks = list(dict.fromkeys(block for block, _ in got))
        kind = 4
        if possible:
            assert len(blocks) <= 2
            kind = min(kind_of(blocks[0], blocks[-1]), kind_of(blocks[-1], blocks[0]))
            assert kind in possible
        return [kind, 0]

    def _largest(self, hall: Hall, class_: str, wish: dict[str, Any]) -> int:
        mask = wish.get("mask")
        for k in range(8, 0, -1):
            for at, row in enumerate(hall.texts()):
                is_allowed = mask is None or bytes(mask)[-1] & 128 >> at
                if is_allowed and next(starts(row, hall.classes[at], class_, k), None):
                    return k
        return 0

    @staticmethod
    def _alone(hall: Hall, draft: Rows, named: list[list[Any]], rule: int, last: int) -> tuple[int, int] | None:
        """The seat that is left alone though there is another choice."""
        if sum(row.count("o") for row in draft) <= last:
            return None
        texts = ["".join(row) for row in draft]
        for block in dict.fromkeys(part for item in named for part in item[2::2]):
            before, after, letters = "".join(hall.rows[block]), texts[block], hall.classes[block]
            alone = _newly_alone(before, after, letters)
            chosen = [at for at in range(len(after)) if before[at] == "o" != after[at]]
            class_ = "".join(sorted({letters[at] for at in chosen}))
            if not alone or any(letter.islower() for letter in class_):
                continue
            elsewhere = [each for each in enumerate(texts) if each[0] != block] if rule == 2 else []
            for at, row in [(block, before), *elsewhere]:
                if any(left < 1 for _, left in starts(row, hall.classes[at], class_, len(chosen))):
                    return block, alone[0]
        return None

    @staticmethod
    def _check_alternative(hall: Hall, draft: Rows, reply: Reply) -> None:
        block, other, beside, k = reply[2], *reply[4:]
        row = "".join((hall.rows if other == block else draft)[other])
        assert any(start == beside and left < 1 for start, left in starts(row, hall.classes[other], "AB", k)), (
            "the other choice is none"
        )

    # What becomes of a hold.

    def _some(self) -> tuple[str, list[Hall], str]:
        """A hold of those that there are, mostly, with its halls and who asks for it."""
        found = sorted({(hold, kept.owner) for hall in self.halls.values() for hold, kept in hall.holds.items()})
        hold, owner = self.draw.choice(found) if found else ("none", "v1")
        halls = [hall for hall in self.halls.values() if hold in hall.holds] or [self.halls["p"]]
        return hold, halls, owner if owner and self.draw.random() < 0.85 else self.draw.choice(VISITORS)

    def _may(self, hall: Hall, hold: str, owner: str) -> bool:
        kept = hall.holds.get(hold)
        return kept is not None and kept.owner == owner != "" and kept.ends_ms > self.now()

    def release(self) -> None:
        hold, halls, owner = self._some()
        reply = self.call("seats/release", [*self._front(), *self._halls_of([h.name for h in halls])], "f", hold, owner)
        for hall in halls:
            self._turn(hall)
        if not all(self._may(hall, hold, owner) for hall in halls):
            assert reply == [b"hold_ended"], reply
            return
        assert reply[0] == b"released", reply
        self.tell("released", reply[1], hold, owner, {})
        self.lapsed.append((hold, owner, {hall.name: msgspec.structs.replace(hall.holds[hold]) for hall in halls}))
        for hall in halls:
            self._end(hall, hold, is_unpaid=True)

    def extend(self) -> None:
        hold, halls, owner = self._some()
        ms = self.draw.choice((20_000, 200_000))
        reply = self.call(
            "seats/extend", [*self._front(), *self._halls_of([h.name for h in halls])], "f", hold, owner, ms
        )
        for hall in halls:
            self._turn(hall)
        for hall in halls:
            if not self._may(hall, hold, owner):
                assert reply == [b"hold_ended"], reply
                return
            if hall.holds[hold].is_extended:
                assert reply == [b"already_extended"], reply
                return
        assert reply[0] == b"extended", reply
        for hall in halls:
            kept = hall.holds[hold]
            kept.ends_ms, kept.is_extended = max(kept.ends_ms, min(kept.ends_ms + ms, kept.latest_ms)), True
        assert reply[1] == halls[-1].holds[hold].ends_ms - self.shifted_ms
        self.tell("extended", reply[2], hold, owner, {}, ends_ms=kept.ends_ms)

    def _payment(self, order: str) -> list[str]:
        keys = self.stage.keys
        return [keys.cell, self.stage.key(), keys.payment("demo", order), keys.order(OrderId(order))]

    def _dues(self, halls: list[Hall]) -> list[str]:
        return [part for hall in halls for part in self.stage.hall(hall.name)[::2]]

    def keep(self) -> None:
        hold, halls, owner = self._some()
        holds = pack([[hold, *range(1, len(halls) + 1)]])
        keys = [*self._payment(f"k{hold}"), self.stage.keys.outbox, *self._dues(halls)]
        reply = self.call("orders/await", keys, "f", owner, pack("payload"), holds, KEPT_MS)
        if not all(self._may(hall, hold, owner) for hall in halls):
            assert reply == [b"hold_ended", hold.encode()], reply
            return
        assert reply[0] == b"awaiting", reply
        for hall in halls:
            kept = hall.holds[hold]
            stored = self.stage.held(hold, hall.name)
            assert stored is not None
            if not kept.is_extended:
                assert stored[1] >= kept.ends_ms - self.shifted_ms
                assert stored[1] <= max(kept.ends_ms, min(self.now() + KEPT_MS, kept.latest_ms)) - self.shifted_ms
                kept.ends_ms, kept.is_extended = stored[1] + self.shifted_ms, True
        self.tell("extended", reply[3], hold, owner, {}, ends_ms=min(hall.holds[hold].ends_ms for hall in halls))

    def confirm(self) -> None:
        hold, halls, owner = self._some()
        asks = owner if self.draw.random() < 0.8 else ""
        self.number += 1
        order, keys = f"o{self.number}", self.stage.keys
        reply = self.call(
            "orders/confirm",
            [*self._payment(order), keys.outbox, keys.sale(SALE), keys.live(SALE), *self._dues(halls)],
            *("f", asks, "", pack("payload"), pack([[hold, *range(1, len(halls) + 1)]]), 100, pack(["", 0])),
        )
        owner = owner if asks or hold not in halls[0].holds else halls[0].holds[hold].owner
        if not all(self._may(hall, hold, owner) for hall in halls):
            assert reply == [b"hold_ended", hold.encode()], reply
            return
        assert reply[0] == b"confirmed", reply
        self.tell("confirmed", reply[3], hold, owner, {}, order=order)
        self._sold(order, owner, {hall.name: hall.holds.pop(hold) for hall in halls})

    def _sold(self, order: str, owner: str, parts: dict[str, Kept]) -> None:
        for name, part in parts.items():
            hall = self.halls[name]
            for block, offset in part.seats:
                hall.rows[block][offset] = "s"
            hall.sold_places += part.places
            hall.unpaid.pop(owner, None)
        self.orders.append((order, owner, parts, ""))

    def give_back(self) -> None:
        if not self.orders:
            return
        order, owner, parts, _ = self.draw.choice(self.orders[-8:])
        keys, names = self.stage.keys, list(parts)
        packed = [
            [owner, 0, [n for b, o in part.seats for n in (b, o, 1)], [0, part.places] if part.places else [], 0]
            for part in parts.values()
        ]
        reply = self.call(
            "orders/return",
            [
                keys.cell,
                self.stage.key(),
                keys.order(OrderId(order)),
                keys.outbox,
                keys.sale(SALE),
                *self._halls_of(names),
            ],
            *(
                "f",
                self.stage.now_ms(),
                f"return-{order}",
                pack("action"),
                pack("payload"),
                pack([["i"], ["i"], packed]),
                100,
            ),
        )
        if order in self.returned:
            assert reply == [b"already_returned"], reply
            return
        assert reply[0] == b"returned", reply
        self.returned.add(order)
        self.tell("returned", reply[3], "", owner, {}, order=order)
        for name, part in parts.items():
            hall = self.halls[name]
            self._turn(hall)
            hall.sold_places -= part.places
            hall.holds[f"return-{order}"] = Kept(owner, 0, dict.fromkeys(part.seats, "o"), part.places)
            for block, offset in part.seats:
                hall.rows[block][offset] = "h"
            self._end(hall, f"return-{order}", is_unpaid=False)

    def rebook(self) -> None:
        if not self.lapsed:
            return
        hold, owner, parts = self.draw.choice(self.lapsed[-6:])
        if any(LETTER in part.seats.values() for part in parts.values()):
            return
        self.number += 1
        order, keys, halls = f"o{self.number}", self.stage.keys, [self.halls[name] for name in parts]
        wanted = [
            [[hold], [n for seat in part.seats for n in seat], [0, part.places] if part.places else []]
            for part in parts.values()
        ]
        reply = self.call(
            "orders/rebook",
            [*self._payment(order), keys.outbox, keys.sale(SALE), *self._halls_of(list(parts))],
            *("f", owner, pack("payload"), pack(wanted), 100, pack([LIMIT, [], "", 0])),
        )
        for hall in halls:
            self._turn(hall)
        own = []
        for number, (hall, part) in enumerate(zip(halls, parts.values(), strict=True), 1):
            kept = hall.holds.get(hold)
            own.append(kept if kept is not None and kept.owner in {"", owner} else None)
            mine = own[-1].seats if own[-1] else {}
            places = own[-1].places if own[-1] else 0
            if (
                any(hall.rows[b][o] != "o" and (b, o) not in mine for b, o in part.seats)
                or hall.open_places + places < part.places
            ):
                assert reply == [b"taken", number], reply
                return
            owned = hall.owned[owner] - (own[-1].count if own[-1] and own[-1].owner else 0) + part.count
            if owned > LIMIT:
                assert reply == [b"limit", number, owned], reply
                return
        assert reply[0] == b"confirmed", reply
        if any(kept and kept.owner for kept in own):
            self.tell("released", reply[3], hold, owner, {}, step=0)
        self.tell("held", reply[3], order, owner, parts, step=1, at_ms=self.now(), ends_ms=self.now() + 1000)
        self.tell("confirmed", reply[3], order, owner, {}, step=2, order=order)
        for hall, part, kept in zip(halls, parts.values(), own, strict=True):
            if kept:
                for block, offset in kept.seats:
                    hall.rows[block][offset] = "o"
                hall.open_places += kept.places
                hall.owned[kept.owner] -= kept.count if kept.owner else 0
                self.uses -= kept.uses
                del hall.holds[hold]
            hall.owned[owner] += part.count
            hall.open_places -= part.places
        unpaid = [hall.unpaid.get(owner) for hall in halls]
        self._sold(order, owner, parts)
        for hall, noted in zip(halls, unpaid, strict=True):
            if noted:
                hall.unpaid[owner] = noted

    # The house.

    def set_aside(self) -> None:
        """Blocks or opens a seat, sets seats aside for the allotment, or gives it up."""
        hall = self.halls[self.draw.choice(("p", "q"))]
        block = self.draw.randrange(len(hall.classes))
        row = hall.rows[block]
        first = self.draw.randrange(len(row))
        letter = self.draw.choice(("b", LETTER))
        offsets = range(first, min(first + (1 if letter == "b" else 3), len(row)))
        seats = pack([part for offset in offsets for part in (block, offset)])
        keys = [self.stage.keys.cell, self.stage.keys.outbox, *self.stage.hall(hall.name)]
        if self.draw.random() < 0.5:
            reply = self.call("seats/allot", keys, letter, letter, 0, seats, pack([]))
            self._turn(hall)
            taken = [part for at in offsets if row[at] != "o" and row[at] + letter != "bb" for part in (block, at)]
            if letter == LETTER and hall.is_allotted:
                assert reply == [b"exists"], reply
            elif taken:
                assert reply == [b"taken", *taken], reply
            else:
                assert reply[0] == b"allotted", reply
                hall.is_allotted |= letter == LETTER
                row[offsets.start : offsets.stop] = letter * len(offsets)
            return
        reply = self.call("seats/open", keys, letter, letter, seats)
        self._turn(hall)
        if not (hall.is_allotted if letter == LETTER else row[first] == "b"):
            assert reply == [b"nothing_aside"], reply
            return
        assert reply[0] == b"opened", reply
        if letter == "b":
            row[first] = "o"
        else:
            hall.is_allotted = False
            hall.rows = [["o" if state == LETTER else state for state in each] for each in hall.rows]

    def sweep(self, most: int = 2) -> None:
        for hall in self.halls.values():
            keys = [self.stage.keys.cell, self.stage.keys.outbox, *self.stage.hall(hall.name)]
            reply = self.call("seats/sweep", keys, most)
            assert reply[:2] == [b"swept", self._turn(hall, most)], reply
            is_open = any(letter == "o" for row in hall.rows for letter in row) or hall.open_places
            assert reply[2] == int(not hall.holds and not is_open), reply

    def wait(self) -> None:
        self.pass_time(self.draw.choice((11_000, 31_000, 61_000)))

    # What must be so.

    def tell(
        self, what: str, sequence: int, hold: str, owner: str, parts: dict[str, Kept],
        *, at_ms: int = 0, ends_ms: int = 0, order: str = "", step: int = 0,
    ) -> None:  # fmt: skip
        """Tells the auditor what a caller was told."""
        if what == "held" and not at_ms:
            ends_ms = next(iter(parts.values())).ends_ms
            at_ms = ends_ms - HOLD_MS
        seats: set[Seat] = {(name, *seat) for name, part in parts.items() for seat in part.seats}
        places: dict[Seat, int] = {(name, "area", 0): part.places for name, part in parts.items() if part.places}
        at_ms = at_ms or self.now()
        self.history.append(
            Event(4 * sequence + step, what, hold, owner, at_ms, ends_ms, frozenset(seats), places, order)
        )

    def compare(self) -> None:
        """Rows, counters, holds and the index, as they are in Redis and as the model has them."""
        pipe = self.stage.redis.pipeline(transaction=False)
        for name in HALLS:
            key, index, due = self.stage.hall(name)
            pipe.hgetall(key)
            pipe.get(index)
            pipe.zrange(due, 0, -1, withscores=True)
        pipe.hget(self.stage.keys.cell, f"u{CODE}")
        found: list[Any] = pipe.execute()
        assert int(found.pop() or 0) == self.uses, "uses of the code"
        for at, hall in enumerate(self.halls.values()):
            self._compare(hall, *found[3 * at : 3 * at + 3])

    def _compare(self, hall: Hall, fields: dict[bytes, bytes], index: bytes | None, due: list[Any]) -> None:
        rows = hall.texts()
        assert [fields[b"b%d" % at].decode() for at in range(len(rows))] == rows, hall.name
        assert int(fields[b"f"]) == sum(row.count("o") for row in rows), "open seats"
        assert (int(fields[b"a0"]), int(fields.get(b"t0", 0))) == (hall.open_places, hall.sold_places), "places"
        owned = {name[1:].decode(): int(value) for name, value in fields.items() if name.startswith(b"o")}
        assert owned == {owner: count for owner, count in hall.owned.items() if count}, "owned"
        unpaid = {name[1:].decode(): int(value.split()[0]) for name, value in fields.items() if name.startswith(b"w")}
        assert unpaid == {owner: count for owner, (count, _) in hall.unpaid.items()}, "unpaid"
        ends = {name.decode(): int(score) for name, score in due}
        assert ends.keys() == hall.holds.keys(), "holds"
        assert sum(name.startswith(b"h") for name in fields) == len(hall.holds)
        for hold, kept in hall.holds.items():
            record = msgspec.msgpack.decode(fields[f"h{hold}".encode()])
            if kept.ends_ms == -1:
                now = self.now()
                assert 0 < ends[hold] + self.shifted_ms - now + 1000 <= hall.return_ms + 1001, "when it comes back"
                kept.ends_ms = ends[hold] + self.shifted_ms
            assert ends[hold] == record[1] == kept.ends_ms - self.shifted_ms, "when it ends"
            assert record[0] == kept.owner
            assert _expanded(record[2]) == list(kept.seats)
            assert sum(record[3][1::2]) == kept.places
        bits = "".join(f"{byte:08b}" for byte in index or b"")
        for at, row in enumerate(rows):
            open_row = "".join("o" if letter == "o" else "h" for letter in row)
            wanted = "".join("01"[bit] for bit in block_bits(open_row, hall.classes[at]))
            assert bits[at::8].ljust(len(wanted), "0") == wanted, f"the index of {hall.name} {at}"

    def finish(self) -> None:
        """Everything ends; then the history is replayed, as it was told and as its callers heard it."""
        self.pass_time(10**7)
        while any(hall.holds for hall in self.halls.values()):
            self.sweep(100)
            self.compare()
            self.pass_time(10**6)
        auditor = Auditor({(name, "area", 0): FLOOR for name in HALLS}, LIMIT)
        auditor.replay(self.history)
        auditor.check_seats(
            {
                (name, block, offset): "s" if letter == "s" else "o"
                for name, hall in self.halls.items()
                for block, row in enumerate(hall.rows)
                for offset, letter in enumerate(row)
            }
        )
        self._replay_told()

    def _replay_told(self) -> None:
        rows = {name: [["o"] * len(letters) for letters in HALLS[name]] for name in HALLS}
        places = {name: [FLOOR, 0] for name in HALLS}
        names = {self.stage.hall(name)[0]: name for name in HALLS}
        for key, _, _, _, _, _, _, changes, moved in self.stage.told():
            name = names[key]
            for at in range(0, len(changes), 4):
                block, offset, count, letter = changes[at : at + 4]
                rows[name][block][offset : offset + count] = letter * count
            for at in range(0, len(moved), 3):
                places[name][0] += moved[at + 1]
                places[name][1] += moved[at + 2]
        for name, hall in self.halls.items():
            assert rows[name] == hall.rows, "the history tells of other seats"
            assert places[name] == [hall.open_places, hall.sold_places], "the history tells of other places"


def _newly_alone(before: Sequence[str], after: Sequence[str], letters: str) -> list[int]:
    """Open seats for anybody that have no open neighbour any more."""
    was, now = ["", *before, ""], ["", *after, ""]
    return [
        at
        for at in range(len(after))
        if now[at + 1] == "o" and "o" not in {now[at], now[at + 2]} and "o" in {was[at], was[at + 2]}
        if letters[at].isupper()
    ]


def _expanded(runs: Sequence[int]) -> list[Place]:
    return [(b, o + n) for b, o, count in zip(runs[::3], runs[1::3], runs[2::3], strict=True) for n in range(count)]


def _read(argument: Any) -> Any:
    if not isinstance(argument, bytes):
        return argument
    try:
        return msgspec.msgpack.decode(argument)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # a mask is no text
        return argument
