"""A join that is delivered again never gets a worse place, nor a second one: long after, after a restart, after a loss.
A place survives ten minutes without a connection, the restart of the API and of Redis, and the next release."""

import shutil
import signal
import uuid
from typing import Any

import pytest

from engine import repeats
from engine.catalogue import Line
from engine.errors import LedgerUnavailable, Refused
from engine.instants import now_ms
from engine.keys import Keys
from engine.line_codes import CODE_KEPT_SECONDS
from engine.redis_urls import connect
from engine.waiting_room import ANYBODY, Admissible, hash_secret
from engine.words import HouseSlug, LineName, OnSaleId
from tests.backstage import Backstage
from tests.integration.test_recovery import go_back, patiently
from tests.sale import Sale
from tests.town import Town

SLUG = HouseSlug("noord")


async def forget_the_minute(town: Town, sale: Sale, secret: str, *keys: str) -> None:
    """What Redis remembers of a join for a minute is gone, as if that had passed."""
    owner = connect(town.network.house(HouseSlug(sale.slug)).redis_owner_url)
    try:
        names = Keys(HouseSlug(sale.slug))
        gone = [key async for key in owner.scan_iter(match=names.operation("*"), count=1_000)]
        await owner.unlink(names.retry(OnSaleId(sale.on_sale), hash_secret(secret)), *gone)
    finally:
        await owner.aclose()


async def join(sale: Sale, secret: str, key: str) -> int:
    answer = await sale.join_once(secret, key=key)
    assert answer.status == 201, answer.json
    return int(answer.json["index"])


async def joined(sale: Sale) -> int:
    return int((await sale.status())["lines"]["public"]["joined"])


async def test_a_join_that_is_delivered_again_after_ten_minutes_gets_the_same_place(town: Town) -> None:
    async with await town.open_sale("noord", opens_at_ms=now_ms() + 3_600_000) as sale:
        secret, key = uuid.uuid4().hex, f"{now_ms() - 600_000}-{uuid.uuid4()}"
        index = await join(sale, secret, key)
        for _ in range(3):
            await sale.join()
        await sale.until_drained()
        await forget_the_minute(town, sale, secret)
        assert await join(sale, secret, key) == index
        assert await join(sale, secret, f"{now_ms() - 600_000}-{uuid.uuid4()}") == index
        assert await joined(sale) == 4


async def test_so_does_one_whose_key_says_nothing_of_when_it_was_made(town: Town) -> None:
    async with await town.open_sale("noord", opens_at_ms=now_ms() + 3_600_000) as sale:
        secret, key = uuid.uuid4().hex, str(uuid.uuid4())
        index = await join(sale, secret, key)
        await sale.join()
        await sale.until_drained()
        await forget_the_minute(town, sale, secret)
        assert await join(sale, secret, key) == index
        assert await join(sale, secret, "of-our-own-making") == index
        assert await joined(sale) == 2


async def test_a_place_survives_the_restart_of_everything_and_the_loss_of_what_can_be_lost(town: Town) -> None:
    async with await town.open_sale("noord", opens_at_ms=now_ms() + 3_600_000) as sale:
        secret, key = uuid.uuid4().hex, f"{now_ms()}-{uuid.uuid4()}"
        index = await join(sale, secret, key)
        place = (await sale.join_once(secret, key=key)).json["place"]
        for _ in range(3):
            await sale.join()
        await sale.until_drained()
        redis = town.servers.redis[SLUG]

        epoch = (await sale.status())["epoch"]
        redis.kill()
        redis.start()
        await sale.until_epoch_after(epoch)
        assert await join(sale, secret, key) == index

        town.stop_serving(signal.SIGTERM)  # as a deploy does
        town.serve()
        await town.until_ready()
        assert await join(sale, secret, key) == index

        epoch = (await sale.status())["epoch"]
        redis.kill()
        shutil.rmtree(redis.folder / "appendonlydir")
        redis.start()
        await sale.until_epoch_after(epoch)
        assert await join(sale, secret, key) == index
        assert await join(sale, secret, str(uuid.uuid4())) == index  # with a key that says nothing of when
        fresh = await join(sale, uuid.uuid4().hex, f"{now_ms()}-{uuid.uuid4()}")
        assert fresh > index

        opened = await sale.post(f"/manage/on-sales/{sale.on_sale}/open", {"reason": "a test"}, token=sale.manage_key)
        assert opened.status == 200, opened.json
        assert await sale.pass_for(place, secret), "the place of before all that is still the visitor's"


