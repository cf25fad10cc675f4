"""Pictures made for tests: a PNG of any size, and the shell of a JPEG."""

import base64
import struct
import zlib
from typing import Any


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int = 160, height: int = 48, *, colour: bytes = b"\x1f\x3a\x5f", more: bytes = b"") -> bytes:
    """A PNG of one colour; `more`: chunks before its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + colour * width) * height)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + more + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def moving_png() -> bytes:
    """A PNG that says it moves."""
    return png(more=_chunk(b"acTL", struct.pack(">II", 2, 0)))


def swelling_png() -> bytes:
    """A PNG of 900 million points in a few bytes, that says behind them that it is a small one."""
    small = png()
    header = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0))
    return header + _chunk(b"IDAT", zlib.compress(bytes(100))) + small[8:]


def jpeg(width: int = 160, height: int = 48, *, then: "tuple[int, int] | None" = None) -> bytes:
    """The parts of a JPEG by which its size is known. `then`: another size that stands behind the first."""
    sizes = [(width, height), *([then] if then else [])]
    frames = ((b"\xff\xc0", struct.pack(">BHHB", 8, high, wide, 3) + bytes(9)) for wide, high in sizes)
    parts = ((b"\xff\xe0", b"JFIF\0" + bytes(9)), *frames, (b"\xff\xda", bytes(10)))
    return b"\xff\xd8" + b"".join(m + struct.pack(">H", len(c) + 2) + c for m, c in parts) + b"\0\xff\xd9"


def logo(image: bytes, alt: str = "Kleine zaal") -> dict[str, Any]:
    """A logo as it is sent."""
    return {"image": base64.b64encode(image).decode(), "alt": alt}
