"""Where an embedded server keeps things: its own folder, the lock on it, its passwords, its socket."""

import fcntl
import hashlib
import os
import secrets
import stat
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from engine.errors import ParvisError

LONGEST_SOCKET_BYTES: Final = 103
"""What every Unix takes in `sun_path` (104 on the BSDs, 108 on Linux, with the closing zero)."""
LONGEST_SOCKET_NAME: Final = "/.s.PGSQL.5432"


class FolderInUse(ParvisError):
    """Another process runs its servers on this folder."""


class FolderUnusable(ParvisError):
    """The folder is not ours, or too deep for a socket."""


class Account(NamedTuple):
    """The user that a server runs as, when that is not us."""

    name: str
    uid: int
    gid: int


def make_private(folder: Path, *, mode: int = 0o700) -> Path:
    """Makes `folder`, with its parents, if need be.

    `mode` is for a folder that is new or empty, never for its parents: what belongs to others stays as it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        folder.chmod(mode)
    return folder.resolve()


def is_reachable(path: Path) -> bool:
    """Whether a user who owns none of `path`'s parents can walk down to it."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def password(path: Path) -> str:
    """The password kept in `path`, made on first use; two processes that start together get the same one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(24))
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")


def take_lock(folder: Path, *, wait_s: float) -> int:
    """Locks `folder` for whoever holds the descriptor returned, children that inherit it included.

    The lock goes with its last holder, however that one dies: a file with a pid could be stale, this cannot.
    Raises `FolderInUse` when it is not free within `wait_s`.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace")
            os.close(descriptor)
            raise FolderInUse(f"{folder} is in use: process {holder} runs its servers there") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        return descriptor


def socket_folder(folder: Path) -> Path:
    """The short folder for the socket of the server whose data lie in `folder`: the same one every time.

    A checkout can lie too deep for a socket's path, so it stands in the system's temporary folder.
    Raises `FolderUnusable` when even that is too deep.
    """
    mark = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=6).hexdigest()
    for root in (Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve()):  # noqa: S108 - made private below
        path = root / f"parvis-{os.geteuid()}-{mark}"
        fits = len(os.fsencode(path)) + len(LONGEST_SOCKET_NAME) <= LONGEST_SOCKET_BYTES
        if fits and (os.geteuid() != 0 or is_reachable(path)):
            return path
    raise FolderUnusable(f"no temporary folder is short enough for a socket: {tempfile.gettempdir()}")


def make_socket_folder(path: Path, account: Account | None) -> None:
    """Makes the socket's folder for its owner alone. Raises `FolderUnusable` if it is somebody else's."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    owners = {os.geteuid()} | ({account.uid} if account else set())
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise FolderUnusable(f"{path} belongs to somebody else; it has to be removed first")
    path.chmod(0o700)
    if account:
        os.chown(path, account.uid, account.gid)
