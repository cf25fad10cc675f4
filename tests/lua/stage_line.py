"""A cell with one on-sale: its line, and what its manager does to it."""

from typing import Any

from engine.library import read_script
from engine.of_line import of_line
from engine.words import LineName, OnSaleId
from tests.lua.stage_cell import CellStage, Reply, pack

SALE = OnSaleId("sale")
PASS_MS = 60_000
DRAWN = (
    "algorithm",
    "commitment",
    "entrants",
    "due_at_ms",
    "secret",
    "drawn_seed",
    "root",
    "contributions",
    "windows",
    "later",
)
INSTANTS = (
    *("closes_at_ms", "served_at_ms", "opens_at_ms", "prequeue_at_ms", "mark_at_ms", "door_at_ms", "net_until_ms"),
    *("watched_at_ms", "crowd_until_ms", "fixed_at_ms"),
)


class LineStage(CellStage):
    """One on-sale, and the calls of `lua/waiting_room/` and `lua/on_sale/`."""

    def put_up(self, **changed: Any) -> None:
        """An on-sale, open since now unless said otherwise."""
        now = self.now_ms()
        fields = {
            "phase": "open",
            "prequeue_at_ms": now - 1000,
            "opens_at_ms": now,
            "rate": 60_000,
            "cap": 1000,
            "turn_ms": 60_000,
            "joined": 0,
            "now_serving": 0,
            "entrants": 0,
            "mark": 0,
            "mark_at_ms": now,
            "gone": 0,
            "served_at_ms": now,
            "seed": "c2VlZA",
            "commitment": "YQ",
        } | changed
        assert self.create(fields)[0] == b"created"

    def line(self, name: str, **changed: Any) -> dict[str, Any]:
        """The fields of another line, for `put_up`: open since now with half of the pace unless said otherwise."""
        now = self.now_ms()
        fields = {
            "share": 50,
            "prequeue_at_ms": now - 1000,
            "opens_at_ms": now,
            "closes_at_ms": 0,
            "joined": 0,
            "now_serving": 0,
            "entrants": 0,
            "mark": 0,
            "mark_at_ms": now,
            "gone": 0,
            "seed": "b3RoZXI",
            "commitment": "Yg",
        } | changed
        return {of_line(field, name): value for field, value in fields.items()}

    def create(self, fields: dict[str, Any]) -> Reply:
        flat = [part for pair in fields.items() for part in pair]
        return self.run("on_sale/create", [self.keys.cell, self.keys.sale(SALE)], pack(flat), 0)

    def sale(self) -> dict[str, str]:
        return self.fields(self.keys.sale(SALE))

    def set_sale(self, **fields: Any) -> None:
        """Writes to the on-sale past its scripts."""
        for name, value in fields.items():
            self.redis.execute_command("HSET", self.keys.sale(SALE), name, value)

    def let_in(self, *visitors: int, ms: int = PASS_MS) -> None:
        """Live passes, without the way there."""
        for visitor in visitors:
            self.redis.execute_command("ZADD", self.keys.live(SALE), self.now_ms() + ms, visitor)

    def join(
        self,
        who: str = "s1",
        *,
        operation: str = "",
        fingerprint: str = "f",
        limit: int = 1000,
        kept_s: int = 60,
        line: str = "public",
        person: str = "",
        code: str = "",
        until_ms: int = 0,
        grace_ms: int = 0,
        stay_ms: int = 0,
        leeway_ms: int = 0,
        known: tuple[int, int] = (-1, -1),
        action: bytes = b"",
    ) -> Reply:
        keys = self.keys
        return self.run(
            "waiting_room/join",
            [
                keys.cell,
                keys.sale(SALE),
                keys.live(SALE),
                operation or self.key(),
                keys.retry(SALE, who, line),
                keys.outbox,
                keys.persons(SALE),
                keys.stays(SALE),
            ],
            *(fingerprint, who, SALE, line, limit),
            *(pack([kept_s, person, code, until_ms, grace_ms, stay_ms, leeway_ms, *known]), action),
        )

    def serve(self) -> int:
        """Calls whom the pace allows. Answers how many are called by now."""
        reply = self.run("waiting_room/serve", [self.keys.cell, self.keys.sale(SALE), self.keys.live(SALE)])
        return int(reply[1])

    def come(self, who: str) -> Reply:
        """Somebody joins a line whose clock was turned just now, as its keeper does twice a second."""
        self.serve()
        return self.join(who)

    def admit(
        self,
        index: int,
        *,
        position: int | None = None,
        entrants: int = 0,
        operation: str = "",
        fingerprint: str = "f",
        pass_ms: int = PASS_MS,
        leeway_ms: int = 0,
        stay_ms: int = 0,
        grace_ms: int = 0,
        kept_ms: int = 0,
        renews: int = -1,
        joined_at_ms: int = 1,
        line: str = "public",
        person: str = "",
    ) -> Reply:
        times = (pass_ms, leeway_ms, stay_ms, grace_ms, kept_ms)
        keys, terms = self.keys, pack((*times, renews, joined_at_ms, person))
        return self.run(
            "waiting_room/admit",
            [
                *(keys.cell, keys.sale(SALE), keys.live(SALE), keys.claimed(SALE, line)),
                *(operation or self.key(), keys.persons(SALE), keys.stays(SALE)),
            ],
            *(fingerprint, line, index, index if position is None else position, entrants, terms),
        )

    def newest(self, place: str) -> Reply:
        """Whether a pass, "member generation", is its place's newest."""
        return self.ask("waiting_room/newest", [self.keys.live(SALE)], place)

    def status(self) -> dict[str, Any]:
        """The public status by the names of its header."""
        names = read_script("waiting_room/status").replies["status"].split()
        reply = self.ask("waiting_room/status", [self.keys.sale(SALE), self.keys.live(SALE)])
        seen = dict(zip(names, reply[1:], strict=True))
        return seen | dict(zip(DRAWN, seen.pop("draw"), strict=True))

    def tail(self, after: str = "-", count: int = 100, line: str = "public", on_sale: str = SALE) -> Reply:
        keys = [*(self.keys.sale(SALE), self.keys.outbox, self.keys.frontier(SALE, LineName(line))), self.keys.folded]
        return self.ask("waiting_room/tail", keys, on_sale, line, after, count)

    def draw(self, entrants: int, *, root: str = "root", seed: str = "drawn", line: str = "public") -> Reply:
        """Calls waiting_room/draw."""
        keys = [self.keys.cell, self.keys.sale(SALE)]
        return self.run("waiting_room/draw", keys, line, entrants, root, seed, "a -")

    def change(self, verb: str, value: str | int = "", *, operation: str = "", fingerprint: str = "") -> Reply:
        keys = self.keys
        return self.run(
            "on_sale/change",
            [
                *(keys.cell, operation or self.key(), keys.sale(SALE), keys.live(SALE), keys.outbox),
                keys.stays(SALE),
            ],
            *(fingerprint or f"{verb}{value}", verb, value, b"action"),
        )

    def pass_time(self, ms: int) -> None:
        super().pass_time(ms)
        for key in (self.keys.live(SALE), self.keys.stays(SALE)):
            self.shift_scores(key, ms)
        for name, value in self.sale().items():
            if name.partition(":")[0] in INSTANTS and float(value):
                self.set_sale(**{name: f"{float(value) - ms:.3f}" if "." in value else int(value) - ms})
