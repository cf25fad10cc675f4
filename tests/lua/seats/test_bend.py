"""When units are released is changed while they are on sale, for the time that has not passed yet."""

import msgspec

from tests.lua.stage import Stage

HOUR = 3_600_000
BAYS = "A: . .   B: . .   C: . .   D: . .   E: . . ."
CLASSES = {"A": "aa", "B": "aa", "C": "aa", "D": "aa", "E": "AAA"}
UNITS = [0, 1, 2, 3]


def classes(stage: Stage) -> str:
    fields = stage.hash(stage.hall()[0])
    return " ".join(fields[f"c{block}".encode()].decode().split()[1] for block in range(5))


def test_what_is_to_come_is_changed_and_what_has_passed_is_not(stage: Stage) -> None:
    now = stage.now_ms()
    stage.before(BAYS, categories=CLASSES, curve=[[now + HOUR, 50, now + 3 * HOUR, 100], UNITS])
    stage.pass_time(HOUR + 1_000)
    later = stage.now_ms() + 2 * HOUR
    # The first step is due and nobody has come by yet; what is told of the past counts no more.
    reply = stage.bend([[1, 100, stage.now_ms() - 1_000, 100, later, 100], UNITS])
    assert reply[0] == b"bent"
    assert classes(stage) == "aa aa AA AA AAA"
    stage.pass_time(2 * HOUR - 5_000)
    stage.sweep()
    assert classes(stage) == "aa aa AA AA AAA"
    stage.pass_time(6_000)
    stage.sweep()
    assert classes(stage) == "AA AA AA AA AAA"
    assert stage.index_is_right()


def test_it_may_begin_and_it_may_end(stage: Stage) -> None:
    stage.before(BAYS, categories=CLASSES)
    assert stage.bend([[stage.now_ms() + HOUR, 100], UNITS])[0] == b"bent"
    assert stage.bend([[], UNITS])[0] == b"bent"
    stage.pass_time(9 * HOUR)
    stage.sweep()
    assert classes(stage) == "aa aa aa aa AAA"
    assert stage.bend([[stage.now_ms() + HOUR, 25], UNITS])[0] == b"bent"
    stage.pass_time(HOUR + 1)
    stage.sweep()
    assert classes(stage) == "aa aa aa AA AAA"


def test_the_performance_is_published_with_it_and_the_ledger_told(stage: Stage) -> None:
    stage.before(BAYS, categories=CLASSES)
    version = stage.fields(stage.keys.cell).get("catalogue", "0")
    stage.bend([[stage.now_ms() + HOUR, 100], UNITS], operation=stage.keys.operation("once"))
    assert stage.fields(stage.keys.catalogue)["performance:p"] == "{}"
    assert int(stage.fields(stage.keys.cell)["catalogue"]) == int(version) + 1
    last = stage.redis.execute_command("XREVRANGE", stage.keys.outbox, "+", "-", "COUNT", 1)[0][1]
    assert last == {b"kind": b"document", b"data": b"action", b"name": b"performance:p", b"body": b"{}"}
    with stage.nothing_changes():
        stage.bend([[1, 1], UNITS], operation=stage.keys.operation("once"))


def test_nothing_is_bent_that_is_not_laid_out(stage: Stage) -> None:
    stage.before(BAYS, categories=CLASSES)
    with stage.nothing_changes():
        assert stage.bend([[], []], performance="nowhere") == [b"unknown_performance"]


def test_a_redis_from_the_past_goes_on_by_what_is_told_now(stage: Stage) -> None:
    now = stage.now_ms()
    stage.before(BAYS, categories=CLASSES, curve=[[now - 1_000, 50, now + HOUR, 100], UNITS])
    later = now + 5 * HOUR
    stage.restore("", curve=[[now - 1_000, 25, later, 100], UNITS])
    steps, _ = msgspec.msgpack.decode(stage.hash(stage.hall()[0])[b"x"])
    assert steps == [now - 1_000, 50, later, 100]
    stage.sweep()
    assert classes(stage) == "aa aa AA AA AAA"


def test_a_bay_that_was_held_at_the_last_step_is_waited_for_after_a_loss_too(stage: Stage) -> None:
    stage.before(BAYS, categories=CLASSES, curve=[[stage.now_ms() + HOUR, 100], UNITS])
    stage.let_in(1, ms=100 * HOUR)
    stage.hold(1, "A1 A2", hold_ms=2 * HOUR)
    stage.pass_time(HOUR + 1_000)
    stage.sweep()
    assert classes(stage) == "aa AA AA AA AAA"
    stage.restore("", curve=[[stage.now_ms() - 1_000, 100], UNITS])
    stage.pass_time(120_000)
    stage.sweep()
    assert classes(stage) == "AA AA AA AA AAA"
    assert stage.index_is_right()


def test_what_is_to_come_is_no_longer_waited_for_where_something_else_is_told(stage: Stage) -> None:
    stage.before(BAYS, categories=CLASSES, curve=[[stage.now_ms() + HOUR, 50], UNITS])
    stage.let_in(1, ms=100 * HOUR)
    stage.hold(1, "A1 A2", hold_ms=HOUR + 30_000)
    stage.pass_time(HOUR + 1_000)
    stage.sweep()
    assert classes(stage) == "aa aa aa AA AAA"
    assert stage.bend([[stage.now_ms() + HOUR, 100], UNITS])[0] == b"bent"
    stage.pass_time(120_000)
    stage.sweep()
    assert classes(stage) == "aa aa aa AA AAA"
    assert stage.bend([[], UNITS])[0] == b"bent"
    stage.pass_time(HOUR)
    stage.sweep()
    assert classes(stage) == "aa aa aa AA AAA"
    assert b"q" not in stage.hash(stage.hall()[0])
