"""Paths from an entrant of a draw up to its root, made of what the ledger has recorded.

The roots of chunks are worked out once a process: a path is then some rows of the ledger, and these roots.
"""

import asyncio
import time
from typing import Final

from engine.draw import decode
from engine.errors import Refused
from engine.ledger.entrants import LineKey, entrants_between
from engine.ledger.ledger import Ledger
from engine.tree import CHUNK, leaf, path, subtree

REMEMBERED: Final = 64
ASKED_AGAIN_SECONDS: Final = 5
"""What the ledger did not have is not looked for sooner."""


def _leaves(first: int, secret_hashes: list[str]) -> list[bytes]:
    return [leaf(first + place, secret_hash) for place, secret_hash in enumerate(secret_hashes)]


def _roots(first: int, secret_hashes: list[str]) -> list[bytes]:
    hashes = _leaves(first, secret_hashes)
    return [subtree(hashes[at : at + CHUNK]) for at in range(0, len(hashes), CHUNK)]


class Paths:
    """The trees of a house's draws, as far as somebody has asked for them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._roots: dict[tuple[LineKey, str], list[bytes]] = {}
        self._missing_until: dict[tuple[LineKey, str], float] = {}
        self._one_at_a_time = asyncio.Lock()

    async def roots(self, line: LineKey, entrants: int, root: str) -> list[bytes]:
        """The roots of a draw's chunks. Raises `Refused` (`not-recorded-yet`), `LedgerUnavailable`."""
        key = line, root
        async with self._one_at_a_time:
            found = self._roots.get(key)
            if found is None:
                if self._missing_until.get(key, 0.0) > time.monotonic():
                    raise _not_recorded()
                found = []
                for first in range(0, entrants, 8 * CHUNK):
                    rows = await entrants_between(self._ledger, line, first, min(entrants, first + 8 * CHUNK))
                    found += await asyncio.to_thread(_roots, first, rows)
                if entrants and subtree(found) != decode(root):
                    self._missing_until[key] = time.monotonic() + ASKED_AGAIN_SECONDS
                    raise _not_recorded()
                if len(self._roots) >= REMEMBERED:
                    self._roots.clear()
                self._roots[key] = found
        return found

    async def path(self, line: LineKey, entrants: int, root: str, index: int) -> list[bytes]:
        """The nodes beside the way from an entrant up to the root, lowest first. Raises as `roots`."""
        roots = await self.roots(line, entrants, root)
        chunk = index // CHUNK
        first = chunk * CHUNK
        rows = await entrants_between(self._ledger, line, first, min(entrants, first + CHUNK))
        return path(_leaves(first, rows), index - first) + path(roots, chunk)


def _not_recorded() -> Refused:
    return Refused("not-recorded-yet", "the ledger does not have the whole list", retry_after_s=ASKED_AGAIN_SECONDS)
