"""For how long a house keeps what it has given: a slot, a grace, a proof's place, and where a line stands."""

import asyncio
import uuid
from typing import Any

import jwt
import msgspec
import pytest

from engine import keeper, proof
from engine.catalogue import PASS_LEEWAY_MS, OnSale
from engine.errors import Refused
from engine.instants import now_ms
from engine.signing import Signer
from engine.waiting_room import Admitted, admit, hash_secret, serve
from tests.backstage import Backstage
from tests.integration.test_million_forgeries import Door
from tests.solver import solve

LONGEST_PAUSE_SECONDS = 1.0
"""What is kept of a line that moves may be so old."""


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


def claims_of(token: str) -> Any:
    return jwt.decode(token, options={"verify_signature": False})


async def enter(stage: Backstage, on_sale: OnSale, who: tuple[str, str], **how: Any) -> Admitted:
    return await admit(stage.cell, on_sale, *who, uuid.uuid4().hex, **how)


def ends_sooner(stage: Backstage, on_sale: OnSale, seconds: float) -> None:
    """Puts the ends of all slots back, and says that everybody's turn was long ago."""
    slots: Any = stage.redis.zrange(stage.keys.live(on_sale.on_sale), 0, -1)
    for member in slots:
        stage.redis.zincrby(stage.keys.live(on_sale.on_sale), -1000 * seconds, member)
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), mapping={"gone": 2, "mark": 2, "mark_at_ms": now_ms()})


async def test_a_slot_lives_longer_than_its_pass_by_what_clocks_may_differ(stage: Backstage) -> None:
    on_sale = await stage.put_on(pass_seconds=1)
    (who,) = await stage.join(on_sale)
    made = await enter(stage, on_sale, who)
    slots: Any = stage.redis.zrange(stage.keys.live(on_sale.on_sale), 0, -1, withscores=True)
    ((_, slot_ends_ms),) = slots
    exp_ms = claims_of(made.token)["exp"] * 1000
    # Whole seconds in the pass: they are rounded up.
    assert slot_ends_ms >= exp_ms + PASS_LEEWAY_MS - 1000 >= exp_ms + 9_000
    # Whoever chose within their time, by a clock that is slow, has chosen in time.
    await asyncio.sleep((exp_ms + 1_000 - now_ms()) / 1000)
    body = {"items": [{"performance": on_sale.performances[0], "seats": ["zaal-A-1"]}]}
    assert await Door(stage).ask("/holds", body, made.token) == ""


async def test_whoever_has_asked_for_more_time_comes_back_longer_after_it_and_need_not_ask_again(
    stage: Backstage,
) -> None:
    on_sale = await stage.put_on(pass_seconds=300, grace_seconds=100, more_time_percent=100)
    longer, shorter = await stage.join(on_sale, 2)
    first, other = await enter(stage, on_sale, longer, is_longer=True), await enter(stage, on_sale, shorter)
    leeway_s = PASS_LEEWAY_MS / 1000
    ends_sooner(stage, on_sale, 600 + leeway_s + 150)  # by half as much again as others have
    # The page itself only renews what it has had: the pass says that they asked.
    again = await enter(stage, on_sale, longer, renews=first.token)
    assert claims_of(again.token)["more_time"] is True
    assert again.expires_at_ms > now_ms() + 590_000
    with pytest.raises(Refused) as refused:
        await enter(stage, on_sale, shorter, renews=other.token)
    assert refused.value.slug == "turn-over"
    ends_sooner(stage, on_sale, 600 + leeway_s + 201)
    with pytest.raises(Refused) as refused:
        await enter(stage, on_sale, longer, renews=again.token)
    assert refused.value.slug == "turn-over"


async def test_a_place_by_a_proof_is_known_again_as_long_as_the_proof_counts_and_a_minute(stage: Backstage) -> None:
    on_sale = await stage.put_on(proof_of_work="always")
    await stage.cell.look()

    def made_at(signer: Signer, secret_hash: str, at_ms: int) -> str:
        return solve(msgspec.to_builtins(proof.make_challenge(signer, on_sale.on_sale, secret_hash, 20, at_ms)))

    for age_s, rest_s in ((0, proof.PROOF_SECONDS), (60, proof.PROOF_SECONDS - 60)):
        mine = hash_secret(uuid.uuid4().hex)
        shown = made_at(stage.cell.signer, mine, now_ms() - 1000 * age_s)
        body = {"secret_hash": mine, "proof": shown}
        assert await Door(stage).ask(f"/on-sales/{on_sale.on_sale}/places", body, key=mine) == ""
        left_s: Any = stage.redis.ttl(stage.keys.retry(on_sale.on_sale, mine))
        # A machine that is busy may take its time in between.
        assert 60 + rest_s - 20 <= left_s <= 60 + rest_s + 1, age_s


async def test_where_a_line_stands_is_kept_every_second_while_it_moves(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keeper's own loop is driven on: what counts is how long it means to rest."""
    on_sale = await stage.put_on(rate_per_minute=60)
    await stage.join(on_sale)
    stop, rests, kept = asyncio.Event(), [], []

    async def pause(_: asyncio.Event, seconds: float) -> None:
        rests.append(seconds)
        kept.append(await stage.value("SELECT fields->>'now_serving' || ' ' || kept_at FROM standings"))
        if len(rests) == 5:
            stop.set()
        stage.redis.hincrby(stage.keys.sale(on_sale.on_sale), "now_serving", 1)
        await serve(stage.cell, on_sale.on_sale)

    monkeypatch.setattr(keeper, "_pause", pause)
    await stage.keeper.cell.look()
    await stage.keeper._remember(stop)
    assert len(set(kept)) == 5, kept
    assert max(rests) <= LONGEST_PAUSE_SECONDS
