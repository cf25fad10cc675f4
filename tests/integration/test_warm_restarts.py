"""A Redis that restarts again and again and has lost nothing: another waiting room's increment grew with each start."""

import pytest

from engine import waiting_room
from engine.catalogue import OnSale
from engine.errors import Refused
from engine.instants import now_ms
from tests.backstage import Backstage
from tests.integration.test_recovery import crash, keep, patiently, recover

RESTARTS, RATE, BURST = 20, 60, 3
WAITING = 200


async def claim(stage: Backstage, on_sale: OnSale, place: str, secret: str) -> str:
    """Claims a turn. Answers the slug of a refusal, or nothing for whoever is in."""
    try:
        await patiently(lambda: waiting_room.admit(stage.cell, on_sale, place, secret, place))
    except Refused as refusal:
        return refusal.slug
    return ""


async def claim_all(stage: Backstage, on_sale: OnSale, waits: "dict[str, str]") -> int:
    """Everybody claims their turn, up to the first who has not been called. Answers how many came in."""
    let_in = 0
    for place, secret in list(waits.items()):
        slug = await claim(stage, on_sale, place, secret)
        assert slug in {"", "full", "not-yet-served"}
        if slug == "not-yet-served":
            break
        if not slug:
            del waits[place]
            let_in += 1
    return let_in


@pytest.mark.timeout(120)
async def test_twenty_restarts_within_a_minute_call_nobody_sooner_and_let_in_no_more(stage: Backstage) -> None:
    await stage.open()
    on_sale = await stage.put_on(rate_per_minute=RATE, burst_percent=100 * BURST // RATE, turn_seconds=600)
    waits = dict(await stage.join(on_sale, WAITING))
    called = let_in = 0
    for _ in range(RESTARTS):
        crash(stage)
        await recover(stage)
        await keep(stage)
        let_in += await claim_all(stage, on_sale, waits)
        served = (await waiting_room.serve(stage.cell, on_sale.on_sale))["public"]
        elapsed_ms = now_ms() - on_sale.opens_at_ms
        assert called <= served <= elapsed_ms * RATE / 60_000 + 1
        assert let_in <= elapsed_ms * RATE / 60_000 + BURST
        called = served
    status = await stage.status(on_sale)
    assert (status.joined, status.admitted) == (WAITING, let_in)
    assert let_in > 0
