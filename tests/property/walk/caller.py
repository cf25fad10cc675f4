"""Who calls: the stage, the walk's clock, and what is kept of each call for whoever looks for a fault."""

import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import redis

from engine.words import OrderId, PerformanceId
from tests.lua.stage import SALE, Reply, Stage, pack
from tests.property.auditor import Event
from tests.property.auditor import Seat as Audited
from tests.property.walk.hall import FLOORS, HALLS, Area, Hall, Kept, Plan

LIMIT, CODE, MOST = 7, "spring", 6
HOLD_MS, LONGEST_MS, COOL_MS, RETURN_MS, KEPT_MS = 60_000, 150_000, 90_000, 30_000, 100_000
MARKS = {"v1": "m1", "v2": "m1", "v3": "m2"}
"""Two visitors may be one customer."""
STEP_MS = 1_000
MARGIN_MS = 2_500
"""Nothing falls due within so long after a call began. All that falls due lies whole steps after a call."""
SHIFT = """
for at = 1, #KEYS, 2 do
  local key, fields = KEYS[at], redis.call('HGETALL', KEYS[at])
  for place = 1, #fields, 2 do
    local name, value = fields[place], fields[place + 1]
    local kind = string.sub(name, 1, 1)
    if kind == 'h' then
      local record = cmsgpack.unpack(value)
      record[2] = record[2] - ARGV[1]
      if record[8] then record[8] = record[8] - ARGV[1] end
      if (record[9] or 0) > 0 then record[9] = record[9] - ARGV[1] end
      redis.call('HSET', key, name, cmsgpack.pack(record))
    elseif kind == 'w' then
      local count, last = string.match(value, '(%d+) (%d+)')
      redis.call('HSET', key, name, string.format('%s %.0f', count, last - ARGV[1]))
    elseif kind == 'l' and #name == 2 then
      local record = cmsgpack.unpack(value)
      if record[2] > 0 then record[2] = record[2] - ARGV[1] end
      redis.call('HSET', key, name, cmsgpack.pack(record))
    elseif name == 'x' then
      local curve = cmsgpack.unpack(value)
      for step = 1, #curve[1], 2 do curve[1][step] = curve[1][step] - ARGV[1] end
      redis.call('HSET', key, name, cmsgpack.pack(curve))
    elseif name == 'q' then
      redis.call('HSET', key, name, string.format('%.0f', value - ARGV[1]))
    end
  end
  for _, hold in ipairs(redis.call('ZRANGE', KEYS[at + 1], 0, -1)) do
    redis.call('ZINCRBY', KEYS[at + 1], -ARGV[1], hold)
  end
end"""
REPEATED = {"held", "released", "extended", "confirmed", "returned", "awaiting", "replanned"}


