"""The state of every seat at one version."""

import pytest

from tests.lua.stage import Stage


def snapshot(stage: Stage, areas: int = 0, performance: str = "p") -> list[bytes | int]:
    return stage.ask("seats/snapshot", [stage.hall(performance)[0]], areas)


def test_gives_every_row_and_area_at_its_version(stage: Stage) -> None:
    stage.before("A: . h1 x   B: s2", areas=(5, 3))
    stage.let_in(3, 4)
    stage.stand(3, 2, 0)
    stage.stand(4, 3, 1)
    stage.confirm(4, "h4")
    with stage.nothing_changes():
        seen = snapshot(stage, 2)
    assert seen == [b"seats", int(stage.hash(stage.hall()[0])[b"v"]), b"ohbs", 3, 0, 0, 0, 3, 0]


def test_tells_what_is_set_aside_of_areas(stage: Stage) -> None:
    stage.before("A: . .", areas=(5,))
    stage.allot("P", "A1", [0, 3, 0])
    stage.hold_packed(1, [[1, "area", "P0", 1]], place="")
    stage.confirm(1, "h1")
    assert snapshot(stage, 1)[2:] == [b"Po", 2, 1, 2]


def test_the_version_moves_with_the_seats_and_with_nothing_else(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    before = snapshot(stage)[1]
    stage.join()
    stage.sweep()
    assert snapshot(stage)[1] == before
    stage.hold(1, "A1")
    assert snapshot(stage)[1] != before


@pytest.mark.parametrize("blocks", [1, 999, 1000, 1001, 2500])
def test_a_hall_of_any_size_in_order(stage: Stage, blocks: int) -> None:
    rows = ["ob"[number % 2] * (number % 3 + 1) for number in range(blocks)]
    for first in range(0, blocks, 500):
        chunk = [(f"1 {'A' * len(row)}", row) for row in rows[first : first + 500]]
        stage.install(chunk, 1, first=first, last=blocks)
    assert snapshot(stage)[2] == "".join(rows).encode()


def test_a_performance_that_is_not_there(stage: Stage) -> None:
    assert snapshot(stage, performance="elsewhere") == [b"unknown_performance"]
