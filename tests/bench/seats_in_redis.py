"""P4 and P5: what a hold costs inside Redis, and that the best seats cost the same in a big hall as in a small one."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from engine.keys import Keys
from engine.words import HouseSlug, PerformanceId
from tests.bench.redis_time import (
    Command,
    Owner,
    append_only_file,
    function_call,
    instead,
    microseconds,
    own_redis,
    recorded_writes,
    run,
)
from tests.bench.rounds import AT_LEAST, AT_MOST, Bar, Part, interleave
from tests.lua.stage import HOLD_MS, SALE, Stage, pack

KEYS: Final = Keys(HouseSlug("house"))
PERFORMANCE: Final = KEYS.performance(PerformanceId("p"))
SECTIONS: Final = (12, 20, 16, 20, 12)
CATEGORIES: Final = 4
HOLDS: Final = 100
RULES: Final[tuple[Any, ...]] = (2, 0, 1_000_000_000, 60_000, 1_800_000, ["spring", 1, 1_000_000_000], [])
"""Nobody is left alone anywhere, unpaid holds and a code are counted; see `lua/seats/hold.lua`."""
ROUNDS: Final = 41

WRITES = Bar(
    what="hold of 2 named seats with every rule on, time inside Redis",
    yardstick="a function with the same arguments that only makes the hold's own writes, undecided",
    sense=AT_MOST,
    bar=3,
    moonshot=2,
)
FLAT = Bar(
    what="best-available of 4, hold and release, time inside Redis: 80,000 seats",
    yardstick="the same in 2,000 seats",
    sense=AT_MOST,
    bar=1.3,
    moonshot=1.1,
)
SCAN = Bar(
    what="best-available of 4, hold and release, time inside Redis, 80,000 seats, 95 % sold",
    yardstick="a scan of the rows one by one, with only the write that holds and the one that releases",
    sense=AT_LEAST,
    bar=50,
    moonshot=100,
)


def lay_out(owner: Owner, rows: Sequence[str]) -> None:
    """An empty Redis, an open on-sale, and a performance of these rows in four categories."""
    owner.flushall()
    stage = Stage(owner)
    stage.put_up()
    blocks = [
        (f"{(len(row) + 1) / 2:g} {chr(65 + number * CATEGORIES // len(rows)) * len(row)}", row)
        for number, row in enumerate(rows)
    ]
    for first in range(0, len(blocks), 500):
        arguments = (first, pack(blocks[first : first + 500]), CATEGORIES, 0, pack([]), "", len(blocks))
        reply = stage.run("seats/install", [KEYS.cell, *PERFORMANCE[:2]], *arguments)
        assert reply[0] == b"installed", reply


def hold(visitor: int, item: Sequence[Any], limit: int = 4) -> Command:
    """The call that holds one item for a visitor."""
    name = f"{visitor:032x}"
    keys = (KEYS.cell, KEYS.operation(name), KEYS.outbox, KEYS.sale(SALE), KEYS.live(SALE), *PERFORMANCE)
    terms = [HOLD_MS, limit, *RULES]
    arguments = ("1", name, name, name, visitor, pack(terms), pack([item]))
    return function_call("seats/hold", keys, arguments)


def release(visitor: int) -> Command:
    """The call that gives a visitor's hold back."""
    name = f"{visitor:032x}"
    keys = (KEYS.cell, KEYS.operation(f"r{name}"), KEYS.outbox, *PERFORMANCE)
    return function_call("seats/release", keys, ("1", name, name, name))


def learn(writes: Sequence[Sequence[bytes]]) -> Command:
    """Teaches the yardstick the writes of one call."""
    return ("FCALL", "yardstick_learn", 0, *(part for words in writes for part in (len(words), *words)))


