"""A draw, for whoever wants to check it: its transcript, and the path of one entrant."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from api.hot import Answer, Call, Header, hot
from api.wire import DrawPathReply, DrawReply, TranscriptReply
from engine import waiting_room
from engine.catalogue import PUBLIC_LINE, OnSale
from engine.draw import encode
from engine.drawing import Drawn, told_of, transcript_of
from engine.errors import Refused
from engine.ledger.entrants import entrants_between
from engine.ledger.ledger import Ledger
from engine.paths import Paths
from engine.tree import CHUNK
from engine.words import LineName

ROWS_A_TIME: Final = 8 * CHUNK
READERS: Final = 4
"""So many read a whole list at a time, of one house in one process."""
LONGEST_INDEX: Final = 12
DRAWN_CACHE: Final[Header] = (b"cache-control", b"public, max-age=300")
_reading: Final[dict[str, int]] = {}


def draw_reply(on_sale: OnSale, draw: Drawn, line: LineName = waiting_room.PUBLIC) -> DrawReply:
    """What is public of a line's draw at this moment."""
    return msgspec.convert(told_of(on_sale, draw, line), DrawReply)


async def _made(call: Call) -> tuple[OnSale, Drawn, Ledger, Paths]:
    """A draw with a tree, its ledger and its paths. Raises `Refused` (`draw-not-made`)."""
    on_sale = call.cell.on_sale(call.parameters["on_sale"])
    draw = (await waiting_room.drawn_status(call.cell, on_sale.on_sale)).draw
    if not draw.root:
        raise Refused("draw-not-made", "the draw of this sale has not been made")
    state, slug = call.scope["litestar_app"].state, call.cell.house.slug
    return on_sale, draw, state.ledgers[slug], state.paths[slug]


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
    if _reading.get(slug, 0) >= READERS:
        raise Refused("house-busy", "others are reading a whole list just now", retry_after_s=5)
    on_sale, draw, ledger, paths = await _made(call)
    line = on_sale.on_sale, PUBLIC_LINE
    await paths.roots(line, draw.entrants, draw.root)  # nothing is sent that would not belong to the root
    told = transcript_of(slug, on_sale, waiting_room.PUBLIC, draw)
    begin = msgspec.json.encode(told)[:-1] + b',"secret_hashes":['

    async def rest() -> AsyncIterator[bytes]:
        _reading[slug] = _reading.get(slug, 0) + 1
        try:
            for first in range(0, draw.entrants, ROWS_A_TIME):
                found = await entrants_between(ledger, line, first, min(draw.entrants, first + ROWS_A_TIME))
                yield (b"," if first else b"") + msgspec.json.encode(found)[1:-1]
            yield b"]}"
        finally:
            _reading[slug] -= 1

    return Answer(200, begin, [DRAWN_CACHE], rest=rest())


@hot(
    "GET",
    "/on-sales/{on_sale:str}/draw/paths/{index:str}",
    summary="The way from one entrant up to the root of a draw",
    answers={200: DrawPathReply},
    is_public=True,
)
async def read_path(call: Call) -> Answer:
    """What a visitor needs to see that they were in the draw: with their own secret hash, nobody else can tell."""
    on_sale, draw, _, paths = await _made(call)
    text = call.parameters["index"]
    index = int(text) if text.isdecimal() and text.isascii() and len(text) <= LONGEST_INDEX else draw.entrants
    if index >= draw.entrants:
        raise Refused("not-found", "nobody with this index was in the draw")
    beside = await paths.path((on_sale.on_sale, PUBLIC_LINE), draw.entrants, draw.root, index)
    reply = DrawPathReply(index=index, entrants=draw.entrants, root=draw.root, path=tuple(map(encode, beside)))
    return Answer(200, msgspec.json.encode(reply), [DRAWN_CACHE])
