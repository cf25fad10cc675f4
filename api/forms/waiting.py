"""The waiting room without JavaScript: where one stands, join, come in, leave."""

import random
from contextlib import suppress
from typing import Final

import msgspec

from api.doorbell import Doorbell, read_wait
from api.forms.door import IN_LINE, Visit, pages
from api.forms.frame import explain
from api.forms.kept import Kept, fresh
from api.forms.outlook import outlook_of
from api.forms.returning import origin_of
from api.forms.situation import ACTIONS, BEFORE, KEEPING, facts_of, next_of, refresh_s, standing
from api.hot import Answer
from engine import waiting_room
from engine.catalogue import PUBLIC_LINE
from engine.errors import LedgerUnavailable, Refused
from engine.instants import from_rfc3339
from engine.pressure import Level
from engine.repeats import place_of
from engine.waiting_room import Admissible

FEW: Final = 3
"""So many performances stand above the queue; more would push it off the screen."""
SAID_BY_ITSELF: Final = frozenset({"full", "turn-over", "not-yet-served"})
"""Refusals that the page's situation tells of."""
POLICIES: Final = ("fees", "refunds", "delivery")


async def show_room(visit: Visit) -> Answer:
    """Where the visitor stands. It asks for itself again, unless `still` is asked for."""
    if visit.back == "":
        return visit.show("refused.html", on_sale=visit.on_sale)
    status, words, on_sale = await visit.status(), visit.words, visit.on_sale
    problem = visit.query.get("problem")
    found = standing(
        status,
        visit.place.index if visit.place else None,
        has_pass=visit.has_pass(status),
        is_turn_over=visit.kept.is_turn_over,
        is_full=problem == "full",
    )
    is_still = visit.query.get("still") == "1"
    pause_s = refresh_s(status, found, on_sale, random.random())
    performances = [visit.cell.performance(name) for name in on_sale.performances]
    own = visit.frame.look.words.get(words.language, {})
    policy = msgspec.structs.asdict(visit.cell.house.policy)
    return visit.show(
        "waiting.html",
        refresh_s=0 if is_still else pause_s,
        action=ACTIONS.get(found.name, ""),
        enters="return.enter" if visit.back else "do.enter",
        draw=status.draw,
        transcript=f"/v1/houses/{visit.cell.house.slug}/on-sales/{on_sale.on_sale}/draw",
        facts=facts_of(status, found, on_sale, words),
        found=found,
        halls={each.performance: visit.cell.catalogue.halls[each.hall].hall.name for each in performances},
        full="" if visit.place or visit.kept.order else visit.room.removesuffix("/plain"),
        has_order=bool(visit.kept.order),
        is_before=status.phase in BEFORE,
        is_few=len(performances) <= FEW,
        is_keeping=found.name in KEEPING,
        is_still=is_still,
        leads_to=origin_of(visit.back) if visit.back else "",
        message=status.message or "",
        next=next_of(status, found, on_sale, words),
        notice=own.get("own.line", ""),
        on_sale=on_sale,
        pause_s=pause_s,
        outlook=outlook_of(status, found, words),
        performances=performances,
        policies=[(name, own.get(f"own.{name}") or policy[name]) for name in POLICIES],
        said=explain(words, problem) if problem and problem not in SAID_BY_ITSELF else "",
        seats_open=status.seats_open if found.name in {"waiting", "paused"} else {},
        way_back=visit.way_back,
        seen_at=words.second(from_rfc3339(status.server_time)),
    )


def _anew(visit: Visit) -> Kept:
    """For whoever missed their turn: nothing of the old place, and a secret that a second press makes again."""
    kept = visit.kept
    secret = visit.cell.signer.derive("again", kept.secret)
    return Kept(secret=secret, order=kept.order, order_secret=kept.order_secret)


