"""As many requests of a house at a time as its limit allows: the next is refused unread, and no other house notices."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import msgspec
import pytest

from api.app import create_app
from engine.network import Limits
from tests.backstage import Backstage, until
from tests.town import Sale, Town
from tests.unread import UnreadBody

ROUTES: Final = {
    "orders": "/orders",
    "halls": "/manage/halls",
    "keys": "/manage/keys",
    "customers": "/manage/customers/export",
}


@pytest.fixture(scope="module")
def narrow() -> Iterator[Town]:
    """Two houses, of which one serves one request at a time."""
    running = Town(("noord", "zuid"), own_limits={"noord": {"concurrency": 1}}).start()
    try:
        asyncio.run(running.until_ready())
        yield running
    finally:
        running.stop()


@asynccontextmanager
async def unfinished(sale: Sale, path: str, token: str) -> AsyncIterator[asyncio.StreamReader]:
    """A POST whose body never comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sale.town.port)
    head = (
        f"POST /v1/houses/{sale.slug}{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nIdempotency-Key: slow\r\nContent-Length: 5000\r\n\r\n"
    )
    writer.write(head.encode())
    try:
        yield reader
    finally:
        writer.close()


async def under_way(sale: Sale) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{sale.town.url}/metrics") as response:
        text = await response.text()
    found = re.search(rf'^parvis_requests_under_way{{house="{sale.slug}"}} (\d+)', text, re.MULTILINE)
    assert found
    return int(found[1])


async def until_under_way(sale: Sale, count: int) -> None:
    async def is_so() -> bool:
        return await under_way(sale) == count

    await until(is_so, f"{count} requests under way")


@pytest.mark.parametrize("route", ROUTES)
async def test_the_next_request_is_refused_while_its_body_has_not_come(narrow: Town, route: str) -> None:
    """By order, not by time: the first request is given up sooner than the second's body could be."""
    path = ROUTES[route]
    async with await narrow.open_sale("noord") as sale, await narrow.open_sale("zuid") as other:
        token = sale.counter_key if route == "orders" else sale.manage_key
        async with unfinished(sale, path, token) as first:
            await until_under_way(sale, 1)
            async with unfinished(sale, path, token) as second:
                answer = await asyncio.wait_for(second.readuntil(b"\r\n\r\n"), 30)
                assert answer.startswith(b"HTTP/1.1 503"), answer
                assert b"retry-after: 1" in answer.lower()
                body = await asyncio.wait_for(second.readuntil(b"}"), 30)
            assert body.startswith(b"{")
            assert b"/problems/house-busy" in body
            assert not first._buffer, "the first was answered before"  # type: ignore[attr-defined]
            assert (await other.get(f"/on-sales/{other.on_sale}")).status == 200
            assert (await other.get("/manage/orders", token=other.manage_key)).status == 200
        await until_under_way(sale, 0)
        assert (await sale.get("/manage/orders", token=sale.manage_key)).status == 200


@pytest.mark.parametrize("route", ROUTES)
async def test_nothing_of_a_refused_body_is_read(stage: Backstage, route: str) -> None:
    house = msgspec.structs.replace(stage.house, limits=Limits(concurrency=1))
    app = create_app([house])
    async with app.lifespan():
        cell = app.state.cells[house.slug]
        body, path = UnreadBody(app, b"{}", "application/json"), f"/v1/houses/{house.slug}{ROUTES[route]}"
        cell.under_way = 1
        assert (await body.ask("POST", path))[0] == 503
        assert body.reads == 0
        assert cell.under_way == 1
        cell.under_way = 0
        assert (await body.ask("POST", path))[0] == 401, "not refused for room, and for nothing else than who asks"
        assert body.reads == 1, "the test is blind: a body that is refused otherwise is read to its end"
        assert cell.under_way == 0


async def test_a_managers_body_that_is_slow_to_come_is_given_up(narrow: Town) -> None:
    async with await narrow.open_sale("noord") as sale:
        async with unfinished(sale, "/manage/keys", sale.manage_key) as reader:
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            assert answer.startswith(b"HTTP/1.1 400"), answer
            assert b"too long" in await asyncio.wait_for(reader.readuntil(b"}"), 5)
        await until_under_way(sale, 0)
