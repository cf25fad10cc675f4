"""Recording a batch of outbox entries: one transaction, the cursor in it, every entry exactly once."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from engine.entries import Action, Order, decode_action, decode_order

Entry = tuple[str, dict[str, str | bytes]]
"""An outbox entry: its id, and its fields (`data` as bytes, everything else as text)."""
ORDERS: Final = (
    "INSERT INTO orders (order_id, on_sale, owner, state, total, currency, channel, email, name, phone, language, "
    "provider, reference, payload, entry) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], "
    "$5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], "
    "$13::text[], $14::bytea[], $15::text[]) ON CONFLICT (order_id) DO NOTHING RETURNING order_id::text"
)
ITEMS: Final = (
    "INSERT INTO order_items (order_id, item, performance, seat, area, category, price_type, price, fee, live) "
    "SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], "
    "$8::bigint[], $9::bigint[], $10::bool[]) ON CONFLICT (order_id, item) DO NOTHING"
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


class Outrun(Exception):
    """Another writer has moved the cursor; what this one read is recorded already."""


class Batch(msgspec.Struct):
    """Entries sorted by what becomes of them."""

    orders: list[tuple[str, Order, str, bytes]]
    """Entry id, order, state, payload."""
    entrants: list[dict[str, Any]]
    actions: list[tuple[str, Action]]
    poison: list[tuple[str, dict[str, Any], str]]
    ignored: int = 0


def sort(entries: Sequence[Entry]) -> Batch:
    """Decodes a batch; what cannot be decoded becomes poison, for the dead letters."""
    batch = Batch([], [], [], [])
    for entry, fields in entries:
        kind = fields.get("kind")
        try:
            match kind:
                case "order" | "conflict":
                    payload = bytes(fields["data"])  # type: ignore[arg-type]
                    state = "recorded" if kind == "order" else "conflicted"
                    batch.orders.append((entry, decode_order(payload), state, payload))
                case "join":
                    int(fields["index"])
                    batch.entrants.append({name: fields[name] for name in ("on_sale", "line", "index", "secret_hash")})
                case "action":
                    batch.actions.append((entry, decode_action(bytes(fields["data"]))))  # type: ignore[arg-type]
                case _:
                    batch.poison.append((entry, dict(fields), f"unknown kind {kind!r}"))
        except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
            batch.poison.append((entry, dict(fields), f"{type(error).__name__}: {error}"))
    return batch


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


async def _live_elsewhere(connection: Any, orders: Sequence[tuple[str, Order, str, bytes]]) -> set[tuple[str, str]]:
    """Seats of the batch that another order already has, live."""
    wanted = [(item.performance, item.seat) for _, order, _, _ in orders for item in order.items if item.seat]
    if not wanted:
        return set()
    performances, seats = _columns(wanted, 2)
    mine = [order.order for _, order, _, _ in orders]
    rows = await connection.fetch(
        "SELECT i.performance, i.seat FROM order_items i JOIN unnest($1::text[], $2::text[]) AS w(performance, seat) "
        "USING (performance, seat) WHERE i.live AND i.order_id <> ALL ($3::uuid[])",
        *(performances, seats, mine),
    )
    return {(row["performance"], row["seat"]) for row in rows}


async def _record_orders(connection: Any, orders: Sequence[tuple[str, Order, str, bytes]]) -> None:
    """Orders and items. A seat that is live elsewhere makes its order conflicted: a refund request and an alarm."""
    taken = await _live_elsewhere(connection, [each for each in orders if each[2] == "recorded"])
    rows, item_rows, late = [], [], []
    for entry, order, decoded_state, payload in orders:
        seats = {(item.performance, item.seat) for item in order.items if item.seat}
        state = decoded_state
        if state == "recorded":
            if seats & taken:
                state = "conflicted"
                late.append((order, sorted(seat or "" for _, seat in seats & taken)))
            else:
                taken |= {(performance, seat) for performance, seat in seats if seat}
        customer, payment = order.customer, order.payment
        rows.append((
            *(order.order, order.on_sale, order.owner, state, order.total, order.currency, order.channel),
            *((customer.email, customer.name, customer.phone, customer.language) if customer else ("", "", "", "")),
            *((payment.provider, payment.reference) if payment else ("", "")),
            *(payload, entry),
        ))  # fmt: skip
        item_rows += [
            (
                *(
                    order.order,
                    number,
                    item.performance,
                    item.seat,
                    item.area,
                    item.category,
                    item.price_type,
                ),
                *(item.price, item.fee, state == "recorded"),
            )
            for number, item in enumerate(order.items)
        ]
    if not rows:
        return
    fresh = {row["order_id"] for row in await connection.fetch(ORDERS, *_columns(rows, 15))}
    repeated = [row for row in rows if row[0] not in fresh]
    if repeated:
        await _check_repeats(connection, repeated)
    new_items = [row for row in item_rows if row[0] in fresh]
    await connection.execute(ITEMS, *_columns(new_items, 10))
    for _, order, decoded_state, _ in orders:
        if order.order in fresh and (
            decoded_state == "conflicted" or any(each.order == order.order for each, _ in late)
        ):
            await _request_refund(connection, order)
    for order, seats_taken in late:
        if order.order in fresh:
            await alarm(connection, "live-seat", {"order": order.order, "seats": seats_taken})


async def _check_repeats(connection: Any, rows: Sequence[Sequence[Any]]) -> None:
    """A repeated order id is harmless with the same payload, and an alarm with another."""
    for row in rows:
        stored = await connection.fetchrow("SELECT payload, entry FROM orders WHERE order_id = $1::uuid", row[0])
        if bytes(stored["payload"]) != row[13]:
            await alarm(connection, "other-payload", {"order": row[0], "entry": row[14], "first": stored["entry"]})


async def _request_refund(connection: Any, order: Order) -> None:
    payment = order.payment
    await connection.execute(
        "INSERT INTO refund_requests (order_id, amount, currency, provider, reference, why) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (order_id) DO NOTHING",
        *(order.order, order.total, order.currency),
        *((payment.provider, payment.reference) if payment else ("", "")),
        "the seats were no longer this order's",
    )


async def alarm(connection: Any, kind: str, detail: dict[str, Any]) -> None:
    """Writes an alarm that a person has to look at."""
    await connection.execute(
        "INSERT INTO alarms (kind, detail) VALUES ($1, $2::jsonb)", kind, msgspec.json.encode(detail).decode()
    )


async def record(connection: Any, entries: Sequence[Entry], previous: str, at_point: Callable[[str], None]) -> int:
    """Records a batch that follows the cursor `previous`. Answers how many entries it was.

    Raises `Outrun` when another writer has moved the cursor since, and then records nothing.
    """
    batch = sort(entries)
    last = entries[-1][0]
    async with connection.transaction():
        # The row's lock makes a second writer wait here, and then find that it was outrun.
        moved = await connection.fetchval(
            "UPDATE cursor SET entry = $1 WHERE entry = $2 RETURNING entry", last, previous
        )
        if moved is None:
            raise Outrun
        if batch.entrants:
            rows = [(row["on_sale"], row["line"], int(row["index"]), row["secret_hash"]) for row in batch.entrants]
            await connection.execute(ENTRANTS, *_columns(rows, 4))
        at_point("in_batch")
        await _record_orders(connection, batch.orders)
        if batch.actions:
            actions = [
                (
                    *(action.at_ms, action.who, action.what, action.subject, action.why),
                    *(msgspec.json.encode(action.detail).decode(), entry),
                )
                for entry, action in batch.actions
            ]
            await connection.execute(ACTIONS, *_columns(actions, 7))
        for entry, fields, why in batch.poison:
            await bury(connection, entry, fields, why)
        at_point("before_commit")
    at_point("after_commit")
    return len(entries)


async def bury(connection: Any, entry: str, fields: dict[str, Any], why: str) -> None:
    """Puts an entry that cannot be recorded into the dead letters, with an alarm; it is never dropped."""
    readable = {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
    await connection.execute(
        "INSERT INTO dead_letters (entry, fields, why) VALUES ($1, $2::jsonb, $3) ON CONFLICT (entry) DO NOTHING",
        *(entry, msgspec.json.encode(readable).decode().replace("\\u0000", ""), why.replace("\x00", "")),
    )
    await alarm(connection, "dead-letter", {"entry": entry, "why": why.replace("\x00", "")})


async def bury_one(connection: Any, entry: Entry, previous: str, why: str) -> None:
    """Buries a single entry that Postgres itself refuses, and moves the cursor past it. Raises `Outrun`."""
    async with connection.transaction():
        moved = await connection.fetchval(
            "UPDATE cursor SET entry = $1 WHERE entry = $2 RETURNING entry", entry[0], previous
        )
        if moved is None:
            raise Outrun
        await bury(connection, entry[0], dict(entry[1]), why)


REFUSED_BY_POSTGRES: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.PostgresSyntaxError,
)
"""What a poison entry raises, as opposed to a server that is away."""
