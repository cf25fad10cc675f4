"""Where the cell stands."""

from tests.lua.stage import SALE, Stage


def gate(stage: Stage) -> list[bytes | int]:
    return stage.ask("cell/gate", [stage.keys.cell, stage.keys.outbox])


def test_an_open_gate_says_at_which_epoch(stage: Stage) -> None:
    assert gate(stage) == [b"gate", b"1", b"1", b"0", b"0", 0]


def test_a_closed_gate_says_so_and_still_knows_its_epoch(stage: Stage) -> None:
    stage.run("cell/close", [stage.keys.cell])
    assert gate(stage)[:3] == [b"gate", b"", b"1"]


def test_counts_what_happened_and_what_waits_to_be_recorded(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join("a")
    stage.join("b")
    assert gate(stage) == [b"gate", b"1", b"1", b"3", b"0", 2]


def test_knows_nothing_of_an_empty_redis_but_that_its_gate_was_opened(stage: Stage) -> None:
    stage.redis.execute_command("FLUSHALL")
    assert gate(stage) == [b"gate", b"1", b"0", b"0", b"0", 0]
    assert stage.ask("waiting_room/status", [stage.keys.sale(SALE), stage.keys.live(SALE)]) == [b"unknown_on_sale"]
