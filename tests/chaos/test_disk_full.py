"""A full disk ends a Redis that syncs always: joining and holding stop so early that what is held can be bought."""

import asyncio
import os
import subprocess
import uuid
from typing import Any

import psutil
import pytest

from engine.gauges import CONFIRMATION_BYTES
from engine.pressure import SHED_AT, Level
from engine.redis_urls import connect
from engine.words import HouseSlug
from tests.chaos.truth import clean, recorded
from tests.faults.patience import until
from tests.town import Answer, Sale, Town, small_plan

HOUSE = HouseSlug("vol")
MEBIBYTE = 1024 * 1024
DISK_BYTES = 32 * MEBIBYTE
RESERVE_BYTES = 2 * MEBIBYTE
ROOM_BYTES = MEBIBYTE
"""What may still be written before joining stops."""
HELD = 100
KEPT_BACK = 10
"""Holds that are bought when the disk is full indeed; the first of them may find room in a page that was begun."""
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]


class FullTown(Town):
    """A town whose one Redis lies on a small disk of its own."""

    def __init__(self) -> None:
        super().__init__((HOUSE,), limits={"disk_free_bytes": RESERVE_BYTES, "redis_timeout_ms": 1_000})
        self.disk = self.folder / "data" / HOUSE / "redis"
        self.disk.mkdir(parents=True)
        self.is_mounted = False

    def mount(self) -> None:
        """Skips the test where this machine does not let us."""
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(self.disk)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"no disk can be mounted here: {error}")
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        self.is_mounted = True

    def stop(self) -> None:
        if self.is_mounted:  # Redis, which works in there, keeps it until it ends
            subprocess.run(["umount", "--lazy", self.disk], check=True)
        super().stop()

    @property
    def free_bytes(self) -> int:
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_frsize

    def leave_free(self, count: int) -> None:
        """Fills the disk until so many bytes are free."""
        with (self.disk / "ballast").open("ab") as ballast:
            ballast.write(bytes(max(0, self.free_bytes - count)))

    async def has_redis_ended(self) -> bool:
        try:
            return psutil.Process(self.servers.redis[HOUSE].pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


async def hold(sale: Sale) -> Answer:
    """A standing place, for the counter."""
    item = {"performance": sale.performance, "area": "vloer", "quantity": 1}
    return await sale.post("/holds", {"items": [item]}, token=sale.counter_key)


async def order(sale: Sale, held: str, *, key: str = "") -> Answer:
    return await sale.order(
        sale.counter_key, held, payment=f"yes-{held[-20:]}", key=key and uuid.uuid5(uuid.NAMESPACE_OID, key).hex
    )


async def needed_bytes(town: Town) -> float:
    """What the keeper keeps free: reserve, confirmations and a rewrite."""
    owner = connect(town.network.house(HOUSE).redis_owner_url)
    try:
        memory: dict[str, Any] = await owner.info("memory")
    finally:
        await owner.aclose()
    return float(RESERVE_BYTES + HELD * CONFIRMATION_BYTES + memory["used_memory_dataset"])


async def until_refused(sale: Sale, town: FullTown) -> list[str]:
    """Joins until that is refused, then holds until that is too. Gives what is held by then."""
    joined, most = 0, 20_000
    while joined < most:
        answers = await asyncio.gather(*(sale.join_once(uuid.uuid4().hex) for _ in range(10)))
        joined += sum(answer.status == 201 for answer in answers)
        assert {(answer.status, answer.slug) for answer in answers} <= {(201, ""), (503, "house-busy")}
        if any(answer.status == 503 for answer in answers):
            break
        await asyncio.sleep(0.02)  # what is refused is decided twice a second
    print(f"joining stopped after {joined} joins with {town.free_bytes / MEBIBYTE:.1f} MiB free")
    assert 0 < joined < most
    held: list[str] = []
    while len(held) < most:
        answer = await hold(sale)
        if answer.status != 201:
            assert (answer.status, answer.slug) == (503, "house-busy")
            assert int(answer.headers["Retry-After"]) > 0
            break
        held.append(answer.json["hold"])
    print(f"holding stopped after {len(held)} more holds with {town.free_bytes / MEBIBYTE:.1f} MiB free")
    return held


async def test_a_disk_that_runs_full_stops_joins_and_holds_and_every_live_hold_is_bought() -> None:
    town = FullTown()
    try:
        town.mount()
        await asyncio.to_thread(town.start)
        await town.until_ready()
        plan = small_plan(standing=5_000)
        async with await town.open_sale(HOUSE, plan=plan, hold_seconds=600) as sale:
            held = [(await hold(sale)).json["hold"] for _ in range(HELD)]
            town.leave_free(int(await needed_bytes(town) / SHED_AT[Level.JOINS]) + ROOM_BYTES)
            held += await until_refused(sale, town)
            assert (await sale.join_once("one more")).slug == "house-busy"
            told = (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json["pressure"]
            assert "joining and holding are refused" in told
            assert "disk" in told

            before = town.free_bytes
            let_go, *rest = held
            rest, last = rest[:-KEPT_BACK], rest[-KEPT_BACK:]
            assert (await sale.ask("DELETE", f"/holds/{let_go}", token=sale.counter_key)).status == 204
            bought = await asyncio.gather(*(order(sale, each) for each in rest))
            assert {answer.status for answer in bought} == {202}
            assert before - town.free_bytes <= len(bought) * CONFIRMATION_BYTES, (
                "a confirmation takes more than is said"
            )
            assert not await town.has_redis_ended()
            print(f"{len(bought)} orders confirmed, {town.free_bytes / MEBIBYTE:.1f} MiB free")

            # The very same disk, without the room that was kept: this is what it was kept from.
            town.leave_free(0)
            tried = [(await order(sale, each, key=each), each) for each in last]
            assert {answer.status for answer, _ in tried} <= {202, 503}
            assert tried[-1][0].status == 503
            await until(town.has_redis_ended)
            (town.disk / "ballast").unlink()
            await asyncio.to_thread(town.servers.redis[HOUSE].start)
            await town.until_ready()
            again = [await order(sale, each, key=each) for _, each in tried]
            assert {answer.status for answer in again} <= {202, 410}
            await sale.until_drained()
            answers = [*bought, *again, *(answer for answer, _ in tried)]
            confirmed = {(answer.json["order"], 1) for answer in answers if answer.status == 202}
            assert await recorded(town, HOUSE) >= confirmed
            await clean(town, HOUSE)
    finally:
        await asyncio.to_thread(town.stop)
