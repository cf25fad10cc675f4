"""What visitors do: join, claim their turn, hold, extend, release, confirm, and read their order again."""

import asyncio
from typing import Final

import msgspec

from api.doorbell import Doorbell, person_for
from api.hot import Answer, Call, Headers, hot
from api.wire import (
    ExtendReply,
    ExtendRequest,
    HoldReply,
    HoldRequest,
    ItemReply,
    JoinRequest,
    KnownUserReply,
    OrderedReply,
    OrderReply,
    OrderRequest,
    PassReply,
    PassRequest,
    PaymentReply,
    PlaceReply,
    PresenceReply,
    PresenceRequest,
)
from engine import orders, presence, repeats, seats, waiting_room
from engine.catalogue import PUBLIC_LINE
from engine.cell import Cell
from engine.conditions import Proofs
from engine.entries import Item
from engine.errors import CellUnavailable, LedgerUnavailable, Refused
from engine.house import find_key
from engine.instants import to_rfc3339
from engine.known_user import known_user
from engine.ledger.ledger import Ledger
from engine.line_codes import CODE_KEPT_SECONDS, check_code
from engine.paid import bought_before
from engine.payments import PROVIDERS, provider
from engine.pressure import Level
from engine.repeats import asked_at_ms
from engine.returns import standing_order
from engine.settlement import settle
from engine.shares import PARTNER, Owner
from engine.signing import Hold
from engine.waiting_room import Admissible
from engine.words import OnSaleId, OrderId

JOIN: Final = msgspec.json.Decoder(JoinRequest)
PASS: Final = msgspec.json.Decoder(PassRequest)
EXTEND: Final = msgspec.json.Decoder(ExtendRequest)
PRESENCE: Final = msgspec.json.Decoder(PresenceRequest)
HOLD: Final = msgspec.json.Decoder(HoldRequest)
ORDER: Final = msgspec.json.Decoder(OrderRequest)
encode: Final = msgspec.json.Encoder().encode
NO_STORE: Final[Headers] = [(b"cache-control", b"no-store")]
SHOPPER: Final = ("pass", "key")
LONGEST_WAIT_SECONDS: Final = 5
LOOK_AGAIN_SECONDS: Final = 0.05


def _json(status: int, value: object) -> Answer:
    return Answer(status, encode(value), NO_STORE)


@hot(
    "POST",
    "/on-sales/{on_sale:str}/places",
    summary="Join the queue",
    request=JoinRequest,
    answers={201: PlaceReply},
    sheds=Level.JOINS,
)
async def join(call: Call) -> Answer:
    """A place in the line for whoever keeps the secret behind `secret_hash`."""
    on_sale = call.cell.on_sale(call.parameters["on_sale"])
    key = call.idempotency_key()
    request = await call.body(JOIN)
    line = request.line or PUBLIC_LINE
    # First the proof of work, where one is asked for: without it codes could be guessed for nothing.
    kept_s = Doorbell(call.scope, call.cell, on_sale).check(request.secret_hash, request.proof)
    code, until_ms = ("", 0) if line == PUBLIC_LINE else check_code(call.cell, on_sale, line, request.code)
    person = person_for(call.cell, on_sale, request.secret_hash, request.contact)
    who = Admissible(CODE_KEPT_SECONDS if code else kept_s, person, line=line, code=code, code_until_ms=until_ms)
    joined = await repeats.join(call.cell, call.ledger, on_sale, request.secret_hash, key, who, asked_at_ms(key))
    position = waiting_room.position(call.cell, on_sale.on_sale, joined.index, joined.line)
    return _json(201, PlaceReply(place=joined.place, line=joined.line, index=joined.index, position=position))


@hot(
    "POST",
    "/on-sales/{on_sale:str}/passes",
    summary="Claim your turn, or renew it",
    request=PassRequest,
    answers={201: PassReply},
)
async def admit(call: Call) -> Answer:
    """A pass for whoever's turn it is."""
    on_sale = call.cell.on_sale(call.parameters["on_sale"])
    key = call.idempotency_key()
    request = await call.body(PASS)
    admitted = await waiting_room.admit(
        call.cell,
        on_sale,
        request.place,
        request.secret,
        key,
        renews=request.renews,
        is_longer=request.more_time,
    )
    stay = to_rfc3339(admitted.stay_ends_at_ms) if admitted.stay_ends_at_ms else None
    return _json(201, PassReply(pass_=admitted.token, expires_at=to_rfc3339(admitted.expires_at_ms), stay_ends_at=stay))


