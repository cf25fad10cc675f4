"""What a status and a draw are on the wire."""

from typing import Annotated

import msgspec

from api.wire import Reply, Request
from engine.leaps import Leap, persons_between
from engine.words import HouseSlug, OnSaleId


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
