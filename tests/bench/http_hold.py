"""P6: a hold over HTTP, beside the best that Litestar and Postgres can do without us."""

import asyncio
import itertools
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import msgspec

from engine.cli.serve import Address, api_command
from engine.halls.generate import big_house
from engine.halls.pretix import export_plan
from engine.ports import free_port
from tests.bench import rival
from tests.bench.load import request
from tests.bench.rounds import AT_LEAST, Bar, Part, interleave
from tests.bench.stand import SLUG, VISITORS, Stand
from tests.town import Sale

HOLDS: Final = 1_500
QUANTITY: Final = 2
ROUNDS: Final = 9
SEATS: Final = 40_000

HOLD = Bar(
    what="hold of the best 2 over HTTP, AOF always, 64 visitors",
    yardstick="Litestar's typed handler and an asyncpg pool of 16, SKIP LOCKED in one CTE, over HTTP",
    sense=AT_LEAST,
    bar=3,
    moonshot=6,
)


async def hold(stand: Stand) -> list[Part]:
    """P6."""
    sale = await stand.open_sale(
        SLUG, plan=export_plan(big_house(SEATS)), cap=1_000, hold_seconds=3_600, seats_a_hold=2, seats_a_place=1_000
    )
    await stand.call_everybody(sale)
    async with sale, _rival(stand) as port:
        passes = await asyncio.gather(*(sale.enter() for _ in range(VISITORS)))
        rounds = itertools.count(1)

        async def ours() -> float:
            requests = list(itertools.islice(_holds(sale, passes), HOLDS))
            return (await stand.load.send(stand.port, requests, VISITORS, 201)).a_second

        async def rivals() -> float:
            wish = rival.HoldRequest(performance=next(rounds), quantity=QUANTITY, owner=secrets.token_hex(16))
            requests = [request("POST", "/rival/holds", msgspec.json.encode(wish))] * HOLDS
            return (await stand.load.send(port, requests, VISITORS, 201)).a_second

        found = await interleave(ROUNDS, {"ours": ours, "rival": rivals})
    return [HOLD.judge(found["ours"], found["rival"], "a second")]


def _holds(sale: Sale, passes: list[str]) -> Iterator[bytes]:
    wish = {"items": [{"performance": sale.performance, "best": {"quantity": QUANTITY}}]}
    body, path = msgspec.json.encode(wish), f"/v1/houses/{SLUG}/holds"
    for token in itertools.cycle(passes):
        key = secrets.token_hex(16)
        yield request("POST", path, body, authorization=f"Bearer {token}", idempotency_key=key)


@asynccontextmanager
async def _rival(stand: Stand) -> AsyncIterator[int]:
    """The rival's server on the same Postgres as our ledger, started as ours is; gives its port."""
    dsn = stand.network.house(SLUG).postgres_dsn
    connection = await asyncpg.connect(dsn)
    await connection.execute(rival.SCHEMA)
    await connection.execute(rival.FILL, ROUNDS + 1, HOLDS * QUANTITY)
    await connection.execute("ANALYZE rival_seats")
    await connection.close()
    port = free_port()
    process = _start(stand, port, dsn)
    try:
        await _until_listening(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _start(stand: Stand, port: int, dsn: str) -> "subprocess.Popen[bytes]":
    command = [*api_command(Address("127.0.0.1", port, 1))[:-1], "tests.bench.rival:from_environment"]
    with (stand.folder / "rival.log").open("wb") as log:
        return subprocess.Popen(command, env=os.environ | {rival.DSN_VARIABLE: dsn}, stdout=log, stderr=log)


async def _until_listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
