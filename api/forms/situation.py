"""Which situation a visitor in a queue is in, and what a page without JavaScript says of it.

The same as `api/web/situation.js` and `api/web/pace.js` tell a browser; `tests/vectors/situations.json` holds both.
"""

import math
from collections.abc import Callable
from typing import Final

import msgspec

from api.forms.words import Words
from api.told import END_POLL_MS
from api.wire_status import LineReply, PollStep, StatusReply
from engine.catalogue import OnSale
from engine.instants import from_rfc3339
from engine.windows import Later, order_of

ENDED: Final = frozenset({"sold_out", "closed"})
BEFORE: Final = frozenset({"scheduled", "prequeue"})
KEEPING: Final = frozenset({"gathered", "waiting", "paused"})
IN_TURN: Final = frozenset({"turn", "full"})
ACTIONS: Final = {
    "joinable": "join",
    "turn": "enter",
    "full": "enter",
    "shopping": "return",
    "turn_over": "again",
    "line_over": "again",
}
LEAST_REFRESH_MS: Final = 5_000
"""A whole page is asked for, and read out by some: that is not done every second."""
NEXT_REFRESH_MS: Final = 2_000
"""For whoever is next."""
END_REFRESH_MS: Final = 1_600
"""For everybody while the last seats go: with what is added so as not to breathe in step, they know within five."""
OPENING_SPREAD_MS: Final = 2_500
LONGEST_REFRESH_MS: Final = 300_000


class Standing(msgspec.Struct, frozen=True):
    """Where a visitor stands. `position` and `ahead` are None until the draw is known."""

    name: str
    index: int | None
    position: int | None
    ahead: int | None

    @property
    def has_number(self) -> bool:
        """Whether their number in the queue is worth telling."""
        return self.position is not None and self.name in KEEPING | IN_TURN


def seen_from(status: StatusReply, line: str) -> StatusReply:
    """The status as whoever stands in another line sees it, in the public one's stead."""
    own = status.lines.get(line)
    if own is None or own.draw is None or own.opens_at is None:
        return status
    phase = status.phase if status.phase in ENDED | {"paused"} or own.phase is None else own.phase
    lines = status.lines | {"public": own, line: status.lines["public"]}
    return msgspec.structs.replace(status, phase=phase, opens_at=own.opens_at, draw=own.draw, lines=lines)


def position_of(status: StatusReply, index: int | None) -> int | None:
    """The position of an arrival index; None until the draw has been made."""
    if index is None or status.draw.seed is None or status.draw.entrants is None:
        return None
    draw, later = status.draw, status.draw.later
    ended = Later(later.first, later.borders, later.seed) if later else None
    return order_of(draw.seed, draw.entrants, draw.windows or (), ended).position(index)


def standing(
    status: StatusReply, index: int | None, *, has_pass: bool, is_turn_over: bool, is_full: bool = False
) -> Standing:
    """Where somebody stands who came in at an index, or has no place (None)."""
    position, line = position_of(status, index), status.lines["public"]
    ahead = None if position is None else line.ahead_of(position)
    is_called = position is not None and position < line.now_serving

    def name() -> str:
        if status.phase in ENDED and not has_pass:
            return status.phase
        if has_pass:
            return "shopping"
        if is_turn_over:
            return "turn_over"
        if status.phase == "over" and not is_called:
            return "line_over"
        if index is None:
            return "scheduled" if status.phase == "scheduled" else "joinable"
        if position is None:
            return "gathered"
        if status.phase == "paused":
            return "paused"
        if is_called:
            return "full" if is_full else "turn"
        return "waiting" if status.phase == "open" else "gathered"

    return Standing(name(), index, position, ahead)


def _step(round_: Callable[[float], int], minutes: float) -> int:
    """Minutes in steps that promise no more than is known: single ones, fives, quarters, then whole hours."""
    step = 1 if minutes < 10 else 5 if minutes < 60 else 15 if minutes < 180 else 60
    return round_(minutes / step) * step


def wait_band(ahead: int, line: LineReply) -> "tuple[int, int | None] | None":
    """How long the wait will be, in minutes, the most None where nobody can tell; None while nothing can be said.

    The published pace is what the house means to do, what was seen is what it did: the band covers both, and is the
    wider the shorter the line was watched.
    """
    seen = line.measured
    slower, faster = sorted((line.per_minute, seen.per_minute if seen else line.per_minute))
    if ahead <= 0 or faster <= 0:
        return None
    doubt = 0.15 + 0.6 / (1 + (seen.minutes if seen else 0))
    least = _step(math.floor, ahead / faster / (1 + doubt))
    if slower <= 0:
        return max(1, least), None
    return least, max(_step(math.ceil, ahead / slower * (1 + doubt)), least + 1)


