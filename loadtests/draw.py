"""The draw, written a second time, from its description: nobody need take the house's word for it.

`parvis-draw-2` mixes a seed, with which `parvis-feistel-1` puts everybody who came before the start of sales in a
random order. Nothing here is shared with the engine, so that a mistake would have to be made twice.
"""

import hashlib
import hmac
import itertools
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Final

DRAW: Final = "parvis-draw-2"
ALGORITHM: Final = "parvis-feistel-1"
_ROUNDS: Final = 6


def to_base64url(data: bytes) -> str:
    """Bytes as they travel: base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """The bytes of a base64url text with or without padding. Raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def commitment_to(seed: bytes) -> str:
    """What is published before the start, so that nobody can choose the seed afterwards."""
    return to_base64url(hashlib.sha256(seed).digest())


def _table(seed: bytes, number: int, width: int) -> list[int]:
    """The round function of one round: 2^width values of `width` bits."""
    blocks = (
        hmac.digest(seed, f"{ALGORITHM}/{number}/{block}".encode("ascii"), "sha256") for block in itertools.count()
    )
    stream = (block[at : at + 2] for block in blocks for at in range(0, len(block), 2))
    mask = (1 << width) - 1
    return [int.from_bytes(pair, "big") & mask for pair in itertools.islice(stream, 1 << width)]


class Draw:
    """The order of `entrants` people under a seed."""

    def __init__(self, seed: bytes, entrants: int) -> None:
        bits = max(10, (entrants - 1).bit_length()) if entrants > 0 else 10
        self._width = (bits + 1) // 2
        self._entrants = entrants
        self._tables = [_table(seed, number, self._width) for number in range(_ROUNDS)]

    def position(self, index: int) -> int:
        """The position of the one who came as number `index`, both from 0. Latecomers keep their index."""
        if index >= self._entrants:
            return index
        value = self._permute(index)
        while value >= self._entrants:
            value = self._permute(value)
        return value

    def _permute(self, value: int) -> int:
        width = self._width
        left, right = value >> width, value & ((1 << width) - 1)
        for table in self._tables:
            left, right = right, left ^ table[right]
        return left << width | right


@lru_cache(maxsize=4)
def drawn(seed: str, entrants: int) -> Draw:
    """The draw of a published seed, its tables made once a process."""
    return Draw(from_base64url(seed), entrants)


@lru_cache(maxsize=1_500)
def _drawn_within(seed: str, window: int, size: int) -> Draw:
    return Draw(hmac.digest(from_base64url(seed), f"window/{window}".encode("ascii"), "sha256"), size)


def position_of(seed: str, entrants: int, windows: tuple[int, ...] | None, index: int) -> int:
    """The position of an index; among those of its window where the house draws by windows, which end as told."""
    start = 0
    for window, end in enumerate(windows or ()):
        if index < end:
            return start + _drawn_within(seed, window, end - start).position(index - start)
        start = end
    return drawn(seed, entrants).position(index)
