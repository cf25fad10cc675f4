"""How far an on-sale's counters were at the end of each minute in which one of them moved."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from engine.counted import COUNTERS, Counted
from engine.words import OnSaleId

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

KEEP: Final = (
    "INSERT INTO curves AS c (on_sale, minute, joined, called, admitted, missed, orders) "
    "SELECT $1, date_trunc('minute', clock_timestamp()), $2, $3, $4, $5, $6 FROM epoch WHERE number = $7 "
    "ON CONFLICT (on_sale, minute) DO UPDATE SET joined = greatest(c.joined, EXCLUDED.joined), "
    "called = greatest(c.called, EXCLUDED.called), admitted = greatest(c.admitted, EXCLUDED.admitted), "
    "missed = greatest(c.missed, EXCLUDED.missed), orders = greatest(c.orders, EXCLUDED.orders)"
)
CURVE: Final = "SELECT minute, joined, called, admitted, missed, orders FROM curves WHERE on_sale = $1 ORDER BY minute"
ENDED: Final = "SELECT max(at) FROM actions WHERE subject = $1 AND what = $2"


class Minute(msgspec.Struct, frozen=True):
    """What a minute (RFC 3339, its begin) brought."""

    minute: str
    counted: Counted


async def keep_counted(ledger: "Ledger", on_sale: OnSaleId, counted: Counted, epoch: int) -> None:
    """Keeps how far the counters are in this minute of Postgres's clock. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        await connection.execute(KEEP, on_sale, *(getattr(counted, name) for name in COUNTERS), epoch)


def _instant(at: Any) -> str:
    return str(at.isoformat(timespec="seconds")).replace("+00:00", "Z")


async def curve(ledger: "Ledger", on_sale: OnSaleId) -> list[Minute]:
    """What each minute brought, oldest first; minutes that brought nothing are left out. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        rows = await connection.fetch(CURVE, on_sale)
    minutes, before = [], Counted()
    for row in rows:
        now = Counted(*(row[name] for name in COUNTERS))
        brought = now.since(before)
        if brought != Counted():
            minutes.append(Minute(_instant(row["minute"]), brought))
        before = Counted(*(max(getattr(now, name), getattr(before, name)) for name in COUNTERS))
    return minutes


async def last_done(ledger: "Ledger", on_sale: OnSaleId, what: str) -> str | None:
    """When something was done to an on-sale last (RFC 3339); None when it never was. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        at = await connection.fetchval(ENDED, on_sale, what)
    return None if at is None else _instant(at)


async def losses_since(ledger: "Ledger", at: str) -> list[str]:
    """When recoveries found that something was lost, from an instant on (RFC 3339). Raises `LedgerUnavailable`."""
    query = "SELECT at FROM recoveries WHERE detail->>'kind' <> 'none' AND at >= $1::text::timestamptz ORDER BY at"
    async with ledger.connection() as connection:
        return [_instant(row[0]) for row in await connection.fetch(query, at)]
