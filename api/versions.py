"""Files of the web by version: what a house has pinned by hash goes on being served after Parvis is upgraded.

Each release writes its own files into the folder that `PARVIS_WEB_VERSIONS` names, compressed too, and serves those
that other releases wrote there, older or newer. Without a folder a release serves its own alone.
"""

import gzip
import hashlib
import os
import re
import secrets
import shutil
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import brotli
import msgspec
import structlog

VARIABLE: Final = "PARVIS_WEB_VERSIONS"
MANIFEST: Final = "files.json"
VERSION_NAME: Final = re.compile(r"[0-9a-f]{12}")
REMEMBERED: Final = 200
MEDIA_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
log = structlog.get_logger()


class File(msgspec.Struct, frozen=True):
    """What is sent for one address, as it is and compressed."""

    body: bytes
    brotli: bytes
    gzipped: bytes
    media_type: str
    etag: str


class Facts(msgspec.Struct, frozen=True):
    """What a file is pinned by, and how much of it travels."""

    integrity: str
    bytes: int
    brotli_bytes: int


def integrity_of(body: bytes, algorithm: str = "sha384") -> str:
    """A file's hash as an `integrity` attribute has it (W3C Subresource Integrity)."""
    return f"{algorithm}-{b64encode(hashlib.new(algorithm, body).digest()).decode()}"


def facts_of(files: Mapping[str, File]) -> dict[str, Facts]:
    """The facts of files, by name."""
    return {name: Facts(integrity_of(file.body), len(file.body), len(file.brotli)) for name, file in files.items()}


def file_of(name: str, body: bytes) -> File:
    """A file ready to be sent."""
    return _file(name, body, brotli.compress(body), gzip.compress(body, mtime=0))


def _file(name: str, body: bytes, small: bytes, gzipped: bytes) -> File:
    media_type = MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
    return File(body, small, gzipped, media_type, etag=f'W/"{hashlib.sha256(body).hexdigest()[:24]}"')


def write_files(folder: Path, version: str, files: Mapping[str, File]) -> Path:
    """Writes a version's files with their hashes into `folder/version`, whole or not at all. Raises `OSError`."""
    whole = folder / version
    if whole.exists():
        return whole
    draft = folder / f".{version}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        for name, file in files.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            for suffix, body in (("", file.body), (".br", file.brotli), (".gz", file.gzipped)):
                path.with_name(path.name + suffix).write_bytes(body)
        (draft / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(facts_of(files)), indent=1))
        draft.rename(whole)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not whole.exists():  # another process may have been faster
            raise
    return whole


@lru_cache(REMEMBERED)
def read_file(folder: Path, version: str, name: str) -> File:
    """A file of a version that lies in a folder. Raises `OSError`, `KeyError`, `msgspec.MsgspecError`."""
    whole = folder / version
    # Only what the version says that it has: no name leads out of its folder.
    msgspec.json.decode((whole / MANIFEST).read_bytes(), type=dict[str, Facts])[name]
    return _file(name, *((whole / f"{name}{suffix}").read_bytes() for suffix in ("", ".br", ".gz")))


class Versions:
    """The versions that lie in a folder, if there is one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def keep(self, version: str, files: Mapping[str, File]) -> None:
        """Keeps a version. That it cannot be kept is said, and stops nobody."""
        if self._folder is None:
            return
        try:
            write_files(self._folder, version, files)
        except OSError as error:
            log.warning("web files are not kept", folder=str(self._folder), why=error.strerror)

    def find(self, version: str, name: str) -> File | None:
        """A file of a version that was kept."""
        if self._folder is None or not VERSION_NAME.fullmatch(version):
            return None
        try:
            return read_file(self._folder, version, name)
        except (OSError, KeyError, msgspec.MsgspecError):
            return None


def kept_versions() -> Versions:
    """Those of the folder that the environment names."""
    named = os.environ.get(VARIABLE)
    return Versions(Path(named) if named else None)
