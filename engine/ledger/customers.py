"""What a house holds of its customers: all of one of them as JSON, and taking one, or everybody of long ago, out of it.

Orders, items, refund requests and the action log stay as they are: they are the house's accounts. Only who bought
goes: the columns that name them, and the sealed part of orders that are not recorded.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from engine.entries import Item, Order, decode_order, encode_order, without_customer
from engine.errors import BadInput
from engine.instants import now_ms, to_rfc3339
from engine.ledger.ledger import Ledger
from engine.sealing import is_of
from engine.signing import Signer
from engine.words import OnSaleId, OrderId

MOST_ORDERS: Final = 10_000
"""Of one customer, in one export; one address with more is no person's."""
NOT_HERE: Final = (
    "Redis keeps each order for 24 hours at most, its customer sealed to the house's writer; it forgets by itself. An "
    "order that waits for its payment, or to be recorded, brings its customer along when that comes: look again then. "
    "Where each person has one place in a queue, a mark of who has one, in which nothing can be read, stays until a "
    "day after the last performance: without it somebody could take a second place."
)
NOBODY: Final = "nobody"
"""The visitor of an order that is nobody's any more."""
FIND: Final = (
    "SELECT order_id, on_sale, state, recorded_at, channel, email, name, phone, language, provider, reference, total, "
    "currency, payload FROM orders WHERE lower(email) = lower($1) OR email = $1 ORDER BY order_id LIMIT $2"
)
REFUNDS: Final = (
    "SELECT order_id, amount, currency, why, requested_at, refunded_at FROM refund_requests "
    "WHERE order_id = ANY ($1::uuid[])"
)
ANONYMISE: Final = (
    "UPDATE orders o SET email = '', name = '', phone = '', language = '', owner = w.owner, payload = w.payload, "
    "anonymised_at = now() FROM unnest($1::uuid[], $2::bytea[], $3::text[]) AS w(order_id, payload, owner) "
    "WHERE o.order_id = w.order_id"
)
# The operation stands where an outbox id would: a repeat logs nothing, and finds what the first one did.
LOG: Final = (
    "INSERT INTO actions (who, what, subject, why, detail, entry) VALUES ($1, $2, $3, $4, $5::jsonb, $6) "
    "ON CONFLICT (entry) DO NOTHING"
)
DONE: Final = "SELECT detail FROM actions WHERE entry = $1"


class By(msgspec.Struct, frozen=True):
    """Who asks, why, and the id of what they ask for."""

    who: str
    why: str
    operation: str


class RefundOfOrder(msgspec.Struct, frozen=True):
    """Money asked back for an order, in minor units; `refunded_at` once it went."""

    amount: int
    currency: str
    why: str
    requested_at: str
    refunded_at: str | None


class CustomersOrder(msgspec.Struct, frozen=True):
    """A recorded order with all that it says of its customer."""

    order: OrderId
    on_sale: OnSaleId
    state: str
    recorded_at: str
    channel: str
    email: str
    name: str
    phone: str
    language: str
    provider: str
    reference: str
    items: tuple[Item, ...]
    total: int
    currency: str
    refunds: tuple[RefundOfOrder, ...]


class UnrecordedOrder(msgspec.Struct, frozen=True):
    """An order that is not recorded: a dead letter, or one that waits for its payment. Its customer stays sealed."""

    order: OrderId
    on_sale: OnSaleId
    why: str
    at: str
    items: tuple[Item, ...]
    total: int
    currency: str


class Export(msgspec.Struct, frozen=True):
    """All that a house holds of a customer. `is_whole`: false where there is more than one export may have."""

    email: str
    exported_at: str
    orders: tuple[CustomersOrder, ...]
    unrecorded: tuple[UnrecordedOrder, ...]
    is_whole: bool
    not_here: str = NOT_HERE


class Erased(msgspec.Struct, frozen=True):
    """How much was anonymised: recorded orders, and orders that are not recorded."""

    orders: int
    unrecorded: int
    not_here: str = NOT_HERE


class SealedOrder(msgspec.Struct, frozen=True):
    """A row that has an order in it that is not recorded: `key` is its dead letter's entry, or the order's id."""

    is_letter: bool
    key: Any
    order: Order
    why: str
    at_ms: int


def _ms(at: Any) -> int:
    return int(at.timestamp() * 1000)


def _instant(at: Any) -> str:
    return to_rfc3339(_ms(at))


def _subject(signer: Signer, email: str) -> str:
    """What the action log says instead of an address: the house can tell whether it is a certain one's, nobody else."""
    return f"customer {signer.customer_mark(email).hex()}"


def _check(email: str, by: By) -> str:
    """The address, without blanks around it. Raises `BadInput`."""
    email = email.strip()
    if "@" not in email:
        raise BadInput("email is not an e-mail address")
    if email.lower() in by.why.lower():
        raise BadInput("the reason stays in the log of what was done: it must not name the customer")
    return email


