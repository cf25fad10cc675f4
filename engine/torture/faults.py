"""The faults: each one strikes, is seen to bite, and ends. A fault that never bit has proved nothing."""

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from engine.torture.options import STRUCK, Strike
from engine.torture.shim import NO_END, Shim
from engine.torture.stage import Stage, children_of, next_release
from engine.torture.told import Told

LONGER_SECONDS: Final = 10.0
"""How much longer than drawn a fault stays, when it has not bitten yet."""
AROUND_SECONDS: Final = 0.05
UNRECORDED_SECONDS: Final = 0.5
LONGEST_JUMP_MS: Final = 120_000
SLOWEST_SYNC_MS: Final = 1_500
SLOWEST_LINK_MS: Final = 300
Evidence = Callable[[], int]


def _signal(pid: int, number: signal.Signals) -> None:
    """To a process that another fault may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Faults:
    """Strikes the first house of a stage. `bitten` counts the strikes that were seen to bite, by kind."""

    def __init__(self, stage: Stage, told: Sequence[Told]) -> None:
        """`told`: by all houses, the struck one first."""
        self._stage, self._told = stage, tuple(told)
        self._chance = random.Random(stage.options.seed)
        self._locks = {target: asyncio.Lock() for target in ("redis", "postgres", "serve", "links")}
        self.struck: Counter[str] = Counter()
        self.bitten: Counter[str] = Counter()
        self.at_work = 0
        """Strikes that are under way."""
        self._strikes: dict[str, tuple[str, Callable[[Strike], Awaitable[int]]]] = {
            "kill redis": ("redis", self._kill_redis),
            "cut power": ("redis", self._cut_power),
            "freeze redis": ("redis", self._freeze_redis),
            "slow syncs": ("redis", self._slow_syncs),
            "full disk": ("redis", self._full_disk),
            "clock forward": ("redis", lambda strike: self._jump(strike, 1)),
            "clock back": ("redis", lambda strike: self._jump(strike, -1)),
            "kill worker": ("serve", self._kill_worker),
            "kill serve": ("serve", self._kill_serve),
            "freeze serve": ("serve", self._freeze_serve),
            "release": ("serve", self._release),
            "kill postgres": ("postgres", self._kill_postgres),
            "freeze postgres": ("postgres", self._freeze_postgres),
            "slow links": ("links", self._slow_links),
            "cut links": ("links", self._cut_links),
            "lose replies": ("links", self._lose_replies),
        }

    async def strike(self, strike: Strike) -> int:
        """From the blow until its servers run again. Answers how much it was felt. Raises `ServerFailed`."""
        target, blow = self._strikes[strike.kind]
        async with self._locks[target]:
            self.struck[strike.kind] += 1
            self.at_work += 1
            try:
                felt = await blow(strike)
            finally:
                self.at_work -= 1
        self.bitten[strike.kind] += felt > 0
        return felt

    @property
    def blind(self) -> list[str]:
        """Kinds of faults that struck and never bit."""
        return sorted(kind for kind in self.struck if not self.bitten[kind])

    async def _felt(self, strike: Strike, evidence: Evidence) -> int:
        """Leaves the fault as long as was drawn, and a little longer if nobody has felt it. Answers how much."""
        before = evidence()
        await asyncio.sleep(strike.lasts_s)
        for _ in range(int(LONGER_SECONDS / AROUND_SECONDS)):
            if evidence() > before:
                break
            await asyncio.sleep(AROUND_SECONDS)
        return evidence() - before

    @property
    def _shim(self) -> Shim:
        if self._stage.shim is None:
            raise RuntimeError("without a shim, none of its faults is drawn")
        return self._stage.shim

    def _turned_away(self) -> int:
        return self._told[0].turned_away

    def _confirmed(self) -> int:
        return sum(len(each.confirmed) for each in self._told)

    # -- Redis

    @contextlib.asynccontextmanager
    async def _unrecorded(self, strike: Strike) -> AsyncIterator[None]:
        """In half of the cases the writer stands still before: what Redis loses then, nobody else has."""
        pid = self._stage.serving[STRUCK][0].process.pid
        is_unrecorded = strike.force > 0.5
        if is_unrecorded:
            _signal(pid, signal.SIGSTOP)
            await asyncio.sleep(UNRECORDED_SECONDS)
        try:
            yield
        finally:
            if is_unrecorded:
                _signal(pid, signal.SIGCONT)

    async def _kill_redis(self, strike: Strike) -> int:
        redis = self._stage.redis
        async with self._unrecorded(strike):
            await asyncio.to_thread(redis.kill)
        felt = await self._felt(strike, self._turned_away)
        await asyncio.to_thread(redis.start)
        return felt

    async def _cut_power(self, strike: Strike) -> int:
        """In the middle of a sync, so that something is lost."""
        redis, shim = self._stage.redis, self._shim
        async with self._unrecorded(strike):
            shim.slow_down(1, SLOWEST_SYNC_MS)
            for _ in range(int(LONGER_SECONDS / AROUND_SECONDS)):
                if shim.unsynced(redis.folder):
                    break
                await asyncio.sleep(AROUND_SECONDS)
            await asyncio.to_thread(redis.kill)
        cut = shim.cut_power(redis.folder, self._chance)
        shim.slow_down(0, 0)
        await asyncio.sleep(strike.lasts_s)
        await asyncio.to_thread(redis.start)
        return cut.lost_bytes

    async def _freeze_redis(self, strike: Strike) -> int:
        pid = self._stage.redis.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            return await self._felt(strike, self._turned_away)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _slow_syncs(self, strike: Strike) -> int:
        self._shim.slow_down(0.2 + 0.8 * strike.force, SLOWEST_SYNC_MS * strike.force + 20)
        try:
            return await self._felt(strike, lambda: self._shim.evidence.slowed)
        finally:
            self._shim.slow_down(0, 0)

    async def _full_disk(self, strike: Strike) -> int:
        """Redis ends by itself: it cannot keep its promise. It is started again when there is room."""
        redis, before = self._stage.redis, self._shim.evidence.refused
        self._shim.fill_disk(int(5_000 * strike.force))
        for _ in range(int((strike.lasts_s + LONGER_SECONDS) / AROUND_SECONDS)):
            if not redis.is_running:
                break
            await asyncio.sleep(AROUND_SECONDS)
        refused = self._shim.evidence.refused - before
        self._shim.fill_disk(NO_END)
        await asyncio.to_thread(redis.start)
        return refused

    async def _jump(self, strike: Strike, direction: int) -> int:
        """There, and back again when it ends."""
        self._shim.jump(direction * int(LONGEST_JUMP_MS * strike.force**2 + 1_000))
        try:
            return await self._felt(strike, lambda: self._shim.evidence.shifted)
        finally:
            self._shim.jump(0)

    # -- `parvis serve`

    async def _kill_worker(self, strike: Strike) -> int:
        """One worker of the API, or the process above them."""
        stage, served = self._stage, self._stage.serving[STRUCK][0]
        family = children_of(served.process.pid)
        victim = family[0] if strike.force < 0.4 else family[-1]
        os.kill(victim, signal.SIGKILL)
        await asyncio.sleep(strike.lasts_s)
        await stage.until_ready(served, "/healthz")
        return int(victim not in children_of(served.process.pid))

    async def _kill_serve(self, strike: Strike) -> int:
        """Keeper, writer and API at once."""
        stage = self._stage
        await asyncio.to_thread(stage.end, stage.serving[STRUCK][0], signal.SIGKILL)
        felt = await self._felt(strike, self._turned_away)
        served = stage.serve(STRUCK)
        await stage.until_ready(served, "/healthz")
        stage.serving[STRUCK] = [served]
        return felt

    async def _freeze_serve(self, strike: Strike) -> int:
        """Keeper and writer stand still; the API sells on."""
        pid = self._stage.serving[STRUCK][0].process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            return await self._felt(strike, self._confirmed)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _release(self, strike: Strike) -> int:
        """The next release beside this one; both serve for a while, and then this one is drained and ended."""
        stage = self._stage
        old, before = stage.serving[STRUCK][0], stage.release
        number = 1 + int(before.name.rpartition("-")[2]) if before else 1
        stage.release = await asyncio.to_thread(next_release, stage.folder / f"release-{number}")
        new = stage.serve(STRUCK)
        await stage.until_all_ready(new)
        stage.serving[STRUCK] = [old, new]
        felt = await self._felt(strike, lambda: min(stage.asked[new.url], stage.asked[old.url]))
        stage.serving[STRUCK] = [new]
        await asyncio.sleep(1)  # what the old one was asked it answers
        await asyncio.to_thread(stage.end, old, signal.SIGTERM)
        return felt

    # -- Postgres

    async def _kill_postgres(self, strike: Strike) -> int:
        postgres = self._stage.servers.postgres
        await asyncio.to_thread(postgres.kill)
        felt = await self._felt(strike, self._confirmed)
        await asyncio.to_thread(postgres.start)
        return felt

    async def _freeze_postgres(self, strike: Strike) -> int:
        first = self._stage.servers.postgres.pid
        frozen = [first, *children_of(first)]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            return await self._felt(strike, self._confirmed)
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)

    # -- the links to Redis

    async def _slow_links(self, strike: Strike) -> int:
        links = self._stage.links
        links.delay_ms = (0, 10 + SLOWEST_LINK_MS * strike.force)
        try:
            return await self._felt(strike, lambda: links.bitten["delay"])
        finally:
            links.calm()

    async def _cut_links(self, strike: Strike) -> int:
        links = self._stage.links
        links.cut_after_request_share = links.reset_share = 0.02 + 0.1 * strike.force
        try:
            return await self._felt(strike, lambda: links.bitten["cut_after_request"] + links.bitten["reset"])
        finally:
            links.calm()

    async def _lose_replies(self, strike: Strike) -> int:
        """What was asked is done, and nobody hears of it."""
        links = self._stage.links
        links.drop_replies_share = 0.02 + 0.2 * strike.force
        try:
            return await self._felt(strike, lambda: links.bitten["dropped_reply"])
        finally:
            links.calm()
