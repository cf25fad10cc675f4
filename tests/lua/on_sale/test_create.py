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


def test_what_is_from_the_past_gives_way(stage: Stage) -> None:
    stage.put_up(rate=1, message="of long ago")
    fields = pack(["phase", "paused", "now_serving", 7])
    assert stage.run("on_sale/create", [stage.keys.cell, stage.keys.sale(SALE)], fields, 1)[0] == b"created"
    now = stage.sale()
    assert (now["phase"], now["now_serving"], now["rate"]) == ("paused", "7", "1")


def test_can_be_put_up_while_the_gate_is_closed(stage: Stage) -> None:
    stage.run("cell/close", [stage.keys.cell])
    reply = stage.run("on_sale/create", [stage.keys.cell, stage.keys.sale(SALE)], pack(["phase", "scheduled"]), 0)
    assert reply[0] == b"created"
