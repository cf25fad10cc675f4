"""What a house sets aside, for its manager; and what a partner has left of its own."""

from typing import Any, Final

import msgspec
from litestar import Request, get

from api.codes import ReasonRequest
from api.guards import allows, caller_of, change, changing
from api.manage_wire import Text
from api.wire import Reply
from api.wire import Request as Body
from engine.allotments import Standing, Wanted, give_back, set_aside, standings
from engine.instants import from_rfc3339, to_rfc3339
from engine.words import AreaId, PerformanceId, SeatId

Call = Request[Any, Any, Any]


class AllotmentRequest(Body, frozen=True, rename={"for_": "for"}):
    """Seats by id, by a `seat_list` as a person writes it (`A1-A4, B7`; with the part of the hall: `Loge B1-6`), or by
    `quantity` (the best that are open, of a `category` or any), and places of areas by count.

    `purpose`: `block` (not for sale), `house` (for staff), `partner` (`for`: its key's id), `channel` (`for`: `counter`
    or `api`), `code` (`for`: a batch of codes: each is used up by every seat that is named with it, by what is taken of
    the allotment, and by its price). From `release_at` on what is left is everybody's.
    """

    performance: PerformanceId
    name: str
    purpose: str
    reason: Text
    for_: str = ""
    seats: tuple[SeatId, ...] = ()
    seat_list: str = ""
    areas: dict[AreaId, int] = msgspec.field(default_factory=dict)
    quantity: int = 0
    category: str = ""
    release_at: str = ""


class AllotmentReply(Reply, frozen=True, rename={"for_": "for"}):
    """What is set aside: by whom and why, and what is left of it."""

    performance: PerformanceId
    name: str
    purpose: str
    for_: str
    seats: tuple[SeatId, ...]
    areas: dict[AreaId, int]
    seats_left: tuple[SeatId, ...]
    places_left: dict[AreaId, int]
    by: str
    why: str
    release_at: str | None = None


class AllotmentsReply(Reply, frozen=True, omit_defaults=False):
    """All that is set aside of a performance."""

    allotments: tuple[AllotmentReply, ...]


def _reply(found: Standing) -> AllotmentReply:
    made = found.allotment
    return AllotmentReply(
        performance=made.performance,
        name=made.name,
        purpose=made.purpose,
        for_=made.for_,
        seats=made.seats,
        areas=made.areas,
        seats_left=found.seats,
        places_left=found.areas,
        by=made.who,
        why=made.why,
        release_at=to_rfc3339(made.release_at_ms) if made.release_at_ms else None,
    )


@change("/allotments", "Set seats and places aside, all of them or nothing", status_code=201)
async def create_allotment(request: Call, data: AllotmentRequest) -> AllotmentReply:
    """The allotment as it stands."""
    caller = await changing(request)
    fields = msgspec.structs.asdict(data)
    wanted = Wanted(
        **{name: value for name, value in fields.items() if name not in {"reason", "release_at"}},
        release_at_ms=from_rfc3339(data.release_at) if data.release_at else 0,
    )
    made = await set_aside(caller.cell, caller.ledger, wanted, caller.change(data.reason))
    found = await standings(caller.cell, caller.ledger, made.performance)
    return _reply(next((each for each in found if each.allotment.name == made.name), Standing(made, (), {})))


@get(
    "/performances/{performance:str}/allotments",
    guards=[allows("allotment", "counter")],
    summary="What is set aside of a performance",
)
async def list_allotments(request: Call, performance: str) -> AllotmentsReply:
    """Everything for the house's own; for a partner only what is its own."""
    caller = caller_of(request)
    own = caller.key.key_id if not {"manage", "counter"} & set(caller.key.scopes) else ""
    found = await standings(caller.cell, caller.ledger, PerformanceId(performance), own)
    return AllotmentsReply(allotments=tuple(map(_reply, found)))


@change(
    "/performances/{performance:str}/allotments/{allotment:str}/end", "Give back what is left of what was set aside"
)
async def end_allotment(request: Call, performance: str, allotment: str, data: ReasonRequest) -> AllotmentsReply:
    """What is still set aside of the performance."""
    caller = await changing(request)
    named = PerformanceId(performance)
    await give_back(caller.cell, caller.ledger, named, allotment, caller.change(data.reason))
    found = await standings(caller.cell, caller.ledger, named)
    return AllotmentsReply(allotments=tuple(map(_reply, found)))


ALLOTMENTS: Final = (create_allotment, list_allotments, end_allotment)