async def join(visit: Visit) -> Answer:
    """A place in the line. Pressed twice it is one place: the secret in the cookie is the same."""
    if visit.kept.is_turn_over:
        visit.kept, visit.place = _anew(visit), None
    if visit.place is None:
        secret_hash = waiting_room.hash_secret(visit.kept.secret)
        wait = Doorbell(visit.call.scope, visit.cell, visit.on_sale).wait(secret_hash)
        return visit.go("/join", wait=wait) if wait else await _join(visit, Admissible())
    return visit.go()


async def wait_to_join(visit: Visit) -> Answer:
    """So long everybody waits who cannot show a proof of work; then they have joined. The page goes on by itself.

    It is asked for, and changes something: a wait is signed for one secret, and joining twice is joining once.
    """
    if visit.place is not None or not visit.has_cookie:
        return visit.go()
    secret_hash = waiting_room.hash_secret(visit.kept.secret)
    try:
        rest_s, kept_s = read_wait(visit.cell, visit.on_sale, secret_hash, visit.query.get("wait"))
    except Refused as refusal:
        return visit.go(problem=refusal.slug)
    if not rest_s:
        visit.cell.shed(Level.JOINS)
        return await _join(visit, Admissible(kept_s))
    again = visit.frame.link(f"{visit.room}/join", wait=visit.query.get("wait"))
    return visit.show("wait.html", refresh_s=rest_s, on_sale=visit.on_sale, rest_s=rest_s, again=again)


async def _place_before(visit: Visit, secret_hash: str) -> waiting_room.Joined | None:
    """The place that this secret has already, as far as anybody knows: a form does not say when it was sent first."""
    ledger = visit.call.scope["litestar_app"].state.ledgers[visit.cell.house.slug]
    with suppress(LedgerUnavailable, Refused):
        return await place_of(visit.cell, ledger, visit.on_sale.on_sale, PUBLIC_LINE, secret_hash, 0)
    return None


async def _join(visit: Visit, who: Admissible) -> Answer:
    if visit.place is None:
        signer, secret = visit.cell.signer, visit.kept.secret
        secret_hash = waiting_room.hash_secret(secret)
        try:
            joined = await _place_before(visit, secret_hash) or await waiting_room.join(
                visit.cell, visit.on_sale, secret_hash, signer.derive("join", secret), who
            )
        except Refused as refusal:
            if refusal.slug == "queue-full":
                raise
            return visit.go(problem=refusal.slug)
        visit.keep(place=joined.place)
    status = await visit.status()
    rests = status.phase == "open" and status.safety_net is not None and not status.safety_net.is_active
    return await enter(visit) if rests else visit.go()


async def enter(visit: Visit) -> Answer:
    """The turn is claimed, or renewed; who cannot come in yet goes on waiting."""
    kept = visit.kept
    is_longer = bool(visit.fields.get("more_time"))
    key = f"enter {kept.made} {kept.order}{' longer' if is_longer else ''}"
    try:
        admitted = await waiting_room.admit(
            visit.cell,
            visit.on_sale,
            kept.place,
            kept.secret,
            visit.cell.signer.derive(key, kept.secret),
            is_longer=is_longer,
        )
    except Refused as refusal:
        if refusal.slug == "turn-over":
            visit.keep(is_turn_over=True)
        return visit.go(problem=refusal.slug)
    visit.keep(pass_=admitted.token, pass_ends_at_ms=admitted.expires_at_ms)
    return visit.go_back() if visit.back else visit.go("/seats")


async def ask_to_leave(visit: Visit) -> Answer:
    """Whether they really want to: a number is lost for good."""
    if visit.place is None:
        return visit.go()
    return visit.show("leave.html", on_sale=visit.on_sale)


async def leave(visit: Visit) -> Answer:
    """The place is forgotten; an order is not."""
    visit.kept = msgspec.structs.replace(fresh(), order=visit.kept.order, order_secret=visit.kept.order_secret)
    return visit.go()


pages("", "plain_waiting", show=show_room)
pages("/join", "plain_join", show=wait_to_join, act=join, sheds=Level.JOINS)
pages("/enter", "plain_enter", act=enter, needs=IN_LINE)
pages("/leave", "plain_leave", show=ask_to_leave, act=leave, needs=IN_LINE)
