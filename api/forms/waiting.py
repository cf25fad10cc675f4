"""The waiting room without JavaScript: where one stands, come in, leave; joining it is beside, in `joining.py`."""

import random
from contextlib import suppress
from typing import Final

import msgspec

from api.forms.door import IN_LINE, MOVED, Visit, pages, policy_of
from api.forms.frame import explain
from api.forms.kept import former_pass, fresh
from api.forms.lines import lines_of, say_own
from api.forms.outlook import outlook_of
from api.forms.returning import origin_of
from api.forms.situation import ACTIONS, BEFORE, ENDED, IN_TURN, KEEPING, facts_of, next_of, refresh_s, standing
from api.hot import Answer
from engine import presence, seats, waiting_room
from engine.catalogue import PUBLIC_LINE
from engine.errors import CellUnavailable, ForgedToken, Refused
from engine.instants import from_rfc3339, now_ms

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
    action, own_line = ACTIONS.get(found.name, ""), visit.place.line if visit.place else PUBLIC_LINE
    beside = "" if own_line == PUBLIC_LINE else f"/lines/{own_line}"
    is_still, is_over = visit.query.get("still") == "1", status.phase in ENDED
    pause_s = refresh_s(status, found, on_sale, random.random())
    performances = [visit.cell.performance(name) for name in on_sale.performances]
    return visit.show(
        "waiting.html",
        refresh_s=0 if is_still else pause_s,
        action=action,
        enters="return.enter" if visit.back else "do.enter",
        draw=status.draw,
        transcript=f"/v1/houses/{visit.cell.house.slug}/on-sales/{on_sale.on_sale}{beside}/draw",
        how_it_went=visit.frame.link(f"{visit.room.removesuffix('/plain')}/summary") if is_over else "",
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
        lines=lines_of(status, on_sale, own_line, words) if not visit.place or action == "again" else None,
        message=status.message or "",
        next=next_of(status, found, on_sale, words),
        notice=visit.frame.look.words.get(words.language, {}).get("own.line", ""),
        on_sale=on_sale,
        pause_s=pause_s,
        own_line=say_own(on_sale, own_line, words) if found.name in KEEPING | IN_TURN else "",
        outlook=outlook_of(status, found, words),
        performances=performances,
        policies=[(name, policy_of(visit, name)) for name in POLICIES],
        said=explain(words, problem) if problem and problem not in SAID_BY_ITSELF else "",
        seats_open=status.seats_open if found.name in {"waiting", "paused"} else {},
        way_back=visit.way_back,
        seen_at=words.second(from_rfc3339(status.server_time)),
    )


async def enter(visit: Visit) -> Answer:
    """The turn is claimed, or renewed; who cannot come in yet goes on waiting."""
    kept = visit.kept
    is_longer = bool(visit.fields.get("more_time"))
    key = f"enter {kept.made} {kept.order} {kept.pass_ends_at_ms}{' longer' if is_longer else ''}"
    try:
        admitted = await waiting_room.admit(
            visit.cell,
            visit.on_sale,
            kept.place,
            kept.secret,
            visit.cell.signer.derive(key, kept.secret),
            renews=former_pass(visit.cell, visit.place, kept) if visit.place else "",
            is_longer=is_longer,
        )
    except Refused as refusal:
        if refusal.slug in {"turn-over", "stay-over"}:
            visit.keep(is_turn_over=True)
        return visit.go(problem=refusal.slug)
    visit.keep(pass_=admitted.token, pass_ends_at_ms=admitted.expires_at_ms)
    return await visit.go_back() if visit.back else visit.go("/seats")


async def go_back(visit: Visit) -> Answer:
    """To the house's own website, with what lets the visitor in there, made this very moment."""
    if not visit.way_back:
        return visit.go()
    try:
        return await visit.go_back()
    except Refused as refusal:
        return visit.step_aside(refusal.slug)


async def ask_to_leave(visit: Visit) -> Answer:
    """Whether they really want to: a number is lost for good."""
    if visit.place is None:
        return visit.go()
    return visit.show("leave.html", on_sale=visit.on_sale)


async def _make_room(visit: Visit) -> None:
    """Whoever was inside lets go of what they hold and of their slot, unless another device of theirs goes on."""
    if not visit.kept.pass_:
        return
    cell, at_ms = visit.cell, now_ms()
    try:
        await presence.leave(cell, visit.on_sale.on_sale, visit.kept.pass_, at_ms, is_leaving=True)
    except Refused as refusal:
        if refusal.slug == MOVED:
            return
    for each in visit.basket(await visit.status()):
        with suppress(Refused):
            await seats.leave(cell, each.hold, at_ms, is_leaving=True)


async def leave(visit: Visit) -> Answer:
    """The place is forgotten; an order is not."""
    with suppress(ForgedToken, CellUnavailable):  # what cannot be told ends by itself
        await _make_room(visit)
    visit.kept = msgspec.structs.replace(fresh(), order=visit.kept.order, order_secret=visit.kept.order_secret)
    return visit.go()


pages("", "plain_waiting", show=show_room)
pages("/enter", "plain_enter", act=enter, needs=IN_LINE)
pages("/back", "plain_back", show=go_back)
pages("/leave", "plain_leave", show=ask_to_leave, act=leave, needs=IN_LINE)
