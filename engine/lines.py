"""The lines of an on-sale besides the public one: by code or signed invitation, each with its window and its share.

All lines of an on-sale share its pace and its cap; `lua/include/share_out.lua` splits whom they let in.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from engine.catalogue import LINE_KINDS, PUBLIC_LINE, Line, OnSale
from engine.drawing import Drawn
from engine.errors import BadInput
from engine.leaps import Leap, leaps_of, persons_before, persons_between
from engine.of_line import of_line
from engine.words import LineName

MOST_LINES: Final = 4
MOST_SHARED: Final = 99
LINE_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
LINE_FIELDS: Final = ("joined", "now_serving", "entrants", "mark", "mark_at_ms", "gone")


class LineStatus(msgspec.Struct, frozen=True):
    """Where a line stands, as `lua/waiting_room/status.lua` says. `phase`: of it alone, `over` behind its window.

    `share`: in per cent; `closes_at_ms`: 0 for an open end; `leapt`: as Redis keeps `leaps`.
    """

    line: LineName
    phase: str
    share: int
    prequeue_at_ms: int
    opens_at_ms: int
    closes_at_ms: int
    now_serving: int
    joined: int
    draw: Drawn
    leapt: str = ""

    @property
    def leaps(self) -> tuple[Leap, ...]:
        """Where nobody stands: see there."""
        return leaps_of(self.leapt, self.draw.entrants) if self.leapt else ()

    @property
    def called(self) -> int:
        """How many have been called."""
        return persons_before(self.leaps, self.now_serving)

    @property
    def waiting(self) -> int:
        """How many joined and are not called yet."""
        return persons_between(self.leaps, self.now_serving, self.joined)


def prequeue_of(on_sale: OnSale, line: Line) -> int:
    """From when on a line may be joined: as long before it opens as it is for the public one."""
    return line.opens_at_ms - (on_sale.opens_at_ms - on_sale.prequeue_at_ms)


def fields(on_sale: OnSale) -> dict[str, str | int]:
    """What the lines add to the on-sale's hash in Redis as it starts."""
    if not on_sale.lines:
        return {}
    values: dict[str, str | int] = {"lines": " ".join(line.line for line in on_sale.lines)}
    for line in on_sale.lines:
        own: dict[str, str | int] = {
            "share": line.share_percent,
            "prequeue_at_ms": prequeue_of(on_sale, line),
            "opens_at_ms": line.opens_at_ms,
            "closes_at_ms": line.closes_at_ms,
            "seed": line.seed,
            "commitment": line.commitment,
        }
        values |= {of_line(name, line.line): value for name, value in own.items()}
        values |= dict.fromkeys((of_line(name, line.line) for name in LINE_FIELDS), 0)
    return values


def paces(lines: Sequence[LineStatus], pace_per_minute: int) -> dict[LineName, int]:
    """How many a minute each line calls, as it stands: what a line leaves, the others have. `lines`: all of them.

    A line with nobody in it is told what somebody would have who joined now.
    """
    found = {}
    for line in lines:
        others = sum(each.share for each in lines if each.phase == "open" and each.waiting > 0 and each is not line)
        is_served = line.phase in {"open", "prequeue", "scheduled"} and line.share > 0
        found[line.line] = pace_per_minute * line.share // (line.share + others) if is_served else 0
    return found


def check_lines(on_sale: OnSale) -> None:
    """Raises `BadInput` for lines that cannot be meant."""
    names = [line.line for line in on_sale.lines]
    if len(names) > MOST_LINES or len(set(names)) < len(names) or PUBLIC_LINE in names:
        raise BadInput(f"an on-sale has at most {MOST_LINES} lines besides {PUBLIC_LINE!r}, each once")
    for line in on_sale.lines:
        if not LINE_NAME.fullmatch(line.line):
            raise BadInput(f"{line.line!r} is no name of a line: small letters, digits and hyphens, at most 31")
        if line.by not in LINE_KINDS:
            raise BadInput(f"a line is joined by {' or '.join(LINE_KINDS)}")
        if line.closes_at_ms and line.closes_at_ms <= line.opens_at_ms:
            raise BadInput(f"{line.line} closes before it opens")
        if line.share_percent < 1:
            raise BadInput(f"the share of {line.line} is at least 1 per cent")
    if sum(line.share_percent for line in on_sale.lines) > MOST_SHARED:
        raise BadInput(f"lines share at most {MOST_SHARED} per cent: the rest is the public line's")
