"""A draw is made by whoever comes by first, out of what Redis alone knows, whatever has become of the rest."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine import drawing, verifier, waiting_room
from engine.catalogue import OnSale
from engine.cell import Cell
from engine.draw import ALGORITHM, PERMUTATION, Draw, decode, encode
from engine.drawing import Drawn, make_draw, transcript_of
from engine.errors import Refused
from engine.ledger.entrants import entrants_between
from engine.tree import Frontier
from engine.waiting_room import PUBLIC, hash_secret
from tests.backstage import Backstage, until
from tests.integration.test_recovery import go_back, keep, recover

AHEAD_MS = 10**13


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


async def queue(stage: Backstage, count: int, **changed: Any) -> tuple[OnSale, list[tuple[str, str]]]:
    """An on-sale that opens much later, and so many who wait for it."""
    on_sale = await stage.put_on(opens_at_ms=AHEAD_MS, **changed)
    return on_sale, await stage.join(on_sale, count)


def root_over(places: Sequence[tuple[str, str]], *gone: int) -> str:
    tree = Frontier()
    hashes = ((index, hash_secret(secret)) for index, (_, secret) in enumerate(places) if index not in gone)
    tree.fold(hashes, len(places))
    return encode(tree.root())


async def check(stage: Backstage, on_sale: OnSale, root: str, entrants: int) -> Drawn:
    """The draw has been made over this list; once all of it is recorded anybody can check it."""
    draw = (await stage.status(on_sale)).draw
    assert (draw.algorithm, draw.entrants, draw.root) == (ALGORITHM, entrants, root)
    await stage.drain()
    told = transcript_of(stage.slug, on_sale, PUBLIC, draw)
    told["secret_hashes"] = await entrants_between(stage.ledger, (on_sale.on_sale, PUBLIC), 0, entrants)
    assert verifier.faults(verifier.read(msgspec.json.encode(told))) == []
    made = Draw(decode(draw.seed), entrants)
    assert sorted(made.positions()) == list(range(entrants))
    return draw


@pytest.mark.parametrize("recorded", [0, 1, 5, 12])
@pytest.mark.parametrize("page", [1, 4, 2_000])
async def test_what_is_recorded_and_what_is_not_are_one_list(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch, recorded: int, page: int
) -> None:
    """Also where Postgres was away all the while, and the outbox has them all, on many pages."""
    monkeypatch.setattr(drawing, "ENTRIES_A_PAGE", page)
    on_sale, places = await queue(stage, recorded)
    await stage.drain()
    places += await stage.join(on_sale, 12 - recorded)
    await stage.tell(on_sale, "open")
    await stage.join(on_sale, 3)
    await check(stage, on_sale, root_over(places), 12)


@pytest.mark.parametrize("count", [0, 1, 2])
async def test_few_or_none_are_drawn_too(stage: Backstage, count: int) -> None:
    on_sale, places = await queue(stage, count)
    await stage.tell(on_sale, "open")
    await check(stage, on_sale, root_over(places), count)


async def test_a_writer_that_records_and_trims_between_two_pages_takes_nobody_out_of_the_draw(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "ENTRIES_A_PAGE", 3)
    on_sale, places = await queue(stage, 20)
    await stage.tell(on_sale, "open")
    pages, read = 0, Cell.read

    async def read_and_record(cell: Cell, operation: str, *rest: Any) -> Any:
        nonlocal pages
        reply = await read(cell, operation, *rest)
        if operation == "waiting_room/tail":
            pages += 1
            if pages == 2:
                entries: Any = stage.redis.xrange(stage.keys.outbox, count=10)
                await stage.new_writer(len(entries)).drain()
                await stage.join(on_sale, 2)
        return reply

    monkeypatch.setattr(Cell, "read", read_and_record)
    await check(stage, on_sale, root_over(places), 20)
    assert pages > 2


async def test_all_who_make_it_at_once_make_the_same(stage: Backstage) -> None:
    on_sale, places = await queue(stage, 8)
    others = [Cell(stage.house) for _ in range(4)]
    await asyncio.gather(*(other.look() for other in others))
    await stage.tell(on_sale, "open")
    try:
        await asyncio.gather(*(make_draw(other, on_sale.on_sale, PUBLIC) for other in others for _ in range(3)))
    finally:
        await asyncio.gather(*(other.close() for other in others))
    await check(stage, on_sale, root_over(places), 8)


async def test_an_index_that_nobody_has_is_drawn_as_nobody(stage: Backstage) -> None:
    on_sale, places = await queue(stage, 6)
    await stage.drain()
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "joined", 9)  # as a recovery leaps
    places += [("", ""), ("", ""), ("", "")] + await stage.join(on_sale, 1)
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "joined", 12)
    places += [("", ""), ("", "")]
    await stage.tell(on_sale, "open")
    await check(stage, on_sale, root_over(places, 6, 7, 8, 10, 11), 12)


async def test_nothing_secret_is_told_before_the_start(stage: Backstage) -> None:
    on_sale, places = await queue(stage, 3)
    secret = [msgspec.json.decode(each.body) for each in await stage.ledger.documents() if each.kind == "on_sale"]
    draw = (await stage.status(on_sale)).draw
    assert (draw.entrants, draw.secret, draw.seed, draw.root) == (-1, "", "", "")
    with pytest.raises(Refused, match="not your turn"):
        await waiting_room.admit(stage.cell, on_sale, *places[0], "key")
    await stage.tell(on_sale, "open")
    draw = await check(stage, on_sale, root_over(places), 3)
    assert draw.secret == secret[0]["seed"]


async def test_who_is_called_before_the_draw_is_due_keeps_the_turn(stage: Backstage) -> None:
    on_sale, places = await queue(stage, 3)
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "draw_after_ms", 60_000)
    await stage.tell(on_sale, "open")
    assert not (await stage.status(on_sale)).draw.is_made
    with pytest.raises(Refused) as refused:
        await waiting_room.admit(stage.cell, on_sale, *places[0], "key")
    assert refused.value.slug == "not-yet-served"
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "draw_after_ms", 0)

    async def are_all_called() -> bool:
        return (await stage.status(on_sale)).now_serving == 3

    await until(are_all_called, "all are called")
    await waiting_room.admit(stage.cell, on_sale, *places[0], "key")


async def test_a_draw_stays_what_it_was_after_the_loss_of_redis(stage: Backstage) -> None:
    on_sale, places = await queue(stage, 9)
    await stage.tell(on_sale, "open")
    before = await check(stage, on_sale, root_over(places), 9)
    await keep(stage)
    go_back(stage, None)
    await recover(stage)
    assert (await stage.status(on_sale)).draw == before


async def test_a_list_that_was_lost_half_way_is_drawn_as_far_as_it_is_recorded(stage: Backstage) -> None:
    on_sale, places = await queue(stage, 9)
    await stage.drain()
    await stage.join(on_sale, 2)
    await keep(stage)
    go_back(stage, None)
    await recover(stage)
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "joined", 11)
    await stage.tell(on_sale, "open")
    await check(stage, on_sale, root_over([*places, ("", ""), ("", "")], 9, 10), 11)


async def test_a_sale_that_an_earlier_release_put_up_is_drawn_as_it_published(stage: Backstage) -> None:
    on_sale, _ = await queue(stage, 5)
    stage.redis.hdel(stage.keys.sale(on_sale.on_sale), "draw", "draw_after_ms")
    assert (await stage.status(on_sale)).draw.algorithm == PERMUTATION
    await stage.tell(on_sale, "open")
    draw = (await stage.status(on_sale)).draw
    assert (draw.entrants, draw.root) == (5, "")
    assert Draw(decode(draw.seed), 5).position(0) in range(5)