async def named_seats() -> list[Part]:
    """P4: rows of 20 fill up from one end, two seats at a time."""
    holds = [hold(n, [1, "seats", n // 10, n % 10 * 2, n // 10, n % 10 * 2 + 1]) for n in range(HOLDS)]
    with own_redis() as (server, owner):

        def begin() -> None:
            lay_out(owner, ["o" * 20] * 200)
            Stage(owner).let_in(*range(HOLDS))

        begin()
        size = append_only_file(server).stat().st_size
        run(owner, holds)
        learnt = run(owner, [learn(writes) for writes in recorded_writes(server, size)])
        assert learnt == list(range(1, HOLDS + 1)), learnt
        after = _remains(owner)

        async def ours() -> float:
            begin()
            taken, replies = microseconds(owner, holds)
            assert all(reply[0] == b"held" for reply in replies), replies[-1]
            return taken

        async def writes_only() -> float:
            begin()
            taken, _ = microseconds(owner, [instead(each, "yardstick_writes") for each in holds])
            assert _remains(owner) == after, "the yardstick makes other writes than the hold"
            return taken

        found = await interleave(ROUNDS, {"ours": ours, "writes": writes_only})
    return [WRITES.judge(found["ours"], found["writes"], "µs")]


def _remains(owner: Owner) -> tuple[Any, ...]:
    """What a run leaves behind, without what holds the time of day: rows, index, counts, keys."""
    fields = {name: value for name, value in owner.hgetall(PERFORMANCE[0]).items() if name[:1] != b"h"}
    return fields, owner.get(PERFORMANCE[1]), owner.zcard(PERFORMANCE[2]), sorted(owner.keys())


def filled(seats: int, share: float) -> list[str]:
    """A hall as best-available fills it: sold from the best row on, a single seat left over now and then.

    At least one run of four stays open.
    """
    lengths = [length for _ in range(seats // sum(SECTIONS)) for length in SECTIONS]
    left = max(4, round(seats * (1 - share)))
    singles = min(left // 10, left - 4) if share else 0
    states = ["s"] * (seats - left + singles) + ["o"] * (left - singles)
    for number in range(singles):
        states[(number + 1) * (seats - left) // (singles + 1)] = "o"
    rows, start = [], 0
    for length in lengths:
        rows.append("".join(states[start : start + length]))
        start += length
    return rows


async def _best(owner: Owner, calls: int, *, is_scan: bool = False) -> float:
    """Hold and release, time after time; microseconds for the two."""
    commands = [each for n in range(calls) for each in (hold(n, [1, "best", "", 4]), release(n))]
    if is_scan:
        names = ("yardstick_scan", "yardstick_scan_release")
        commands = [instead(each, names[number % 2]) for number, each in enumerate(commands)]
    operations = [command[4] for command in commands]
    owner.delete(*operations)
    taken, replies = microseconds(owner, commands)
    said = [reply[0] if isinstance(reply, list) else reply for reply in replies]
    # A refusal (the visitors' passes end) would be timed as a hold that cost nothing.
    assert is_scan or said == [b"held", b"released"] * calls, said
    assert b"none" not in said
    return taken * 2


async def best_available() -> list[Part]:
    """P5: two halls, each on a Redis of its own, at each fill; then the big one against a scan."""
    parts = []
    with own_redis() as (_, small), own_redis() as (_, big):
        for share in (0.0, 0.5, 0.95, 0.999):
            for owner, seats in ((small, 2_000), (big, 80_000)):
                lay_out(owner, filled(seats, share))
                Stage(owner).let_in(*range(HOLDS))
            measures = {"big": lambda: _best(big, HOLDS), "small": lambda: _best(small, HOLDS)}
            found = await interleave(ROUNDS, measures)
            part = FLAT.judge(found["big"], found["small"], "µs")
            parts.append(msgspec.structs.replace(part, what=f"{FLAT.what}, {share * 100:g} % sold"))
            if share == 0.95:
                rivals = {"ours": lambda: _best(big, HOLDS), "scan": lambda: _best(big, 50, is_scan=True)}
                found = await interleave(ROUNDS, rivals)
                scanned = SCAN.judge(found["scan"], found["ours"], "µs")
    return [*parts, scanned]
