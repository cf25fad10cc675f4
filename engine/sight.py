"""How a house is doing, looked at from beside its keeper: what operators see while everything, or nothing, works.

Each server is asked apart and nobody waits long for an answer: whoever looks wants to know within seconds that a
house is down. Everything here is a number or a name that the house gave to a thing; nothing is anybody's.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import msgspec
from redis.exceptions import RedisError

from engine.catalogue import OnSale
from engine.cell import Cell
from engine.errors import CellUnavailable, LedgerUnavailable, ParvisError, Refused
from engine.instants import now_ms
from engine.ledger.counts import Counts, count
from engine.ledger.ledger import Ledger
from engine.losses import is_after
from engine.network import House
from engine.pressure import Strain
from engine.redis_urls import connect
from engine.seat_map import open_by_category, snapshot
from engine.waiting_room import Status, status
from engine.words import OnSaleId, PerformanceId

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from engine.keeper import Keeper

LOOK_SECONDS: Final = 1.0
SEATS_SECONDS: Final = 3.0
CLOSED_SECONDS: Final = 60.0
"""Until a sale that was closed is looked at again."""
COUNT_SECONDS: Final = 5.0
MINUTE_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 1.0
COUNT_PATIENCE_SECONDS: Final = 3.0
ON_SALES_SHOWN: Final = 50
"""Of those under way, the newest: whoever watches numbers for every sale that ever was watches none."""
UNDER_WAY: Final = frozenset({"prequeue", "open", "paused", "sold_out"})


class OnSaleSight(msgspec.Struct, frozen=True):
    """One on-sale that is under way."""

    on_sale: str
    title: str
    phase: str
    joined: int
    waiting: int
    admitted: int
    admitted_last_minute: int
    live_passes: int
    pace_per_minute: int
    seats_open: dict[str, int]


class StrainSight(msgspec.Struct, frozen=True):
    """How much is used of what there is of something, in bytes."""

    source: str
    used: float
    budget: float


class HouseSight(msgspec.Struct, frozen=True):
    """How a house is doing. `read_at_ms` is when its Redis last said all of it, `counted_at_ms` when Postgres did."""

    is_redis_up: bool = False
    is_postgres_up: bool = False
    is_open: bool = False
    read_at_ms: int = 0
    counted_at_ms: int = 0
    epoch: int = 0
    recoveries: int = 0
    outbox_entries: int = 0
    writer_lag_s: float = 0.0
    holds: int = 0
    pressure: str = ""
    """In words; empty while there is none."""
    on_sales: tuple[OnSaleSight, ...] = ()
    strains: tuple[StrainSight, ...] = ()
    counts: Counts = Counts()


NETWORK_KIND: Final = "houses"


class NetworkSight(msgspec.Struct, frozen=True):
    """How the houses are doing that one process keeps, by slug."""

    houses: dict[str, HouseSight]


class Lag:
    """How long the oldest entry that is not recorded has waited, from what is seen of the outbox's two ends."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, str]] = []

    def note(self, now_s: float, newest: str, recorded: str) -> float:
        """Takes note of the newest entry that waits (`0-0` when none does); seconds."""
        if newest == "0-0":
            self._marks.clear()
            return 0.0
        if not self._marks or is_after(newest, self._marks[-1][1]):
            self._marks.append((now_s, newest))
        while self._marks and not is_after(self._marks[0][1], recorded):
            del self._marks[0]
        if len(self._marks) > 1_000:
            del self._marks[1::2]  # the oldest is what counts
        return now_s - self._marks[0][0] if self._marks else 0.0


