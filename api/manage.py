"""What a house does for itself: halls, performances, on-sales, orders, keys, and the log of who did what and why."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Router, delete, get, post
from litestar.datastructures import CacheControlHeader
from litestar.params import Parameter
from litestar.response import Stream

from api.afterwards import AFTERWARDS
from api.allotments import ALLOTMENTS
from api.attention import ATTENTION
from api.codes import CODES
from api.counter import COUNTER
from api.customers import erase_customer, export_customer
from api.guards import Caller, allows, caller_of, change, changing
from api.history import HISTORY
from api.manage_lines import line_counters, line_of, make_invitations
from api.manage_wire import (
    AccessRelease,
    AccessReleaseRequest,
    ActionRequest,
    ActionsReply,
    CountersReply,
    ExchangeReply,
    ExchangeRequest,
    HallReply,
    HallRequest,
    HallsReply,
    KeyReply,
    KeyRequest,
    KeysReply,
    NeighbourReply,
    NeighboursReply,
    OfferReply,
    OfferRequest,
    OnSaleRequest,
    OnSalesReply,
    OrdersReply,
    PerformanceRequest,
    PerformancesReply,
    PlanChangeRequest,
    RateAt,
    RefundRequest,
    SetUpPerformance,
    Text,
)
from api.theme import THEME
from api.visitor import item_reply, order_reply
from api.webhooks import WEBHOOKS
from api.wire import OrderReply
from engine import house, waiting_room
from engine import on_sale as on_sales
from engine.access_release import change_release
from engine.catalogue import ApiKey, Contributor, OnSale, OpenHall, Performance, RateStep, Release
from engine.cell import Cell
from engine.entries import Action
from engine.errors import BadInput, CellUnavailable, LedgerUnavailable, Refused
from engine.exchange import Wanted, difference_of, exchange
from engine.halls.pretix import import_plan
from engine.halls.sheet import write_sheet
from engine.instants import from_rfc3339, now_ms, to_rfc3339
from engine.ledger.ledger import RecordedOrder
from engine.plan_change import NewPlan, replan
from engine.returns import give_back
from engine.schedule import steps_of, told
from engine.seats import count_states, hold, read_hold
from engine.shares import Owner
from engine.standing import KEEP_SECONDS, keep_one
from engine.words import STATE_WORDS, HallId, OnSaleId, OrderId, PerformanceId

Call = Request[Any, Any, Any]
PLAN_BYTES: Final = 32 * 1024 * 1024
SHOWN: Final = allows("counter", "orders:read")
"""For what a counter's page shows."""
Limit = Annotated[int, Parameter(ge=1, le=1000)]
After = Annotated[str, Parameter(pattern=r"^([0-9a-f-]{36})?$")]


def _hall_reply(opened: OpenHall) -> HallReply:
    layout = opened.layout
    return HallReply(
        hall=opened.hall.hall,
        name=opened.hall.name,
        seats=len(layout.seat_ids),
        standing=sum(area.capacity for area in layout.areas),
        categories=tuple(layout.categories),
    )


@post(
    "/halls",
    guards=[allows(is_plan=True)],
    request_max_body_size=PLAN_BYTES,
    summary="Create a hall from a seating plan",
)
async def create_hall(request: Call, data: HallRequest) -> HallReply:
    """The hall, with what its plan holds."""
    caller = await changing(request)
    if data.ids not in {"guid", "uuid"}:
        raise BadInput("ids is guid or uuid")
    change = caller.change(data.reason)
    opened = await house.add_hall(
        caller.cell, caller.ledger, data.hall, data.name, data.plan, change, ids=data.ids, aisles=data.aisles
    )
    return _hall_reply(opened)


def _hall(request: Call, hall: str) -> OpenHall:
    """The hall that an address names. Raises `Refused` (`not-found`)."""
    found = caller_of(request).cell.catalogue.halls.get(HallId(hall))
    if found is None:
        raise Refused("not-found", "there is no such hall here")
    return found


