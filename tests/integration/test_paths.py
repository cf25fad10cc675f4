"""The way from each entrant up to the root of a draw, out of the ledger; what that lacks is said."""

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from api import draws, hot
from engine import paths as engine_paths
from engine.catalogue import OnSale
from engine.draw import decode, encode
from engine.drawing import Drawn
from engine.errors import Refused
from engine.ledger.entrants import entrants_between
from engine.paths import Paths
from engine.tree import CHUNK, Frontier, leaf, path, root_by
from engine.waiting_room import PUBLIC, hash_secret
from tests.backstage import LONGEST_SECONDS, Backstage
from tests.integration.test_drawing import queue

BIG = ("big", "public")


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


async def big(stage: Backstage, count: int) -> tuple[Drawn, list[str]]:
    """A draw of so many in the ledger, and their secret hashes."""
    rows = "INSERT INTO entrants SELECT 'big', 'public', n, translate(encode(sha256(n::text::bytea), 'base64'), '+/=', "
    await stage.do(rows + f"'-_') FROM generate_series(0, {count - 1}) n")
    hashes = await entrants_between(stage.ledger, BIG, 0, count)
    tree = Frontier()
    tree.fold(enumerate(hashes), count)
    return Drawn("", "", count, 0, "", "seed", encode(tree.root()), ""), hashes


@pytest.mark.parametrize("count", [1, 7])
async def test_each_entrants_path_leads_to_the_root(stage: Backstage, count: int) -> None:
    on_sale, places = await queue(stage, count)
    await stage.tell(on_sale, "open")
    draw = (await stage.status(on_sale)).draw
    line = (on_sale.on_sale, PUBLIC)
    with pytest.raises(Refused) as refused:
        await Paths(stage.ledger).path(line, draw, 0)
    assert refused.value.slug == "not-recorded-yet"
    assert await stage.alarms() == [], "who is not recorded yet will be"
    await stage.drain()
    for index, (_, secret) in enumerate(places):
        beside = await Paths(stage.ledger).path(line, draw, index)
        assert root_by(leaf(index, hash_secret(secret)), index, count, beside) == decode(draw.root)


