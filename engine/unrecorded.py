"""What is not recorded yet is remembered: whoever joins again finds their place, however far behind the ledger is.

Redis remembers a join for a minute, which is long enough for a ledger that records within seconds. While it does not,
or Postgres is away, neither would know a place that is older than that, and asking again would get a second one. So
the answer to a repeat lives as long as its entry in the outbox, and for no longer again than that was late.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from engine.folding import look_again_and_again
from engine.keys import Keys
from engine.words import OnSaleId

if TYPE_CHECKING:
    from redis.asyncio import Redis

LATE_MS: Final = 25_000
"""So old is the first entry of an outbox whose ledger is behind: well within what a join is remembered for anyway."""
MARGIN_MS: Final = 120_000
"""So much longer than until they are looked at again answers are kept: a house may be slow, or just starting."""
PAGE: Final = 2_000
LOOK_SECONDS: Final = 5.0


def _instant(entry: bytes) -> int:
    """When an entry was written, by Redis's clock."""
    return int(entry.partition(b"-")[0])


class Unrecorded:
    """Keeps what the outbox of one house still has from being forgotten. `redis` has the owner's rights."""

    def __init__(self, redis: "Redis", keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._through = b""
        self._again_at_ms = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; while Redis is away, whoever records says so."""
        await look_again_and_again(self.look, LOOK_SECONDS, stop)

    async def look(self) -> None:
        """Keeps who came since the last look; and everybody once more when the ledger is behind for twice as long as
        when they were kept last: so each is kept a few times in all, and for about as long as it took to record them.

        Raises `RedisError`.
        """
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.xrange(self._keys.outbox, count=1)
            (seconds, microseconds), first = await pipeline.execute()
        now = seconds * 1000 + microseconds // 1000
        late_ms = now - _instant(first[0][0]) if first else 0
        if late_ms < LATE_MS:
            return
        if now >= self._again_at_ms:
            self._through, self._again_at_ms = b"", now + late_ms
        while await self._keep_page(self._again_at_ms - now + MARGIN_MS):
            pass

    async def _keep_page(self, kept_ms: int) -> bool:
        """Keeps the next page of joins for so long at least. Answers whether there may be another."""
        after = f"({self._through.decode()}" if self._through else "-"
        raw: Any = await self._redis.xrange(self._keys.outbox, min=after, count=PAGE)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for entry, fields in raw:
                if fields.get(b"kind") != b"join":
                    continue
                # What is none as it should be, the writer will bury.
                with contextlib.suppress(KeyError, ValueError):
                    on_sale, line = OnSaleId(fields[b"on_sale"].decode()), fields[b"line"].decode()
                    retry = self._keys.retry(on_sale, fields[b"secret_hash"].decode(), line)
                    # Gone it may be too: while a Redis was down its clock went on.
                    pipeline.set(retry, f"{int(fields[b'index'])}.{_instant(entry)}", px=kept_ms, nx=True)
                    pipeline.pexpire(retry, kept_ms, gt=True)
            await pipeline.execute()
        self._through = raw[-1][0] if raw else self._through
        return len(raw) == PAGE
