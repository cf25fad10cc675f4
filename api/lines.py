"""What the public status says of each line of an on-sale."""

from collections.abc import Mapping

from api.draws import draw_reply
from api.wire_house import DeclaredLine
from api.wire_status import LineReply, MeasuredReply
from engine.catalogue import PUBLIC_LINE, OnSale
from engine.instants import to_rfc3339
from engine.lines import paces
from engine.waiting_room import Status


def declared_lines(on_sale: OnSale) -> tuple[DeclaredLine, ...]:
    """The lines beside the public one, as they were declared."""
    return tuple(
        DeclaredLine(
            line=each.line,
            title=each.title,
            by=each.by,
            opens_at=to_rfc3339(each.opens_at_ms),
            closes_at=to_rfc3339(each.closes_at_ms) if each.closes_at_ms else None,
        )
        for each in on_sale.lines
    )


def line_replies(
    on_sale: OnSale, now: Status, served: Mapping[str, int], measured: Mapping[str, MeasuredReply | None]
) -> dict[str, LineReply]:
    """Every line by name. `served`: how far each is as it is written down, which never falls.

    `measured`: how fast each was seen to move.
    """
    pace = paces(now.all_lines, now.pace_per_minute)
    replies: dict[str, LineReply] = {}
    for line in reversed(now.all_lines):
        is_public = line.line == PUBLIC_LINE
        per_minute = pace[line.line] if now.lines else now.pace_per_minute
        replies[line.line] = LineReply(
            now_serving=served[line.line],
            joined=line.joined,
            per_minute=per_minute,
            measured=measured[line.line],
            leaps=line.leaps,
            phase=None if is_public else line.phase,
            prequeue_at=None if is_public else to_rfc3339(line.prequeue_at_ms),
            opens_at=None if is_public else to_rfc3339(line.opens_at_ms),
            closes_at=to_rfc3339(line.closes_at_ms) if line.closes_at_ms else None,
            draw=None if is_public else draw_reply(on_sale, line.draw, line.line, served[line.line]),
        )
    return replies
