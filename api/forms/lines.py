"""The queues of an on-sale beside everybody's, without JavaScript: joined by a code; and which is one's own."""

from typing import Final

import msgspec

from api.forms.door import Visit
from api.forms.situation import standing
from api.forms.words import Words
from api.hot import Answer
from api.wire import StatusReply
from engine import repeats, waiting_room
from engine.catalogue import PUBLIC_LINE, Line, OnSale
from engine.errors import Refused
from engine.line_codes import CODE_KEPT_SECONDS, check_code
from engine.waiting_room import Admissible

JOINED: Final = frozenset({"prequeue", "open", "paused"})


class Lines(msgspec.Struct, frozen=True):
    """`open`: they may be joined now. `told`: a sentence each on until when, from when on, or that it is over."""

    open: list[Line]
    told: list[str]


def lines_of(status: StatusReply, on_sale: OnSale, own: str, words: Words) -> Lines | None:
    """What there is to join by code; None where there is no line but the public one.

    `own`: the line in whose place the status was seen. Where each has one place, whose it is to be comes first.
    """
    if not on_sale.lines or on_sale.one_place_per:
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


async def join_by_code(visit: Visit, line: str, text: str) -> Answer:
    """A place in a line beside the public one: its code shows enough, so that nobody waits before."""
    cell, on_sale, secret = visit.cell, visit.on_sale, visit.kept.secret
    if on_sale.one_place_per:
        return visit.go("/contact")
    try:
        code, until_ms = check_code(cell, on_sale, line, text)
        who = Admissible(CODE_KEPT_SECONDS, line=line, code=code, code_until_ms=until_ms)
        key = cell.signer.derive(f"join {line}", secret)
        ledger = visit.call.scope["litestar_app"].state.ledgers[cell.house.slug]
        joined = await repeats.join(cell, ledger, on_sale, waiting_room.hash_secret(secret), key, who, 0)
    except Refused as refusal:
        if refusal.slug == "queue-full":
            raise
        return visit.go(problem=refusal.slug)
    visit.keep(place=joined.place)
    return visit.go()
