"""How long a visitor without JavaScript may choose: by this pass, in all, and whether that can become more."""

import msgspec

from api.forms.door import Visit
from api.wire_status import StatusReply
from engine.errors import ForgedToken


class TimeInside(msgspec.Struct, frozen=True):
    """`ends_at_ms`: 0 where it is not their turn; `stay_ends_at_ms`: from then on they queue again, 0: never."""

    ends_at_ms: int
    stay_ends_at_ms: int
    may_ask_for_more: bool

    @property
    def is_last(self) -> bool:
        """Whether there is no more to be had."""
        return 0 < self.stay_ends_at_ms <= self.ends_at_ms and not self.may_ask_for_more


def time_inside(visit: Visit, status: StatusReply) -> TimeInside:
    """What there is to tell of it."""
    if not visit.has_pass(status):
        return TimeInside(0, 0, may_ask_for_more=False)
    ends_at_ms, gives_more = visit.kept.pass_ends_at_ms, visit.on_sale.more_time_percent > 0
    try:
        known = visit.cell.signer.read_pass(visit.kept.pass_)
    except ForgedToken:  # of keys that are gone; the way in is the way on
        return TimeInside(ends_at_ms, 0, may_ask_for_more=gives_more)
    is_at_end = 0 < known.stay_ends_at_ms <= ends_at_ms
    return TimeInside(
        ends_at_ms, known.stay_ends_at_ms, may_ask_for_more=gives_more and not (is_at_end and known.is_longer)
    )
