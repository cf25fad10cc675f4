"""Faults between redis-server and its disk and clock: slow syncs, a full disk, clock jumps, and power cuts.

`shim.c` says how; it is compiled here, on demand, where there is a C compiler.
"""

import mmap
import os
import random
import shutil
import struct
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import msgspec

from engine.errors import ParvisError

MILLION: Final = 1_000_000
FILES: Final = 256
ORDERS: Final = ("slow_millionths", "slow_most_us", "room_bytes", "clock_offset_us")
EVIDENCE: Final = ("loads", "syncs", "slowed", "refused", "shifted")
PLACES: Final = {name: 8 * place for place, name in enumerate((*ORDERS, *EVIDENCE, "files"))}
FIRST_FILE: Final = 8 * len(PLACES)
FILE_BYTES: Final = 32
FNV_OFFSET: Final = 14695981039346656037
FNV_PRIME: Final = 1099511628211
NO_END: Final = -1


class ShimUnavailable(ParvisError):
    """Faults of disk and clock need Linux and a C compiler."""


class Evidence(msgspec.Struct, frozen=True):
    """What the shim did since it was made.

    `loads`: processes that it was loaded into. `refused`: writes to a full disk. `shifted`: readings of a clock
    that had jumped.
    """

    loads: int
    syncs: int
    slowed: int
    refused: int
    shifted: int


class Cut(msgspec.Struct, frozen=True):
    """What a power cut took: bytes that had been written and not synced, and bytes of those that are left, torn."""

    lost_bytes: int
    torn_bytes: int


def missing() -> str:
    """Why the shim cannot be had here; empty when it can."""
    if sys.platform != "linux":
        return "only Linux has LD_PRELOAD as it is needed here"
    return "" if shutil.which("cc") else "there is no C compiler (cc)"


class Shim:
    """One server's faults. Start the server with `environment`; orders work at once, and stay until `calm`."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where the compiled shim and its board lie. Raises `ShimUnavailable`."""
        if reason := missing():
            raise ShimUnavailable(reason)
        folder.mkdir(parents=True, exist_ok=True)
        library, board = folder / "shim.so", folder / "shim.board"
        with as_file(files("engine.torture").joinpath("shim.c")) as source:
            command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise ShimUnavailable(f"the shim cannot be compiled: {made.stderr.strip()[-500:]}")
        board.write_bytes(bytes(FIRST_FILE + FILES * FILE_BYTES))
        descriptor = os.open(board, os.O_RDWR)
        self._board = mmap.mmap(descriptor, 0)
        os.close(descriptor)
        self.environment = {"LD_PRELOAD": str(library), "PARVIS_SHIM": str(board)}
        self.calm()

    @property
    def evidence(self) -> Evidence:
        """What it did until now."""
        return Evidence(**{name: self._get(name) for name in EVIDENCE})

    def slow_down(self, share: float, most_ms: float) -> None:
        """Of all syncs, `share` wait, up to `most_ms` each."""
        self._set("slow_most_us", int(most_ms * 1000))
        self._set("slow_millionths", int(share * MILLION))

    def fill_disk(self, room_bytes: int) -> None:
        """The disk takes so many bytes more of the append-only file."""
        self._set("room_bytes", room_bytes)

    def jump(self, by_ms: int) -> None:
        """The clock of the wall stands so far from the true time, forward or back; the monotonic one goes on."""
        self._set("clock_offset_us", by_ms * 1000)

    def calm(self) -> None:
        """No more faults. The clock goes back to the true time, which is a jump too."""
        for name in ORDERS:
            self._set(name, NO_END if name == "room_bytes" else 0)

    def unsynced(self, data: Path) -> dict[Path, int]:
        """How many bytes at the end of each file in `data/appendonlydir` were written and are not synced."""
        files = [self._file(number) for number in range(self._get("files"))]
        synced = {(device, inode, name): size for device, inode, name, size in files}
        found: dict[Path, int] = {}
        for path in sorted((data / "appendonlydir").iterdir()):
            now = path.stat()
            bytes_ = now.st_size - synced.get((now.st_dev, now.st_ino, _hash(path.name)), now.st_size)
            found |= {path: bytes_} if bytes_ > 0 else {}
        return found

    def cut_power(self, data: Path, chance: random.Random) -> Cut:
        """Takes back from a dead server's files in `data` what was not synced, but for a torn rest."""
        lost = torn = 0
        for path, unsynced in self.unsynced(data).items():
            kept = chance.randrange(unsynced)
            os.truncate(path, path.stat().st_size - unsynced + kept)
            lost, torn = lost + unsynced - kept, torn + kept
        return Cut(lost_bytes=lost, torn_bytes=torn)

    def close(self) -> None:
        """Lets go of the board."""
        self._board.close()

    def _get(self, name: str) -> int:
        return int(struct.unpack_from("q", self._board, PLACES[name])[0])

    def _set(self, name: str, value: int) -> None:
        struct.pack_into("q", self._board, PLACES[name], value)

    def _file(self, number: int) -> tuple[int, int, int, int]:
        """Device, inode, the name's hash and synced bytes."""
        device, inode, name, synced = struct.unpack_from("4Q", self._board, FIRST_FILE + number * FILE_BYTES)
        return device, inode, name, synced


def _hash(name: str) -> int:
    """As `name_of` in `shim.c`."""
    value = FNV_OFFSET
    for byte in name.encode():
        value = (value ^ byte) * FNV_PRIME % 2**64
    return value
