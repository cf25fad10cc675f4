"""What a house sells: halls, performances, on-sales; the keys of its programs, and how its pages look.

The ledger keeps the documents; Redis carries the published copy, so that an API process sells with Redis alone.
A document's name is `<kind>:<id>`; its body is the JSON of the struct.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.errors import BadInput
from engine.halls.blocks import compile_layout
from engine.halls.layout import Layout
from engine.halls.pretix import import_plan
from engine.theme import Themes
from engine.words import AreaId, HallId, KeyId, LineName, OnSaleId, PerformanceId, SeatId

SCOPES: Final = ("manage", "orders:read", "orders:write", "counter", "allotment")
PUBLIC_LINE: Final = "public"
LINE_KINDS: Final = ("code", "invitation")
PASS_LEEWAY_MS: Final = 10_000
"""So much longer than its pass a slot lives: whoever checks passes elsewhere may have a clock that is behind."""
REVEALED_WITHIN_MS: Final = 2_000
PURPOSES: Final = ("block", "house", "partner", "channel", "code")
"""What is set aside is not for sale at all; for the house's own staff; or for whom `for_` names."""
NEEDS: Final = ("", "code", "number", "series", "companion")
"""What a price type may ask for: nothing; a code; a number, of a member or a card; all performances of its series; a
place for a wheelchair beside it, which somebody pays for."""
WHERE_AVOIDABLE: Final = "where-avoidable"
LONE_RULES: Final = ("off", WHERE_AVOIDABLE, "always")
"""`off`; where the same row has another choice; wherever in the performance there is one."""


FAILS: Final = ("closed", "open")
"""While Parvis is away a guard lets nobody new in, or newcomers at the on-sale's own pace."""


class Hall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room with its seating plan, in pretix's format with our extension."""

    hall: HallId
    name: str
    plan: dict[str, Any]


