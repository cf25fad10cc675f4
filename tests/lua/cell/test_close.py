"""Nothing is sold until the gate is opened again."""

import pytest

from tests.lua.stage import Stage


@pytest.mark.parametrize(("stored", "epoch", "becomes"), [(3, 5, 5), (5, 5, 5), (5, 3, 5), (9, 10, 10)])
def test_closes_and_the_stored_epoch_never_falls(stage: Stage, stored: int, epoch: int, becomes: int) -> None:
    stage.open_at(stored)
    assert stage.ask("cell/close", [stage.keys.cell], epoch) == [b"closed", str(becomes).encode()]
    assert stage.fields(stage.keys.cell)["epoch"] == str(becomes)
    for any_epoch in (stored, epoch, becomes):
        stage.epoch = str(any_epoch)
        assert stage.join() == [b"closed"]
