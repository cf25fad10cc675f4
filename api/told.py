"""What the public status tells besides where its line stands: how fast it was seen to move, why it is slower than it
was, how often to ask, and the numbers that a chance of seats is worked out from.
"""

from collections import deque
from typing import Final

from api.wire_status import ChanceReply, MeasuredReply, PollStep
from engine.lines import LineStatus
from engine.waiting_room import Status

POLL: Final = (
    PollStep(ahead=0, after_ms=1_000),
    PollStep(ahead=100, after_ms=2_000),
    PollStep(ahead=500, after_ms=4_000),
    PollStep(ahead=2_000, after_ms=8_000),
    PollStep(ahead=10_000, after_ms=20_000),
)
"""The nearer the turn, the more often: it divides the requests of a long line by three and more."""
END_POLL_MS: Final = 1_400
"""How often everybody asks when the last seat may go: with what a page adds so as not to breathe in step (a quarter),
the keeper's look at what is sold, and a second each for this document and its copy at the edge, they know within five
of the last order.
"""
LONGEST_SECONDS: Final = 25
"""Who asks most seldom asks again within that: what may happen by then has to be announced now."""
SEEN_MS: Final = 300_000
"""What was seen longer ago says nothing any more about how fast a line moves."""
SAMPLE_MS: Final = 5_000
LEAST_SEEN_MS: Final = 20_000
HANDFUL: Final = 5
MINUTE_MS: Final = 60_000
USUAL_SEATS: Final = 2.2
"""Seats a buyer takes, before anybody has bought."""


class Measured:
    """How fast a line was seen to move, over the last five minutes in which it was open."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()
        self._terms: object = None

    def note(self, now_ms: int, served: int, *, is_moving: bool, terms: object = None) -> None:
        """Takes in how many had been called. One that is held up on purpose is measured anew when it goes on.

        `terms`: what decides how fast it is to move; on others it is measured anew as well.
        """
        if not is_moving or terms != self._terms or (self._seen and now_ms < self._seen[-1][0]):
            self._seen.clear()
        self._terms = terms
        if not is_moving:
            return
        if not self._seen or now_ms - self._seen[-1][0] >= SAMPLE_MS:
            self._seen.append((now_ms, served))
        while now_ms - self._seen[0][0] > SEEN_MS:
            self._seen.popleft()

    def pace(self, now_ms: int, served: int, published: int) -> "MeasuredReply | None":
        """What was seen; None before the line had the time to move by a handful."""
        if not self._seen:
            return None
        since_ms, before = self._seen[0]
        minutes, moved = (now_ms - since_ms) / MINUTE_MS, served - before
        if now_ms - since_ms < LEAST_SEEN_MS or max(moved, published * minutes) < HANDFUL:
            return None
        return MeasuredReply(per_minute=round(moved / minutes, 1), minutes=round(minutes, 1))


def is_calling(line: LineStatus) -> bool:
    """Whether how far a line moves says how fast it is: it is open, and somebody waits. An empty line is not slow."""
    return line.phase == "open" and line.waiting > 0


def why_slower(now: Status) -> "str | None":
    """The word for what makes the wait longer than the house meant it to be; None where nothing does."""
    return now.why or None


def poll_policy(now: Status, seats_left: int, seen: ChanceReply) -> "tuple[PollStep, ...]":
    """How often to ask: more often where all that is left may be bought before those farthest away ask again."""
    buyers = seen.inside + seen.at_door + now.pace_per_minute * LONGEST_SECONDS / 60
    if now.phase not in {"open", "paused"} or seats_left > buyers * seen.seats_a_visitor:
        return POLL
    often = [step for step in POLL if step.after_ms < END_POLL_MS]
    return (*often, PollStep(ahead=POLL[len(often)].ahead, after_ms=END_POLL_MS))


def chance_numbers(now: Status, seats_sold: int, most: int, measured: MeasuredReply | None = None) -> ChanceReply:
    """What everybody may know of those who were called. Whoever was called within this minute may still be coming.

    `most`: the seats that a visitor may have. Some were sold otherwise, and nobody bought more than that here.
    `measured`: more are called than come in, where many stay away.
    """
    a_minute = max(now.pace_per_minute, int(measured.per_minute) if measured else 0)
    served = sum(line.called for line in now.all_lines)
    at_door = max(0, min(a_minute, served - now.admitted))
    return ChanceReply(
        called=max(now.admitted, served - at_door),
        admitted=now.admitted,
        at_door=at_door,
        inside=now.live_passes,
        orders=now.orders,
        seats_a_visitor=min(most, round(max(1, seats_sold / now.orders), 2)) if now.orders else USUAL_SEATS,
    )
