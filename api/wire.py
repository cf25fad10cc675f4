"""The shapes on the wire. Instants are RFC 3339, money is integer minor units beside its currency."""

from typing import Annotated, Any

import msgspec

from engine.entries import Customer, Payment
from engine.network import Colours, Policy
from engine.seats import Wish
from engine.words import HouseSlug, OnSaleId, OrderId, PerformanceId

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body: unknown fields are refused."""


class _Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer: what has nothing to say is left out."""


class JoinRequest(_Request, frozen=True):
    """Join a line. `line`, `code` and `proof` are for lines that ask for them."""

    secret_hash: str
    line: str = ""
    code: str = ""
    proof: str = ""


class PlaceReply(_Reply, frozen=True):
    """A place; `position` once the draw is known."""

    place: str
    line: str
    index: int
    position: int | None = None


class PassRequest(_Request, frozen=True):
    """Claim a turn."""

    place: str
    secret: str


class PassReply(_Reply, frozen=True):
    """A pass, a JWT."""

    pass_: str = msgspec.field(name="pass")
    expires_at: str


class HoldRequest(_Request, frozen=True):
    """Hold seats. `price_types`: one a seat, in the order of the items; none: standard prices."""

    items: tuple[Wish, ...]
    price_types: tuple[str, ...] = ()


class ItemReply(_Reply, frozen=True):
    """One seat or standing place with its price and fee."""

    performance: PerformanceId
    category: str
    price_type: str
    price: int
    fee: int
    seat: str | None = None
    area: str | None = None


class HoldReply(_Reply, frozen=True, omit_defaults=False):
    """A hold."""

    hold: str
    items: tuple[ItemReply, ...]
    total: int
    currency: str
    expires_at: str


class ExtendReply(_Reply, frozen=True):
    """A hold's new end."""

    hold: str
    expires_at: str


class OrderRequest(_Request, frozen=True):
    """Confirm holds as one order."""

    holds: tuple[str, ...]
    payment: Payment
    customer: Customer | None = None


class OrderedReply(_Reply, frozen=True):
    """An order that was taken."""

    order: OrderId
    order_secret: str
    state: str


class OrderReply(_Reply, frozen=True, omit_defaults=False):
    """An order."""

    order: OrderId
    state: str
    items: tuple[ItemReply, ...]
    total: int
    currency: str


class PaymentReply(_Reply, frozen=True):
    """What became of the order that waited for a payment."""

    state: str


class LineReply(_Reply, frozen=True, omit_defaults=False):
    """Where a line stands."""

    now_serving: int
    joined: int
    per_minute: int


class DrawReply(_Reply, frozen=True):
    """The draw: the commitment beforehand, entrants and seed once it has been made."""

    algorithm: str
    commitment: str
    entrants: int | None = None
    seed: str | None = None


class PollStep(_Reply, frozen=True, omit_defaults=False):
    """Whoever has at least `ahead` before them asks again after `after_ms`."""

    ahead: int
    after_ms: int


class StatusReply(_Reply, frozen=True):
    """The public status: the same bytes for everybody."""

    phase: str
    opens_at: str
    server_time: str
    lines: dict[str, LineReply]
    draw: DrawReply
    seats_open: dict[str, int]
    poll: tuple[PollStep, ...]
    epoch: int
    message: str | None = None


class SeatsReply(_Reply, frozen=True, omit_defaults=False):
    """The state of every seat: a letter a seat in plan order."""

    version: int
    seats: str
    areas: dict[str, int]


class SeatChanges(_Reply, frozen=True, omit_defaults=False):
    """What became of seats since the event before: `[n, letter]`, n counting in plan order; places open an area."""

    version: int
    changes: list[tuple[int, str]]
    areas: dict[str, int]


class PublicKey(_Reply, frozen=True, omit_defaults=False):
    """A key that verifies passes (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class KeySet(_Reply, frozen=True, omit_defaults=False):
    """A house's public keys (RFC 7517)."""

    keys: tuple[PublicKey, ...]


