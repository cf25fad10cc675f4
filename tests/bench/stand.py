"""A house with its API as `parvis serve` runs it, one worker, and the load's process beside it."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from engine.cli.serve import Address, api_command, keep_house
from engine.keys import Keys
from engine.redis_urls import connect
from engine.words import HouseSlug, OnSaleId
from tests.bench.load import Load
from tests.bench.redis_time import yardsticks
from tests.town import Sale, Town

if TYPE_CHECKING:
    from redis.asyncio import Redis

SLUG: Final = HouseSlug("bench")
VISITORS: Final = 64


class Stand(Town):
    """The API with the yardsticks' routes. The house's keeper and writer run in this process, only when asked."""

    def __init__(self) -> None:
        # A loaded machine may keep Redis waiting: here a late answer is a slow one, not a failure.
        super().__init__([SLUG], limits={"redis_timeout_ms": 5_000, "lag_ms": 5_000})
        self.load = Load()

    def serve(self) -> None:
        command = [*api_command(Address("127.0.0.1", self.port, 1))[:-1], "tests.bench.app:from_environment"]
        environment = os.environ | {"PARVIS_NETWORK": str(self.network_file), "PARVIS_HOUSES": SLUG}
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """While the house's keeper and writer run."""
        stop = asyncio.Event()
        kept = asyncio.create_task(keep_house(self.network.house(SLUG), stop))
        try:
            yield
        finally:
            stop.set()
            await kept

    async def balance(self) -> None:
        """What was measured is recorded first."""
        async with self.keeping():
            await super().balance()

    async def open(self) -> None:
        """Opens the cell's gate and loads the yardsticks."""
        async with self.keeping():
            await self.until_ready()
        async with self.owner() as owner:
            await owner.execute_command("FUNCTION", "LOAD", yardsticks())

    @asynccontextmanager
    async def owner(self) -> "AsyncIterator[Redis]":
        """The house's Redis with the owner's rights."""
        owner = connect(self.network.house(SLUG).redis_owner_url)
        try:
            yield owner
        finally:
            await owner.aclose()

    async def call_everybody(self, sale: Sale) -> None:
        """Everybody is called as soon as anybody claims, at a pace that no house can mean."""
        async with self.owner() as owner:
            key = Keys(SLUG).sale(OnSaleId(sale.on_sale))
            await owner.execute_command("HSET", key, "rate", 10**9)

    def stop(self) -> None:
        self.load.close()
        super().stop()

    def path(self, sale: Sale, rest: str) -> str:
        """A path below the on-sale."""
        return f"/v1/houses/{SLUG}/on-sales/{sale.on_sale}/{rest}"


@asynccontextmanager
async def stand() -> AsyncIterator[Stand]:
    """A stand whose gate is open."""
    made = Stand()
    try:
        made.start()
        await made.open()
        yield made
    finally:
        made.stop()
