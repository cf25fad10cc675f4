"""For every script, a scene in which it answers with its first word, and the call that gets it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import redis

from engine.best import as_text
from engine.library import read_script, script_names
from engine.words import LineName, OnSaleId
from tests.lua.stage import SALE, Reply, Stage, pack

OPERATION = "the-operation"
PUBLIC = LineName("public")


class Call(NamedTuple):
    """An operation with its keys and its arguments, the epoch first where it takes one."""

    name: str
    keys: list[str]
    arguments: list[Any]

    def by(self, stage: Stage, **changed: Any) -> Reply:
        """Makes the call, an argument of the header changed."""
        names = read_script(self.name).arguments
        assert changed.keys() <= set(names)
        return stage.ask(self.name, self.keys, *(changed.get(n, a) for n, a in zip(names, self.arguments, strict=True)))


def scene(owner: redis.Redis, *, due_hold_ms: int = -1) -> Stage:
    """A line that has called three, holds over two performances and an area, and seats sold and blocked.

    One hold is due, so that the clock has something to do; with a `due_hold_ms` above zero it is not.
    """
    stage = Stage(owner)
    # The draw of the public line is due; that of another waits for what is revealed.
    late = {"mark_at_ms:late": 1, "opens_at_ms:late": 10**15}
    stage.put_up(rate=1, joined=5, now_serving=3, burst_ms=10**6, draw="parvis-draw-2", **late)
    stage.before("A: h1 . s2 x   B: . . . .", areas=(5,))
    stage.before("A: . . .", performance="q")
    stage.let_in(5, 6)
    stage.hold_packed(6, [[1, "seats", 1, 0], [1, "area", 0, 2], [2, "seats", 0, 0]], ["p", "q"], hold="both")
    stage.allot("F", "B4", [0, 1, 0], name="friends", release_at_ms=stage.now_ms() + 10**7)
    stage.conflict(order="o1", payment="late-1")
    stage.stand(5, 1, hold="due", hold_ms=due_hold_ms)
    return stage


def _sold() -> bytes:
    """What visitor 2 has bought of the first performance, and nothing of the second."""
    return pack([[0], [0], [["v2", 0, [0, 2, 1], [], 0, "", ["spring", 1], 0, "mark"], ["v2", 0, [], [], 0]]])


def _exchanged() -> bytes:
    """The same for something else."""
    part = ["v2", 0, [0, 2, 1], [], 0, "", ["spring", 1], 0, "mark"]
    return pack([[0], [0], [[1, part]], "exchange-o8", [["both", 1, 2]], 100, 4200])


def _line(stage: Stage, *more: str) -> list[str]:
    keys = stage.keys
    return [keys.cell, keys.sale(SALE), keys.live(SALE), *more]


def _halls(stage: Stage) -> list[str]:
    return [*stage.hall("p"), *stage.hall("q")]


def _order(stage: Stage) -> list[str]:
    keys = stage.keys
    return [keys.cell, keys.operation(OPERATION), keys.payment("demo", "yes-9"), stage.order_key("o9").decode()]


def _seats(stage: Stage) -> list[str]:
    return [stage.keys.cell, stage.keys.operation(OPERATION), stage.keys.outbox]


def _due(stage: Stage) -> list[str]:
    return [*stage.hall("p")[::2], *stage.hall("q")[::2]]


TERMS = pack([60_000, 9, 1, 0, 2, 60_000, 1_800_000, ["spring", 1, 5], ()])
BEST = [1, "best", "", 2, {"mask": as_text(b"\xff")}]
BOTH = pack([["both", 1, 2]])
REVERSED = [8, 7, 6, 5, 4, 3, 2, 1]
PLAN = pack([[("2.5 AAAA", None), ("2.5 AAAA", [[0], [], []])], 1, [5], [[0, 0]], REVERSED, [[], []]])
SOLD_BY = pack([8, ["spring", 1, 5], "mark", 9])
CALLS: dict[str, Callable[[Stage], tuple[list[str], list[Any]]]] = {
    "cell/bind": lambda s: ([s.keys.cell, s.keys.operation(OPERATION)], ["f"]),
    "cell/catalogue": lambda s: ([s.keys.cell, s.keys.catalogue], []),
    "cell/close": lambda s: ([s.keys.cell], []),
    "cell/gate": lambda s: ([s.keys.cell, s.keys.outbox, s.keys.recorded], []),
    "cell/open": lambda s: ([s.keys.cell], [0]),
    "cell/press": lambda s: (
        [s.keys.cell, s.keys.sale(SALE), s.keys.live(SALE)],
        ["keeper", 1, 50, "backlog: 1 of 2", 10_000],
    ),
    "cell/publish": lambda s: ([s.keys.cell, s.keys.catalogue], [pack({"hall:a": "{}", "hall:b": ""})]),
    "cell/recount": lambda s: ([s.keys.cell, s.keys.cell], ["u", 1, pack(["spring", 2])]),
    "cell/standing": lambda s: ([s.keys.cell, *s.hall("p")[2:], *s.hall("q")[2:]], []),
    "cell/used": lambda s: ([s.keys.cell], ["0"]),
    "cell/uses": lambda s: ([s.keys.cell, s.keys.persons(SALE)], [pack(["spring"]), pack(["code/spring:members"])]),
    "on_sale/change": lambda s: (
        [
            *(s.keys.cell, s.keys.operation(OPERATION), s.keys.sale(SALE), s.keys.live(SALE), s.keys.outbox),
            s.keys.stays(SALE),
        ],
        ["f", "pause", "", b"action"],
    ),
    "on_sale/create": lambda s: ([s.keys.cell, s.keys.sale(OnSaleId("next"))], [pack(["phase", "scheduled"]), 0]),
    "on_sale/crowd": lambda s: ([s.keys.cell, s.keys.sale(SALE), s.keys.live(SALE)], [40, 10_000]),
    "on_sale/restore": lambda s: ([s.keys.cell, s.keys.sale(SALE)], ["public", 9]),
    "on_sale/standing": lambda s: ([s.keys.cell, s.keys.sale(SALE)], []),
    "orders/await": lambda s: ([*_order(s), s.keys.outbox, *_due(s)], ["f", "v6", b"payload", BOTH, 600_000]),
    "orders/confirm": lambda s: (
        [*_order(s), s.keys.outbox, s.keys.sale(SALE), s.keys.live(SALE), *_due(s)],
        ["f", "v6", "6", b"payload", BOTH, 4200, pack(["mark", 9])],
    ),
    "orders/conflict": lambda s: ([*_order(s), s.keys.outbox], ["f", b"payload"]),
    "orders/exchange": lambda s: (
        [
            *(*_order(s), s.keys.sale(SALE), s.order_key("o8").decode(), s.keys.sale(SALE), s.keys.outbox),
            *_halls(s),
        ],
        ["f", s.now_ms(), "v6", b"payload", b"former", b"action", _exchanged()],
    ),
    "orders/find": lambda s: ([s.order_key("o1").decode(), s.keys.recorded], []),
    "orders/rebook": lambda s: (
        [*_order(s), s.keys.outbox, s.keys.sale(SALE), *_halls(s)],
        [
            *("f", "v6", b"payload"),
            pack([(["both"], [0, 1, 1, 0, 1, 3], ["F0", 1, 0, 2], "F"), (["both"], [0, 0, 0, 2], [], "")]),
            *(4200, SOLD_BY),
        ],
    ),
    "orders/forgo": lambda s: ([s.keys.cell, s.keys.payment("demo", "yes-9")], [60]),
    "orders/find_payment": lambda s: ([s.keys.payment("demo", "late-1")], []),
    "orders/return": lambda s: (
        [*_order(s)[:2], s.order_key("o9").decode(), s.keys.outbox, s.keys.sale(SALE), *_halls(s)],
        ["f", s.now_ms(), "return-o9", b"action", b"payload", _sold(), 100],
    ),
    "seats/allot": lambda s: (
        [s.keys.cell, s.keys.outbox, *s.hall("p")],
        ["P", "partner", s.now_ms() + 10**7, pack([0, 1]), pack([0, 1, 0])],
    ),
    "seats/extend": lambda s: (
        [*_seats(s), *_halls(s)],
        ["f", "both", "v6", 30_000],
    ),
    "seats/hold": lambda s: (
        [*_seats(s), s.keys.sale(SALE), s.keys.live(SALE), *_halls(s)],
        [
            "f",
            "new",
            "v5",
            "5",
            TERMS,
            pack([BEST, [1, "area", 0, 1], [2, "seats", 0, 2]]),
        ],
    ),
    "seats/holds": lambda s: (s.hall("p")[::2], []),
    "seats/install": lambda s: (
        [s.keys.cell, *s.hall("r")[:2]],
        [0, pack([("2 AAA", "ooo", [[], [], []])]), 1, 0, pack([5]), pack([[10**15, 50], [0]]), 1],
    ),
    "seats/leave": lambda s: ([s.keys.cell, *_due(s)], ["both", "v6", 1, 5_000]),
    "seats/restate": lambda s: ([s.keys.cell, s.keys.outbox, s.hall("p")[0]], []),
    "seats/state": lambda s: ([s.hall("p")[0], s.keys.outbox, s.keys.recorded], []),
    "seats/open": lambda s: ([s.keys.cell, s.keys.outbox, *s.hall("p")], ["F", "friends", pack([])]),
    "seats/release": lambda s: (
        [*_seats(s), *_halls(s)],
        ["f", "both", "v6"],
    ),
    "seats/bend": lambda s: (
        [*_seats(s), s.keys.catalogue, *s.hall("p")],
        ["f", "performance:p", "{}", b"action", pack([[s.now_ms() + 10**6, 50], [0]])],
    ),
    "seats/replan": lambda s: (
        [*_seats(s), s.keys.catalogue, *s.hall("p"), *s.hall("p@1")],
        ["f", "performance:p", "{}", b"action", PLAN],
    ),
    "seats/restore": lambda s: (
        [s.keys.cell, *s.hall("p")],
        [
            pack([0, 1]),
            pack([0, 2]),
            pack([2]),
            pack([("F", "friends", 10**15, [1, 3], [0, 1, 1]), ("b", "", 0, [0, 3], [])]),
            pack([[], []]),
        ],
    ),
    "seats/snapshot": lambda s: (s.hall("p")[:1], [1]),
    "seats/suggest": lambda s: (s.hall("p")[:2], [pack([["best", "A", 2], ["area", 0, 1]])]),
    "seats/swap": lambda s: (
        [*_seats(s), s.keys.sale(SALE), s.keys.live(SALE), *_halls(s)],
        ["f", "new", "v6", "6", TERMS, pack([BEST, [1, "area", 0, 1], [2, "seats", 0, 2]]), pack(["both", 1, 2])],
    ),
    "seats/sweep": lambda s: ([s.keys.cell, s.keys.outbox, *s.hall("p")], [9]),
    "waiting_room/admit": lambda s: (
        _line(s, s.keys.claimed(SALE), s.keys.operation(OPERATION), s.keys.persons(SALE), s.keys.stays(SALE)),
        ["f", "public", 2, 2, 0, pack((60_000, 0, 600_000, 0, 0, -1, 1, "somebody"))],
    ),
    "waiting_room/checkpoint": lambda s: ([s.keys.cell, s.keys.frontier(SALE, PUBLIC)], [b"2 roots"]),
    "waiting_room/draw": lambda s: ([s.keys.cell, s.keys.sale(SALE)], [PUBLIC, 0, "root", "seed", ""]),
    "waiting_room/fold": lambda s: ([s.keys.cell, s.keys.folded], ["", "5-0", pack(["sale/public", "2 roots"])]),
    "waiting_room/reveal": lambda s: (
        [s.keys.cell, s.keys.sale(SALE)],
        ["late", "zeewind", "secret", "bound", "signature"],
    ),
    "waiting_room/tail": lambda s: (
        [s.keys.sale(SALE), s.keys.outbox, s.keys.frontier(SALE, PUBLIC), s.keys.folded],
        [SALE, PUBLIC, "-", 100],
    ),
    "waiting_room/join": lambda s: (
        [
            *_line(s, s.keys.operation(OPERATION), s.keys.retry(SALE, "x"), s.keys.outbox, s.keys.persons(SALE)),
            s.keys.stays(SALE),
        ],
        ["f", "x", SALE, "public", 100, pack([60, "somebody", "a code", 0, 0, 0, 0, -1, -1]), b"an action"],
    ),
    "waiting_room/leave": lambda s: (
        [s.keys.cell, s.keys.live(SALE), s.keys.presence(SALE, "6 0")],
        ["6 0", 1, s.now_ms() + 60_000, 5_000],
    ),
    "waiting_room/newest": lambda s: ([s.keys.live(SALE)], ["6 0"]),
    "waiting_room/serve": lambda s: ([s.keys.cell, s.keys.sale(SALE), s.keys.live(SALE)], []),
    "waiting_room/status": lambda s: ([s.keys.sale(SALE), s.keys.live(SALE)], []),
}
WRITING = tuple(name for name in script_names() if not read_script(name).is_read_only)


def call(stage: Stage, name: str) -> Call:
    keys, arguments = CALLS[name](stage)
    epoch = [stage.epoch] if "epoch" in read_script(name).arguments else []
    return Call(name, keys, [*epoch, *arguments])


def answering(word: str) -> list[str]:
    """The scripts whose header names a reply."""
    return [name for name in script_names() if word in read_script(name).replies]