class Caller:
    """`calls`: how many functions were called; `trace`: the last of them; `outcomes`: how often which answer came."""

    def __init__(self, owner: redis.Redis, draw: random.Random) -> None:
        owner.flushall()
        self.draw = draw
        self.stage = Stage(owner)
        self.stage.put_up(joined=9, now_serving=9)
        self.stage.let_in(1, 2, 3, ms=10**12)
        self.shifted_ms = 0
        self.clock = self.now()
        self.calls = 0
        self.number = 0
        self.uses = 0
        self.trace: list[tuple[str, Sequence[Any], Reply]] = []
        self.outcomes: Counter[str] = Counter()
        self.history: list[Event] = []
        self.lapsed: list[tuple[str, str, dict[str, Kept]]] = []
        self.plans: dict[str, tuple[str, Plan]] = {}
        """Every plan that a performance has had, by its key, with the performance's name."""
        self.halls: dict[str, Hall] = {}
        for name in HALLS:
            instants = sorted(self.now() + STEP_MS * draw.randrange(60, 600) for _ in range(draw.choice((1, 1, 2, 3))))
            curve = [(instant, draw.choice((30, 50, 100))) for instant in instants]
            hall = Hall(name, draw.choice((0, RETURN_MS)), curve if draw.random() < 0.8 else [])
            self.halls[name] = hall
            self._install(hall)

    def _install(self, hall: Hall) -> None:
        key, index, _ = self.keys_of(hall)
        self.plans[key] = (hall.name, hall.plan)
        steps = [part for step in hall.curve for part in step]
        curve = pack([steps, [hall.where[unit[0]][0] for unit in hall.units]]) if hall.curve else ""
        blocks = [
            (description, "o" * len(block), *([beside] if beside else []))
            for (description, beside), block in zip(described(hall.plan), hall.plan.blocks, strict=True)
        ]
        arguments = (0, pack(blocks), 2, hall.return_ms, pack(list(FLOORS[hall.name].values())), curve, len(blocks))
        assert self.stage.run("seats/install", [self.stage.keys.cell, key, index], *arguments)[0] == b"installed"

    def last_calls(self, count: int = 8) -> str:
        """For whoever looks for the fault."""
        drawn = [f"{name} {' '.join(hall.texts())}" for name, hall in self.halls.items()]
        told = [f"{name} {[_read(a) for a in arguments]} → {reply}" for name, arguments, reply in self.trace[-count:]]
        return "\n".join([*drawn, *told])

    # Time.

    def now(self) -> int:
        """The walk's clock: Redis's own, and what was passed by hand."""
        return int(time.time() * 1000) + self.shifted_ms

    def pass_time(self, ms: int) -> None:
        keys = [part for hall in self.halls.values() for part in self.keys_of(hall)[::2]]
        self.stage.redis.execute_command("EVAL", SHIFT, len(keys), *keys, ms)
        self.shifted_ms += ms

    def make_room(self) -> None:
        """Lets time pass until nothing falls due while a call is made."""
        instants = [instant for hall in self.halls.values() for instant in hall.instants()]
        instants += [last + COOL_MS for hall in self.halls.values() for _, last in hall.unpaid.values()]
        self.go_on(STEP_MS)
        while any(-STEP_MS // 2 <= instant - self.now() <= MARGIN_MS for instant in instants):
            self.go_on(3 * STEP_MS)

    def go_on(self, ms: int) -> None:
        """So much later by the walk's own steps, however long calls take: a walk is the same whenever it is made."""
        self.clock += ms
        self.pass_time(self.clock - self.now())

    def turn(self, hall: Hall, most: int = 8) -> int:
        """What a call ends and releases before it does anything else; so many holds."""
        ended = hall.turn(self.now(), most)
        for hold, kept in ended:
            if kept.owner:
                self.lapsed.append((hold, kept.owner, {hall.name: kept}))
                self.uses -= kept.uses
        return len(ended)

    def end(self, hall: Hall, hold: str, *, is_unpaid: bool) -> None:
        self.uses -= hall.end(hold, self.now(), is_unpaid=is_unpaid)

    # Calls.

    def call(self, operation: str, keys: Sequence[str], *arguments: Any) -> Reply:
        """A call; now and then said twice, to one effect and one answer."""
        self.calls += 1
        reply = self.stage.run(operation, keys, *arguments)
        told = reply[0].decode()
        self.trace.append((operation, arguments, reply))
        self.outcomes[f"{operation.partition('/')[2]} {told}"] += 1
        if told in REPEATED and operation != "seats/leave" and self.draw.random() < 0.06:
            self.calls += 1
            assert self.stage.run(operation, keys, *arguments) == reply, "a repeat has another answer"
        return reply

    def keys_of(self, hall: Hall) -> tuple[str, str, str]:
        return self.stage.keys.performance(PerformanceId(hall.name), hall.plan_change)

    def halls_of(self, halls: Iterable[Hall]) -> list[str]:
        return [part for hall in halls for part in self.keys_of(hall)]

    def dues_of(self, halls: Iterable[Hall]) -> list[str]:
        return [part for hall in halls for part in self.keys_of(hall)[::2]]

    def front(self) -> list[str]:
        keys = self.stage.keys
        return [keys.cell, self.stage.key(), keys.outbox]

    def shop(self) -> list[str]:
        return [*self.front(), self.stage.keys.sale(SALE), self.stage.keys.live(SALE)]

    def payment(self, order: str) -> list[str]:
        keys = self.stage.keys
        return [keys.cell, self.stage.key(), keys.payment("demo", order), keys.order(OrderId(order))]

    # Holds.

    def some(self) -> tuple[str, list[Hall], str]:
        """A hold of those that there are, mostly, with its halls and who asks for it."""
        found = sorted({(hold, kept.owner) for hall in self.halls.values() for hold, kept in hall.holds.items()})
        if self.draw.random() < 0.8:
            found = [each for each in found if each[1]] or found
        hold, owner = self.draw.choice(found) if found else ("none", "v1")
        halls = [hall for hall in self.halls.values() if hold in hall.holds] or [self.halls["p"]]
        return hold, halls, owner if owner and self.draw.random() < 0.85 else self.draw.choice(list(MARKS))

    def may(self, hall: Hall, hold: str, owner: str) -> bool:
        kept = hall.holds.get(hold)
        return kept is not None and kept.owner == owner != "" and kept.ends_ms > self.now()

    # What the auditor hears.

    def tell(
        self, what: str, sequence: int, hold: str, owner: str, parts: Mapping[str, Kept] = {},
        *, at_ms: int = 0, ends_ms: int = 0, order: str = "", step: int = 0,
    ) -> None:  # fmt: skip
        """What a caller was told. `step`: of several effects of one call, which."""
        seats: set[Audited] = {(name, seat) for name, part in parts.items() for seat in part.seats}
        places: Counter[Audited] = Counter()
        for name, part in parts.items():
            for (_, area), count in part.places.items():
                places[name, "area", area] += count
        at_ms = at_ms or self.now()
        self.history.append(
            Event(4 * sequence + step, what, hold, owner, at_ms, ends_ms, frozenset(seats), dict(places), order)
        )


def described(plan: Plan) -> list[tuple[str, Any]]:
    """Each block as it is installed, and its neighbours."""
    return [
        (f"{focus:g} {classes}", plan.neighbours.get(at))
        for at, (focus, classes) in enumerate(zip(plan.focuses, plan.classes(), strict=True))
    ]


def flat_areas(hall: Hall, places: Mapping[Area, int]) -> list[int | str]:
    """Areas as calls name them, and how many places of each."""
    return [part for area, count in places.items() for part in (hall.area(area), count)]


def _read(argument: Any) -> Any:
    if not isinstance(argument, bytes):
        return argument
    try:
        return msgspec.msgpack.decode(argument)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # a mask is no text
        return argument
