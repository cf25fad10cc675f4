"""What the processes of one `parvis serve` know of themselves, a file each in a folder that they share.

A visitor's request is counted by whichever API worker answers it, and what lies behind is seen by the process that
keeps the houses. Whoever asks for figures asks one worker: it reads them all. A process that ended leaves its file,
so that nothing that was counted is ever uncounted.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final, TypeVar

import msgspec

from engine.instants import now_ms

FOLDER_VARIABLE: Final = "PARVIS_FIGURES"
DOOR_KIND: Final = "door"
"""What an API process tells of its requests."""
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds, of the buckets in which it counts how long they took; one more for what took longer."""
FRESH_MS: Final = 5_000
"""A process that has not written for so long is gone, or stuck: what it counted counts, how it is does not."""
TELL_SECONDS: Final = 1.0
PREFIX: Final = "parvis-figures-"
LOCK: Final = "lock"
Value = TypeVar("Value", bound=msgspec.Struct)


class Told(msgspec.Struct, frozen=True):
    """What a process wrote, and when."""

    at_ms: int
    value: msgspec.Raw


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder for the processes of one `parvis serve`, which is gone with it; what killed ones left goes first."""
    for left in Path(gettempdir()).glob(f"{PREFIX}*"):
        _remove_if_left(left)
    with TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        # Whoever dies loses the lock. It has its name only once it is held.
        draft = folder / f".{LOCK}"
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            draft.rename(folder / LOCK)
            yield folder
        finally:
            os.close(descriptor)


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):  # it is somebody else's, is in use, is just being made, or was removed meanwhile
        if folder.lstat().st_uid != os.geteuid():
            return
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(descriptor)


class Figures:
    """The folder. Without one (an app that nobody serves) nothing is kept and nothing is found."""

    def __init__(self, folder: str | Path | None) -> None:
        self._folder = Path(folder) if folder else None
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._encode = msgspec.msgpack.Encoder().encode

    def tell(self, kind: str, value: msgspec.Struct) -> None:
        """Writes what this process knows, in place of what it wrote before. Raises `OSError` when the disk is full."""
        if self._folder is None:
            return
        new = self._folder / f".{kind}-{self._name}"
        new.write_bytes(self._encode(Told(now_ms(), msgspec.Raw(self._encode(value)))))
        new.rename(self._folder / f"{kind}-{self._name}")

    def read(self, kind: str, wanted: type[Value], *, with_own: bool = True) -> list[tuple[int, Value]]:
        """Each process's word with its age in milliseconds, the newest first."""
        found: list[tuple[int, Value]] = []
        now = now_ms()
        for path in self._folder.glob(f"{kind}-*") if self._folder else ():
            if with_own or not path.name.endswith(self._name):
                told = msgspec.msgpack.decode(path.read_bytes(), type=Told)
                found.append((max(0, now - told.at_ms), msgspec.msgpack.decode(told.value, type=wanted)))
        return sorted(found, key=lambda each: each[0])

    def marks(self, kind: str) -> set[tuple[str, int]]:
        """Each process's file and when it was written, nanoseconds: whatever lives has others a moment later."""
        paths = list(self._folder.glob(f"{kind}-*")) if self._folder else []
        return {(path.name, path.stat().st_mtime_ns) for path in paths}
