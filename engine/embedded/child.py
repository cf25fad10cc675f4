"""Servers as children of this process: in a session of their own, and gone when we are gone."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from engine.embedded.folders import Account
from engine.errors import ParvisError
from engine.parenthood import child_of_this

LAST_WORDS_BYTES: Final = 2_000

Child = subprocess.Popen[bytes]


class ServerFailed(ParvisError):
    """An embedded server did not start."""


class _Spawner:
    """The one thread that forks every child.

    Linux sends the death signal when the *thread* that forked ends, not when its process does: a server
    that a pool's thread had started would die with that thread. This one lasts as long as the process.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Child], Callable[[], Child]]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()

    def run(self, job: Callable[[], Child]) -> Child:
        with self._guard:
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it behind
                self._thread = threading.Thread(target=self._serve, name="parvis-spawner", daemon=True)
                self._thread.start()
        future: Future[Child] = Future()
        self._jobs.put((future, job))
        return future.result()

    def _serve(self) -> None:
        while True:
            future, job = self._jobs.get()
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                future.set_exception(error)


_spawner: Final = _Spawner()


def spawn(
    command: Sequence[str | Path],
    *,
    folder: Path,
    log: Path,
    lock: int,
    death_signal: signal.Signals,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """Starts `command` in `folder`, its output at the end of `log`.

    lock: the descriptor of the data's lock, which the child inherits: it is held while any of them lives.
    death_signal: what the child gets from the kernel when this process dies, a `SIGKILL` included; without it
    a server would stay behind. Only Linux has it; elsewhere a killed parent leaves its servers running.
    account: the user to run as. A session of its own keeps Ctrl-C from the server: we stop it, in our order.
    Raises `ServerFailed` when the program cannot be run.
    """
    # Runs in the child after it became `account`: changing the user forgets the death signal.
    die_with_this = child_of_this(death_signal)

    def start() -> Child:
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                start_new_session=True,
                umask=0o077,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                preexec_fn=die_with_this,  # noqa: PLW1509 - only system calls, no lock that another thread may hold
            )
        finally:
            os.close(output)

    try:
        return _spawner.run(start)
    except OSError as error:
        raise ServerFailed(f"cannot run {command[0]}: {error}") from error


def last_words(log: Path) -> str:
    """The end of a server's log."""
    return log.read_bytes()[-LAST_WORDS_BYTES:].decode("utf-8", "replace").strip()


def wait_until(answers: Callable[[], bool], child: Child, *, log: Path, timeout_s: float) -> None:
    """Asks until the server `answers`.

    Raises `ServerFailed`, with the end of its log, if it ends or takes longer than `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while not answers():
        if child.poll() is not None:
            raise ServerFailed(f"the server ended with code {child.returncode}:\n{last_words(log)}")
        if time.monotonic() > deadline:
            end(child, signal.SIGKILL, timeout_s=5)
            raise ServerFailed(f"the server did not answer within {timeout_s:g} s:\n{last_words(log)}")
        time.sleep(0.01)


def end(child: Child, number: signal.Signals, *, timeout_s: float) -> None:
    """Asks the server to stop with a signal, wakes it if it is frozen, and kills it after `timeout_s`."""
    child.send_signal(number)
    child.send_signal(signal.SIGCONT)
    try:
        child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
