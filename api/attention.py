"""What a person of the house has to look at: alarms, and money that has to go back."""

from typing import Any, Final

from litestar import Request, get

from api.guards import Limit, allows, caller_of, change, changing
from api.manage_wire import Text
from api.wire import Reply
from api.wire import Request as Body
from engine.errors import Refused
from engine.ledger import attention
from engine.ledger.attention import Alarm, Refund

Call = Request[Any, Any, Any]


class AlarmsReply(Reply, frozen=True, omit_defaults=False):
    """Alarms, the newest first."""

    alarms: tuple[Alarm, ...]


class RefundsReply(Reply, frozen=True, omit_defaults=False):
    """Money that has to go back, what has waited longest first."""

    refunds: tuple[Refund, ...]


class SeenRequest(Body, frozen=True):
    """Why nothing more has to be done about an alarm."""

    reason: Text


class RefundedRequest(Body, frozen=True):
    """Which money went back: one refund's, by its id; or all that was due of a payment, by provider and reference."""

    reason: Text
    refund: int | None = None
    provider: Text | None = None
    reference: Text | None = None


@get("/alarms", guards=[allows()], summary="What a person has to look at")
async def list_alarms(request: Call, limit: Limit = 100, seen: bool = False) -> AlarmsReply:
    """Unseen alarms; with `seen`, all."""
    return AlarmsReply(alarms=tuple(await attention.alarms(caller_of(request).ledger, limit, with_seen=seen)))


@change("/alarms/{alarm:int}/seen", "Note that an alarm has been seen to")
async def see_alarm(request: Call, alarm: int, data: SeenRequest) -> AlarmsReply:
    """What is left. Seeing one twice is harmless."""
    caller = await changing(request)
    if alarm >= 2**63:
        raise Refused("not-found", "there is no such alarm here")
    await attention.see(caller.ledger, alarm, caller.change("").who, data.reason)
    return AlarmsReply(alarms=tuple(await attention.alarms(caller.ledger, 100)))


@get("/refunds", guards=[allows("orders:read")], summary="Money that has to go back")
async def list_refunds(request: Call, limit: Limit = 100, done: bool = False) -> RefundsReply:
    """What is still due; with `done`, all."""
    return RefundsReply(refunds=tuple(await attention.refunds(caller_of(request).ledger, limit, with_done=done)))


@change("/refunds/paid", "Note that money went back: of one refund, or of a payment")
async def mark_refunded(request: Call, data: RefundedRequest) -> RefundsReply:
    """What is left. Saying it twice is harmless."""
    caller = await changing(request)
    who = caller.change("").who
    if data.refund is not None and not 0 < data.refund < 2**63:
        raise Refused("not-found", "there is no such refund here")
    if data.refund is not None and data.provider is None and data.reference is None:
        await attention.mark_paid(caller.ledger, data.refund, who, data.reason)
    elif data.refund is None and data.provider is not None and data.reference is not None:
        await attention.mark_refunded(caller.ledger, data.provider, data.reference, who, data.reason)
    else:
        raise Refused("bad-input", "either a refund is named, or a payment by its provider and reference")
    return RefundsReply(refunds=tuple(await attention.refunds(caller.ledger, 100)))


ATTENTION: Final = (list_alarms, see_alarm, list_refunds, mark_refunded)
