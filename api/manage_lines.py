"""What a house's manager sees and makes of an on-sale's lines."""

from typing import Any

from litestar import Request

from api.guards import caller_of, change, changing
from api.manage_wire import InvitationReply, InvitationsReply, InvitationsRequest, LineCounters, LineRequest
from engine.catalogue import Line, OnSale
from engine.instants import from_rfc3339, to_rfc3339
from engine.line_codes import invitations, link_of
from engine.waiting_room import Status

Call = Request[Any, Any, Any]


def line_of(asked: LineRequest) -> Line:
    """A line as it is declared. Raises `BadInput`."""
    return Line(
        line=asked.line,
        title=asked.title,
        by=asked.by,
        share_percent=asked.share_percent,
        opens_at_ms=from_rfc3339(asked.opens_at),
        closes_at_ms=from_rfc3339(asked.closes_at) if asked.closes_at else 0,
    )


def line_counters(on_sale: OnSale, now: Status) -> tuple[LineCounters, ...]:
    """Every line beside the public one, as it stands."""
    declared = {line.line: line for line in on_sale.lines}
    return tuple(
        LineCounters(
            line=line.line,
            title=declared[line.line].title,
            by=declared[line.line].by,
            share_percent=line.share,
            phase=line.phase,
            opens_at=to_rfc3339(line.opens_at_ms),
            closes_at=to_rfc3339(line.closes_at_ms) if line.closes_at_ms else None,
            joined=line.joined,
            entrants=line.draw.entrants if line.draw.is_closed else None,
            now_serving=line.now_serving,
            waiting=line.waiting,
        )
        for line in now.lines
        if line.line in declared
    )


@change("/on-sales/{on_sale:str}/lines/{line:str}/invitations", "Make signed invitations to a queue", status_code=201)
async def make_invitations(request: Call, on_sale: str, line: str, data: InvitationsRequest) -> InvitationsReply:
    """The invitations of these numbers; made again they are the same."""
    caller = caller_of(request)
    known = caller.cell.on_sale(on_sale)
    numbers = range(data.first, data.first + data.count)
    until_ms = from_rfc3339(data.until) if data.until else 0
    made = invitations(caller.cell, known, line, numbers, until_ms)
    await changing(request)
    slug = caller.cell.house.slug
    return InvitationsReply(
        line=line,
        invitations=tuple(
            InvitationReply(number, code, link_of(slug, known.on_sale, line, code))
            for number, code in zip(numbers, made, strict=True)
        ),
    )
