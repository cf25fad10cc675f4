"""One walk: what is done at random, and what must be so after every call and at the end."""

import random
from collections import Counter
from typing import Any

import msgspec
import redis

from tests.lua.stage import SALE
from tests.property.auditor import Auditor
from tests.property.walk.caller import CODE, LIMIT, RETURN_MS, STEP_MS
from tests.property.walk.hall import AGAIN_MS, FLOORS, HALLS, UNKNOWN, Hall
from tests.property.walk.house import House
from tests.property.walk.orders import Order, Orders
from tests.property.walk.rows import block_bits, expanded
from tests.property.walk.visitors import Visitors


class Walk(Visitors, Orders, House):
    """`step` until there are enough, then `finish`; both raise `AssertionError`, or the auditor's `Broken`."""

    def __init__(self, owner: redis.Redis, draw: random.Random) -> None:
        super().__init__(owner, draw)
        self.orders: list[Order] = []
        self.sold_orders = self.takings = 0
        self._index_known: dict[str, tuple[Any, ...]] = {}
        self._actions = {
            self.hold: 24, self.swap: 9, self.release: 6, self.extend: 4, self.leave: 3, self.keep: 2, self.confirm: 9,
            self.give_back: 6, self.exchange: 4, self.rebook: 3, self.block: 2, self.set_aside: 6, self.give_up: 2,
            self.sweep: 2, self.wait: 2, self.replan: 2, self.late: 1,
        }  # fmt: skip

    def step(self) -> None:
        """One call at random, its answer compared, and then everything."""
        self.make_room()
        self.draw.choices(list(self._actions), list(self._actions.values()))[0]()
        self.compare()

    def wait(self) -> None:
        self.go_on(self.draw.choice((11_000, 31_000, 61_000)))

    def compare(self) -> None:
        """Rows, counters, holds and the index, as they are in Redis and as the model has them."""
        pipe = self.stage.redis.pipeline(transaction=False)
        for hall in self.halls.values():
            key, index, due = self.keys_of(hall)
            pipe.hgetall(key)
            pipe.get(index)
            pipe.zrange(due, 0, -1, withscores=True)
        pipe.hget(self.stage.keys.cell, f"u{CODE}")
        pipe.hmget(self.stage.keys.sale(SALE), "orders", "takings")
        found: list[Any] = pipe.execute()
        assert [int(each or 0) for each in found.pop()] == [self.sold_orders, self.takings], "orders"
        assert int(found.pop() or 0) == self.uses, "uses of the code"
        for at, hall in enumerate(self.halls.values()):
            self._compare(hall, *found[3 * at : 3 * at + 3])

    def _compare(self, hall: Hall, fields: dict[bytes, bytes], index: bytes | None, due: list[Any]) -> None:
        rows = hall.texts()
        told = {name.decode(): value for name, value in fields.items()}
        kinds: dict[str, dict[str, bytes]] = {kind: {} for kind in "abcghlopt"}
        for name, value in told.items():
            if len(name) > 1:
                kinds.setdefault(name[0], {})[name[1:]] = value
        assert [told[f"b{at}"].decode() for at in range(len(rows))] == rows, hall.name
        assert len(kinds["b"]) == len(kinds["c"]) == int(told["n"]) == len(rows)
        for at, (focus, classes) in enumerate(zip(hall.plan.focuses, hall.classes, strict=True)):
            assert told[f"c{at}"].decode() == f"{focus:g} {classes}", "classes"
        assert int(told["f"]) == sum(row.count("o") for row in rows), "open seats"
        self._compare_places(hall, kinds, int(told["m"]))
        owned = {owner: int(value) for owner, value in kinds["o"].items()}
        assert owned == {owner: count for owner, count in hall.owned.items() if count}, "owned"
        bought = {mark: int(value) for mark, value in kinds["p"].items()}
        assert bought == {mark: count for mark, count in hall.bought.items() if count}, "bought"
        unpaid = {owner: int(value.split()[0]) for owner, value in kinds.get("w", {}).items()}
        assert unpaid == {owner: count for owner, (count, _) in hall.unpaid.items()}, "unpaid"
        self._compare_releases(hall, told, set(kinds["l"]))
        self._compare_holds(hall, kinds["h"], {name.decode(): int(score) for name, score in due})
        known = (index, rows, list(hall.classes))
        if self._index_known.get(hall.name) != known:  # most calls change one hall, or none
            self._index_known[hall.name] = known
            bits = f"{int.from_bytes(index or b'', 'big'):0{8 * len(index or b'')}b}"
            for at, row in enumerate(rows):
                wanted = block_bits(row, hall.classes[at])
                assert bits[at::8].ljust(len(wanted), "0") == wanted, f"the index of {hall.name} {at}"

    @staticmethod
    def _compare_places(hall: Hall, kinds: dict[str, dict[str, bytes]], areas: int) -> None:
        assert areas == len(hall.plan.areas)
        shares = [("", area) for area in hall.plan.areas]
        shares += [(letter, area) for letter, aside in hall.aside.items() for area in aside.areas]
        names = {str(hall.area(share)): share for share in shares}
        assert {name: int(value) for name, value in kinds["a"].items()} == {
            name: hall.open[share] for name, share in names.items()
        }, "open places"
        sold = {name: int(value) for name, value in kinds["t"].items() if int(value)}
        assert sold == {name: hall.sold[share] for name, share in names.items() if hall.sold[share]}, "sold places"
        assert hall.open.total() == sum(hall.open[share] for share in shares), "places of what is gone"

    def _compare_releases(self, hall: Hall, told: dict[str, bytes], letters: set[str]) -> None:
        assert sorted(told.get("l", b"").decode()) == sorted(letters) == sorted(hall.aside)
        for letter, aside in hall.aside.items():
            name, at_ms, blocks, areas = msgspec.msgpack.decode(told[f"l{letter}"])
            assert (name, at_ms and at_ms + self.shifted_ms) == (aside.name, aside.release_ms)
            assert [list(hall.plan.areas)[area] for area in areas] == aside.areas
            rows = {at for at, row in enumerate(hall.rows) if letter in row}
            assert rows <= set(blocks), "an allotment's blocks"
        if "x" in told:
            steps, blocks, *_ = msgspec.msgpack.decode(told["x"])
            if hall.curve and hall.curve[-1][0] == UNKNOWN:
                again, now = steps[0] + self.shifted_ms, self.now()
                assert now + AGAIN_MS - 1000 <= again <= now + AGAIN_MS, "when it is looked at again"
                hall.curve[-1] = (again, hall.curve[-1][1])
            curve = [(at + self.shifted_ms, part) for at, part in zip(steps[::2], steps[1::2], strict=True)]
            assert curve == hall.curve, "when units are released"
            units = [block for block in blocks if hall.classes[block].islower()]
            assert units == [hall.where[unit[0]][0] for unit in hall.units], "units"
        next_ms = int(told.get("q", 0))
        assert (next_ms and next_ms + self.shifted_ms) == hall.next_release(), "the next release"

    def _compare_holds(self, hall: Hall, held: dict[str, bytes], ends: dict[str, int]) -> None:
        assert ends.keys() == held.keys() == hall.holds.keys(), "holds"
        for hold, kept in hall.holds.items():
            record = msgspec.msgpack.decode(held[hold])
            if kept.ends_ms == UNKNOWN:
                assert 0 < ends[hold] + self.shifted_ms - self.now() + 1000 <= hall.return_ms + 1001, "when it is back"
                self._return_at(hall, hold, record)
                ends[hold] = record[1]
            assert ends[hold] == record[1] == kept.ends_ms - self.shifted_ms, "when it ends"
            assert record[0] == kept.owner
            assert hall.ids(expanded(record[2])) == list(kept.seats), "seats"
            letters = (record[5] or "o" * len(kept.seats)) if len(record) > 5 else "o" * len(kept.seats)
            runs = [letter * count for letter, count in zip(letters, record[2][2::3], strict=False)]
            assert "".join(runs) == "".join(kept.seats.values()), "to whom it comes back"
            places: Counter[str] = Counter()
            for area, count in zip(record[3][::2], record[3][1::2], strict=True):
                places[str(area)] += count
            assert places == Counter({str(hall.area(area)): n for area, n in kept.places.items()}), "places"

    def _return_at(self, hall: Hall, hold: str, record: list[Any]) -> None:
        """Redis drew when it comes back; the walk draws it anew, so that it can be seen again."""
        kept, (key, _, due) = hall.holds[hold], self.keys_of(hall)
        kept.ends_ms = self.clock + STEP_MS * self.draw.randrange(1, RETURN_MS // STEP_MS)
        record[1] = kept.ends_ms - self.shifted_ms
        self.stage.redis.execute_command("HSET", key, f"h{hold}", msgspec.msgpack.encode(record))
        self.stage.redis.execute_command("ZADD", due, record[1], hold)

    def finish(self) -> None:
        """Everything ends; then the history is replayed, as it was told and as its callers heard it."""
        self.pass_time(10**7)
        while any(hall.holds for hall in self.halls.values()):
            self.sweep(100)
            self.compare()
            self.pass_time(10**6)
        self.sweep()
        self.fill()
        for _ in range(2):  # the second time what was kept for a while has been released
            self.sweep()
            self.compare()
            self.outcomes["sold out"] += sum(hall.is_sold_out() for hall in self.halls.values())
            self.pass_time(200_000)
        auditor = Auditor({(name, "area", area): n for name in HALLS for area, n in FLOORS[name].items()}, LIMIT)
        auditor.replay(self.history)
        auditor.check_seats(
            {
                (name, seat): "s" if hall.rows[block][offset] == "s" else "o"
                for name, hall in self.halls.items()
                for seat, (block, offset) in hall.where.items()
            }
        )
        self._replay_told()
        for hall in self.halls.values():
            self.outcomes += hall.seen

    def _replay_told(self) -> None:
        rows: dict[str, list[list[str]]] = {}
        places: dict[str, Counter[tuple[str, str]]] = {}
        for key, (_, plan) in self.plans.items():
            rows[key] = [["o"] * len(block) for block in plan.blocks]
            places[key] = Counter({("open", str(at)): n for at, n in enumerate(plan.areas.values())})
        for key, _, _, _, _, _, _, changes, moved in self.stage.told():
            for at in range(0, len(changes), 4):
                block, offset, count, letter = changes[at : at + 4]
                rows[key][block][offset : offset + count] = letter * count
            for at in range(0, len(moved), 3):
                places[key]["open", str(moved[at])] += moved[at + 1]
                places[key]["sold", str(moved[at])] += moved[at + 2]
        for hall in self.halls.values():
            key = self.keys_of(hall)[0]
            assert rows[key] == hall.rows, "the history tells of other seats"
            wanted = Counter({("open", str(hall.area(share))): n for share, n in hall.open.items()})
            wanted.update({("sold", str(hall.area(share))): n for share, n in hall.sold.items()})
            assert places[key] == wanted, "the history tells of other places"
