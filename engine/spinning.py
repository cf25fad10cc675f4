"""A function that does not end holds up everything in its Redis; the keeper ends it, and nobody has to be woken."""

import time
from typing import TYPE_CHECKING, Final

import structlog
from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATIENCE_SECONDS: Final = 1.0
"""From when on Redis says BUSY (`busy-reply-threshold`); nothing of ours takes a tenth of that."""
log = structlog.get_logger()


class Spinning:
    """Watches one Redis for what spins in it. `owner` has the owner's rights."""

    def __init__(self, owner: "Redis", house: str) -> None:
        self._owner = owner
        self._house = house
        self._since: float | None = None
        self.ended = 0
        self.refused = 0
        """How often Redis would not end it."""

    async def look(self) -> None:
        """Ends what has been running for too long. Raises `RedisError` when Redis does not even say that it is busy."""
        try:
            await self._owner.ping()
        except ResponseError as error:
            if "busy running" in str(error):
                await self._is_busy(str(error))
                return
        self._since = None

    async def _is_busy(self, what_redis_says: str) -> None:
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since < PATIENCE_SECONDS:
            return
        self._since = None
        kind = "SCRIPT" if "SCRIPT KILL" in what_redis_says else "FUNCTION"
        try:
            await self._owner.execute_command(f"{kind} KILL")
        except ResponseError as error:
            self.refused += 1
            # It has written already, and may not stop half way. What was confirmed is on disk: a restart loses
            # nothing but the half.
            log.error("something spins in Redis and cannot be ended: restart it", house=self._house, why=str(error))  # noqa: TRY400 - foreseen
            return
        self.ended += 1
        log.error("something that spun in Redis was ended", house=self._house)
