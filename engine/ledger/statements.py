"""Which list of another house's draw this house has signed: of each draw one, whatever restarts or is lost."""

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from engine.errors import LedgerUnavailable

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

Draw = tuple[str, str, str, int]
"""House, on-sale, line, and its planned start in ms since the Unix epoch."""
KEPT_DAYS: Final = 90
"""Longer than anybody may ask for a signature; it says nothing of anybody's customers."""
FORGET: Final = "DELETE FROM draw_statements WHERE at < now() - $1 * interval '1 day'"
KEEP: Final = (
    "INSERT INTO draw_statements (house, on_sale, line, planned_at, list, signature) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT DO NOTHING"
)
SIGNED: Final = (
    "SELECT list, at FROM draw_statements WHERE house = $1 AND on_sale = $2 AND line = $3 AND planned_at = $4"
)

NEWEST: Final = "SELECT house, on_sale, line, planned_at, list, at FROM draw_statements ORDER BY at DESC LIMIT $1"
KNOWN_SECONDS: Final = 2.0
MOST_KNOWN: Final = 10_000
Key = tuple[str, str, str, datetime]


def _key(draw: Draw) -> Key:
    house, on_sale, line, planned_ms = draw
    return house, on_sale, line, datetime.fromtimestamp(planned_ms / 1000, UTC)


async def signed_statement(ledger: "Ledger", draw: Draw) -> tuple[str, datetime] | None:
    """The list that this house signed of a draw, and when; None where it signed none. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        row = await connection.fetchrow(SIGNED, *_key(draw))
    return None if row is None else (str(row["list"]), row["at"])


async def first_statement(ledger: "Ledger", draw: Draw, told: str, signature: str) -> str:
    """The list that was first told of a draw: this one, unless there was another. Raises `LedgerUnavailable`.

    `told`: how many there are and their root, a blank between; `signature`: the house's own, kept beside it as proof.
    """
    of = _key(draw)
    async with ledger.connection() as connection:
        await connection.execute(FORGET, KEPT_DAYS)
        await connection.execute(KEEP, *of, told, signature)
        return str(await connection.fetchval(SIGNED, *of))


class Signed:
    """All that a house has signed, for whoever asks: anybody may, and of draws that never were.

    Postgres is asked for all of it at once, and again after `KNOWN_SECONDS`; of a draw alone only where the newest
    `MOST_KNOWN` are not all, and those do not tell.
    """

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger
        self._known: dict[Key, tuple[str, datetime]] = {}
        self._away = ""
        self._good_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def _read(self) -> None:
        """That Postgres is away is remembered as well: whoever asks meanwhile does not wait for it one by one."""
        self._away = ""
        try:
            async with self._ledger.connection() as connection:
                rows = await connection.fetch(NEWEST, MOST_KNOWN)
            self._known = {
                (row["house"], row["on_sale"], row["line"], row["planned_at"]): (str(row["list"]), row["at"])
                for row in rows
            }
        except LedgerUnavailable as error:
            self._away = str(error)
        self._good_until = time.monotonic() + KNOWN_SECONDS

    async def find(self, draw: Draw) -> tuple[str, datetime] | None:
        """As `signed_statement`, which may have been so up to `KNOWN_SECONDS` ago."""
        async with self._one_at_a_time:
            if time.monotonic() >= self._good_until:
                await self._read()
        if self._away:
            raise LedgerUnavailable(self._away)
        found = self._known.get(_key(draw))
        if found is None and len(self._known) == MOST_KNOWN:
            return await signed_statement(self._ledger, draw)
        return found
