"""What the engine asks a house's database."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
import msgspec

from engine.entries import Item, decode_order
from engine.errors import BadInput, LedgerUnavailable
from engine.ledger.batch import REFUSED_BY_POSTGRES
from engine.ledger.record import Position
from engine.words import OnSaleId, OrderId, PerformanceId, SeatId

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

CONNECT_SECONDS: Final = 3.0
EXPORTED_A_TIME: Final = 500
AWAY: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises when Postgres is away, full, read-only, stopping or not migrated yet: whatever it says that
is not about the values it was given. It is asked again later. The last of them it says of itself, of a connection
that was cut between two steps."""


class Document(msgspec.Struct, frozen=True):
    """One document of the catalogue; `body` is JSON."""

    kind: str
    id: str
    body: bytes
    version: int


class RecordedOrder(msgspec.Struct, frozen=True):
    """An order as the ledger keeps it. `recorded_at` is RFC 3339."""

    order: OrderId
    on_sale: OnSaleId
    state: str
    recorded_at: str
    channel: str
    email: str
    name: str
    provider: str
    reference: str
    items: tuple[Item, ...]
    total: int
    currency: str
    returned: tuple[int, ...] = ()
    """Which of its items were given back, counting from 0."""
    instead_of: OrderId | None = None
    """The order of which something was exchanged for it."""
    credit: int = 0
    """What of its total that has paid, minor units."""


class LoggedAction(msgspec.Struct, frozen=True):
    """Who did what to what, and why."""

    at: str
    who: str
    what: str
    subject: str
    why: str
    detail: dict[str, Any]


CSV_COLUMNS: Final = (
    *("order", "state", "recorded_at", "channel", "email", "name", "on_sale"),
    *("performance", "seat", "area", "category", "price_type", "price", "fee"),
    *(
        "order_total",
        "currency",
        "provider",
        "reference",
        "vat_rate",
        "vat",
        "code",
        "returned",
        "instead_of",
        "credit",
    ),
)
ORDER_COLUMNS: Final = (
    "order_id, on_sale, state, recorded_at, channel, email, name, provider, reference, total, currency, payload, "
    "instead_of, credit, "
    "ARRAY(SELECT item FROM order_items i WHERE i.order_id = orders.order_id AND NOT i.live ORDER BY item) AS returned"
)


def _rfc3339(instant: Any) -> str:
    return str(instant.isoformat(timespec="milliseconds")).replace("+00:00", "Z")


def _order(row: Any) -> RecordedOrder:
    return RecordedOrder(
        order=OrderId(str(row["order_id"])),
        on_sale=OnSaleId(row["on_sale"]),
        state=row["state"],
        recorded_at=_rfc3339(row["recorded_at"]),
        channel=row["channel"],
        email=row["email"],
        name=row["name"],
        provider=row["provider"],
        reference=row["reference"],
        items=decode_order(row["payload"]).items,
        total=row["total"],
        currency=row["currency"],
        returned=tuple(row["returned"]) if row["state"] != "conflicted" else (),
        instead_of=OrderId(str(row["instead_of"])) if row["instead_of"] else None,
        credit=row["credit"],
    )


