"""How far a cell's Redis was when it was last looked at, and what each recovery found."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.ledger.order_records import alarm

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

KEEP: Final = (
    "INSERT INTO cell_standing (sequence, orders, holds) SELECT $1, $2, $3 FROM epoch WHERE number = $4 "
    "ON CONFLICT (is_only) DO UPDATE SET sequence = EXCLUDED.sequence, orders = EXCLUDED.orders, "
    "holds = EXCLUDED.holds, at = now()"
)


class CellStanding(msgspec.Struct, frozen=True):
    """A cell's sequence, how many orders its on-sales have confirmed, how many holds live, and when (RFC 3339)."""

    sequence: int
    orders: int
    holds: int
    at: str = ""


class Recovery(msgspec.Struct, frozen=True):
    """What a recovery found, at which epoch it opened, and when (RFC 3339); `detail`: see `engine.losses.Loss`."""

    epoch: int
    at: str
    detail: dict[str, Any]


async def keep_standing(ledger: "Ledger", standing: CellStanding, epoch: int) -> None:
    """Keeps how far a cell of that epoch is. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        await connection.execute(KEEP, standing.sequence, standing.orders, standing.holds, epoch)


async def last_standing(ledger: "Ledger") -> CellStanding:
    """How far the cell was when that was last kept; at its start when it never was. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        row = await connection.fetchrow("SELECT sequence, orders, holds, at FROM cell_standing")
    if row is None:
        return CellStanding(0, 0, 0)
    return CellStanding(row["sequence"], row["orders"], row["holds"], row["at"].isoformat(timespec="milliseconds"))


async def save_recovery(
    ledger: "Ledger", epoch: int, detail: dict[str, Any], standing: CellStanding, *, is_loss: bool
) -> None:
    """Keeps what a recovery found, and how far the cell is from now on; with an alarm where something was lost."""
    found = msgspec.json.encode(detail).decode()
    async with ledger.connection() as connection, connection.transaction():
        kept = await connection.fetchval(
            "INSERT INTO recoveries (epoch, detail) VALUES ($1, $2::jsonb) ON CONFLICT (epoch) DO NOTHING "
            "RETURNING epoch",
            *(epoch, found),
        )
        if kept is not None and is_loss:
            await alarm(connection, "redis-lost", detail)
        await connection.execute(KEEP, standing.sequence, standing.orders, standing.holds, epoch)


async def raise_alarm(ledger: "Ledger", kind: str, detail: dict[str, Any]) -> None:
    """Writes an alarm that a person has to look at. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        await alarm(connection, kind, detail)


async def recoveries(ledger: "Ledger", limit: int) -> list[Recovery]:
    """The newest first. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        rows = await connection.fetch("SELECT epoch, at, detail FROM recoveries ORDER BY epoch DESC LIMIT $1", limit)
    return [
        Recovery(row["epoch"], row["at"].isoformat(timespec="milliseconds"), msgspec.json.decode(row["detail"]))
        for row in rows
    ]
