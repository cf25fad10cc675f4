"""An on-sale is put up."""

from tests.lua.stage import SALE, Stage, pack


def test_puts_up_what_it_is_given(stage: Stage) -> None:
    assert stage.create({"phase": "scheduled", "rate": 60}) == [b"created", 1]
    assert stage.sale() == {"phase": "scheduled", "rate": "60"}


def test_what_is_there_stays_as_it_is(stage: Stage) -> None:
    stage.put_up(rate=1)
    stage.join()
    with stage.nothing_changes():
        assert stage.create({"phase": "scheduled", "rate": 60}) == [b"exists"]


def test_can_be_put_up_while_the_gate_is_closed(stage: Stage) -> None:
    stage.run("cell/close", [stage.keys.cell])
    reply = stage.run("on_sale/create", [stage.keys.cell, stage.keys.sale(SALE)], pack(["phase", "scheduled"]))
    assert reply[0] == b"created"
