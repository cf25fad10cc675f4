"""`parvis serve` is killed: nothing of it stays behind, and a new one serves the same state."""

import asyncio
import signal

import psutil
import pytest

from tests.chaos.truth import clean
from tests.faults.patience import until
from tests.town import Town

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]


def is_alive(process: psutil.Process) -> bool:
    """Whether it still does something; whoever was killed may wait for somebody to notice."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_killed_server_leaves_no_process_behind_and_another_one_goes_on(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        place, secret = await sale.join()
        token = await sale.enter()
        held = (await sale.hold(token, "zaal-A-1", "zaal-A-2")).json["hold"]
        await sale.until_seats("h", "zaal-A-1")
        before, seats = await sale.status(), await sale.seats()
        assert town.process is not None
        family = [psutil.Process(town.process.pid), *psutil.Process(town.process.pid).children(recursive=True)]
        assert len(family) >= 3, "the keeper, the API's server and its worker"
        await asyncio.to_thread(town.stop_serving, signal.SIGKILL)

        async def is_gone() -> bool:
            return not any(map(is_alive, family))

        await until(is_gone, within_s=15)

    town.serve()
    await town.until_ready()
    async with sale:
        after = await sale.status()
        assert after["lines"] == before["lines"]
        assert after["draw"] == before["draw"]
        assert await sale.seats() == seats
        assert await sale.pass_for(place, secret)
        ordered = await sale.order(token, held, headers={"Prefer": "wait=5"})
        assert (ordered.status, ordered.json["state"]) == (202, "recorded")
    await clean(town, "noord", "zuid")