def pass_of(call: Call) -> str:
    """What a visitor shows; whose it is nobody has looked at yet. Raises `Refused` (`pass-required`)."""
    token = call.bearer()
    if not token:
        raise Refused("pass-required", "a pass is needed here: it is given when it is your turn")
    return token


@hot(
    "GET",
    "/on-sales/{on_sale:str}/known-user",
    summary="Queue-it's KnownUser token for the way back to the house's own site",
    answers={200: KnownUserReply},
    bearer=("pass",),
)
async def read_known_user(call: Call) -> Answer:
    """A fresh token each time: it is good for some minutes only."""
    on_sale = call.cell.on_sale(call.parameters["on_sale"])
    found = await known_user(call.cell, on_sale, pass_of(call))
    return _json(200, KnownUserReply(queueittoken=found.token, expires_at=to_rfc3339(found.expires_at_ms)))


@hot(
    "POST",
    "/on-sales/{on_sale:str}/presence",
    summary="Say that the visitor leaves the shop, or is here again; who has left makes room after a moment",
    request=PresenceRequest,
    answers={200: PresenceReply},
    bearer=("pass",),
)
async def stay_or_leave(call: Call) -> Answer:
    """The end of the pass by now; the newest word counts, so that it is harmless to repeat."""
    on_sale = call.cell.on_sale(call.parameters["on_sale"])
    token = pass_of(call)
    call.cell.signer.read_pass(token)  # before anything of the body is read
    call.idempotency_key()
    request = await call.body(PRESENCE)
    ends_at_ms = await presence.leave(call.cell, on_sale.on_sale, token, request.at, is_leaving=request.leaving)
    return _json(200, PresenceReply(expires_at=to_rfc3339(ends_at_ms)))


SELLERS: Final = ("counter", "orders:write", "allotment")
"""The scopes of keys that may hold and order; with `allotment` alone only what is set aside for that key."""


def owner_of(cell: Cell, token: str, *scopes: str) -> tuple[Owner, str]:
    """Who calls, and their channel: a visitor with a pass, or the house's own with a key of one of the scopes.

    Raises `ForgedToken`, and `Refused` without either.
    """
    if not token:
        raise Refused("pass-required", "a pass is needed here: it is given when it is your turn")
    if token.startswith("pk_"):
        key = find_key(cell, token)
        if key is None:
            raise Refused("key-required", "this key is not one of this house's")
        if not set(scopes) & set(key.scopes):
            raise Refused("scope-missing", "this key may not do that", scopes=list(scopes))
        channel = PARTNER
        if {"counter", "orders:write"} & set(key.scopes):
            channel = "counter" if "counter" in key.scopes else "api"
        return Owner(owner=f"key:{key.key_id}", place="", on_sale=OnSaleId(""), channel=channel), channel
    verified = cell.signer.read_pass(token)
    return (
        Owner(
            owner=verified.owner,
            place=verified.index,
            on_sale=verified.on_sale,
            channel="web",
            generation=verified.generation,
            is_longer=verified.is_longer,
        ),
        "web",
    )


def item_reply(item: Item) -> ItemReply:
    """An item on the wire."""
    return ItemReply(
        performance=item.performance,
        category=item.category,
        price_type=item.price_type,
        price=item.price,
        fee=item.fee,
        seat=item.seat,
        area=item.area,
        vat_rate=item.vat_rate,
        vat=item.vat,
    )


def order_reply(ordered: orders.Ordered) -> OrderReply:
    """An order on the wire."""
    return OrderReply(
        order=ordered.order,
        state=ordered.state,
        items=tuple(map(item_reply, ordered.items)),
        total=ordered.total,
        currency=ordered.currency,
        returned=tuple(map(item_reply, ordered.returned)),
    )


@hot(
    "POST",
    "/holds",
    summary="Hold seats, all or nothing",
    request=HoldRequest,
    answers={201: HoldReply},
    bearer=SHOPPER,
    sheds=Level.HOLDS,
)
async def hold(call: Call) -> Answer:
    """A hold of named seats, of the best together, or of standing places, over one or several performances."""
    cell = call.cell
    owner, _ = owner_of(cell, call.bearer(), *SELLERS)
    key = call.idempotency_key()
    request = await call.body(HOLD)
    if not owner.place and request.items:
        owner = msgspec.structs.replace(owner, on_sale=cell.catalogue.on_sale_of(request.items[0].performance))
    return await _hold(cell, owner, request, key)