async def sealed_orders(connection: Any, *, for_update: bool = False) -> list[SealedOrder]:
    """Every order that is not recorded and can be read."""
    lock = " FOR UPDATE" if for_update else ""
    found = []
    for row in await connection.fetch(f"SELECT entry, fields, why, at FROM dead_letters{lock}"):  # noqa: S608
        try:
            order = decode_order(bytes.fromhex(msgspec.json.decode(row["fields"])["data"]))
        except (KeyError, TypeError, ValueError, msgspec.MsgspecError):
            continue  # it is no order: nobody is in it
        found.append(SealedOrder(True, row["entry"], order, row["why"], _ms(row["at"])))
    for row in await connection.fetch(f"SELECT order_id, data, at FROM awaited_orders{lock}"):  # noqa: S608
        order = decode_order(row["data"])
        found.append(SealedOrder(False, row["order_id"], order, "its payment is awaited", _ms(row["at"])))
    return found


async def unseal(connection: Any, rows: Iterable[SealedOrder], *, are_old: bool = False) -> None:
    """Takes the customer out of orders that are not recorded; they can be recorded as before, without one.

    `are_old`: what they held is long gone, and nobody asks any more who held it.
    """
    for row in rows:
        owner = nobodys(row.order.owner) if are_old else row.order.owner
        data = encode_order(msgspec.structs.replace(row.order, customer=None, owner=owner))
        if row.is_letter:
            await connection.execute(
                "UPDATE dead_letters SET fields = jsonb_set(fields, '{data}', to_jsonb($2::text)) WHERE entry = $1",
                *(row.key, data.hex()),
            )
        else:
            await connection.execute("UPDATE awaited_orders SET data = $2 WHERE order_id = $1", row.key, data)


def nobodys(owner: str) -> str:
    """Whoever held, no longer told from other visitors: the house could make a pseudonym of an address again."""
    return owner if owner.startswith("key:") else NOBODY


async def anonymise(connection: Any, rows: Sequence[Any]) -> None:
    """Takes the customer out of recorded orders; `rows` have `order_id` and `payload`."""
    # A release that did not seal kept the customer in the payload, too.
    orders = [decode_order(row["payload"]) for row in rows]
    orders = [msgspec.structs.replace(order, owner=nobodys(order.owner)) for order in orders]
    payloads, owners = [without_customer(order) for order in orders], [order.owner for order in orders]
    await connection.execute(ANONYMISE, [row["order_id"] for row in rows], payloads, owners)


def _order(row: Any, refunds: Sequence[RefundOfOrder]) -> CustomersOrder:
    told = {name: row[name] for name in ("on_sale", "state", "channel", "email", "name", "phone", "language")}
    told |= {name: row[name] for name in ("provider", "reference", "total", "currency")}
    return CustomersOrder(
        order=OrderId(str(row["order_id"])),
        recorded_at=_instant(row["recorded_at"]),
        items=decode_order(row["payload"]).items,
        refunds=tuple(refunds),
        **told,
    )


async def export(ledger: Ledger, signer: Signer, email: str, by: By) -> Export:
    """All that the house holds of a customer; that it was asked for is logged. Raises `BadInput`, `LedgerUnavailable`.

    One of whom nothing is held gets an export of the same shape, with nothing in it.
    """
    email = _check(email, by)
    async with ledger.connection() as connection, connection.transaction():
        await connection.execute(LOG, by.who, "export customer", _subject(signer, email), by.why, "{}", by.operation)
        rows = await connection.fetch(FIND, email, MOST_ORDERS)
        refunds: dict[Any, list[RefundOfOrder]] = {}
        for row in await connection.fetch(REFUNDS, [row["order_id"] for row in rows]):
            refunded_at = _instant(row["refunded_at"]) if row["refunded_at"] else None
            told = (row["amount"], row["currency"], row["why"], _instant(row["requested_at"]), refunded_at)
            refunds.setdefault(row["order_id"], []).append(RefundOfOrder(*told))
        sealed = [each for each in await sealed_orders(connection) if is_of(signer, each.order, email)]
    return Export(
        email=email,
        exported_at=to_rfc3339(now_ms()),
        orders=tuple(_order(row, refunds.get(row["order_id"], ())) for row in rows),
        unrecorded=tuple(
            UnrecordedOrder(
                *(each.order.order, each.order.on_sale, each.why, to_rfc3339(each.at_ms), each.order.items),
                *(each.order.total, each.order.currency),
            )
            for each in sealed
        ),
        is_whole=len(rows) < MOST_ORDERS,
    )


async def erase(ledger: Ledger, signer: Signer, email: str, by: By) -> Erased:
    """Takes a customer out of all that the house holds, once an operation id. Raises `BadInput`, `LedgerUnavailable`.

    Whoever was never there, or is there no more, is erased just as well.
    """
    email = _check(email, by)
    async with ledger.connection() as connection, connection.transaction():
        first = await connection.fetchval(DONE, by.operation)
        if first is not None:
            return _erased(first)
        rows = await connection.fetch(f"{FIND} FOR UPDATE", email, None)
        sealed = [each for each in await sealed_orders(connection, for_update=True) if is_of(signer, each.order, email)]
        await anonymise(connection, rows)
        await unseal(connection, sealed)
        detail = msgspec.json.encode({"orders": len(rows), "unrecorded": len(sealed)}).decode()
        await connection.execute(LOG, by.who, "erase customer", _subject(signer, email), by.why, detail, by.operation)
    return _erased(detail)


def _erased(detail: str) -> Erased:
    return msgspec.json.decode(detail, type=Erased)
