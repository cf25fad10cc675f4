"""A house's recorded orders: listed, looked up, taken back, exchanged."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.params import Parameter
from litestar.response import Stream

from api.guards import Caller, Limit, allows, caller_of, change, changing
from api.manage_wire import (
    ExchangeReply,
    ExchangeRequest,
    OfferReply,
    OfferRequest,
    OrdersReply,
    RefundRequest,
)
from api.visitor import item_reply, order_reply
from api.wire import OrderReply
from engine.errors import Refused
from engine.exchange import Wanted, difference_of, exchange
from engine.instants import to_rfc3339
from engine.ledger.ledger import RecordedOrder
from engine.returns import give_back
from engine.seats import hold, read_hold
from engine.shares import Owner
from engine.words import OrderId

Call = Request[Any, Any, Any]
After = Annotated[str, Parameter(pattern=r"^([0-9a-f-]{36})?$")]


@get("/orders", guards=[allows("orders:read")], summary="The house's recorded orders")
async def list_orders(request: Call, after: After = "", limit: Limit = 100) -> OrdersReply:
    """Orders in the order of their ids, which is the order of time; `next` asks for what follows."""
    found = await caller_of(request).ledger.orders(OrderId(after) if after else None, limit)
    return OrdersReply(orders=tuple(found), next=found[-1].order if len(found) == limit else None)


@get("/orders/{order:str}", guards=[allows("orders:read")], summary="One of the house's recorded orders")
async def read_order(request: Call, order: str) -> RecordedOrder:
    """The order with who bought it."""
    found = await caller_of(request).ledger.order(OrderId(order))
    if found is None:
        raise Refused("unknown-order", "there is no such order here")
    return found


@get(
    "/orders.csv",
    guards=[allows("orders:read")],
    summary="Every recorded order as CSV, an item a row",
    media_type="text/csv",
)
async def export_orders(request: Call) -> Stream:
    """CSV (RFC 4180) in UTF-8."""
    caller = caller_of(request)
    parts = caller.ledger.export_csv()
    # The first part is read before anything is sent: a ledger that is away is a 503, not half a file.
    first = await anext(parts)

    async def rows() -> AsyncIterator[str]:
        yield first
        async for part in parts:
            yield part

    name = f"attachment; filename={caller.cell.house.slug}-orders.csv"
    return Stream(rows(), media_type="text/csv; charset=utf-8", headers={"content-disposition": name})


@change(
    "/orders/{order:str}/refund",
    "Return an order or some of it: seats go back on sale, money is asked back. The counter, only its own latest",
    "counter",
)
async def refund_order(request: Call, order: str, data: RefundRequest) -> OrderReply:
    """The order, refunded; or what is left of it."""
    caller = await changing(request)
    change = caller.change(data.reason)
    own_of = _own_of(caller)
    found = await give_back(
        *(caller.cell, caller.ledger, OrderId(order), change, caller.operation), own_of=own_of, items=data.items
    )
    return order_reply(found)


def _own_of(caller: Caller) -> str:
    """Whose orders alone the counter may give back; empty for a manager, who may give back all."""
    return "" if "manage" in caller.key.scopes else f"key:{caller.key.key_id}"


@change(
    "/orders/{order:str}/offers",
    "Hold other seats for an order, or for some of it, and say what they cost more; nothing of the order changes yet",
    "counter",
    status_code=201,
)
async def offer_exchange(request: Call, order: str, data: OfferRequest) -> OfferReply:
    """What is held, and the difference."""
    caller = await changing(request)
    cell, whose = caller.cell, f"key:{caller.key.key_id}"
    if not data.wishes:
        raise Refused("bad-input", "an offer has at least one wish")
    on_sale = cell.catalogue.on_sale_of(data.wishes[0].performance)
    owner = Owner(owner=whose, place="", on_sale=on_sale, channel="counter")
    former = read_hold(cell, data.instead, whose) if data.instead else None
    await difference_of(cell, caller.ledger, OrderId(order), data.items, own_of=_own_of(caller))
    held = await hold(cell, owner, data.wishes, data.price_types, caller.operation, former=former)
    return OfferReply(
        hold=held.token,
        items=tuple(map(item_reply, held.hold.items)),
        total=held.hold.total,
        currency=held.hold.currency,
        difference=await difference_of(
            cell, caller.ledger, OrderId(order), data.items, held.hold.total, own_of=_own_of(caller)
        ),
        expires_at=to_rfc3339(held.expires_at_ms),
    )


@change(
    "/orders/{order:str}/exchange",
    "Exchange an order, or some of it, for what was offered: in one step, or nothing changes",
    "counter",
)
async def exchange_order(request: Call, order: str, data: ExchangeRequest) -> ExchangeReply:
    """The new order. A difference is paid before, or goes back."""
    caller = await changing(request)
    cell = caller.cell
    held = read_hold(cell, data.hold, f"key:{caller.key.key_id}")
    wanted = Wanted(items=data.items, held=held, difference=data.difference, payment=data.payment)
    change = caller.change(data.reason)
    made = await exchange(
        *(cell, caller.ledger, OrderId(order), wanted, change, caller.operation), own_of=_own_of(caller)
    )
    return ExchangeReply(
        order=made.order,
        order_secret=cell.signer.order_secret(made.order),
        instead_of=made.former,
        items=tuple(map(item_reply, made.items)),
        total=made.total,
        currency=made.currency,
        credit=made.credit,
        difference=made.difference,
    )


ORDERS: Final = (
    list_orders,
    export_orders,
    read_order,
    refund_order,
    offer_exchange,
    exchange_order,
)
