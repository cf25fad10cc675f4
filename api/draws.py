"""A draw, for whoever wants to check it: its transcript, and the path of one entrant."""

import re
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Final

import msgspec

from api.hot import Answer, Call, Header, hot
from api.neighbours import client_address, network_of
from api.wire_status import (
    CommitmentReply,
    DrawPathReply,
    DrawReply,
    RevealedReply,
    SignedReply,
    StatementRequest,
    TranscriptReply,
)
from engine import contributions, waiting_room
from engine.catalogue import PUBLIC_LINE, OnSale
from engine.draw import encode
from engine.drawing import Drawn, told_of, transcript_of
from engine.errors import Refused
from engine.instants import now_ms, to_rfc3339
from engine.ledger.entrants import entrants_between
from engine.ledger.ledger import Ledger
from engine.ledger.statements import KNOWN_SECONDS, Signed
from engine.paths import Paths
from engine.statements import NeighbourKeys, Statement
from engine.tree import CHUNK
from engine.words import HouseSlug, LineName, OnSaleId, is_slug

ROWS_A_TIME: Final = 8 * CHUNK
READERS: Final = 8
"""So many read a whole list at a time, of one house in one process."""
READERS_OF_A_NETWORK: Final = 2
REMEMBERED: Final = 256
LONGEST_INDEX: Final = 12
DRAWN_CACHE: Final[Header] = (b"cache-control", b"public, max-age=300")
INSTANT: Final = re.compile(r"[1-9][0-9]{0,13}")
SIGNED_CACHE: Final[Header] = (b"cache-control", f"public, max-age={KNOWN_SECONDS:.0f}".encode())
NOT_KEPT: Final[Header] = (b"cache-control", b"no-store")
_reading: Final[Counter[tuple[str, str]]] = Counter()
"""By house, and the network that they come from."""
_neighbour_keys: Final[dict[str, NeighbourKeys]] = {}
_statement_decoder: Final = msgspec.json.Decoder(StatementRequest)


def draw_reply(on_sale: OnSale, draw: Drawn, line: LineName = waiting_room.PUBLIC, now_serving: int = 0) -> DrawReply:
    """What is public of a line's draw at this moment. `now_serving`: see `told_of`."""
    return msgspec.convert(told_of(on_sale, draw, line, now_serving), DrawReply)


class _Made(msgspec.Struct, frozen=True):
    """A draw with a tree, and where its entrants are."""

    on_sale: OnSale
    line: LineName
    draw: Drawn
    ledger: Ledger
    paths: Paths


async def _made(call: Call) -> _Made:
    """The draw of a line. Raises `Refused` (`unknown-line`, `draw-not-made`)."""
    on_sale, line = call.cell.on_sale(call.parameters["on_sale"]), call.parameters.get("line", PUBLIC_LINE)
    state, slug = call.scope["litestar_app"].state, call.cell.house.slug
    ledger, paths = state.ledgers[slug], state.paths[slug]
    key = call.cell.stored_epoch, on_sale.on_sale, line
    if key in paths.made:
        return _Made(on_sale, LineName(line), paths.made[key], ledger, paths)
    now = await waiting_room.drawn_status(call.cell, on_sale.on_sale)
    found = next((each for each in now.all_lines if each.line == line), None)
    if found is None:
        raise Refused("unknown-line", "this on-sale has no such queue")
    if not found.draw.root:
        raise Refused("draw-not-made", "the draw of this sale has not been made")
    if len(paths.made) >= REMEMBERED:
        paths.made.clear()
    paths.made[key] = found.draw
    return _Made(on_sale, found.line, found.draw, ledger, paths)


@hot(
    "GET",
    "/on-sales/{on_sale:str}/lines/{line:str}/draw",
    summary="The same of the draw of another line",
    answers={200: TranscriptReply},
    is_public=True,
)
@hot(
    "GET",
    "/on-sales/{on_sale:str}/draw",
    summary="The whole transcript of a draw, for `parvis draw verify`",
    answers={200: TranscriptReply},
    is_public=True,
)
async def read_draw(call: Call) -> Answer:
    """The transcript, with everybody who was in it: a line may be long, and is sent in pieces."""
    slug = call.cell.house.slug
    made = await _made(call)
    draw, line = made.draw, (made.on_sale.on_sale, made.line)
    await made.paths.check(line, draw)  # nothing is sent that would not belong to the root
    reader = slug, network_of(client_address(call.scope))
    readers = sum(count for (house, _), count in _reading.items() if house == slug)
    if readers >= READERS or _reading[reader] >= READERS_OF_A_NETWORK:
        raise Refused("house-busy", "others are reading a whole list just now", retry_after_s=5)
    told = transcript_of(slug, made.on_sale, made.line, draw)

    async def pieces() -> AsyncGenerator[bytes]:
        _reading[reader] += 1
        try:
            yield msgspec.json.encode(told)[:-1] + b',"secret_hashes":['
            for first in range(0, draw.entrants, ROWS_A_TIME):
                found = await entrants_between(made.ledger, line, first, min(draw.entrants, first + ROWS_A_TIME))
                yield (b"," if first else b"") + msgspec.json.encode(found)[1:-1]
            yield b"]}"
        finally:
            _reading[reader] -= 1
            if not _reading[reader]:
                del _reading[reader]

    rest = pieces()
    begin = await anext(rest)  # begun here, whoever reads is counted before anybody else can ask
    return Answer(200, begin, [DRAWN_CACHE], rest=rest)


