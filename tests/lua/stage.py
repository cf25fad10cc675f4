"""A cell on which single scripts are tried, and a tiny language to draw its seats.

`"A: . . h1   B: x . ."`: blocks in quality order, `.` open, `h1` held by visitor 1, `s1` sold to visitor 1,
`x` blocked. Seats are written `A1` (block A, first seat). Categories are letters, one a seat, `A` if not said.
"""

from typing import Any

import msgspec
import redis

from engine.keys import Keys
from engine.library import assemble
from engine.words import HouseSlug, OnSaleId, OrderId, PerformanceId

SALE = OnSaleId("sale")
HOLD_MS = 60_000


def pack(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


class Stage:
    """One house's Redis, its gate open at epoch 1, one on-sale, and performances drawn by the test."""

    def __init__(self, owner: "redis.Redis[bytes]", house: str = "house") -> None:
        self.redis = owner
        self.keys = Keys(HouseSlug(house))
        self.epoch = "1"
        self.names: dict[str, list[str]] = {}
        self.counter = 0
        self.run("cell/close", [self.keys.cell])
        assert self.run("cell/open", [self.keys.cell]) == [b"open", b"1"]

    def run(self, operation: str, keys: list[str], *arguments: Any) -> list[Any]:
        """Calls an operation with the epoch as its first argument."""
        return self.ask(operation, keys, self.epoch, *arguments)

    def ask(self, operation: str, keys: list[str], *arguments: Any) -> list[Any]:
        """Calls an operation as it is."""
        library = assemble()
        command = "FCALL_RO" if operation in library.read_only else "FCALL"
        function = library.functions[operation]
        reply: list[Any] = self.redis.execute_command(command, function, len(keys), *keys, *arguments)
        return reply

    def now_ms(self) -> int:
        seconds, microseconds = self.redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    def key(self) -> str:
        """A fresh operation's key."""
        self.counter += 1
        return self.keys.operation(str(self.counter))

    # -- the line

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
        flat = [part for pair in fields.items() for part in pair]
        reply = self.run("on_sale/create", [self.keys.cell, self.keys.sale(SALE)], pack(flat))
        assert reply[0] == b"created"

    def let_in(self, *visitors: int, ms: int = 60_000) -> None:
        """Live passes, without the way there."""
        for visitor in visitors:
            self.redis.zadd(self.keys.live(SALE), {str(visitor): self.now_ms() + ms})

    def sale(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.redis.hgetall(self.keys.sale(SALE)).items()}

    # -- the seats

    def before(
        self,
        drawing: str,
        *,
        performance: str = "p",
        categories: "dict[str, str] | None" = None,
        kinds: int = 0,
        areas: tuple[int, ...] = (),
        return_ms: int = 0,
    ) -> None:
        """Lays the drawn hall out and brings its seats into the state drawn, through the scripts themselves."""
        blocks, wanted = [], {}
        names = []
        for block in drawing.split("   "):
            name, _, seats = block.strip().partition(":")
            states = seats.split()
            names.append(name)
            classes = (categories or {}).get(name, "A" * len(states))
            blocks.append([f"{(len(states) + 1) / 2:g} {classes}", "o" * len(states)])
            for place, state in enumerate(states):
                if state != ".":
                    wanted.setdefault(state, []).append((len(names) - 1, place))
        self.names[performance] = names
        name = PerformanceId(performance)
        key, index, due = self.keys.performance(name)
        letters = {letter.upper() for block in blocks for letter in block[0].split()[1]}
        count = kinds or max(ord(letter) - 64 for letter in letters)
        reply = self.run(
            "seats/install",
            [self.keys.cell, key, index],
            *(0, pack(blocks), count, 0, pack(list(areas)), len(blocks)),
        )
        assert reply == [b"installed", len(blocks)]
        if not self.redis.exists(self.keys.sale(SALE)):
            self.put_up()
        for state, places in wanted.items():
            flat = [part for place in places for part in place]
            if state == "x":
                reply = self.run("seats/mark", [self.keys.cell, key, index, due], "o", "b", pack(flat))
                assert reply[0] == b"marked", reply
                continue
            visitor = int(state[1:])
            self.let_in(visitor)
            held = self.hold_packed(visitor, [[1, "seats", *flat]], [performance], hold=state)
            assert held[0] == b"held", held
            if state[0] == "s":
                assert self.confirm(visitor, state, [performance])[0] == b"confirmed"
        self.redis.hset(key, "r", return_ms)

    def hold_packed(
        self,
        visitor: int,
        items: list[list[Any]],
        performances: "list[str] | None" = None,
        *,
        hold: str = "",
        operation: str = "",
        fingerprint: str = "",
        limit: int = 8,
        hold_ms: int = HOLD_MS,
        place: "str | None" = None,
    ) -> list[Any]:
        """Calls seats/hold as `visitor`."""
        keys = self.keys
        performances = performances or ["p"]
        parts = [part for name in performances for part in keys.performance(PerformanceId(name))]
        place = str(visitor) if place is None else place
        hold = hold or f"h{visitor}"
        return self.run(
            "seats/hold",
            [keys.cell, operation or self.key(), keys.sale(SALE), keys.live(SALE), *parts],
            *(fingerprint or "f", hold, f"v{visitor}", place, hold_ms, limit, pack(items)),
        )

    def hold(self, visitor: int, seats: str, *, performance: str = "p", **options: Any) -> list[Any]:
        """Holds named seats: `"A1 A3"`."""
        names = self.names[performance]
        flat = [part for seat in seats.split() for part in (names.index(seat[0]), int(seat[1:]) - 1)]
        return self.hold_packed(visitor, [[1, "seats", *flat]], [performance], **options)

    def best(self, visitor: int, quantity: int, class_: str = "", **options: Any) -> list[Any]:
        """Holds the best seats together."""
        return self.hold_packed(visitor, [[1, "best", class_, quantity]], **options)

    def confirm(
        self,
        visitor: int,
        hold: str,
        performances: "list[str] | None" = None,
        *,
        order: str = "",
        payment: str = "",
        operation: str = "",
        owner: "str | None" = None,
        total: int = 100,
    ) -> list[Any]:
        """Calls orders/confirm for one hold."""
        keys = self.keys
        performances = performances or ["p"]
        self.counter += 1
        order = order or f"order-{self.counter}"
        due = [part for name in performances for part in keys.performance(PerformanceId(name))[::2]]
        holds = [[hold, *range(1, len(performances) + 1)]]
        return self.run(
            "orders/confirm",
            [
                keys.cell,
                operation or self.key(),
                keys.payment("demo", payment or f"yes-{self.counter}"),
                keys.order(OrderId(order)),
                keys.outbox,
                keys.sale(SALE),
                keys.live(SALE),
                *due,
            ],
            *("f", f"v{visitor}" if owner is None else owner, str(visitor), b"payload", pack(holds), total),
        )

    def release(self, visitor: int, hold: str, *, operation: str = "") -> list[Any]:
        keys = self.keys
        return self.run(
            "seats/release",
            [keys.cell, operation or self.key(), *keys.performance(PerformanceId("p"))],
            *("f", hold, f"v{visitor}"),
        )

    def sweep(self, limit: int = 100, performance: str = "p") -> list[Any]:
        keys = self.keys
        return self.run("seats/sweep", [keys.cell, *keys.performance(PerformanceId(performance))], limit)

    def seats(self, reply: list[Any], performance: str = "p", part: int = 0) -> str:
        """The seats of a `held` reply, as written: `"A1 A2"`."""
        assert reply[0] == b"held", reply
        flat = msgspec.msgpack.decode(reply[3])[part][0]
        names = self.names[performance]
        runs = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        return " ".join(f"{names[block]}{offset + step + 1}" for block, offset, count in runs for step in range(count))

    def after(self, performance: str = "p") -> str:
        """The hall as it stands: `"A: . h s x"`; who holds is not drawn."""
        key = self.keys.performance(PerformanceId(performance))[0]
        drawn = []
        for number, name in enumerate(self.names[performance]):
            row = self.redis.hget(key, f"b{number}")
            assert row is not None
            drawn.append(f"{name}: " + " ".join({"o": ".", "b": "x"}.get(letter, letter) for letter in row.decode()))
        return "   ".join(drawn)

    def index_is_right(self, performance: str = "p") -> bool:
        """Whether the bitmap index says what a look at every row says."""
        key, index, _ = self.keys.performance(PerformanceId(performance))
        fields = self.redis.hgetall(key)
        blocks, categories = int(fields[b"n"]), int(fields[b"k"])
        stride = -(-blocks // 8) * 8
        classes = ["", *(chr(65 + n) for n in range(categories)), *(chr(97 + n) for n in range(categories))]
        bits = "".join(f"{byte:08b}" for byte in self.redis.get(index) or b"")
        for slot, class_ in enumerate(classes):
            for level in (0, 1):
                for k in range(1, 9):
                    base = ((slot * 2 + level) * 8 + k - 1) * stride
                    for block in range(blocks):
                        row = fields[f"b{block}".encode()].decode()
                        letters = fields[f"c{block}".encode()].decode().split()[1]
                        expected = can_serve(row, letters, class_, k, is_clean=level == 0)
                        stored = bits[base + block : base + block + 1] == "1"
                        if stored != expected:
                            return False
        return True


def can_serve(row: str, letters: str, class_: str, k: int, *, is_clean: bool) -> bool:
    """By looking at every start: whether k seats of a class are free together, without leaving one alone."""
    for start in range(len(row) - k + 1):
        chosen = range(start, start + k)
        if any(row[place] != "o" for place in chosen):
            continue
        if any(letters[place] != class_ if class_ else letters[place].islower() for place in chosen):
            continue
        if not is_clean:
            return True
        left = start
        while left > 0 and row[left - 1] == "o":
            left -= 1
        right = start + k
        while right < len(row) and row[right] == "o":
            right += 1
        if start - left != 1 and right - (start + k) != 1:
            return True
    return False
