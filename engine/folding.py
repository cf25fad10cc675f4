"""Folding ahead: while the outbox is long, the trees over entrants grow in Redis by what is not recorded yet.

Opening a sale then waits for no slow ledger: a draw reads what came since, and not all that Postgres has not taken. The
ledger's own trees know nothing of it; they are made of what is recorded, and soon the same. What is kept stands beside
the outbox entry through which it was folded: it can be thrown away at any time, and is, once recording has passed it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from redis.exceptions import RedisError

from engine.cell import pack
from engine.checkpoints import read_lists
from engine.errors import BrokenContract
from engine.keys import Keys
from engine.ledger.entrants import LineKey
from engine.library import assemble
from engine.tree import decode_frontier, encode_frontier

if TYPE_CHECKING:
    from redis.asyncio import Redis

FOLDED_FROM: Final = 2_000
"""So long an outbox is read by the draw itself in no time."""
PAGE: Final = 2_000
LOOK_SECONDS: Final = 0.5
Joins = dict[LineKey, list[tuple[int, str]]]
"""By line: index and secret hash of who joined, in the order of the outbox."""


def _joins(raw: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> Joins:
    """Who joined what, of a page of the outbox. What is none as it should be the writer will bury."""
    joins: Joins = {}
    for _, fields in raw:
        with contextlib.suppress(KeyError, ValueError):
            if fields[b"kind"] == b"join":
                entrant = int(fields[b"index"]), fields[b"secret_hash"].decode()
                joins.setdefault((fields[b"on_sale"].decode(), fields[b"line"].decode()), []).append(entrant)
    return joins


def as_raw(data: bytes) -> msgspec.Raw:
    """Bytes for `cell.pack`, at most 65,535 of them: the msgpack of Redis has one kind for them and for text."""
    return msgspec.Raw(b"\xda" + len(data).to_bytes(2, "big") + data)


async def look_again_and_again(look: Callable[[], Awaitable[None]], seconds: float, stop: asyncio.Event) -> None:
    """Looks every so many seconds, until `stop`; a Redis that is away is looked for again."""
    while not stop.is_set():
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await look()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


class Folder:
    """Folds the outbox of one house. `redis` has the owner's rights."""

    def __init__(self, redis: "Redis", keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; while Redis is away, whoever records says so."""
        await look_again_and_again(self.look, LOOK_SECONDS, stop)

    async def look(self) -> None:
        """Folds all that a long outbox has; leaves alone what will be recorded in a moment. Raises `RedisError`."""
        if await self._redis.xlen(self._keys.outbox) > FOLDED_FROM:
            while await self._fold_page():
                pass

    async def _fold_page(self) -> bool:
        """Folds the next page. Answers whether there may be another."""
        redis, keys = self._redis, self._keys
        through: Any = await redis.hget(keys.folded, "through")
        after = (through or b"").decode()
        async with redis.pipeline(transaction=True) as pipeline:
            pipeline.hget(keys.cell, "epoch")
            pipeline.xrange(keys.outbox, min=f"({after}" if after else "-", count=PAGE)
            epoch, raw = await pipeline.execute()
        if not raw:
            return False
        # What lay before this page and is there no more is in the tree as it is recorded: so that is read after it.
        joins = _joins(raw)
        lists = await read_lists(redis, keys, joins) if joins else {}
        known: list[Any] = await redis.hmget(keys.folded, ["through", *map("/".join, joins)])
        grown: list[str | msgspec.Raw] = []
        for (line, entrants), ahead in zip(joins.items(), known[1:], strict=True):
            recorded, end = lists[line]
            tree = max(recorded, decode_frontier(ahead), key=lambda each: each.count)
            reach, before = entrants[-1][0] + 1, tree.count
            await asyncio.to_thread(tree.fold, entrants, reach if end is None else min(reach, end))
            if tree.count > before:
                grown += ["/".join(line), as_raw(encode_frontier(tree))]
        function = assemble().functions["waiting_room/fold"]
        reply = await redis.execute_command(
            "FCALL", function, 2, keys.cell, keys.folded, int(epoch or 0), after, raw[-1][0], pack(grown)
        )
        match reply[0]:
            case b"folded":
                return len(raw) == PAGE
            case b"outrun" | b"fenced":
                return False
        raise BrokenContract(f"waiting_room/fold answered {reply!r}")
