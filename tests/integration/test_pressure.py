"""What the keeper reads of Redis, and that everybody learns what it means."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from engine import seats
from engine.catalogue import OnSale
from engine.errors import CellOutOfMemory, Refused
from engine.gauges import CONFIRMATION_BYTES, Gauges
from engine.network import Limits
from engine.pressure import Level, Strain
from engine.words import HouseSlug
from tests.backstage import LONGEST_SECONDS, Backstage, seat_names, until
from tests.conftest import owner_of
from tests.integration.commands import Parvis
from tests.town import Town

MEBIBYTE = 1024 * 1024
ENOUGH_BYTES = 1024 * MEBIBYTE


@pytest.fixture
def settings(stage: Backstage) -> Iterator[redis.Redis]:
    """The Redis whose memory a test limits, as it was afterwards."""
    yield stage.redis
    stage.redis.config_set("maxmemory", 0)


def gauges(stage: Backstage, **limits: int) -> Gauges:
    """The keeper's gauges, with other limits."""
    cell = stage.keeper.cell
    asked = msgspec.structs.asdict(stage.house.limits) | limits
    cell.house = msgspec.structs.replace(stage.house, limits=Limits(**asked))
    return Gauges(cell, stage.owner)


async def strain(found: Gauges, source: str) -> Strain | None:
    return next((each for each in await found.read() if each.source == source), None)


async def put_on(stage: Backstage) -> OnSale:
    """An on-sale that the keeper knows as well."""
    on_sale = await stage.put_on()
    await stage.keeper.cell.look()
    return on_sale


async def learned(stage: Backstage) -> Level:
    await stage.cell.look()
    return stage.cell.pressure.level


def used(stage: Backstage) -> int:
    return int(stage.redis.info("memory")["used_memory"])


async def test_memory_is_watched_where_redis_has_a_limit(stage: Backstage, settings: redis.Redis) -> None:
    await stage.open()
    assert await strain(gauges(stage), "memory") is None
    settings.config_set("maxmemory", 4 * used(stage))
    found = await strain(gauges(stage), "memory")
    assert found is not None
    assert 0.2 < found.share < 0.3


