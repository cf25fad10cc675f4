"""What is in the outbox is folded ahead of the ledger, so that a draw reads little; it draws the same whatever dies."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine import checkpoints, drawing, folding
from engine.cell import Cell
from engine.draw import ALGORITHM
from engine.folding import Folder
from engine.ledger.entrants import frontiers
from engine.tree import Frontier, decode_frontier
from engine.waiting_room import PUBLIC
from tests.backstage import Backstage, until
from tests.integration.test_drawing import AHEAD_MS, check, queue, root_over
from tests.integration.test_entrants_tree import SALE, close_list, hash_of, join, kept, tree
from tests.integration.test_recovery import go_back, keep, keep_copy, recover
from tests.integration.test_writer import POINTS, dies_at, killed_writer, put_join


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "FOLDED_FROM", 0)
    monkeypatch.setattr(folding, "PAGE", 4)
    monkeypatch.setattr(drawing, "ENTRIES_A_PAGE", 3)


def folder(stage: Backstage) -> Folder:
    return Folder(stage.owner, stage.keys)


def folded(stage: Backstage, on_sale: str = SALE) -> Frontier:
    found: Any = stage.redis.hget(stage.keys.folded, f"{on_sale}/public")
    return decode_frontier(found)


async def read_for_draw(stage: Backstage, count: int) -> Frontier:
    """The tree as somebody would draw it who came by now."""
    key = stage.keys.sale(SALE)
    opened: dict[Any, Any] = {
        "phase": "open",
        "opens_at_ms": 1,
        "mark_at_ms": 1,
        "entrants": count,
        "draw": ALGORITHM,
        "seed": "s",
    }
    stage.redis.hset(key, mapping=opened)
    found = await drawing._read(stage.keeper.cell, SALE, PUBLIC)
    assert found is not None
    stage.redis.delete(key)
    return found[3]


async def test_it_folds_what_is_not_recorded_and_the_ledger_knows_nothing_of_it(stage: Backstage) -> None:
    join(stage, *range(13))
    join(stage, 0, 1, on_sale="other")
    await folder(stage).look()
    assert (folded(stage), folded(stage, "other")) == (tree(13), tree(2))
    assert kept(stage) == Frontier()
    assert await frontiers(stage.ledger) == {}
    assert stage.redis.xlen(stage.keys.outbox) == 15
    join(stage, 13)
    await folder(stage).look()
    assert folded(stage) == tree(14)
    await stage.drain(batch=4)
    assert kept(stage) == tree(14)
    assert not stage.redis.exists(stage.keys.folded), "what is recorded as far is kept once"


async def test_an_outbox_that_will_be_recorded_in_a_moment_is_left_alone(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "FOLDED_FROM", 5)
    join(stage, *range(5))
    await folder(stage).look()
    assert folded(stage) == Frontier()
    join(stage, 5)
    await folder(stage).look()
    assert folded(stage) == tree(6)


@pytest.mark.parametrize(("recorded", "ahead"), [(0, 0), (0, 9), (0, 12), (5, 12), (5, 9), (7, 7)])
async def test_a_draw_reads_only_what_came_since(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch, recorded: int, ahead: int
) -> None:
    await stage.open()
    on_sale, places = await queue(stage, recorded)
    await stage.drain()
    places += await stage.join(on_sale, ahead - recorded)
    await folder(stage).look()
    places += await stage.join(on_sale, 12 - ahead)
    await stage.tell(on_sale, "open")
    entries, read = 0, Cell.read

    async def count(cell: Cell, operation: str, *rest: Any) -> Any:
        nonlocal entries
        reply = await read(cell, operation, *rest)
        entries += len(reply[5]) // 2 if reply[0] == b"tail" else 0
        return reply

    monkeypatch.setattr(Cell, "read", count)
    await check(stage, on_sale, root_over(places), 12)
    assert entries == 12 - ahead


@pytest.mark.parametrize("seed", range(6))
async def test_whoever_folds_records_or_dies_in_whatever_order_the_draw_is_over_all(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw, count, folders = Random(seed), 0, [folder(stage), folder(stage)]
    gone: list[int] = []
    monkeypatch.setattr(folding, "PAGE", draw.choice([1, 3, 50]))
    for _ in range(60):
        match draw.randrange(8):
            case 0 | 1 | 2:
                for _ in range(draw.randrange(1, 9)):
                    join(stage, count)
                    join(stage, count, on_sale="other")
                    count += 1
            case 3:  # as a recovery leaps
                gone += range(count, count + 2)
                count += 2
            case 4:
                await folders[0].look()
            case 5:
                await asyncio.gather(*(each.look() for each in folders), stage.drain(batch=5))
            case 6:
                writer = stage.new_writer(draw.choice([1, 4]), dies_at(draw.choice(POINTS)))
                await asyncio.gather(writer.drain(), folders[1].look(), return_exceptions=True)
            case 7:
                await folders[draw.randrange(2)]._fold_page()
        assert await read_for_draw(stage, count) == tree(count, *gone), draw
    join(stage, count)
    await stage.drain()
    assert kept(stage) == tree(count + 1, *gone)
    assert not stage.redis.exists(stage.keys.folded)


@pytest.mark.parametrize("point", POINTS)
async def test_a_writer_that_is_killed_leaves_what_was_folded_right(stage: Backstage, point: str) -> None:
    join(stage, *range(20))
    await folder(stage).look()
    await killed_writer(stage, point, 2, batch=7)
    assert await read_for_draw(stage, 20) == tree(20)
    join(stage, *range(20, 25))
    await folder(stage).look()
    assert await read_for_draw(stage, 25) == tree(25)


async def test_two_who_fold_at_once_leave_nobody_out(stage: Backstage) -> None:
    join(stage, *range(40))
    await asyncio.gather(*(folder(stage).look() for _ in range(4)))
    await folder(stage).look()
    assert folded(stage) == tree(40)


async def test_a_page_that_is_trimmed_while_it_is_folded_is_in_the_tree(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(stage, *range(20))
    read = checkpoints.read_lists

    async def record_and_read(*rest: Any) -> Any:
        await stage.drain()
        join(stage, 20)
        return await read(*rest)

    with monkeypatch.context() as patched:
        patched.setattr(folding, "read_lists", record_and_read)
        await folder(stage)._fold_page()
    assert await read_for_draw(stage, 21) == tree(21)
    await folder(stage).look()
    assert await read_for_draw(stage, 21) == tree(21)


async def test_who_comes_after_the_list_is_closed_is_not_folded(stage: Backstage) -> None:
    join(stage, *range(12))
    close_list(stage, 8)
    await folder(stage).look()
    assert folded(stage) == tree(8)


async def test_what_is_no_join_as_it_should_be_is_left_to_the_writer(stage: Backstage) -> None:
    put_join(stage, "x")
    stage.put_entry(kind="join", on_sale=b"\xff", line="public", index=0, secret_hash=hash_of(0))
    stage.put_entry(kind="join", on_sale=SALE, index=0)
    stage.put_entry(kind="seats", data=b"\xff")
    join(stage, 0)
    await folder(stage).look()
    assert folded(stage) == tree(1)


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_redis_from_the_past_draws_all_that_is_known(stage: Backstage, tmp_path: Path, recorded: bool) -> None:
    await stage.open()
    on_sale, places = await queue(stage, 10)
    await folder(stage).look()
    before = keep_copy(stage, tmp_path)
    places += await stage.join(on_sale, 5)
    if recorded:
        await stage.drain()
    await keep(stage)
    go_back(stage, before)
    await recover(stage)
    now = (await stage.status(on_sale)).joined
    gone = range(15 if recorded else 10, now)
    places += [("", "")] * (now - 15) + await stage.join(on_sale, 1)
    await folder(stage).look()
    await stage.tell(on_sale, "open")
    await check(stage, on_sale, root_over(places, *gone), now + 1)


async def test_while_the_ledger_is_away_it_folds_on(stage: Backstage) -> None:
    await stage.open()
    on_sale = await stage.put_on(opens_at_ms=AHEAD_MS)
    async with stage.running(folder(stage)):
        places = await stage.join(on_sale, 9)

        async def is_folded() -> bool:
            return folded(stage, on_sale.on_sale).count == 9

        await until(is_folded, "all of them are folded")
    await stage.tell(on_sale, "open")
    await check(stage, on_sale, root_over(places), 9)
