"""No house's words in another house, no customer in the clear where none may be; and the search that says so bites."""

import asyncio
import os
import random
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
import psycopg
import pytest
import redis

from engine.address import address_of
from tests.backstage import until
from tests.canaries import Leak, canary_of, ledger_of, look_through
from tests.redis_contents import contents
from tests.town import Sale, Town

HOUSES = ("noord", "zuid", "oost")
SEED = 20261125
TOWNS = int(os.environ.get("PARVIS_TOWNS", "1"))
"""`PARVIS_TOWNS=20` for the long run."""
Plant = Callable[[Town, str], None]


async def trade(town: Town, slug: str) -> None:
    """Everything that a house can be told, with its own words in it: sold, held, awaited, given back, said."""
    canary = town.canaries[slug]
    async with await town.open_sale(slug) as sale:
        token = await sale.enter()
        held = await sale.hold(token, "zaal-A-1")
        order = (await sale.order(token, held.json["hold"])).json
        await sale.until_recorded(order)
        late = await sale.enter()
        held = await sale.hold(late, "zaal-A-3")
        assert (await sale.order(late, held.json["hold"], payment=f"late-{uuid.uuid4()}")).json["state"] != "confirmed"
        await sale.hold(await sale.enter(), "zaal-B-1")
        said = {"reason": f"because of {canary.own}", "message": f"Hear {canary.own}"}
        answer = await sale.post(f"/manage/on-sales/{sale.on_sale}/message", said, token=sale.manage_key)
        assert answer.status == 200
        asked = {"email": canary.email, "reason": f"{canary.own} wants to know"}
        assert (await sale.post("/manage/customers/export", asked, token=sale.manage_key)).status == 200
        await go_wrong(sale, canary.email)


async def go_wrong(sale: Sale, email: str) -> None:
    """Requests that are refused with the customer in them: in bodies, where no body belongs, and with bent JSON."""
    for body in ({"holds": ["x"], "customer": {"email": email}}, {"email": email}, [email]):
        for path in ("/orders", "/holds", "/manage/customers/erase", "/manage/keys", "/nonsense"):
            assert (await sale.post(path, body, token=sale.manage_key)).status >= 400
    bent = f'{{"customer": "{email}'.encode()
    assert (await sale.post("/orders", None, raw=bent, token=sale.counter_key)).status >= 400


@pytest.fixture(scope="module")
def trading() -> Iterator[Town]:
    running = Town(HOUSES).start()
    try:
        asyncio.run(running.until_ready())
        for slug in HOUSES:
            asyncio.run(trade(running, slug))
        yield running
    finally:
        running.stop()


def test_no_house_has_another_houses_words_and_nobodys_customer_is_in_the_clear(trading: Town) -> None:
    sizes = look_through(trading)
    print(sizes)
    for place in ("Redis", "ledger", "serve.log", "GET /metrics", "GET /manage/orders.csv", "postgres.log"):
        assert sizes[place] > 500, f"{place} was hardly looked at"
    assert any("aof" in place and size > 10_000 for place, size in sizes.items())


async def test_the_words_are_found_where_they_may_be(trading: Town) -> None:
    """Else the search would be blind."""
    for slug, canary in trading.canaries.items():
        house = trading.network.house(slug)
        ledger = ledger_of(house.postgres_dsn)
        assert canary.customer.encode() in ledger
        assert canary.own.encode() in ledger
        with owner_of(trading, slug) as owner:
            assert canary.own.encode() in contents(owner)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {trading.manage_keys[slug]}"}) as session:
            async with session.get(f"{trading.url}/v1/houses/{slug}/manage/orders.csv") as answer:
                assert canary.email in await answer.text()
            async with session.get(f"{trading.url}/v1/houses/{slug}/manage/actions") as answer:
                text = await answer.text()
                assert canary.own in text
                assert canary.customer not in text


async def rush(town: Town, slug: str, chance: random.Random, told: "Counter[str]") -> None:
    """Visitors who buy, leave in the middle, and find that the server has been killed under them."""
    async with await town.open_sale(slug, cap=10_000) as sale:

        async def visitor(seat: str) -> None:
            try:
                token = await sale.enter()
                held = await sale.hold(token, seat, timeout=chance.choice((0.01, 5)))
                order = await sale.order(token, held.json["hold"], timeout=chance.choice((0.02, 5, 5)))
                told[str(order.status)] += 1
            except (aiohttp.ClientError, TimeoutError, AssertionError, KeyError, TypeError):
                told["left or cut"] += 1

        told["ready"] += 1
        for _ in range(8):
            await town.until_ready()  # again, once it has been killed
            await asyncio.gather(*map(visitor, sale.unused(5)))


async def rush_everywhere(town: Town, seed: int) -> "Counter[str]":
    """The server is killed when everybody has come in and some have bought."""
    chance, told = random.Random(seed), Counter[str]()
    rushes = [asyncio.create_task(rush(town, slug, random.Random(chance.getrandbits(64)), told)) for slug in town.slugs]

    async def is_under_way() -> bool:
        return told["ready"] == len(town.slugs) and told["202"] > 2

    await until(is_under_way, "a rush in every house", seconds=60)
    town.stop_serving(signal.SIGKILL)
    town.serve()
    await asyncio.gather(*rushes)
    await town.until_ready()
    for slug in town.slugs:
        await trade(town, slug)
    return told


