"""A cell with an on-sale and halls drawn by the test: the calls of `lua/seats/`."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.words import PerformanceId
from tests.lua import drawing as drawings
from tests.lua.stage_cell import Reply, pack
from tests.lua.stage_line import SALE, LineStage

HOLD_MS = 60_000


class HallStage(LineStage):
    """Performances by name, `p` if not said; visitor 1 is the owner `v1` with place 1, and holds `h1`."""

    names: dict[str, list[str]]

    def hall(self, performance: str = "p") -> list[str]:
        """The three keys of a performance."""
        return list(self.keys.performance(PerformanceId(performance)))

    def before(
        self,
        drawing: str,
        *,
        performance: str = "p",
        categories: Mapping[str, str] | None = None,
        kinds: int = 0,
        areas: Sequence[int] = (),
        curve: Sequence[Sequence[int]] = (),
        return_ms: int = 0,
    ) -> None:
        """Lays the drawn hall out and brings its seats into the state drawn, through the scripts themselves."""
        drawn = drawings.read(drawing, categories or {})
        self.names[performance] = drawn.names
        letters = "".join(description.split()[1].upper() for description, _ in drawn.blocks)
        count = kinds or max(ord(letter) - 64 for letter in letters)
        reply = self.install(drawn.blocks, count, areas=areas, curve=curve, performance=performance)
        assert reply == [b"installed", len(drawn.blocks)]
        if not self.redis.execute_command("EXISTS", self.keys.sale(SALE)):
            self.put_up()
        for state, places in drawn.wanted.items():
            flat = [part for place in places for part in place]
            if state == "x":
                assert self.allot_packed("b", flat, performance=performance)[0] == b"allotted"
                continue
            visitor = int(state[1:])
            self.let_in(visitor)
            held = self.hold_packed(visitor, [[1, "seats", *flat]], [performance], hold=state)
            assert held[0] == b"held", held
            if state[0] == "s":
                self.sell(visitor, state, performance)
        self.redis.execute_command("HSET", self.hall(performance)[0], "r", return_ms)

    def sell(self, visitor: int, hold: str, performance: str) -> None:
        """Confirms a hold; see `Stage`."""
        raise NotImplementedError

    def install(
        self,
        blocks: Sequence[tuple[str, str]],
        categories: int,
        *,
        first: int = 0,
        last: int | None = None,
        areas: Sequence[int] = (),
        curve: Sequence[Sequence[int]] = (),
        performance: str = "p",
    ) -> Reply:
        key, index, _ = self.hall(performance)
        last = len(blocks) if last is None else last
        return self.run(
            "seats/install",
            [self.keys.cell, key, index],
            *(first, pack(blocks), categories, 0, pack(list(areas)), pack(list(curve)) if curve else "", last),
        )

    def places(self, seats: str, performance: str = "p") -> list[int]:
        """`"A1 A3"` as blocks and offsets."""
        names = self.names[performance]
        return [part for seat in seats.split() for part in (names.index(seat[0]), int(seat[1:]) - 1)]

    def hold_packed(
        self,
        visitor: int,
        items: Sequence[Sequence[Any]],
        performances: Sequence[str] = ("p",),
        *,
        hold: str = "",
        operation: str = "",
        fingerprint: str = "f",
        limit: int = 8,
        hold_ms: int = HOLD_MS,
        terms: Sequence[Any] = (),
        place: str | None = None,
    ) -> Reply:
        """Calls seats/hold as `visitor`. `terms`: what follows the limit in the packed terms."""
        rules = [*terms, *(1, 10**6, 0, 0, 1_800_000, (), ())[len(terms) :]]
        keys = self.keys
        parts = [part for name in performances for part in self.hall(name)]
        place = str(visitor) if place is None else place
        return self.run(
            "seats/hold",
            [keys.cell, operation or self.key(), keys.outbox, keys.sale(SALE), keys.live(SALE), *parts],
            *(fingerprint, hold or f"h{visitor}", f"v{visitor}", place, pack([hold_ms, limit, *rules]), pack(items)),
        )

    def swap_packed(
        self,
        visitor: int,
        former: str,
        items: Sequence[Sequence[Any]],
        performances: Sequence[str] = ("p",),
        *,
        former_in: Sequence[int] = (1,),
        hold: str = "new",
        operation: str = "",
        fingerprint: str = "f",
        limit: int = 8,
        terms: Sequence[Any] = (),
        place: str | None = None,
    ) -> Reply:
        """Calls seats/swap as `visitor`. `former_in`: the performances of the hold that is given up, from 1."""
        rules = pack([HOLD_MS, limit, *terms, *(1, 10**6, 0, 0, 1_800_000, (), ())[len(terms) :]])
        keys = self.keys
        parts = [part for name in performances for part in self.hall(name)]
        place = str(visitor) if place is None else place
        return self.run(
            "seats/swap",
            [keys.cell, operation or self.key(), keys.outbox, keys.sale(SALE), keys.live(SALE), *parts],
            *(fingerprint, hold, f"v{visitor}", place, rules, pack(items), pack([former, *former_in])),
        )

    def swap(self, visitor: int, former: str, seats: str, **options: Any) -> Reply:
        """Exchanges a hold for named seats: `"A1 A3"`."""
        return self.swap_packed(visitor, former, [[1, "seats", *self.places(seats)]], **options)

    def hold(self, visitor: int, seats: str, *, performance: str = "p", **options: Any) -> Reply:
        """Holds named seats: `"A1 A3"`."""
        return self.hold_packed(visitor, [[1, "seats", *self.places(seats, performance)]], [performance], **options)

    def best(self, visitor: int, quantity: int, class_: str = "", **options: Any) -> Reply:
        """Holds the best seats together."""
        return self.hold_packed(visitor, [[1, "best", class_, quantity]], **options)

    def stand(self, visitor: int, quantity: int, area: int = 0, **options: Any) -> Reply:
        """Holds standing places."""
        return self.hold_packed(visitor, [[1, "area", area, quantity]], **options)

    def release(
        self,
        visitor: int,
        hold: str,
        performances: Sequence[str] = ("p",),
        *,
        operation: str = "",
        fingerprint: str = "f",
    ) -> Reply:
        parts = [part for name in performances for part in self.hall(name)]
        keys = [self.keys.cell, operation or self.key(), self.keys.outbox, *parts]
        return self.run("seats/release", keys, fingerprint, hold, f"v{visitor}")

    def leave(
        self, visitor: int, hold: str, said_ms: int, grace_ms: int, performances: Sequence[str] = ("p",)
    ) -> Reply:
        """Calls seats/leave; a `grace_ms` of 0: they are here again."""
        halls = [part for name in performances for part in self.hall(name)[::2]]
        return self.run("seats/leave", [self.keys.cell, *halls], hold, f"v{visitor}", said_ms, grace_ms)

    def extend(
        self,
        visitor: int,
        hold: str,
        performances: Sequence[str] = ("p",),
        *,
        operation: str = "",
        fingerprint: str = "f",
        extend_ms: int = 30_000,
    ) -> Reply:
        parts = [part for name in performances for part in self.hall(name)]
        keys = [self.keys.cell, operation or self.key(), self.keys.outbox, *parts]
        return self.run("seats/extend", keys, fingerprint, hold, f"v{visitor}", extend_ms)

    def sweep(self, limit: int = 100, performance: str = "p") -> Reply:
        return self.run("seats/sweep", [self.keys.cell, self.keys.outbox, *self.hall(performance)], limit)

    def allot_packed(
        self,
        letter: str,
        places: Sequence[int],
        areas: Sequence[int] = (),
        *,
        name: str = "",
        release_at_ms: int = 0,
        performance: str = "p",
    ) -> Reply:
        """Sets seats aside, and of areas `[area, count, 0, …]`; under `b` they are blocked."""
        keys = [self.keys.cell, self.keys.outbox, *self.hall(performance)]
        return self.run("seats/allot", keys, letter, name or letter, release_at_ms, pack(places), pack(list(areas)))

    def allot(self, letter: str, seats: str, areas: Sequence[int] = (), **options: Any) -> Reply:
        """Sets `"A1 A3"` aside."""
        return self.allot_packed(letter, self.places(seats), areas, **options)

    def open(self, letter: str, seats: str = "", *, name: str = "", performance: str = "p") -> Reply:
        """Ends an allotment, or opens blocked seats."""
        keys = [self.keys.cell, self.keys.outbox, *self.hall(performance)]
        return self.run("seats/open", keys, letter, name or letter, pack(self.places(seats, performance)))

    def bend(self, curve: Sequence[Sequence[int]], *, operation: str = "", performance: str = "p") -> Reply:
        """Changes when units are released: `[[at_ms, percent, …], [block, …]]`."""
        keys = [self.keys.cell, operation or self.key(), self.keys.outbox, self.keys.catalogue]
        arguments = ("f", f"performance:{performance}", "{}", b"action", pack(list(curve)))
        return self.run("seats/bend", [*keys, *self.hall(performance)], *arguments)

    def restore(
        self,
        seats: str,
        areas: Sequence[int] = (),
        *,
        returned: str = "",
        aside: Sequence[tuple[str, str, int, str, Sequence[int]]] = (),
        curve: Sequence[Sequence[int]] = ((), ()),
    ) -> Reply:
        """`aside`: letter, name, release, seats, areas; what is blocked stays so where nothing is said of `b`."""
        blocked = [
            part
            for block, row in enumerate(self.rows())
            for offset, state in enumerate(row)
            if state == "b"
            for part in (block, offset)
        ]
        packed: list[object] = [
            (letter, name, at, self.places(named), places) for letter, name, at, named, places in aside
        ]
        if all(each[0] != "b" for each in aside):
            packed.append(("b", "", 0, blocked, ()))
        keys = [self.keys.cell, *self.hall()]
        arguments = (
            pack(self.places(seats)),
            pack(self.places(returned)),
            pack(list(areas)),
            pack(packed),
            pack(curve),
        )
        return self.run("seats/restore", keys, *arguments)

    def seats(self, reply: Reply, performance: str = "p", part: int = 0) -> str:
        """The seats of a `held` reply, as written: `"A1 A2"`."""
        assert reply[0] == b"held", reply
        flat = msgspec.msgpack.decode(reply[3 + part])[2]
        names = self.names[performance]
        runs = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        return " ".join(f"{names[block]}{offset + step + 1}" for block, offset, count in runs for step in range(count))

    def rows(self, performance: str = "p") -> list[str]:
        fields = self.hash(self.hall(performance)[0])
        return [fields[f"b{block}".encode()].decode() for block in range(int(fields[b"n"]))]

    def after(self, performance: str = "p") -> str:
        """The hall as it stands: `"A: . h s x"`; who holds is not drawn."""
        return drawings.draw(self.names[performance], self.rows(performance))

    def area(self, number: int | str = 0, performance: str = "p") -> tuple[int, int]:
        """Open and sold places of a standing area."""
        fields = self.hash(self.hall(performance)[0])
        return int(fields.get(f"a{number}".encode(), 0)), int(fields.get(f"t{number}".encode(), 0))

    def held(self, hold: str, performance: str = "p") -> list[Any] | None:
        """A hold as it is stored: owner, end, seats, areas, whether it was extended."""
        packed = self.hash(self.hall(performance)[0]).get(f"h{hold}".encode())
        return None if packed is None else list(msgspec.msgpack.decode(packed))

    def owned(self, visitor: int, performance: str = "p") -> int:
        """How much a visitor has, held and sold."""
        return int(self.hash(self.hall(performance)[0]).get(f"ov{visitor}".encode(), 0))

    def due(self, performance: str = "p") -> dict[str, float]:
        """Holds and when they end, ms."""
        key = self.hall(performance)[2]
        members: list[bytes] = self.redis.execute_command("ZRANGE", key, 0, -1)
        return {name.decode(): float(self.redis.execute_command("ZSCORE", key, name)) for name in members}

    def index_is_right(self, performance: str = "p") -> bool:
        """Whether the bitmap index says what a look at every row says."""
        key, index, _ = self.hall(performance)
        fields = self.hash(key)
        letters = [fields[f"c{block}".encode()].decode().split()[1] for block in range(int(fields[b"n"]))]
        packed: bytes = self.redis.execute_command("GET", index) or b""
        bits = "".join(f"{byte:08b}" for byte in packed)
        wanted = drawings.index_bits(self.rows(performance), letters, int(fields[b"k"]))
        return all((bits[place : place + 1] == "1") is is_set for place, is_set in wanted)

    def pass_time(self, ms: int) -> None:
        super().pass_time(ms)
        for performance in self.names:
            key, _, due = self.hall(performance)
            self.shift_scores(due, ms)
            for name in self.due(performance):
                record = self.held(name, performance)
                assert record is not None
                record[1] -= ms
                self.redis.execute_command("HSET", key, f"h{name}", msgspec.msgpack.encode(record))
            self._bring_releases_nearer(key, ms)

    def _bring_releases_nearer(self, key: str, ms: int) -> None:
        fields = self.hash(key)
        for letter in fields.get(b"l", b"").decode():
            record = list(msgspec.msgpack.decode(fields[f"l{letter}".encode()]))
            record[1] -= ms if record[1] else 0
            self.redis.execute_command("HSET", key, f"l{letter}", pack(record))
        if b"x" in fields:
            steps, *more = msgspec.msgpack.decode(fields[b"x"])
            steps = [step if at % 2 else step - ms for at, step in enumerate(steps)]
            self.redis.execute_command("HSET", key, "x", pack([steps, *more]))
        if b"q" in fields:
            self.redis.execute_command("HSET", key, "q", int(float(fields[b"q"])) - ms)
