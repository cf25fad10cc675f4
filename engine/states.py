"""What performances are as a whole, read at one moment or told to their history. Beside `lua/seats/state.lua`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from engine.cell import Cell, broken
from engine.errors import Refused
from engine.history import RESTORE, State, Told
from engine.keys import Keys
from engine.library import assemble
from engine.one_plan import of_one_plan
from engine.words import HoldId, PerformanceId

if TYPE_CHECKING:
    from redis.asyncio import Redis


@of_one_plan
async def read_state(cell: Cell, performance: PerformanceId) -> State:
    """A performance at one moment. Raises `Refused` (`unknown-performance`), `CellUnavailable`'s kind."""
    reply = await cell.read("seats/state", (cell.hall_keys(performance)[0], cell.keys.outbox, cell.keys.recorded))
    match reply[0]:
        case b"state":
            seats, areas = msgspec.msgpack.decode(reply[2], type=tuple[list[int | str], list[int | str]])
            told = Told(reply[1].decode(), 0, 0, 0, 0, RESTORE, "", HoldId(""), seats, areas)
            rows = {block: letters for block, _, _, letters in told.runs()}
            return State(told.entry, rows, {area: (open_, sold) for area, open_, sold in told.places()})
        case b"unknown_performance":
            raise Refused("unknown-performance", "there is no such performance here")
    raise broken("seats/state", reply)


async def restate(redis: "Redis", keys: Keys, performances: Iterable[str], epoch: int) -> None:
    """Has performances told as a whole, by their keys: from there on their history goes on. With the owner's rights.

    Where the cell has another epoch by now, whoever gave it that does the same.
    """
    function = assemble().functions["seats/restate"]
    for key in performances:
        await redis.execute_command("FCALL", function, 3, keys.cell, keys.outbox, key, epoch)


async def performances_in(redis: "Redis", keys: Keys) -> list[str]:
    """The keys of all performances that a house's Redis knows. With the owner's rights."""
    pattern = keys.performance(PerformanceId("*"))[0]
    return sorted([key.decode() async for key in redis.scan_iter(match=pattern, count=1_000, _type="HASH")])
