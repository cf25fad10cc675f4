"""The way to a house's Redis is slow, cut, or half open: it says 503 at once, and its neighbour sells on (B3)."""

import asyncio
import tomllib
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w

from engine.embedded.redis import EmbeddedRedis
from engine.torture.proxy import FaultProxy
from engine.words import HouseSlug
from tests.chaos.crowd import Crowd
from tests.chaos.truth import clean, recorded
from tests.faults.patience import until
from tests.town import Answer, Sale, Town, small_plan

WEST, OOST = HouseSlug("west"), HouseSlug("oost")
SEED = 3
AMPLE_S = 1.0
"""For an answer that takes 0.3 s on a machine of its own."""
ASKED = 40
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

FAULTS: dict[str, tuple[str, Callable[[FaultProxy], None]]] = {
    "slow": ("delay", lambda proxy: setattr(proxy, "delay_ms", (400, 800))),
    "half open": ("black_hole", lambda proxy: setattr(proxy, "is_black_hole", True)),
    "reset": ("reset", lambda proxy: setattr(proxy, "reset_share", 1.0)),
    "trickling": ("slow_reply", lambda proxy: setattr(proxy, "reply_bytes_a_second", 20)),
    "deaf": ("dropped_reply", lambda proxy: setattr(proxy, "drop_replies_share", 1.0)),
}


class FarTown(Town):
    """A town whose first house is reached by its visitors through a proxy; its keeper goes straight there."""

    def __init__(self) -> None:
        super().__init__((WEST, OOST), own_limits={OOST: {"redis_timeout_ms": 5_000}})
        self.redis_socket = EmbeddedRedis(self.folder / "data" / WEST / "redis").socket
        self.proxy_port = 0

    def serve(self) -> None:
        written = tomllib.loads(Path(self.network_file).read_text())
        for house in written["houses"]:
            if house["slug"] == WEST:
                user, _, _ = house["redis_url"].removeprefix("unix://").partition("@")
                house["redis_url"] = f"redis://{user}@127.0.0.1:{self.proxy_port}"
        far = self.folder / "far.toml"
        far.touch(mode=0o600)
        far.write_text(tomli_w.dumps(written))
        self.network_file, near = far, self.network_file
        super().serve()
        self.network_file = near


async def asks(sale: Sale, token: str, held: str) -> None:
    """One of each; every refusal is a 503 in good time that says when to come again."""
    clock = asyncio.get_running_loop().time

    async def timed(number: int) -> float:
        started = clock()
        asked = (
            lambda: sale.join_once(uuid.uuid4().hex),
            lambda: sale.best(token, 1),
            lambda: buy(sale, token, held),
        )
        answer = await asked[number % 3]()
        assert (answer.status, answer.slug) == (503, "cell-unavailable"), answer.json
        assert int(answer.headers["Retry-After"]) >= 1
        return clock() - started

    slowest_s = max(await asyncio.gather(*map(timed, range(ASKED))))
    assert slowest_s < AMPLE_S
    print(f"slowest refusal {slowest_s * 1000:.0f} ms")


async def strike(name: str, proxy: FaultProxy, west: Sale, crowd: Crowd) -> None:
    """The first house under a fault, and after it; meanwhile the crowd at the other one buys on."""
    counter, begin = FAULTS[name]
    token = await west.enter()
    held = (await west.best(token, 1)).json["hold"]
    bitten = proxy.bitten[counter]
    begin(proxy)
    await until(lambda: refuses(west, token), within_s=5)
    print(name, end=": ")
    await asks(west, token, held)
    await crowd.until_confirmed(10)
    assert proxy.bitten[counter] > bitten, f"{name} did not bite"
    proxy.calm()
    proxy.cut_all()
    await until(lambda: buys(west, token, held))


async def test_a_slow_or_half_open_way_to_one_redis_is_refused_at_once_and_the_neighbour_sells_on() -> None:
    print(f"seed {SEED}")
    town = FarTown()
    async with FaultProxy(str(town.redis_socket), seed=SEED) as proxy:
        try:
            town.proxy_port = int(proxy.address.rpartition(":")[2])
            await asyncio.to_thread(town.start)
            await town.until_ready()
            plan = small_plan(rows=20, seats=40, standing=20_000)
            west, oost = await town.open_sale(WEST, plan=plan), await town.open_sale(OOST, plan=plan)
            async with west, oost:
                async with Crowd(oost, SEED) as crowd:
                    for name in FAULTS:
                        await strike(name, proxy, west, crowd)
                    await crowd.until_confirmed(10)
                assert not crowd.refused
                assert crowd.unknown == 0
                await west.until_drained()
                await oost.until_drained()
            assert await recorded(town, OOST) >= crowd.bought
            assert len(await recorded(town, WEST)) == len(FAULTS)
            await clean(town, WEST, OOST)
        finally:
            await asyncio.to_thread(town.stop)


async def refuses(sale: Sale, token: str) -> bool:
    return (await sale.best(token, 1)).status == 503


async def buy(sale: Sale, token: str, held: str) -> Answer:
    """Always with the same key and payment: whatever was lost on the way, it is bought once."""
    return await sale.order(token, held, payment=f"yes-{held[-20:]}", key=held[-30:])


async def buys(sale: Sale, token: str, held: str) -> bool:
    return (await buy(sale, token, held)).status == 202
