"""The shapes on the wire. Instants are RFC 3339, money is integer minor units beside its currency."""

from typing import Annotated

import msgspec

from engine.entries import Customer, Payment
from engine.leaps import Leap, persons_between
from engine.network import Colours, Policy
from engine.sight import OnSaleSight
from engine.wishes import Choice, Wish
from engine.words import HouseSlug, OnSaleId, OrderId, PerformanceId


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body: unknown fields are refused."""


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer: what has nothing to say is left out."""


class JoinRequest(Request, frozen=True):
    """Join a line. `line` and `code` are for lines that ask for them; `proof`, `contact`: where asked for."""

    secret_hash: str
    line: str = ""
    code: str = ""
    proof: str = ""
    contact: str = ""


class ChallengeRequest(Request, frozen=True):
    """Ask for a challenge to join with."""

    secret_hash: str


class ChallengeReply(Reply, frozen=True, omit_defaults=False):
    """A challenge as ALTCHA writes it: which number, at most `maxnumber`, makes SHA-256(salt ‖ number) `challenge`.

    Its solution is base64 of JSON: `algorithm`, `challenge`, `number`, `salt`, `signature`.
    """

    algorithm: str
    challenge: str
    maxnumber: int
    salt: str
    signature: str


class ContactCodeRequest(Request, frozen=True):
    """Have a code sent to an address or a number. `language`: in which, of those that the house speaks."""

    contact: str
    secret_hash: str
    language: str = ""
    proof: str = ""


class ContactCodeReply(Reply, frozen=True, omit_defaults=False):
    """Until when the code counts that is on its way."""

    expires_at: str


class ContactRequest(Request, frozen=True):
    """The code that came."""

    contact: str
    secret_hash: str
    code: str


class ContactReply(Reply, frozen=True, omit_defaults=False):
    """What is shown as `contact` when joining. It names nobody."""

    contact: str
    expires_at: str


class PlaceReply(Reply, frozen=True):
    """A place; `position` once the draw is known."""

    place: str
    line: str
    index: int
    position: int | None = None


class PassRequest(Request, frozen=True):
    """Claim a turn. `renews`: the pass to renew, alive or not; where another device has gone on since it is refused,
    while a claim without it takes over. `more_time`: for whoever needs longer to choose and to pay; a pass
    that was given so is renewed so.
    """

    place: str
    secret: str
    renews: str = ""
    more_time: bool = False


class PassReply(Reply, frozen=True):
    """A pass, a JWT. `stay_ends_at`: from then on it is not renewed; whoever wants to come in joins the queue again."""

    pass_: str = msgspec.field(name="pass")
    expires_at: str
    stay_ends_at: str | None = None


class KnownUserReply(Reply, frozen=True):
    """What a return link carries for a site with Queue-it's connector, as its parameter `queueittoken`."""

    queueittoken: str
    expires_at: str


class HoldRequest(Request, frozen=True):
    """Hold seats. `price_types`: one a seat, in the order of the items; none: standard prices.

    `codes`: what was typed, for prices that need one. `numbers`: price type → the number that it needs.
    """

    items: tuple[Wish, ...]
    price_types: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    numbers: dict[str, str] = {}


class ItemReply(Reply, frozen=True):
    """One seat or standing place with its price and fee; `vat`: what of both is VAT, at `vat_rate` (basis points)."""

    performance: PerformanceId
    category: str
    price_type: str
    price: int
    fee: int
    seat: str | None = None
    area: str | None = None
    vat_rate: int = 0
    vat: int = 0


class HoldReply(Reply, frozen=True, omit_defaults=False):
    """A hold."""

    hold: str
    items: tuple[ItemReply, ...]
    total: int
    currency: str
    expires_at: str
    choices: tuple[Choice, ...]
    """Why the best were these: one for each item that asked for the best."""


class ExtendRequest(Request, frozen=True):
    """Keep a hold longer, while this payment of it is under way; the house's own staff need none."""

    payment: Payment | None = None


class PresenceRequest(Request, frozen=True):
    """Whether a visitor leaves the page, or is here again; `at`: when, in ms by their own clock."""

    leaving: bool
    at: Annotated[int, msgspec.Meta(ge=0, le=9_007_199_254_740_991)]


class PresenceReply(Reply, frozen=True):
    """Until when a pass lets its visitor in by now."""

    expires_at: str


class ExtendReply(Reply, frozen=True):
    """A hold's new end."""

    hold: str
    expires_at: str


class OrderRequest(Request, frozen=True):
    """Confirm holds as one order."""

    holds: tuple[str, ...]
    payment: Payment
    customer: Customer | None = None


class OrderedReply(Reply, frozen=True):
    """An order that was taken."""

    order: OrderId
    order_secret: str
    state: str


class OrderReply(Reply, frozen=True, omit_defaults=False):
    """An order."""

    order: OrderId
    state: str
    items: tuple[ItemReply, ...]
    total: int
    currency: str
    returned: tuple[ItemReply, ...] = ()
    """Of an order that still stands, what of it was given back; `items` and `total` are without it."""


class PaymentReply(Reply, frozen=True):
    """What became of the order that waited for a payment."""

    state: str


class MeasuredReply(Reply, frozen=True, omit_defaults=False):
    """How fast a line was seen to move: people a minute, over so many minutes."""

    per_minute: float
    minutes: float


class DrawRule(Reply, frozen=True):
    """How the draw is made, as it was published beforehand: `after_ms` after the list was closed, by the start of sales
    that is planned for `planned_at`. What another house has not revealed by then is left out. `window_seconds`: who
    joins within so long is drawn together, and earlier windows come first; without it all before the start are.
    """

    planned_at: str
    after_ms: int
    window_seconds: int = 0
    anchor: str = ""
    """What the seeds of windows after the start lead to."""


