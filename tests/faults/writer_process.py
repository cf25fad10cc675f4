"""A writer as a process of its own that is killed, by itself, the moment it comes past a point.

python -m tests.faults.writer_process REDIS_URL POSTGRES_DSN HOUSE BATCH POINT TIMES
"""

import asyncio
import os
import signal
import sys

from engine.keys import Keys
from engine.ledger.ledger import Ledger
from engine.redis_urls import connect
from engine.words import HouseSlug
from engine.writer import Writer


async def main(redis_url: str, dsn: str, house: str, batch: str, point: str, times: str) -> None:
    left = int(times)

    def at_point(name: str) -> None:
        nonlocal left
        left -= name == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    ledger = Ledger(dsn, pool=1, timeout_ms=5_000)
    await Writer(connect(redis_url), Keys(HouseSlug(house)), ledger, int(batch), at_point).drain()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
