"""Whatever a provider does, and whatever dies meanwhile: each payment ends in one order or in one refund request."""

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator

import pytest

from engine.cli.sales import at_house
from engine.words import HouseSlug
from tests.chaos.truth import clean
from tests.faults.payment_simulator import FATES, PaymentSimulator
from tests.sale import Sale
from tests.town import Town, small_plan

SEED = int(os.environ.get("PARVIS_SEED", "5"))
PAYMENTS = int(os.environ.get("PARVIS_PAYMENTS", "80"))
LIMITS = {"payment_keep_seconds": 1, "payment_claim_seconds": 6}
OUTCOMES = """
  SELECT reference, 'order' AS what FROM orders WHERE provider = 'demo' AND state = 'recorded'
  UNION ALL SELECT reference, 'refund' FROM refund_requests WHERE provider = 'demo'
  UNION ALL SELECT reference, 'refund' FROM unclaimed_payments WHERE refund_requested_at IS NOT NULL
"""
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


@pytest.fixture
async def impatient() -> AsyncIterator[Town]:
    """A house that keeps seats for a payment for one second."""
    town = Town(["noord"], limits=LIMITS).start()
    try:
        await town.until_ready()
        yield town
    finally:
        town.stop()


async def outcomes(town: Town) -> dict[str, list[str]]:
    """What became of each payment."""
    found: dict[str, list[str]] = {}
    async with at_house(town.network_file, "noord") as (_, ledger), ledger.connection() as postgres:
        for row in await postgres.fetch(OUTCOMES):
            found.setdefault(row["reference"], []).append(row["what"])
    return found


async def buy(sale: Sale, provider: PaymentSimulator, chance: random.Random) -> str:
    """A visitor holds, pays, and orders; some let their hold go first, and lose it to others. Answers the reference."""
    reference = f"late-{uuid.uuid4()}"
    wish = {"performance": sale.performance, "best": {"quantity": chance.randint(1, 3)}}
    token = await sale.enter()
    for _ in range(200):
        held = await sale.post("/holds", {"items": [wish]}, token=token)
        if held.status != 503:
            break
        await asyncio.sleep(0.1)
    if held.status != 201:
        return ""
    hold = held.json["hold"]
    if chance.random() < 0.2:
        await sale.ask("DELETE", f"/holds/{hold}", token=token)
    await provider.take(reference)
    key = str(uuid.uuid4())
    for _ in range(200):
        answer = await sale.order(token, hold, payment=reference, key=key)
        if answer.status < 500:
            return reference
        await asyncio.sleep(0.1)
    raise AssertionError(answer.json)


@pytest.mark.parametrize("is_killed", [False, True])
async def test_every_payment_ends_in_one_order_or_one_refund_request(impatient: Town, *, is_killed: bool) -> None:
    print(f"seed {SEED}, {PAYMENTS} payments")
    chance, town = random.Random(SEED), impatient
    rows = max(2, PAYMENTS // 20)
    async with await town.open_sale("noord", plan=small_plan(rows=rows, seats=20, standing=0)) as sale:
        provider = PaymentSimulator(sale, SEED, longest_delay_s=4)
        server = town.servers.redis[HouseSlug("noord")]
        references: list[str] = []
        for number in range(0, PAYMENTS, 10):
            references += await asyncio.gather(*(buy(sale, provider, chance) for _ in range(10)))
            if is_killed and number % 50 == 20:
                epoch = (await sale.status())["epoch"]
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
                await sale.until_epoch_after(epoch)
        await provider.settle()
        await asyncio.sleep(LIMITS["payment_claim_seconds"])
        found: dict[str, list[str]] = {}
        for _ in range(100):
            await sale.until_drained()
            found = await outcomes(town)
            if provider.paid <= found.keys():
                break
            await asyncio.sleep(0.2)
        assert {
            reference: found.get(reference) for reference in provider.paid if len(found.get(reference, [])) != 1
        } == {}
        unpaid = set(filter(None, references)) - provider.paid
        assert unpaid.isdisjoint(found), "nothing is given or given back for nothing"
        kinds = [found[reference][0] for reference in provider.paid]
        assert min(kinds.count("order"), kinds.count("refund")) > 0, "the fault did not bite"
        assert set(provider.told) == set(FATES)
        print(
            dict(provider.told), {kind: kinds.count(kind) for kind in set(kinds)}, f"told again {provider.asked_again}"
        )
        await clean(town, "noord")
