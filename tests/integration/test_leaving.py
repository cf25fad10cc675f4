"""A visitor who leaves the page lets go soon; whoever comes back in time has what they had."""

import asyncio

import msgspec
import pytest

from engine import seats
from engine.cell import Cell
from engine.errors import Refused
from engine.instants import from_rfc3339, now_ms
from tests.backstage import Backstage
from tests.plain import PlainVisitor, room
from tests.town import Answer, Sale, Town


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


async def say(sale: Sale, token: str, at: int, *, leaving: bool) -> Answer:
    return await sale.post(f"/on-sales/{sale.on_sale}/presence", {"leaving": leaving, "at": at}, token=token)


async def renew(sale: Sale, place: str, secret: str, token: str) -> Answer:
    return await sale.post(f"/on-sales/{sale.on_sale}/passes", {"place": place, "secret": secret, "renews": token})


async def test_a_full_house_lets_the_next_one_in_after_somebody_left_who_held_nothing(town: Town) -> None:
    async with await town.open_sale("zuid", cap=1, grace_seconds=600) as sale:
        first, second = await sale.join(), await sale.join()
        token = await sale.pass_for(*first)
        assert (await sale.claim(*second)).slug in {"full", "not-yet-served"}
        left = await say(sale, token, 10, leaving=True)
        assert left.status == 200
        assert from_rfc3339(left.json["expires_at"]) <= now_ms() + 1_000
        theirs = await sale.pass_for(*second)
        assert (await sale.hold(token, "zaal-A-1")).slug == "pass-ended"
        assert (await say(sale, token, 11, leaving=False)).slug == "pass-ended"
        # Who is back later keeps the turn, before a full house as well, and waits for a slot like anybody.
        assert (await renew(sale, *first, token)).slug == "full"
        assert (await say(sale, theirs, 10, leaving=True)).status == 200
        for _ in range(200):
            if (back := await renew(sale, *first, token)).status == 201:
                break
            assert back.slug == "full"
            await asyncio.sleep(0.05)
        assert (await sale.hold(back.json["pass"], "zaal-A-1")).status == 201


async def test_who_is_back_in_time_keeps_the_slot_and_a_pass_left_for_another_device_gives_none_back(
    town: Town,
) -> None:
    async with await town.open_sale("noord", cap=1) as sale, await town.open_sale("noord") as other:
        place, secret = await sale.join()
        token = await sale.pass_for(place, secret)
        gone = await say(sale, token, 10, leaving=True)
        assert gone.json["expires_at"] < sale.expires_at(token)
        assert (await say(sale, token, 5, leaving=False)).json == gone.json, "it was said before"
        assert (await say(sale, token, 11, leaving=False)).json == {"expires_at": sale.expires_at(token)}
        newest = await sale.pass_for(place, secret)
        moved = await say(sale, token, 12, leaving=True)
        assert (moved.status, moved.slug) == (409, "moved-elsewhere")
        assert (await say(sale, newest, 1, leaving=False)).json == {"expires_at": sale.expires_at(newest)}
        path = f"/on-sales/{sale.on_sale}/presence"
        for wrong in ({}, {"leaving": True}, {"leaving": 1, "at": 1}, {"leaving": True, "at": -1}):
            assert (await sale.post(path, wrong, token=newest)).status == 400
        assert (await sale.post(path, {"leaving": True, "at": 99}, token=newest, key=None)).status == 400
        assert (await say(sale, await other.enter(), 99, leaving=True)).slug == "not-your-place"
        assert (await say(sale, newest[:-4] + "AAAA", 99, leaving=True)).slug == "forged-token"
        assert (await sale.hold(newest, "zaal-A-1")).status == 201


async def test_who_leaves_without_javascript_makes_room_too(town: Town) -> None:
    async with (
        await town.open_sale("zuid", cap=1, hold_seconds=600) as sale,
        PlainVisitor(town.url) as visitor,
    ):
        page = await visitor.send(await visitor.comes_in(sale), "Find the best seats")
        second = await sale.join()
        assert (await sale.claim(*second)).slug in {"full", "not-yet-served"}
        page = await visitor.send(await visitor.open(page.link("let the next visitor in")), "Leave the queue")
        assert page.path == room(sale)
        token = await sale.pass_for(*second)
        for _ in range(200):
            if (held := await sale.hold(token, "zaal-A-5", "zaal-A-6")).status == 201:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(held.json)
