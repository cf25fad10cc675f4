"""A rolling release under load: two releases with function libraries of their own serve one house side by side, the old
one is drained, and no visitor notices."""

import asyncio

import msgspec
import pytest

from engine.redis_urls import connect
from engine.torture.checks import at_rest
from engine.torture.faults import Faults
from engine.torture.options import STRUCK, Strike, draw
from engine.torture.shoppers import Shoppers
from engine.torture.stage import Stage
from engine.torture.told import Told
from tests.faults.patience import until

SEED = 4
RELEASES = 2
AMPLE_MS = 10_000
"""Two processes start while the sale runs, on a machine that may be busy: slow is no error."""
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


async def sold(told: Told, more: int) -> None:
    """Waits for so many more orders."""
    wanted = len(told.confirmed) + more

    async def is_sold() -> bool:
        return len(told.confirmed) >= wanted

    await until(is_sold, within_s=60)


async def test_nobody_notices_a_release_of_another_function_library() -> None:
    drawn = draw(SEED, 1, kinds=("release",))
    options = msgspec.structs.replace(
        drawn, houses=(STRUCK,), redis_timeout_ms=AMPLE_MS, hold_seconds=60, pass_seconds=120, cap=5_000, late_share=0.2
    )
    print(f"seed {SEED}: {options.words}")
    with Stage(options) as stage:
        async with stage.links:
            await stage.open()
            shoppers = Shoppers(stage, STRUCK)
            told = shoppers.told
            faults = Faults(stage, [told])
            shopping = asyncio.create_task(shoppers.shop())
            owner = connect(stage.network.house(STRUCK).redis_owner_url)
            await sold(told, 20)
            for release in range(1, RELEASES + 1):
                old = stage.serving[STRUCK][0]
                felt = await faults.strike(Strike("release", at_s=0, lasts_s=1, force=0))
                assert felt > 0, "the fault did not bite: nobody was served by both"
                assert not old.is_running
                libraries = await owner.execute_command("FUNCTION", "LIST", "LIBRARYNAME", "parvis_*")
                assert len(libraries) == release + 1, "the release has a library of its own"
                await sold(told, 20)
            await owner.aclose()
            shoppers.go_home()
            await shopping
            recorded, wrong = await at_rest(stage, STRUCK, told)
    print(f"{told.operations} requests over {RELEASES} releases, {recorded} orders")
    assert told.turned_away == 0, told.felt_next_door
    assert [*told.broken, *wrong] == []
