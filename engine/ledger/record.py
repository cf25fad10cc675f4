"""Recording a batch of outbox entries: one transaction, the cursor in it, every entry exactly once."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

import asyncpg
import msgspec

from engine.entries import Action, Customer, Order, decode_action, decode_order, without_customer
from engine.ledger.payments import Awaited, arrive_awaited, end_waiting, record_awaited
from engine.ledger.returns import record_returns
from engine.sealing import Opener, Unopenable

Entry = tuple[str, dict[str, str | bytes]]
"""An outbox entry: its id, and its fields (`data` as bytes, everything else as text)."""
KNOWN: Final = "SELECT order_id::text, payload, entry FROM orders WHERE order_id = ANY ($1::uuid[])"
# A subquery a row: the index is used, whatever the planner believes of tables that were empty a minute ago.
LIVE: Final = (
    "SELECT w.performance, w.seat FROM unnest($1::text[], $2::text[]) AS w(performance, seat) CROSS JOIN LATERAL "
    "(SELECT FROM order_items i WHERE i.performance = w.performance AND i.seat = w.seat AND i.live LIMIT 1) AS i"
)
PAID: Final = (
    "SELECT w.provider, w.reference, o.order_id::text FROM unnest($1::text[], $2::text[]) AS w(provider, reference) "
    "CROSS JOIN LATERAL (SELECT order_id FROM orders o WHERE o.provider = w.provider AND o.reference = w.reference "
    "AND o.state IN ('recorded', 'refunded') LIMIT 1) AS o"
)
ORDER_COLUMNS: Final = (
    *("order_id", "on_sale", "owner", "state", "total", "currency", "channel"),
    *("email", "name", "phone", "language", "provider", "reference", "payload", "entry"),
)
ITEM_COLUMNS: Final = (
    *("order_id", "item", "performance", "seat", "area", "category"),
    *("price_type", "price", "fee", "live"),
)
ENTRANTS: Final = (
    "INSERT INTO entrants (on_sale, line, index, secret_hash) "
    "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) "
    "ON CONFLICT (on_sale, line, index) DO NOTHING"
)
ACTIONS: Final = (
    "INSERT INTO actions (at, who, what, subject, why, detail, entry) SELECT to_timestamp(at / 1000.0), who, what, "
    "subject, why, detail::jsonb, entry FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], "
    "$6::text[], $7::text[]) AS t(at, who, what, subject, why, detail, entry) ON CONFLICT (entry) DO NOTHING"
)


SAME_INDEX: Final = (
    "SELECT w.on_sale, w.line, w.index FROM entrants e "
    "JOIN unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) AS w(on_sale, line, index, secret_hash) "
    "USING (on_sale, line, index) WHERE e.secret_hash <> w.secret_hash"
)


class Outrun(Exception):
    """Another writer has moved the cursor, or the cell has a new epoch; what this one read counts no more."""


class Position(msgspec.Struct, frozen=True):
    """How far the outbox is recorded (a stream id), and the cell's epoch."""

    cursor: str
    epoch: int


class Arrived(msgspec.Struct, frozen=True):
    """An order as it came. `state`: `recorded` or `conflicted`; `entry`: its outbox id."""

    entry: str
    order: Order
    customer: Customer | None
    state: str
    payload: bytes
    """The order without its customer."""
    paid_with: tuple[str, str]
    """Provider and reference of its payment; empty without one."""

    @property
    def seats(self) -> frozenset[tuple[str, str]]:
        """Performance and seat of each seated item."""
        return frozenset([(item.performance, item.seat) for item in self.order.items if item.seat])


def _arrive(entry: str, data: bytes, state: str, opener: Opener) -> Arrived:
    order = decode_order(data)
    payment = order.payment
    paid_with = (payment.provider, payment.reference) if payment else ("", "")
    return Arrived(entry, order, opener.open(order), state, without_customer(order), paid_with)


