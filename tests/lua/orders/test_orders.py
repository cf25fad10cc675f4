"""confirm, await, conflict, find."""

import msgspec

from tests.lua.stage import SALE, pack


def await_payment(stage, visitor, hold, *, order="o1", payment="late-1", operation="", keep_ms=60_000):
    keys = stage.keys
    key, _, due = keys.performance("p")
    return stage.run(
        "orders/await",
        [keys.cell, operation or stage.key(), keys.payment("demo", payment), keys.order(order), key, due],
        *("f", f"v{visitor}", b"payload", pack([[hold, 1]]), keep_ms),
    )


def find(stage, order):
    return stage.ask("orders/find", [stage.keys.order(order), stage.keys.recorded])


def test_confirming_sells_the_seats_and_writes_one_entry(stage):
    stage.before("A: . h1 h1")
    stage.let_in(1)
    reply = stage.confirm(1, "h1", order="o1", total=4200)
    assert reply[0] == b"confirmed"
    assert stage.after() == "A: . s s"
    assert stage.index_is_right()
    entries = stage.redis.xrange(stage.keys.outbox)
    assert [fields for _, fields in entries] == [{b"kind": b"order", b"data": b"payload"}]
    assert entries[0][0] == reply[1]
    sale = stage.sale()
    assert (sale["orders"], sale["takings"]) == ("1", "4200")
    assert stage.redis.zscore(stage.keys.live(SALE), "1") is None
    key, _, due = stage.keys.performance("p")
    assert stage.redis.hget(key, "hh1") is None
    assert stage.redis.zcard(due) == 0
    assert find(stage, "o1")[:2] == [b"found", b"confirmed"]


def test_cannot_confirm_another_visitors_hold(stage):
    stage.before("A: . h1")
    assert stage.confirm(2, "h1") == [b"hold_ended", b"h1"]
    assert stage.after() == "A: . h"


def test_the_houses_own_may_confirm_anybodys_hold(stage):
    stage.before("A: . h1")
    assert stage.confirm(2, "h1", owner="")[0] == b"confirmed"


def test_cannot_confirm_what_is_over(stage):
    stage.before("A: . .")
    stage.let_in(1)
    stage.hold(1, "A1", hold="gone", hold_ms=-1)
    assert stage.confirm(1, "gone") == [b"hold_ended", b"gone"]
    assert stage.redis.xlen(stage.keys.outbox) == 0


def test_a_repeat_confirms_once(stage):
    stage.before("A: . h1")
    operation = stage.key()
    first = stage.confirm(1, "h1", order="o1", payment="yes-1", operation=operation)
    again = stage.confirm(1, "h1", order="o2", payment="yes-1", operation=operation)
    assert again == first
    assert again[2].decode() == stage.keys.order("o1")
    assert stage.redis.xlen(stage.keys.outbox) == 1


def test_a_payment_buys_one_order(stage):
    stage.before("A: h1 . h2")
    assert stage.confirm(1, "h1", order="o1", payment="yes-1")[0] == b"confirmed"
    assert stage.confirm(2, "h2", order="o2", payment="yes-1") == [
        b"payment_used",
        stage.keys.order("o1").encode(),
    ]
    assert stage.after() == "A: s . h"


def test_a_late_payment_keeps_the_hold_once(stage):
    stage.before("A: . .")
    stage.let_in(1)
    stage.hold(1, "A1", hold="h1", hold_ms=1_000)
    reply = await_payment(stage, 1, "h1")
    assert reply[0] == b"awaiting"
    key, _, due = stage.keys.performance("p")
    assert stage.redis.zscore(due, "h1") == reply[1]
    record = msgspec.msgpack.decode(stage.redis.hget(key, "hh1"))
    assert record[1] == reply[1]
    assert find(stage, "o1")[:2] == [b"found", b"awaiting_payment"]
    assert stage.confirm(1, "h1", order="o1", payment="late-1", owner="")[0] == b"confirmed"
    assert find(stage, "o1")[:2] == [b"found", b"confirmed"]


def test_money_that_came_too_late_becomes_a_conflict_once(stage):
    stage.before("A: . h1")
    keys = stage.keys
    operation = stage.key()
    for _ in range(2):
        reply = stage.run(
            "orders/conflict",
            [keys.cell, operation, keys.payment("demo", "late-1"), keys.order("o1"), keys.outbox],
            *("f", b"payload"),
        )
        assert reply[0] == b"conflicted"
    assert [fields[b"kind"] for _, fields in stage.redis.xrange(keys.outbox)] == [b"conflict"]
    assert find(stage, "o1")[1] == b"conflicted"


def test_several_holds_of_several_performances_in_one_step(stage):
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1)
    stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 1]], ["p", "q"], hold="both")
    assert stage.confirm(1, "both", ["p", "q"])[0] == b"confirmed"
    assert (stage.after("p"), stage.after("q")) == ("A: s .", "A: . s")


def test_an_unknown_order_says_how_far_recording_is(stage):
    stage.redis.set(stage.keys.recorded, "5-0")
    assert find(stage, "nothing") == [b"unknown_order", b"5-0"]
