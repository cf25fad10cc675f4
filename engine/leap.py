"""How far an on-sale's lines may have come between when they were kept and the loss of their Redis: never less.

Nobody can know what was lost. So the number being served goes on from the highest that it can have reached, and
arrivals from the highest index that can have been given: nobody's number is given twice, and nobody who was called
waits again. The bounds grow with the time since the line was kept, about a second, never with restarts that lost
nothing. Indices that were leapt over are nobody's: see `engine/leaps.py`.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

import msgspec

from engine.leaps import called_to, leaps_of, with_run
from engine.windows import MOST_LATER

MARGIN: Final = 20
CALLS_RISE: Final = 1.2
"""How much more may be called for each who may come in, from one watch to the next (`lua/include/no_shows.lua`)."""
LEAST_JOINS_A_SECOND: Final = 50.0
"""A line may have been quiet until the very last moment."""
RUSH: Final = 2.0
"""So many times the fastest that it was ever joined: a rush may just have begun."""
LONGEST_ELAPSED_S: Final = 900.0
"""Where nobody knows how long ago it was lost: longer than Postgres may be away from a Redis that sells."""
BEFORE: Final = frozenset({"scheduled", "prequeue"})
JOINABLE: Final = frozenset({"scheduled", "prequeue", "open", "paused"})


class Lost(msgspec.Struct, frozen=True):
    """What is known of the moment that was lost. `elapsed_s`: since the fields were read from the Redis that is lost.

    `joins_a_second`: the fastest that was measured; `recorded`: by line, one more than the ledger's highest index.
    `now_ms`: of the Redis that goes on.
    """

    elapsed_s: float
    joins_a_second: float
    recorded: Mapping[str, int]
    now_ms: int


def line_of(suffix: str) -> str:
    """The line whose fields end so."""
    return suffix.removeprefix(":") or "public"


def suffixes(fields: Mapping[str, Any]) -> list[str]:
    """What the fields of each line end in: nothing for the public one, `:<line>` for another."""
    names = [name.partition(":") for name in fields]
    return [colon + line for name, colon, line in names if name == "joined"]


def leapt(fields: Mapping[str, str], lost: Lost) -> dict[str, str | int]:
    """The fields that go on otherwise than they were kept, by name. `fields`: of the whole hash, as it was kept.

    `leaps`: which of a line's indices nobody is known to have.
    """
    elapsed_s = min(max(0.0, lost.elapsed_s), LONGEST_ELAPSED_S)
    phase = fields.get("phase", "scheduled")
    changed: dict[str, str | int] = {}
    for suffix in suffixes(fields):
        is_public = not suffix
        known = max(number_in(fields, "joined" + suffix), lost.recorded.get(line_of(suffix), 0))
        opened_at_ms = number_in(fields, "opens_at_ms" + suffix)
        is_before = phase in BEFORE if is_public else phase in JOINABLE and not number_in(fields, "mark_at_ms" + suffix)
        opened_since = is_before and 0 < opened_at_ms <= lost.now_ms
        closed_at_ms = number_in(fields, "closes_at_ms" + suffix) or lost.now_ms
        is_over = closed_at_ms + elapsed_s * 1000 < lost.now_ms
        joined = known
        may_join_from_ms = number_in(fields, "prequeue_at_ms" + suffix) or opened_at_ms
        if phase in JOINABLE and not is_over and (not is_before or may_join_from_ms <= lost.now_ms):
            joined += MARGIN + ceil(RUSH * max(lost.joins_a_second, LEAST_JOINS_A_SECOND) * elapsed_s)
        changed["joined" + suffix] = joined
        before = fields.get("leaps" + suffix, "")
        leaps = with_run(before, known, joined)
        changed |= {"leaps" + suffix: leaps} if leaps else {}
        changed |= _windows_ended(fields, suffix, known, joined)
        # Whoever was called before the loss may find the pass lost: each one's turn begins anew.
        changed |= {"gone" + suffix: 0, "mark" + suffix: 0}
        is_served = phase == "open" if is_public else phase in {"open", *BEFORE} and not is_before
        if is_over or not (is_served or opened_since):
            continue
        if opened_since:
            # The list of entrants was closed in the moment that was lost. It is closed now, with everybody in it.
            changed |= {"entrants" + suffix: joined, "mark_at_ms" + suffix: lost.now_ms}
            changed["fixed_at_ms" + suffix] = lost.now_ms
            changed |= {"phase": "open"} if is_public else {}
        # One that began to be due before it was kept may have been called since.
        called = 1 + ceil(_fastest(fields) * elapsed_s / 60)
        served = number_in(fields, "now_serving" + suffix)
        # What is leapt over only now was called at the pace as well, unless it is in a draw that is of now.
        nobody = leaps_of(leaps, joined) if opened_since else leaps_of(before, number_in(fields, "entrants" + suffix))
        changed["now_serving" + suffix] = max(served, min(joined, called_to(nobody, served, called)))
        changed["served_at_ms"] = lost.now_ms
    # As many passes as could be may have gone out just now.
    burst = max(1.0, number_in(fields, "rate") * number_in(fields, "burst_ms") / 60_000)
    changed |= {"door": f"{burst:.6f}", "door_at_ms": lost.now_ms}
    return changed


def _windows_ended(fields: Mapping[str, str], suffix: str, known: int, joined: int) -> dict[str, str | int]:
    """Who came since the last known window is in one that has ended; so are the indices that are leapt over."""
    ended, border = (number_in(fields, name + suffix) for name in ("borders", "border"))
    if number_in(fields, "fair_window_ms") <= 0 or number_in(fields, "mark_at_ms" + suffix) <= 0:
        return {}
    more = [end for end in sorted({known, joined}) if end > max(border, number_in(fields, "entrants" + suffix))]
    more = more[: max(0, MOST_LATER - ended)]
    if not more:
        return {}
    later = " ".join([*fields.get("later" + suffix, "").split(), *map(str, more)])
    return {"later" + suffix: later, "border" + suffix: more[-1], "borders" + suffix: ended + len(more)}


def number_in(fields: Mapping[str, str], name: str) -> int:
    """A field as a whole number; 0 where it is missing."""
    return int(float(fields.get(name) or 0))


def _fastest(fields: Mapping[str, str]) -> float:
    """How many can have been called a minute: for whoever stays away too, and at any rate that was planned."""
    rates = [number_in(fields, "rate"), *map(int, fields.get("rates", "").split()[1::2])]
    calls = float(fields.get("calls") or 0)
    return max(rates) * (calls * CALLS_RISE if calls else 1)