@pytest.mark.parametrize("number", range(TOWNS))
def test_nothing_leaks_in_a_rush_with_the_server_killed_in_it(number: int) -> None:
    seed = SEED + number
    print(f"seed {seed}")
    town = Town(("noord", "zuid", "oost")).start()
    try:
        asyncio.run(town.until_ready())
        told = asyncio.run(rush_everywhere(town, seed))
        assert told["202"] > 0
        assert told["left or cut"] > 0, "nobody noticed that the server was killed"
        print(dict(told), sum(look_through(town).values()), "bytes looked through")
    finally:
        town.stop()


@contextmanager
def owner_of(town: Town, slug: str) -> Iterator[redis.Redis]:
    address = address_of(town.network.house(slug).redis_owner_url)
    with redis.Redis(unix_socket_path=address.path, username=address.user, password=address.password) as owner:
        yield owner


def in_redis(town: Town, word: str) -> None:
    with owner_of(town, "zuid") as owner:
        owner.hset("{zuid}:planted", "word", word)


def in_a_stream(town: Town, word: str) -> None:
    with owner_of(town, "zuid") as owner:
        owner.xadd("{zuid}:planted", {"kind": "nothing", "data": b"\x81\xa1x" + word.encode()})
        owner.xtrim("{zuid}:planted", 0)


def in_the_ledger(town: Town, word: str) -> None:
    with psycopg.connect(town.network.house("zuid").postgres_dsn) as connection:
        connection.execute("INSERT INTO alarms (kind, detail) VALUES ('planted', to_jsonb(%s::text))", [word])


def in_bytes_of_the_ledger(town: Town, word: str) -> None:
    with psycopg.connect(town.network.house("zuid").postgres_dsn) as connection:
        connection.execute(
            "INSERT INTO documents (kind, id, body) VALUES ('planted', 'x', %s)", [f"some more {word}".encode()]
        )


def in_the_log(town: Town, word: str) -> None:
    with (town.folder / "serve.log").open("a") as log:
        log.write(f"an error about {word}\n")


def uproot(town: Town) -> None:
    with owner_of(town, "zuid") as owner:
        owner.delete("{zuid}:planted")
    with psycopg.connect(town.network.house("zuid").postgres_dsn) as connection:
        connection.execute("DELETE FROM alarms WHERE kind = 'planted'")
        connection.execute("DELETE FROM documents WHERE kind = 'planted'")


PLANTED: dict[str, tuple[Plant, str, str]] = {
    "another's word in Redis": (in_redis, "own", "zuid, Redis: a word of noord's own"),
    "another's customer in Redis": (in_redis, "customer", "zuid, Redis: a customer of noord"),
    "what Redis held for a moment": (in_a_stream, "customer", "zuid, what its Redis wrote to"),
    "another's word in the ledger": (in_the_ledger, "own", "zuid, ledger: a word of noord's own"),
    "another's customer in the ledger": (in_the_ledger, "customer", "zuid, ledger: a customer of noord"),
    "another's customer in packed bytes": (in_bytes_of_the_ledger, "customer", "zuid, ledger: a customer of noord"),
    "a word in the log": (in_the_log, "own", "everybody, serve.log: a word of noord's own"),
    "a customer in the log": (in_the_log, "customer", "everybody, serve.log: a customer of noord"),
    "an address in the log": (in_the_log, "sold to", "who bought somewhere"),
}


def sold_to_in(town: Town) -> str:
    with psycopg.connect(town.network.house("noord").postgres_dsn) as connection:
        found = connection.execute("SELECT email FROM orders WHERE email <> ''").fetchone()
    assert found
    return str(found[0])


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_where_it_must_not_be_is_found(planting: Town, what: str) -> None:
    plant, kind, words = PLANTED[what]
    sold_to = sold_to_in(planting)
    # Words of this very case: what an earlier one planted is in what Redis wrote to its disk for good.
    planting.canaries["noord"] = fresh = canary_of("noord")
    log, before = planting.folder / "serve.log", (planting.folder / "serve.log").read_bytes()
    plant(planting, sold_to if kind == "sold to" else getattr(fresh, kind))
    try:
        with pytest.raises(Leak) as found:
            look_through(planting)
        assert words in str(found.value)
    finally:
        uproot(planting)
        log.write_bytes(before)


@pytest.fixture(scope="module")
def planting() -> Iterator[Town]:
    """A town that is not looked through at its end: what Redis wrote to its disk stays there."""
    running = Town(("noord", "zuid")).start()
    try:
        asyncio.run(running.until_ready())
        asyncio.run(trade(running, "noord"))
        assert look_through(running)
        yield running
    finally:
        running.look_through = dict  # type: ignore[method-assign]
        running.stop()