@pytest.mark.parametrize("sees", ["nothing of the loss", "the epoch before the gate is open"])
async def test_a_process_that_joins_before_it_has_heard_of_a_loss_gives_nobody_a_second_place(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch, sees: str
) -> None:
    await stage.open()
    on_sale = await stage.put_on()
    secret, asked_ms = uuid.uuid4().hex, now_ms()

    async def joined() -> int:
        of = hash_secret(secret), secret, ANYBODY, asked_ms
        return (await repeats.join(stage.cell, stage.ledger, on_sale, *of)).index

    ask = stage.keeper.cell.ask

    async def ask_while_looked_at(operation: str, *rest: Any) -> Any:
        if operation == "cell/open":
            await patiently(stage.cell.look)
        return await ask(operation, *rest)

    index = await joined()
    await stage.join(on_sale, 3)
    await stage.drain()
    go_back(stage, None)
    if sees.startswith("the epoch"):
        monkeypatch.setattr(stage.keeper.cell, "ask", ask_while_looked_at)
    await patiently(stage.keeper.recover)
    again: list[int] = []

    async def once_more() -> None:
        again.append(await joined())

    await patiently(once_more)
    assert again == [index]
    assert stage.cell.lost_at_ms > 0


async def test_whoever_asked_before_a_loss_waits_for_the_ledger_and_nobody_else_does(stage: Backstage) -> None:
    await stage.open()
    on_sale = await stage.put_on()
    asked_ms = now_ms()

    async def joined(secret: str, asked_ms: int | None) -> int:
        of = hash_secret(secret), secret, ANYBODY, asked_ms
        return (await repeats.join(stage.cell, stage.ledger, on_sale, *of)).index

    before = await joined("one", asked_ms)
    await stage.drain()
    go_back(stage, None)
    await patiently(stage.keeper.recover)
    await patiently(stage.cell.look)
    stage.ledger.refusal = "away"
    with pytest.raises(LedgerUnavailable):
        await joined("one", asked_ms)
    later_ms = stage.cell.lost_at_ms + repeats.SLACK_MS
    assert await joined("two", later_ms) > before
    assert await joined("three", None) > before, "whose key says nothing of when"
    stage.ledger.refusal = ""
    assert await joined("one", asked_ms) == before


async def test_whoever_a_code_gave_a_place_has_it_after_a_loss_too_however_new_their_key_is(stage: Backstage) -> None:
    await stage.open()
    line = Line(LineName("press"), "Press", "invitation", 20, now_ms() - 60_000)
    on_sale = await stage.put_on(lines=(line,))
    invited = Admissible(CODE_KEPT_SECONDS, line=line.line, code="#1")

    async def joined(secret: str) -> int:
        asked_ms = stage.cell.lost_at_ms + repeats.SLACK_MS
        of = hash_secret(secret), str(uuid.uuid4()), invited, max(now_ms(), asked_ms)
        return (await repeats.join(stage.cell, stage.ledger, on_sale, *of)).index

    index = await joined("hers")
    assert await joined("hers") == index
    await stage.drain()
    go_back(stage, None)
    await patiently(stage.keeper.recover)
    await patiently(stage.cell.look)
    assert await joined("hers") == index
    with pytest.raises(Refused, match="given its place already"):
        await joined("somebody else's")
    stage.ledger.refusal = "away"
    with pytest.raises(Refused, match="given its place already"):
        await joined("somebody else's")
