"""What kind of picture some bytes are, and how large: enough to serve a house's logo without trusting who sent it.

Only kinds that cannot carry a script, whole and with nothing behind them. Source: PNG (W3C, third edition); JPEG
(ITU-T T.81, annex B).
"""

import struct
from typing import Final

import msgspec

from engine.errors import BadInput

LARGEST_BYTES: Final = 96 * 1024
LARGEST_SIDE: Final = 2000
SMALLEST_SIDE: Final = 16
PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8\xff"
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of JPEG behind which a picture's size stands."""
SCAN: Final = 0xDA
NOT_A_PICTURE: Final = "this is no PNG or JPEG picture"
VECTORS: Final = (b"<svg", b"<?xml", b"<!doctype", b"<html")


class Picture(msgspec.Struct, frozen=True):
    """What was measured. `suffix`: of its file's name."""

    media_type: str
    suffix: str
    width: int
    height: int


def measure(image: bytes) -> Picture:
    """The kind and size of a picture. Raises `BadInput` with what is wrong with it, in words."""
    if len(image) > LARGEST_BYTES:
        raise BadInput(f"a logo has at most {LARGEST_BYTES // 1024} kB; this one has {-(-len(image) // 1024)}")
    if image.startswith(PNG):
        kind, (width, height) = ("image/png", "png"), _png_size(image)
    elif image.startswith(JPEG):
        kind, (width, height) = ("image/jpeg", "jpg"), _jpeg_size(image)
    elif any(mark in image[:1000].lower() for mark in VECTORS):
        raise BadInput("an SVG may carry scripts, so it is not taken; save the logo as PNG")
    else:
        raise BadInput(NOT_A_PICTURE)
    if not (SMALLEST_SIDE <= width <= LARGEST_SIDE and SMALLEST_SIDE <= height <= LARGEST_SIDE):
        raise BadInput(
            f"a logo has between {SMALLEST_SIDE} and {LARGEST_SIDE} points a side; this one has {width} by {height}"
        )
    return Picture(*kind, width, height)


def _png_size(image: bytes) -> tuple[int, int]:
    at, size = len(PNG), (0, 0)
    try:
        while True:
            length, name = struct.unpack_from(">I4s", image, at)
            if name == b"IHDR" and at == len(PNG):  # browsers believe the first
                size = struct.unpack_from(">II", image, at + 8)
            if name == b"acTL":
                raise BadInput("this picture moves; a logo stands still")
            at += length + 12
            if name == b"IEND":
                break
    except struct.error as error:
        raise BadInput(f"{NOT_A_PICTURE}: it ends too early") from error
    if at != len(image):
        raise BadInput(f"{NOT_A_PICTURE}: something else stands behind it")
    return size


def _jpeg_size(image: bytes) -> tuple[int, int]:
    at, size = 2, (0, 0)
    try:
        while True:
            mark, marker, length = struct.unpack_from(">BBH", image, at)
            if mark != 0xFF or length < 2:
                raise BadInput(NOT_A_PICTURE)
            if marker in FRAMES and size == (0, 0):
                height, width = struct.unpack_from(">HH", image, at + 5)
                size = (width, height)
            if marker == SCAN:
                break
            at += length + 2
    except struct.error as error:
        raise BadInput(f"{NOT_A_PICTURE}: it ends too early") from error
    if not image.endswith(b"\xff\xd9"):
        raise BadInput(f"{NOT_A_PICTURE}: something else stands behind it")
    return size
