"""A writer as a process of its own that is killed, by itself, the moment it comes past a point.

python -m tests.faults.writer_process REDIS_URL POSTGRES_DSN SECRETS_PATH HOUSE BATCH POINT TIMES
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from engine.keys import Keys
from engine.ledger.ledger import Ledger
from engine.redis_urls import connect
from engine.sealing import Opener
from engine.signing import Signer
from engine.words import HouseSlug
from engine.writer import Writer


async def main(redis_url: str, dsn: str, secrets_path: str, house: str, batch: str, point: str, times: str) -> None:
    left = int(times)

    def at_point(name: str) -> None:
        nonlocal left
        left -= name == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    ledger = Ledger(dsn, pool=1, timeout_ms=5_000)
    slug, folder = HouseSlug(house), Path(secrets_path)
    opener = Opener(Signer(slug, folder), folder)
    await Writer(connect(redis_url), Keys(slug), ledger, int(batch), opener, at_point).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