class PriceType(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a price type is besides its amounts, and who may have it.

    `share`: of a category's standard price, in basis points; its amounts are then worked out. `needs`: one of `NEEDS`.
    `at_least`, `at_most`: how many of it a hold has of a performance, where it has any (0: as many as there are).
    `fee`, `vat_rate`: instead of the performance's own. `verify_url`: who says whether a number is good.
    `series`: performances that are bought together, with as many of this type in each.
    """

    share: int | None = None
    needs: str = ""
    at_least: int = 0
    at_most: int = 0
    fee: int | None = None
    vat_rate: int | None = None
    verify_url: str = ""
    series: tuple[PerformanceId, ...] = ()


PLAIN: Final = PriceType()


# Defaults are left out of the documents: a release that does not know of them yet reads all but what uses them.
class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From an instant on so many per cent of the places for wheelchairs that are free then are general seats."""

    at_ms: int
    percent: int


class Performance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One dated show in one hall. `prices`: category → price type → minor units; the first type is the standard one.

    `vat_rate`: basis points, contained in price and fee. `price_types`: those of which there is more to say.
    """

    performance: PerformanceId
    hall: HallId
    title: str
    starts_at_ms: int
    prices: dict[str, dict[str, int]]
    fee: int = 0
    currency: str = "EUR"
    access_release: tuple[Release, ...] = ()
    """How places for wheelchairs become general seats; by time."""
    release_changes: int = 0
    """How often that has changed."""
    vat_rate: int = 0
    price_types: dict[str, PriceType] = {}
    earlier_halls: tuple[HallId, ...] = ()
    """The halls whose plans it had before this one's, oldest first."""

    @property
    def plan_change(self) -> int:
        """How often its plan has changed."""
        return len(self.earlier_halls)

    def hall_at(self, change: int) -> HallId:
        """The hall whose plan it had after so many changes. Raises `IndexError`."""
        return (*self.earlier_halls, self.hall)[change]

    def type_of(self, price_type: str) -> PriceType:
        """What there is to say of a price type."""
        return self.price_types.get(price_type, PLAIN)

    def fee_of(self, price_type: str) -> int:
        """What comes on top of a price of that type, minor units."""
        fee = self.type_of(price_type).fee
        return self.fee if fee is None else fee


class Contributor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another house of the network, and what it committed to contribute to a draw; see `engine/contributions.py`."""

    house: str
    commitment: str


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A queue of an on-sale beside the public one. `by`: one of `LINE_KINDS`, what it takes to join it.

    `share_percent`: of whom the on-sale lets in while both it and others wait. `closes_at_ms`: 0 for an open end.
    """

    line: LineName
    title: str
    by: str
    share_percent: int
    opens_at_ms: int
    closes_at_ms: int = 0
    commitment: str = ""
    seed: str = ""
    contributors: tuple[Contributor, ...] = ()
    """The on-sale's, and what they committed to contribute to this line's draw."""
    anchor: str = ""


class RateStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From an instant on so many are let in a minute."""

    at_ms: int
    rate_per_minute: int


class OnSale(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The window and the rules under which performances go on sale. Its seed is published only by the draw itself.

    `burst_percent`: so many passes more than `rate_per_minute` may be handed out in one minute.
    """

    on_sale: OnSaleId
    title: str
    performances: tuple[PerformanceId, ...]
    prequeue_at_ms: int
    opens_at_ms: int
    rate_per_minute: int = 300
    cap: int = 500
    burst_percent: int = 5
    hold_seconds: int = 600
    pass_seconds: int = 900
    grace_seconds: int = 300
    """So long after their pass has ended, whoever was in comes in again without waiting anew."""
    longest_stay_seconds: int = 3_600
    """So long a place lets its visitor stay inside in all, however often the pass is renewed; 0: without an end."""
    more_time_percent: int = 100
    """So much longer pass, grace, stay and holds are for whoever asks for more time."""
    turn_seconds: int = 600
    seats_a_hold: int = 8
    seats_a_place: int = 8
    return_delay_seconds: int = 30
    lone_seats: str = WHERE_AVOIDABLE
    """Whether somebody may leave a single seat between others: see `LONE_RULES`."""
    lone_seats_last: int = 10
    """With so few seats open, the rule ends."""
    unpaid_holds: int = 2
    """After so many holds that ended unpaid a visitor waits for `cool_down_seconds`; 0: never."""
    cool_down_seconds: int = 60
    longest_hold_seconds: int = 1_800
    """However often it is extended, a hold ends by then."""
    seats_a_customer: int = 0
    """Of each performance, by the customer's e-mail address, in all orders; 0: no limit."""
    rates: tuple[RateStep, ...] = ()
    """What `rate_per_minute` becomes by itself later; by time."""
    visitors_a_seat: int = 2
    """For each seat that is open so many may be inside, before fewer are called than the pace; 0: seats slow nobody.

    A visitor takes about two, so that with two inside for each seat there is hardly one for every fourth of them.
    """
    proof_of_work: str = "off"
    """Whether whoever joins shows a proof of work: one of `engine.proof.POLICIES`."""
    one_place_per: str = ""
    """Whether each e-mail address or phone number has one place: one of `engine.contacts.KINDS`."""
    contact_url: str = ""
    """Who of the house sends somebody the code that shows an address or a number to be theirs."""
    safety_net_per_minute: int = 0
    """From so many newcomers a minute on the room shows; below, visitors go straight in. 0: it always shows."""
    fails: str = "closed"
    """What the guards of the house's own site do while Parvis is away: see `FAILS`."""
    known_user_event: str = ""
    """As the connector of Queue-it at the house's site knows this on-sale: see `engine.known_user`."""
    commitment: str = ""
    seed: str = ""
    draw: str = ""
    """The draw's algorithm; empty in documents of before there were several."""
    contributors: tuple[Contributor, ...] = ()
    """Whose contributions are mixed into the draw."""

    lines: tuple[Line, ...] = ()
    """Besides the public one."""
    anchor: str = ""
    """What the seeds of windows after the start lead to, published beforehand: see `engine/windows.py`."""
    fair_window_seconds: int = 0
    """Who joins within so long is drawn together, and earlier windows come first; 0: all before the start are."""

    def line(self, name: str) -> Line | None:
        """One of its lines besides the public one."""
        return next((line for line in self.lines if line.line == name), None)

    def opens_at_of(self, name: str) -> int:
        """When a line opens, ms."""
        line = self.line(name)
        return line.opens_at_ms if line else self.opens_at_ms

    def commitment_of(self, name: str) -> str:
        """To which secret the house has committed itself for a line's draw."""
        line = self.line(name)
        return line.commitment if line else self.commitment

    def anchor_of(self, name: str) -> str:
        """What the seeds of a line's windows after the start lead to; empty where there are no windows."""
        line = self.line(name)
        return line.anchor if line else self.anchor

    def contributors_of(self, name: str) -> tuple[Contributor, ...]:
        """Whose contributions are mixed into a line's draw."""
        line = self.line(name)
        return line.contributors if line else self.contributors

    @property
    def line_names(self) -> tuple[LineName, ...]:
        """All of its lines, the public one first."""
        return (LineName(PUBLIC_LINE), *(each.line for each in self.lines))

    @property
    def draw_after_ms(self) -> int:
        """How long after its list was closed a draw is made: so long contributions are waited for, and no longer."""
        return REVEALED_WITHIN_MS if self.contributors else 0

    @property
    def stay_seconds(self) -> int:
        """So long a place lets its visitor stay inside: never less than one pass; 0: without an end."""
        return max(self.pass_seconds, self.longest_stay_seconds) if self.longest_stay_seconds else 0

    def stretched_ms(self, seconds: int, *, is_longer: bool) -> int:
        """A time of this on-sale in ms, for whoever asked for more of it or did not."""
        return seconds * 10 * (100 + (self.more_time_percent if is_longer else 0))

    @property
    def longest_slot_ms(self) -> int:
        """So long a slot lives at most: as long as the longest pass, and the leeway."""
        return self.stretched_ms(self.pass_seconds, is_longer=True) + PASS_LEEWAY_MS


RULES: Final = OnSale(on_sale=OnSaleId(""), title="", performances=(), prequeue_at_ms=0, opens_at_ms=0)
"""What the rules of an on-sale are unless its house says otherwise: the API and the shell take them here."""


class CodeBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Codes that were made together. `codes`: their ids (`engine.codes.code_id`): what a visitor types is not kept.

    `uses`: how many seats one code is good for. `price_type`: what it unlocks; empty where it only says who somebody
    is. `performances`: where it counts; empty: everywhere in the house.
    """

    batch: str
    title: str
    codes: tuple[str, ...]
    uses: int
    created_at_ms: int
    price_type: str = ""
    performances: tuple[PerformanceId, ...] = ()
    is_disabled: bool = False
    on_sale: str = ""
    line: str = ""
    """The line of an on-sale that it opens, where each code gives one place."""


class Allotment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"for_": "for"}):
    """Seats and standing places of a performance that are set aside. `purpose`: one of `PURPOSES`; `for_`: the id of a
    partner's key, a channel, or a batch of codes. `letter`: what its seats have in their rows.

    `areas`: how many places of each. `release_at_ms`: when what is left of it is everybody's; 0: never by itself.
    `is_pending`: it was made or ended in the ledger, and Redis may not know that yet. That, `why`, `who` and `seats`
    stay in the ledger.
    """

    performance: PerformanceId
    name: str
    letter: str
    purpose: str
    for_: str = ""
    why: str = ""
    who: str = ""
    seats: tuple[SeatId, ...] = ()
    areas: dict[AreaId, int] = {}
    release_at_ms: int = 0
    made_at_ms: int = 0
    ended_at_ms: int = 0
    is_pending: bool = False

    @property
    def id(self) -> str:
        """The name of its document."""
        return f"{self.performance}.{self.name}"

    def is_live(self, now_ms: int) -> bool:
        """Whether it is neither given back nor released."""
        return not self.ended_at_ms and not 0 < self.release_at_ms <= now_ms


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of the house's own programs and staff; only its SHA-256 is kept."""

    key_id: KeyId
    name: str
    secret_hash: str
    scopes: tuple[str, ...]
    created_at_ms: int
    is_revoked: bool = False


KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    "hall": Hall,
    "performance": Performance,
    "on_sale": OnSale,
    "api_key": ApiKey,
    "code": CodeBatch,
    "allotment": Allotment,
    "theme": Themes,
}


