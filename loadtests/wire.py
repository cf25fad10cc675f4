"""What goes to a house and what comes back, as a visitor sees it: asks, answers, and the documents read here.

Only the fields that a visitor decides by are named; whatever else a document holds is passed over.
"""

from collections.abc import Generator, Mapping
from typing import Any, Final, TypeVar

import msgspec

UNKNOWN: Final = 0
"""The status of an answer that never came: whether the ask took effect is unknown until it is repeated."""
ENDED: Final = frozenset({"sold_out", "closed"})
"""Phases of an on-sale in which nothing more will be sold."""
_AGAIN: Final = frozenset({UNKNOWN, 429, 500, 502, 503, 504})
_PROBLEMS: Final = "/problems/"


class Ask(msgspec.Struct, frozen=True):
    """One request. `name` groups figures; a shared cache may answer with something up to `fresh_ms` old."""

    name: str
    method: str
    path: str
    body: bytes = b""
    bearer: str = ""
    key: str = ""
    prefer: str = ""
    fresh_ms: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """What is sent beside the body."""
        headers = {
            "Content-Type": "application/json" if self.body else "",
            "Authorization": f"Bearer {self.bearer}" if self.bearer else "",
            "Idempotency-Key": self.key,
            "Prefer": self.prefer,
        }
        return {name: value for name, value in headers.items() if value}


class Answer(msgspec.Struct, frozen=True):
    """What came back, `status` being `UNKNOWN` when nothing did; `headers` with names in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}

    @property
    def is_good(self) -> bool:
        """Whether it was done as asked."""
        return 200 <= self.status < 300

    @property
    def is_decided(self) -> bool:
        """Whether the house decided; if not, the same is asked again with the same key."""
        return self.status not in _AGAIN

    @property
    def facts(self) -> dict[str, Any]:
        """The JSON object of the body; empty where there is none."""
        try:
            document = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def slug(self) -> str:
        """Which problem it is, or the status in words."""
        kind = self.facts.get("type") if self.status >= 400 else None
        if isinstance(kind, str) and kind.startswith(_PROBLEMS):
            return kind.removeprefix(_PROBLEMS)
        return "no-answer" if self.status == UNKNOWN else f"status-{self.status}"

    @property
    def retry_after_s(self) -> float | None:
        """How long the house asks to be left alone, seconds."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdigit() else None


class Pause(msgspec.Struct, frozen=True):
    """A while in which the visitor does nothing; `is_waiting` if it wants something that is not there yet."""

    seconds: float
    is_waiting: bool = False


Result = TypeVar("Result")
Steps = Generator[Pause | tuple[Ask, ...], tuple[Answer, ...], Result]
"""A journey, step by step. Asks of one tuple leave at once; their answers come back in their order."""


class PollStep(msgspec.Struct, frozen=True):
    """Whoever has at least `ahead` before them asks again after `after_ms`."""

    ahead: int
    after_ms: int


class Line(msgspec.Struct, frozen=True):
    """Where a line stands."""

    now_serving: int
    joined: int
    per_minute: int


class PublishedDraw(msgspec.Struct, frozen=True):
    """The draw: its commitment before the start; entrants and seed afterwards."""

    algorithm: str
    commitment: str
    entrants: int | None = None
    secret: str | None = None
    """Of which the seed was made; without it, the seed is what was committed to."""
    seed: str | None = None
    windows: tuple[int, ...] | None = None
    """Where each window ends, in which people were drawn together."""


class Status(msgspec.Struct, frozen=True):
    """The public status of an on-sale."""

    phase: str
    opens_at: str
    lines: dict[str, Line]
    draw: PublishedDraw
    seats_open: dict[str, int]
    poll: tuple[PollStep, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be sold."""
        return self.phase in ENDED


class Performance(msgspec.Struct, frozen=True):
    """A performance with its prices: category → price type → minor units, the standard type first."""

    performance: str
    prices: dict[str, dict[str, int]]
    fee: int


class Limits(msgspec.Struct, frozen=True):
    """How many seats of a performance."""

    seats_a_hold: int
    seats_a_place: int


class OnSale(msgspec.Struct, frozen=True):
    """What is for sale, under which rules."""

    prequeue_at: str
    opens_at: str
    currency: str
    limits: Limits
    pass_seconds: int
    hold_seconds: int
    turn_seconds: int
    performances: tuple[Performance, ...]


class Seats(msgspec.Struct, frozen=True):
    """The state of every seat, a letter each in plan order, and the places left in each standing area."""

    version: int
    seats: str
    areas: dict[str, int]


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One seat or standing place, with its price and fee in minor units."""

    performance: str
    category: str
    price_type: str
    price: int
    fee: int
    seat: str | None = None
    area: str | None = None


class Hold(msgspec.Struct, frozen=True):
    """Seats kept for a visitor until an instant."""

    hold: str
    items: tuple[Item, ...]
    total: int
    currency: str
    expires_at: str


class Order(msgspec.Struct, frozen=True):
    """An order as its owner can read it."""

    order: str
    state: str
    items: tuple[Item, ...]
    total: int
    currency: str
