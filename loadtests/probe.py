"""Calm shoppers at a quiet house, at a steady pace: what its visitors feel while another house has a rush."""

import argparse
import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from loadtests.character import character
from loadtests.http_client import HttpClient, Result, follow
from loadtests.queueing import join, wait
from loadtests.tally import percentile
from loadtests.visit import Visit, new_key, now_ms
from loadtests.wire import Ask, OnSale, Steps

SHOPPERS: Final = 4
_PARTY: Final = 2


class Probe:
    """Some shoppers who keep their passes, and hold and release a pair of seats again and again."""

    def __init__(self, options: argparse.Namespace, client: HttpClient, write: Callable[[object], None]) -> None:
        self._options = options
        self._client = client
        self._write = write
        self.hold_ms: list[float] = []
        self.failed = 0

    async def _follow(self, steps: Steps[Result]) -> Result:
        return await follow(steps, self._client.send, lambda pause: asyncio.sleep(pause.seconds))

    def _visit(self, number: int) -> Visit:
        options = self._options
        return Visit(options.house, options.on_sale, character(options.seed, number), self._tell)

    def _tell(self, entry: dict[str, Any]) -> None:
        if entry["told"] == "broken":
            self._write({"type": "broken", **entry})

    async def once(self, visit: Visit, rules: OnSale, pass_: str) -> str:
        """Status, seats, hold, release. Answers the pass for next time."""
        performance, house = rules.performances[0].performance, visit.house_path
        at_ms = now_ms()
        await self._client.send(Ask("status", "GET", f"{visit.on_sale_path}/status"))
        await self._client.send(Ask("seats", "GET", f"{house}/performances/{performance}/seats"))
        body = msgspec.json.encode({"items": [{"performance": performance, "best": {"quantity": _PARTY}}]})
        started_s = time.perf_counter()
        held = await self._client.send(Ask("hold", "POST", f"{house}/holds", body=body, bearer=pass_, key=new_key()))
        took_ms = (time.perf_counter() - started_s) * 1000
        if held.is_good:
            self.hold_ms.append(took_ms)
            path = f"{house}/holds/{held.facts['hold']}"
            await self._client.send(Ask("release", "DELETE", path, bearer=pass_))
        elif held.status == 401:
            return str(await self._follow(wait(visit)))
        else:
            self.failed += 1
        slug = "" if held.is_good else held.slug
        self._write({"type": "sample", "at_ms": at_ms, "hold_ms": round(took_ms, 2), "slug": slug})
        return pass_

    async def shopper(self, number: int) -> None:
        """One of the shoppers: its visits keep their times, however slow the one before was."""
        apart_s = SHOPPERS / self._options.visits_per_second
        visit = self._visit(number)
        rules = await self._follow(visit.learn_rules())
        await self._follow(join(visit))
        pass_ = await self._follow(wait(visit))
        due_s = time.monotonic() + apart_s * number / SHOPPERS
        ends_at_s = time.monotonic() + self._options.longest_s
        while due_s < ends_at_s:
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            pass_ = await self.once(visit, rules, pass_)
            due_s += apart_s


async def run(options: argparse.Namespace, write: Callable[[object], None]) -> None:
    """Probe for `longest_s` seconds: a JSON line a sample (`at_ms`, `hold_ms`), and a summary at last."""
    async with HttpClient(options.base_url, lambda *_: None) as client:
        probe = Probe(options, client, write)
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(SHOPPERS):
                    group.create_task(probe.shopper(number))
        finally:
            hold_ms = [percentile(probe.hold_ms, share) for share in (0.5, 0.95, 0.99)]
            write({"type": "summary", "samples": len(probe.hold_ms), "hold_ms": hold_ms, "failed": probe.failed})
