"""What a house's keeper reads of its Redis to know under how much pressure it is: memory, disk and backlog."""

import asyncio
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from redis.exceptions import ResponseError

from engine.cell import Cell, broken
from engine.figures import Figures
from engine.pressure import Judge, Pressure, Strain, in_mebibytes
from engine.quickness import Quickness
from engine.standing import cell_standing

if TYPE_CHECKING:
    from redis.asyncio import Redis

TELL_SECONDS: Final = 0.5
LASTS_MS: Final = 10_000
"""So long another keeper's word counts when nothing is heard of it."""
CONFIRMATION_BYTES: Final = 8_192
"""What confirming a hold adds to the append-only file, at most, as orders are (a test compares)."""
log = structlog.get_logger()


class Gauges:
    """Reads the gauges of one cell, and tells everybody what they mean. `cell` and `owner` have the owner's rights."""

    def __init__(self, cell: Cell, owner: "Redis", figures: Figures | None = None) -> None:
        """`figures`: where the API's processes tell how long holds take."""
        self._cell = cell
        self._owner = owner
        self._judge = Judge()
        limit_ms = cell.house.limits.hold_p99_ms
        self._quickness = Quickness(figures or Figures(None), cell.house.slug, limit_ms)
        self._name = secrets.token_hex(8)
        self.pressure = Pressure()
        self.strains: list[Strain] = []
        """As they were read last."""

    async def tell(self) -> None:
        """Reads, judges and tells. Raises `CellUnavailable`'s kind, `RedisError`, `OSError`."""
        self.strains = await self.read()
        self._quickness.look(asyncio.get_running_loop().time())
        slowed = (self._quickness.slowed_percent, self._quickness.why)
        pressure = self._judge.judge(self.strains, slowed)
        if pressure.level != self.pressure.level:
            log.warning("pressure", house=self._cell.house.slug, now=str(pressure))
        self.pressure = pressure
        keys = self._cell.keys
        sales = [key for name in self._cell.catalogue.on_sales for key in (keys.sale(name), keys.live(name))]
        reply = await self._cell.call(
            "cell/press",
            (keys.cell, *sales),
            (self._name, int(pressure.level), pressure.slowed_percent, pressure.why, LASTS_MS),
        )
        match reply[0]:
            case b"pressed" | b"outdone":
                return
        raise broken("cell/press", reply)

    async def read(self) -> list[Strain]:
        """The strains of this Redis, as far as they can be seen from here."""
        memory: dict[str, Any] = await self._owner.info("memory")
        strains = [await self._backlog()]
        if memory.get("maxmemory", 0):
            # Redis leaves these buffers out as well when it decides what to refuse.
            used = memory["used_memory"] - memory.get("mem_not_counted_for_evict", 0)
            strains.append(Strain("memory", used, memory["maxmemory"], in_mebibytes(used, memory["maxmemory"])))
        free = await self._free_bytes()
        if free is not None:
            needed = await self._needed_bytes(memory)
            words = f"{in_mebibytes(needed, free)} that are free are kept for what is confirmed"
            strains.append(Strain("disk", needed, free, words))
        return strains

    async def _backlog(self) -> Strain:
        used = await self._owner.memory_usage(self._cell.keys.outbox) or 0
        budget = self._cell.house.limits.backlog_bytes
        return Strain("backlog", used, budget, in_mebibytes(used, budget))

    async def _needed_bytes(self, memory: dict[str, Any]) -> float:
        """What must stay free: a reserve, every live hold's confirmation, and a rewrite that has not begun yet."""
        _, holds, _ = await cell_standing(self._cell)
        persistence: dict[str, Any] = await self._owner.info("persistence")
        rewrite = 0 if persistence.get("aof_rewrite_in_progress") else memory.get("used_memory_dataset", 0)
        return float(self._cell.house.limits.disk_free_bytes + holds * CONFIRMATION_BYTES + rewrite)

    async def _free_bytes(self) -> float | None:
        """Bytes free where the append-only file lies: on a disk of this machine, else of the budget that was set."""
        budget = self._cell.house.limits.disk_bytes
        if budget:
            persistence: dict[str, Any] = await self._owner.info("persistence")
            return max(0.0, float(budget - persistence.get("aof_current_size", 0)))
        try:
            found: Any = await self._owner.config_get("dir", "appenddirname", "appendonly")
        except ResponseError:  # a managed Redis shows nobody its settings
            return None
        if found.get("appendonly") != "yes":
            return None
        return await asyncio.to_thread(_free_bytes, Path(found["dir"]) / found["appenddirname"])


def _free_bytes(folder: Path) -> float | None:
    try:
        found = os.statvfs(folder)
    except OSError:  # Redis runs on another machine, or in a container of its own
        return None
    return float(found.f_bavail * found.f_frsize)