class Sight:
    """Looks at one house. `keeper` is there while the house is kept: what it knows already is not asked again."""

    def __init__(self, house: House, *, clock: Callable[[], float] | None = None) -> None:
        self.house = house
        self.keeper: Keeper | None = None
        self.seen = HouseSight()
        self._clock = clock or asyncio.get_running_loop().time
        self._lag = Lag()
        self._open: dict[PerformanceId, dict[str, int]] = {}
        self._seats_at = self._closed_at = 0.0
        self._closed: set[OnSaleId] = set()
        self._admitted: deque[tuple[float, dict[str, int]]] = deque()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        owner = connect(self.house.redis_owner_url)
        ledger = Ledger(self.house.postgres_dsn, pool=1, timeout_ms=int(COUNT_PATIENCE_SECONDS * 1000))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._again(stop, LOOK_SECONDS, lambda: self._look(owner)))
                tasks.create_task(self._again(stop, COUNT_SECONDS, lambda: self._count(ledger)))
        finally:
            await ledger.close()
            await owner.aclose()

    @staticmethod
    async def _again(stop: asyncio.Event, seconds: float, look: Callable[[], Awaitable[None]]) -> None:
        while not stop.is_set():
            await look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)

    def _learn(self, **changed: object) -> None:
        self.seen = msgspec.structs.replace(self.seen, **changed)

    async def _look(self, owner: "Redis") -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await owner.ping()
        except (RedisError, OSError, TimeoutError, ParvisError):
            self._learn(is_redis_up=False, is_open=False)
            return
        keeper = self.keeper
        self._learn(is_redis_up=True, is_open=keeper is not None and keeper.cell.is_open)
        if keeper is None:
            return
        with contextlib.suppress(CellUnavailable, TimeoutError, Refused):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._read(keeper)

    async def _read(self, keeper: "Keeper") -> None:
        cell = keeper.cell
        on_sales = await self._on_sales(cell)
        pressure = cell.pressure
        self._learn(
            read_at_ms=now_ms(),
            epoch=int(cell.stored_epoch),
            recoveries=keeper.recoveries,
            outbox_entries=cell.backlog,
            writer_lag_s=self._lag.note(self._clock(), cell.newest, cell.recorded),
            holds=keeper.holds,
            pressure=str(pressure) if pressure.why else "",
            on_sales=on_sales,
            strains=tuple(map(_strain, keeper.strains)),
        )

    async def _on_sales(self, cell: Cell) -> tuple[OnSaleSight, ...]:
        found: list[OnSaleSight] = []
        now_s = self._clock()
        is_time_for_seats = now_s >= self._seats_at + SEATS_SECONDS
        if is_time_for_seats:
            self._seats_at = now_s
        if now_s >= self._closed_at + CLOSED_SECONDS:
            self._closed_at = now_s
            self._closed.clear()
        newest = sorted(cell.catalogue.on_sales.values(), key=lambda each: -each.opens_at_ms)
        for on_sale in newest:
            if on_sale.on_sale in self._closed or len(found) == ON_SALES_SHOWN:
                continue
            now = await status(cell, on_sale.on_sale)
            if now.phase == "closed":
                self._closed.add(on_sale.on_sale)
            if now.phase in UNDER_WAY:
                seats_open = await self._seats_open(cell, on_sale.on_sale, again=is_time_for_seats)
                found.append(_on_sale(on_sale, now, seats_open))
        return self._with_last_minute(now_s, found)

    def _with_last_minute(self, now_s: float, found: list[OnSaleSight]) -> tuple[OnSaleSight, ...]:
        self._admitted.append((now_s, {each.on_sale: each.admitted for each in found}))
        while self._admitted[0][0] < now_s - MINUTE_SECONDS:
            self._admitted.popleft()
        before = self._admitted[0][1]
        return tuple(
            msgspec.structs.replace(each, admitted_last_minute=max(0, each.admitted - before.get(each.on_sale, 0)))
            for each in found
        )

    async def _seats_open(self, cell: Cell, on_sale: OnSaleId, *, again: bool) -> dict[str, int]:
        counts: dict[str, int] = {}
        for performance in cell.on_sale(on_sale).performances:
            if again or performance not in self._open:
                seats = await snapshot(cell, performance)
                self._open[performance] = open_by_category(cell.catalogue.layout(performance, seats.plan_change), seats)
            for category, number in self._open[performance].items():
                counts[category] = counts.get(category, 0) + number
        return counts

    async def _count(self, ledger: Ledger) -> None:
        try:
            async with asyncio.timeout(COUNT_PATIENCE_SECONDS):
                counts = await count(ledger)
        except (LedgerUnavailable, TimeoutError):
            self._learn(is_postgres_up=False)
        else:
            self._learn(is_postgres_up=True, counted_at_ms=now_ms(), counts=counts)


def _on_sale(on_sale: OnSale, now: Status, seats_open: dict[str, int]) -> OnSaleSight:
    public = now.all_lines[-1]
    return OnSaleSight(
        on_sale=on_sale.on_sale,
        title=on_sale.title,
        phase=now.phase,
        joined=public.called + public.waiting,
        waiting=public.waiting,
        admitted=now.admitted,
        admitted_last_minute=0,
        live_passes=now.live_passes,
        pace_per_minute=now.pace_per_minute,
        seats_open=seats_open,
    )


def _strain(strain: Strain) -> StrainSight:
    return StrainSight(strain.source, strain.used, strain.budget)