class ListedOnSale(_Reply, frozen=True, omit_defaults=False):
    """An on-sale in a list."""

    on_sale: OnSaleId
    title: str
    phase: str
    prequeue_at: str
    opens_at: str
    house: HouseSlug
    house_name: str
    starts_at: str
    """The first of its performances (RFC 3339)."""
    page: str


class UnavailableHouse(_Reply, frozen=True):
    """A house that cannot answer now."""

    house: HouseSlug
    name: str


class DirectoryReply(_Reply, frozen=True, omit_defaults=False):
    """The one-stop directory."""

    on_sales: tuple[ListedOnSale, ...]
    unavailable: tuple[UnavailableHouse, ...]


class HouseReply(_Reply, frozen=True, omit_defaults=False):
    """A house as its pages need it."""

    house: HouseSlug
    name: str
    languages: tuple[str, ...]
    colours: Colours
    operator_contact: str
    on_sales: tuple[ListedOnSale, ...]


class CategoryReply(_Reply, frozen=True, omit_defaults=False):
    """A price category."""

    name: str
    color: str


class PerformanceReply(_Reply, frozen=True, omit_defaults=False):
    """A performance with its prices."""

    performance: PerformanceId
    title: str
    starts_at: str
    hall: str
    categories: tuple[CategoryReply, ...]
    prices: dict[str, dict[str, int]]
    fee: int


class LimitsReply(_Reply, frozen=True):
    """How many seats, of each performance."""

    seats_a_hold: int
    seats_a_place: int


class OnSaleReply(_Reply, frozen=True, omit_defaults=False):
    """An on-sale: what, when, for how much, under which rules."""

    house: HouseSlug
    on_sale: OnSaleId
    title: str
    prequeue_at: str
    opens_at: str
    currency: str
    limits: LimitsReply
    hold_seconds: int
    pass_seconds: int
    turn_seconds: int
    performances: tuple[PerformanceReply, ...]
    policies: Policy
    draw: DrawReply


class HallRequest(_Request, frozen=True):
    """A hall from a seating plan in pretix's format. `ids`: which of the plan's ids are unique, `guid` or `uuid`."""

    hall: str
    name: str
    plan: dict[str, Any]
    ids: str = "guid"


class HallReply(_Reply, frozen=True, omit_defaults=False):
    """A hall."""

    hall: str
    name: str
    seats: int
    standing: int
    categories: tuple[str, ...]


class PerformanceRequest(_Request, frozen=True):
    """A performance. `prices`: category → price type → minor units; the first type is the standard one."""

    performance: PerformanceId
    hall: str
    title: str
    starts_at: str
    prices: dict[str, dict[str, Annotated[int, msgspec.Meta(ge=0)]]]
    fee: int = 0
    currency: str = "EUR"


class OnSaleRequest(_Request, frozen=True):
    """An on-sale."""

    on_sale: OnSaleId
    title: str
    performances: tuple[PerformanceId, ...]
    prequeue_at: str
    opens_at: str
    rate_per_minute: int = 300
    cap: int = 500
    hold_seconds: int = 600
    pass_seconds: int = 900
    turn_seconds: int = 600
    seats_a_hold: int = 8
    seats_a_place: int = 8
    return_delay_seconds: int = 30


class ActionRequest(_Request, frozen=True):
    """What to do to a running on-sale, and why."""

    reason: Text
    rate_per_minute: int | None = None
    cap: int | None = None
    message: str | None = None


class CountersReply(_Reply, frozen=True, omit_defaults=False):
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
    orders: int
    takings: int
    currency: str
    seats: dict[str, int]
    backlog: int
    message: str


class KeyRequest(_Request, frozen=True):
    """A key for the house's programs or staff."""

    name: str
    scopes: tuple[str, ...]
    reason: Text = "asked for"


class KeyReply(_Reply, frozen=True):
    """A key; its secret only in the answer that made it."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    revoked: bool = False
    key: str | None = None
