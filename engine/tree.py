"""The tree over the entrants of a draw: whoever knows its root can check who was among them, and at which index.

Leaf i is SHA-256(0x00 ‖ i as 8 bytes, big-endian ‖ the 32 bytes of the visitor's secret hash); of an index that nobody
has, which a loss may leave, SHA-256(0x00 ‖ i). An inner node is SHA-256(0x01 ‖ left ‖ right), the largest power of two
to the left. Source: RFC 9162, 2.1. A tree that still grows is known by its frontier: the roots of its perfect parts.
Vectors: `tests/vectors/draw.json`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from engine.draw import decode
from engine.errors import BadInput

HASH_BYTES: Final = 32
GROUP: Final = 32
"""Leaves, or nodes of one level, between which a path is worked out anew each time."""
CHUNK: Final = 1_024
"""Leaves of a part whose root is worth keeping: a path is worked out from so many leaves, and the roots."""


def leaf(index: int, secret_hash: str) -> bytes:
    """The leaf of an index. `secret_hash`: base64url of 32 bytes; of anything else nobody has the secret."""
    try:
        known = decode(secret_hash)
    except ValueError:
        known = b""
    return hashlib.sha256(b"\0" + index.to_bytes(8, "big") + (known if len(known) == HASH_BYTES else b"")).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The node above two."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Frontier(msgspec.Struct, array_like=True):
    """A tree that still grows: how many leaves it has, and the roots of its perfect parts, the largest first."""

    count: int = 0
    roots: list[bytes] = []

    def append(self, hashed: bytes) -> None:
        """Adds the next leaf."""
        roots, merged = self.roots, self.count
        while merged & 1:
            hashed, merged = node(roots.pop(), hashed), merged >> 1
        roots.append(hashed)
        self.count += 1

    def fold(self, entrants: Iterable[tuple[int, str]], count: int) -> None:
        """Adds entrants (index, secret hash), by index, up to `count` leaves; who is in already changes nothing.

        An index that is not named has nobody. A million take two seconds: call it away from the event loop.
        """
        for index, secret_hash in entrants:
            if self.count <= index < count:
                while self.count < index:
                    self.append(leaf(self.count, ""))
                self.append(leaf(index, secret_hash))
        while self.count < count:
            self.append(leaf(self.count, ""))

    def root(self) -> bytes:
        """The root of what is there; of nothing, SHA-256 of nothing."""
        return root_of(self.roots) if self.roots else hashlib.sha256().digest()

    def copy(self) -> "Frontier":
        """Another that grows by itself."""
        return Frontier(self.count, [*self.roots])


def root_of(parts: Sequence[bytes]) -> bytes:
    """The root over the roots of perfect parts, each smaller than the one before. There is at least one."""
    *others, root = parts
    for part in reversed(others):
        root = node(part, root)
    return root


def _split(count: int) -> int:
    """How many of several leaves lie to the left."""
    return 1 << ((count - 1).bit_length() - 1)


def subtree(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves, or over the roots of chunks. Raises `BadInput` for none."""
    if not leaves:
        raise BadInput("a tree has leaves")
    frontier = Frontier()
    for hashed in leaves:
        frontier.append(hashed)
    return frontier.root()


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The nodes beside the way from a leaf up to the root, lowest first."""
    found, first, last = [], 0, len(leaves)
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            found.append(subtree(leaves[middle:last]))
            last = middle
        else:
            found.append(subtree(leaves[first:middle]))
            first = middle
    return found[::-1]


def levels_over(hashes: Sequence[bytes]) -> list[bytes]:
    """The nodes over leaves, each level `GROUP` times shorter than the one below, its hashes one behind the other.

    Paths are then worked out from `GROUP` hashes a level: see `path_by`.
    """
    levels = []
    while len(hashes) > 1:
        levels.append(b"".join(hashes))
        hashes = [subtree(hashes[at : at + GROUP]) for at in range(0, len(hashes), GROUP)]
    return levels


def path_by(levels: Sequence[bytes], index: int) -> list[bytes]:
    """The same as `path`, of leaves whose levels are known."""
    found = []
    for level in levels:
        index, place = divmod(index, GROUP)
        first = index * GROUP * HASH_BYTES
        found += path(split_roots(level[first : first + GROUP * HASH_BYTES]), place)
    return found


def root_by(hashed: bytes, index: int, count: int, beside: Sequence[bytes]) -> "bytes | None":
    """The root to which a path leads from a leaf; None where a path of that length cannot be its."""
    at, last = index, count - 1
    for other in beside:
        if last == 0:
            return None
        if at & 1 or at == last:
            hashed = node(other, hashed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hashed = node(hashed, other)
        at, last = at >> 1, last >> 1
    return hashed if last == 0 and 0 <= index < count else None


def encode_frontier(frontier: Frontier) -> bytes:
    """As Redis keeps it: how many leaves, a blank, and the roots one behind the other."""
    return b"%d %b" % (frontier.count, b"".join(frontier.roots))


def decode_frontier(data: "bytes | None") -> Frontier:
    """The inverse of `encode_frontier`; nothing is an empty tree."""
    if not data:
        return Frontier()
    count, _, roots = data.partition(b" ")
    return Frontier(int(count), split_roots(roots))


def split_roots(roots: bytes) -> list[bytes]:
    """Hashes that stand one behind the other."""
    return [roots[at : at + HASH_BYTES] for at in range(0, len(roots), HASH_BYTES)]
