"""What an open cell knows of an on-sale, for the ledger to keep."""

from tests.lua.stage import SALE, Reply, Stage


def standing(stage: Stage, epoch: str = "1") -> Reply:
    return stage.ask("on_sale/standing", [stage.keys.cell, stage.keys.sale(SALE)], epoch)


def test_tells_every_field(stage: Stage) -> None:
    stage.put_up(rate=7, message="Enjoy")
    with stage.nothing_changes():
        reply = standing(stage)
    fields = [part.decode() for part in reply[1]]
    assert reply[0] == b"standing"
    assert dict(zip(fields[::2], fields[1::2], strict=True)) == stage.sale()


def test_an_on_sale_that_is_not_there_is_unknown(stage: Stage) -> None:
    stage.redis.execute_command("DEL", stage.keys.sale(SALE))
    assert standing(stage) == [b"unknown_on_sale"]


def test_a_cell_that_is_closed_tells_nothing(stage: Stage) -> None:
    stage.put_up()
    stage.run("cell/close", [stage.keys.cell])
    assert standing(stage) == [b"closed"]


def test_whoever_knows_another_epoch_is_told_nothing_else(stage: Stage) -> None:
    assert standing(stage, epoch="9") == [b"fenced", b"1"]
