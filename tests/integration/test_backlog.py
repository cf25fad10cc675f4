"""When much waits to be recorded, visitors come in more slowly, then not; whoever holds seats can still buy them."""

import asyncio
import re

import pytest

from engine.audit import audit
from engine.cli.sales import at_house
from tests.faults.patience import until
from tests.town import Answer, Sale, Town

BACKLOG_BYTES = 60_000
RATE = 6_000


async def told(sale: Sale) -> tuple[float, str]:
    """The level and its source, as ops see them."""
    metrics = (await sale.get(f"{sale.town.url}/metrics")).body.decode()
    found = re.search(rf'^parvis_pressure{{house="{sale.slug}",source="(\w*)"}} (\S+)$', metrics, re.MULTILINE)
    assert found is not None
    return float(found[2]), found[1]


async def counters(sale: Sale) -> "dict[str, object]":
    found: dict[str, object] = (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json
    return found


async def join_until_refused(sale: Sale) -> tuple[Answer, set[int]]:
    """The refusal, and every pace that was published on the way there."""
    paces = {RATE}
    for number in range(2_000):
        refused = await sale.join_once(str(number))
        if refused.status != 201:
            return refused, paces
        status = (await sale.get(f"/on-sales/{sale.on_sale}/status")).json
        paces.add(status["lines"]["public"]["per_minute"])
        # Slower at the end: what is refused is decided twice a second.
        await asyncio.sleep(0.01 if min(paces) > RATE / 2 else 0.05)
    raise AssertionError("nothing was ever refused")


@pytest.mark.timeout(120)
async def test_a_backlog_slows_and_then_stops_those_who_come_in_and_confirming_goes_on() -> None:
    town = await asyncio.to_thread(Town(("oost",), limits={"backlog_bytes": BACKLOG_BYTES}).start)
    try:
        await town.until_ready()
        async with await town.open_sale("oost", rate_per_minute=RATE) as sale:
            visitor = await sale.enter()
            held = await sale.hold(visitor, "zaal-A-1", "zaal-A-2")
            assert held.status == 201
            waiting, secret = await sale.join()
            assert (await told(sale))[0] == 0
            assert (await counters(sale))["pressure"] == "calm"
            await asyncio.to_thread(town.servers.postgres.stop, "immediate")

            refused, paces = await join_until_refused(sale)
            assert (refused.status, refused.slug) == (503, "house-busy")
            assert int(refused.headers["Retry-After"]) > 0
            assert paces & set(range(1, RATE)), f"it slowed before it stopped: {paces}"
            await sale.until_status()
            assert (await told(sale)) == (1, "backlog")
            shown = await counters(sale)
            assert "joining is refused" in str(shown["pressure"])
            assert (shown["pressure_level"], shown["slowed_percent"], shown["rate_per_minute"]) == (1, 100, RATE)
            # Nobody new comes in; who was called keeps the turn.
            claimed = await sale.claim(waiting, secret)
            assert (claimed.status, claimed.slug) == (409, "full")
            assert int(claimed.headers["Retry-After"]) > 0
            # Holding is refused later than joining, and confirming never.
            assert (await sale.hold(visitor, "zaal-A-3")).status == 201
            bought = await sale.order(visitor, held.json["hold"])
            assert (bought.status, bought.json["state"]) == (202, "confirmed")

            await asyncio.to_thread(town.servers.postgres.start)

            async def is_as_before() -> bool:
                return (await told(sale))[0] == 0 and (await sale.claim(waiting, secret)).status == 201

            await until(is_as_before, within_s=30)
            assert (await sale.join_once("one more")).status == 201
            assert (await sale.until_status())["lines"]["public"]["per_minute"] == RATE
            async with at_house(town.network_file, "oost") as (cell, ledger):
                found = await audit(cell, ledger)
            assert found.is_clean, found.faults
            assert found.orders_recorded == 1
    finally:
        await asyncio.to_thread(town.stop)