class LaterReply(Reply, frozen=True, omit_defaults=False):
    """Windows after the start, as far as they have ended. `borders`: where the first of these begins, then where each
    ends; `first`: its number, from 1. `seed`: of the last one.
    """

    first: int
    borders: tuple[int, ...]
    seed: str


class ContributorReply(Reply, frozen=True):
    """Another house whose secret is mixed into the draw; `secret` once the draw has been made, if it was revealed."""

    house: str
    commitment: str
    secret: str | None = None


class DrawReply(Reply, frozen=True):
    """The draw: algorithm, commitment and rule beforehand; entrants once it is fixed who they are; then all of it.

    `root`: of the tree over the entrants; `windows`: where each ends, as counts of those who had joined. See
    `engine/verifier.py`.
    """

    algorithm: str
    commitment: str
    rule: DrawRule | None = None
    contributors: tuple[ContributorReply, ...] = ()
    entrants: int | None = None
    root: str | None = None
    secret: str | None = None
    seed: str | None = None
    windows: tuple[int, ...] | None = None
    later: LaterReply | None = None


class SignedContributorReply(ContributorReply, frozen=True):
    """The same in a transcript, with how it signed the list before it revealed: see `engine/statements.py`."""

    signature: str | None = None


class TranscriptReply(DrawReply, frozen=True, omit_defaults=False, kw_only=True):
    """A draw that has been made, whole: enough to recompute every position, and the root over who was in it.

    `secret_hashes`: in the order of arrival; empty for an index that nobody has.
    """

    house: HouseSlug
    on_sale: OnSaleId
    line: str
    contributors: tuple[SignedContributorReply, ...] = ()
    secret_hashes: tuple[str, ...]


class SignedReply(Reply, frozen=True):
    """How a house of the network fixed a draw before another revealed its contribution to it, and when that was."""

    entrants: int
    root: str
    bound: str
    at: str


class CommitmentReply(Reply, frozen=True):
    """To what a house commits itself for another's draw; `signed`: for what it has revealed that, once it has."""

    commitment: str
    signed: SignedReply | None = None


class StatementRequest(Request, frozen=True):
    """How a draw is fixed, signed by the house whose draw it is: how many are in it, the root over them, and all of it.

    See `engine/statements.py`.
    """

    entrants: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
    root: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{43}$", max_length=43)]
    bound: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{43}$", max_length=43)]
    signature: Annotated[str, msgspec.Meta(max_length=400)]


class RevealedReply(Reply, frozen=True):
    """What a house contributes to another's draw, and its signature (a JWS without payload) under the same list."""

    secret: str
    signature: str


class DrawPathReply(Reply, frozen=True, omit_defaults=False):
    """The way from one entrant's leaf up to the root: the nodes beside it, lowest first."""

    index: int
    entrants: int
    root: str
    path: tuple[str, ...]


class LineReply(Reply, frozen=True):
    """Where a line stands. `per_minute` is what the house means to do, `measured` what was seen of it.

    `leaps`: positions that a recovery leapt over: the first of a run, the one behind its last, and how many of them are
    nobody's, evenly spread; their turns take no time. Of a line beside the public one also its own phase (`over` behind
    its window), window and draw.
    """

    now_serving: int
    joined: int
    per_minute: int
    measured: MeasuredReply | None = None
    leaps: tuple[Leap, ...] = ()
    phase: str | None = None
    prequeue_at: str | None = None
    opens_at: str | None = None
    closes_at: str | None = None
    draw: DrawReply | None = None

    def ahead_of(self, position: int) -> int:
        """How many are called before a position."""
        return persons_between(self.leaps, self.now_serving, position)

    @property
    def waiting(self) -> int:
        """How many have joined and are not called yet."""
        return self.ahead_of(self.joined)


class PollStep(Reply, frozen=True, omit_defaults=False):
    """Whoever has at least `ahead` before them asks again after `after_ms`."""

    ahead: int
    after_ms: int


class ChanceReply(Reply, frozen=True, omit_defaults=False):
    """What became of those who were called: the numbers that everybody's chance of seats is worked out from.

    `called`: so many had the time to come; `at_door` more may still be coming, `inside` have not bought yet.
    """

    called: int
    admitted: int
    at_door: int
    inside: int
    orders: int
    seats_a_visitor: float


class SafetyNetReply(Reply, frozen=True, omit_defaults=False):
    """The room rests until more than `per_minute` newcomers come; `is_active`: it shows now."""

    per_minute: int
    is_active: bool


class StatusReply(Reply, frozen=True):
    """The public status: the same bytes for everybody, signed (`Parvis-Signature`), so that it says of what it is."""

    house: str
    on_sale: str
    phase: str
    opens_at: str
    server_time: str
    lines: dict[str, LineReply]
    draw: DrawReply
    seats_open: dict[str, int]
    seats_held: int
    chance: ChanceReply
    poll: tuple[PollStep, ...]
    epoch: int
    why: str | None = None
    message: str | None = None
    safety_net: SafetyNetReply | None = None
    """None: the room always shows."""
    fails: str = "closed"
    """What a guard of the house's own site does while this cannot be had: `closed` or `open`."""


class SeatsReply(Reply, frozen=True, omit_defaults=False):
    """The state of every seat: a letter a seat in the order of the plan, as it is after `plan_change` changes."""

    version: int
    seats: str
    areas: dict[str, int]
    plan_change: int = 0


class SeatChanges(Reply, frozen=True, omit_defaults=False):
    """What became of seats since a version: `[n, letter]`, n counting in plan order; places open an area.

    Whoever is at another version than `since` has missed something, and asks from 0: for the whole.
    """

    since: int
    version: int
    changes: list[tuple[int, str]]
    areas: dict[str, int]


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
