"""The draw: a keyed permutation of everyone who joined before the start of sales, evaluated on read.

`parvis-feistel-1` over n entrants with a secret seed, committed to beforehand as SHA-256(seed):
a balanced Feistel network of six rounds over an even number of bits (at least ten: smaller domains are
measurably biased), its round functions tables drawn from HMAC-SHA-256, with cycle walking down to n.
An index at or behind n came after the start and keeps its arrival order. Vectors: `tests/vectors/draw.json`.
Sources: Black and Rogaway, "Ciphers with arbitrary finite domains" (2002), for the cycle walk.
"""

import hashlib
import hmac
import secrets
import sys
from array import array
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from engine.errors import BadInput

ALGORITHM: Final = "parvis-feistel-1"
ROUNDS: Final = 6
LEAST_BITS: Final = 10
SEED_BYTES: Final = 32
MOST_ENTRANTS: Final = 100_000_000


def new_seed() -> bytes:
    """A fresh secret seed."""
    return secrets.token_bytes(SEED_BYTES)


def encode(data: bytes) -> str:
    """base64url without padding, as seeds and commitments travel."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The inverse of `encode`; raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def commitment(seed: bytes) -> str:
    """What is published before the draw: whoever sees the seed later can check that it was chosen before."""
    return encode(hashlib.sha256(seed).digest())


def _tables(seed: bytes, half_bits: int) -> "tuple[array[int], ...]":
    size = 1 << half_bits
    tables = []
    for number in range(ROUNDS):
        stream = bytearray()
        block = 0
        while len(stream) < 2 * size:
            stream += hmac.digest(seed, f"{ALGORITHM}/{number}/{block}".encode(), "sha256")
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


@lru_cache(maxsize=64)
def draw(seed: bytes, entrants: int) -> Draw:
    """A `Draw`, its tables kept for the on-sales that are being asked for."""
    return Draw(seed, entrants)


class _Line(msgspec.Struct, frozen=True):
    joined: int


class _Drawn(msgspec.Struct, frozen=True):
    algorithm: str
    commitment: str
    entrants: int | None = None
    seed: str | None = None


class _Status(msgspec.Struct, frozen=True):
    """What a public status says of the draw; see the API's `StatusReply`."""

    draw: _Drawn | None = None
    lines: dict[str, _Line] = {}


class Transcript(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published draw: enough to recompute every position. `secret_hashes` in order of arrival, if published."""

    algorithm: str
    commitment: str
    seed: str
    entrants: int
    positions: tuple[int, ...] = ()
    secret_hashes: tuple[str, ...] = ()


def read_transcript(data: bytes) -> Transcript:
    """The transcript in a file: one by itself, or the public status of an on-sale as anybody can save it.

    Raises `BadInput` where it is neither, and where the draw has not been made yet.
    """
    try:
        status = msgspec.json.decode(data, type=_Status)
        if status.draw is None:
            return msgspec.json.decode(data, type=Transcript)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"this is neither a draw's transcript nor an on-sale's public status: {error}") from error
    drawn = status.draw
    if drawn.entrants is None or drawn.seed is None:
        raise BadInput(f"the draw has not been made yet; keep its commitment, to compare: {drawn.commitment}")
    joined = sum(line.joined for line in status.lines.values())
    if drawn.entrants > joined:
        raise BadInput(f"the draw tells of {drawn.entrants} entrants, and the lines of {joined}")
    return Transcript(drawn.algorithm, drawn.commitment, drawn.seed, drawn.entrants)


def verify(transcript: Transcript) -> tuple[str, ...]:
    """What is wrong with a published draw, in words; empty when it is right. Raises `BadInput` if it can't be read."""
    if transcript.algorithm != ALGORITHM:
        raise BadInput(f"the draw's algorithm {transcript.algorithm!r} is not {ALGORITHM!r}")
    if not 0 <= transcript.entrants <= MOST_ENTRANTS:
        raise BadInput(f"the number of entrants does not lie between 0 and {MOST_ENTRANTS}")
    try:
        seed = decode(transcript.seed)
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES or encode(seed) != transcript.seed:  # decoding alone is lenient
        raise BadInput(f"the seed is not the base64url of {SEED_BYTES} bytes")
    faults = []
    if commitment(seed) != transcript.commitment:
        faults.append("the seed is not the one that was committed to beforehand")
    for name, listed in (("positions", transcript.positions), ("secret hashes", transcript.secret_hashes)):
        if listed and len(listed) != transcript.entrants:
            faults.append(f"{len(listed)} {name} are listed for {transcript.entrants} entrants")
    computed = Draw(seed, transcript.entrants).positions()
    for index, (listed_position, position) in enumerate(zip(transcript.positions, computed, strict=False)):
        if listed_position != position:
            faults.append(f"index {index} is listed at position {listed_position} but was drawn at {position}")
    return tuple(faults)
