"""A Redis of the bench's own, and its own account of the time that function calls take inside it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import hiredis
import redis

from engine.embedded.redis import EmbeddedRedis
from engine.library import assemble
from tests.conftest import owner_of

Command = tuple[Any, ...]
Owner = redis.Redis
A_PIPELINE: Final = 500


def yardsticks() -> str:
    """The source of the yardsticks' library."""
    return files("tests.bench").joinpath("yardsticks.lua").read_text(encoding="utf-8")


@contextmanager
def own_redis(*, appendonly: bool = True) -> Iterator[tuple[EmbeddedRedis, Owner]]:
    """A Redis with both libraries and an owner's connection; `appendonly`: on disk before each answer."""
    with tempfile.TemporaryDirectory(prefix="pb-") as folder:
        server = EmbeddedRedis(Path(folder) / "redis", appendonly=appendonly)
        server.start()
        owner = owner_of(server)
        try:
            for source in (assemble().source, yardsticks()):
                owner.execute_command("FUNCTION", "LOAD", source)
            yield server, owner
        finally:
            owner.close()
            server.stop()


def function_call(operation: str, keys: Sequence[str], arguments: Sequence[Any]) -> Command:
    """The command that calls an operation of ours."""
    return ("FCALL", assemble().functions[operation], len(keys), *keys, *arguments)


def instead(command: Command, function: str) -> Command:
    """The same keys and arguments for another function."""
    return ("FCALL", function, *command[2:])


def run(owner: Owner, commands: Sequence[Command]) -> list[Any]:
    """Sends the commands in pipelines and gives all replies. Raises for an error reply."""
    replies: list[Any] = []
    for first in range(0, len(commands), A_PIPELINE):
        pipeline = owner.pipeline(transaction=False)
        for command in commands[first : first + A_PIPELINE]:
            pipeline.execute_command(*command)
        replies += pipeline.execute()
    return replies


def microseconds(owner: Owner, commands: Sequence[Command]) -> tuple[float, list[Any]]:
    """What a call took inside Redis by its own account (INFO commandstats), and the replies."""
    owner.config_resetstat()
    replies = run(owner, commands)
    counted: Any = owner.info("commandstats")
    calls = counted["cmdstat_fcall"]
    assert (calls["calls"], calls["failed_calls"]) == (len(commands), 0), calls
    return calls["usec"] / calls["calls"], replies


def recorded_writes(server: EmbeddedRedis, after: int) -> list[list[list[bytes]]]:
    """The writes in the append-only file behind a size: for each call of a function its commands.

    Redis wraps several writes of one call in MULTI and EXEC.
    """
    reader = hiredis.Reader()
    reader.feed(append_only_file(server).read_bytes()[after:])
    calls: list[list[list[bytes]]] = []
    is_together = False
    while (command := reader.gets()) is not False:
        if command == [b"MULTI"]:
            is_together = True
            calls.append([])
        elif command == [b"EXEC"]:
            is_together = False
        elif is_together:
            calls[-1].append(command)
        else:
            calls.append([command])
    return calls


def append_only_file(server: EmbeddedRedis) -> Path:
    """The file to which the server appends."""
    (path,) = (server.folder / "appendonlydir").glob("*.incr.aof")
    return path
