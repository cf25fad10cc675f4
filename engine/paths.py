"""Paths from an entrant of a draw up to its root, made of what the ledger has recorded.

The roots of chunks are worked out once a process. Of the chunks in which somebody has looked for themselves, the newest
are remembered: a path is then some hashing and nothing else.
"""

import asyncio
import time
from collections import OrderedDict
from typing import Final

from engine.draw import decode
from engine.drawing import Drawn
from engine.errors import Refused
from engine.ledger.attention import alarm_once
from engine.ledger.entrants import LineKey, entrants_between, gaps, is_recorded
from engine.ledger.ledger import Ledger
from engine.tree import CHUNK, leaf, levels_over, path_by, subtree

REMEMBERED: Final = 64
REMEMBERED_CHUNKS: Final = 1_024
"""34 kB each: all of a line of a million."""
ASKED_AGAIN_SECONDS: Final = 5
"""What the ledger did not have is not looked for sooner."""
GAPS_TOLD: Final = 10


def _leaves(first: int, secret_hashes: list[str]) -> list[bytes]:
    return [leaf(first + place, secret_hash) for place, secret_hash in enumerate(secret_hashes)]


def _roots(first: int, secret_hashes: list[str]) -> list[bytes]:
    hashes = _leaves(first, secret_hashes)
    return [subtree(hashes[at : at + CHUNK]) for at in range(0, len(hashes), CHUNK)]


def _levels(first: int, secret_hashes: list[str]) -> list[bytes]:
    return levels_over(_leaves(first, secret_hashes))


class Paths:
    """The trees of a house's draws, as far as somebody has asked for them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.made: dict[tuple[str, str, str], Drawn] = {}
        """Draws that were made, by epoch, on-sale and line: within an epoch they never change."""
        self._above: dict[tuple[LineKey, str], list[bytes]] = {}
        """Of each draw, the levels over its chunks."""
        self._chunks: OrderedDict[tuple[LineKey, str, int], list[bytes]] = OrderedDict()
        """The levels within a chunk, what was asked for last at the end."""
        self._missing_until: dict[tuple[LineKey, str], float] = {}
        self._one_at_a_time = asyncio.Lock()

    async def check(self, line: LineKey, draw: Drawn) -> None:
        """Makes sure that the ledger has everybody who was in a draw. Raises as `path`."""
        await self._levels_above(line, draw)

    async def path(self, line: LineKey, draw: Drawn, index: int) -> list[bytes]:
        """The nodes beside the way from an entrant up to the root, lowest first.

        Raises `Refused` (`not-recorded-yet`), `LedgerUnavailable`.
        """
        above = await self._levels_above(line, draw)
        chunk, place = divmod(index, CHUNK)
        return path_by(await self._levels_within(line, draw, chunk), place) + path_by(above, chunk)

    async def _levels_above(self, line: LineKey, draw: Drawn) -> list[bytes]:
        key = line, draw.root
        if key in self._above:
            return self._above[key]
        async with self._one_at_a_time:
            if key not in self._above:
                if self._missing_until.get(key, 0.0) > time.monotonic():
                    raise _not_recorded()
                roots = []
                for first in range(0, draw.entrants, 8 * CHUNK):
                    last = min(draw.entrants, first + 8 * CHUNK)
                    rows = await entrants_between(self._ledger, line, first, last)
                    roots += await asyncio.to_thread(_roots, first, rows)
                if draw.entrants and subtree(roots) != decode(draw.root):
                    self._missing_until[key] = time.monotonic() + ASKED_AGAIN_SECONDS
                    await self._tell(line, draw)
                    raise _not_recorded()
                if len(self._above) >= REMEMBERED:
                    self._above.clear()
                self._above[key] = levels_over(roots)
            return self._above[key]

    async def _levels_within(self, line: LineKey, draw: Drawn, chunk: int) -> list[bytes]:
        key = line, draw.root, chunk
        if key not in self._chunks:
            async with self._one_at_a_time:
                if key not in self._chunks:
                    first = chunk * CHUNK
                    rows = await entrants_between(self._ledger, line, first, min(draw.entrants, first + CHUNK))
                    self._chunks[key] = await asyncio.to_thread(_levels, first, rows)
                    if len(self._chunks) > REMEMBERED_CHUNKS:
                        self._chunks.popitem(last=False)
        self._chunks.move_to_end(key)
        return self._chunks[key]

    async def _tell(self, line: LineKey, draw: Drawn) -> None:
        """Raises an alarm unless somebody who is missing may still be recorded."""
        if not await is_recorded(self._ledger, line, draw.entrants, draw.due_at_ms):
            return
        found = await gaps(self._ledger, line, draw.entrants, GAPS_TOLD + 1)
        told = [f"{first}" if first == last else f"{first}-{last}" for first, last in found]
        missing = ", ".join([*told[:GAPS_TOLD], *(["…"] if told[GAPS_TOLD:] else [])])
        detail = {"on_sale": line[0], "line": line[1], "entrants": draw.entrants, "without_a_row": missing}
        await alarm_once(self._ledger, "draw-incomplete", detail, {})


def _not_recorded() -> Refused:
    return Refused("not-recorded-yet", "the ledger does not have the whole list", retry_after_s=ASKED_AGAIN_SECONDS)
