"""A line goes on behind everyone whom the ledger knows."""

import pytest

from tests.lua.stage import SALE, Stage


def restore(stage: Stage, joined: int) -> list[bytes | int]:
    return stage.run("on_sale/restore", [stage.keys.cell, stage.keys.sale(SALE)], "public", joined)


@pytest.mark.parametrize(("known", "ledger", "joined"), [(3, 8, 8), (8, 3, 8), (0, 0, 0)])
def test_the_line_is_as_long_as_whoever_knows_more_says(stage: Stage, known: int, ledger: int, joined: int) -> None:
    stage.put_up(joined=known, rate=1)
    assert restore(stage, ledger) == [b"restored", joined]
    assert restore(stage, ledger) == [b"restored", joined]
    assert stage.join()[:2] == [b"joined", joined]


def test_a_line_that_knows_more_is_left_alone(stage: Stage) -> None:
    stage.put_up(joined=8)
    with stage.nothing_changes():
        restore(stage, 3)
