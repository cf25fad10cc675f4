"""Whoever joins again finds the place that they had, however far behind the ledger is."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest

from engine import repeats, unrecorded
from engine.catalogue import OnSale
from engine.instants import now_ms
from engine.unrecorded import MARGIN_MS, Unrecorded
from engine.waiting_room import ANYBODY, REPEAT_SECONDS, hash_secret
from tests.backstage import Backstage

Join = Callable[[str, int | None], Awaitable[int]]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrecorded, "PAGE", 3)


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger is behind at once."""
    monkeypatch.setattr(unrecorded, "LATE_MS", 0)


async def queue(stage: Backstage) -> tuple[OnSale, Join]:
    await stage.open()
    on_sale = await stage.put_on(opens_at_ms=now_ms() + 3_600_000)
    await stage.drain()

    async def join(secret: str, asked_ms: int | None) -> int:
        of = hash_secret(secret), str(uuid.uuid4()), ANYBODY, asked_ms
        return (await repeats.join(stage.cell, stage.ledger, on_sale, *of)).index

    return on_sale, join


def retry(stage: Backstage, on_sale: OnSale, secret: str) -> str:
    return stage.keys.retry(on_sale.on_sale, hash_secret(secret))


def left_ms(stage: Backstage, on_sale: OnSale, secret: str) -> int:
    found = stage.redis.pttl(retry(stage, on_sale, secret))
    assert isinstance(found, int)
    return found


@pytest.mark.usefixtures("behind")
@pytest.mark.parametrize("postgres", ["is behind", "is away"])
@pytest.mark.parametrize("asked", ["long ago", "nobody knows when"])
async def test_whoever_asks_again_while_nothing_is_recorded_gets_no_second_place(
    stage: Backstage, postgres: str, asked: str
) -> None:
    on_sale, join = await queue(stage)
    asked_ms = now_ms() - 2 * REPEAT_SECONDS * 1000 if asked == "long ago" else None
    places = {f"s{number}": await join(f"s{number}", asked_ms) for number in range(8)}
    stage.ledger.refusal = "away" if postgres == "is away" else ""
    for secret in places:  # the minute goes by
        stage.redis.pexpire(retry(stage, on_sale, secret), 1)
    await Unrecorded(stage.owner, stage.keys).look()
    assert {secret: await join(secret, asked_ms) for secret in places} == places
    assert (await stage.status(on_sale)).joined == len(places)


@pytest.mark.usefixtures("behind")
async def test_it_is_kept_for_twice_as_long_each_time_and_never_for_less(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sale, join = await queue(stage)
    await join("one", None)
    keeping = Unrecorded(stage.owner, stage.keys)
    await keeping.look()
    assert left_ms(stage, on_sale, "one") > MARGIN_MS - 5_000
    monkeypatch.setattr(unrecorded, "MARGIN_MS", 3_600_000)
    await asyncio.sleep(max(0, keeping._again_at_ms + 20 - now_ms()) / 1000)
    await keeping.look()
    once_more = left_ms(stage, on_sale, "one")
    assert once_more > MARGIN_MS + 5_000, "the ledger is behind for twice as long by now"
    await join("two", None)
    keeping._again_at_ms = now_ms() + 3_600_000
    stage.redis.pexpire(retry(stage, on_sale, "one"), 40_000)
    await keeping.look()
    assert left_ms(stage, on_sale, "two") > 3_600_000, "who came since"
    assert left_ms(stage, on_sale, "one") <= 40_000, "who was kept until then"
    stage.redis.pexpire(retry(stage, on_sale, "two"), 86_400_000)
    await Unrecorded(stage.owner, stage.keys).look()
    assert left_ms(stage, on_sale, "two") > 80_000_000


async def test_where_the_ledger_keeps_up_nothing_is_remembered_for_longer(stage: Backstage) -> None:
    on_sale, join = await queue(stage)
    await join("one", None)
    await Unrecorded(stage.owner, stage.keys).look()
    assert 0 < left_ms(stage, on_sale, "one") <= REPEAT_SECONDS * 1000
    await stage.drain()
    await Unrecorded(stage.owner, stage.keys).look()
    assert 0 < left_ms(stage, on_sale, "one") <= REPEAT_SECONDS * 1000


@pytest.mark.usefixtures("behind")
async def test_what_is_no_join_as_it_should_be_stops_nobody(stage: Backstage) -> None:
    on_sale, join = await queue(stage)
    stage.put_entry(kind="join", on_sale=on_sale.on_sale, line="public")
    stage.put_entry(kind="join", on_sale=on_sale.on_sale, line="public", index="none", secret_hash=b"\xff")
    stage.put_entry(kind="person", on_sale=on_sale.on_sale, person="p", index=0)
    await join("one", None)
    await Unrecorded(stage.owner, stage.keys).look()
    assert left_ms(stage, on_sale, "one") > REPEAT_SECONDS * 1000
