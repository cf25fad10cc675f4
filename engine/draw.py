"""The draw: a keyed permutation of everyone who joined before the start of sales, evaluated on read.

`parvis-draw-2`: a house commits to a secret as SHA-256(secret). Once the list of entrants is closed, the seed is
HMAC-SHA-256(secret, text), where the text says whose draw it is, how many are in it, the root of the tree over them
(`engine/tree.py`) and what other houses have contributed: see `mix`. Whoever holds the secret cannot choose the root,
and who joins does not know the secret. `engine/verifier.py` checks a published draw, and shares no code with this.

The permutation, `parvis-feistel-1`, over n entrants with a seed: a balanced Feistel network of six rounds over an even
number of bits (at least ten: smaller domains are measurably biased), its round functions tables of HMAC-SHA-256,
with cycle walking down to n. Until that algorithm the seed itself was the secret. An index at or behind n came after
the start and keeps its arrival order. Vectors: `tests/vectors/draw.json`.
Sources: Black and Rogaway, "Ciphers with arbitrary finite domains" (2002), for the cycle walk.
"""

import hashlib
import hmac
import secrets
import sys
from array import array
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Final

import msgspec

from engine.key_files import base64url

ALGORITHM: Final = "parvis-draw-2"
PERMUTATION: Final = "parvis-feistel-1"
ROUNDS: Final = 6
LEAST_BITS: Final = 10
SEED_BYTES: Final = 32


def new_seed() -> bytes:
    """A fresh secret seed."""
    return secrets.token_bytes(SEED_BYTES)


def encode(data: bytes) -> str:
    """base64url without padding, as seeds and commitments travel."""
    return base64url(data).decode()


def decode(text: str) -> bytes:
    """The inverse of `encode`; raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def commitment(seed: bytes) -> str:
    """What is published before the draw: whoever sees the seed later can check that it was chosen before."""
    return encode(hashlib.sha256(seed).digest())


class Mixed(msgspec.Struct, frozen=True):
    """What is mixed with the secret of a draw. `of`: house/on-sale/line; `planned_at`: the start as it was published
    beforehand, on the wire; `after_ms`: how long after the list was closed contributions count; `root`: base64url.

    `contributions`: house, commitment, and secret (base64url, or `-` where it was not revealed in time) of each other
    house, in the order in which they are named. `window_seconds`, `anchor`, `windows`: see `engine/windows.py`.
    """

    of: str
    planned_at: str
    after_ms: int
    entrants: int
    root: str
    contributions: tuple[tuple[str, str, str], ...] = ()
    window_seconds: int = 0
    anchor: str = ""
    windows: tuple[int, ...] = ()


def _lines(mixed: Mixed) -> list[str]:
    lines = [ALGORITHM, mixed.of, f"{mixed.planned_at} {mixed.after_ms}", f"{mixed.entrants} {mixed.root}"]
    if mixed.window_seconds:
        lines.append(f"windows {mixed.window_seconds} {mixed.anchor}: {' '.join(map(str, mixed.windows))}")
    return lines


def mix(secret: bytes, mixed: Mixed) -> bytes:
    """The seed of a draw: nobody who knows only a part of it can foresee it."""
    text = "\n".join([*_lines(mixed), *map(" ".join, mixed.contributions)])
    return hmac.digest(secret, text.encode(), "sha256")


def bound(committed: str, mixed: Mixed) -> str:
    """A hash of all that a seed is made of, base64url: of what is still secret, the commitments to it.

    `committed`: the house's own. Whoever contributes signs it before revealing, and leaves the house no choice.
    """
    named = (f"{house} {commitment}" for house, commitment, _ in mixed.contributions)
    return encode(hashlib.sha256("\n".join([committed, *_lines(mixed), *named]).encode()).digest())


def _tables(seed: bytes, half_bits: int) -> "tuple[array[int], ...]":
    size = 1 << half_bits
    tables = []
    for number in range(ROUNDS):
        stream = bytearray()
        block = 0
        while len(stream) < 2 * size:
            stream += hmac.digest(seed, f"{PERMUTATION}/{number}/{block}".encode(), "sha256")
            block += 1
        table = array("H", bytes(stream[: 2 * size]))
        if sys.byteorder == "little":
            table.byteswap()
        tables.append(array("H", (value & (size - 1) for value in table)))
    return tuple(tables)


class Draw:
    """The permutation for one seed and one number of entrants. A lookup is some 1 µs and keeps nothing."""

    def __init__(self, seed: bytes, entrants: int) -> None:
        self.entrants = entrants
        bits = max(LEAST_BITS, max(entrants - 1, 1).bit_length())
        self._half_bits = (bits + 1) // 2
        self._mask = (1 << self._half_bits) - 1
        self._tables = _tables(seed, self._half_bits)

    def position(self, index: int) -> int:
        """The position of an arrival index, both from 0."""
        entrants = self.entrants
        if index >= entrants:
            return index
        half_bits, mask = self._half_bits, self._mask
        first, second, third, fourth, fifth, sixth = self._tables
        value = index
        while True:
            left, right = value >> half_bits, value & mask
            left ^= first[right]
            right ^= second[left]
            left ^= third[right]
            right ^= fourth[left]
            left ^= fifth[right]
            right ^= sixth[left]
            value = (left << half_bits) | right
            if value < entrants:
                return value

    def positions(self) -> Iterator[int]:
        """The position of every entrant, in order of arrival."""
        return map(self.position, range(self.entrants))
