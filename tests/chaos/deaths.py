"""The deaths of a house's Redis, by a kill or by a power cut, in rounds: the crowd buys on and keeps its own log."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.torture.shim import Shim
from engine.words import HouseSlug
from tests.chaos.crowd import Crowd
from tests.town import Sale, Town

SLOWEST_MS = 3_000
HOUSE = HouseSlug("noord")


class Deaths:
    """Rounds at one house. `counted` proves that each fault bit.

    In every second round syncing takes up to three seconds: without that, what was answered is on disk by chance. In
    half of them Postgres is away before Redis dies, or the writer would have saved what Redis lost.
    """

    def __init__(self, town: Town, shim: Shim, seed: int) -> None:
        print(f"seed {seed}")
        self.town, self.shim = town, shim
        self.chance = random.Random(seed)
        self.counted: Counter[str] = Counter()

    @property
    def told(self) -> str:
        """The counters in one line."""
        return ", ".join(f"{name} {count}" for name, count in sorted(self.counted.items()))

    async def die(
        self, sale: Sale, crowd: Crowd, number: int, *, by_power_cut: bool, has_witnesses: bool = True
    ) -> None:
        """One round: some orders, the death at a random moment, the restart, and the gate open again.

        `has_witnesses`: the API processes live on, which know what they have said and tell a Redis that forgot it. A
        death without them is one that is meant to lose something: each sync is slow then.
        """
        chance, redis = self.chance, self.town.servers.redis[HOUSE]
        epoch = (await sale.status())["epoch"]
        await crowd.until_confirmed(chance.randint(5, 20))
        is_slow, is_unrecorded = number % 2 == 1, number % 4 >= 2
        slowed = self.shim.evidence.slowed
        if is_unrecorded:
            await asyncio.to_thread(self.town.servers.postgres.stop, "immediate")
        if is_slow:
            self.shim.slow_down(chance.uniform(0.2, 1) if has_witnesses else 1, SLOWEST_MS)
        await asyncio.sleep(chance.uniform(0.2, 2) if is_slow else chance.uniform(0, 0.5))
        before = len(crowd.confirmed)
        await asyncio.to_thread(redis.kill)
        if not has_witnesses:
            await asyncio.to_thread(self.town.stop_serving, signal.SIGKILL)
        self.counted["rounds"] += 1
        self.counted["slowed syncs"] += self.shim.evidence.slowed - slowed
        self.counted["rounds without a ledger"] += is_unrecorded
        if by_power_cut:
            cut = self.shim.cut_power(redis.folder, chance)
            self.counted["cuts that took something"] += cut.lost_bytes > 0
            self.counted["torn commands"] += cut.torn_bytes > 0
        self.shim.calm()
        await asyncio.sleep(0.05)  # an answer may still be on its way from the API
        self.counted["orders confirmed"] = max(before, len(crowd.confirmed))
        await asyncio.gather(
            asyncio.to_thread(redis.start),
            *([asyncio.to_thread(self.town.servers.postgres.start)] if is_unrecorded else []),
        )
        if not has_witnesses:
            self.town.serve()
            await self.town.until_ready()
        assert await sale.until_epoch_after(epoch) > epoch


@asynccontextmanager
async def shimmed(sale: Sale, shim: Shim, *extra: str) -> AsyncIterator[None]:
    """The house's Redis with the shim, and with more words on its command line; as it was afterwards."""
    redis = sale.town.servers.redis[HOUSE]

    async def restart() -> None:
        epoch = (await sale.status())["epoch"]
        await asyncio.to_thread(redis.kill)
        await asyncio.to_thread(redis.start)
        await sale.until_epoch_after(epoch)

    before, redis.environment, redis.extra = redis.extra, shim.environment, extra
    await restart()
    try:
        yield
    finally:
        shim.calm()
        redis.environment, redis.extra = {}, before
        await restart()
