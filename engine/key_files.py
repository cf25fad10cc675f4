"""Secret files, and how bytes are spelled in tokens (base64url, RFC 7515)."""

import os
import secrets
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.errors import ForgedToken

TO_URL: Final = bytes.maketrans(b"+/", b"-_")
FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def _write_draft(path: Path, content: bytes, mode: int) -> Path:
    """A file beside `path`, whole and on disk."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that everybody may read who comes into its folder; nobody ever sees half of it."""
    _write_draft(path, content, 0o644).replace(path)


def read_or_create(path: Path, create: Callable[[], bytes]) -> bytes:
    """A secret file, made once even when two processes start together."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = _write_draft(path, create(), 0o600)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()


def base64url(data: bytes) -> bytes:
    """Base64url without its padding (RFC 7515)."""
    return b2a_base64(data, newline=False).translate(TO_URL).rstrip(b"=")


def decoded(text: str) -> bytes:
    """The bytes that base64url spells so. Base64 is lenient about its last bits and more; a token has one spelling.

    Raises `ForgedToken` and `ValueError`.
    """
    spelled = text.encode()
    data = a2b_base64((spelled + b"=" * (-len(spelled) % 4)).translate(FROM_URL))
    if base64url(data) != spelled:
        raise ForgedToken
    return data
