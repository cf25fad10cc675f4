"""The trees over entrants, between the ledger, which grows them, and Redis, where a draw needs them without Postgres.

A line's tree is in Redis before the outbox is trimmed: what it has not got, the outbox still has.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from engine.errors import BrokenContract
from engine.keys import Keys
from engine.ledger.entrants import LineKey, Lists, catch_up
from engine.ledger.ledger import Ledger
from engine.library import assemble
from engine.of_line import of_line
from engine.tree import Frontier, decode_frontier, encode_frontier
from engine.words import LineName, OnSaleId

if TYPE_CHECKING:
    from redis.asyncio import Redis


def end_of(fields: Mapping[str, str], line: str) -> "int | None":
    """How many entrants are in a line's draw, by an on-sale's fields; None while more may join it."""
    is_fixed = int(fields.get(of_line("mark_at_ms", line)) or 0) > 0
    return int(fields.get(of_line("entrants", line)) or 0) if is_fixed else None


async def read_lists(redis: "Redis", keys: Keys, lines: Iterable[LineKey]) -> Lists:
    """What Redis knows of lines. It must have been asked after the entries were read: their draws are fixed by then."""
    asked = list(lines)
    async with redis.pipeline(transaction=False) as pipeline:
        for on_sale, line in asked:
            pipeline.get(keys.frontier(OnSaleId(on_sale), LineName(line)))
            pipeline.hmget(keys.sale(OnSaleId(on_sale)), [of_line("mark_at_ms", line), of_line("entrants", line)])
        found = await pipeline.execute()
    lists = {}
    for place, (on_sale, line) in enumerate(asked):
        mark, entrants = (value.decode() if value else "" for value in found[2 * place + 1])
        fields = {of_line("mark_at_ms", line): mark, of_line("entrants", line): entrants}
        lists[on_sale, line] = decode_frontier(found[2 * place]), end_of(fields, line)
    return lists


async def checkpoint(redis: "Redis", keys: Keys, trees: Mapping[LineKey, Frontier], epoch: int) -> bool:
    """Keeps trees in Redis, where they are not further already. Answers whether that cell is still at this epoch."""
    function = assemble().functions["waiting_room/checkpoint"]
    async with redis.pipeline(transaction=False) as pipeline:
        for (on_sale, line), tree in trees.items():
            key = keys.frontier(OnSaleId(on_sale), LineName(line))
            pipeline.execute_command("FCALL", function, 2, keys.cell, key, epoch, encode_frontier(tree))
        replies = await pipeline.execute()
    words = {reply[0] for reply in replies}
    if words - {b"kept", b"fenced"}:
        raise BrokenContract(f"waiting_room/checkpoint answered {words!r}")
    return b"fenced" not in words


async def restore_trees(
    redis: "Redis", keys: Keys, ledger: Ledger, on_sale: OnSaleId, lines: Iterable[str], epoch: int
) -> None:
    """For a cell that recovers: makes the trees of draws that are still to be made as far as entrants are recorded.

    Raises `LedgerUnavailable`, `RedisError`.
    """
    waiting = [line for line in lines if not await redis.hexists(keys.sale(on_sale), of_line("root", line))]
    lists = await read_lists(redis, keys, [(on_sale, line) for line in waiting])
    trees = {line: await catch_up(ledger, line, known, end) for line, (known, end) in lists.items()}
    await checkpoint(redis, keys, trees, epoch)
