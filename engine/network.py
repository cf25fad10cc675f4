"""A network: the houses of one installation, where each one's servers are, and its limits; read from TOML.

`deploy/network.example.toml` explains the file; `engine/network_file.py` reads it.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from engine.errors import BadInput
from engine.words import HouseSlug

if TYPE_CHECKING:
    from engine.embedded.servers import ServerAddresses

AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Everything has a limit. These are a house's; each can be set in its `[houses.limits]`."""

    redis_timeout_ms: AtLeastOne = 250
    """A call of the house's Redis; connecting has the same."""
    redis_waiting: AtLeastOne = 10_000
    """Calls under way to the house's Redis, in one process; the next one is refused at once."""
    concurrency: AtLeastOne = 2_000
    """Requests for the house that one process serves at a time; joining has four fifths of it, holding nine tenths."""
    lag_ms: AtLeastOne = 1_000
    """How late a process's event loop may run, for more than a second on end, before it is wholly strained."""
    hold_p99_ms: Annotated[int, msgspec.Meta(ge=0)] = 250
    """Within this 99 of 100 holds are answered; when they are not, people come in at half the pace. 0: not watched."""
    body_bytes: AtLeastOne = 65_536
    """A request's body."""
    plan_bytes: AtLeastOne = 16_777_216
    """A seating plan that is uploaded."""
    line_length: AtLeastOne = 2_000_000
    """Places in one line."""
    backlog_bytes: AtLeastOne = 268_435_456
    """Memory of entries not yet recorded: above half of it people come in more slowly, above 80 % not at all."""
    disk_free_bytes: AtLeastOne = 67_108_864
    """What stays free on the disk of Redis, besides room for confirming every live hold and for one rewrite."""
    disk_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0
    """What the append-only file may come to, for a Redis whose disk the keeper cannot see; 0: not watched then."""
    holds_an_order: AtLeastOne = 20
    items_a_hold: AtLeastOne = 50
    postgres_pool: AtLeastOne = 4
    """Connections to the house's database, in one process."""
    postgres_timeout_ms: AtLeastOne = 5_000
    """A statement in the house's database."""
    leave_grace_seconds: AtLeastOne = 60
    """How long seats are kept for a visitor who has left the page, and may be back in a moment."""
    payment_keep_seconds: AtLeastOne = 900
    """How long seats are kept for a payment that is under way."""
    payment_claim_seconds: AtLeastOne = 3_600
    """How long a payment that no order names is kept for one, before its money goes back."""
    batch: AtLeastOne = 2_000
    """Outbox entries that the writer records in one transaction."""
    webhooks: AtLeastOne = 10
    """Endpoints of the house's own programs that are told of its sales."""
    webhooks_at_once: AtLeastOne = 8
    """Events under way to one endpoint."""
    webhook_timeout_ms: AtLeastOne = 10_000
    """For an endpoint to take an event, finding and connecting included."""


class Colours(msgspec.Struct, frozen=True, kw_only=True):
    """A house's colours on its pages, each `#rrggbb`."""

    primary: str = "#1f3a5f"
    accent: str = "#b3452c"
    background: str = "#ffffff"
    text: str = "#1b1b1b"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a visitor is told before paying, in words."""

    fees: str
    refunds: str
    delivery: str


class Neighbour(msgspec.Struct, frozen=True):
    """Another house of the network. `address`: where its API answers; empty: where this house's own does."""

    slug: HouseSlug
    name: str
    address: str = ""


class House(msgspec.Struct, frozen=True, kw_only=True):
    """A cultural house, and what its cell runs on. Its URLs hold passwords: `repr` leaves them out."""

    slug: HouseSlug
    name: str
    redis_url: str
    """As the house's API user, which may call its functions on its keys."""
    redis_owner_url: str
    """As the ops side, which loads functions and recovers."""
    postgres_dsn: str
    secrets_path: Path
    """The folder of the house's signing keys."""
    operator_contact: str
    """Whom ops reach when the house's cell is in trouble."""
    policy: Policy
    languages: tuple[str, ...] = ("nl", "en")
    """Of its pages; the first is the house's own."""
    time_zone: str = "Europe/Brussels"
    """In which its pages tell when something is; an IANA name."""
    colours: Colours = Colours()
    allowed_origins: tuple[str, ...] = ()
    """Websites whose scripts may join, hold and order: `https://www.example.org`."""
    return_addresses: tuple[str, ...] = ()
    """Where a visitor may be sent back to: each one itself, and what lies under it."""
    webhooks_to: tuple[str, ...] = ()
    """Addresses and networks inside, to which its webhooks may go besides the public internet: `10.1.2.0/24`."""
    listed: bool = False
    """Whether its on-sales stand in the network's directory."""
    address: str = ""
    """Where its API answers other houses, without a path: `https://tickets.example.org`. Empty: where theirs does."""
    neighbours: tuple[Neighbour, ...] = ()
    """The other houses of the network: not written in its file, but made of it."""
    retention_days: AtLeastOne = 730
    """How long the house keeps who bought, after the order and its last performance; the accounts stay."""
    limits: Limits = Limits()

    def __repr__(self) -> str:
        return f"House({self.slug!r})"


class Network(msgspec.Struct, frozen=True):
    """The houses of one region that share an installation."""

    name: str
    houses: tuple[House, ...]
    operator_keys: tuple[str, ...] = ()
    """SHA-256, in hex, of the keys with which the network's operators see how every house is doing."""
    trusted_proxies: int = 0
    """How many proxies stand, one behind the other, before every process: they say who asks, and in which scheme."""

    def house(self, slug: str) -> House:
        """The house of that slug. Raises `BadInput` if the network has none."""
        for house in self.houses:
            if house.slug == slug:
                return house
        near = get_close_matches(slug, [house.slug for house in self.houses], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(house.slug for house in self.houses)}"
        raise BadInput(f"{self.name} has no house {slug!r}; {hint}")


def load(path: Path, *, servers: "Mapping[HouseSlug, ServerAddresses] | None" = None) -> Network:
    """The network that `path` describes.

    `servers`: embedded servers, by house; what the file says about those houses' servers and secrets is left
    aside. Raises `BadNetworkFile` with all its faults in `problems`.
    """
    from engine.network_file import read_network

    return read_network(path, servers or {})


def read_slugs(path: Path) -> tuple[HouseSlug, ...]:
    """The houses that `path` names, in its order: for whoever starts their servers before `load`.

    Raises `BadNetworkFile` if that much cannot be made out.
    """
    from engine.network_file import read_slugs as slugs_of

    return slugs_of(path)
