"""Recovery's last step."""

import pytest

from engine.library import assemble
from tests.lua.stage import Stage


def test_opens_at_an_epoch_and_stores_it(stage: Stage) -> None:
    stage.put_up()
    assert stage.open_at(7) == [b"open", b"7"]
    assert stage.fields(stage.keys.cell)["epoch"] == "7"
    assert stage.join() == [b"fenced", b"7"]
    stage.epoch = "7"
    assert stage.join()[0] == b"joined"


@pytest.mark.parametrize(("stored", "epoch"), [(8, 7), (10, 9), (10**15 + 1, 10**15)])
def test_cannot_open_at_an_epoch_that_is_over(stage: Stage, stored: int, epoch: int) -> None:
    stage.ask("cell/close", [stage.keys.cell], stored)
    with stage.nothing_changes():
        assert stage.ask("cell/open", [stage.keys.cell], epoch, 0) == [b"fenced", str(stored).encode()]
    assert stage.join() == [b"closed"]


def test_cannot_open_what_was_closed_elsewhere(stage: Stage) -> None:
    """A recovery that goes past a promotion compared another Redis, however far its writes were copied."""
    stage.put_up()
    stage.ask("cell/close", [stage.keys.cell], 2)
    stage.set_cell(epoch=3)  # closed on the primary of before, and copied
    for epoch in (2, 3, 4):
        with stage.nothing_changes():
            assert stage.ask("cell/open", [stage.keys.cell], epoch, 0) == [b"fenced", b"3"]
        assert stage.join() == [b"closed"]
    assert stage.open_at(3) == [b"open", b"3"]


def test_one_houses_gate_is_not_anothers(stage: Stage) -> None:
    other = Stage(stage.redis, "other")
    other.ask("cell/close", [other.keys.cell], 1)
    stage.put_up()
    assert stage.join()[0] == b"joined"
    assert other.join() == [b"closed"]


def test_a_redis_that_lost_its_library_comes_back_closed(stage: Stage) -> None:
    stage.put_up()
    stage.redis.execute_command("FUNCTION", "LOAD", "REPLACE", assemble().source)
    assert stage.fields(stage.keys.cell)["epoch"] == "1"
    assert stage.join() == [b"closed"]


def test_after_a_loss_nothing_new_is_held_for_a_while_and_what_was_held_is_sold(stage: Stage) -> None:
    """Whoever was told that an order is confirmed, and lost it with Redis, comes before anybody new."""
    stage.before("A: h1 . . .")
    stage.let_in(2)
    assert stage.open_at(2, 60_000) == [b"open", b"2"]
    stage.epoch = "2"
    with stage.nothing_changes():
        assert stage.hold(2, "A2") == [b"closed"]
    assert stage.rebook(3, "A3")[0] == b"confirmed"
    assert stage.confirm(1, "h1")[0] == b"confirmed"
    assert stage.join()[0] == b"joined"
    assert stage.open_at(3) == [b"open", b"3"]
    stage.epoch = "3"
    assert stage.hold(2, "A2")[0] == b"held"
