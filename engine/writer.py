"""The writer: moves entries from a house's outbox to its ledger, in batches, exactly once.

The cursor lies in Postgres, in the batch's own transaction; the outbox is trimmed by `MINID` up to the committed
cursor, never by length. An entry that Postgres refuses is searched by halves and buried; it blocks nobody.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from redis.exceptions import RedisError

from engine.checkpoints import checkpoint, read_lists
from engine.errors import CellUnavailable, LedgerUnavailable
from engine.keys import Keys
from engine.ledger.batch import REFUSED_BY_POSTGRES, Entry, sort
from engine.ledger.entrants import LineKey, frontiers
from engine.ledger.ledger import Ledger
from engine.ledger.record import Outrun, Position, bury_one, reason, record
from engine.losses import is_after
from engine.replay import remembered, whole_batches
from engine.sealing import Opener
from engine.states import performances_in, restate
from engine.tree import Frontier

if TYPE_CHECKING:
    from redis.asyncio import Redis

BLOCK_MS: Final = 500
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 2.0
log = structlog.get_logger()


def _nothing(_: str) -> None:
    """No test listens."""


class Behind(Exception):
    """The ledger's cursor, as it was known, lies before what a writer said to be recorded: up to here."""


class Fenced(CellUnavailable):
    """The cell recovers, or this Redis is no longer the house's: its epoch is not the ledger's."""


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def decode(raw: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Entry]:
    """Stream entries as the ledger takes them; what is no text stays bytes."""
    entries: list[Entry] = []
    for entry, fields in raw:
        decoded = {
            name.decode("utf-8", "replace"): value if name == b"data" else _text(value)
            for name, value in fields.items()
        }
        entries.append((entry.decode(), decoded))
    return entries


class Writer:
    """One house's writer. `redis` has the owner's rights; `at_point` is told where it is, for those who test it."""

    def __init__(
        self,
        redis: "Redis",
        keys: Keys,
        ledger: Ledger,
        batch: int,
        opener: Opener,
        at_point: Callable[[str], None] = _nothing,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._ledger = ledger
        self._batch = batch
        self._opener = opener
        self._at_point = at_point
        self._cursor = self._published = "0-0"
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
            except (Fenced, LedgerUnavailable, RedisError, OSError, TimeoutError) as error:
                if not self.last_error:
                    log.warning("the writer waits", outbox=self._keys.outbox, why=str(error) or type(error).__name__)
                self.last_error = str(error) or type(error).__name__
                try:
                    await asyncio.wait_for(stop.wait(), pause)
                except TimeoutError:
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _wait(self) -> None:
        """Until there is something new, or a moment has gone by."""
        await self._redis.xread({self._keys.outbox: self._cursor}, count=1, block=BLOCK_MS)

    async def drain(self) -> int:
        """Records what there is. Answers how many entries. Raises when a server is away, and `Fenced`."""
        count = 0
        position = await self._ledger.position()
        while True:
            self._cursor = position.cursor
            try:
                entries = await self._read(position)
                if not entries:
                    return count
                self._at_point("read")
                grown = await self._record(entries, position)
            except Outrun:
                position = await self._ledger.position()
                continue
            except Behind as behind:
                # What was said to be recorded was so by then, and still is in any ledger but one from a backup.
                position = await self._ledger.position()
                if is_after(str(behind), position.cursor):
                    await self._replay(position, str(behind))
                    position = await self._ledger.position()
                continue
            # What another writer recorded before, it may not have kept in Redis.
            is_ours = position.cursor == self._published
            position = Position(cursor=entries[-1][0], epoch=position.epoch)
            count += len(entries)
            self.recorded += len(entries)
            self.batches += 1
            await self._publish(position, grown if is_ours else None)

    async def _read(self, position: Position) -> list[Entry]:
        """The next entries, of the Redis that the ledger knows as the house's. Raises `Fenced`."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hget(self._keys.cell, "epoch")
            pipeline.xlen(self._keys.outbox)
            pipeline.get(self._keys.recorded)
            pipeline.xrange(self._keys.outbox, min=f"({position.cursor}", count=self._batch)
            epoch, length, told, raw = await pipeline.execute()
        if int(epoch or 0) != position.epoch:
            # It may be a primary of before that still has our connection: the next one goes to where the house is.
            await self._redis.connection_pool.disconnect(inuse_connections=False)
            raise Fenced
        told = (told or b"0-0").decode()
        if is_after(told, position.cursor):
            raise Behind(told)
        if not raw and (length or told != position.cursor):
            # A writer that ended between its commit and its trim left this behind, or a slower one beside us.
            await self._publish(position)
        return decode(raw)

    async def _replay(self, position: Position, recorded: str) -> None:
        """Records again what the ledger lacks and Redis remembers; as long as it is not done, that shows."""
        log.error("the ledger is from an earlier time", cursor=position.cursor, recorded=recorded)
        # What became of the seats meanwhile nobody remembers: their history goes on from what they are now.
        await restate(self._redis, self._keys, await performances_in(self._redis, self._keys), position.epoch)
        entries = await remembered(self._redis, self._keys, position.cursor, recorded)
        for batch in whole_batches(entries, self._batch):
            self._at_point("read")
            try:
                await self._record(batch, position)
            except Outrun:
                return  # another writer does it
            position = Position(cursor=batch[-1][0], epoch=position.epoch)
            self.recorded += len(batch)

    async def _publish(self, position: Position, grown: "dict[LineKey, Frontier] | None" = None) -> None:
        """Tells how far recording is, then gives the memory back. `grown`: the trees over entrants that have; else all.

        Raises `Fenced`.
        """
        trees = await frontiers(self._ledger) if grown is None else grown
        if not await checkpoint(self._redis, self._keys, trees, position.epoch):
            raise Fenced
        await self._redis.set(self._keys.recorded, position.cursor)
        self._published = position.cursor
        self._at_point("before_trim")
        milliseconds, _, number = position.cursor.partition("-")
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xtrim(self._keys.outbox, minid=f"{milliseconds}-{int(number) + 1}", approximate=False)
            pipeline.hget(self._keys.folded, "through")
            _, through = await pipeline.execute()
        if through and not is_after(through.decode(), position.cursor):
            await self._redis.delete(self._keys.folded)  # the trees of what is recorded are as far

    async def _record(self, entries: Sequence[Entry], position: Position) -> dict[LineKey, Frontier]:
        """One transaction; where Postgres refuses an entry, halves until it stands alone, and is buried."""
        batch = sort(entries, self._opener)
        lines = {(row["on_sale"], row["line"]) for row in batch.entrants}
        lists = await read_lists(self._redis, self._keys, lines) if lines else {}
        try:
            async with self._ledger.connection() as connection:
                return await record(connection, batch, entries[-1][0], position, self._at_point, lists)
        except REFUSED_BY_POSTGRES as error:
            if len(entries) == 1:
                log.error("an entry cannot be recorded", entry=entries[0][0], why=reason(error))  # noqa: TRY400 - foreseen
                async with self._ledger.connection() as connection:
                    await bury_one(connection, entries[0], position, reason(error))
                self.buried += 1
                return {}
            half = len(entries) // 2
            grown = await self._record(entries[:half], position)
            behind = msgspec.structs.replace(position, cursor=entries[half - 1][0])
            return grown | await self._record(entries[half:], behind)
