"""The clock of a house's Redis is set back: whoever was called stays called."""

import pytest

from engine.torture.shim import Shim, missing
from tests.chaos.deaths import shimmed
from tests.faults.patience import until
from tests.town import Sale, Town

SET_BACK_MS = 30_000
LOOKS = 15
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(missing()), reason=f"not available here: {missing()}"),
]


async def serving(sale: Sale) -> int:
    return int((await sale.status())["lines"]["public"]["now_serving"])


async def has_served(sale: Sale, count: int) -> bool:
    return await serving(sale) >= count


async def test_the_number_being_served_does_not_go_back_with_the_clock(town: Town, shim: Shim) -> None:
    """Nobody claims anything meanwhile: only who looks moves the line."""
    async with await town.open_sale("noord", rate_per_minute=120) as sale, shimmed(sale, shim):
        places = [await sale.join() for _ in range(20)]
        await until(lambda: has_served(sale, 4), within_s=60)
        before = await serving(sale)
        shim.jump(-SET_BACK_MS)
        for _ in range(LOOKS):
            seen = await serving(sale)
            assert seen >= before
            before = seen
        assert shim.evidence.shifted > 0, "the fault did not bite"
        assert await sale.pass_for(*places[0]), "and they come in"
