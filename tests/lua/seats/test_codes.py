"""A hold's codes, over several performances, come back once and with its end, in whatever order its parts end."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from tests.lua.stage import HOLD_MS, Stage

MOST = 3
BOTH: list[list[Any]] = [[1, "seats", 0, 0], [2, "seats", 0, 0]]
AN_HOUR_MS = 3_600_000


def terms(uses: int, most: int = MOST) -> tuple[Any, ...]:
    return (0, 0, 0, 0, AN_HOUR_MS, ["spring", uses, most])


def used(stage: Stage) -> int:
    return int(stage.fields(stage.keys.cell)["uspring"])


@pytest.fixture(params=[0, 30_000], ids=["back at once", "back later"])
def both(stage: Stage, request: pytest.FixtureRequest) -> Stage:
    """Visitor 1 holds a seat of two performances with two uses of a code."""
    for name in ("p", "q"):
        stage.before("A: . . .", performance=name, return_ms=request.param)
    stage.let_in(1, 2)
    assert stage.hold_packed(1, BOTH, ["p", "q"], terms=terms(2))[0] == b"held"
    return stage


Step = Callable[[Stage], object]
ENDS: dict[str, Step] = {
    "p's clock": lambda stage: stage.sweep(performance="p"),
    "q's clock": lambda stage: stage.sweep(performance="q"),
    "somebody else in q": lambda stage: stage.hold(2, "A3", performance="q"),
    "it is let go": lambda stage: stage.release(1, "h1", ["p", "q"]),
}


@pytest.mark.parametrize("order", permutations(ENDS), ids=", ".join)
def test_in_whatever_order_the_parts_end_a_code_comes_back_once(both: Stage, order: tuple[str, ...]) -> None:
    both.pass_time(HOLD_MS + 1)
    for step in order:
        ENDS[step](both)
        assert used(both) in {0, 2}
    assert used(both) == 0
    both.pass_time(60_000)
    for name in ("p", "q"):
        both.sweep(performance=name)
        assert both.held("h1", name) is None
    assert used(both) == 0


@pytest.mark.parametrize("order", [("p", "q"), ("q", "p")], ids=" before ".join)
def test_a_hold_that_is_kept_longer_keeps_its_code_in_every_part(both: Stage, order: tuple[str, ...]) -> None:
    assert both.extend(1, "h1", ["p", "q"])[0] == b"extended"
    both.pass_time(HOLD_MS + 1)
    for name in order:
        both.sweep(performance=name)
    assert used(both) == 2, "neither part has ended"
    both.let_in(2)
    assert both.hold(2, "A3", terms=terms(2)) == [b"code_used", b"spring", 1]
    assert both.confirm(1, "h1", ["p", "q"])[0] == b"confirmed"
    assert used(both) == 2


@pytest.mark.parametrize("left", [1, 2], ids=["p is kept", "q is kept"])
def test_what_is_exchanged_for_less_gives_back_what_it_uses_no_more(both: Stage, left: int) -> None:
    swapped = both.swap_packed(1, "h1", [[left, "seats", 0, 0]], ["p", "q"], former_in=(1, 2), terms=terms(1))
    assert swapped[0] == b"held"
    assert used(both) == 1
    assert both.hold_packed(2, [[1, "seats", 0, 1], [1, "seats", 0, 2]], terms=terms(2))[0] == b"held"
    assert used(both) == MOST
    both.pass_time(HOLD_MS + 1)
    for _ in range(2):
        for name in ("q", "p"):
            both.sweep(performance=name)
    assert used(both) == 0


@pytest.mark.parametrize("order", [("p", "q"), ("q", "p")], ids=" before ".join)
def test_a_part_of_an_order_gives_back_its_own_use(both: Stage, order: tuple[str, ...]) -> None:
    assert both.confirm(1, "h1", ["p", "q"], order="o1")[0] == b"confirmed"
    for number, name in enumerate(order):
        part = ["v1", 0, [0, 0, 1], [], 0, "", ["spring", 1]]
        given_back = both.give_back(
            1, "o1", performances=[name], parts=[part], standing=(0, 1), items=(number,), fingerprint=name
        )
        assert given_back[0] == b"returned"
        assert used(both) == 1 - number
    both.pass_time(60_000)
    for name in order:
        both.sweep(performance=name)
    assert used(both) == 0


def test_a_late_payment_counts_what_came_back_of_one_part_again(both: Stage) -> None:
    both.pass_time(HOLD_MS + 1)
    for name in ("q", "p"):
        both.sweep(performance=name)
        assert used(both) == (2 if name == "q" else 0)
    assert both.rebook(1, "A1", ["p", "q"], holds=["h1"], codes=["spring", 2, MOST])[0] == b"confirmed"
    assert used(both) == 2


@pytest.mark.parametrize("swept", ["p", "q"])
def test_a_late_payment_with_one_part_still_there_counts_once(both: Stage, swept: str) -> None:
    both.pass_time(HOLD_MS + 1)
    both.sweep(performance=swept)
    assert both.rebook(1, "A1", ["p", "q"], holds=["h1"], codes=["spring", 2, MOST])[0] == b"confirmed"
    assert used(both) == 2
