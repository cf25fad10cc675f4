"""A house's Redis is lost with everything in it, or comes back from the past, while a line forms, opens and moves:
nobody's index is given twice, nobody comes in as two, and the number being served never falls. `PARVIS_ROUNDS=20`."""

import asyncio
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from engine.instants import now_ms
from engine.words import HouseSlug
from tests.chaos.queue_log import Queue
from tests.chaos.truth import clean
from tests.town import Sale, Town

SEED = int(os.environ.get("PARVIS_SEED", "20"))
ROUNDS = int(os.environ.get("PARVIS_ROUNDS", "1"))
HOUSE = HouseSlug("noord")
SLOWLY, FAST = 600, 60_000
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120 + 60 * ROUNDS)]


async def lose(town: Town, copy: Path | None) -> None:
    """Everything in Redis is gone; with a copy, what is older comes back."""
    redis = town.servers.redis[HOUSE]

    def strike() -> None:
        redis.kill()
        files = redis.folder / "appendonlydir"
        shutil.rmtree(files)
        if copy:
            shutil.copytree(copy, files)
        redis.start()

    await asyncio.to_thread(strike)


async def pace(sale: Sale, rate_per_minute: int) -> None:
    body = {"rate_per_minute": rate_per_minute, "cap": 100_000, "reason": "a test"}
    answer = await sale.post(f"/manage/on-sales/{sale.on_sale}/rate", body, token=sale.manage_key)
    assert answer.status == 200, answer.json


@pytest.mark.parametrize("has_copy", [False, True], ids=["empty", "from-the-past"])
@pytest.mark.parametrize("moment", ["pre-queue", "opening", "open"])
async def test_a_line_outlives_the_store_that_it_stood_in(
    town: Town, tmp_path: Path, moment: str, *, has_copy: bool
) -> None:
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        seed = chance.randrange(10**6)
        print(f"{moment}, round {number}, seed {seed}")
        await one_loss(town, tmp_path / str(number) if has_copy else None, moment, random.Random(seed), seed)
    await clean(town, HOUSE)


async def one_loss(town: Town, copy: Path | None, moment: str, chance: random.Random, seed: int) -> None:
    opens_in_s = {"pre-queue": 3600.0, "opening": 3.0, "open": 2.0}[moment]
    opens_at_ms = now_ms() + int(opens_in_s * 1000)
    async with (
        await town.open_sale(HOUSE, opens_at_ms=opens_at_ms, rate_per_minute=SLOWLY, burst_percent=100) as sale,
        Queue(sale, seed) as queue,
    ):
        epoch = (await sale.status())["epoch"]
        await queue.join(60)
        if copy:
            shutil.copytree(town.servers.redis[HOUSE].folder / "appendonlydir", copy)
        if moment == "opening":
            await asyncio.sleep(max(0.0, (opens_at_ms - now_ms()) / 1000 + chance.uniform(-0.7, 0.7)))
        joining = asyncio.create_task(queue.join(60, chance.uniform(0.01, 0.03)))
        claiming = [asyncio.create_task(queue.claim(each)) for each in queue.queuers[:30]] if moment == "open" else []
        if moment == "open":
            await sale.until_status(phase="open")
        await asyncio.sleep(chance.uniform(0.2, 2.0) if moment != "opening" else chance.uniform(0, 0.3))
        shown = queue.shown[-1]
        struck_at = time.monotonic()
        await lose(town, copy)
        await sale.until_epoch_after(epoch)
        print(f"open again after {time.monotonic() - struck_at:.2f} s; before {shown}, after {queue.shown[-1]}")
        await joining
        await sale.status()
        if moment == "pre-queue":
            body = {"reason": "a test"}
            answer = await sale.post(f"/manage/on-sales/{sale.on_sale}/open", body, token=sale.manage_key)
            assert answer.status == 200, answer.json
        assert queue.shown[-1].epoch > epoch, "the fault did not bite"
        await asyncio.gather(*(queue.claim(each) for each in queue.queuers if queue.is_called(each, shown)))
        await pace(sale, FAST)
        await queue.join(20)
        await asyncio.gather(*claiming)
        await asyncio.sleep(0.5)
        await queue.claim_all()
        assert len(queue.queuers) == 140
        status = await sale.status()
        assert status["lines"]["public"]["now_serving"] >= shown.now_serving
        assert not queue.faults()
