"""Whoever phones, or comes to the counter, joins the line through staff: one line, one sequence of numbers."""

from typing import Any, Final

from litestar import Request

from api.guards import change, changing
from api.manage_wire import Text
from api.wire import Reply
from api.wire import Request as Body
from engine import repeats, waiting_room
from engine.catalogue import PUBLIC_LINE
from engine.entries import Action
from engine.instants import now_ms
from engine.waiting_room import Admissible, hash_secret

Call = Request[Any, Any, Any]


class StaffPlaceRequest(Body, frozen=True):
    """Somebody who phones or stands at the counter, and why they join through staff."""

    reason: Text


class StaffPlaceReply(Reply, frozen=True):
    """A place with its secret, for staff to go on with or to hand over; `position` once the draw is known.

    `page`: where whoever has both goes on with their own device; the place follows behind a `#`, as in a personal link.
    """

    place: str
    secret: str
    line: str
    index: int
    page: str
    position: int | None = None


@change(
    "/on-sales/{on_sale:str}/places",
    "Join the queue for somebody who phones or comes to the counter: behind everybody who came before",
    "counter",
    status_code=201,
)
async def join_for_somebody(request: Call, on_sale: str, data: StaffPlaceRequest) -> StaffPlaceReply:
    """The next place. Nothing else is asked for: staff vouch for whom they hear or see."""
    caller = await changing(request)
    cell = caller.cell
    found = cell.on_sale(on_sale)
    name = found.on_sale
    secret = cell.signer.derive("staff-place", caller.operation)
    by = Action(who=caller.change("").who, what="join", subject=name, why=data.reason, at_ms=now_ms())
    who = Admissible(by=by)
    joined = await repeats.join(cell, caller.ledger, found, hash_secret(secret), caller.operation, who, None)
    return StaffPlaceReply(
        place=joined.place,
        secret=secret,
        line=PUBLIC_LINE,
        index=joined.index,
        page=f"/h/{cell.house.slug}/{name}",
        position=waiting_room.position(cell, name, joined.index),
    )


COUNTER: Final = (join_for_somebody,)