@get("/halls/{hall:str}/plan", guards=[allows()], summary="A hall's seating plan in pretix's format")
async def read_hall_plan(request: Call, hall: str) -> dict[str, Any]:
    """The plan, with what that format lacks under `parvis`; sent in again it makes the same hall."""
    return _hall(request, hall).hall.plan


@get("/halls/{hall:str}/aisles", guards=[allows()], summary="Where a hall's aisles are", media_type="text/plain")
async def read_aisles(request: Call, hall: str) -> str:
    """A line a row, a bar at each aisle, what is least sure first: to be corrected and sent in with a plan."""
    return write_sheet(import_plan(_hall(request, hall).hall.plan))


@get("/halls", guards=[SHOWN], summary="The house's halls")
async def list_halls(request: Call) -> HallsReply:
    """Every hall."""
    return HallsReply(halls=tuple(map(_hall_reply, caller_of(request).cell.catalogue.halls.values())))


def _performance_reply(performance: Performance) -> SetUpPerformance:
    return SetUpPerformance(
        performance=performance.performance,
        hall=performance.hall,
        title=performance.title,
        starts_at=to_rfc3339(performance.starts_at_ms),
        prices=performance.prices,
        fee=performance.fee,
        currency=performance.currency,
        vat_rate=performance.vat_rate,
        price_types=performance.price_types,
        plan_change=performance.plan_change,
        access_release=tuple(
            AccessRelease(at=to_rfc3339(step.at_ms), percent=step.percent) for step in performance.access_release
        ),
    )


def _releases(steps: Sequence[AccessRelease]) -> tuple[Release, ...]:
    return tuple(Release(from_rfc3339(step.at), step.percent) for step in steps)


@change("/performances", "Create a performance with its prices", status_code=201)
async def create_performance(request: Call, data: PerformanceRequest) -> SetUpPerformance:
    """The performance."""
    caller = await changing(request)
    made = Performance(
        performance=data.performance,
        hall=data.hall,  # type: ignore[arg-type]
        title=data.title,
        starts_at_ms=from_rfc3339(data.starts_at),
        prices=data.prices,
        fee=data.fee,
        currency=data.currency,
        vat_rate=data.vat_rate,
        price_types=data.price_types,
        access_release=_releases(data.access_release),
    )
    return _performance_reply(await house.add_performance(caller.cell, caller.ledger, made, caller.change(data.reason)))


@change("/performances/{performance:str}/plan", "Sell a performance from another hall's plan, while it is on sale too")
async def change_plan(request: Call, performance: str, data: PlanChangeRequest) -> SetUpPerformance:
    """The performance. What is held, sold or set aside is so in its new place, by the seats' ids."""
    caller = await changing(request)
    wanted = NewPlan(hall=data.hall, prices=data.prices, price_types=data.price_types)
    change, name = caller.change(data.reason), PerformanceId(performance)
    return _performance_reply(await replan(caller.cell, caller.ledger, name, wanted, change, caller.operation))


@change(
    "/performances/{performance:str}/access-release",
    "Change when places for wheelchairs that nobody took become general seats, while they are on sale too",
)
async def change_access_release(request: Call, performance: str, data: AccessReleaseRequest) -> SetUpPerformance:
    """The performance. What has passed stays as it was."""
    caller = await changing(request)
    steps, reason = _releases(data.access_release), caller.change(data.reason)
    name = PerformanceId(performance)
    return _performance_reply(await change_release(caller.cell, caller.ledger, name, steps, reason, caller.operation))


@get("/performances", guards=[SHOWN], summary="The house's performances")
async def list_performances(request: Call) -> PerformancesReply:
    """Every performance, by date."""
    found = sorted(caller_of(request).cell.catalogue.performances.values(), key=lambda each: each.starts_at_ms)
    return PerformancesReply(performances=tuple(map(_performance_reply, found)))


