"""What travels through a house's outbox: one stream entry a change, decoded by the writer.

On the stream an entry is `kind <word>` followed by its fields:

| kind       | fields | written by |
|---|---|---|
| `join`     | `on_sale`, `line`, `index`, `secret_hash` | `lua/waiting_room/join.lua` |
| `person`   | `on_sale`, `person`, `index`, where each person has one | `lua/waiting_room/join.lua` |
| `order`    | `data` = msgpack of `Order` | `lua/orders/confirm.lua`, `rebook.lua` |
| `await`    | `data` = msgpack of `Order`: its payment is under way | `lua/orders/await.lua` |
| `conflict` | `data` = msgpack of `Order`: paid, but its holds had ended | `lua/orders/conflict.lua` |
| `exchange` | `data` = msgpack of `Order`, which says what was exchanged for it | `lua/orders/exchange.lua` |
| `return`   | `data` = msgpack of `Action`: its subject is a recorded order | `lua/orders/return.lua` |
| `action`   | `data` = msgpack of `Action` | `lua/on_sale/change.lua`, `lua/waiting_room/join.lua` |
| `document` | `data` = msgpack of `Action`; `name`, `body` of a published document | `lua/seats/replan.lua` |
| `seats`    | `data` = msgpack of `SeatChange` | whatever changes seats: `lua/include/history.lua` |
"""

from typing import Final

import msgspec

from engine.words import AreaId, OnSaleId, OrderId, PerformanceId, SeatId


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone who buys from one house; lives in that house's database only."""

    email: str
    name: str = ""
    language: str = ""
    phone: str = ""


class Payment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an order is paid: the provider's name and the provider's own reference, unique per provider."""

    provider: str
    reference: str


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One seat, or one standing place of an area, with its price in minor units, frozen when it was held.

    `vat`: what of price and fee is VAT, at `vat_rate` (basis points). `code`: the id of the code that it used up.
    `allotment`: the name of that from which it was sold.
    """

    performance: PerformanceId
    category: str
    price_type: str
    price: int
    fee: int
    seat: SeatId | None = None
    area: AreaId | None = None
    vat_rate: int = 0
    vat: int = 0
    code: str = ""
    allotment: str = ""


class Action(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who of the house did what to what, and why. `detail`: what was asked for, as JSON values."""

    who: str
    what: str
    subject: str
    why: str
    at_ms: int
    detail: dict[str, str | int] = {}


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """A confirmed sale as it leaves Redis. `total` = sum of every item's price and fee, minor units."""

    order: OrderId
    on_sale: OnSaleId
    owner: str
    """Who held: the pass's pseudonym, or `key:<id>` for the counter and the house's back end."""
    items: tuple[Item, ...]
    total: int
    currency: str
    customer: bytes | Customer | None = None
    """Sealed (`engine.sealing`), or in the clear where a release wrote it that did not seal yet."""
    payment: Payment | None = None
    channel: str = "web"
    """`web`, `counter` or `api`."""
    mark: str = ""
    """What stands for the customer where it is counted how much one may buy: of this house alone, and only here."""
    exchange: Action | None = None
    """Of an order that somebody got for another, or for some of it: its subject is that one; see `items_of`.

    `detail`: `credit`, minor units of the total that what was given back has paid.
    """


class SeatChange(msgspec.Struct, frozen=True, array_like=True):
    """What became of a performance's seats and standing places in one step, as `lua/include/history.lua` tells it.

    `key`: the performance's in Redis; `sequence`: the house's, `epoch`: the cell's, by `at_ms` of Redis's clock;
    `who`: `visitor`, `staff`, `clock` or `house`. `seats`: block, offset, count, letter, …; `areas`: area, how many
    more are open, how many more are sold, …
    """

    key: str
    sequence: int
    epoch: int
    at_ms: int
    verb: str
    who: str
    hold: str
    seats: list[int | str]
    areas: list[int | str]


_decode_seat_change: Final = msgspec.msgpack.Decoder(SeatChange, strict=False).decode


def decode_seat_change(data: bytes) -> SeatChange:
    """The `data` field of a `seats` entry; raises `msgspec.DecodeError` or `msgspec.ValidationError`."""
    return _decode_seat_change(data)


def encode_action(action: Action) -> bytes:
    """The `data` field of an `action` entry."""
    return msgspec.msgpack.encode(action)


def decode_action(data: bytes) -> Action:
    """The inverse of `encode_action`; raises `msgspec.DecodeError` or `msgspec.ValidationError`."""
    return msgspec.msgpack.decode(data, type=Action)


def items_of(action: Action) -> list[int] | None:
    """Which items of its order a return gave back, counting from 0; None for all that still stood."""
    told = str(action.detail.get("items", ""))
    return [int(number) for number in told.split(" ")] if told else None


def credit_of(action: Action) -> int:
    """What of the returned money pays for another order, in minor units."""
    return int(action.detail.get("credit", 0))


def without_customer(order: Order) -> bytes:
    """An order as the ledger keeps it beside the columns that name its customer: there is one place to erase."""
    return msgspec.msgpack.encode(msgspec.structs.replace(order, customer=None, mark=""))


def encode_order(order: Order) -> bytes:
    """The `data` field of an `order` or `conflict` entry."""
    return msgspec.msgpack.encode(order)


def decode_order(data: bytes) -> Order:
    """The inverse of `encode_order`; raises `msgspec.DecodeError` or `msgspec.ValidationError` for a poison entry."""
    return msgspec.msgpack.decode(data, type=Order)
