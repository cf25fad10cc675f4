"""What every node of a house's cluster or replica set must have, whichever is promoted or gets the house next.

Replication carries functions, but no users; a node that joined today has neither. Recovery gives a node both before
its gate opens. It is quicker where they are there already, and this sees to it.
"""

import asyncio
import contextlib
from typing import Final

import structlog
from redis.exceptions import RedisError

from engine.address import Address
from engine.errors import ParvisError
from engine.finding import Finder
from engine.keys import Keys
from engine.library import install
from engine.network import House
from engine.redis_urls import connect_to, credentials

LOOK_SECONDS: Final = 5.0
NODE_SECONDS: Final = 3.0
"""For one node; the others do not wait for it."""
log = structlog.get_logger()


def finder_of(house: House) -> Finder:
    """Finds the house's node as the ops side."""
    return Finder(house.redis_owner_url, Keys(house.slug).cell)


async def _prepare(node: Address, house: House) -> str:
    """Installs on one node. Answers why it could not be, in words; empty when it was."""
    try:
        async with asyncio.timeout(NODE_SECONDS), connect_to(node) as owner:
            await install(owner, house.slug, *credentials(house.redis_url))
    except (RedisError, OSError) as error:
        return f"{node!r}: {error or 'no answer in time'}"
    return ""


async def prepare_nodes(finder: Finder, house: House) -> list[str]:
    """Installs library and user on every node. Answers what kept it from some, in words."""
    try:
        nodes = await finder.nodes()
    except (ParvisError, OSError) as error:
        return [str(error) or type(error).__name__]
    return [why for why in await asyncio.gather(*(_prepare(node, house) for node in nodes)) if why]


async def keep_prepared(house: House, stop: asyncio.Event) -> None:
    """Until `stop`: sees to it that every node has what it needs, those included that come later or come back."""
    finder, before = finder_of(house), [""]
    while not stop.is_set() and finder.location.kind != "server":
        faults = await prepare_nodes(finder, house)
        if faults != before:
            log.log(30 if faults else 20, "nodes prepared", house=house.slug, not_reached=faults)
        before = faults
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