class Ledger:
    """A house's database. Every method raises `LedgerUnavailable` when Postgres cannot answer.

    `pool`: connections at most; `timeout_ms`: for a statement. Connects on first use.
    """

    def __init__(self, dsn: str, *, pool: int, timeout_ms: int) -> None:
        self._dsn = dsn
        self._size = pool
        self._timeout_s = timeout_ms / 1000
        self._pool: asyncpg.Pool | None = None
        self._connecting = asyncio.Lock()
        self.refusal = ""
        """Why nothing is asked of this database, in words; empty when all is well."""

    async def connect(self) -> None:
        """Opens the pool, if it is not open."""
        async with self._connecting:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=self._size,
                    timeout=CONNECT_SECONDS,
                    command_timeout=self._timeout_s,
                    server_settings={"timezone": "UTC", "application_name": "parvis"},
                )

    async def close(self) -> None:
        """Closes every connection; a connection that does not end in time is cut."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), CONNECT_SECONDS)
        except (TimeoutError, *AWAY):
            pool.terminate()

    @asynccontextmanager
    async def connection(self) -> "AsyncIterator[PoolConnectionProxy[Any]]":
        """A connection from the pool. Values that Postgres refuses raise what asyncpg says of them."""
        if self.refusal:
            raise LedgerUnavailable(self.refusal)
        try:
            await self.connect()
            assert self._pool is not None  # noqa: S101 - connect() has just opened it
            async with self._pool.acquire(timeout=self._timeout_s) as connection:
                yield connection
        except REFUSED_BY_POSTGRES:
            raise
        except AWAY as error:
            raise LedgerUnavailable(f"Postgres cannot answer: {str(error) or type(error).__name__}") from error

    async def _fetch(self, query: str, *arguments: object) -> list[Any]:
        async with self.connection() as connection:
            return list(await connection.fetch(query, *arguments))

    async def _value(self, query: str, *arguments: object) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(query, *arguments)

    # -- the catalogue and the action log

    async def save(self, kind: str, name: str, body: bytes, *, who: str, what: str, why: str) -> int:
        """Saves a document and the action that made it, together. Answers its version."""
        async with self.connection() as connection, connection.transaction():
            version: int = await connection.fetchval(
                "INSERT INTO documents (kind, id, body) VALUES ($1, $2, $3) ON CONFLICT (kind, id) "
                "DO UPDATE SET body = EXCLUDED.body, version = documents.version + 1 RETURNING version",
                *(kind, name, body),
            )
            await connection.execute(
                "INSERT INTO actions (who, what, subject, why) VALUES ($1, $2, $3, $4)", who, what, name, why
            )
        return version

    async def create(self, kind: str, name: str, body: bytes, *, who: str, what: str, why: str) -> bytes:
        """Saves a new document and the action that made it. Answers what is kept: this, or what was there before."""
        async with self.connection() as connection, connection.transaction():
            kept: bytes | None = await connection.fetchval(
                "INSERT INTO documents (kind, id, body) VALUES ($1, $2, $3) ON CONFLICT (kind, id) DO NOTHING "
                "RETURNING body",
                *(kind, name, body),
            )
            if kept is None:
                kept = await connection.fetchval("SELECT body FROM documents WHERE kind = $1 AND id = $2", kind, name)
            else:
                await connection.execute(
                    "INSERT INTO actions (who, what, subject, why) VALUES ($1, $2, $3, $4)", who, what, name, why
                )
        return bytes(kept or b"")

    async def documents(self) -> list[Document]:
        """Every document of the catalogue."""
        rows = await self._fetch("SELECT kind, id, body, version FROM documents ORDER BY kind, id")
        return [Document(row["kind"], row["id"], row["body"], row["version"]) for row in rows]

    async def actions(self, limit: int) -> list[LoggedAction]:
        """The newest actions first."""
        rows = await self._fetch(
            "SELECT at, who, what, subject, why, detail FROM actions ORDER BY at DESC, id DESC LIMIT $1",
            limit,
        )
        return [
            LoggedAction(
                at=_rfc3339(row["at"]),
                who=row["who"],
                what=row["what"],
                subject=row["subject"],
                why=row["why"],
                detail=msgspec.json.decode(row["detail"]),
            )
            for row in rows
        ]

    # -- recovery

    async def position(self) -> Position:
        """How far the outbox is recorded, and the last epoch of the cell."""
        rows = await self._fetch("SELECT cursor.entry, epoch.number FROM cursor, epoch")
        return Position(cursor=rows[0][0], epoch=rows[0][1])

    async def settled_cursor(self) -> str:
        """The cursor, once every writer that had begun to move it is done."""
        return str(await self._value("SELECT entry FROM cursor FOR SHARE"))

    async def next_epoch(self, known: int) -> int:
        """A new epoch, higher than any before and than `known`: nobody else is given the same."""
        return int(await self._value("UPDATE epoch SET number = greatest(number, $1) + 1 RETURNING number", known))

    async def joined(self, on_sale: OnSaleId) -> int:
        """One more than the highest index that is recorded of any line of an on-sale; 0 when nobody is."""
        return int(await self._value("SELECT coalesce(max(index) + 1, 0) FROM entrants WHERE on_sale = $1", on_sale))

    async def sold(self, performance: PerformanceId) -> list[SeatId]:
        """The seats with a live order line."""
        rows = await self._fetch(
            "SELECT seat FROM order_items WHERE performance = $1 AND live AND seat IS NOT NULL ORDER BY seat",
            performance,
        )
        return [SeatId(row["seat"]) for row in rows]

    async def sold_areas(self, performance: PerformanceId) -> dict[str, int]:
        """How many standing places are sold, an area."""
        rows = await self._fetch(
            "SELECT area, count(*) AS places FROM order_items "
            "WHERE performance = $1 AND live AND area IS NOT NULL GROUP BY area",
            performance,
        )
        return {row["area"]: row["places"] for row in rows}

    # -- orders

    async def order(self, order: OrderId) -> RecordedOrder | None:
        """A recorded order, or None; also for what is no order's id."""
        try:
            rows = await self._fetch(f"SELECT {ORDER_COLUMNS} FROM orders WHERE order_id = $1", UUID(order))  # noqa: S608 - our own columns
        except ValueError:
            return None
        return _order(rows[0]) if rows else None

    async def orders(self, after: OrderId | None, limit: int) -> list[RecordedOrder]:
        """Recorded orders after an id, in the order of their ids. Raises `BadInput` for what is no order's id."""
        try:
            behind = UUID(after) if after else UUID(int=0)
        except ValueError as error:
            raise BadInput(f"{after!r} is not an order's id") from error
        rows = await self._fetch(
            f"SELECT {ORDER_COLUMNS} FROM orders WHERE order_id > $1 ORDER BY order_id LIMIT $2",  # noqa: S608
            *(behind, limit),
        )
        return [_order(row) for row in rows]

    async def export_csv(self) -> AsyncIterator[str]:
        """Every order as CSV, an item a row, a few hundred orders at a time."""
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(CSV_COLUMNS)
        after: OrderId | None = None
        while True:
            found = await self.orders(after, EXPORTED_A_TIME)
            for order in found:
                for number, item in enumerate(order.items):
                    rows.writerow(
                        map(
                            guarded,
                            (
                                *_csv_row(order, item),
                                int(number in order.returned),
                                order.instead_of or "",
                                order.credit,
                            ),
                        )
                    )
            yield text.getvalue()
            text.seek(0)
            text.truncate()
            if len(found) < EXPORTED_A_TIME:
                return
            after = found[-1].order


def _csv_row(order: RecordedOrder, item: Item) -> tuple[object, ...]:
    return (
        *(order.order, order.state, order.recorded_at, order.channel, order.email, order.name, order.on_sale),
        *(
            item.performance,
            item.seat or "",
            item.area or "",
            item.category,
            item.price_type,
            item.price,
            item.fee,
        ),
        *(order.total, order.currency, order.provider, order.reference, item.vat_rate, item.vat, item.code),
    )


def guarded(value: object) -> object:
    """A spreadsheet runs what starts like a formula; a quote in front makes it text."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value
