"""The small client through a network and a Redis that misbehave. Every test prints its seed."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.breaker import Breaker
from engine.client import FunctionClient
from engine.errors import CellDisconnected, CellTimedOut, CellUnavailable
from engine.torture.proxy import FaultProxy
from tests.faults.patience import call_until_answered
from tests.faults.redis_process import RedisProcess, running_redis

pytestmark = pytest.mark.chaos

SLACK_S = 1.0
"""Added to every bound on time: a slow machine must not decide a test."""
TIMEOUT_MS = 250
REFUSED_WITHIN_S = 0.3

LIBRARY = """#!lua name=client_faults_test
redis.register_function('echo', function(keys, args) return args[1] end)
redis.register_function('mark', function(keys, args) redis.call('INCR', keys[1]) return args[1] end)
"""


@pytest.fixture
async def server() -> AsyncIterator[RedisProcess]:
    async with running_redis() as process:
        await process.command("FUNCTION", "LOAD", LIBRARY)
        yield process


@pytest.fixture(params=["unix", "tcp"])
def listen(request: pytest.FixtureRequest, server: RedisProcess) -> str:
    return str(server.folder / "proxy.sock") if request.param == "unix" else ""


@pytest.fixture
def seed() -> int:
    number = random.SystemRandom().randrange(2**32)
    print(f"seed {number}")
    return number


class Crowd:
    """Callers who each make one call with a token of its own, and what became of each call."""

    def __init__(self, client: FunctionClient, seed: int) -> None:
        self._client = client
        self._random = random.Random(seed)
        self.outcomes: Counter[str] = Counter()
        self.crossed: list[tuple[str, Any]] = []
        self.answered: set[str] = set()
        self.unknown: set[str] = set()
        self.slowest_s = 0.0

    async def call(self, token: str, *, patience_s: float | None = None) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(patience_s):
                reply = await self._client.call("mark", [token], [token])
        except TimeoutError:
            self.outcomes["cancelled"] += 1
            self.unknown.add(token)
        except CellUnavailable as error:
            self.outcomes[type(error).__name__] += 1
            if isinstance(error, CellTimedOut | CellDisconnected):
                self.unknown.add(token)
        else:
            self.outcomes["answered"] += 1
            self.answered.add(token)
            if reply != token.encode():
                self.crossed.append((token, reply))
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)

    async def rush(self, name: str, *, callers: int, calls_each: int) -> None:
        """Many callers, one call after the other each; a third of the calls are given up midway."""

        async def caller(number: int) -> None:
            for n in range(calls_each):
                is_impatient = self._random.random() < 1 / 3
                patience_s = self._random.uniform(0, 0.01) if is_impatient else None
                await self.call(f"{name}-{number}-{n}", patience_s=patience_s)

        await asyncio.gather(*(caller(number) for number in range(callers)))

    async def trickle(self, until: float, pause_s: float, name: str) -> None:
        """One new call every `pause_s`, whether or not the others were answered, until a monotonic moment."""
        calls: list[asyncio.Task[None]] = []
        while time.monotonic() < until:
            calls.append(asyncio.create_task(self.call(f"{name}-{len(calls)}")))
            await asyncio.sleep(pause_s)
        await asyncio.gather(*calls)

    async def check(self, server: RedisProcess) -> None:
        """No reply went astray, no call ran twice, no refused call ran, every answered call ran."""
        assert self.crossed == []
        tokens = [token.decode() for token in await server.command("KEYS", "*")]
        runs = dict(zip(tokens, await server.command("MGET", *tokens), strict=True))
        assert set(runs.values()) == {b"1"}
        assert self.answered <= runs.keys() <= self.answered | self.unknown


async def test_replies_never_cross_and_calls_never_run_twice_whatever_the_network_does(
    server: RedisProcess, listen: str, seed: int
) -> None:
    never_opens = Breaker(consecutive_limit=10**9, window_minimum=10**9)
    async with (
        FaultProxy(server.socket_path, listen, seed=seed) as proxy,
        FunctionClient(proxy.redis_url, timeout_ms=TIMEOUT_MS, breaker=never_opens) as client,
    ):
        crowd = Crowd(client, seed)
        await crowd.rush("calm", callers=100, calls_each=10)
        proxy.delay_ms = (0, 8)
        proxy.cut_after_request_share = proxy.reset_share = proxy.drop_replies_share = 0.01
        for n in range(20):
            await crowd.rush(f"stormy-{n}", callers=100, calls_each=20)
            if n >= 2 and {"cut_after_request", "reset", "dropped_reply", "delay"} <= proxy.bitten.keys():
                break
        print(dict(proxy.bitten), dict(crowd.outcomes), "reconnects", client.reconnects)
        assert {"cut_after_request", "reset", "dropped_reply", "delay"} <= proxy.bitten.keys()
        assert crowd.outcomes["cancelled"] > 0
        assert crowd.outcomes["answered"] > 1_000
        assert client.reconnects > 0
        proxy.calm()
        assert await call_until_answered(client, "echo", "calm again") == b"calm again"
        await crowd.rush("after", callers=100, calls_each=10)
        assert client.waiting == 0
        await crowd.check(server)


async def test_replies_dropped_after_execution_leave_the_effect_unknown_and_are_not_asked_again(
    server: RedisProcess, listen: str, seed: int
) -> None:
    async with (
        FaultProxy(server.socket_path, listen, seed=seed) as proxy,
        FunctionClient(proxy.redis_url, timeout_ms=TIMEOUT_MS) as client,
    ):
        crowd = Crowd(client, seed)
        await crowd.call("before")
        proxy.drop_replies_share = 1.0
        await asyncio.gather(*(crowd.call(f"dropped-{n}") for n in range(50)))
        assert proxy.bitten["dropped_reply"] > 0
        assert crowd.outcomes == {"answered": 1, "CellDisconnected": 50}
        proxy.calm()
        assert await call_until_answered(client, "echo", "back") == b"back"
        await crowd.check(server)
        assert await server.command("DBSIZE") == 51, "each of them ran"


async def test_a_black_hole_answers_nobody_late_and_ends_with_a_new_connection(
    server: RedisProcess, listen: str, seed: int
) -> None:
    async with (
        FaultProxy(server.socket_path, listen, seed=seed) as proxy,
        FunctionClient(proxy.redis_url, timeout_ms=TIMEOUT_MS) as client,
    ):
        crowd = Crowd(client, seed)
        await crowd.call("before")
        proxy.is_black_hole = True
        await crowd.trickle(time.monotonic() + 1.5, 0.005, "lost")
        print(dict(proxy.bitten), dict(crowd.outcomes), f"slowest {crowd.slowest_s:.3f} s")
        assert proxy.bitten["black_hole"] > 0
        assert crowd.outcomes["answered"] == 1
        assert crowd.outcomes["BreakerOpen"] > 0
        assert crowd.slowest_s < REFUSED_WITHIN_S + SLACK_S
        proxy.calm()
        assert await call_until_answered(client, "echo", "back") == b"back"
        assert client.reconnects >= 1
        assert client.waiting == 0
        await crowd.check(server)


async def test_a_frozen_redis_refuses_fast_and_wakes_without_a_burst_of_stale_work(
    server: RedisProcess, seed: int
) -> None:
    async with FunctionClient(server.url, timeout_ms=TIMEOUT_MS) as client:
        crowd = Crowd(client, seed)
        await crowd.trickle(time.monotonic() + 0.3, 0.002, "before")
        assert crowd.outcomes["answered"] > 0
        crowd.slowest_s = 0.0
        server.freeze()
        await crowd.trickle(time.monotonic() + 2, 0.002, "frozen")
        assert client.timeouts > 0, "the freeze was felt"
        assert crowd.slowest_s < REFUSED_WITHIN_S + SLACK_S
        refused_at_once, made = crowd.outcomes["BreakerOpen"], crowd.outcomes.total()
        assert refused_at_once > (made - crowd.outcomes["answered"]) / 2
        assert client.breaker.state != "closed"
        thawed_at = time.monotonic()
        server.thaw()
        await call_until_answered(client, "echo", "back")
        back_after_s = time.monotonic() - thawed_at
        print(dict(crowd.outcomes), f"slowest {crowd.slowest_s:.3f} s, back after {back_after_s:.3f} s")
        assert back_after_s < 1 + SLACK_S
        assert client.breaker.is_closed
        assert client.waiting == 0
        # What ran after the thaw is at most what had left before the silence was noticed.
        await crowd.check(server)
        assert await server.command("DBSIZE") <= len(crowd.answered) + len(crowd.unknown)
        assert len(crowd.unknown) < refused_at_once


async def test_a_half_open_connection_is_found_out_and_replaced(server: RedisProcess, seed: int) -> None:
    async with (
        FaultProxy(server.socket_path, seed=seed) as proxy,
        FunctionClient(proxy.redis_url, timeout_ms=TIMEOUT_MS) as client,
    ):
        crowd = Crowd(client, seed)
        await crowd.call("before")
        proxy.is_black_hole = True
        await crowd.call("swallowed")
        proxy.calm()  # the link that lost bytes stays dead: only a new connection helps
        assert proxy.bitten["black_hole"] > 0
        assert crowd.outcomes == {"answered": 1, "CellTimedOut": 1}
        assert await call_until_answered(client, "echo", "back") == b"back"
        assert client.reconnects >= 1
        await crowd.check(server)


async def test_a_slow_redis_times_out_the_late_and_keeps_the_order_of_the_rest(server: RedisProcess, seed: int) -> None:
    never_opens = Breaker(consecutive_limit=10**9, window_minimum=10**9)
    async with (
        FaultProxy(server.socket_path, seed=seed) as proxy,
        FunctionClient(proxy.redis_url, timeout_ms=20, breaker=never_opens) as client,
    ):
        crowd = Crowd(client, seed)
        await crowd.call("before")
        proxy.delay_ms = (0, 20)  # both ways: about half of the calls come too late
        for n in range(5):
            await crowd.rush(f"slow-{n}", callers=50, calls_each=10)
        print(dict(proxy.bitten), dict(crowd.outcomes), "reconnects", client.reconnects)
        assert proxy.bitten["delay"] > 0
        assert crowd.outcomes["CellTimedOut"] > 0
        proxy.calm()
        assert await call_until_answered(client, "echo", "back") == b"back"
        await crowd.rush("after", callers=50, calls_each=10)
        await crowd.check(server)


async def test_a_connection_with_too_many_late_replies_to_come_is_given_up(server: RedisProcess, seed: int) -> None:
    async with (
        FaultProxy(server.socket_path, seed=seed) as proxy,
        FunctionClient(proxy.redis_url, timeout_ms=TIMEOUT_MS, waiting_limit=100) as client,
    ):
        crowd = Crowd(client, seed)
        await crowd.call("before")
        proxy.reply_bytes_a_second = 100  # something arrives all the time: the connection is not silent
        await asyncio.gather(*(crowd.call(f"late-{n}") for n in range(50)))
        assert proxy.bitten["slow_reply"] > 0
        assert crowd.outcomes["CellTimedOut"] > 10
        assert client.waiting == 0, "nobody waits for what the cut connection owed"
        proxy.calm()
        assert await call_until_answered(client, "echo", "back") == b"back"
        assert client.reconnects >= 1
        await crowd.check(server)


async def test_the_waiting_limit_holds_while_nothing_answers(server: RedisProcess, seed: int) -> None:
    async with FunctionClient(server.url, timeout_ms=TIMEOUT_MS, waiting_limit=200) as client:
        crowd = Crowd(client, seed)
        await crowd.call("before")
        server.freeze()
        calls = [asyncio.create_task(crowd.call(f"many-{n}")) for n in range(1_000)]
        await asyncio.sleep(0)
        assert client.waiting == 200
        for call in calls[:100]:
            call.cancel()
        await asyncio.sleep(0)
        assert client.waiting == 200, "a call that its caller gave up is still waited for"
        await asyncio.gather(*calls, return_exceptions=True)
        server.thaw()
        assert crowd.outcomes["CellOverloaded"] == 800
        assert client.refused == 800
        assert await call_until_answered(client, "echo", "back") == b"back"
        assert client.waiting == 0
