"""Joining without JavaScript: the public queue, or another by a code.

Where many come a moment is waited first; where each person has one place, whose it is to be is shown next. A code is
kept meanwhile in the visitor's cookie: it is typed once, and stands in no address.
"""

from contextlib import suppress
from typing import Any, Final

from api.contacts import confirm, send_code
from api.doorbell import Doorbell, person_for, read_wait
from api.forms.door import Visit, pages
from api.forms.frame import explain
from api.forms.kept import Kept
from api.forms.lines import is_line_over
from api.forms.waiting import enter
from api.hot import Answer
from engine import repeats, waiting_room
from engine.catalogue import PUBLIC_LINE
from engine.errors import BadInput, Refused
from engine.line_codes import CODE_KEPT_SECONDS, check_code
from engine.pressure import Level
from engine.waiting_room import REPEAT_SECONDS, Admissible

LONGEST_CODE: Final = 1_000
LONGEST_PAUSE_SECONDS: Final = 60
"""A page that waits longer asks for itself again meanwhile: what it says of the wait stays true."""


def _anew(visit: Visit) -> Kept:
    """For whoever missed their turn: nothing of the old place, and a secret that a second press makes again."""
    kept = visit.kept
    secret = visit.cell.signer.derive("again", kept.secret)
    return Kept(secret=secret, order=kept.order, order_secret=kept.order_secret)


def _secret_hash(visit: Visit) -> str:
    return waiting_room.hash_secret(visit.kept.secret)


async def join(visit: Visit) -> Answer:
    """A place in a line. Pressed twice it is one place: the secret in the cookie is the same."""
    if visit.kept.is_turn_over or await is_line_over(visit):
        visit.kept, visit.place = _anew(visit), None
    if visit.place is not None:
        return await _arrive(visit)
    line = visit.fields.get("line")
    code = visit.fields.get("code") if line else ""
    if len(line) + len(code) > LONGEST_CODE:
        return visit.go(problem="unknown-code")
    visit.keep(line=line, code=code)
    return await _begin(visit)


def _waited(visit: Visit) -> "tuple[int, int] | None":
    """How many seconds the visitor's wait lasts still, and how long it counts; None without one that counts."""
    with suppress(Refused):
        return read_wait(visit.cell, visit.on_sale, _secret_hash(visit), visit.kept.wait)
    return None


async def _begin(visit: Visit, contact: str = "") -> Answer:
    """Goes on, or waits a moment before. `contact`: what shows an address to be theirs, where that is asked for."""
    if _waited(visit) is None:
        try:
            visit.keep(wait=Doorbell(visit.call.scope, visit.cell, visit.on_sale).wait(_secret_hash(visit)))
        except Refused as refusal:
            return visit.go(problem=refusal.slug)
    return visit.go("/join", contact=contact) if visit.kept.wait else await _go_on(visit, contact)


async def wait_to_join(visit: Visit) -> Answer:
    """So long everybody waits who cannot show a proof of work; then it goes on. The page does so by itself.

    It is asked for, and changes something: a wait is signed for one secret, and joining twice is joining once.
    """
    if visit.place is not None or not visit.kept.wait:
        return visit.go()
    waited, contact = _waited(visit), visit.query.get("contact")
    if waited is None:
        return visit.go(problem="proof-ended")
    rest_s, kept_s = waited
    if not rest_s:
        visit.cell.shed(Level.JOINS)
        return await _go_on(visit, contact, kept_s)
    again, pause_s = visit.frame.link(f"{visit.room}/join", contact=contact), min(rest_s, LONGEST_PAUSE_SECONDS)
    return visit.show("wait.html", refresh_s=pause_s, on_sale=visit.on_sale, rest_s=rest_s, again=again)


async def _go_on(visit: Visit, contact: str, kept_s: int = REPEAT_SECONDS) -> Answer:
    """Joins, where it is known whose place it is to be. `kept_s`: so long what was waited for that counts."""
    cell, on_sale, secret, line = visit.cell, visit.on_sale, visit.kept.secret, visit.kept.line or PUBLIC_LINE
    secret_hash = _secret_hash(visit)
    try:
        code, until_ms = ("", 0) if line == PUBLIC_LINE else check_code(cell, on_sale, line, visit.kept.code)
        if on_sale.one_place_per and not contact:
            return visit.go("/contact")
        person = person_for(cell, on_sale, secret_hash, contact)
        who = Admissible(CODE_KEPT_SECONDS if code else kept_s, person, line=line, code=code, code_until_ms=until_ms)
        key = cell.signer.derive("join" if line == PUBLIC_LINE else f"join {line}", secret)
        # A form does not say when it was sent first.
        joined = await repeats.join(cell, visit.call.ledger, on_sale, secret_hash, key, who, None)
    except Refused as refusal:
        if refusal.slug == "queue-full":
            raise
        return visit.go(problem=refusal.slug)
    visit.keep(place=joined.place, line="", code="", wait="")
    return await _arrive(visit)


async def _arrive(visit: Visit) -> Answer:
    """Whoever has a place sees where they stand; where the room does not show, they go straight in."""
    status = await visit.status()
    rests = status.phase == "open" and status.safety_net is not None and not status.safety_net.is_active
    return await enter(visit) if rests else visit.go()


async def ask_contact(visit: Visit) -> Answer:
    """Whose place it is to be."""
    if visit.place is not None or not visit.on_sale.one_place_per:
        return visit.go()
    return _contact_page(visit)


def _contact_page(visit: Visit, contact: str = "", said: str = "", **facts: Any) -> Answer:
    """The form for an address; with one, the form for the code that was sent there. It stands in no address of ours."""
    said, kind = explain(visit.words, said, facts) if said else "", visit.on_sale.one_place_per
    return visit.show("contact.html", on_sale=visit.on_sale, contact=contact, said=said, kind=kind)


async def show_contact(visit: Visit) -> Answer:
    """Has a code sent; or takes the one that came, and joins."""
    if visit.place is not None or not visit.on_sale.one_place_per:
        return visit.go()
    contact, code, waited = visit.fields.get("contact"), visit.fields.get("code"), _waited(visit)
    try:
        shown = confirm(visit.call, visit.on_sale, contact, _secret_hash(visit), code)[0] if code else ""
        # No code is sent, and nobody joins, before what is to be waited is over.
        if waited[0] if waited else Doorbell(visit.call.scope, visit.cell, visit.on_sale).asks:
            return await _begin(visit, shown)
        if shown:
            return await _go_on(visit, shown, waited[1] if waited else REPEAT_SECONDS)
        send_code(visit.call, visit.on_sale, contact, _secret_hash(visit), visit.words.language)
    except BadInput:
        return _contact_page(visit, "", f"contact-{visit.on_sale.one_place_per}-wrong")
    except Refused as refusal:
        return _contact_page(visit, contact if code else "", refusal.slug, **dict(refusal.facts))
    return _contact_page(visit, contact)


pages("/join", "plain_join", show=wait_to_join, act=join, sheds=Level.JOINS)
pages("/contact", "plain_contact", show=ask_contact, act=show_contact, sheds=Level.JOINS)
