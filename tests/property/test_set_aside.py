"""No general hold ever took a seat that was set aside, or a place for a wheelchair that was not released yet."""

from collections import Counter
from typing import Any

import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.lua.stage import Stage
from tests.lua.stage_hall import HOLD_MS

HOUR = 3_600_000
VISITORS = range(1, 6)
ROWS = st.lists(st.sampled_from(["AAAA", "aa", "AABB", "b", "BBBBBB", "AAA"]), min_size=2, max_size=6)
CHOICES = st.sampled_from(["best", "best", "best", "split", "named", "let go", "pay", "time", "allot", "open"])


@given(
    rows=ROWS,
    steps=st.lists(st.tuples(CHOICES, st.integers(0, 10**6)), max_size=40),
    percent=st.sampled_from([50, 100]),
)
# An allotment in a unit and the unit itself released in one call: the index kept what the unit was before.
@example(rows=["AAAA", "aa"], steps=[("time", 194), ("allot", 1), ("time", 4538), ("best", 0)], percent=100)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
def test_no_general_hold_takes_what_is_not_everybodys(
    owner: redis.Redis, rows: list[str], steps: list[tuple[str, int]], percent: int
) -> None:
    owner.flushall()
    stage = Stage(owner)
    names = "ABCDEF"[: len(rows)]
    now = stage.now_ms()
    units = [block for block, row in enumerate(rows) if row.islower()]
    curve = [[now + 2 * HOUR, percent, now + 3 * HOUR, 100], units]
    drawing = "   ".join(f"{name}: " + " ".join("." * len(row)) for name, row in zip(names, rows, strict=True))
    stage.before(drawing, categories=dict(zip(names, rows, strict=True)), kinds=2, curve=curve)
    letters = iter("PQRSTUVWXYZ")
    live: list[str] = []
    for number, (step, chance) in enumerate(steps):
        visitor, hold = 1 + chance % 5, f"h{number}"
        stage.let_in(*VISITORS, ms=10 * HOUR)
        stage.sweep()
        before, described = stage.rows(), stage.hash(stage.hall()[0])
        classes = [described[f"c{block}".encode()].decode().split()[1] for block in range(len(rows))]
        limits: dict[str, Any] = {"hold": hold, "limit": 1000, "terms": (0,)}
        reply: list[Any] = [b""]
        match step:
            case "best":
                reply = stage.best(
                    visitor, 1 + chance % 3, "ABab"[: 1 + chance % 2] if chance % 4 == 0 else "", **limits
                )
            case "split":
                reply = stage.hold_packed(visitor, [[1, "best", "", 2 + chance % 3, {"split": 4}]], **limits)
            case "named":
                block = chance % len(rows)
                seats = [chance % len(rows[block])] if chance % 3 else range(len(rows[block]))
                flat = [part for offset in seats for part in (block, offset)]
                reply = stage.hold_packed(visitor, [[1, "seats", *flat]], **limits)
            case "let go":
                stage.release(visitor, f"h{chance % (number + 1)}")
            case "pay":
                stage.confirm(visitor, f"h{chance % (number + 1)}")
            case "time":
                stage.pass_time((chance % 3) * HOUR // 2 + HOLD_MS)
            case "allot":
                block, letter = chance % len(rows), next(letters, "")
                at_ms = stage.now_ms() + HOUR if chance % 2 else 0
                if letter and stage.allot_packed(letter, [block, 0], release_at_ms=at_ms)[0] == b"allotted":
                    live.append(letter)
            case "open":
                if live:
                    stage.open(live.pop(chance % len(live)))
        if reply[0] == b"held":
            for seat in stage.seats(reply).split():
                block, offset = names.index(seat[0]), int(seat[1:]) - 1
                assert before[block][offset] == "o", (step, seat, before)
                assert step == "named" or classes[block][offset].isupper(), (step, seat, classes)
            # What is sold as a whole is taken as a whole; once it is released, seat by seat.
            taken = Counter(seat[0] for seat in stage.seats(reply).split())
            for name, count in taken.items():
                whole = classes[names.index(name)]
                assert whole.isupper() or count == len(whole), (step, taken, classes)
        if step == "named" and reply[0] == b"whole":
            assert classes[reply[2]].islower(), (reply, classes)
        assert stage.index_is_right()
        stage.redis.execute_command("DEL", stage.keys.outbox)