class OpenHall(msgspec.Struct, frozen=True):
    """A hall ready to sell from: its layout, and the plan's bytes and ETag as they are served."""

    hall: Hall
    layout: Layout
    plan: bytes
    etag: str


class Catalogue:
    """The published documents of one house at one version, decoded; documents that did not change are kept."""

    def __init__(self, version: int = 0) -> None:
        self.version = version
        self.halls: dict[HallId, OpenHall] = {}
        self.performances: dict[PerformanceId, Performance] = {}
        self.on_sales: dict[OnSaleId, OnSale] = {}
        self.api_keys: dict[KeyId, ApiKey] = {}
        self.code_batches: dict[str, CodeBatch] = {}
        self.batch_of_code: dict[str, CodeBatch] = {}
        self.allotments: dict[str, Allotment] = {}
        self.themes = Themes()
        self._bodies: dict[str, bytes] = {}
        self._decoded: dict[str, Any] = {}

    def layout(self, performance: PerformanceId, change: int = -1) -> Layout:
        """The layout of a performance's hall, as it is or as it was after so many changes. Raises `IndexError`."""
        return self.halls[self.performances[performance].hall_at(change)].layout

    def holds(self, name: str, body: str) -> bool:
        """Whether the catalogue has this very document."""
        return self._bodies.get(name) == body.encode()

    def on_sale_of(self, performance: PerformanceId) -> OnSaleId:
        """An on-sale that sells the performance, or the house's counter where none does."""
        for on_sale in self.on_sales.values():
            if performance in on_sale.performances:
                return on_sale.on_sale
        return OnSaleId("counter")


