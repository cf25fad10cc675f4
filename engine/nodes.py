"""What every node of a house's cluster or replica set must have, whichever is promoted or gets the house next.

Replication carries functions, but no users; a node that joined today has neither. Recovery gives a node both before
its gate opens. It is quicker where they are there already, and this sees to it.
"""

import asyncio
import contextlib
from typing import Any, Final

import structlog
from redis.exceptions import RedisError, ResponseError

from engine.address import Address
from engine.errors import ParvisError
from engine.finding import Finder
from engine.keys import Keys
from engine.library import assemble, install
from engine.network import House
from engine.redis_urls import connect_to, credentials

LOOK_SECONDS: Final = 5.0
NODE_SECONDS: Final = 3.0
"""For one node; the others do not wait for it."""
SETTINGS: Final = {
    "appendonly": ("yes", "a confirmed order is lost with the process"),
    "appendfsync": ("always", "a confirmed order may be lost with the machine"),
    "aof-load-truncated": ("no", "half a transaction may come back after a power cut; cut it off before the start"),
    "maxmemory-policy": ("noeviction", "what is sold may be thrown away"),
}
"""Of each node: what it must be, and why."""
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
        return f"{node!r}: {str(error) or 'no answer in time'}"
    return ""


async def prepare_nodes(finder: Finder, house: House) -> list[str]:
    """Installs library and user on every node. Answers what kept it from some, in words."""
    try:
        nodes = await finder.nodes()
    except (ParvisError, OSError) as error:
        return [str(error) or type(error).__name__]
    return [why for why in await asyncio.gather(*(_prepare(node, house) for node in nodes)) if why]


async def _look_at(node: Address, house: House, *, is_its_own: bool) -> list[str]:
    """What is wrong with a node, in words; `is_its_own`: the one that has the house now, with replicas."""
    user, _ = credentials(house.redis_url)
    faults = []
    async with asyncio.timeout(NODE_SECONDS), connect_to(node) as owner:
        copying: dict[str, Any] = await owner.info("replication")
        if copying["role"] != "master" and copying["master_link_status"] != "up":
            faults.append("it gets nothing of its primary: what is confirmed now, it would lose if it were promoted")
        if is_its_own and not copying["connected_slaves"]:
            faults.append("no replica copies it: nothing could be promoted in its place")
        if not await owner.execute_command("FUNCTION", "LIST", "LIBRARYNAME", assemble().name):
            faults.append("it has not this release's functions: is `parvis serve` running?")
        if user and not await owner.execute_command("ACL", "GETUSER", user):
            faults.append(f"it knows no user {user}: is `parvis serve` running?")
        # A server of somebody else's may not tell; then its owner has to say.
        with contextlib.suppress(ResponseError):
            settings: Any = await owner.config_get(*SETTINGS)
            faults += [
                f"{name} is {settings[name]}, not {wanted}: {why}"
                for name, (wanted, why) in SETTINGS.items()
                if settings.get(name, wanted) != wanted
            ]
    return faults


async def faults_of_nodes(house: House) -> list[str]:
    """What is wrong with the nodes that the house is on or may come to be on, in words."""
    finder = finder_of(house)
    try:
        nodes = await finder.nodes()
    except (ParvisError, OSError) as error:
        return [f"its Redis is not to be found: {str(error) or type(error).__name__}"]
    faults = []
    for number, node in enumerate(nodes):
        try:
            found = await _look_at(node, house, is_its_own=number == 0 and finder.location.kind != "server")
        except (RedisError, OSError) as error:
            found = [f"it does not answer: {str(error) or 'no answer in time'}"]
        faults += [f"Redis at {node!r}: {fault}" for fault in found]
    return faults


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
