"""The small client against a real Redis: replies, errors, limits, users, and slots that move."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from engine.breaker import Breaker
from engine.client import FunctionClient
from engine.errors import (
    BadInput,
    BreakerOpen,
    BrokenContract,
    CellBusy,
    CellDisconnected,
    CellOutOfMemory,
    CellOverloaded,
    CellTimedOut,
    CellUnavailable,
    CellUnreachable,
    FunctionMissing,
)
from tests.faults.nodes import bus_port
from tests.faults.patience import call_until_answered, until
from tests.faults.redis_process import RedisProcess, running_redis

LIBRARY = """#!lua name=client_test
redis.register_function('echo', function(keys, args) return args[1] end)
redis.register_function('many', function(keys, args)
  return {keys[1], keys[2], #args, args[1], args[2], false} end)
redis.register_function('count', function(keys, args) return redis.call('INCR', keys[1]) end)
redis.register_function('fail', function(keys, args) return redis.error_reply('ODD ' .. args[1]) end)
redis.register_function('nest', function(keys, args)
  return {'before', redis.error_reply('ODD inside'), 'after'} end)
redis.register_function('midway', function(keys, args)
  redis.call('INCR', keys[1]) error({err='READONLY from a command'}) end)
redis.register_function('spin', function(keys, args) while true do end end)
redis.register_function{function_name='read', flags={'no-writes'},
  callback=function(keys, args) return redis.call('GET', keys[1]) end}
redis.register_function{function_name='count_when_full', flags={'allow-oom'},
  callback=function(keys, args) return redis.call('INCR', keys[1]) end}
"""


@pytest.fixture
async def server() -> AsyncIterator[RedisProcess]:
    async with running_redis("--busy-reply-threshold", "50") as process:
        await process.command("FUNCTION", "LOAD", LIBRARY)
        yield process


@pytest.fixture
async def client(server: RedisProcess) -> AsyncIterator[FunctionClient]:
    async with FunctionClient(server.url, timeout_ms=5_000) as the_client:
        yield the_client


async def test_replies_keep_their_shape_and_strings_are_bytes(client: FunctionClient) -> None:
    assert await client.call("echo", [], ["seat Ω"]) == "seat Ω".encode()
    assert await client.call("echo", [], [b"\x00\r\n\xff"]) == b"\x00\r\n\xff"
    assert await client.call("echo", [], [7]) == b"7"
    assert await client.call("many", ["a", b"b"], [1, "x", b"y"]) == [b"a", b"b", 3, b"1", b"x", None]
    assert await client.call("count", ["n"], []) == 1
    assert await client.call("read", ["n"], [], read_only=True) == b"1"
    assert await client.call("read", ["absent"], [], read_only=True) is None
    assert client.waiting == 0
    assert client.calls == 7


async def test_a_writing_function_is_not_called_read_only(client: FunctionClient) -> None:
    with pytest.raises(BrokenContract):
        await client.call("count", ["n"], [], read_only=True)


async def test_calls_of_one_tick_are_answered_each_with_its_own(client: FunctionClient) -> None:
    replies = await asyncio.gather(*(client.call("echo", [], [n]) for n in range(5_000)))
    assert replies == [str(n).encode() for n in range(5_000)]


async def test_a_missing_function_is_told_apart_and_does_not_open_the_breaker(client: FunctionClient) -> None:
    for _ in range(50):
        with pytest.raises(FunctionMissing):
            await client.call("no_such_function", [], [])
    assert client.breaker.is_closed


async def test_an_unknown_error_reply_breaks_the_contract(client: FunctionClient) -> None:
    with pytest.raises(BrokenContract, match="ODD thing"):
        await client.call("fail", [], ["thing"])
    before, inside, after = await client.call("nest", [], [])
    assert (before, after) == (b"before", b"after")
    assert isinstance(inside, BrokenContract)


async def test_an_error_in_the_middle_of_a_function_is_never_taken_for_a_refusal(
    client: FunctionClient,
) -> None:
    with pytest.raises(BrokenContract, match="READONLY from a command"):
        await client.call("midway", ["n"], [])
    assert await client.call("read", ["n"], [], read_only=True) == b"1"


async def test_an_argument_that_is_no_word_reaches_nobody(client: FunctionClient) -> None:
    with pytest.raises(TypeError):
        await client.call("echo", [], [None])  # type: ignore[list-item]
    assert await client.call("echo", [], ["next"]) == b"next"


async def test_short_memory_refuses_some_and_lets_others_through(server: RedisProcess, client: FunctionClient) -> None:
    await server.command("CONFIG", "SET", "maxmemory", "1")
    for _ in range(50):
        with pytest.raises(CellOutOfMemory):
            await client.call("count", ["n"], [])
    assert client.breaker.is_closed, "confirming and releasing must still get through"
    assert await client.call("count_when_full", ["n"], []) == 1


async def test_a_replica_is_busy_for_writers(server: RedisProcess, client: FunctionClient) -> None:
    await server.command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(CellBusy, match="READONLY"):
        await client.call("count", ["n"], [])


async def test_a_spinning_function_makes_the_cell_busy_until_it_is_killed(server: RedisProcess) -> None:
    async with (
        FunctionClient(server.url, timeout_ms=10_000) as spinner,
        FunctionClient(server.url, timeout_ms=10_000) as client,
    ):
        spinning = asyncio.create_task(spinner.call("spin", [], []))
        await asyncio.sleep(0.1)
        seen: set[type[Exception]] = set()
        for _ in range(20):
            with pytest.raises((CellBusy, BreakerOpen)) as refusal:
                await client.call("echo", [], [1])
            seen.add(refusal.type)
        assert seen == {CellBusy, BreakerOpen}
        await server.command("FUNCTION", "KILL")
        with pytest.raises(BrokenContract):
            await spinning
        assert await call_until_answered(client, "echo", "back") == b"back"
        assert client.breaker.is_closed


async def test_above_the_waiting_limit_callers_are_refused_at_once(server: RedisProcess) -> None:
    async with FunctionClient(server.url, timeout_ms=10_000, waiting_limit=100) as client:
        replies = await asyncio.gather(*(client.call("count", ["n"], []) for _ in range(150)), return_exceptions=True)
        assert sorted(reply for reply in replies if isinstance(reply, int)) == list(range(1, 101))
        assert sum(isinstance(reply, CellOverloaded) for reply in replies) == 50
        assert (client.refused, client.calls, client.waiting) == (50, 100, 0)
        assert await client.call("count", ["n"], []) == 101, "the refused were never sent"


async def test_writing_pauses_while_redis_does_not_read_and_goes_on_after(server: RedisProcess) -> None:
    async with FunctionClient(server.url, timeout_ms=20_000) as client:
        await client.call("echo", [], [0])
        server.freeze()
        bulk = b"x" * 100_000
        calls = []
        for n in range(100):
            calls.append(asyncio.create_task(client.call("echo", [], [b"%d " % n + bulk])))
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert client.write_pauses == 1
        for call in calls[50:75]:
            call.cancel()
        server.thaw()
        replies = await asyncio.gather(*calls, return_exceptions=True)
        for n, reply in enumerate(replies):
            if 50 <= n < 75:
                assert isinstance(reply, asyncio.CancelledError)
            else:
                assert reply == b"%d " % n + bulk
        assert client.waiting == 0
        assert client.write_pauses >= 1


async def test_a_house_user_with_nothing_but_functions_can_call_and_a_stranger_cannot(
    server: RedisProcess,
) -> None:
    password = "p@ss/?&+ %word"
    await server.command("ACL", "SETUSER", "zeewind", "on", f">{password}", "-@all", "+fcall", "+incr", "~{zeewind}*")
    await server.command("ACL", "SETUSER", "default", "off")
    known = f"{server.url}?user=zeewind&password={quote(password, safe='')}"
    async with FunctionClient(known) as client:
        assert await client.call("count", ["{zeewind}:n"], []) == 1
        with pytest.raises(BrokenContract, match="NOPERM"):
            await client.call("count", ["{klinker}:n"], [])
    for url in (server.url, f"{server.url}?user=zeewind&password=wrong-word"):
        async with FunctionClient(url) as client:
            with pytest.raises((CellUnreachable, BrokenContract)) as refusal:
                await client.call("count", ["{zeewind}:n"], [])
            assert "wrong-word" not in str(refusal.value)
            assert "AUTH" in str(refusal.value) or "WRONGPASS" in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:6379",
        "redis://",
        "redis://:secret-word@127.0.0.1:6379/3",
        "redis://:secret-word@127.0.0.1:99999",
        "unix://",
        "unix:///tmp/redis.sock?password=secret-word&db=2",
        "redis://:secret-word@127.0.0.1?retry_on_timeout=yes",
    ],
)
def test_a_url_that_cannot_be_right_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(BadInput) as refusal:
        FunctionClient(url)
    assert "secret-word" not in str(refusal.value)


async def test_a_call_that_takes_too_long_times_out_and_its_late_reply_goes_to_nobody(
    server: RedisProcess,
) -> None:
    async with FunctionClient(server.url, timeout_ms=150) as client:
        assert await client.call("count", ["n"], []) == 1
        server.freeze()
        with pytest.raises(CellTimedOut):
            await client.call("count", ["n"], [])
        server.thaw()
        # The server ran it all the same: this is what "effect unknown" means.
        await until(lambda: server.says(b"2", "GET", "n"))
        assert await call_until_answered(client, "echo", "mine") == b"mine"
        assert client.timeouts >= 1
        assert client.reconnects >= 1, "a silent connection is cut"


async def test_our_own_loop_standing_still_times_nothing_out(server: RedisProcess) -> None:
    async with FunctionClient(server.url, timeout_ms=200) as client:
        await client.call("echo", [], [0])
        calls = [asyncio.create_task(client.call("echo", [], [n])) for n in range(100)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(0.4)  # noqa: ASYNC251 - the fault under test
        assert await asyncio.gather(*calls) == [str(n).encode() for n in range(100)]
        assert client.timeouts == 0


async def test_a_lost_connection_tells_the_callers_and_is_made_again(server: RedisProcess) -> None:
    async with FunctionClient(server.url, timeout_ms=5_000) as client:
        await client.call("echo", [], [0])
        server.freeze()
        under_way = [asyncio.create_task(client.call("echo", [], [n])) for n in range(100)]
        await asyncio.sleep(0.05)
        await server.kill()
        outcomes = await asyncio.gather(*under_way, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} <= {CellDisconnected, bytes}
        assert CellDisconnected in {type(outcome) for outcome in outcomes}
        await server.start()
        await server.command("FUNCTION", "LOAD", LIBRARY)
        assert await call_until_answered(client, "echo", "back") == b"back"
        assert client.reconnects == 1
        assert client.waiting == 0


async def test_a_call_made_before_redis_is_up_is_sent_when_it_is(server: RedisProcess) -> None:
    await server.kill()
    breaker = Breaker(consecutive_limit=1_000)
    async with FunctionClient(server.url, timeout_ms=10_000, breaker=breaker) as client:
        early = asyncio.create_task(client.call("no_such_function", [], []))
        await asyncio.sleep(0.1)
        assert client.waiting == 1
        await server.start()
        with pytest.raises(FunctionMissing):
            await early


async def test_where_nobody_listens_the_call_was_never_sent(server: RedisProcess) -> None:
    await server.kill()
    async with FunctionClient(server.url, timeout_ms=100) as client:
        with pytest.raises(CellUnreachable, match="never sent"):
            await client.call("echo", [], [1])
        assert client.waiting == 0
        assert client.timeouts == 1


async def test_closing_answers_everybody_and_later_calls_are_refused(server: RedisProcess) -> None:
    client = FunctionClient(server.url, timeout_ms=10_000)
    await client.call("echo", [], [0])
    server.freeze()
    under_way = asyncio.create_task(client.call("echo", [], [1]))
    await asyncio.sleep(0.02)
    unflushed = asyncio.create_task(client.call("echo", [], [2]))
    await client.close()
    outcomes = await asyncio.gather(under_way, unflushed, return_exceptions=True)
    server.thaw()
    assert isinstance(outcomes[0], CellDisconnected)
    assert isinstance(outcomes[1], (CellDisconnected, CellUnreachable))
    with pytest.raises(CellUnreachable):
        await client.call("echo", [], [3])
    assert client.waiting == 0
    await client.close()


async def test_a_slot_that_moved_to_another_node_is_followed() -> None:
    ports = [bus_port(), bus_port()]
    options = [
        (
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "2000",
        )
        for port in ports
    ]
    async with running_redis(*options[0]) as first, running_redis(*options[1]) as second:
        await first.command("CLUSTER", "ADDSLOTSRANGE", 0, 8_191)
        await second.command("CLUSTER", "ADDSLOTSRANGE", 8_192, 16_383)
        await first.command("CLUSTER", "MEET", "127.0.0.1", ports[1])
        for node in (first, second):
            await node.command("FUNCTION", "LOAD", LIBRARY)
            await until(lambda node=node: node.says(b"cluster_state:ok", "CLUSTER", "INFO"))  # type: ignore[misc]
        slot = int(await first.command("CLUSTER", "KEYSLOT", "{zeewind}"))
        other = ports[0] if slot >= 8_192 else ports[1]
        async with FunctionClient(f"redis://127.0.0.1:{other}", timeout_ms=5_000, connect_timeout_ms=5_000) as client:
            counts = await asyncio.gather(*(client.call("count", ["{zeewind}:n"], []) for _ in range(500)))
            assert sorted(counts) == list(range(1, 501)), "followed, and each ran exactly once"
            assert client.reconnects == 1
            assert await client.call("count", ["{zeewind}:n"], []) == 501
            assert client.breaker.is_closed
            assert client.waiting == 0
            # The node that it was sent to dies and comes back: meanwhile the first address is asked too.
            owner = first if slot < 8_192 else second
            await owner.kill()
            with pytest.raises(CellUnavailable):
                await client.call("count", ["{zeewind}:n"], [])
            await owner.start()
            await owner.command("FUNCTION", "LOAD", LIBRARY)
            assert await call_until_answered(client, "count", keys=["{zeewind}:n"]) == 1
