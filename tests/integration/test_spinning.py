"""A function that does not end is ended by the house's keeper."""

import asyncio

import pytest
import redis
import redis.asyncio

from engine.spinning import PATIENCE_SECONDS, Spinning
from tests.faults.patience import until
from tests.faults.redis_process import RedisProcess, running_redis

pytestmark = pytest.mark.timeout(60)
SPINS = """#!lua name=spins
redis.register_function('spins', function(KEYS) while true do end end)
redis.register_function('writes_and_spins', function(KEYS) redis.call('SET', KEYS[1], 1) while true do end end)"""


async def spin(server: RedisProcess, *command: str) -> "asyncio.Task[object]":
    async def run() -> object:
        async with redis.asyncio.Redis(unix_socket_path=server.socket_path, socket_timeout=None) as client:
            return await client.execute_command(*command)

    running = asyncio.create_task(run())

    async def is_busy() -> bool:
        try:
            await server.command("PING")
        except redis.exceptions.ResponseError as error:
            return "BUSY" in str(error) or "busy running" in str(error)
        return False

    await until(is_busy)
    return running


@pytest.mark.parametrize("command", [("FCALL", "spins", "1", "k"), ("EVAL", "while true do end", "0")])
async def test_what_spins_is_ended_after_a_while(command: tuple[str, ...]) -> None:
    async with running_redis("--busy-reply-threshold", "50") as server:
        await server.command("FUNCTION", "LOAD", SPINS)
        running = await spin(server, *command)
        spinning, clock = Spinning(server.admin, "a house"), asyncio.get_running_loop().time
        started = clock()
        while not running.done():
            await spinning.look()
            await asyncio.sleep(0.02)
        assert clock() - started >= PATIENCE_SECONDS
        with pytest.raises(redis.exceptions.ResponseError):
            running.result()
        assert spinning.ended == 1
        assert await server.command("PING")
        await spinning.look()
        assert spinning.ended == 1


async def test_what_has_written_is_left_to_people_and_nothing_breaks() -> None:
    async with running_redis("--busy-reply-threshold", "50") as server:
        await server.command("FUNCTION", "LOAD", SPINS)
        running = await spin(server, "FCALL", "writes_and_spins", "1", "k")
        spinning = Spinning(server.admin, "a house")

        async def was_tried() -> bool:
            await spinning.look()
            return not running.done() and spinning.refused > 0

        await until(was_tried)
        assert spinning.ended == 0
        await server.kill()
        await asyncio.gather(running, return_exceptions=True)
