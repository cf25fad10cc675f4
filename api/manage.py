"""What a house does for itself: on-sales, keys, and the log of who did what and why; with all that stands beside."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from litestar import Request, Router, delete, get
from litestar.datastructures import CacheControlHeader

from api.afterwards import AFTERWARDS
from api.allotments import ALLOTMENTS
from api.attention import ATTENTION
from api.codes import CODES
from api.counter import COUNTER
from api.customers import erase_customer, export_customer
from api.guards import SHOWN, Limit, allows, caller_of, change, changing
from api.history import HISTORY
from api.manage_halls import HALLS
from api.manage_lines import line_counters, line_of, make_invitations
from api.manage_orders import ORDERS
from api.manage_wire import (
    ActionRequest,
    ActionsReply,
    CountersReply,
    KeyReply,
    KeyRequest,
    KeysReply,
    OnSaleRequest,
    OnSalesReply,
    RateAt,
    Text,
)
from api.theme import THEME
from api.webhooks import WEBHOOKS
from engine import house, waiting_room
from engine import on_sale as on_sales
from engine.catalogue import ApiKey, Contributor, OnSale, RateStep
from engine.cell import Cell
from engine.entries import Action
from engine.errors import CellUnavailable, LedgerUnavailable, Refused
from engine.instants import from_rfc3339, now_ms, to_rfc3339
from engine.schedule import steps_of, told
from engine.seat_map import count_states
from engine.standing import KEEP_SECONDS, keep_one
from engine.words import STATE_WORDS, OnSaleId

Call = Request[Any, Any, Any]
CHANGED: Final = ("rate_per_minute", "cap", "message", "safety_net_per_minute", "fails")
"""What an action may set."""


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
        *HALLS,
        create_on_sale,
        list_on_sales,
        read_on_sale,
        make_invitations,
        change_on_sale,
        *ORDERS,
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
