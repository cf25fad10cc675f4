"""Which address to try next, and when: how a client finds its Redis again."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Final

from engine.address import Address, Location
from engine.connection import Connection, Moved
from engine.errors import ParvisError
from engine.finding import primary_by_sentinels

FIRST_BACKOFF_S: Final = 0.01
LONGEST_BACKOFF_S: Final = 0.25
"""Short: until a connection is back, the callers of a cell that is back are refused."""
MOST_KNOWN: Final = 64


class Dialler:
    """Connects to where the house's Redis is, with a growing jittered pause.

    That is the one address it was given; or where the slot moved to, as any node of the cluster says; or what
    the sentinels call the primary, if it says so itself.
    `new_connection` makes an unconnected `Connection`; `on_failure` is called for each attempt that failed.
    """

    def __init__(
        self,
        location: Location,
        timeout_s: float,
        new_connection: Callable[[], Connection],
        on_failure: Callable[[], None],
    ) -> None:
        self._location = location
        self.asks_sentinels = location.kind == "sentinel"
        self._addresses = deque([location.account] if self.asks_sentinels else location.seeds)
        """Whom to try, the next one first; the sentinels say it anew each time."""
        self._timeout_s = timeout_s
        self._new_connection = new_connection
        self._on_failure = on_failure
        self._attempts = 0
        self.last_refusal = ""
        """Why the latest failed attempt failed, with the address, without the password."""

    def proved_good(self) -> None:
        """The connection answers: after its loss the first attempt need not wait."""
        self._attempts = 0

    def redirect(self, moved: Moved) -> bool:
        """Dial the node that `moved` names from now on; whether that is news."""
        here = self._addresses[0]
        there = self._location.at(moved.host or here.host, moved.port)
        if there == here:
            return False
        # Whoever was named before may be the one to ask when this one dies.
        known = dict.fromkeys((there, *self._location.seeds, *self._addresses))
        self._addresses = deque(list(known)[:MOST_KNOWN])
        return True

    def leave(self) -> bool:
        """The node we are at serves no more: whether there is another one to try."""
        self._addresses.rotate(-1)
        return self.asks_sentinels or len(self._addresses) > 1

    async def is_superseded(self, node: Address) -> bool:
        """Whether the sentinels have made another one the primary, though this one may not know it yet."""
        try:
            return (await self._primary()) != node
        except ParvisError:
            return False

    async def _primary(self) -> Address:
        return (await primary_by_sentinels(self._location, self._timeout_s / 2))[0]

    async def dial(self) -> Connection:
        """Try until a node greets us. Never raises but for its own cancellation."""
        while True:
            if self._attempts:
                longest_s = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(self._attempts, 10))
                await asyncio.sleep(longest_s * random.uniform(0.5, 1))
            self._attempts += 1
            address = self._addresses[0]
            connection = self._new_connection()
            try:
                async with asyncio.timeout(self._timeout_s):
                    node = await self._primary() if self.asks_sentinels else address
                    await connection.open(node, as_primary=self.asks_sentinels)
            except (OSError, ParvisError) as error:
                self.last_refusal = f"({address!r}: {str(error) or 'no answer in time'})"
                if address == self._addresses[0]:
                    # After a failover the node we were sent to may be the dead one: the seed knows better.
                    self._addresses.rotate(-1)
                self._on_failure()
                continue
            if address == self._addresses[0]:
                return connection
            connection.close()  # redirected while we were connecting
