"""Window fairness: who joins a line within the same window of so many seconds is drawn together, earlier windows first.

Before the start, `windows` of a draw are where they end, as counts of those who had joined: rising, the last one all
entrants. They are mixed into the seed. Within window n, counted from 0, the order is `parvis-feistel-1` under
HMAC-SHA-256(seed, "window/<n>").

After it the seed is public, so each window has one of its own, and nobody is called before their window has ended. The
seeds are a chain: the last of `MOST_LATER` is a secret of the house's, and each is the SHA-256 of "parvis-window" and
the one behind it. What comes before the first, the anchor, is published beforehand. Seed k is published once window k,
counted from 1, has ended; whoever knows it finds the earlier ones, and nobody a later one. Within a window the key is
HMAC-SHA-256(its seed, "window/<start>/<end>"): who is in it is known before the order is.

Redis counts a window where anybody joined (`lua/include/windows.lua`, `borders.lua`). Who may have joined in a moment
that is lost belongs to the last window that is known, or after the start to one of their own.
"""

import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from engine.catalogue import PUBLIC_LINE, OnSale
from engine.draw import Draw, decode, encode
from engine.errors import BadInput
from engine.signing import Signer

LONGEST_WINDOW_S: Final = 3_600
MOST_WINDOWS: Final = 1_500
"""A day in minutes. Everybody reads them in the status of a draw that was made."""
MOST_LATER: Final = 5_000
"""Who comes behind so many windows after the start keeps the order of arrival (`lua/include/borders.lua`)."""
LINK: Final = b"parvis-window"


class Later(msgspec.Struct, frozen=True):
    """Windows after the start, as far as they have ended. `borders`: where the first of these begins, then where each
    ends; `first`: its number, from 1. `seed`: of the last one, base64url; the anchor where none has ended.
    """

    first: int
    borders: tuple[int, ...]
    seed: str

    def from_served(self, now_serving: int) -> "Later":
        """Without those from which everybody has been called."""
        past = sum(end <= now_serving for end in self.borders[1:])
        return Later(self.first + past, self.borders[past:], self.seed)


def ends_of(text: str) -> tuple[int, ...]:
    """Where windows end, as Redis writes it."""
    return tuple(map(int, text.split()))


def earlier(seed: bytes) -> bytes:
    """The seed of the window before."""
    return hashlib.sha256(LINK + seed).digest()


@lru_cache(maxsize=32)
def _chain(secret: str) -> tuple[str, ...]:
    """The anchor and all seeds behind it; a few milliseconds."""
    seeds = [decode(secret)]
    for _ in range(MOST_LATER):
        seeds.append(earlier(seeds[-1]))
    return tuple(map(encode, reversed(seeds)))


def seed_after(signer: Signer, on_sale: str, line: str, ended: int) -> str:
    """The seed of the last of so many windows that have ended after the start; of none: the anchor."""
    return _chain(signer.derive("windows", f"{on_sale}/{line}"))[ended]


def anchored(signer: Signer, on_sale: OnSale) -> OnSale:
    """An on-sale with the anchors of its lines."""
    lines = tuple(
        msgspec.structs.replace(line, anchor=seed_after(signer, on_sale.on_sale, line.line, 0))
        for line in on_sale.lines
    )
    anchor = seed_after(signer, on_sale.on_sale, PUBLIC_LINE, 0)
    return msgspec.structs.replace(on_sale, anchor=anchor, lines=lines)


class Order:
    """The position of everybody in a line whose draw was made: within windows, where there are any.

    `later`: where the house draws by windows, those after the start.
    """

    def __init__(self, seed: str, entrants: int, windows: Sequence[int] = (), later: Later | None = None) -> None:
        self.entrants = entrants
        self._seed = decode(seed)
        self._ends = list(windows) or [entrants]
        self._is_whole = not windows
        self._later = later
        self._seeds = [decode(later.seed)] if later else []
        self._draws: dict[int, Draw] = {}

    def position(self, index: int) -> int | None:
        """The position of an arrival index, both from 0; None while its window has not ended.

        Without windows latecomers keep their index; so does whoever has been called with all of their window.
        """
        if index < self.entrants:
            return self._before(index)
        later = self._later
        if later is None or index < later.borders[0]:
            return index
        if index >= later.borders[-1]:
            return index if later.first + len(later.borders) > MOST_LATER + 1 else None
        number = bisect_right(later.borders, index)
        return self._within(later.borders[number - 1], later.borders[number], -number, index)

    def _before(self, index: int) -> int:
        number = bisect_right(self._ends, index)
        return self._within(self._ends[number - 1] if number else 0, self._ends[number], number, index)

    def _within(self, start: int, end: int, number: int, index: int) -> int:
        """`number`: of a window before the start, or less than nothing: so manieth of `later`, from 1."""
        drawn = self._draws.get(number)
        if drawn is None:
            key = self._seed if self._is_whole and number == 0 else self._key(start, end, number)
            drawn = self._draws[number] = Draw(key, end - start)
        return start + drawn.position(index - start)

    def _key(self, start: int, end: int, number: int) -> bytes:
        if number >= 0 or self._later is None:
            return hmac.digest(self._seed, f"window/{number}".encode(), "sha256")
        while len(self._seeds) < len(self._later.borders) + number:
            self._seeds.append(earlier(self._seeds[-1]))
        seed = self._seeds[len(self._later.borders) - 1 + number]
        return hmac.digest(seed, f"window/{start}/{end}".encode(), "sha256")

    def positions(self) -> Iterator[int]:
        """The position of every entrant, in order of arrival."""
        return map(self._before, range(self.entrants))


@lru_cache(maxsize=64)
def order_of(seed: str, entrants: int, windows: Sequence[int] = (), later: Later | None = None) -> Order:
    """An `Order`, kept for the on-sales that are being asked for. `seed`: base64url."""
    return Order(seed, entrants, windows, later)


def check_windows(made: OnSale) -> None:
    """Raises `BadInput` for windows that cannot be meant, or are too many."""
    seconds = made.fair_window_seconds
    if not 0 <= seconds <= LONGEST_WINDOW_S:
        raise BadInput(f"fair_window_seconds lies between 0 (no windows) and {LONGEST_WINDOW_S}")
    if seconds and made.safety_net_per_minute:
        raise BadInput("fair_window_seconds makes everybody wait, and a safety net nobody: choose one")
    before_s = (made.opens_at_ms - made.prequeue_at_ms) // 1000
    if seconds and before_s // seconds >= MOST_WINDOWS:
        least = before_s // MOST_WINDOWS + 1
        raise BadInput(f"{MOST_WINDOWS} windows at most lie before opens_at: fair_window_seconds is at least {least}")
