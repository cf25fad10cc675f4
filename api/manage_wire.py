"""The shapes on the wire of what a house does for itself."""

from typing import Annotated, Any

import msgspec

from api.wire import ItemReply, Reply, Request
from engine.catalogue import RULES, PriceType
from engine.entries import Payment
from engine.ledger.ledger import LoggedAction, RecordedOrder
from engine.wishes import Wish
from engine.words import HallId, HouseSlug, LineName, OnSaleId, OrderId, PerformanceId

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Plain text of one line."""


class HallRequest(Request, frozen=True):
    """A hall from a seating plan in pretix's format. `ids`: which of the plan's ids are unique, `guid` or `uuid`."""

    hall: str
    name: str
    plan: dict[str, Any]
    ids: str = "guid"
    aisles: Annotated[str, msgspec.Meta(max_length=4_000_000)] = ""
    """A sheet that says where the aisles are, as `GET …/manage/halls/{hall}/aisles` gives it; empty: as derived."""
    reason: Text = "set up"


class HallReply(Reply, frozen=True, omit_defaults=False):
    """A hall."""

    hall: str
    name: str
    seats: int
    standing: int
    categories: tuple[str, ...]


class HallsReply(Reply, frozen=True, omit_defaults=False):
    """Every hall."""

    halls: tuple[HallReply, ...]


class AccessRelease(Request, frozen=True):
    """From an instant on so many per cent of the places for wheelchairs that are free then are general seats."""

    at: str
    percent: int


class PerformanceRequest(Request, frozen=True):
    """A performance. `prices`: category → price type → minor units; the first type is the standard one.

    `vat_rate`: basis points, contained in prices and fees. `price_types`: those of which there is more to say.
    `access_release`: by time, how places for wheelchairs that nobody took become general seats.
    """

    performance: PerformanceId
    hall: str
    title: str
    starts_at: str
    prices: dict[str, dict[str, Annotated[int, msgspec.Meta(ge=0)]]]
    fee: int = 0
    currency: str = "EUR"
    vat_rate: int = 0
    price_types: dict[str, PriceType] = msgspec.field(default_factory=dict)
    access_release: tuple[AccessRelease, ...] = ()
    reason: Text = "set up"


class AccessReleaseRequest(Request, frozen=True):
    """The steps that are to come, instead of those that are there, and why. Those that have passed stay."""

    access_release: tuple[AccessRelease, ...]
    reason: Text


class PlanChangeRequest(Request, frozen=True):
    """The hall whose plan a performance gets, and why. `prices`, `price_types`: where its own do not fit any more."""

    hall: HallId
    reason: Text
    prices: dict[str, dict[str, Annotated[int, msgspec.Meta(ge=0)]]] | None = None
    price_types: dict[str, PriceType] | None = None


class SetUpPerformance(Reply, frozen=True, omit_defaults=False):
    """A performance as its house set it up."""

    performance: PerformanceId
    hall: str
    title: str
    starts_at: str
    prices: dict[str, dict[str, int]]
    fee: int
    currency: str
    vat_rate: int
    price_types: dict[str, PriceType]
    plan_change: int = 0
    """How often its plan has changed."""
    access_release: tuple[AccessRelease, ...] = ()


class PerformancesReply(Reply, frozen=True, omit_defaults=False):
    """Every performance, by date."""

    performances: tuple[SetUpPerformance, ...]


class RateAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From an instant (RFC 3339) on so many are let in a minute."""

    at: str
    rate_per_minute: int


class LineRequest(Request, frozen=True):
    """A queue of an on-sale beside the public one. `by`: `code` or `invitation`; `closes_at`: none for an open end."""

    line: LineName
    title: str
    by: str
    share_percent: int
    opens_at: str
    closes_at: str | None = None


class InvitationsRequest(Request, frozen=True):
    """So many invitations to a line, numbered from `first`: made again they are the same. `until`: the line's end."""

    count: int
    first: int = 1
    until: str | None = None
    reason: Text = "invitations"


class InvitationReply(Reply, frozen=True):
    """An invitation: whoever has it gets one place. `link`: within the house's site."""

    number: int
    code: str
    link: str


class InvitationsReply(Reply, frozen=True):
    """Invitations to a line."""

    line: str
    invitations: tuple[InvitationReply, ...]


class LineCounters(Reply, frozen=True, omit_defaults=False):
    """A line beside the public one, as its house watches it. `entrants`: none before it is fixed who is in its draw."""

    line: str
    title: str
    by: str
    share_percent: int
    phase: str
    opens_at: str
    closes_at: str | None
    joined: int
    entrants: int | None
    now_serving: int
    waiting: int