@get("/neighbours", guards=[allows()], summary="The other houses of the network, who may contribute to a draw")
async def list_neighbours(request: Call) -> NeighboursReply:
    """As the network file names them."""
    near = caller_of(request).cell.house.neighbours
    return NeighboursReply(houses=tuple(NeighbourReply(house=each.slug, name=each.name) for each in near))


def _steps(rates: Sequence[RateAt]) -> tuple[RateStep, ...]:
    return tuple(RateStep(from_rfc3339(step.at), step.rate_per_minute) for step in rates)


@change("/on-sales", "Put performances on sale", status_code=201)
async def create_on_sale(request: Call, data: OnSaleRequest) -> CountersReply:
    """The on-sale's counters as it starts."""
    caller = await changing(request)
    fields = msgspec.structs.asdict(data)
    made = OnSale(
        **{
            name: value
            for name, value in fields.items()
            if name not in {"prequeue_at", "opens_at", "rates", "reason", "contributors", "lines"}
        },
        contributors=tuple(Contributor(name, "") for name in data.contributors),
        rates=_steps(data.rates),
        lines=tuple(map(line_of, data.lines)),
        prequeue_at_ms=from_rfc3339(data.prequeue_at),
        opens_at_ms=from_rfc3339(data.opens_at),
    )
    await house.add_on_sale(caller.cell, caller.ledger, made, caller.change(data.reason))
    return await _counters(request, caller.cell, made.on_sale)


async def _counters(request: Call, cell: Cell, name: str) -> CountersReply:
    """What the control page shows: the line, the seats, the orders, as they stand now."""
    on_sale = cell.on_sale(name)
    now = await waiting_room.status(cell, on_sale.on_sale)
    boards = request.app.state.boards[cell.house.slug]
    counts = dict.fromkeys((*STATE_WORDS.values(), "capacity"), 0)
    for performance in on_sale.performances:
        seat_map = await boards.seats(performance).now()
        layout = cell.catalogue.layout(performance, seat_map.plan_change)
        for letter, count in count_states(layout, seat_map).items():
            counts[STATE_WORDS[letter]] += count
        counts["capacity"] += layout.capacity
    return CountersReply(
        on_sale=on_sale.on_sale,
        title=on_sale.title,
        phase=now.phase,
        opens_at=to_rfc3339(now.opens_at_ms),
        rate_per_minute=now.rate_per_minute,
        cap=now.cap,
        live_passes=now.live_passes,
        admitted=now.admitted,
        joined=now.joined,
        entrants=now.entrants if now.entrants >= 0 else None,
        now_serving=now.now_serving,
        waiting=now.all_lines[-1].waiting,
        orders=now.orders,
        takings=now.takings,
        currency=cell.performance(on_sale.performances[0]).currency,
        seats=counts,
        backlog=cell.backlog,
        pressure=str(cell.worst_pressure),
        pressure_level=cell.worst_pressure.level,
        slowed_percent=now.slowed_percent,
        lines=line_counters(on_sale, now),
        message=now.message,
        why=now.why,
        draining=bool(now.draining),
        stopped=bool(now.stopped),
        rates=tuple(RateAt(to_rfc3339(step.at_ms), step.rate_per_minute) for step in steps_of(now.rates)),
        safety_net_per_minute=now.net_per_minute,
        is_net_active=bool(now.net_active),
        fails=now.fails,
    )


@get("/on-sales", guards=[SHOWN], summary="The house's on-sales with their counters")
async def list_on_sales(request: Call) -> OnSalesReply:
    """Every on-sale."""
    cell = caller_of(request).cell
    return OnSalesReply(on_sales=tuple([await _counters(request, cell, name) for name in cell.catalogue.on_sales]))


@get("/on-sales/{on_sale:str}", guards=[SHOWN], summary="An on-sale's counters")
async def read_on_sale(request: Call, on_sale: str) -> CountersReply:
    """The line, the seats, the orders."""
    return await _counters(request, caller_of(request).cell, on_sale)


CHANGED: Final = ("rate_per_minute", "cap", "message", "safety_net_per_minute", "fails")
"""What an action may set."""


