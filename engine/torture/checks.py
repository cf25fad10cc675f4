"""What must be true all the time, and what must be true at the end."""

import asyncio
import contextlib
import time
from collections import deque
from typing import Final

import aiohttp
from redis.exceptions import RedisError

from engine.audit import audit
from engine.cell import Cell, broken
from engine.errors import ParvisError
from engine.ledger.ledger import Ledger, RecordedOrder
from engine.ledger.payments import state_of_payment, unclaimed_payments
from engine.losses import is_after
from engine.torture.faults import Faults
from engine.torture.options import STRUCK
from engine.torture.sale import ON_SALE, PERFORMANCE
from engine.torture.stage import CLAIM_SECONDS, Stage
from engine.torture.told import Told, slug_of
from engine.waiting_room import status
from engine.words import HouseSlug, OrderId

LOOK_SECONDS: Final = 0.2
COPY_SECONDS: Final = 2.5
AUDIT_SECONDS: Final = 3.0
LIVELY_SECONDS: Final = 10.0
PAGE: Final = 1_000
LISTED: Final = 10


class Watch:
    """Looks at a house's public status, and audits its books, until it is cancelled."""

    def __init__(self, stage: Stage, slug: HouseSlug, faults: Faults) -> None:
        self._stage, self._slug, self._faults = stage, slug, faults
        self._seen: deque[tuple[float, dict[str, int]]] = deque()
        self._floor: dict[str, int] = {}
        self.looks = self.audits = 0
        self.broken: list[str] = []

    async def look_on(self) -> None:
        """The number being served never goes back, and the epoch never falls."""
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                for served in self._stage.serving[self._slug]:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        await self._look(session, served.url)
                await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, session: aiohttp.ClientSession, url: str) -> None:
        path = f"{url}/v1/houses/{self._slug}/on-sales/{ON_SALE}/status"
        async with session.get(path) as response:
            found = await response.json()
        if response.status != 200:
            if response.status != 503 or self._slug != STRUCK:
                self.broken.append(f"the status was answered {response.status} {slug_of(found)}")
            return
        self.looks += 1
        now = {"now_serving": found["lines"]["public"]["now_serving"], "epoch": found["epoch"]}
        # A worker's own copy may be a second old; what was seen longer ago stands for all of them.
        while self._seen and self._seen[0][0] < time.monotonic() - COPY_SECONDS:
            for name, value in self._seen.popleft()[1].items():
                self._floor[name] = max(value, self._floor.get(name, 0))
        for name, value in now.items():
            if value < self._floor.get(name, 0):
                self.broken.append(f"{name} went back from {self._floor[name]} to {value}")
        self._seen.append((time.monotonic(), now))

    async def audit_on(self) -> None:
        """The books balance while the sale runs. An audit into which a fault struck says nothing."""
        while True:
            await asyncio.sleep(AUDIT_SECONDS)
            struck = self._faults.struck.total()
            if self._faults.at_work:
                continue
            try:
                async with self._stage.house(self._slug) as (cell, ledger):
                    found = await audit(cell, ledger)
            except (ParvisError, RedisError, OSError):
                continue
            if not self._faults.at_work and struck == self._faults.struck.total():
                self.audits += 1
                self.broken += found.faults


async def revive(stage: Stage, slug: HouseSlug) -> tuple[float, list[str]]:
    """Waits until a house lives: its gate is open, its line moves, what has ended is free, what was sold is recorded.

    Answers how long that took, and what was still missing after its time.
    """
    started = time.monotonic()
    allowed = LIVELY_SECONDS + stage.options.return_delay_seconds
    missing = ["the house does not answer"]
    served_before, sold_before = -1, ""
    while missing and time.monotonic() - started < allowed:
        try:
            async with stage.house(slug) as (cell, _):
                now = await status(cell, ON_SALE)
                if served_before < 0:
                    served_before, sold_before = now.now_serving, cell.newest
                overdue = await _overdue(cell, now.now_ms)
                missing = [] if await stage.is_ready(slug) else ["the gate is closed"]
                # Nobody is called into a full house: those inside have their passes' time.
                is_full = now.live_passes >= now.cap
                missing += [] if is_full or now.now_serving > served_before else ["the line does not move"]
                missing += [f"{overdue} holds have ended and are not free"] if overdue else []
                is_behind = is_after(sold_before, cell.recorded)
                missing += [f"{cell.backlog} entries wait, of before the faults ended"] if is_behind else []
        except (ParvisError, RedisError, OSError) as error:
            missing = [f"the house does not answer: {error}"]
        await asyncio.sleep(0.1)
    return time.monotonic() - started, missing


async def _overdue(cell: Cell, now_ms: int) -> int:
    """Holds that ended more than two seconds ago and still hold."""
    key, _, due = cell.hall_keys(PERFORMANCE)
    reply = await cell.read("seats/holds", (key, due))
    if reply[0] != b"holds":
        raise broken("seats/holds", reply)
    return sum(float(at_ms) < now_ms - 2_000 for at_ms in reply[2][1::2])


async def at_rest(stage: Stage, slug: HouseSlug, told: Told) -> tuple[int, list[str]]:
    """The last look at a house whose shoppers have gone home. Answers how many orders it has, and what is wrong."""
    async with stage.house(slug) as (cell, ledger):
        found = await audit(cell, ledger)
        recorded = {order.order: order for order in await _orders(ledger)}
        wrong = [*found.faults]
        for order, bought in told.confirmed.items():
            kept = recorded.get(OrderId(order))
            if kept is None:
                wrong.append(f"order {order} was confirmed and is lost")
            elif kept.state != "recorded":
                wrong.append(f"order {order} was confirmed and is {kept.state}")
            elif [item.seat or "" for item in kept.items] != [item.get("seat") or "" for item in bought.items]:
                wrong.append(f"order {order} was recorded with other seats")
        wrong += await _limbo(ledger, told)
    return len(recorded), wrong[:LISTED]


async def _orders(ledger: Ledger) -> list[RecordedOrder]:
    found: list[RecordedOrder] = []
    while True:
        page = await ledger.orders(found[-1].order if found else None, PAGE)
        found += page
        if len(page) < PAGE:
            return found


async def _limbo(ledger: Ledger, told: Told) -> list[str]:
    """Payments that ended neither in an order nor in a refund request, once their time is up."""
    wrong = []
    for _ in range(CLAIM_SECONDS * 20):
        waiting = await unclaimed_payments(ledger, 0)
        if not waiting:
            break
        await asyncio.sleep(0.2)
    for reference, answered in told.paid.items():
        is_nowhere = answered != "unclaimed" and await state_of_payment(ledger, "demo", reference) is None
        if is_nowhere or ("demo", reference) in waiting:
            wrong.append(f"payment {reference} is in limbo: {answered}")
    return wrong
