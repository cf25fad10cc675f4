"""When too much waits to be recorded, joining and holding stop; whoever holds seats can still buy them."""

import asyncio

import pytest

from engine.audit import audit
from engine.cli.sales import at_house
from engine.waiting_room import hash_secret
from tests.town import Town

BACKLOG = 12


@pytest.mark.timeout(120)
async def test_joining_and_holding_stop_at_the_backlogs_limit_and_confirming_goes_on() -> None:
    town = await asyncio.to_thread(Town(("oost",), limits={"backlog": BACKLOG}).start)
    try:
        await town.until_ready()
        async with await town.open_sale("oost") as sale:
            visitor = await sale.enter()
            held = await sale.hold(visitor, "zaal-A-1", "zaal-A-2")
            assert held.status == 201
            await asyncio.to_thread(town.servers.postgres.stop, "immediate")
            refused = None
            for number in range(400):
                body = {"secret_hash": hash_secret(str(number))}
                refused = await sale.post(f"/on-sales/{sale.on_sale}/places", body)
                if refused.status == 503:
                    break
                await asyncio.sleep(0.02)
            assert refused is not None
            assert (refused.status, refused.slug) == (503, "house-busy")
            assert int(refused.headers["Retry-After"]) > 0
            assert (await sale.hold(visitor, "zaal-B-1")).slug == "house-busy"

            bought = await sale.order(visitor, held.json["hold"])
            assert (bought.status, bought.json["state"]) == (202, "confirmed")

            await asyncio.to_thread(town.servers.postgres.start)
            for _ in range(400):
                again = await sale.hold(visitor, "zaal-B-1")
                if again.status != 503:
                    break
                await asyncio.sleep(0.05)
            assert again.status in {201, 401}  # the pass may have ended with its order
            async with at_house(town.network_file, "oost") as (cell, ledger):
                found = await audit(cell, ledger)
            assert found.is_clean, found.faults
            assert found.orders_recorded == 1
    finally:
        await asyncio.to_thread(town.stop)
