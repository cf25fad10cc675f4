"""P2 and P9: what the shipped edge keeps away from the houses, and one house's rush from another."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Final

import aiohttp
import msgspec

from engine.ports import free_port
from engine.words import HouseSlug
from tests.apart import Apart
from tests.bench.rounds import AT_MOST, Bar, Part, interleave
from tests.edge import running_edge
from tests.paced import Holding, Joining, Paced, Pacer, Polling
from tests.town import Sale, Town, small_plan

WEST, OOST = HouseSlug("west"), HouseSlug("oost")
POLLS_A_SECOND: Final = 5_000
POLL_SECONDS: Final = 10
POLL_ROUNDS: Final = 2
LIMIT_A_SECOND: Final = 200
FLOOD: Final = 20 * LIMIT_A_SECOND
"""Joins a second at the first house."""
NEIGHBOUR: Final = 100
"""Joins and holds a second at the second one."""
WINDOW_SECONDS: Final = 8.0
ROUNDS: Final = 5
LEAD_SECONDS: Final = 0.5
"""The flood is under way when the neighbour's window begins, and when it ends."""
MOST_MS: Final = 5.0

CACHED = Bar(
    what="status polls a second that reach the origin behind the shipped edge, at 50,000 in 10 s",
    yardstick="1 a second",
    sense=AT_MOST,
    bar=3,
    moonshot=1,
)
YARDSTICK = f"its own p99 while the other house is quiet; holds below + {MOST_MS:g} ms too"
APART = Bar(
    what=f"a house's p99 while another gets {FLOOD:,} joins a second, 20 times its limit; a process group each",
    yardstick=YARDSTICK,
    sense=AT_MOST,
    bar=1.25,
    moonshot=1.1,
)
TOGETHER = msgspec.structs.replace(
    APART, what="the same, one process group for all houses; shown, without a bar", bar=float("inf"), moonshot=None
)


@asynccontextmanager
async def _houses(town: Town) -> AsyncIterator[tuple[Sale, Sale, int]]:
    """An open sale of each house, and the port of the edge before them."""
    try:
        await asyncio.to_thread(town.start)
        await town.until_ready()
        sales = [await town.open_sale(slug, plan=small_plan(standing=50_000)) for slug in (WEST, OOST)]
        port = free_port()
        own = town.ports if isinstance(town, Apart) else {}
        with running_edge(town.port, port, own=own, rate=LIMIT_A_SECOND, burst=LIMIT_A_SECOND):
            for sale in sales:
                sale.base = f"http://127.0.0.1:{port}/v1/houses/{sale.slug}"
                async with sale:
                    assert (await sale.get(f"/on-sales/{sale.on_sale}/status")).status == 200
            yield sales[0], sales[1], port
    finally:
        await asyncio.to_thread(town.stop)


def _path(sale: Sale, rest: str) -> str:
    return f"/v1/houses/{sale.slug}/{rest}"


async def cache() -> list[Part]:
    """P2."""
    async with _houses(Town((WEST, OOST))) as (west, _, port):
        path = _path(west, f"on-sales/{west.on_sale}/status")
        reached = []
        with Pacer(is_nice=True) as pacer:
            for _ in range(POLL_ROUNDS):
                before = await _served(west)
                found = await pacer.send(port, Polling(path), POLLS_A_SECOND, POLL_SECONDS)
                assert set(found.statuses) == {200}, found.statuses
                assert found.lost == 0
                reached.append((await _served(west) - before) / found.seconds)
                polls = found.statuses[200]
    told = f"{polls:,} polls in {found.seconds:.1f} s, p99 {found.percentile(0.99):.1f} ms"
    return [CACHED.judge_ratios(reached, told)]


async def _served(sale: Sale) -> float:
    """Statuses that the house's process has answered."""
    async with aiohttp.ClientSession() as session, session.get(f"{sale.town.url}/metrics") as response:
        text = await response.text()
    found = re.findall(
        rf'^parvis_answers_total{{house="{sale.slug}",route="read_status".*}} (\S+)$', text, re.MULTILINE
    )
    assert found, "the house has answered none"
    return sum(map(float, found))


async def neighbour(window_seconds: float = WINDOW_SECONDS) -> list[Part]:
    """P9, with windows of so many seconds."""
    async with _houses(Apart((WEST, OOST))) as houses:
        apart = await _compare(*houses, window_seconds)
    async with _houses(Town((WEST, OOST))) as houses:
        together = await _compare(*houses, window_seconds)
    return [_judge(APART, *apart), _judge(TOGETHER, *together)]


async def _compare(west: Sale, oost: Sale, port: int, window_seconds: float) -> tuple[list[float], list[float], str]:
    """The neighbour's p99s in quiet windows and in windows of a flood, in turns; and how the flood went."""
    place = msgspec.json.encode({"items": [{"performance": oost.performance, "area": "vloer", "quantity": 1}]})
    visitors = Holding(
        Joining(_path(oost, f"on-sales/{oost.on_sale}/places"), 2), _path(oost, "holds"), oost.counter_key, place
    )
    rush = Joining(_path(west, f"on-sales/{west.on_sale}/places"), 1)
    floods: list[Paced] = []
    with Pacer(is_nice=True) as flood, Pacer(is_nice=False) as probe:

        async def quiet() -> float:
            found = await probe.send(port, visitors, NEIGHBOUR, window_seconds, connections=16)
            assert set(found.statuses) == {201}, found.statuses
            assert found.lost == 0
            return found.percentile(0.99)

        async def flooded() -> float:
            flooding = asyncio.create_task(flood.send(port, rush, FLOOD, window_seconds + 2 * LEAD_SECONDS))
            await asyncio.sleep(LEAD_SECONDS)
            p99 = await quiet()
            floods.append(await flooding)
            assert set(floods[-1].statuses) <= {201, 503}, floods[-1].statuses
            return p99

        found = await interleave(ROUNDS, {"quiet": quiet, "flooded": flooded})
    asked = median(sum(each.statuses.values()) / each.seconds for each in floods)
    served = median(each.statuses.get(201, 0) / each.seconds for each in floods)
    assert asked > FLOOD / 2, f"this machine floods with {asked:.0f} a second only"
    return found["quiet"], found["flooded"], f"{asked:,.0f} a second of which {served:,.0f} got through"


def _judge(bar: Bar, quiet: list[float], flooded: list[float], flood: str) -> Part:
    part = bar.judge(flooded, quiet, f"ms; {flood}")
    more_ms = median(flooded) - median(quiet)
    return msgspec.structs.replace(part, holds=part.holds or more_ms <= MOST_MS)
