"""Codes of a house, and what it needs to know who asks for a number's worth: for its manager."""

from typing import Any, Final

import msgspec
from litestar import Request, get

from api.guards import allows, caller_of, change, changing
from api.manage_wire import Text
from api.wire import Reply
from api.wire import Request as Body
from engine import codes
from engine.catalogue import CodeBatch
from engine.codes import NewBatch
from engine.contacts import contact_secret
from engine.instants import to_rfc3339
from engine.numbers import number_secret
from engine.words import PerformanceId

Call = Request[Any, Any, Any]


class CodesRequest(Body, frozen=True):
    """Codes to be made: `codes` by name, or a `count` of them to be made up. `uses`: seats that one is good for.

    `price_type`: what it unlocks; empty where it only says who somebody is. `performances`: none: all of the house.
    `on_sale`, `line`: the line that it opens instead, where each code gives one place.
    """

    batch: str
    title: str
    codes: tuple[str, ...] = ()
    count: int = 0
    uses: int = 1
    price_type: str = ""
    performances: tuple[PerformanceId, ...] = ()
    on_sale: str = ""
    line: str = ""
    reason: Text = "set up"


class ReasonRequest(Body, frozen=True):
    """Why."""

    reason: Text


class CodesReply(Reply, frozen=True):
    """A batch: how many codes, for how many seats each, and for how many they are used now. `codes`: what is typed,
    only in the answer that made them.
    """

    batch: str
    title: str
    count: int
    uses: int
    used: int
    price_type: str
    performances: tuple[PerformanceId, ...]
    created_at: str
    disabled: bool
    on_sale: str = ""
    line: str = ""
    codes: tuple[str, ...] = ()


class BatchesReply(Reply, frozen=True, omit_defaults=False):
    """Every batch."""

    batches: tuple[CodesReply, ...]


class NumberSecretReply(Reply, frozen=True, omit_defaults=False):
    """What questions about numbers are signed with (Standard Webhooks)."""

    secret: str


def _reply(batch: CodeBatch, used: int, texts: tuple[str, ...] = ()) -> CodesReply:
    return CodesReply(
        batch=batch.batch,
        title=batch.title,
        count=len(batch.codes),
        uses=batch.uses,
        used=used,
        price_type=batch.price_type,
        performances=batch.performances,
        created_at=to_rfc3339(batch.created_at_ms),
        disabled=batch.is_disabled,
        on_sale=batch.on_sale,
        line=batch.line,
        codes=texts,
    )


@change("/codes", "Make a batch of codes; they are shown in this answer alone", status_code=201)
async def create_codes(request: Call, data: CodesRequest) -> CodesReply:
    """The batch with its codes."""
    caller = await changing(request)
    fields = msgspec.structs.asdict(data)
    new = NewBatch(**{name: value for name, value in fields.items() if name != "reason"})
    batch, texts = await codes.add_codes(caller.cell, caller.ledger, new, caller.change(data.reason))
    return _reply(batch, await codes.uses(caller.cell, batch), texts)


@get("/codes", guards=[allows()], summary="The house's batches of codes, and how often they are used")
async def list_codes(request: Call) -> BatchesReply:
    """Every batch, without its codes."""
    cell = caller_of(request).cell
    found = [_reply(batch, await codes.uses(cell, batch)) for batch in cell.catalogue.code_batches.values()]
    return BatchesReply(batches=tuple(found))


@change("/codes/{batch:str}/disable", "End a batch: its codes unlock nothing more; what was sold by them stays")
async def disable_codes(request: Call, batch: str, data: ReasonRequest) -> CodesReply:
    """The batch, disabled."""
    caller = await changing(request)
    found = await codes.disable_codes(caller.cell, caller.ledger, batch, caller.change(data.reason))
    return _reply(found, await codes.uses(caller.cell, found))


@get("/number-secret", guards=[allows()], summary="What questions about numbers are signed with")
async def read_number_secret(request: Call) -> NumberSecretReply:
    """The secret; it is derived from the house's key, and stays the same."""
    return NumberSecretReply(secret=number_secret(caller_of(request).cell.signer))


@get("/contact-secret", guards=[allows()], summary="What requests to send somebody a code are signed with")
async def read_contact_secret(request: Call) -> NumberSecretReply:
    """The secret, as Standard Webhooks writes it."""
    return NumberSecretReply(secret=contact_secret(caller_of(request).cell.signer))


CODES: Final = (create_codes, list_codes, disable_codes, read_number_secret, read_contact_secret)
