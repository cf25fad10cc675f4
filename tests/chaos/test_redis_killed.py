"""A house's Redis is killed in the middle of a rush: it opens again at a higher epoch, and no order that was said to be
confirmed is lost or recorded twice."""

import asyncio
import random

import pytest

from engine.words import HouseSlug
from tests.chaos.crowd import Crowd
from tests.chaos.truth import clean, recorded
from tests.town import Town, small_plan

SEED = 9
ROUNDS = 3
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]


async def test_a_killed_redis_loses_no_confirmed_order_and_sells_none_twice(town: Town) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    plan = small_plan(rows=20, seats=40, standing=20_000)
    async with await town.open_sale("noord", plan=plan) as noord, await town.open_sale("zuid", plan=plan) as zuid:
        server = town.servers.redis[HouseSlug("noord")]
        epoch = (await noord.status())["epoch"]
        place, secret = await noord.join()
        async with Crowd(noord, SEED) as crowd, Crowd(zuid, SEED, pause_s=0.1) as neighbours:
            for _ in range(ROUNDS):
                await crowd.until_confirmed(20)
                await asyncio.sleep(chance.random() / 10)  # any moment
                await asyncio.to_thread(server.kill)
                try:
                    await neighbours.until_confirmed(3)
                finally:
                    await asyncio.to_thread(server.start)
                found = await noord.until_epoch_after(epoch)
                assert found > epoch
                epoch = found
            await crowd.until_confirmed(20)
        assert not neighbours.refused
        refused = sum(count for (_, status, _), count in crowd.answers.items() if status == 503)
        assert refused > 0, "the fault did not bite"
        assert {status for _, status, _ in crowd.refused} <= {503, 409, 410, 401}
        await noord.until_drained()
        await zuid.until_drained()
        lost = crowd.bought - await recorded(town, "noord")
        assert not lost
        assert neighbours.bought <= await recorded(town, "zuid")
        assert await noord.pass_for(place, secret), "a place outlives the Redis that gave it"
        print(f"{len(crowd.confirmed)} orders over {ROUNDS} kills, {refused} asked again, epoch {epoch}")
        await clean(town, "noord", "zuid")
