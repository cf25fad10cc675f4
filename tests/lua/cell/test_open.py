"""Recovery's last step."""

import pytest

from engine.library import assemble
from tests.lua.stage import Stage


def test_opens_at_an_epoch_and_stores_it(stage: Stage) -> None:
    stage.put_up()
    assert stage.ask("cell/open", [stage.keys.cell], 7) == [b"open", b"7"]
    assert stage.fields(stage.keys.cell)["epoch"] == "7"
    assert stage.join() == [b"fenced", b"7"]
    stage.epoch = "7"
    assert stage.join()[0] == b"joined"


@pytest.mark.parametrize(("stored", "epoch"), [(8, 7), (10, 9), (10**15 + 1, 10**15)])
def test_cannot_open_at_an_epoch_that_is_over(stage: Stage, stored: int, epoch: int) -> None:
    stage.ask("cell/close", [stage.keys.cell], stored)
    with stage.nothing_changes():
        assert stage.ask("cell/open", [stage.keys.cell], epoch) == [b"fenced", str(stored).encode()]
    assert stage.join() == [b"closed"]


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
