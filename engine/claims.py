"""Who may have claimed their turn, as the bits that Redis keeps of it: bit i of the string is index i's.

They are not kept in the ledger: a line of a million would be written over and over, an eighth of a megabyte each
second. After a loss everybody who was called counts as having claimed.
"""

from collections.abc import Sequence

from engine.windows import Later, Order

FIRST_BIT = 0x80


def bits_of(seed: str, entrants: int, below: int, windows: Sequence[int] = (), later: Later | None = None) -> bytes:
    """The bits of every index whose position lies below `below`. A million entrants take about a second.

    `seed`: of the permutation; empty where it was never drawn, so that nobody in it can have come in. `windows`,
    `later`: see `engine/windows.py`.
    """
    if below < entrants and not seed:
        return b""
    drawn = max(entrants, later.borders[-1]) if later else entrants
    bits = bytearray(-(-max(drawn, below) // 8))
    if below < drawn:
        order = Order(seed, entrants, windows, later)
        for index in range(drawn):
            position = order.position(index)
            if position is not None and position < below:
                bits[index >> 3] |= FIRST_BIT >> (index & 7)
        return bytes(bits)
    whole, rest = divmod(below, 8)
    bits[:whole] = b"\xff" * whole
    if rest:
        bits[whole] = 0xFF & ~(0xFF >> rest)
    return bytes(bits)


def either(one: bytes, other: bytes) -> bytes:
    """The bits that are set in one of two such strings."""
    size = max(len(one), len(other))
    numbers = (int.from_bytes(each.ljust(size, b"\0"), "big") for each in (one, other))
    first, second = numbers
    return (first | second).to_bytes(size, "big")