class Batch(msgspec.Struct):
    """Entries sorted by what becomes of them."""

    changes: list[Arrived | Action]
    """Orders, and returns of orders, in the order of the stream."""
    entrants: list[dict[str, Any]]
    actions: list[tuple[str, Action]]
    awaited: list[Awaited]
    poison: list[tuple[str, dict[str, Any], str]]
    restored: list[dict[str, Any]] = []
    """What was put back into a ledger from the past; see `engine/replay.py`."""


def sort(entries: Sequence[Entry], opener: Opener) -> Batch:
    """Decodes a batch and opens what is sealed; what cannot be becomes poison, for the dead letters."""
    batch = Batch([], [], [], [], [])
    for entry, fields in entries:
        kind = fields.get("kind")
        try:
            match kind:
                case "order" | "conflict":
                    data, state = bytes(fields["data"]), "recorded" if kind == "order" else "conflicted"  # type: ignore[arg-type]
                    batch.changes.append(_arrive(entry, data, state, opener))
                case "await":
                    batch.awaited.append(arrive_awaited(entry, bytes(fields["data"])))  # type: ignore[arg-type]
                case "join":
                    int(fields["index"])
                    batch.entrants.append({name: fields[name] for name in ("on_sale", "line", "index", "secret_hash")})
                case "action" | "return":
                    action = decode_action(bytes(fields["data"]))  # type: ignore[arg-type]
                    batch.actions.append((entry, action))
                    batch.changes += [action] if kind == "return" else []
                case "restored":
                    batch.restored.append(msgspec.json.decode(bytes(fields["data"]), type=dict[str, Any]))  # type: ignore[arg-type]
                case _:
                    batch.poison.append((entry, dict(fields), f"unknown kind {kind!r}"))
        except (KeyError, TypeError, ValueError, msgspec.MsgspecError, Unopenable) as error:
            batch.poison.append((entry, dict(fields), f"{type(error).__name__}: {error}"))
    return batch


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


async def _record_changes(connection: Any, changes: Sequence[Arrived | Action]) -> None:
    """Orders and returns. A batch is cut at each return: a seat that it frees may be sold again a moment later."""
    for is_return, some in groupby(changes, lambda each: isinstance(each, Action)):
        run: list[Any] = list(some)
        await (record_returns if is_return else _record_orders)(connection, run)


async def _record_orders(connection: Any, orders: Sequence[Arrived]) -> None:
    """Orders with their items; looked at one by one where there is a repeat, a live seat or a used payment."""
    payments = [arrived.paid_with for arrived in orders if arrived.paid_with[1]]
    if len(set(payments)) == len(payments) and not await connection.fetch(PAID, *_columns(payments, 2)):
        try:
            async with connection.transaction():
                await _insert(connection, orders)
        except asyncpg.UniqueViolationError:
            pass  # Postgres keeps what it had before: an order's id, or a live seat
        else:
            return
    await _record_what_is_new(connection, orders)


async def _insert(connection: Any, orders: Sequence[Arrived]) -> None:
    await _copy(connection, "orders", ORDER_COLUMNS, [_order_row(arrived) for arrived in orders])
    await _copy(connection, "order_items", ITEM_COLUMNS, [row for arrived in orders for row in _item_rows(arrived)])
    for arrived in orders:
        if arrived.state == "conflicted":
            await _request_refund(connection, arrived)


async def _record_what_is_new(connection: Any, orders: Sequence[Arrived]) -> None:
    """Only what is new counts: a repeat of an order is harmless, and an alarm with another payload. A seat that is
    live in another order makes its order conflicted.
    """
    ids = [arrived.order.order for arrived in orders]
    known = {row["order_id"]: (bytes(row["payload"]), row["entry"]) for row in await connection.fetch(KNOWN, ids)}
    fresh: list[Arrived] = []
    for arrived in orders:
        order = arrived.order.order
        payload, first = known.setdefault(order, (arrived.payload, arrived.entry))
        if first == arrived.entry:
            fresh.append(arrived)
        elif payload != arrived.payload:
            await alarm(connection, "other-payload", {"order": order, "entry": arrived.entry, "first": first})
    if fresh:
        await _insert(connection, await _judge(connection, fresh))