@change(
    "/on-sales/{on_sale:str}/{action:str}",
    "Open, pause, drain, stop, resume or close an on-sale; set its rate, later rates, message or guard",
)
async def change_on_sale(request: Call, on_sale: str, action: str, data: ActionRequest) -> CountersReply:
    """The on-sale's counters after it."""
    caller = caller_of(request)
    cell, name = caller.cell, caller.cell.on_sale(on_sale).on_sale
    if action not in on_sales.VERBS:
        verbs = list(on_sales.VERBS)
        raise Refused("unknown-action", f"an on-sale can be told to {', '.join(verbs)}", actions=verbs)
    await changing(request)
    asked = {name: getattr(data, name) for name in CHANGED}
    rates = None if data.rates is None else _steps(data.rates)
    planned = {} if rates is None else {"rates": told(rates)}
    log_entry = Action(
        who=caller.change("").who,
        what=action,
        subject=name,
        why=data.reason,
        at_ms=now_ms(),
        detail={field: value for field, value in asked.items() if value is not None} | planned,
    )
    await on_sales.change(cell, log_entry, caller.operation, rates=rates, **asked)
    with suppress(LedgerUnavailable, CellUnavailable, TimeoutError):  # the keeper does it, a moment later
        async with asyncio.timeout(KEEP_SECONDS):
            await keep_one(cell, caller.ledger, name)
    boards = request.app.state.boards[cell.house.slug]
    boards.statuses.pop(name, None)
    return await _counters(request, cell, OnSaleId(on_sale))


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


def _key_reply(key: ApiKey, secret: str | None = None) -> KeyReply:
    return KeyReply(
        key_id=key.key_id,
        name=key.name,
        scopes=key.scopes,
        created_at=to_rfc3339(key.created_at_ms),
        revoked=key.is_revoked,
        key=secret,
    )


@get("/keys", guards=[allows()], summary="The house's keys, without their secrets")
async def list_keys(request: Call) -> KeysReply:
    """Every key."""
    return KeysReply(keys=tuple(map(_key_reply, caller_of(request).cell.catalogue.api_keys.values())))


@change("/keys", "Create a key; its secret is shown this once", status_code=201)
async def create_key(request: Call, data: KeyRequest) -> KeyReply:
    """The key with its secret."""
    caller = await changing(request)
    change = caller.change(data.reason)
    made, secret = await house.add_key(caller.cell, caller.ledger, data.name, data.scopes, change, caller.operation)
    return _key_reply(made, secret)


@delete("/keys/{key_id:str}", guards=[allows()], summary="End a key")
async def revoke_key(request: Call, key_id: str, reason: Text = "revoked") -> None:
    """Nothing more to say."""
    caller = caller_of(request)
    await house.revoke_key(caller.cell, caller.ledger, key_id, caller.change(reason))


@get("/actions", guards=[allows()], summary="Who did what, and why")
async def list_actions(request: Call, limit: Limit = 100) -> ActionsReply:
    """The newest first."""
    return ActionsReply(actions=tuple(await caller_of(request).ledger.actions(limit)))


MANAGE: Final = Router(
    "/v1/houses/{house:str}/manage",
    cache_control=CacheControlHeader(no_store=True),
    route_handlers=[
        create_hall,
        list_halls,
        read_hall_plan,
        read_aisles,
        change_plan,
        create_performance,
        change_access_release,
        list_performances,
        list_neighbours,
        create_on_sale,
        list_on_sales,
        read_on_sale,
        make_invitations,
        change_on_sale,
        list_orders,
        export_orders,
        read_order,
        refund_order,
        offer_exchange,
        exchange_order,
        list_keys,
        create_key,
        revoke_key,
        list_actions,
        export_customer,
        erase_customer,
        *AFTERWARDS,
        *CODES,
        *COUNTER,
        *ALLOTMENTS,
        *ATTENTION,
        *HISTORY,
        *WEBHOOKS,
        *THEME,
    ],
)
