"""A town whose houses live on nodes of a test's own: in one cluster, or where sentinels say."""

import asyncio
import os
import signal
import time
import tomllib
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import tomli_w

from tests.faults.nodes import Cluster, Watched
from tests.town import Answer, Sale, Town

LIMITS = {"redis_timeout_ms": 2_000}


class TownOnNodes(Town):
    """One `parvis serve` for houses that are all found by the same URL, each with a user of its own."""

    def __init__(self, slugs: Sequence[str], nodes: Cluster | Watched) -> None:
        super().__init__(slugs, limits=LIMITS)
        self.nodes = nodes

    def arrange(self) -> None:
        document = tomllib.loads(self.network_file.read_text())
        for house in document["houses"]:
            house["redis_url"] = self.nodes.url(house["slug"], f"of-{house['slug']}")
            house["redis_owner_url"] = self.nodes.url()
        self.network_file.write_text(tomli_w.dumps(document))

    @contextmanager
    def nobody_keeping(self) -> Iterator[None]:
        """Keepers and writers stand still; the API, in processes of its own, goes on."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


async def insist(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """The first answer that is no "not now": right after a loss, say, nothing new is held for a while."""
    async with asyncio.timeout(60):
        while True:
            answer = await ask()
            if answer.status != 503:
                return answer
            await asyncio.sleep(0.02)


async def until_it_sells_after(sale: Sale, epoch: int) -> int:
    """Waits until the house sells at a later epoch; answers that."""
    found = await sale.until_epoch_after(epoch)
    await insist(lambda: sale.join_once(uuid.uuid4().hex))
    return found


async def seconds_away(sale: Sale) -> float:
    """From now until somebody who asks again and again is refused, and then served."""
    started, was_refused = time.monotonic(), False
    async with asyncio.timeout(60):
        while True:
            answer = await sale.join_once(uuid.uuid4().hex)
            if was_refused and answer.status == 201:
                return time.monotonic() - started
            was_refused = was_refused or answer.status == 503
            await asyncio.sleep(0.02)
