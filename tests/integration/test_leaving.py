"""A visitor who leaves the page lets go soon; whoever comes back in time has what they had."""

import asyncio

import msgspec
import pytest

from engine import seats
from engine.cell import Cell
from engine.errors import Refused
from tests.backstage import Backstage
from tests.town import Town


async def test_what_was_left_is_open_after_its_moment_and_what_was_not_is_kept(stage: Backstage) -> None:
    await stage.open()
    on_sale = await stage.put_on()
    limits = msgspec.structs.replace(stage.house.limits, leave_grace_seconds=1)
    cell = Cell(msgspec.structs.replace(stage.house, limits=limits))
    await cell.look()
    left, stays = await stage.hold(on_sale, "zaal-A-1"), await stage.hold(on_sale, "zaal-A-2")
    for held in (left, stays):
        assert await seats.leave(cell, held.hold, 1, is_leaving=True) < held.expires_at_ms
    assert await seats.leave(cell, stays.hold, 2, is_leaving=False) == stays.expires_at_ms
    await asyncio.sleep(1.1)
    again = await stage.hold(on_sale, "zaal-A-1", who="key:other")
    with pytest.raises(Refused, match="a moment sooner"):
        await stage.hold(on_sale, "zaal-A-2", who="key:other")
    with pytest.raises(Refused) as refusal:
        await seats.leave(cell, left.hold, 3, is_leaving=False)
    assert refusal.value.slug == "hold-ended"
    await stage.confirm(again)
    await stage.confirm(stays)
    await cell.close()
    assert await stage.sold(on_sale) == {"zaal-A-1", "zaal-A-2"}


async def test_leaving_over_http(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=600) as sale:
        token, other = await sale.enter(), await sale.enter()
        held = (await sale.hold(token, "zaal-A-1")).json
        path = f"/holds/{held['hold']}/presence"
        gone = await sale.post(path, {"leaving": True, "at": 10}, token=token)
        assert gone.status == 200
        assert gone.json["expires_at"] < held["expires_at"]
        assert (await sale.post(path, {"leaving": False, "at": 5}, token=token)).json == gone.json
        back = await sale.post(path, {"leaving": False, "at": 11}, token=token)
        assert back.json["expires_at"] == held["expires_at"]
        assert (await sale.post(path, {"leaving": True, "at": 12}, token=other)).slug == "unknown-hold"
        for wrong in ({}, {"leaving": True}, {"leaving": 1, "at": 1}, {"leaving": True, "at": -1}):
            assert (await sale.post(path, wrong, token=token)).status == 400
