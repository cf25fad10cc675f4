"""One house's Redis, on which single scripts are tried."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import redis

from engine.keys import Keys
from engine.library import assemble
from engine.words import HouseSlug

Reply = list[Any]
READ = {
    b"string": "GET KEY",
    b"hash": "HGETALL KEY",
    b"zset": "ZRANGE KEY 0 -1 WITHSCORES",
    b"stream": "XINFO STREAM KEY",
}
"""What reads a key of each type; the bytes of DUMP would differ with the order inside a hash."""


def pack(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


class CellStage:
    """A cell whose gate is open at epoch 1."""

    def __init__(self, owner: redis.Redis, house: str = "house") -> None:
        self.redis = owner
        self.keys = Keys(HouseSlug(house))
        self.epoch = "1"
        self.counter = 0
        assert self.open_at(1) == [b"open", b"1"]

    def run(self, operation: str, keys: Sequence[str], *arguments: Any) -> Reply:
        """Calls an operation with the epoch as its first argument."""
        return self.ask(operation, keys, self.epoch, *arguments)

    def ask(self, operation: str, keys: Sequence[str], *arguments: Any) -> Reply:
        """Calls an operation as it is."""
        library = assemble()
        command = "FCALL_RO" if operation in library.read_only else "FCALL"
        reply: Reply = self.redis.execute_command(command, library.functions[operation], len(keys), *keys, *arguments)
        return reply

    def open_at(self, epoch: int, quiet_ms: int = 0) -> Reply:
        """Closes and opens at an epoch, as recovery does."""
        self.ask("cell/close", [self.keys.cell], epoch)
        return self.ask("cell/open", [self.keys.cell], epoch, quiet_ms)

    def now_ms(self) -> int:
        seconds, microseconds = self.redis.execute_command("TIME")
        return int(seconds) * 1000 + int(microseconds) // 1000

    def key(self) -> str:
        """A fresh operation's key."""
        self.counter += 1
        return self.keys.operation(str(self.counter))

    def fields(self, key: str) -> dict[str, str]:
        """A hash of plain text."""
        return {name.decode(): value.decode() for name, value in self.hash(key).items()}

    def set_cell(self, **fields: Any) -> None:
        """Writes to the cell past its scripts."""
        for name, value in fields.items():
            self.redis.execute_command("HSET", self.keys.cell, name, value)

    def hash(self, key: str) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = self.redis.execute_command("HGETALL", key)
        return found

    def entries(self) -> list[dict[bytes, bytes]]:
        """What left through the outbox, oldest first, but for the history of seats."""
        return [fields for fields in self._outbox() if fields[b"kind"] != b"seats"]

    def told(self) -> list[list[Any]]:
        """The history of seats: key, sequence, epoch, instant, verb, who, hold, changes of seats and of places."""
        return [msgspec.msgpack.decode(each[b"data"]) for each in self._outbox() if each[b"kind"] == b"seats"]

    def _outbox(self) -> list[dict[bytes, bytes]]:
        found: list[Any] = self.redis.execute_command("XRANGE", self.keys.outbox, "-", "+")
        return [fields for _, fields in found]

    def dump(self) -> dict[bytes, Any]:
        """Everything that Redis holds."""
        dumped = {}
        for key in self.redis.execute_command("KEYS", "*"):
            words = READ[self.redis.execute_command("TYPE", key)].split()
            dumped[key] = self.redis.execute_command(*(key if word == "KEY" else word for word in words))
        return dumped

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """For a refusal: not a byte in Redis differs afterwards."""
        before = self.dump()
        yield
        after = self.dump()
        assert {key for key in before | after if before.get(key) != after.get(key)} == set()

    @contextmanager
    def nothing_changes_but(self, counter: str) -> Iterator[None]:
        """For a call that finds nothing to do: only a counter of the cell has risen."""
        before, cell = self.dump(), self.fields(self.keys.cell)
        yield
        after = self.dump()
        assert {key for key in before | after if before.get(key) != after.get(key)} == {self.keys.cell.encode()}
        assert self.fields(self.keys.cell) == cell | {counter: str(int(cell[counter]) + 1)}

    def pass_time(self, ms: int) -> None:
        """Lets time pass, for negative `ms` backwards: everything that was written is that much older.

        Redis's own clock decides everything in a script and cannot be set; what it is compared with can.
        """
        shorten = """
            for _, key in ipairs(redis.call('KEYS', '*')) do
              local remaining = redis.call('PTTL', key)
              if remaining > 0 then redis.call('PEXPIRE', key, remaining - ARGV[1]) end
            end"""
        self.redis.execute_command("EVAL", shorten, 0, ms)

    def shift_scores(self, key: str, ms: int) -> None:
        """A sorted set of instants, `ms` earlier."""
        flat: list[Any] = self.redis.execute_command("ZRANGE", key, 0, -1, "WITHSCORES")
        for member, score in _pairs(flat):
            self.redis.execute_command("ZADD", key, float(score) - ms, member)


def _pairs(flat: Sequence[Any]) -> list[Any]:
    """Members with scores, flat under the one protocol and in pairs under the other."""
    if flat and isinstance(flat[0], (list, tuple)):
        return list(flat)
    return list(zip(flat[::2], flat[1::2], strict=True))
