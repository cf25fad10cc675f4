"""Who has a place of an on-sale where each person has one: a MAC under the house's key, and the index."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.ledger.order_records import columns
from engine.words import OnSaleId

if TYPE_CHECKING:
    from engine.ledger.ledger import Ledger

RECORD: Final = (
    "INSERT INTO persons (on_sale, person, index) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) "
    "ON CONFLICT (on_sale, person) DO UPDATE SET index = excluded.index WHERE persons.index < excluded.index"
)


async def record_persons(connection: Any, persons: Sequence[tuple[str, str, int]]) -> None:
    """Records on-sales, persons and indices; whose turn passed has a newer index, and the newest stays."""
    newest: dict[tuple[str, str], int] = {}
    for on_sale, person, index in persons:
        newest[on_sale, person] = max(index, newest.get((on_sale, person), index))
    await connection.execute(RECORD, *columns([(*whose, index) for whose, index in newest.items()], 3))


async def read_persons(ledger: "Ledger", on_sale: OnSaleId) -> dict[str, int]:
    """Person → index. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        rows = await connection.fetch("SELECT person, index FROM persons WHERE on_sale = $1", on_sale)
    return {row["person"]: row["index"] for row in rows}


async def forget_persons(ledger: "Ledger", on_sale: OnSaleId) -> int:
    """Forgets who had a place. Answers how many they were. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        status: str = await connection.execute("DELETE FROM persons WHERE on_sale = $1", on_sale)
    return int(status.rpartition(" ")[2])
