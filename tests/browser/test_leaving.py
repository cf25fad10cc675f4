"""Whoever leaves the shop lets go soon, and makes room; a reload, another tab and a page that comes back keep both."""

import asyncio
import time
from typing import Final

import pytest
from playwright.async_api import Page, expect

from engine.cell import Cell
from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.keys import Keys
from engine.redis_urls import connect
from engine.wishes import HoldRecord, decode_record
from engine.words import HouseSlug, OnSaleId
from tests.browser.person import PATIENCE_MS, PHONE, People, Person
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LONGEST_SECONDS: Final = 90
"""The moment that is left is sixty seconds."""


async def record(cell: Cell, sale: Sale) -> HoldRecord | None:
    """The one visitor's hold, as Redis has it."""
    key, _, due = cell.hall_keys(sale.performance)  # type: ignore[arg-type]
    reply = await cell.read("seats/holds", (key, due))
    found = [value for name, value in zip(reply[1][::2], reply[1][1::2], strict=True) if name[:1] == b"h"]
    return decode_record(found[0]) if found else None


async def until_ends(cell: Cell, sale: Sale, *, soon: bool) -> None:
    deadline = time.monotonic() + 20
    while (found := await record(cell, sale)) is None or (found.expires_at_ms < now_ms() + 61_000) is not soon:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)


async def slot_of(town: Town, sale: Sale) -> float:
    """When the first visitor's slot ends, in ms; its fraction is the generation of their pass. 0: they have none."""
    house = town.network.house(HouseSlug(sale.slug))
    async with connect(house.redis_owner_url) as redis:
        return await redis.zscore(Keys(house.slug).live(OnSaleId(sale.on_sale)), "0") or 0.0


async def until_slot_ends(town: Town, sale: Sale, *, soon: bool) -> float:
    deadline = time.monotonic() + 20
    while ((ends := await slot_of(town, sale)) < now_ms() + 61_000) is not soon:
        assert time.monotonic() < deadline, ends
        await asyncio.sleep(0.1)
    return ends


async def reserves(visitor: Person, sale: Sale) -> None:
    await visitor.comes_in(sale)
    await visitor.press("Find the best seats")
    await expect(visitor.page.locator(".basket .hold")).to_have_count(1)


async def leaves(page: Page) -> None:
    await page.goto("about:blank")


async def test_a_page_that_is_left_gives_its_seats_back_and_lets_the_next_one_in_and_a_reload_keeps_them(
    town: Town, people: People
) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=600, return_delay_seconds=0, cap=1) as sale,
        people.arrive(PHONE) as visitor,
        people.arrive() as next_one,
        at_house(town.network_file, "zeewind") as (cell, _),
    ):
        await reserves(visitor, sale)
        await next_one.open(f"/h/{sale.slug}/{sale.on_sale}")
        await next_one.press("Join the queue")
        await until_ends(cell, sale, soon=False)
        for _ in range(3):
            await visitor.page.reload()
            await expect(visitor.page.locator(".basket .hold")).to_have_count(1)
            await until_ends(cell, sale, soon=False)
        found = await record(cell, sale)
        assert found is not None
        assert found.said_ms > 0  # the fault bit: the page said that it is here again
        await leaves(visitor.page)
        await until_ends(cell, sale, soon=True)
        await visitor.open(f"/h/{sale.slug}/{sale.on_sale}/seats")
        await expect(visitor.page.locator(".basket .hold")).to_have_count(1)
        await until_ends(cell, sale, soon=False)
        await visitor.page.close()
        await until_ends(cell, sale, soon=True)
        await until_open(sale)
        await expect(next_one.page.get_by_role("button", name="Choose my seats")).to_be_visible(timeout=PATIENCE_MS)
        await next_one.press("Choose my seats")
        await expect(next_one.page.locator(".map-frame")).to_be_visible(timeout=PATIENCE_MS)


async def test_who_reserved_nothing_makes_room_as_well_and_comes_in_again_later(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", pass_seconds=600, grace_seconds=600) as sale,
        people.arrive(refused=(401,)) as visitor,  # once: their pass has ended
    ):
        await visitor.comes_in(sale)
        given = await until_slot_ends(town, sale, soon=False)
        for _ in range(2):
            await leaves(visitor.page)
            await until_slot_ends(town, sale, soon=True)
            await visitor.open(f"/h/{sale.slug}/{sale.on_sale}/seats")
            await expect(visitor.page.locator(".map-frame")).to_be_visible()
            assert abs(await until_slot_ends(town, sale, soon=False) - given) <= 1_000
        await leaves(visitor.page)
        ends = await until_slot_ends(town, sale, soon=True)
        house = town.network.house(HouseSlug(sale.slug))
        async with connect(house.redis_owner_url) as redis:  # as if the moment were over
            await redis.zadd(Keys(house.slug).live(OnSaleId(sale.on_sale)), {"0": now_ms() - 1_000 + ends % 1})
        await visitor.open(f"/h/{sale.slug}/{sale.on_sale}/seats")
        again = await until_slot_ends(town, sale, soon=False)
        assert again % 1 == ends % 1 + 1 / 4096, "the same place, and a new pass"
        await visitor.press("Find the best seats")
        await expect(visitor.page.locator(".basket .hold")).to_have_count(1)


async def until_open(sale: Sale) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while (found := await sale.seats()).count("o") != len(found):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(1)


async def test_another_tab_keeps_what_the_closed_one_showed(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=600) as sale,
        people.arrive() as visitor,
        at_house(town.network_file, "zeewind") as (cell, _),
    ):
        await reserves(visitor, sale)
        second = await visitor.context.new_page()
        await second.goto(visitor.page.url)
        await expect(second.locator(".basket .hold")).to_have_count(1)
        said = await said_at(cell, sale)
        await leaves(visitor.page)
        deadline = time.monotonic() + 20
        while await said_at(cell, sale) < said + 2:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        await until_ends(cell, sale, soon=False)


async def said_at(cell: Cell, sale: Sale) -> int:
    found = await record(cell, sale)
    assert found is not None
    return found.said_ms
