"""Where the cell stands."""

from engine.library import assemble
from tests.lua.stage import SALE, Stage


def gate(stage: Stage) -> list[bytes | int]:
    return stage.ask("cell/gate", [stage.keys.cell, stage.keys.outbox, stage.keys.recorded])


def test_an_open_gate_says_at_which_epoch(stage: Stage) -> None:
    assert gate(stage) == [b"gate", b"1", b"1", b"0", b"0", 0, 0, 0, b"", b"0-0", b"0-0", 0]


def test_a_closed_gate_says_so_and_still_knows_its_epoch(stage: Stage) -> None:
    stage.run("cell/close", [stage.keys.cell])
    assert gate(stage)[:3] == [b"gate", b"", b"1"]


def test_counts_what_happened_and_what_waits_to_be_recorded(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join("a")
    stage.join("b")
    stage.redis.set(stage.keys.recorded, "5-1")
    newest = stage.redis.xinfo_stream(stage.keys.outbox)["last-generated-id"]
    assert gate(stage) == [b"gate", b"1", b"1", b"3", b"0", 2, 0, 0, b"", b"5-1", newest, 0]


def test_an_empty_redis_is_closed_whatever_this_process_remembers(stage: Stage) -> None:
    stage.redis.execute_command("FLUSHALL")
    assert gate(stage) == [b"gate", b"", b"0", b"0", b"0", 0, 0, 0, b"", b"0-0", b"0-0", 0]
    assert stage.ask("waiting_room/status", [stage.keys.sale(SALE), stage.keys.live(SALE)]) == [b"unknown_on_sale"]


def opened_by(stage: Stage) -> str:
    return f"opened_by:{assemble().name}"


def test_data_that_were_opened_by_another_process_are_closed_here(stage: Stage) -> None:
    """A primary became a replica, its successor recovered and sold, and now it is promoted again, without a restart."""
    stage.put_up()
    stage.redis.hset(stage.keys.cell, mapping={"epoch": 2, opened_by(stage): 2})
    for epoch in ("1", "2"):
        stage.epoch = epoch
        assert stage.join() == [b"closed"]
    assert gate(stage)[:3] == [b"gate", b"", b"2"]


def test_data_that_fell_behind_what_this_process_has_seen_are_closed(stage: Stage) -> None:
    """It became a replica of one that had lagged behind it, and is promoted again before anybody recovered."""
    stage.put_up()
    stage.join()
    seen = int(stage.fields(stage.keys.cell)["sequence"])
    stage.redis.hset(stage.keys.cell, "sequence", seen - 1)
    assert stage.join() == [b"closed"]
    stage.redis.hset(stage.keys.cell, "sequence", seen)
    assert stage.join() == [b"closed"], "once in doubt, it is recovery that opens"


def test_data_that_another_release_carried_on_stay_open(stage: Stage) -> None:
    stage.put_up()
    stage.join()
    stage.redis.hincrby(stage.keys.cell, "sequence", 40)
    assert stage.join()[0] == b"joined"


def test_recovery_opens_data_that_fell_behind(stage: Stage) -> None:
    stage.put_up()
    stage.join()
    stage.redis.hset(stage.keys.cell, "sequence", 0)
    assert stage.join() == [b"closed"]
    assert stage.open_at(2) == [b"open", b"2"]
    stage.epoch = "2"
    assert stage.join()[0] == b"joined"


def test_everybody_knows_when_something_was_lost_and_a_restart_loses_nothing(stage: Stage) -> None:
    before = stage.now_ms()
    stage.open_at(2, 1_500)
    lost_at_ms = gate(stage)[-1]
    assert isinstance(lost_at_ms, int)
    assert before <= lost_at_ms <= stage.now_ms()
    stage.open_at(3)
    assert gate(stage)[-1] == lost_at_ms