async def _hold(cell: Cell, owner: Owner, request: HoldRequest, key: str, former: Hold | None = None) -> Answer:
    proofs = Proofs(codes=request.codes, numbers=request.numbers)
    held = await seats.hold(cell, owner, request.items, request.price_types, key, proofs, former=former)
    return _json(
        201,
        HoldReply(
            hold=held.token,
            items=tuple(map(item_reply, held.hold.items)),
            total=held.hold.total,
            currency=held.hold.currency,
            expires_at=to_rfc3339(held.expires_at_ms),
            choices=held.choices,
        ),
    )


@hot(
    "POST",
    "/holds/{hold:str}/swap",
    summary="Exchange what is held for something else, in one step",
    request=HoldRequest,
    answers={201: HoldReply},
    bearer=SHOPPER,
    sheds=Level.HOLDS,
)
async def swap(call: Call) -> Answer:
    """A new hold, which ends when the old one would have; refused, the old one is kept as it was."""
    cell = call.cell
    owner, _ = owner_of(cell, call.bearer(), *SELLERS)
    key = call.idempotency_key()
    former = seats.read_hold(cell, call.parameters["hold"], owner.owner)
    request = await call.body(HOLD)
    if not owner.place:
        owner = msgspec.structs.replace(owner, on_sale=former.on_sale)
    return await _hold(cell, owner, request, key, former)


@hot(
    "POST",
    "/holds/{hold:str}/extend",
    summary="Keep a hold longer, once, while its payment is under way",
    request=ExtendRequest,
    answers={200: ExtendReply},
    bearer=SHOPPER,
)
async def extend(call: Call) -> Answer:
    """The hold's new end."""
    owner, _ = owner_of(call.cell, call.bearer(), *SELLERS)
    key = call.idempotency_key()
    held = seats.read_hold(call.cell, call.parameters["hold"], owner.owner)
    request = await call.body(EXTEND)
    await waiting_room.newest(call.cell, owner.on_sale, owner.claim)
    if owner.place:
        await orders.check_under_way(call.cell, request.payment, held.currency)
    expires_at_ms = await seats.extend(call.cell, held, key)
    return _json(200, ExtendReply(hold=call.parameters["hold"], expires_at=to_rfc3339(expires_at_ms)))


@hot(
    "POST",
    "/holds/{hold:str}/presence",
    summary="Say that a hold's visitor leaves, or is here again; what was left comes back after a moment",
    request=PresenceRequest,
    answers={200: ExtendReply},
    bearer=SHOPPER,
)
async def stay_or_let_go(call: Call) -> Answer:
    """The hold's end by now; the newest word counts, so that it is harmless to repeat."""
    owner, _ = owner_of(call.cell, call.bearer(), *SELLERS)
    call.idempotency_key()
    held = seats.read_hold(call.cell, call.parameters["hold"], owner.owner)
    request = await call.body(PRESENCE)
    await waiting_room.newest(call.cell, owner.on_sale, owner.claim)
    expires_at_ms = await seats.leave(call.cell, held, request.at, is_leaving=request.leaving)
    return _json(200, ExtendReply(hold=call.parameters["hold"], expires_at=to_rfc3339(expires_at_ms)))


@hot("DELETE", "/holds/{hold:str}", summary="Give seats back", answers={204: None}, bearer=SHOPPER)
async def release(call: Call) -> Answer:
    """Nothing more to say."""
    owner, _ = owner_of(call.cell, call.bearer(), *SELLERS)
    held = seats.read_hold(call.cell, call.parameters["hold"], owner.owner)
    await waiting_room.newest(call.cell, owner.on_sale, owner.claim)
    await seats.release(call.cell, held)
    return Answer(204, headers=NO_STORE)


def _wait_seconds(call: Call) -> float:
    """How long `Prefer: wait=…` asks to wait for `recorded` (RFC 7240), within our limit."""
    for preference in call.header(b"prefer").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.strip().isdigit():
            return min(int(value), LONGEST_WAIT_SECONDS)
    return 0.0


async def _wait_until_recorded(cell: Cell, order: OrderId, state: str, seconds: float) -> str:
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    while state == "confirmed" and clock() < until:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        try:
            found = await orders.find(cell, order)
        except CellUnavailable:
            return state  # it is confirmed all the same
        state = found.state if found else "recorded"
    return state