@pytest.mark.parametrize("count", [31, 32, 33, 1023, 1024, 1025, 3 * CHUNK + 5, 34 * CHUNK + 1])
async def test_a_path_is_the_same_by_levels(stage: Backstage, count: int) -> None:
    draw, hashes = await big(stage, count)
    leaves, paths = [leaf(index, each) for index, each in enumerate(hashes)], Paths(stage.ledger)
    for index in sorted({0, 1, count // 2, 1023 % count, 1024 % count, count - 2, count - 1}):
        assert await paths.path(BIG, draw, index) == path(leaves, index)


async def test_a_path_in_a_chunk_that_somebody_has_looked_at_reads_nothing(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three chunks and a piece stand for a million: no more of them are remembered than may be."""
    draw, hashes = await big(stage, 3 * CHUNK + 5)
    monkeypatch.setattr(engine_paths, "REMEMBERED_CHUNKS", 2)
    paths = Paths(stage.ledger)
    await paths.check(BIG, draw)
    read: list[int] = []

    async def counted(*arguments: Any) -> list[str]:
        found = await entrants_between(*arguments)
        read.append(len(found))
        return found

    monkeypatch.setattr(engine_paths, "entrants_between", counted)

    async def ask(*indices: int) -> list[int]:
        read.clear()
        for beside, index in zip(
            await asyncio.gather(*(paths.path(BIG, draw, index) for index in indices)), indices, strict=True
        ):
            assert root_by(leaf(index, hashes[index]), index, draw.entrants, beside) == decode(draw.root)
        return read

    assert await ask(0, 1, 1023, 500) == [CHUNK]
    assert await ask(1024, 0) == [CHUNK]
    assert await ask(0, 1024, 1025) == []
    assert await ask(draw.entrants - 1) == [5]
    assert await ask(1024) == []
    assert await ask(0) == [CHUNK], "what was asked for longest ago is forgotten first"


async def drawn(stage: Backstage, *gone: int) -> tuple[OnSale, Drawn]:
    """A draw of twelve, recorded, of whom the rows of some have `gone` since; nobody has 6, 7 and 11."""
    on_sale, _ = await queue(stage, 6)
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "joined", 8)  # as a recovery leaps
    await stage.join(on_sale, 3)
    stage.redis.hset(stage.keys.sale(on_sale.on_sale), "joined", 12)
    await stage.tell(on_sale, "open")
    draw = (await stage.status(on_sale)).draw
    await asyncio.sleep(0.002)
    await stage.join(on_sale, 1)
    await stage.drain()
    await stage.do("CREATE TABLE lost AS SELECT * FROM entrants WHERE index = ANY ($1::bigint[])", list(gone))
    await stage.do("DELETE FROM entrants WHERE index = ANY ($1::bigint[])", list(gone))
    return on_sale, draw


async def test_an_index_leapt_over_is_no_fault(stage: Backstage) -> None:
    on_sale, draw = await drawn(stage)
    await Paths(stage.ledger).check((on_sale.on_sale, PUBLIC), draw)
    assert await stage.alarms() == []


async def test_who_is_missing_in_the_ledger_raises_an_alarm_that_says_what_to_do(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_paths, "ASKED_AGAIN_SECONDS", 0)
    on_sale, draw = await drawn(stage, 0, 3)
    line, paths = (on_sale.on_sale, PUBLIC), Paths(stage.ledger)
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            await paths.check(line, draw)
        assert refused.value.slug == "not-recorded-yet"
    told = {"on_sale": on_sale.on_sale, "line": "public", "entrants": 12, "without_a_row": "0, 3, 6-7, 11"}
    assert await stage.alarms() == [("draw-incomplete", told)]
    await stage.do("INSERT INTO entrants SELECT * FROM lost")
    await paths.check(line, draw)


@pytest.mark.parametrize("closes", [True, False])
async def test_whoever_does_not_read_keeps_nobody_else_from_it(monkeypatch: pytest.MonkeyPatch, closes: bool) -> None:
    """Whoever sends waits no longer than a moment, and what the answer was made of ends."""
    monkeypatch.setattr(hot, "SLOWEST_PIECE_SECONDS", 0.05)
    ended, sent = asyncio.Event(), 0

    async def pieces() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            ended.set()

    async def send(message: Any) -> None:
        nonlocal sent
        sent += 1
        if sent > 5:
            if closes:
                raise OSError("gone")
            await asyncio.Event().wait()

    async with asyncio.timeout(LONGEST_SECONDS):
        with pytest.raises(OSError if closes else TimeoutError):
            await hot.send_answer(send, hot.Answer(200, b"[", rest=pieces()))
        await ended.wait()


async def test_one_network_keeps_no_other_from_a_transcript(stage: Backstage) -> None:
    on_sale, _ = await drawn(stage)
    state = SimpleNamespace(
        ledgers={stage.slug: stage.ledger},
        paths={stage.slug: Paths(stage.ledger)},
        network=SimpleNamespace(trusted_proxies=0),
    )

    def asks(address: str) -> Any:
        scope: Any = {"litestar_app": SimpleNamespace(state=state), "client": (address, 1), "headers": []}
        scope["path_params"] = {"on_sale": on_sale.on_sale}
        return draws.read_draw(hot.Call(scope, lambda: None, stage.cell))  # type: ignore[arg-type, return-value]

    async def reads(address: str) -> AsyncGenerator[bytes]:
        rest: AsyncGenerator[bytes] = (await asks(address)).rest
        return rest

    near = [await reads(f"10.0.0.{number}") for number in range(draws.READERS_OF_A_NETWORK)]
    with pytest.raises(Refused, match="others are reading") as refused:
        await asks("10.0.0.99")
    assert refused.value.slug == "house-busy"
    far = [await reads(f"10.0.{number}.1") for number in range(1, 1 + draws.READERS - len(near))]
    with pytest.raises(Refused, match="others are reading"):
        await asks("10.0.200.1")
    await near.pop().aclose()
    near.append(await reads("10.0.0.99"))
    for rest in (*near, *far):
        await rest.aclose()
    assert not draws._reading
