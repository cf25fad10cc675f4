"""What there is instead of what was refused."""

from typing import Any

import msgspec
import pytest

from tests.lua.stage import Stage, pack

DRAWING = "A: s1 . .   B: . . . s1"


def suggested(stage: Stage, performance: str, *items: list[Any]) -> Any:
    key, index, _ = stage.hall(performance)
    reply = stage.ask("seats/suggest", [key, index], pack(items))
    return [reply[0], *map(msgspec.msgpack.decode, reply[1:])]


@pytest.mark.parametrize(
    ("item", "runs"),
    [
        (["best", "A", 2], [0, 1, 2]),
        (["best", "B", 3], [1, 0, 3]),
        (["best", "A", 3], []),
        (["best", "", 2], [0, 1, 2]),
        (["best", "", 5], []),
        (["best", "", 5, {"split": 4}], [1, 0, 3, 0, 1, 2]),
        (["best", "", 6, {"split": 4}], []),
        (["area", 0, 2], [2]),
        (["area", 0, 3], []),
    ],
)
def test_each_item_gets_what_a_hold_would_get_now(stage: Stage, item: list[Any], runs: list[int]) -> None:
    stage.before(DRAWING, categories={"A": "AAA", "B": "BBBB"}, areas=[2])
    with stage.nothing_changes():
        found = suggested(stage, "p", item, ["area", 0, 1])
    assert found[0] == b"suggested"
    assert found[1:] == [runs, [1]]


def test_of_what_is_set_aside_a_choice_is_told_too(stage: Stage) -> None:
    stage.before("A: . . . .   B: . . .", areas=[4])
    stage.allot("P", "A2 A3 B1 B2 B3", [0, 3, 0])
    wishes = [["best", "", k, {"from": "P"}] for k in (2, 3, 4)]
    found = suggested(stage, "p", *wishes, ["area", "P0", 3], ["area", "P0", 4])
    assert found == [b"suggested", [0, 1, 2], [1, 0, 3], [], [3], []]


def test_a_performance_that_is_not_there(stage: Stage) -> None:
    assert suggested(stage, "elsewhere", ["best", "A", 1]) == [b"unknown_performance"]
