"""`parvis serve` is killed: nothing of it stays behind, and a new one serves the same state."""

import asyncio
import signal

import aiohttp
import psutil
import pytest

from engine.words import HouseSlug
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


async def test_a_killed_server_leaves_nothing_behind_that_cannot_listen_to_anybody(town: Town) -> None:
    """What the API's server does with a signal is its own affair: a burst of them can lock it up."""
    assert town.process is not None
    family = psutil.Process(town.process.pid).children(recursive=True)
    assert len(family) >= 2, "the API's server and its worker"
    for process in family:
        process.suspend()
    await asyncio.to_thread(town.stop_serving, signal.SIGKILL)

    async def is_gone() -> bool:
        return not any(map(is_alive, family))

    try:
        await until(is_gone, within_s=15)
    finally:
        for process in filter(is_alive, family):
            process.kill()
    town.serve()
    await town.until_ready()
    await clean(town, "noord", "zuid")


async def test_a_killed_api_takes_its_workers_along_and_is_started_again(town: Town) -> None:
    async with await town.open_sale("noord") as sale:
        place, secret = await sale.join()
        assert town.process is not None
        server = psutil.Process(town.process.pid).children()[0]
        family = [server, *server.children(recursive=True)]
        asked = (await sale.get(f"{town.url}/healthz")).json["pid"]
        assert asked in {process.pid for process in family[1:]}
        server.kill()

        async def is_gone() -> bool:
            return not any(map(is_alive, family))

        await until(is_gone, within_s=15)
        await town.until_ready()
        assert (await sale.get(f"{town.url}/healthz")).json["pid"] != asked
        assert await sale.pass_for(place, secret)
    await clean(town, "noord", "zuid")


async def test_a_house_that_is_down_from_the_start_is_said_to_be_and_comes_when_it_can(town: Town) -> None:
    async with await town.open_sale("noord") as noord, await town.open_sale("zuid") as zuid:
        server = town.servers.redis[HouseSlug("noord")]
        await asyncio.to_thread(town.stop_serving)
        await asyncio.to_thread(server.kill)
        try:
            town.serve()

            async def is_serving() -> bool:
                try:
                    ready = await zuid.get(f"{town.url}/readyz")
                except aiohttp.ClientError:
                    return False
                return bool(ready.json["cells"] == {"noord": "closed", "zuid": "open"})

            await until(is_serving, within_s=60)
            # Nothing is known of this house yet: it would be a lie to say that the on-sale, or the key, is unknown.
            for path in (
                f"/on-sales/{noord.on_sale}/status",
                f"/performances/{noord.performance}/plan",
                "/manage/keys",
            ):
                answer = await noord.get(path, token=noord.manage_key)
                assert (answer.status, answer.slug) == (503, "cell-unavailable"), path
                assert int(answer.headers["Retry-After"]) >= 1
            assert (await noord.join_once("a secret")).status == 503
            assert (await noord.get(noord.base)).json["name"] == "House noord"
            directory = (await zuid.get(f"{town.url}/v1/on-sales")).json
            assert directory["unavailable"] == [{"house": "noord", "name": "House noord"}]
            assert {each["house"] for each in directory["on_sales"]} == {"zuid"}
            assert (await zuid.hold(await zuid.enter(), "zaal-A-1")).status == 201
        finally:
            await asyncio.to_thread(server.start)
        await town.until_ready()
        assert (await noord.hold(await noord.enter(), "zaal-A-1")).status == 201
    await clean(town, "noord", "zuid")
