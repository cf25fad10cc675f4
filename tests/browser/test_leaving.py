"""Whoever leaves the shop lets go soon; a reload, another tab and a page that comes back keep what is reserved."""

import asyncio
import time
from typing import Final

import pytest
from playwright.async_api import Page, expect

from engine.cell import Cell
from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.wishes import HoldRecord, decode_record
from tests.browser.person import PHONE, People, Person
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


async def reserves(visitor: Person, sale: Sale) -> None:
    await visitor.comes_in(sale)
    await visitor.press("Find the best seats")
    await expect(visitor.page.locator(".basket .hold")).to_have_count(1)


async def leaves(page: Page) -> None:
    await page.goto("about:blank")


async def test_a_page_that_is_left_gives_its_seats_back_and_a_reload_keeps_them(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", hold_seconds=600, return_delay_seconds=0) as sale,
        people.arrive(PHONE) as visitor,
        at_house(town.network_file, "zeewind") as (cell, _),
    ):
        await reserves(visitor, sale)
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