def pace(line: LineReply) -> int:
    """The people let in a minute, as seen for at least a minute, else as published."""
    seen = line.measured
    return math.floor((seen.per_minute if seen and seen.minutes >= 1 else line.per_minute) + 0.5)


def say_wait(ahead: int, line: LineReply, words: Words) -> str:
    """The expected wait in words."""
    band = wait_band(ahead, line)
    if ahead == 0:
        return words.say("any_moment")
    if band is None:
        return words.say("wait_unknown")
    least, most = band
    if most is None:
        return words.say("minutes_at_least", n=least)
    if most <= 1:
        return words.say("about_a_minute")
    if least >= 120:
        return words.say("hours_range", **{"from": least // 60, "to": -(-most // 60)})
    return words.say("minutes_range", **{"from": least, "to": most})


def poll_after_ms(poll: "tuple[PollStep, ...]", ahead: int) -> int:
    """The published interval for someone with so many ahead: the last entry that is not beyond them."""
    return [step.after_ms for step in poll if step.ahead <= ahead][-1]


def refresh_s(status: StatusReply, found: Standing, on_sale: OnSale, chance: float) -> int:
    """After how many seconds the page asks for itself again; 0: it does not, there is something to be done or to read.

    `chance`: 0 to 1, so that a crowd does not breathe in step. Before a start it is aimed at just behind it.
    """
    if found.name not in {*KEEPING, "scheduled"}:
        return 0
    line, now_ms = status.lines["public"], from_rfc3339(status.server_time)
    ahead = found.ahead if found.ahead is not None else line.waiting
    next_ms = on_sale.prequeue_at_ms if found.name == "scheduled" else from_rfc3339(status.opens_at)
    until_ms = next_ms - now_ms
    is_ending = status.poll[-1].after_ms <= END_POLL_MS
    least_ms = NEXT_REFRESH_MS if found.ahead == 0 else END_REFRESH_MS if is_ending else LEAST_REFRESH_MS
    after_ms: float = max(least_ms, poll_after_ms(status.poll, ahead))
    if status.phase in BEFORE:
        after_ms = max(after_ms, min(LONGEST_REFRESH_MS, until_ms / 10))
    after_ms *= 0.75 + chance / 2
    if 0 < until_ms < after_ms:
        after_ms = until_ms + 300 + chance * OPENING_SPREAD_MS
    return math.ceil(after_ms / 1000)


def facts_of(status: StatusReply, found: Standing, on_sale: OnSale, words: Words) -> "list[tuple[str, str]]":
    """What there is to tell: label and value."""
    line, name = status.lines["public"], found.name
    facts: list[tuple[str, str]] = []
    if name == "scheduled":
        facts.append((words.say("queue_opens"), words.moment(on_sale.prequeue_at_ms)))
    if status.phase in BEFORE:
        facts.append((words.say("sales_start"), words.moment(from_rfc3339(status.opens_at))))
        if name == "gathered" and found.index is not None:
            facts.append((words.say("arrived_as"), words.number(found.index + 1)))
        if line.joined:
            facts.append((words.say("people_waiting"), words.number(line.joined)))
    if found.ahead is not None and name in {"waiting", "paused"}:
        facts.append((words.say("ahead_of_you"), words.number(found.ahead)))
        is_paused = name == "paused"
        wait = words.say("wait_unknown_paused") if is_paused else say_wait(found.ahead, line, words)
        facts.append((words.say("expected_wait"), wait))
        if pace(line) > 0 and not is_paused:
            facts.append((words.say("pace"), words.say("pace_is", n=pace(line))))
    return facts


def next_of(status: StatusReply, found: Standing, on_sale: OnSale, words: Words) -> "list[str]":
    """What happens next, in sentences."""
    name = found.name
    times = {
        "turn": words.span(on_sale.turn_seconds),
        "pass": words.span(on_sale.pass_seconds),
        "hold": words.span(on_sale.hold_seconds),
    }
    opens = words.hour(from_rfc3339(status.opens_at))
    is_open = name == "joinable" and status.phase not in BEFORE
    is_undrawn = name in {"scheduled", "joinable", "gathered"}
    window = status.draw.rule.window_seconds if status.draw.rule and is_undrawn else 0
    kind = "_windows" if window else "_open" if is_open else ""
    said = [words.say(f"next.{name}{kind}", time=opens, **times)]
    if window:
        said.append(words.say("windows", window=words.span(window)))
    if name in KEEPING:
        said.append(words.say("turn_kept", **times))
    if name == "sold_out" and found.index is not None:
        said.append(words.say("sold_out_keep"))
    return said
