"""What a house, what it sells, its keys and the network are on the wire."""

from api.wire import Reply
from api.wire_status import DrawReply
from engine.network import Colours, Policy
from engine.sight import OnSaleSight
from engine.words import HouseSlug, OnSaleId, PerformanceId


class PublicKey(Reply, frozen=True, omit_defaults=False):
    """A key that verifies passes (RFC 7518)."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    alg: str
    use: str


class KeySet(Reply, frozen=True, omit_defaults=False):
    """A house's public keys (RFC 7517)."""

    keys: tuple[PublicKey, ...]


class ListedOnSale(Reply, frozen=True, omit_defaults=False):
    """An on-sale in a list."""

    on_sale: OnSaleId
    title: str
    phase: str
    prequeue_at: str
    opens_at: str
    house: HouseSlug
    house_name: str
    time_zone: str
    starts_at: str
    """The first of its performances (RFC 3339)."""
    dates: tuple[str, ...]
    """When each of its performances starts, in their order."""
    page: str


class ListedHouse(Reply, frozen=True, omit_defaults=False):
    """A house of the directory, in its own colours."""

    house: HouseSlug
    name: str
    colours: Colours


class UnavailableHouse(Reply, frozen=True):
    """A house that cannot answer now."""

    house: HouseSlug
    name: str


class DirectoryReply(Reply, frozen=True, omit_defaults=False):
    """The one-stop directory."""

    houses: tuple[ListedHouse, ...]
    on_sales: tuple[ListedOnSale, ...]
    unavailable: tuple[UnavailableHouse, ...]


class LogoReply(Reply, frozen=True, omit_defaults=False):
    """A picture, at an address that always gives this very one, and what it says to whoever does not see it."""

    address: str
    alt: str
    width: int
    height: int


class HouseReply(Reply, frozen=True, omit_defaults=False):
    """A house as its pages need it."""

    house: HouseSlug
    name: str
    languages: tuple[str, ...]
    time_zone: str
    """An IANA name."""
    colours: Colours
    logo: LogoReply | None
    words: dict[str, dict[str, str]]
    """What this house says in its own way: language → name → text."""
    operator_contact: str
    return_addresses: tuple[str, ...]
    """Where a visitor may be sent back to with a pass."""
    available: bool
    """Whether it can say now what it sells; `on_sales` is empty where not."""
    on_sales: tuple[ListedOnSale, ...]


class CategoryReply(Reply, frozen=True, omit_defaults=False):
    """A price category."""

    name: str
    color: str


class PriceTypeReply(Reply, frozen=True):
    """What there is to say of a price type: see `PriceType` of the manage API."""

    needs: str = ""
    at_least: int = 0
    at_most: int = 0
    fee: int | None = None
    vat_rate: int | None = None
    series: tuple[PerformanceId, ...] = ()


class PerformanceReply(Reply, frozen=True, omit_defaults=False):
    """A performance with its prices. `vat_rate`: basis points, contained in prices and fees."""

    performance: PerformanceId
    title: str
    starts_at: str
    hall: str
    categories: tuple[CategoryReply, ...]
    prices: dict[str, dict[str, int]]
    fee: int
    vat_rate: int
    price_types: dict[str, PriceTypeReply]
    plan_change: int = 0
    """How often its plan has changed."""


class LimitsReply(Reply, frozen=True, omit_defaults=False):
    """How many seats, of each performance; how many holds one order may have; and what else binds a hold.

    `lone_seats`: `off`, `where-avoidable` or `always`. `unpaid_holds`: after so many a visitor waits for
    `cool_down_seconds`. `longest_hold_seconds`: however often a hold is extended, it ends by then. `seats_a_customer`:
    of each performance in all orders of one e-mail address; 0: as many as there are.
    """

    seats_a_hold: int
    seats_a_place: int
    holds_an_order: int
    lone_seats: str
    unpaid_holds: int
    cool_down_seconds: int
    longest_hold_seconds: int
    seats_a_customer: int


class DeclaredLine(Reply, frozen=True, omit_defaults=False):
    """A queue beside the public one. `by`: what it takes to join it; `closes_at`: None for an open end."""

    line: str
    title: str
    by: str
    opens_at: str
    closes_at: str | None


class OnSaleReply(Reply, frozen=True, omit_defaults=False):
    """An on-sale: what, when, for how much, under which rules."""

    house: HouseSlug
    on_sale: OnSaleId
    title: str
    prequeue_at: str
    opens_at: str
    currency: str
    limits: LimitsReply
    one_place_per: str
    """`email` or `phone`, where each has one place, and a code shows whose it is; or empty."""
    hold_seconds: int
    pass_seconds: int
    longest_stay_seconds: int
    """However often a pass is renewed, a place lets its visitor stay inside for so long in all; 0: without an end."""
    more_time_percent: int
    """So much longer for whoever asks for more time; 0: nobody may."""
    turn_seconds: int
    performances: tuple[PerformanceReply, ...]
    policies: Policy
    draw: DrawReply
    known_user: bool
    """Whether the way back to the house's own site carries a token for the connector of Queue-it there."""
    lines: tuple[DeclaredLine, ...]
    """The queues beside the public one; where each stands is in the status."""


class OperatedHouse(Reply, frozen=True):
    """A house of the network."""

    house: HouseSlug
    name: str


class OperatedHousesReply(Reply, frozen=True):
    """Every house of the network."""

    network: str
    houses: tuple[OperatedHouse, ...]


class OpsReply(Reply, frozen=True, omit_defaults=False):
    """How a house is doing. `state` is the worst that is so: `down recovering unrecorded strained`, or what it does:
    `open paused prequeue sold_out quiet`. `read_at` is when its Redis last said all of this.
    """

    house: HouseSlug
    name: str
    state: str
    read_at: str | None
    server_time: str
    redis_up: bool
    postgres_up: bool
    gate_open: bool
    epoch: int
    waiting: int
    admitted_last_minute: int
    seats_open: int
    holds: int
    requests_last_minute: int
    p99_ms: int | None
    unrecorded: int
    writer_lag_ms: int
    alarms: int
    dead_letters: int
    refunds_due: int
    pressure: str
    on_sales: tuple[OnSaleSight, ...]
