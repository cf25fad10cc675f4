"""The audit counts codes: held and sold, no more and no less, and none more often than it is good for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from engine.audit import audit
from engine.catalogue import OnSale
from engine.conditions import code_id
from engine.errors import Refused
from engine.seats import release
from tests.backstage import Backstage
from tests.integration.test_codes_after_loss import CODE, hold, put_on, used
from tests.integration.test_returns import return_


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


async def a_sale(stage: Backstage) -> OnSale:
    """A code of three uses: one seat sold by it, one held, one given back."""
    on_sale = await put_on(stage)
    await stage.confirm(await hold(stage, on_sale, "zaal-A-1"))
    returned = await stage.confirm(await hold(stage, on_sale, "zaal-A-2"))
    await stage.drain()
    await return_(stage, returned)
    await stage.drain()
    await hold(stage, on_sale, "zaal-A-3")
    await stage.drain()
    assert await used(stage, on_sale) == 2
    return on_sale


def _name(stage: Backstage, code: str = CODE) -> str:
    return code_id(stage.cell.signer, code)


async def test_codes_that_are_held_and_sold_are_no_fault(stage: Backstage) -> None:
    await a_sale(stage)
    assert (await audit(stage.cell, stage.ledger)).faults == ()


Damage = Callable[[Backstage], Any]
DAMAGE: list[tuple[str, Damage, list[str]]] = [
    (
        "one too many",
        lambda stage: stage.redis.hincrby(stage.keys.cell, f"u{_name(stage)}", 1),
        ["counted 3 times in Redis, held 1 times and sold 1 times in the ledger"],
    ),
    (
        "one too few",
        lambda stage: stage.redis.hincrby(stage.keys.cell, f"u{_name(stage)}", -1),
        ["counted 1 times in Redis, held 1 times and sold 1 times in the ledger"],
    ),
    (
        "forgotten",
        lambda stage: stage.redis.hdel(stage.keys.cell, f"u{_name(stage)}"),
        ["counted 0 times in Redis, held 1 times and sold 1 times in the ledger"],
    ),
    (
        "more than it is good for",
        lambda stage: stage.redis.hincrby(stage.keys.cell, f"u{_name(stage)}", 2),
        ["counted 4 times in Redis", "used 4 times, and good for 3"],
    ),
    (
        "a number that nobody holds",
        lambda stage: stage.redis.hset(stage.keys.cell, "unobody", 2),
        ["number nobody: counted 2 times in Redis, held 0 times and sold 0 times in the ledger"],
    ),
]


@pytest.mark.parametrize(("damage", "words"), [each[1:] for each in DAMAGE], ids=[each[0] for each in DAMAGE])
async def test_a_count_that_is_wrong_is_found_and_said_in_words(
    stage: Backstage, damage: Damage, words: list[str]
) -> None:
    await a_sale(stage)
    damage(stage)
    found = await audit(stage.cell, stage.ledger)
    assert len(found.faults) == len(words), found.faults
    for part, said in zip(words, found.faults, strict=True):
        assert part in said


async def test_a_code_that_the_ledger_sold_too_often_is_found(stage: Backstage) -> None:
    await a_sale(stage)
    await stage.do(
        "INSERT INTO order_items (order_id, item, performance, seat, category, price_type, price, fee, live, code) "
        "SELECT order_id, 90 + n, performance, 'zaal-E-' || n, category, price_type, 0, 0, true, code "
        "FROM order_items, generate_series(1, 3) AS n WHERE code <> '' AND live"
    )
    faults = (await audit(stage.cell, stage.ledger)).faults
    assert any("counted 2 times in Redis, held 1 times and sold 4 times in the ledger" in each for each in faults)
    assert any("used 4 times, and good for 3" in each for each in faults)


async def test_codes_that_come_and_go_meanwhile_are_no_fault(stage: Backstage) -> None:
    on_sale = await put_on(stage)
    seats = list(stage.cell.catalogue.layout(on_sale.performances[0]).seat_ids)
    is_over = asyncio.Event()

    async def shop() -> None:
        while not is_over.is_set() and len(seats) > 3:
            seat = seats.pop()
            await asyncio.sleep(0.02)
            try:
                held = await hold(stage, on_sale, seat)
            except Refused:
                seats.insert(0, seat)
                continue
            await asyncio.sleep(0.02)
            if await used(stage, on_sale) < 2 and len(seats) % 9 == 0:
                await stage.confirm(held)
            else:
                await release(stage.cell, held.hold)
                seats.insert(0, seat)

    async def record() -> None:
        while not is_over.is_set():
            await stage.drain()
            await asyncio.sleep(0.02)

    workers = [asyncio.create_task(work) for work in (shop(), shop(), shop(), record())]
    found = [await audit(stage.cell, stage.ledger) for _ in range(3)]
    is_over.set()
    await asyncio.gather(*workers)
    assert [each.faults for each in found if each.faults] == []
    await stage.drain()
    assert (await audit(stage.cell, stage.ledger)).faults == ()
