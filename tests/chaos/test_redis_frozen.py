"""A house's Redis is frozen: it says 503 at once, the others notice nothing, and nothing stale runs afterwards.

`PARVIS_FREEZE_SECONDS=60` for the full size.
"""

import asyncio
import os
import re
import signal
import time
import uuid

import pytest

from engine.words import HouseSlug
from tests.chaos.crowd import Crowd
from tests.chaos.truth import clean, recorded
from tests.conftest import owner_of
from tests.faults.patience import until
from tests.town import Answer, Sale, Town, small_plan

SEED = 2
AMPLE_S = 1.0
"""For an answer that takes 0.3 s on a machine of its own."""
FROZEN_SECONDS = float(os.environ.get("PARVIS_FREEZE_SECONDS", "2"))
JOINING = round(FROZEN_SECONDS * 50)
IN_FLIGHT = 40
"""Joins that may have reached the frozen Redis before it was known to be: those of a moment, out of `JOINING`."""
OUR_OWN_A_SECOND = 30
"""Functions that the house's keeper calls when nobody comes: it looks, sweeps, and tells how strained the cell is."""
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180 + FROZEN_SECONDS)]


async def counter_of(sale: Sale, name: str) -> float:
    metrics = (await sale.get(f"{sale.town.url}/metrics")).body.decode()
    found = re.search(rf'^{name}{{house="{sale.slug}"}} (\S+)$', metrics, re.MULTILINE)
    assert found is not None
    return float(found[1])


async def says(sale: Sale, path: str, status: int) -> bool:
    return (await sale.get(path)).status == status


def functions_run(town: Town) -> int:
    """How many calls of functions that write the first house's Redis has run: it counts them itself."""
    with owner_of(town.servers.redis[HouseSlug("noord")]) as owner:
        return int(owner.info("commandstats").get("cmdstat_fcall", {"calls": 0})["calls"])


async def timed(asked: "asyncio.Future[Answer] | asyncio.Task[Answer]") -> tuple[Answer, float]:
    started = time.monotonic()
    return await asked, time.monotonic() - started


async def test_a_frozen_house_refuses_at_once_and_its_neighbour_sells_on(town: Town) -> None:
    plan = small_plan(rows=20, seats=40 + 2 * round(FROZEN_SECONDS), standing=50_000)
    async with await town.open_sale("noord", plan=plan) as noord, await town.open_sale("zuid", plan=plan) as zuid:
        token = await noord.enter()
        held = (await noord.hold(token, "zaal-A-1")).json["hold"]
        place, secret = await noord.join()
        before = await noord.status()
        timeouts = await counter_of(noord, "parvis_redis_timeouts_total")
        pid = town.servers.redis[HouseSlug("noord")].pid
        async with Crowd(zuid, SEED) as crowd:
            await crowd.until_confirmed(10)
            run_before = functions_run(town)
            os.kill(pid, signal.SIGSTOP)
            try:
                slowest_s = 0.0
                for _ in range(5):
                    asked = (
                        noord.join_once(uuid.uuid4().hex),
                        noord.claim(place, secret),
                        noord.hold(token, "zaal-B-1"),
                        noord.order(token, held),
                        noord.ask("DELETE", f"/holds/{held}", token=token),
                        noord.get("/manage/on-sales", token=noord.manage_key),
                    )
                    for answer, took_s in await asyncio.gather(*(timed(asyncio.ensure_future(each)) for each in asked)):
                        assert (answer.status, answer.slug) == (503, "cell-unavailable"), answer.json
                        assert int(answer.headers["Retry-After"]) >= 1
                        slowest_s = max(slowest_s, took_s)
                assert slowest_s < AMPLE_S
                # A status of the last second is still given; then that is refused too.
                await until(lambda: says(noord, f"/on-sales/{noord.on_sale}/status", 503), within_s=5)
                await until(lambda: says(noord, f"/performances/{noord.performance}/seats", 503), within_s=5)
                # What needs no Redis is there, and the directory says who is not.
                assert (await noord.get(f"/performances/{noord.performance}/plan")).status == 200
                assert (await noord.get("/.well-known/jwks.json")).status == 200
                assert (await noord.get(noord.base)).json["name"] == "House noord"
                directory = (await zuid.get(f"{town.url}/v1/on-sales")).json
                assert [each["house"] for each in directory["unavailable"]] == ["noord"]
                assert "zuid" in {each["house"] for each in directory["on_sales"]}
                ready = (await zuid.get(f"{town.url}/readyz")).json
                assert ready == {"ready": True, "cells": {"noord": "closed", "zuid": "open"}}

                secrets = [uuid.uuid4().hex for _ in range(JOINING)]
                joining = []
                for each in secrets:
                    joining.append(asyncio.create_task(noord.join_once(each, key=each)))
                    await asyncio.sleep(0.02)
                assert {answer.status for answer in await asyncio.gather(*joining)} == {503}
                await crowd.until_confirmed(30)
            finally:
                os.kill(pid, signal.SIGCONT)
            thawed_at = time.monotonic()
            await until(lambda: says(noord, f"/on-sales/{noord.on_sale}/status", 200))
            run_late = await asyncio.to_thread(functions_run, town) - run_before
            run_by_itself = OUR_OWN_A_SECOND * (time.monotonic() - thawed_at + 1)
            await crowd.until_confirmed(10)
        assert not crowd.refused
        assert crowd.unknown == 0
        assert await counter_of(noord, "parvis_redis_timeouts_total") > timeouts, "the fault did not bite"

        asked_in_vain = JOINING + 5 * 5
        print(f"{run_late} functions ran after the thaw, of {asked_in_vain} asked for")
        assert run_late <= IN_FLIGHT + run_by_itself, "work whose callers are long gone was run"
        stale = (await noord.status())["lines"]["public"]["joined"] - before["lines"]["public"]["joined"]
        assert stale <= IN_FLIGHT
        # Whoever asks again with the same key is in the line once, whatever became of the first try.
        for first in range(0, JOINING, 100):
            again = (noord.join_once(each, key=each) for each in secrets[first : first + 100])
            assert {answer.status for answer in await asyncio.gather(*again)} == {201}
        joined = (await noord.status())["lines"]["public"]["joined"] - before["lines"]["public"]["joined"]
        assert JOINING <= joined <= JOINING + IN_FLIGHT
        theirs_ms, ours_ms = slowest_s * 1000, crowd.slowest_s * 1000
        print(f"slowest refusal {theirs_ms:.0f} ms, {stale} stale joins; a neighbour waited {ours_ms:.0f} ms at most")
        assert (await noord.hold(await noord.enter(), "zaal-C-1")).status == 201
        await zuid.until_drained()
        assert await recorded(town, "zuid") >= crowd.bought
        await clean(town, "noord", "zuid")
