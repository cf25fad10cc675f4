"""The writer: moves entries from a house's outbox to its ledger, in batches, exactly once.

The cursor lies in Postgres, in the batch's own transaction; the outbox is trimmed by `MINID` up to the committed
cursor, never by length. An entry that Postgres refuses is searched by halves and buried; it blocks nobody.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from redis.exceptions import RedisError

from engine.errors import LedgerUnavailable
from engine.ledger.ledger import Ledger
from engine.ledger.record import REFUSED_BY_POSTGRES, Entry, Outrun, bury_one, record

if TYPE_CHECKING:
    from redis.asyncio import Redis

BLOCK_MS: Final = 500
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 2.0
log = structlog.get_logger()


def _nothing(_: str) -> None:
    """No test listens."""


def decode(raw: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Entry]:
    """Stream entries as the ledger takes them."""
    entries: list[Entry] = []
    for entry, fields in raw:
        decoded: dict[str, str | bytes] = {
            name.decode("utf-8", "replace"): value if name == b"data" else value.decode("utf-8", "replace")
            for name, value in fields.items()
        }
        entries.append((entry.decode(), decoded))
    return entries


class Writer:
    """One house's writer. `redis` has the owner's rights; `at_point` is told where it is, for those who test it."""

    def __init__(
        self,
        redis: "Redis",
        outbox: str,
        recorded_key: str,
        ledger: Ledger,
        batch: int,
        at_point: Callable[[str], None] = _nothing,
    ) -> None:
        self._redis = redis
        self._outbox = outbox
        self._recorded_key = recorded_key
        self._ledger = ledger
        self._batch = batch
        self._at_point = at_point
        self.recorded = 0
        self.batches = 0
        self.buried = 0
        self.last_error = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Records until `stop`; while a server is away it waits, a little longer each time, and goes on."""
        pause = FIRST_PAUSE_SECONDS
        while not stop.is_set():
            try:
                if await self.drain() == 0:
                    await self._wait()
                pause, self.last_error = FIRST_PAUSE_SECONDS, ""
            except (LedgerUnavailable, RedisError, OSError, TimeoutError) as error:
                if not self.last_error:
                    log.warning("the writer waits", outbox=self._outbox, why=str(error) or type(error).__name__)
                self.last_error = str(error) or type(error).__name__
                try:
                    await asyncio.wait_for(stop.wait(), pause)
                except TimeoutError:
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _wait(self) -> None:
        """Until there is something new, or a moment has gone by."""
        cursor = await self._ledger.cursor()
        await self._redis.xread({self._outbox: cursor}, count=1, block=BLOCK_MS)

    async def drain(self) -> int:
        """Records what there is. Answers how many entries. Raises when a server is away."""
        count = 0
        cursor = await self._ledger.cursor()
        while True:
            raw: Any = await self._redis.xrange(self._outbox, min=f"({cursor}", count=self._batch)
            if not raw:
                if count:
                    await self._publish(cursor)
                return count
            entries = decode(raw)
            self._at_point("read")
            try:
                await self._record(entries, cursor)
            except Outrun:
                cursor = await self._ledger.cursor()
                continue
            cursor = entries[-1][0]
            count += len(entries)
            self.recorded += len(entries)
            self.batches += 1
            await self._publish(cursor)

    async def _publish(self, cursor: str) -> None:
        """Tells how far recording is, then gives the memory back."""
        await self._redis.set(self._recorded_key, cursor)
        self._at_point("before_trim")
        following = cursor.partition("-")
        await self._redis.xtrim(self._outbox, minid=f"{following[0]}-{int(following[2]) + 1}", approximate=False)

    async def _record(self, entries: Sequence[Entry], previous: str) -> None:
        """One transaction; where Postgres refuses an entry, halves until it stands alone, and is buried."""
        try:
            async with self._ledger.connection() as connection:
                await record(connection, entries, previous, self._at_point)
        except REFUSED_BY_POSTGRES as error:
            if len(entries) == 1:
                log.error("an entry cannot be recorded", entry=entries[0][0], why=str(error))  # noqa: TRY400 - foreseen
                async with self._ledger.connection() as connection:
                    await bury_one(connection, entries[0], previous, f"{type(error).__name__}: {error}")
                self.buried += 1
                return
            half = len(entries) // 2
            await self._record(entries[:half], previous)
            await self._record(entries[half:], entries[half - 1][0])