def open_hall(hall: Hall) -> OpenHall:
    """Compiles a hall's plan. Raises `BadPlan`."""
    plan = msgspec.json.encode(hall.plan)
    etag = f'"{hashlib.sha256(plan).hexdigest()[:24]}"'
    return OpenHall(hall=hall, layout=compile_layout(import_plan(hall.plan)), plan=plan, etag=etag)


def decode_document(name: str, body: bytes) -> Any:
    """A published document. Raises `BadInput` for an unknown kind or a body of another shape."""
    kind = name.partition(":")[0]
    try:
        document = msgspec.json.decode(body, type=KINDS[kind])
    except (KeyError, msgspec.MsgspecError) as error:
        raise BadInput(f"the catalogue's document {name!r} cannot be read: {error}") from error
    return open_hall(document) if isinstance(document, Hall) else document


def build(previous: Catalogue, version: int, bodies: Mapping[str, bytes]) -> Catalogue:
    """The catalogue at a version. A large hall takes tens of milliseconds: call it away from the event loop."""
    catalogue = Catalogue(version)
    for name, body in bodies.items():
        is_known = previous._bodies.get(name) == body  # noqa: SLF001 - the same class, one version earlier
        document = previous._decoded[name] if is_known else decode_document(name, body)  # noqa: SLF001
        catalogue._bodies[name], catalogue._decoded[name] = body, document  # noqa: SLF001
        match document:
            case OpenHall():
                catalogue.halls[document.hall.hall] = document
            case Performance():
                catalogue.performances[document.performance] = document
            case OnSale():
                catalogue.on_sales[document.on_sale] = document
            case ApiKey():
                catalogue.api_keys[document.key_id] = document
            case CodeBatch():
                catalogue.code_batches[document.batch] = document
                catalogue.batch_of_code |= dict.fromkeys(document.codes, document)
            case Allotment():
                catalogue.allotments[document.id] = document
            case Themes():
                catalogue.themes = document
    return catalogue