@hot(
    "GET",
    "/on-sales/{on_sale:str}/lines/{line:str}/draw/paths/{index:str}",
    summary="The same of the draw of another line",
    answers={200: DrawPathReply},
    is_public=True,
)
@hot(
    "GET",
    "/on-sales/{on_sale:str}/draw/paths/{index:str}",
    summary="The way from one entrant up to the root of a draw",
    answers={200: DrawPathReply},
    is_public=True,
)
async def read_path(call: Call) -> Answer:
    """What a visitor needs to see that they were in the draw: with their own secret hash, nobody else can tell."""
    made = await _made(call)
    draw, text = made.draw, call.parameters["index"]
    index = int(text) if text.isdecimal() and text.isascii() and len(text) <= LONGEST_INDEX else draw.entrants
    if index >= draw.entrants:
        raise Refused("not-found", "nobody with this index was in the draw")
    beside = await made.paths.path((made.on_sale.on_sale, made.line), draw, index)
    reply = DrawPathReply(index=index, entrants=draw.entrants, root=draw.root, path=tuple(map(encode, beside)))
    return Answer(200, msgspec.json.encode(reply), [DRAWN_CACHE])


@hot(
    "GET",
    "/draw-contributions/{other:str}/{on_sale:str}/{line:str}/{planned:str}",
    summary="To what this house commits itself for the draw of another house of the network",
    answers={200: CommitmentReply},
)
async def read_contribution(call: Call) -> Answer:
    """What it is to is revealed to the house whose draw it is; that it was, and for which list, everybody may know."""
    of = _asked_of(call)
    found, signed = contributions.committed_by(call.cell.signer, *of), None
    if of[-1] <= now_ms():
        known: Signed = call.scope["litestar_app"].state.signed[call.cell.house.slug]
        signed = await known.find(of)
    reply = CommitmentReply(commitment=found, signed=None if signed is None else _signed_reply(*signed))
    return Answer(200, msgspec.json.encode(reply), [SIGNED_CACHE])


def _signed_reply(told: str, at: datetime) -> SignedReply:
    entrants, root, bound = told.split(" ")
    instant = to_rfc3339(int(at.timestamp() * 1000))
    return SignedReply(entrants=int(entrants), root=root, bound=bound, at=instant)


@hot(
    "POST",
    "/draw-contributions/{other:str}/{on_sale:str}/{line:str}/{planned:str}/reveal",
    summary="What it contributes itself, for a list that the other house has signed: one list a draw",
    answers={200: RevealedReply},
    request=StatementRequest,
)
async def reveal_contribution(call: Call) -> Answer:
    """From the planned start on, and for one list only: who knows it can choose no other entrants."""
    call.idempotency_key()
    of = _asked_of(call)
    said = await call.body(_statement_decoder)
    told = Statement(*of, said.entrants, said.root, said.bound)
    keys = _neighbour_keys.setdefault(call.cell.house.slug, NeighbourKeys())
    found = await contributions.reveal(call.cell, call.ledger, keys, told, said.signature)
    reply = RevealedReply(secret=found.secret, signature=found.signature)
    return Answer(200, msgspec.json.encode(reply), [NOT_KEPT])


def _asked_of(call: Call) -> tuple[HouseSlug, OnSaleId, LineName, int]:
    """The draw of another house that the path names. Raises `Refused`."""
    other, on_sale, line, planned = (call.parameters[name] for name in ("other", "on_sale", "line", "planned"))
    is_asked_well = is_slug(on_sale) and is_slug(line) and INSTANT.fullmatch(planned) is not None
    if not is_asked_well or other not in {each.slug for each in call.cell.house.neighbours}:
        raise Refused("not-found", "there is no such draw in this network")
    return HouseSlug(other), OnSaleId(on_sale), LineName(line), int(planned)
