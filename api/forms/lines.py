"""The queues of an on-sale beside everybody's, without JavaScript: joined by a code; and which is one's own."""

from typing import Final

import msgspec

from api.forms.door import Visit
from api.forms.situation import standing
from api.forms.words import Words
from api.wire_status import StatusReply
from engine.catalogue import PUBLIC_LINE, Line, OnSale

JOINED: Final = frozenset({"prequeue", "open", "paused"})


class Lines(msgspec.Struct, frozen=True):
    """`open`: they may be joined now. `told`: a sentence each on until when, from when on, or that it is over."""

    open: list[Line]
    told: list[str]


def lines_of(status: StatusReply, on_sale: OnSale, own: str, words: Words) -> Lines | None:
    """What there is to join by code; None where there is no line but the public one.

    `own`: the line in whose place the status was seen.
    """
    if not on_sale.lines:
        return None
    lines, told = [], []
    for each in on_sale.lines:
        phase = status.phase if each.line == own else status.lines[each.line].phase
        if phase in JOINED:
            lines.append(each)
        if phase == "scheduled":
            told.append(words.say("line.later", title=each.title, time=words.moment(each.opens_at_ms)))
        elif phase == "over":
            told.append(words.say("line.over", title=each.title))
        elif each.closes_at_ms:
            told.append(f"{each.title}. {words.say('line.until', time=words.moment(each.closes_at_ms))}")
    return Lines(lines, told)


def say_own(on_sale: OnSale, own: str, words: Words) -> str:
    """Which queue somebody stands in, and until when it calls; empty in the public one."""
    line = on_sale.line(own)
    if line is None:
        return ""
    until = words.say("line.until", time=words.moment(line.closes_at_ms)) if line.closes_at_ms else ""
    return f"{words.say('line.yours', title=line.title)} {until}".strip()


async def is_line_over(visit: Visit) -> bool:
    """Whether the visitor's own line has closed before it called them."""
    if visit.place is None or visit.place.line == PUBLIC_LINE:
        return False
    found = standing(await visit.status(), visit.place.index, has_pass=False, is_turn_over=False)
    return found.name == "line_over"