class OnSaleRequest(Request, frozen=True):
    """An on-sale."""

    on_sale: OnSaleId
    title: str
    performances: tuple[PerformanceId, ...]
    prequeue_at: str
    opens_at: str
    rate_per_minute: int = RULES.rate_per_minute
    cap: int = RULES.cap
    hold_seconds: int = RULES.hold_seconds
    pass_seconds: int = RULES.pass_seconds
    grace_seconds: int = RULES.grace_seconds
    longest_stay_seconds: int = RULES.longest_stay_seconds
    more_time_percent: int = RULES.more_time_percent
    turn_seconds: int = RULES.turn_seconds
    seats_a_hold: int = RULES.seats_a_hold
    seats_a_place: int = RULES.seats_a_place
    return_delay_seconds: int = RULES.return_delay_seconds
    burst_percent: int = RULES.burst_percent
    lone_seats: str = RULES.lone_seats
    lone_seats_last: int = RULES.lone_seats_last
    unpaid_holds: int = RULES.unpaid_holds
    cool_down_seconds: int = RULES.cool_down_seconds
    longest_hold_seconds: int = RULES.longest_hold_seconds
    seats_a_customer: int = RULES.seats_a_customer
    proof_of_work: str = RULES.proof_of_work
    one_place_per: str = RULES.one_place_per
    contact_url: str = RULES.contact_url
    safety_net_per_minute: int = RULES.safety_net_per_minute
    fails: str = RULES.fails
    contributors: tuple[HouseSlug, ...] = ()
    """Other houses of the network, whose own secrets are mixed into the draw."""
    rates: tuple[RateAt, ...] = ()
    visitors_a_seat: int = RULES.visitors_a_seat
    known_user_event: str = RULES.known_user_event
    lines: tuple[LineRequest, ...] = ()
    fair_window_seconds: int = RULES.fair_window_seconds
    """Who joins within so long is drawn together, and earlier windows come first; 0: all before the start are."""
    reason: Text = "set up"


class NeighbourReply(Reply, frozen=True):
    """Another house of the network."""

    house: HouseSlug
    name: str


class NeighboursReply(Reply, frozen=True, omit_defaults=False):
    """The other houses of the network."""

    houses: tuple[NeighbourReply, ...]


class ActionRequest(Request, frozen=True):
    """What to do to a running on-sale, and why."""

    reason: Text
    rate_per_minute: int | None = None
    cap: int | None = None
    message: str | None = None
    safety_net_per_minute: int | None = None
    fails: str | None = None
    rates: tuple[RateAt, ...] | None = None
    """All that is planned from now on, by time."""


class CountersReply(Reply, frozen=True, omit_defaults=False):
    """An on-sale as its house watches it."""

    on_sale: OnSaleId
    title: str
    phase: str
    opens_at: str
    rate_per_minute: int
    cap: int
    live_passes: int
    admitted: int
    joined: int
    entrants: int | None
    now_serving: int
    waiting: int
    orders: int
    takings: int
    currency: str
    seats: dict[str, int]
    backlog: int
    pressure: str
    """What the house sheds and why, in words for ops; `calm` as a rule."""
    pressure_level: int
    """0: nothing is shed, 1: joining, 2: holding too."""
    slowed_percent: int
    """How much of the rate is kept back, so that the house can catch up."""
    message: str
    why: str
    """What makes the wait longer than meant: `paused`, `draining`, `few-seats`, `busy`, `full`, `lowered`,
    `other-lines`; or none."""
    draining: bool
    """Whether nobody further is called."""
    stopped: bool
    """Whether every pass was ended, and nobody is let in."""
    rates: tuple[RateAt, ...]
    """What the rate becomes later."""
    safety_net_per_minute: int
    """0: the room always shows."""
    is_net_active: bool
    fails: str
    lines: tuple[LineCounters, ...] = ()
    """Besides the public one."""


class OnSalesReply(Reply, frozen=True, omit_defaults=False):
    """Every on-sale."""

    on_sales: tuple[CountersReply, ...]


class OrdersReply(Reply, frozen=True):
    """Recorded orders in the order of their ids, which is the order of time; `next` asks for what follows."""

    orders: tuple[RecordedOrder, ...]
    next: OrderId | None = None


class RefundRequest(Request, frozen=True):
    """An order to be returned, and why. `items`: only these of it, counting from 0; none: all that is left of it."""

    reason: Text
    items: tuple[int, ...] = ()


class OfferRequest(Request, frozen=True):
    """What somebody wants for an order, or for some of it: `items`, counting from 0; none: all that is left of it.

    `instead`: what was offered before and is given up for this.
    """

    wishes: tuple[Wish, ...]
    price_types: tuple[str, ...] = ()
    items: tuple[int, ...] = ()
    instead: str = ""


class OfferReply(Reply, frozen=True, omit_defaults=False):
    """What is held for an exchange. `difference`: what it costs more, in minor units; below zero it goes back."""

    hold: str
    items: tuple[ItemReply, ...]
    total: int
    currency: str
    difference: int
    expires_at: str


class ExchangeRequest(Request, frozen=True):
    """An order, or some of it, for what a hold holds. `difference`: as it was offered; `payment`: of what is due."""

    hold: str
    difference: int
    reason: Text
    items: tuple[int, ...] = ()
    payment: Payment | None = None


class ExchangeReply(Reply, frozen=True, omit_defaults=False):
    """The order that somebody got, the one of which something was exchanged for it, and what of the total that paid."""

    order: OrderId
    order_secret: str
    instead_of: OrderId
    items: tuple[ItemReply, ...]
    total: int
    currency: str
    credit: int
    difference: int


class ActionsReply(Reply, frozen=True, omit_defaults=False):
    """Who did what to what, and why; the newest first."""

    actions: tuple[LoggedAction, ...]


class KeyRequest(Request, frozen=True):
    """A key for the house's programs or staff."""

    name: str
    scopes: tuple[str, ...]
    reason: Text = "asked for"


class KeyReply(Reply, frozen=True):
    """A key; its secret only in the answer that made it."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    revoked: bool = False
    key: str | None = None


class KeysReply(Reply, frozen=True, omit_defaults=False):
    """Every key, without its secret."""

    keys: tuple[KeyReply, ...]