async def confirm_basket(
    cell: Cell, ledger: Ledger, token: str, request: OrderRequest, key: str
) -> tuple[OrderId, str]:
    """Order and state of a basket that whoever has the token confirms. Raises `ForgedToken`, `Refused`."""
    owner, channel = owner_of(cell, token, *SELLERS)
    if channel != "counter" and (request.customer is None or request.payment.provider == "counter"):
        raise Refused("bad-input", "an order outside the counter names its customer and an online payment")
    # The house's own may confirm anybody's holds; a visitor only those of their own pass, a partner only its own.
    whose = owner.owner if owner.place or owner.is_partner else ""
    if len(request.holds) > cell.house.limits.holds_an_order:
        raise Refused("bad-input", f"an order has at most {cell.house.limits.holds_an_order} holds")
    holds = [seats.read_hold(cell, each, whose) for each in request.holds]
    buyer = orders.Buyer(caller=owner.owner, owner=whose, channel=channel, claim=owner.claim)
    try:
        return await orders.confirm(cell, buyer, holds, request.customer, request.payment, key)
    except Refused as refusal:
        found = await bought_before(cell, ledger, holds, request.payment) if refusal.slug == "payment-used" else None
        if found is None:
            raise
        return found


@hot(
    "POST",
    "/orders",
    summary="Confirm holds as one order",
    request=OrderRequest,
    answers={202: OrderedReply},
    bearer=SHOPPER,
)
async def confirm(call: Call) -> Answer:
    """An order of all the holds of a basket, in one step."""
    cell = call.cell
    token = call.bearer()
    owner_of(cell, token, *SELLERS)  # before anything of the body is read
    key = call.idempotency_key()
    order, state = await confirm_basket(cell, call.ledger, token, await call.body(ORDER), key)
    state = await _wait_until_recorded(cell, order, state, _wait_seconds(call))
    return _json(202, OrderedReply(order=order, order_secret=cell.signer.order_secret(order), state=state))


@hot(
    "GET",
    "/orders/{order:str}",
    summary="An order, for whoever keeps its secret",
    answers={200: OrderReply},
    bearer=("order_secret",),
)
async def read_order(call: Call) -> Answer:
    """The order's state, items and total."""
    found = await find_order(call.cell, call.ledger, OrderId(call.parameters["order"]), call.bearer())
    return _json(200, order_reply(found))


async def find_order(cell: Cell, ledger: Ledger, order: OrderId, secret: str) -> orders.Ordered:
    """The order, for whoever keeps its secret. Raises `Refused`, `CellUnavailable`, `LedgerUnavailable`."""
    if not secret:
        raise Refused("secret-required", "the order's secret is needed to read it")
    if not cell.signer.owns_order(order, secret):
        raise Refused("unknown-order", "there is no such order here")
    found = await orders.find(cell, order)
    if found is not None and found.state != "recorded":
        return found
    try:
        recorded = await ledger.order(order)
    except LedgerUnavailable:
        if found is None:
            raise
        return found
    if recorded is not None and recorded.state == "recorded" and recorded.returned:
        left = [number for number in range(len(recorded.items)) if number not in recorded.returned]
        return standing_order(order, recorded.items, recorded.total, recorded.currency, left)
    if found is not None:
        # It may have been refunded, or found conflicted, since. One that the writer came past and the ledger does not
        # have lies in the dead letters: it is confirmed, no more.
        return msgspec.structs.replace(found, state=recorded.state if recorded else "confirmed")
    if recorded is None:
        raise Refused("unknown-order", "there is no such order here")
    return orders.Ordered(
        order=order, state=recorded.state, items=recorded.items, total=recorded.total, currency=recorded.currency
    )


@hot(
    "POST",
    "/payments/{provider:str}/events",
    summary="A payment provider's signed event",
    answers={200: PaymentReply},
)
async def payment_event(call: Call) -> Answer:
    """Takes note of how a payment ended; harmless to repeat."""
    name = call.parameters["provider"]
    if name not in PROVIDERS:
        raise Refused("not-found", "there is no such payment provider here")
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in call.scope["headers"]}
    event = provider(name).read_event(call.cell.signer, headers, await call.raw_body())
    state = await settle(call.cell, call.ledger, name, event)
    return _json(200, PaymentReply(state=state))
