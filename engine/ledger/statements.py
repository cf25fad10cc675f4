"""Which list of another house's draw this house has signed: of each draw one, whatever restarts or is lost."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

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


def _key(draw: Draw) -> tuple[str, str, str, datetime]:
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
