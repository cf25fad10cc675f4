"""A table of one house's database is locked: that house's orders wait, and the other house's are recorded at once."""

import asyncio
import time

import psycopg
import pytest

from tests.chaos.crowd import Crowd
from tests.chaos.truth import backlog_of, clean, recorded
from tests.town import Town, small_plan

SEED = 7
LOCKED_SECONDS = 7.0
"""Longer than a statement may take: the writer gives up meanwhile, and comes again."""
GENEROUS_SECONDS = 15.0
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]


async def test_a_lock_in_one_houses_database_keeps_no_other_house_waiting(town: Town) -> None:
    plan = small_plan(rows=20, seats=40, standing=20_000)
    server = town.servers.postgres
    lags: list[float] = []
    async with await town.open_sale("noord", plan=plan) as sale, await town.open_sale("zuid", plan=plan) as other:
        with psycopg.connect(server.dsn.replace("/postgres?", "/house_noord?")) as somebody:
            async with Crowd(sale, SEED) as crowd, Crowd(other, SEED + 1) as neighbours:
                await crowd.until_confirmed(20)
                await sale.until_drained()
                somebody.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
                locked_at = time.monotonic()
                while time.monotonic() < locked_at + LOCKED_SECONDS:
                    token = await other.enter()
                    wish = {"items": [{"performance": other.performance, "area": "vloer", "quantity": 1}]}
                    held = await other.post("/holds", wish, token=token)
                    ordered = (await other.order(token, held.json["hold"])).json
                    confirmed_at = time.monotonic()
                    async with asyncio.timeout(GENEROUS_SECONDS):
                        while ordered["state"] == "confirmed":
                            path, secret = f"/orders/{ordered['order']}", ordered["order_secret"]
                            ordered |= (await other.get(path, token=secret)).json
                    assert ordered["state"] == "recorded"
                    lags.append(time.monotonic() - confirmed_at)
                # The fault bit: nothing of the locked house was recorded, and it sold on all the same.
                backlog = await backlog_of(town, "noord")
                assert backlog >= 20
                sold = len(crowd.confirmed)
                somebody.rollback()
                await crowd.until_confirmed(10)
        assert not crowd.refused
        assert not neighbours.refused
        await sale.until_drained()
        await other.until_drained()
        assert await recorded(town, "noord") >= crowd.bought
        assert await recorded(town, "zuid") >= neighbours.bought
    print(f"{len(lags)} orders next door while {sold} were sold and {backlog} waited: lag {max(lags):.3f} s at most")
    await clean(town, "noord", "zuid")
