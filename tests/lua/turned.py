"""A cell whose functions read a clock that the test turns: an hour passes at once, and the same every time."""

from collections.abc import Sequence
from typing import Any

import redis

from engine.library import assemble
from tests.lua.stage import Reply, Stage

CLOCK = "turned"
REAL = 'local time = redis.call("TIME")'
TURNED = f"""local ms = tonumber(redis.call("GET", "{CLOCK}"))
  local time = {{math.floor(ms / 1000), ms % 1000 * 1000}}"""
START_MS = 1_900_000_000_000


class TurnedStage(Stage):
    """A stage at an instant of its own."""

    def __init__(self, owner: redis.Redis) -> None:
        real = assemble()
        version = real.name.removeprefix("parvis_")
        assert real.source.count(REAL) == 1
        source = real.source.replace(version, f"t{version[1:]}").replace(REAL, TURNED)
        self._functions = {name: each.replace(version, f"t{version[1:]}") for name, each in real.functions.items()}
        self._source = source
        owner.execute_command("FUNCTION", "LOAD", "REPLACE", source)
        self.at_ms = 0.0
        """Since it began."""
        owner.set(CLOCK, START_MS)
        super().__init__(owner)

    def restart(self) -> None:
        """As Redis does, having lost nothing: what its functions had in mind is gone, and recovery opens the gate."""
        self.redis.execute_command("FUNCTION", "LOAD", "REPLACE", self._source)
        epoch = int(self.epoch) + 1
        assert self.open_at(epoch) == [b"open", str(epoch).encode()]
        self.epoch = str(epoch)

    def turn(self, at_ms: float) -> None:
        """It is this late now, since the beginning."""
        self.at_ms = at_ms
        self.redis.set(CLOCK, START_MS + round(at_ms))

    def now_ms(self) -> int:
        return START_MS + round(self.at_ms)

    def pass_time(self, ms: int) -> None:
        self.turn(self.at_ms + ms)

    def ask(self, operation: str, keys: Sequence[str], *arguments: Any) -> Reply:
        command = "FCALL_RO" if operation in assemble().read_only else "FCALL"
        reply: Reply = self.redis.execute_command(command, self._functions[operation], len(keys), *keys, *arguments)
        return reply
