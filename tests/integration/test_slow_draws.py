"""While a draw is being made, which may take its time, everybody is told that it is not made yet, and nobody waits."""

import asyncio
from typing import Any

import msgspec
import pytest

from api.boards import Boards
from engine import waiting_room
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.errors import CellTimedOut, Refused
from engine.waiting_room import PUBLIC
from tests.backstage import LONGEST_SECONDS, Backstage

AHEAD_MS = 10**13


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


class SlowTail:
    """What a draw is made of is read only once it `may` be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may, self.asked = asyncio.Event(), 0
        read = Cell.read

        async def wait(cell: Cell, operation: str, *rest: Any) -> Any:
            if operation == "waiting_room/tail":
                self.asked += 1
                await self.may.wait()
            return await read(cell, operation, *rest)

        monkeypatch.setattr(Cell, "read", wait)


@pytest.fixture
def tail(monkeypatch: pytest.MonkeyPatch) -> SlowTail:
    return SlowTail(monkeypatch)


async def told(boards: Boards, on_sale: OnSale) -> Any:
    """The public status, which nobody waits for."""
    async with asyncio.timeout(LONGEST_SECONDS):
        return msgspec.json.decode((await boards._status(on_sale.on_sale)).body)


async def test_a_status_and_a_claim_do_not_wait_for_a_draw(stage: Backstage, tail: SlowTail) -> None:
    on_sale = await stage.put_on(opens_at_ms=AHEAD_MS)
    places = await stage.join(on_sale, 3)
    await stage.tell(on_sale, "open")
    boards = Boards(stage.cell)
    for _ in range(3):
        draw = (await told(boards, on_sale))["draw"]
        assert draw["entrants"] == 3
        assert not draw.keys() & {"seed", "secret", "root"}
        async with asyncio.timeout(LONGEST_SECONDS):
            with pytest.raises(Refused, match="being drawn") as refused:
                await waiting_room.admit(stage.cell, on_sale, *places[0], "key")
        assert refused.value.slug == "not-yet-served"
        assert refused.value.facts == {"now_serving": 0, "retry_after_s": 1}
        assert waiting_room.position(stage.cell, on_sale.on_sale, 0) is None
    assert tail.asked == 1, "it is made once, however many ask"
    tail.may.set()
    assert (await stage.status(on_sale)).draw.is_made
    assert (await told(boards, on_sale))["draw"].keys() >= {"seed", "secret", "root"}
    await waiting_room.admit(stage.cell, on_sale, *places[0], "key")


async def test_a_keeper_looks_after_everything_else_while_a_draw_is_made(stage: Backstage, tail: SlowTail) -> None:
    drawn = await stage.put_on(opens_at_ms=AHEAD_MS)
    await stage.tell(drawn, "open")
    other = await stage.put_on(opens_at_ms=AHEAD_MS)
    await stage.keeper.cell.look()
    async with asyncio.timeout(LONGEST_SECONDS):
        await stage.keeper._sweep()
        await stage.keeper._standings.keep()
    kept = [row[0] for row in await stage.rows("SELECT on_sale FROM standings")]
    assert sorted(kept) == sorted([drawn.on_sale, other.on_sale])
    assert tail.asked == 1
    tail.may.set()


async def test_a_draw_that_failed_is_made_by_whoever_comes_next(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sale = await stage.put_on(opens_at_ms=AHEAD_MS)
    await stage.join(on_sale, 2)
    await stage.tell(on_sale, "open")
    read = Cell.read

    async def fails(cell: Cell, operation: str, *rest: Any) -> Any:
        if operation == "waiting_room/tail":
            raise CellTimedOut
        return await read(cell, operation, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Cell, "read", fails)
        assert not (await stage.status(on_sale)).draw.is_made
    assert (await stage.status(on_sale)).draw.is_made
    assert (on_sale.on_sale, PUBLIC) not in stage.cell.making
