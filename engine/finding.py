"""Where a house's Redis is just now: asked of its sentinels, or of its cluster's nodes."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

from hiredis import pack_command

from engine.address import Address, Location, location_of
from engine.connection import Connection, Moved
from engine.errors import CellUnreachable, ParvisError

ASK_SECONDS: Final = 1.0
"""For one command to one node."""
MOST_KNOWN: Final = 64


def _nothing(*_: object) -> None:
    """Nobody shares this connection."""


async def ask(address: Address, *words: str, as_primary: bool = False) -> Any:
    """One command over a connection of its own. Raises `OSError` (`TimeoutError` too) or a `ParvisError`."""
    connection = Connection(_nothing, _nothing, _nothing)
    async with asyncio.timeout(ASK_SECONDS):
        await connection.open(address, as_primary=as_primary)
        try:
            answer = asyncio.get_running_loop().create_future()
            connection.send(float("inf"), [answer], [pack_command(words)])  # type: ignore[arg-type]
            return await answer
        finally:
            connection.cut("")


def _fields(flat: Sequence[bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}


async def primary_by_sentinels(location: Location, within_s: float) -> tuple[Address, Address]:
    """The primary, and a sentinel that knows it: whichever knows of the latest promotion.

    All are asked at once, because one that was cut off would still name the primary of before. Raises
    `CellUnreachable` when none answers, with what each said.
    """
    asking = {
        asyncio.create_task(ask(sentinel, "SENTINEL", "MASTER", location.primary_name)): sentinel
        for sentinel in location.seeds
    }
    try:
        done, _ = await asyncio.wait(asking, timeout=within_s)
    finally:
        for task in asking:
            task.cancel()
    answers, whys = [], []
    for task, sentinel in asking.items():
        if task not in done:
            whys.append(f"{sentinel!r}: no answer in time")
        elif error := task.exception():
            whys.append(f"{sentinel!r}: {str(error) or type(error).__name__}")
        else:
            answers.append((_fields(task.result()), sentinel))
    if not answers:
        raise CellUnreachable(f"No sentinel told where {location.primary_name} is ({'; '.join(whys)}).")
    told, sentinel = max(answers, key=lambda answer: int(answer[0]["config-epoch"]))
    return location.at(told["ip"], int(told["port"])), sentinel


class Finder:
    """Finds the node that has a key, as the ops side. `key` matters in a cluster only."""

    def __init__(self, url: str, key: str = "") -> None:
        self.location = location_of(url)
        self._key = key
        self._known = list(self.location.seeds)

    async def find(self) -> Address:
        """The node that has the key now. Raises `CellUnreachable`, with what each node said."""
        match self.location.kind:
            case "server":
                return self._known[0]
            case "sentinel":
                return (await self._primary())[0]
        whys = []
        for node in self._known[:]:
            try:
                await ask(node, "EXISTS", self._key)
            except Moved as moved:
                found = self.location.at(moved.host or node.host, moved.port)
                self._remember(found)
                return found
            except (OSError, ParvisError) as error:
                whys.append(f"{node!r}: {str(error) or 'no answer in time'}")
                self._known.remove(node)  # the next time it is asked last
                self._known.append(node)
                continue
            return node
        raise CellUnreachable(f"No node told where the house is ({'; '.join(whys)}).")

    async def nodes(self) -> list[Address]:
        """Every node that may come to have the key, the one that has it first. Raises `OSError` or a `ParvisError`."""
        match self.location.kind:
            case "server":
                return self._known
            case "sentinel":
                primary, sentinel = await self._primary()
                replicas = map(_fields, await ask(sentinel, "SENTINEL", "REPLICAS", self.location.primary_name))
                return [primary, *(self.location.at(each["ip"], int(each["port"])) for each in replicas)]
        primary = await self.find()
        nodes = dict.fromkeys((primary, *self._listed(primary, await ask(primary, "CLUSTER", "NODES"))))
        self._remember(*nodes)
        return list(nodes)

    def _remember(self, *nodes: Address) -> None:
        """For when those are gone that the URL names."""
        known = dict.fromkeys((*nodes, *self.location.seeds, *self._known))
        self._known = list(known)[:MOST_KNOWN]

    async def _primary(self) -> tuple[Address, Address]:
        primary, sentinel = await primary_by_sentinels(self.location, ASK_SECONDS)
        await ask(primary, "PING", as_primary=True)
        return primary, sentinel

    def _listed(self, asked: Address, told: bytes) -> Iterator[Address]:
        """The nodes of `CLUSTER NODES` that are not known to have failed."""
        for line in told.decode().splitlines():
            _, where, flags, *_ = line.split(" ")
            if {"fail", "noaddr", "handshake"} & set(flags.split(",")):
                continue
            address, _, names = where.partition(",")
            host, _, port = address.partition("@")[0].rpartition(":")
            yield self.location.at(names.partition(",")[0] or host or asked.host, int(port))