async def _copy(connection: Any, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows as they are, twice as fast as by INSERT. Raises `asyncpg.DataError` for a value of another type."""
    try:
        await connection.copy_records_to_table(table, records=rows, columns=columns)
    except (TypeError, ValueError, OverflowError) as error:
        raise asyncpg.DataError(f"{table}: {error}") from error


async def _judge(connection: Any, orders: Sequence[Arrived]) -> list[Arrived]:
    """New orders with the state that they get, one after the other; alarms for what a person has to look at."""
    wanted = list({seat for arrived in orders for seat in arrived.seats})
    payments = list({arrived.paid_with for arrived in orders if arrived.paid_with[1]})
    taken = {tuple(row) for row in await connection.fetch(LIVE, *_columns(wanted, 2))}
    paid = {(row[0], row[1]): row[2] for row in await connection.fetch(PAID, *_columns(payments, 2))}
    judged = []
    for arrived in orders:
        order = arrived.order.order
        lost = arrived.seats & taken if arrived.state == "recorded" else frozenset()
        if lost:
            await alarm(connection, "live-seat", {"order": order, "seats": sorted(seat for _, seat in lost)})
        bought = paid.get(arrived.paid_with)
        if bought:
            await alarm(connection, "payment-used", {"order": order, "first": bought})
        if arrived.state == "recorded" and not lost:
            taken |= arrived.seats
            if arrived.paid_with[1]:
                paid.setdefault(arrived.paid_with, order)
        judged.append(msgspec.structs.replace(arrived, state="conflicted") if lost else arrived)
    return judged


async def _end_waiting(connection: Any, orders: Sequence[Arrived]) -> None:
    """Neither these orders nor their payments wait any more; for money that was going back, somebody has to look."""
    payments = [arrived.paid_with for arrived in orders if arrived.paid_with[1]]
    for reference in await end_waiting(connection, [arrived.order.order for arrived in orders], payments):
        await alarm(connection, "payment-given-back", {"reference": reference})


def _order_row(arrived: Arrived) -> tuple[Any, ...]:
    order, customer = arrived.order, arrived.customer
    return (
        *(order.order, order.on_sale, order.owner, arrived.state, order.total, order.currency, order.channel),
        *((customer.email, customer.name, customer.phone, customer.language) if customer else ("", "", "", "")),
        *(*arrived.paid_with, arrived.payload, arrived.entry),
    )


def _item_rows(arrived: Arrived) -> list[tuple[Any, ...]]:
    order, is_live = arrived.order, arrived.state == "recorded"
    return [
        (
            *(order.order, number, item.performance, item.seat, item.area, item.category),
            *(item.price_type, item.price, item.fee, is_live),
        )
        for number, item in enumerate(order.items)
    ]


async def _request_refund(connection: Any, arrived: Arrived) -> None:
    """Money goes back once, and not where the same payment bought another order."""
    order, (provider, reference) = arrived.order, arrived.paid_with
    await connection.execute(
        "INSERT INTO refund_requests (order_id, amount, currency, provider, reference, why) "
        "SELECT $1, $2, $3, $4, $5, $6 WHERE $5 = '' OR NOT EXISTS "
        "(SELECT FROM orders WHERE provider = $4 AND reference = $5 AND state IN ('recorded', 'refunded'))",
        *(order.order, order.total, order.currency, provider, reference),
        "the seats were no longer this order's",
    )


async def _record_entrants(connection: Any, entrants: Sequence[dict[str, Any]]) -> None:
    """Who joined. The same index twice is harmless for the same visitor, and an alarm for two."""
    rows = _columns([(row["on_sale"], row["line"], int(row["index"]), row["secret_hash"]) for row in entrants], 4)
    status: str = await connection.execute(ENTRANTS, *rows)
    if int(status.rpartition(" ")[2]) < len(entrants):
        for row in await connection.fetch(SAME_INDEX, *rows):
            await alarm(connection, "index-given-twice", dict(row))


async def alarm(connection: Any, kind: str, detail: dict[str, Any]) -> None:
    """Writes an alarm that a person has to look at."""
    await connection.execute(
        "INSERT INTO alarms (kind, detail) VALUES ($1, $2::jsonb)", kind, msgspec.json.encode(detail).decode()
    )


async def _move(connection: Any, entry: str, position: Position) -> None:
    """Moves the cursor. Raises `Outrun` unless it stands where, and in the epoch in which, the reader found it.

    The row's lock makes a second writer wait here, and then find that it was outrun.
    """
    moved = await connection.fetchval(
        "UPDATE cursor SET entry = $1 WHERE entry = $2 AND (SELECT number FROM epoch) = $3 RETURNING entry",
        *(entry, position.cursor, position.epoch),
    )
    if moved is None:
        raise Outrun


async def apply(connection: Any, batch: Batch, at_point: Callable[[str], None] = lambda _: None) -> None:
    """Records what is in a batch, but for its poison. Raises one of `REFUSED_BY_POSTGRES` for what cannot be."""
    if batch.entrants:
        await _record_entrants(connection, batch.entrants)
    at_point("in_batch")
    if batch.awaited:
        await record_awaited(connection, batch.awaited)
    await _record_changes(connection, batch.changes)
    await _end_waiting(connection, [each for each in batch.changes if isinstance(each, Arrived)])
    if batch.actions:
        actions = [
            (
                *(action.at_ms, action.who, action.what, action.subject, action.why),
                *(msgspec.json.encode(action.detail).decode(), entry),
            )
            for entry, action in batch.actions
        ]
        await connection.execute(ACTIONS, *_columns(actions, 7))
    for told in batch.restored:
        await alarm(connection, "ledger-lost", told)


async def record(
    connection: Any, entries: Sequence[Entry], position: Position, opener: Opener, at_point: Callable[[str], None]
) -> int:
    """Records a batch that follows a position. Answers how many entries it was.

    Raises `Outrun` where the position is no longer so, and then records nothing.
    """
    batch = sort(entries, opener)
    async with connection.transaction():
        await _move(connection, entries[-1][0], position)
        await apply(connection, batch, at_point)
        for entry, fields, why in batch.poison:
            await bury(connection, entry, fields, why)
        at_point("before_commit")
    at_point("after_commit")
    return len(entries)


def reason(error: Exception) -> str:
    """Why Postgres refused, without its details: these quote the whole row, and who buys with it."""
    return f"{type(error).__name__}: {error.args[0] if error.args else ''}"


def _printable(value: str | bytes) -> str:
    """What Postgres can keep: it takes no NUL, and bytes only as hex."""
    return value.hex() if isinstance(value, bytes) else value.replace("\x00", "")


def _is_kept_whole(name: str, value: str | bytes) -> bool:
    """Whether what is kept of a field says what it was: only `data` is bytes."""
    if isinstance(value, bytes):
        return name == "data"
    return name != "data" and "\x00" not in name + value


async def bury(connection: Any, entry: str, fields: dict[str, Any], why: str) -> None:
    """Puts an entry that cannot be recorded into the dead letters, with an alarm; it is never dropped."""
    readable = {_printable(name): _printable(value) for name, value in fields.items()}
    is_whole = all(_is_kept_whole(name, value) for name, value in fields.items())
    await connection.execute(
        "INSERT INTO dead_letters (entry, fields, why, is_whole) VALUES ($1, $2::jsonb, $3, $4)",
        *(entry, msgspec.json.encode(readable).decode(), _printable(why), is_whole),
    )
    await alarm(connection, "dead-letter", {"entry": entry, "why": _printable(why)})


async def bury_one(connection: Any, entry: Entry, position: Position, why: str) -> None:
    """Buries a single entry that Postgres itself refuses, and moves the cursor past it. Raises `Outrun`."""
    async with connection.transaction():
        await _move(connection, entry[0], position)
        await bury(connection, entry[0], dict(entry[1]), why)


REFUSED_BY_POSTGRES: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What a poison entry raises, as opposed to a server that is away."""
