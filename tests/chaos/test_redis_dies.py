"""A house's Redis is killed, or its power cut, in the middle of a rush: no order that was said to be confirmed is lost
or recorded twice. `PARVIS_ROUNDS=50` for the long run."""

import contextlib
import os

import pytest

from engine.torture.shim import Shim, missing
from tests.chaos.crowd import Crowd
from tests.chaos.deaths import Deaths, shimmed
from tests.chaos.truth import clean, recorded
from tests.town import Town, small_plan

SEED = int(os.environ.get("PARVIS_SEED", "9"))
ROUNDS = int(os.environ.get("PARVIS_ROUNDS", "4"))
TRIES = 12
PATIENCE_SECONDS = 20.0
CAP = 100_000
"""Whoever finds nothing keeps the pass until it ends; so many rounds would fill the house."""
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(120 + 15 * ROUNDS),
    pytest.mark.skipif(bool(missing()), reason=f"not available here: {missing()}"),
]


@pytest.mark.parametrize("by_power_cut", [False, True], ids=["killed", "power-cut"])
async def test_a_redis_that_dies_loses_no_confirmed_order_and_sells_none_twice(
    town: Town, shim: Shim, *, by_power_cut: bool
) -> None:
    plan = small_plan(rows=20, seats=40, standing=100_000)
    async with (
        await town.open_sale("noord", plan=plan, cap=CAP) as noord,
        await town.open_sale("zuid", plan=plan) as zuid,
        shimmed(noord, shim),
    ):
        place, secret = await noord.join()
        deaths = Deaths(town, shim, SEED)
        async with Crowd(noord, SEED) as crowd, Crowd(zuid, SEED, pause_s=0.1) as neighbours:
            for number in range(ROUNDS):
                await deaths.die(noord, crowd, number, by_power_cut=by_power_cut)
            await crowd.until_confirmed(20)
            await neighbours.until_confirmed(3)
        assert {slug for _, _, slug in neighbours.refused} <= {"sold-out"}
        refused = sum(count for (_, status, _), count in crowd.answers.items() if status == 503)
        assert {status for _, status, _ in crowd.refused} <= {503, 409, 410, 401}
        print(f"{deaths.told}; {len(crowd.confirmed)} orders in all, {refused} asked again")
        assert refused > 0, "the fault did not bite"
        assert deaths.counted["slowed syncs"] > 0, "the fault did not bite"
        assert not by_power_cut or deaths.counted["cuts that took something"] > 0, "the fault did not bite"
        assert not by_power_cut or deaths.counted["torn commands"] > 0, "the fault did not bite"
        await noord.until_drained()
        await zuid.until_drained()
        lost = crowd.bought - await recorded(town, "noord")
        assert not lost
        assert neighbours.bought <= await recorded(town, "zuid")
        assert await noord.pass_for(place, secret), "a place outlives the Redis that gave it"
        await clean(town, "noord", "zuid")


@pytest.mark.parametrize("by_power_cut", [False, True], ids=["killed", "power-cut"])
async def test_the_same_rounds_do_lose_orders_where_redis_syncs_once_a_second(
    town: Town, shim: Shim, *, by_power_cut: bool
) -> None:
    """The test above is not blind: with `everysec` it sees confirmed orders that are gone."""
    lost: set[tuple[str, int]] = set()
    plan = small_plan(rows=20, seats=40, standing=100_000)
    async with (
        await town.open_sale("noord", plan=plan, cap=CAP) as noord,
        shimmed(noord, shim, "--appendfsync", "everysec"),
    ):
        deaths = Deaths(town, shim, SEED)
        for number in range(TRIES):
            crowd = Crowd(noord, SEED + number, patience_s=PATIENCE_SECONDS)
            # Whose place was lost with the rest waits for a turn that never comes: that crowd says so.
            with contextlib.suppress(AssertionError):
                async with crowd:
                    await deaths.die(noord, crowd, 3, by_power_cut=by_power_cut, has_witnesses=False)
            await noord.until_drained()
            lost = crowd.bought - await recorded(town, "noord")
            if lost:
                break
    print(f"{deaths.told}; {len(lost)} orders lost")
    assert lost
