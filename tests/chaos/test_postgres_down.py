"""Postgres is down: nobody at the door notices, and what was sold meanwhile is recorded when it is back.

`PARVIS_DOWN_SECONDS` says how long it is down at least; for a minute or more, what waited must be recorded in a fifth
of that time.
"""

import asyncio
import os
import time

import pytest

from tests.chaos.crowd import Crowd
from tests.chaos.truth import backlog_of, clean, recorded
from tests.town import Town, small_plan

SEED = 6
DOWN_SECONDS = float(os.environ.get("PARVIS_DOWN_SECONDS", "0"))
LONG_SECONDS = 60
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180 + DOWN_SECONDS * 2)]


async def test_a_sale_goes_on_without_its_ledger_and_is_recorded_afterwards(town: Town) -> None:
    plan = small_plan(rows=26, seats=100, standing=20_000)
    postgres = town.servers.postgres
    async with await town.open_sale("noord", plan=plan) as sale:
        async with Crowd(sale, SEED) as crowd:
            await crowd.until_confirmed(20)
            await asyncio.to_thread(postgres.stop, "immediate")
            stopped_at, before = time.monotonic(), len(crowd.confirmed)
            try:
                await crowd.until_confirmed(60)
                # What needs the ledger says so, and says when to ask again.
                for path in ("/manage/orders", "/manage/orders.csv", "/manage/actions"):
                    answer = await sale.get(path, token=sale.manage_key)
                    assert (answer.status, answer.slug) == (503, "ledger-unavailable"), path
                    assert int(answer.headers["Retry-After"]) >= 1
                path = f"/manage/orders/{next(iter(crowd.confirmed))}/refund"
                kept = await sale.post(path, {"reason": "a test"}, token=sale.manage_key)
                assert (kept.status, kept.slug) == (503, "ledger-unavailable")
                made = await sale.post("/manage/keys", {"name": "A", "scopes": ["counter"]}, token=sale.manage_key)
                assert (made.status, made.slug) == (503, "ledger-unavailable")
                # A manager still steers the sale.
                told = {"message": "we sell", "reason": "a test"}
                path = f"/manage/on-sales/{sale.on_sale}/message"
                assert (await sale.post(path, told, token=sale.manage_key)).status == 200
                await crowd.until_confirmed(10)
                while time.monotonic() < stopped_at + DOWN_SECONDS:
                    await crowd.until_confirmed(1)
                backlog = await backlog_of(town, "noord")
                assert backlog >= 60, "the fault did not bite"
                down_s, sold = time.monotonic() - stopped_at, len(crowd.confirmed) - before
            finally:
                await asyncio.to_thread(postgres.start)
                up_at = time.monotonic()
        assert not crowd.refused
        assert crowd.unknown == 0
        await sale.until_drained()
        drained_s = time.monotonic() - up_at
        print(f"down {down_s:.1f} s, {sold} orders meanwhile, backlog {backlog}, recorded within {drained_s:.2f} s")
        assert down_s < LONG_SECONDS or down_s / drained_s >= 5
        assert await recorded(town, "noord") >= crowd.bought
        await clean(town, "noord", "zuid")
