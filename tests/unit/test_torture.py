"""What a torture draws, and what it makes of a fault that nobody felt and of a promise that was broken."""

import shutil
from collections.abc import Iterator

import pytest

from engine.torture.faults import Faults
from engine.torture.options import KINDS, STRUCK, Strike, draw
from engine.torture.stage import Stage
from engine.torture.told import Bought, Told


@pytest.fixture
def stage() -> Iterator[Stage]:
    """With nothing started."""
    made = Stage(draw(1, 0.1))
    yield made
    shutil.rmtree(made.folder)


def test_a_seed_draws_the_same_again_and_another_one_something_else() -> None:
    assert draw(7, 1) == draw(7, 1)
    assert draw(7, 1) != draw(8, 1)
    assert len({tuple(draw(seed, 1).drawn) for seed in range(50)}) > 20
    assert set().union(*(draw(seed, 1).drawn for seed in range(50))) == set(KINDS)


@pytest.mark.parametrize("minutes", [0.2, 1, 10])
def test_strikes_follow_one_another_within_the_time_and_only_of_the_kinds_that_can_be_had(minutes: float) -> None:
    for seed in range(20):
        options = draw(seed, minutes, kinds=("kill redis", "release"))
        at_s = [strike.at_s for strike in options.strikes]
        assert at_s == sorted(at_s)
        assert at_s[-1] < minutes * 60
        assert {strike.kind for strike in options.strikes} <= {"kill redis", "release"}
        assert options.houses[0] == STRUCK
        assert len(options.houses) > 1, "there is a neighbour to notice"


async def test_a_fault_that_nobody_felt_is_blind_until_it_was_felt_once(stage: Stage) -> None:
    faults = Faults(stage, [Told()])
    felt = 0

    async def blow(_: Strike) -> int:
        return felt

    faults._strikes["kill redis"] = ("redis", blow)
    await faults.strike(Strike("kill redis", 0, 0, 0))
    assert faults.blind == ["kill redis"]
    felt = 1
    await faults.strike(Strike("kill redis", 0, 0, 0))
    assert faults.blind == []
    assert (faults.struck["kill redis"], faults.bitten["kill redis"]) == (2, 1)


def test_a_seat_that_two_orders_were_told_is_theirs_is_a_broken_promise() -> None:
    told = Told()
    seat, floor = {"seat": "1-1"}, {"seat": None}
    told.confirm(Bought("a", "", (seat, floor), ""))
    told.confirm(Bought("a", "", (seat, floor), ""))
    told.confirm(Bought("b", "", (floor,), ""))
    assert told.broken == []
    told.confirm(Bought("c", "", (seat,), ""))
    assert told.broken == ["seat 1-1 was confirmed to a and to c"]


def test_what_a_neighbour_may_not_be_told_is_counted() -> None:
    told = Told()
    told.answers.update(
        {("hold", 201, ""): 5, ("hold", 409, "seats-taken"): 2, ("payment", 503, "ledger-unavailable"): 3}
    )
    assert (told.turned_away, told.felt_next_door) == (3, [])
    told.answers.update({("join", 0, ""): 1, ("hold", 503, "cell-unavailable"): 2})
    assert told.turned_away == 6
    assert told.felt_next_door == [
        "join was answered not at all (1 times)",
        "hold was answered 503 cell-unavailable (2 times)",
    ]
