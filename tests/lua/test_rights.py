"""What a house's API user may do in Redis: call our functions, and what these call, on its own house's keys.

Redis checks the commands of a function by the rights of its caller, one by one, and rolls nothing back. So a right
that is missing in the middle leaves what was written before it; `LEFT_BEHIND` says where. It cannot come to that:
`engine.library.install` grants, in one command, what the source of the loaded libraries calls, and the first tests
here say that this is all that they call. The last test says what would happen if somebody took a right away by hand.
"""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import redis
import redis.asyncio

from engine.embedded.redis import EmbeddedRedis
from engine.keys import Keys
from engine.library import assemble, install, read_script, script_names
from engine.words import HouseSlug
from tests.lua.calls import WRITING, call, scene
from tests.lua.stage import Stage

SECRET = "a-word-for-tests"
LUA_CALL = re.compile(r'redis\s*\.\s*p?call\s*\(\s*(["\']?)(\w*)')
LEFT_BEHIND = {
    "cell/press": "hget zcount",
    "cell/publish": "hdel hincrby",
    "waiting_room/admit": "hincrby set setbit zadd",
    "waiting_room/join": "hset set xadd",
    "waiting_room/leave": "hincrby zadd",
    "on_sale/change": "hincrby set xadd",
    "on_sale/create": "hincrby",
    "seats/allot": "bitfield hset xadd",
    "seats/bend": "hincrby set xadd",
    "seats/extend": "hincrby set zadd",
    "seats/hold": "bitfield hset set xadd zadd",
    "seats/install": "bitfield hincrby",
    "seats/leave": "hincrby zadd",
    "seats/open": "bitfield hdel hset xadd",
    "seats/release": "bitfield hdel hset set xadd zrem",
    "seats/restate": "xadd",
    "seats/replan": "hincrby hset set xadd zadd zrange",
    "seats/restore": "bitfield hdel hset zrem",
    "seats/swap": "bitfield hdel hset set xadd zadd zrem",
    "seats/sweep": "hdel hset xadd zcard zrem",
    "orders/await": "hincrby set xadd zadd",
    "orders/confirm": "hdel hset set xadd zrem",
    "orders/conflict": "hincrby set",
    "orders/exchange": "bitfield hdel hset set xadd zrem",
    "orders/forgo": "hincrby",
    "orders/rebook": "bitfield hdel hset set xadd zrem",
    "orders/return": "bitfield hdel hset set xadd zrem",
}


def source_of(name: str) -> str:
    """A script with the fragments that it includes, directly or not."""
    sources: dict[str, str] = {}

    def add(part: str) -> None:
        if part not in sources:
            script = read_script(part)
            sources[part] = script.source
            for include in script.includes:
                add(f"include/{include}")

    add(name)
    return "\n".join(sources.values())


def called_by(name: str) -> set[str]:
    return {command.lower() for _, command in LUA_CALL.findall(source_of(name))}


@pytest.fixture
async def ops(redis_server: EmbeddedRedis, owner: redis.Redis) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(redis_server.owner_url) as connection:
        yield connection
    owner.execute_command("ACL", "DELUSER", "zeewind", "klinker", "crippled")


def as_user(server: EmbeddedRedis, user: str) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(server.socket), username=user, password=SECRET, protocol=2)


@pytest.fixture
async def zeewind(redis_server: EmbeddedRedis, ops: redis.asyncio.Redis) -> AsyncIterator[redis.Redis]:
    """A connection as the API user of one house of two."""
    for house in ("zeewind", "klinker"):
        await install(ops, house, house, SECRET)
    connection = as_user(redis_server, "zeewind")
    yield connection
    connection.close()


def test_commands_are_named_where_they_are_called() -> None:
    """Else nobody could list them: `redis.call(name)` and `redis.pcall` are not for us."""
    for name in script_names():
        source = source_of(name)
        assert all(quote == '"' and command.isupper() for quote, command in LUA_CALL.findall(source)), name
        assert "pcall" not in source
        assert source.count("redis.") == len(LUA_CALL.findall(source)), f"{name}: redis is used in another way"


async def test_the_api_user_has_exactly_the_commands_that_the_functions_call(
    zeewind: redis.Redis, owner: redis.Redis
) -> None:
    found = owner.execute_command("ACL", "GETUSER", "zeewind")
    account = {name.decode(): value.decode() if isinstance(value, bytes) else value for name, value in found.items()}
    granted = account["commands"].split()
    wanted = {"fcall", "fcall_ro"}.union(*(called_by(name) for name in script_names()))
    assert granted[0] == "-@all"
    assert sorted(granted[1:]) == sorted(f"+{command}" for command in wanted)
    assert account["keys"] == "~{zeewind}:*"
    assert account["selectors"] == []


async def test_redis_itself_counts_these_commands_and_no_other(zeewind: redis.Redis, owner: redis.Redis) -> None:
    """The list from the sources, compared with what Redis saw while every function ran."""
    seen: set[str] = set()
    for name in script_names():
        owner.flushall()
        stage = scene(owner)
        the_call = call(stage, name)
        owner.execute_command("CONFIG", "RESETSTAT")
        the_call.by(stage)
        counted = {key.removeprefix("cmdstat_") for key in owner.info("commandstats")}
        counted -= {"fcall", "fcall_ro", "config|resetstat", "info"}
        assert counted <= called_by(name), name
        seen |= counted
    assert seen == set[str]().union(*map(called_by, script_names()))


