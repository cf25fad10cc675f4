"""Where each on-sale stood when that was last kept, and how long ago that was by Postgres's own clock."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from engine.words import OnSaleId

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

BINARY: Final = "base64:"
# What somebody read sooner is not kept over what was read later, unless the clock was set back meanwhile.
KEEP: Final = (
    "INSERT INTO standings AS s (on_sale, fields, joins_a_second, overshoot, kept_at) "
    "SELECT $1, $2::jsonb, $3, $4, clock_timestamp() - $5 * interval '1 second' FROM epoch WHERE number = $6 "
    "ON CONFLICT (on_sale) DO UPDATE SET fields = EXCLUDED.fields, kept_at = EXCLUDED.kept_at, "
    "joins_a_second = greatest(s.joins_a_second, EXCLUDED.joins_a_second), "
    "overshoot = greatest(s.overshoot, EXCLUDED.overshoot) "
    "WHERE s.kept_at <= EXCLUDED.kept_at OR s.kept_at > clock_timestamp()"
)
STILL_SO: Final = (
    "UPDATE standings SET kept_at = clock_timestamp() - $2 * interval '1 second' FROM epoch "
    "WHERE on_sale = ANY ($1) AND number = $3"
)
KEPT: Final = (
    "SELECT fields, joins_a_second, overshoot, extract(epoch FROM clock_timestamp() - kept_at)::float8 AS age_s "
    "FROM standings WHERE on_sale = $1"
)


class Kept(msgspec.Struct, frozen=True):
    """The fields of an on-sale's hash, by name; the fastest that its lines were ever joined.

    `overshoot`: by how many more visitors than the rate were admitted in any minute. `age_s`: how long ago the fields
    were read; less than nothing where Postgres's clock was set back since.
    """

    fields: dict[str, str] = {}
    joins_a_second: float = 0.0
    overshoot: int = 0
    age_s: float = 0.0


def as_text(value: bytes) -> str:
    """A field of Redis's as the ledger keeps it: Postgres's JSON has no place for bytes."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text or text.startswith(BINARY):
        return BINARY + b64encode(value).decode()
    return text


def as_field(text: str) -> str | bytes:
    """The inverse of `as_text`."""
    return b64decode(text.removeprefix(BINARY)) if text.startswith(BINARY) else text


async def keep(ledger: "Ledger", on_sale: OnSaleId, kept: Kept, epoch: int) -> None:
    """Keeps where an on-sale stands, as a cell of that epoch knows it. Raises `LedgerUnavailable`."""
    fields = msgspec.json.encode(kept.fields).decode()
    async with ledger.connection() as connection:
        await connection.execute(KEEP, on_sale, fields, kept.joins_a_second, kept.overshoot, kept.age_s, epoch)


async def still_so(ledger: "Ledger", on_sales: Sequence[OnSaleId], age_s: float, epoch: int) -> None:
    """Says that on-sales stood `age_s` ago as they are kept. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        await connection.execute(STILL_SO, list(on_sales), age_s, epoch)


async def last_kept(ledger: "Ledger", on_sale: OnSaleId) -> Kept:
    """Where an on-sale stood when that was last kept; nothing where it never was. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        row = await connection.fetchrow(KEPT, on_sale)
    if row is None:
        return Kept()
    fields = msgspec.json.decode(row["fields"], type=dict[str, str])
    return Kept(fields, row["joins_a_second"], row["overshoot"], row["age_s"])


async def index_of(ledger: "Ledger", on_sale: OnSaleId, line: str, secret_hash: str) -> int | None:
    """The index that a secret's hash was recorded with, the first one; None for nobody. Raises `LedgerUnavailable`."""
    query = "SELECT min(index) FROM entrants WHERE on_sale = $1 AND line = $2 AND secret_hash = $3"
    async with ledger.connection() as connection:
        found: int | None = await connection.fetchval(query, on_sale, line, secret_hash)
    return found


async def entrants_by_line(ledger: "Ledger", on_sale: OnSaleId) -> Mapping[str, int]:
    """One more than the highest index that is recorded, a line. Raises `LedgerUnavailable`."""
    query = "SELECT line, max(index) + 1 FROM entrants WHERE on_sale = $1 GROUP BY line"
    async with ledger.connection() as connection:
        return {row[0]: row[1] for row in await connection.fetch(query, on_sale)}
