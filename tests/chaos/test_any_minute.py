"""In any minute no more passes go out than the rate and a burst, and no more live than the cap, whatever dies or jumps.

Everybody was called long ago and wants in at once. A pass went out some time between when it was asked for first and
when it arrived: what is counted of a window is what lies wholly inside it, so that no machine's hesitation decides.
"""

import asyncio
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest

from engine.torture.shim import Shim, missing
from tests.chaos.deaths import HOUSE, shimmed
from tests.chaos.truth import clean
from tests.faults.patience import until
from tests.town import Sale, Town

RATE = 240
BURST = 12
CAP = 30
PASS_SECONDS = 20
VISITORS = 420
CLAIMING = 40
MINUTE_S = 60.0
FORWARD_MS = 5_000
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(missing()), reason=f"not available here: {missing()}"),
]


class Given(NamedTuple):
    """One visitor's pass, in seconds of a clock that only goes forward."""

    asked_s: float
    got_s: float


class Crowd:
    """Visitors who were called and claim, some at a time, until they are let in; and somebody who watches the line."""

    def __init__(self, sale: Sale, places: "list[tuple[str, str]]") -> None:
        self.sale = sale
        self.given: list[Given] = []
        self.answers: Counter[str] = Counter()
        self.served: list[int] = []
        self._waiting = iter(places)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each) for each in (self._watch(), *(self._claim() for _ in range(CLAIMING)))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        trouble = [each for each in ended if each and not isinstance(each, asyncio.CancelledError)]
        assert not trouble, trouble

    async def _claim(self) -> None:
        for place, secret in self._waiting:
            key, asked_s = str(uuid.uuid4()), time.monotonic()
            while True:
                try:
                    answer = await self.sale.claim(place, secret, key=key, timeout=5)
                except (aiohttp.ClientError, TimeoutError, ConnectionError):
                    self.answers["no answer"] += 1
                    await asyncio.sleep(0.5)
                    continue
                self.answers[answer.slug or str(answer.status)] += 1
                if answer.status == 201:
                    self.given.append(Given(asked_s, time.monotonic()))
                    break
                # Whoever is called keeps the turn, and is told when to ask again.
                assert answer.status in {409, 503}, answer.json
                assert answer.slug not in {"turn-over", "not-yet-served"}, answer.json
                await asyncio.sleep(min(float(answer.headers["Retry-After"]), 2) * random.uniform(0.5, 1))
                # What was refused changed nothing, so that it cannot have been given before this.
                asked_s = time.monotonic() if answer.status == 409 else asked_s

    async def _watch(self) -> None:
        while True:
            try:
                found = await self.sale.get(f"/on-sales/{self.sale.on_sale}/status", timeout=5)
                if found.status == 200:
                    self.served.append(found.json["lines"]["public"]["now_serving"])
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                pass
            await asyncio.sleep(0.2)

    def most_beyond(self, seconds: float, most: float, jumps: "list[float]") -> float:
        """By how many the passes that certainly went out within so many seconds were more than might be, at most.

        Each jump forward in that time makes the door a burst emptier: nobody can tell it from time that passed.
        """
        given = sorted(self.given)
        found = -most
        for place, first in enumerate(given):
            end_s = first.asked_s + seconds
            count = sum(each.got_s <= end_s for each in given[place:])
            found = max(found, count - most - BURST * sum(first.asked_s <= jump <= end_s for jump in jumps))
        return found

    def inside(self, at_s: float, jumps: "list[float]") -> int:
        """How many had a pass at an instant, that they had got before and that cannot have ended."""
        since_s = at_s - PASS_SECONDS
        since_s += FORWARD_MS / 1000 * sum(since_s <= jump <= at_s for jump in jumps)
        return sum(each.got_s <= at_s and each.asked_s > since_s for each in self.given)


class Faults:
    """One after the other, in an order that the seed decides, each at least twice."""

    def __init__(self, sale: Sale, shim: Shim, chance: random.Random) -> None:
        self.sale, self.shim, self.chance = sale, shim, chance
        self.done: Counter[str] = Counter()
        self.forward: list[float] = []
        self._offset_ms = 0

    async def strike(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s or len(self.done) < 4:
            names = ["kill redis", "kill serve", "clock back", "clock forward"]
            least = min(self.done[name] for name in names)
            name = self.chance.choice([name for name in names if self.done[name] == least])
            await {"kill redis": self._kill_redis, "kill serve": self._kill_serve}.get(name, self._jump)(name)
            self.done[name] += 1
            await asyncio.sleep(self.chance.uniform(0.5, 2))

    async def _kill_redis(self, _: str) -> None:
        redis = self.sale.town.servers.redis[HOUSE]
        epoch = (await self.sale.status())["epoch"]
        await asyncio.to_thread(redis.kill)
        await asyncio.to_thread(redis.start)
        await self.sale.until_epoch_after(epoch)

    async def _kill_serve(self, _: str) -> None:
        town = self.sale.town
        await asyncio.to_thread(town.stop_serving, signal.SIGKILL)
        town.serve()
        await town.until_ready()

    async def _jump(self, name: str) -> None:
        is_forward = name == "clock forward"
        self._offset_ms += FORWARD_MS if is_forward else -self.chance.randint(5_000, 30_000)
        if is_forward:
            self.forward.append(time.monotonic())
        self.shim.jump(self._offset_ms)


async def set_pace(sale: Sale, **facts: int) -> None:
    answer = await sale.post(
        f"/manage/on-sales/{sale.on_sale}/rate", {"reason": "a test", **facts}, token=sale.manage_key
    )
    assert answer.status == 200, answer.json


async def test_no_more_come_in_than_the_rate_and_the_cap_whatever_dies_and_the_number_never_goes_back(
    town: Town, shim: Shim
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rules: dict[str, Any] = {"burst_percent": 100 * BURST // RATE, "pass_seconds": PASS_SECONDS, "turn_seconds": 3_600}
    async with await town.open_sale("noord", rate_per_minute=60_000, cap=1_000, **rules) as sale, shimmed(sale, shim):
        places = [await sale.join() for _ in range(VISITORS)]

        async def all_are_called() -> bool:
            return bool((await sale.status())["lines"]["public"]["now_serving"] == VISITORS)

        await until(all_are_called, within_s=30)
        await set_pace(sale, rate_per_minute=RATE)
        crowd, faults = Crowd(sale, places), Faults(sale, shim, random.Random(seed))
        async with crowd.at_work():
            await faults.strike(MINUTE_S)
            by_rate = len(crowd.given)
            # And now the house may hold no more than a few; more than that are in.
            await set_pace(sale, cap=CAP)
            capped_s = time.monotonic()
            faults.done.clear()
            await faults.strike(MINUTE_S / 4)
        print(f"{by_rate} by the rate, {len(crowd.given) - by_rate} by the cap; {dict(crowd.answers)}")
        shifted = shim.evidence.shifted

    for seconds in (MINUTE_S, MINUTE_S / 4, MINUTE_S / 20, 1.0):
        assert crowd.most_beyond(seconds, RATE * seconds / MINUTE_S, faults.forward) <= BURST, f"{seed}: {seconds} s"
    for each in crowd.given:
        if each.asked_s > capped_s:
            assert crowd.inside(each.asked_s, faults.forward) <= CAP, f"seed {seed}"
    assert crowd.served == sorted(crowd.served), f"seed {seed}: the number being served went back"
    assert shifted > 0, "no clock jumped"
    assert by_rate > RATE / 4, "the pace was used"
    assert crowd.answers["full"] > 0, "and it was too slow for all"
    await clean(town, "noord", "zuid")