async def test_short_of_memory_joins_go_and_then_holds_and_everything_is_back_by_itself(
    stage: Backstage, settings: redis.Redis
) -> None:
    await stage.open()
    on_sale = await put_on(stage)
    held, given_back = await stage.hold(on_sale, "zaal-A-1"), await stage.hold(on_sale, "zaal-A-2")
    keeper = gauges(stage)
    for share, level in ((0.5, Level.CALM), (0.85, Level.JOINS), (0.95, Level.HOLDS)):
        settings.config_set("maxmemory", int(used(stage) / share))
        await keeper.tell()
        assert await learned(stage) is level
        for what in (Level.JOINS, Level.HOLDS):
            if level >= what:
                with pytest.raises(Refused, match="catching up") as refused:
                    stage.cell.shed(what)
                assert refused.value.slug == "house-busy"
            else:
                stage.cell.shed(what)
    assert (await stage.status(on_sale)).slowed_percent == 100
    settings.config_set("maxmemory", used(stage) // 2)
    with pytest.raises(CellOutOfMemory):
        await stage.hold(on_sale, "zaal-A-3")
    await keeper.tell()  # telling goes on too
    await stage.confirm(held)
    await seats.release(stage.cell, given_back.hold)
    assert await stage.sold(on_sale) == {"zaal-A-1"}
    settings.config_set("maxmemory", used(stage) * 4)
    await keeper.tell()
    assert await learned(stage) is Level.CALM
    assert (await stage.status(on_sale)).slowed_percent == 0
    await stage.hold(on_sale, "zaal-A-3")


async def test_a_cell_that_is_out_of_memory_comes_up_again_and_confirms(
    stage: Backstage, settings: redis.Redis
) -> None:
    await stage.open()
    on_sale = await put_on(stage)
    held = await stage.hold(on_sale, "zaal-A-1")
    settings.config_set("maxmemory", used(stage) // 2)
    epoch = stage.cell.epoch
    await stage.keeper.cell.ask("cell/close", (stage.keys.cell,), (epoch,))
    await stage.open()
    assert int(stage.cell.epoch) > int(epoch)
    await stage.confirm(held)
    assert await stage.sold(on_sale) == {"zaal-A-1"}


async def test_the_disk_is_watched_where_the_folder_of_redis_can_be_seen(stage: Backstage) -> None:
    await stage.open()
    found = await strain(gauges(stage, disk_free_bytes=MEBIBYTE), "disk")
    assert found is not None
    assert found.used >= MEBIBYTE
    assert found.budget > 0


def rewritten(stage: Backstage) -> int:
    """What a rewrite of the append-only file would write."""
    return int(stage.redis.info("memory")["used_memory_dataset"])


async def test_what_must_stay_free_grows_with_every_live_hold(stage: Backstage) -> None:
    await stage.open()
    on_sale = await put_on(stage)
    keeper = gauges(stage, disk_bytes=ENOUGH_BYTES)
    kept_before = rewritten(stage)
    before = await strain(keeper, "disk")
    for seat in (seat for row in "ABCD" for seat in seat_names(row, 10)):
        await stage.hold(on_sale, seat)
    kept_after = rewritten(stage)
    after = await strain(keeper, "disk")
    assert before is not None
    assert after is not None
    # Of the forty; what else this Redis holds changes by itself from moment to moment.
    assert (after.used - kept_after) - (before.used - kept_before) >= 20 * CONFIRMATION_BYTES
    assert after.budget < before.budget  # the holds themselves are in the append-only file


async def test_a_disk_elsewhere_is_watched_by_its_budget_alone(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open()
    size = stage.redis.info("persistence")["aof_current_size"]
    keeper = gauges(stage, disk_bytes=size + 2 * MEBIBYTE, disk_free_bytes=MEBIBYTE)
    found = await strain(keeper, "disk")
    assert found is not None
    assert found.budget <= 2 * MEBIBYTE
    await keeper.tell()
    assert await learned(stage) >= Level.JOINS
    # The folder that Redis names is none of this machine's, and nobody has said what there is.
    monkeypatch.setattr("engine.gauges.Path", lambda _: Path("/nowhere"))
    assert await strain(gauges(stage), "disk") is None


async def test_confirming_takes_no_more_of_the_disk_than_is_kept_for_it(stage: Backstage) -> None:
    await stage.open()
    on_sale = await put_on(stage)
    held = [await stage.hold(on_sale, *seat_names(row, 10)) for row in "AB"]

    def size() -> int:
        return int(stage.redis.info("persistence")["aof_current_size"])

    before = size()
    for each in held:
        await stage.confirm(each)
    taken = (size() - before) / len(held)
    print(f"confirming ten seats takes {taken:.0f} bytes of the append-only file")
    assert 0 < taken <= CONFIRMATION_BYTES


async def test_the_keeper_tells_by_itself(stage: Backstage, settings: redis.Redis) -> None:
    await stage.open()
    async with stage.running(stage.keeper):
        settings.config_set("maxmemory", int(used(stage) / 0.95))

        async def is_told() -> bool:
            return await learned(stage) is Level.HOLDS

        await until(is_told, "holds are shed")
        settings.config_set("maxmemory", 0)

        async def is_calm() -> bool:
            return await learned(stage) is Level.CALM

        await until(is_calm, "calm again")


async def test_a_process_that_is_late_again_and_again_sheds_by_itself(stage: Backstage) -> None:
    await stage.open()
    cell = stage.cell
    for late_s, level in ((5, Level.CALM), (5, Level.CALM), (0.85, Level.JOINS), (5, Level.JOINS), (5, Level.JOINS)):
        cell.note_lag(late_s)
        assert cell.own_pressure.level is level
    cell.note_lag(5)
    assert str(cell.worst_pressure).startswith("joining and holding are refused (cpu: ")
    with pytest.raises(Refused):
        cell.shed(Level.HOLDS)
    cell.note_lag(0)
    cell.shed(Level.JOINS)


async def test_a_process_with_many_requests_keeps_room_for_those_that_end_well(stage: Backstage) -> None:
    await stage.open()
    cell = stage.cell
    limit = cell.house.limits.concurrency
    for under_way, shed in ((0, []), (limit * 0.8, [Level.JOINS]), (limit * 0.9, [Level.JOINS, Level.HOLDS])):
        cell.under_way = int(under_way)
        for what in (Level.JOINS, Level.HOLDS):
            if what in shed:
                with pytest.raises(Refused, match="too many requests"):
                    cell.shed(what)
            else:
                cell.shed(what)
    cell.under_way = 0


def test_the_doctor_says_under_which_pressure_a_house_is(town: Town, parvis: Parvis) -> None:
    strained = "noord: it is under pressure: joining and holding are refused"

    def until_said(*, is_strained: bool) -> str:
        deadline = time.monotonic() + LONGEST_SECONDS
        while True:
            said = parvis("doctor", "--network", str(town.network_file))
            if (strained in said.words) == is_strained:
                assert said.code == 1 or not is_strained
                return said.words
            assert time.monotonic() < deadline, said.words
            time.sleep(0.1)

    with owner_of(town.servers.redis[HouseSlug("noord")]) as owner:
        owner.config_set("maxmemory", int(owner.info("memory")["used_memory"] / 0.95))
        try:
            words = until_said(is_strained=True)
            assert "(memory: " in words
            assert "✓ zuid: open" in words
        finally:
            owner.config_set("maxmemory", 0)
        until_said(is_strained=False)
