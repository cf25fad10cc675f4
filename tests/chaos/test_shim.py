"""The faults of disk and clock, each seen to do what it says to a Redis, and to leave it alone afterwards."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from engine.address import address_of
from engine.embedded.redis import EmbeddedRedis
from engine.torture.shim import Shim, missing

pytestmark = [pytest.mark.chaos, pytest.mark.skipif(bool(missing()), reason=f"not available here: {missing()}")]
HOUR_MS = 3_600_000


class Server:
    """A Redis with the shim."""

    def __init__(self, folder: Path) -> None:
        self.shim = Shim(folder / "shim")
        self.redis = EmbeddedRedis(folder / "redis")
        self.redis.environment = self.shim.environment
        self.redis.start()
        self.client = self.connect(timeout_s=5)

    def connect(self, timeout_s: float) -> redis.Redis:
        address = address_of(self.redis.owner_url)
        never = Retry(NoBackoff(), 0)
        return redis.Redis(
            unix_socket_path=address.path, password=address.password, socket_timeout=timeout_s, retry=never
        )

    def restart(self) -> None:
        self.shim.calm()
        self.redis.start()
        self.client.close()
        self.client = self.connect(timeout_s=5)

    def end(self) -> None:
        self.client.close()
        self.redis.erase()
        self.shim.close()

    def write(self, key: str, *, until_answered: bool = True) -> None:
        if until_answered:
            self.client.set(key, "here")
            return
        with self.connect(timeout_s=0.2) as hasty, pytest.raises(redis.TimeoutError):
            hasty.set(key, "here")

    def names(self) -> set[str]:
        found: set[bytes] = self.client.execute_command("KEYS", "*")
        return {key.decode() for key in found}


@pytest.fixture
def server(short_folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    running = Server(short_folder / f"shim-{abs(hash(request.node.name)) % 100_000}")
    yield running
    running.end()


def test_a_power_cut_takes_what_was_not_synced_and_a_kill_does_not(server: Server) -> None:
    server.write("synced")
    server.shim.slow_down(1.0, HOUR_MS)
    server.write("written", until_answered=False)
    server.redis.kill()
    server.restart()
    assert server.names() == {"synced", "written"}, "what was written outlives the process"

    server.shim.slow_down(1.0, HOUR_MS)
    server.write("lost", until_answered=False)
    server.redis.kill()
    cut = server.shim.cut_power(server.redis.folder, random.Random(1))
    assert cut.lost_bytes > 0
    server.restart()
    # The first sync after the restart never ended: what was in the page cache alone is gone with it.
    assert server.names() == {"synced"}
    assert server.shim.evidence.slowed >= 2
    assert server.shim.evidence.loads >= 3


def test_a_torn_command_is_no_command(server: Server) -> None:
    server.write("synced")
    torn = 0
    for seed in range(8):
        server.shim.slow_down(1.0, HOUR_MS)
        server.write(f"torn-{seed}", until_answered=False)
        server.redis.kill()
        torn += server.shim.cut_power(server.redis.folder, random.Random(seed)).torn_bytes
        server.restart()
        assert server.names() == {"synced"}
    assert torn > 0, "the fault did not bite"


def test_a_full_disk_ends_a_redis_that_promised_to_sync_and_loses_nothing_it_answered(server: Server) -> None:
    server.write("before")
    server.shim.fill_disk(10)
    with pytest.raises(redis.ConnectionError):
        server.write("too-much")
    assert server.shim.evidence.refused > 0
    for _ in range(500):
        if not server.redis.is_running:
            break
        time.sleep(0.01)
    assert not server.redis.is_running
    server.restart()
    assert "before" in server.names()


def test_the_clock_jumps_and_comes_back_and_nothing_sleeps_longer_for_it(server: Server) -> None:
    def now_ms() -> float:
        seconds, microseconds = server.client.time()
        return float(seconds * 1000 + microseconds / 1000)

    for jump_ms in (HOUR_MS, -HOUR_MS, 1, 0):
        server.shim.jump(jump_ms)
        assert abs(now_ms() - time.time() * 1000 - jump_ms) < 5_000
    assert server.shim.evidence.shifted > 0
    server.client.set("for-a-minute", "x", ex=60)
    server.shim.jump(HOUR_MS)
    assert server.client.get("for-a-minute") is None


def test_syncs_are_slow_in_the_share_that_is_asked_for(server: Server) -> None:
    server.shim.slow_down(0.5, 1)
    before = server.shim.evidence
    for number in range(200):
        server.write(str(number))
    after = server.shim.evidence
    assert after.syncs - before.syncs >= 200
    assert 50 <= after.slowed - before.slowed <= 150


def test_a_torn_transaction_leaves_nothing_behind_that_a_later_restart_would_run(server: Server) -> None:
    """Redis by itself forgets half a transaction at the first start after a power cut, and runs it at the second."""
    both = "redis.call('INCR', 'one') redis.call('INCR', 'two')"
    for seed in range(12):
        server.client.eval(both, 0)
        server.shim.slow_down(1.0, HOUR_MS)
        with server.connect(timeout_s=0.2) as hasty, pytest.raises(redis.TimeoutError):
            hasty.eval(both, 0)
        server.redis.kill()
        server.shim.cut_power(server.redis.folder, random.Random(seed))
        server.restart()
        server.client.eval(both, 0)
        server.redis.kill()
        server.restart()
        assert server.client.mget("one", "two") == [str(2 * seed + 2).encode()] * 2
    assert "Reached EOF before reading EXEC for MULTI" in server.redis.log.read_text(), "the fault did not bite"
