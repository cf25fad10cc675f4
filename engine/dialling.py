"""Which address to try next, and when: how a client finds its Redis again."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from engine.address import Address
from engine.connection import Connection, Moved
from engine.errors import ParvisError

FIRST_BACKOFF_S: Final = 0.01
LONGEST_BACKOFF_S: Final = 0.25
"""Short: until a connection is back, the callers of a cell that is back are refused."""


class Dialler:
    """Connects to the address it was given, or to where the slot moved to, with a growing jittered pause.

    `new_connection` makes an unconnected `Connection`; `on_failure` is called for each attempt that failed.
    """

    def __init__(
        self,
        seed: Address,
        timeout_s: float,
        new_connection: Callable[[], Connection],
        on_failure: Callable[[], None],
    ) -> None:
        self._seed = seed
        self._addresses = deque([seed])
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
        there = msgspec.structs.replace(here, path="", host=moved.host or here.host, port=moved.port)
        if there == here:
            return False
        self._addresses = deque([there, self._seed])
        return True

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
                    await connection.open(address)
            except (OSError, ParvisError) as error:
                self.last_refusal = f"({address!r}: {error or 'no answer in time'})"
                if address == self._addresses[0]:
                    # After a failover the node we were sent to may be the dead one: the seed knows better.
                    self._addresses.rotate(-1)
                self._on_failure()
                continue
            if address == self._addresses[0]:
                return connection
            connection.close()  # redirected while we were connecting