@pytest.mark.parametrize(
    "command",
    [
        *("EVAL return(1) 0", "EVALSHA abc 0", "EVAL_RO return(1) 0", "SCRIPT LOAD return(1)", "SCRIPT FLUSH"),
        *("FUNCTION LIST", "FUNCTION DUMP", "FUNCTION FLUSH", "FUNCTION KILL", "FUNCTION LOAD #!lua"),
        *("CONFIG GET *", "CONFIG SET maxmemory 1", "KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "FLUSHALL", "FLUSHDB"),
        *("ACL LIST", "ACL WHOAMI", "ACL SETUSER zeewind on", "CLIENT LIST", "INFO", "MONITOR", "SLOWLOG GET"),
        *("SHUTDOWN NOSAVE", "REPLICAOF NO ONE", "SAVE", "MULTI", "SUBSCRIBE x", "PUBLISH x y", "COMMAND", "PING"),
        *(
            "DEL {zeewind}:cell",
            "DUMP {zeewind}:cell",
            "RENAME {zeewind}:cell {zeewind}:x",
            "XTRIM {zeewind}:outbox MAXLEN 0",
        ),
        *("EXPIRE {zeewind}:cell 1", "MIGRATE h 1 {zeewind}:cell 0 1", "XREAD STREAMS {zeewind}:outbox 0"),
    ],
)
async def test_the_api_user_can_do_nothing_else(zeewind: redis.Redis, command: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        zeewind.execute_command(*command.split())


async def test_the_api_user_cannot_touch_another_houses_keys(zeewind: redis.Redis, owner: redis.Redis) -> None:
    library = assemble()
    other = Stage(owner, "klinker")
    other.put_up()
    before = other.dump()
    own = Keys(HouseSlug("zeewind"))
    for key in (other.keys.cell, other.keys.outbox, "cell", "zeewind:cell", "{zeewind}cell", "{zeewind-2}:cell"):
        for command in (("GET", key), ("HGETALL", key), ("HSET", key, "epoch", 9), ("SET", key, 1)):
            with pytest.raises(redis.exceptions.NoPermissionError):
                zeewind.execute_command(*command)
        for keys in ((key, own.outbox, own.recorded), (own.cell, key, own.recorded), (own.cell, own.outbox, key)):
            with pytest.raises(redis.exceptions.NoPermissionError):
                zeewind.execute_command("FCALL_RO", library.functions["cell/gate"], 3, *keys)
    keys = (own.cell, own.outbox, own.recorded)
    assert zeewind.execute_command("FCALL_RO", library.functions["cell/gate"], 3, *keys)[0] == b"gate"
    assert other.dump() == before


async def test_another_releases_functions_keep_what_they_call(
    redis_server: EmbeddedRedis, ops: redis.asyncio.Redis, owner: redis.Redis
) -> None:
    """In a rolling deploy the old processes call the old functions, whatever the new ones call."""
    old = """#!lua name=parvis_0123456789ab
    redis.register_function('old_0123456789ab', function(KEYS, ARGV)
      redis.call("HSET", KEYS[1], "a", 1) redis.call("LPUSH", KEYS[2], 2) return 1 end)"""
    owner.execute_command("FUNCTION", "LOAD", old)
    try:
        await install(ops, "zeewind", "zeewind", SECRET)
        with as_user(redis_server, "zeewind") as connection:
            keys = ("{zeewind}:a", "{zeewind}:b")
            assert connection.execute_command("FCALL", "old_0123456789ab", 2, *keys) == 1
    finally:
        owner.execute_command("FUNCTION", "DELETE", "parvis_0123456789ab")


@pytest.fixture
def crippled(redis_server: EmbeddedRedis, owner: redis.Redis) -> Iterator[redis.Redis]:
    connection = as_user(redis_server, "crippled")
    yield connection
    connection.close()


@pytest.mark.parametrize("name", WRITING)
async def test_a_right_taken_away_by_hand_leaves_no_more_than_is_known(
    ops: redis.asyncio.Redis, owner: redis.Redis, crippled: redis.Redis, name: str
) -> None:
    left_behind = set()
    for denied in sorted(called_by(name)):
        owner.flushall()
        stage = scene(owner, due_hold_ms=-1 if name == "seats/sweep" else 60_000)
        the_call, before = call(stage, name), stage.dump()
        await install(ops, "house", "crippled", SECRET)
        owner.execute_command("ACL", "SETUSER", "crippled", f"-{denied}")
        crippled.execute_command("AUTH", "crippled", SECRET)
        stage.redis, refusal = crippled, None
        try:
            the_call.by(stage)
        except redis.exceptions.ResponseError as error:
            refusal = str(error)
        stage.redis = owner
        assert refusal is None or "ACL failure in script" in refusal
        if refusal is not None and stage.dump() != before:
            left_behind.add(denied)
    assert " ".join(sorted(left_behind)) == LEFT_BEHIND.get(name, "")
