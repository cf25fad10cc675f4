"""The shapes on the wire. Instants are RFC 3339, money is integer minor units beside its currency."""

from typing import Annotated

import msgspec

from engine.entries import Customer, Payment
from engine.wishes import Choice, Wish
from engine.words import OrderId, PerformanceId


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
