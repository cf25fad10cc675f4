"""What a form without JavaScript wishes for, and in words why the best were those that were found."""

from itertools import islice
from typing import Final

from api.forms.door import Fields
from api.forms.words import Words
from engine.best import SPLITS, Best
from engine.catalogue import Performance
from engine.errors import Refused
from engine.wishes import LARGEST_QUANTITY, Choice, Wish
from engine.words import AreaId, SeatId

NONE_CHOSEN: Final = "none-chosen"
WISHES: Final = ("part", "row_first", "row_last", "near", "aisle", "no_stairs", "apart")
"""The fields that narrow the choice of the best, besides the category."""
REASONS: Final = ("distance", "rank", "near")


def count(text: str) -> int:
    """How many, of a field."""
    return int(text) if text.isdecimal() and len(text) <= 4 else 0


def counted_types(fields: Fields) -> list[str]:
    """The price type of each that is asked for by number."""
    each = (price_type for price_type, text in fields.under("q.").items() for _ in range(count(text)))
    # One more than may be asked for is refused like millions, and costs nothing.
    return list(islice(each, LARGEST_QUANTITY + 1))


def types_of_seats(fields: Fields) -> list[str]:
    """The price type of each named seat: of those ticked in a row, or as they stand beside an offer."""
    chosen = fields.under("type.")
    return fields.all("type") or [chosen[seat] for seat in fields.all("seat") if seat in chosen]


def wish_of(fields: Fields, performance: Performance) -> tuple[Wish, list[str]]:
    """What a form wishes for, and the price type of each. Raises `Refused` where nothing is chosen."""
    name = performance.performance
    named = [SeatId(seat) for seat in fields.all("seat")]
    if named:
        return Wish(performance=name, seats=tuple(named)), types_of_seats(fields)
    types = fields.all("type") or counted_types(fields)
    if not types:
        raise Refused(NONE_CHOSEN, "nothing is chosen")
    if area := fields.get("area"):
        return Wish(performance=name, area=AreaId(area), quantity=len(types)), types
    rows = fields.get("row_first"), fields.get("row_last")
    best = Best(
        quantity=len(types),
        category=fields.get("category"),
        zone=fields.get("part"),
        rows=rows if any(rows) else None,
        aisle=fields.get("aisle"),
        no_stairs=bool(fields.get("no_stairs")),
        near=SeatId(fields.get("near")) if fields.get("near") else None,
        split=SPLITS[-1] if fields.get("apart") else SPLITS[0],
    )
    return Wish(performance=name, best=best), types


def spelled(choices: tuple[Choice, ...]) -> dict[str, str]:
    """Why these, for an address: `why` reads it."""
    return {
        name: text
        for each in choices[:1]
        for name, text in (("by", each.by), ("together", each.together), ("better", str(each.better_rows)))
    }


def why(query: Fields, words: Words) -> list[str]:
    """Why these are the best, of what an address says of it: checked as everything that comes from outside."""
    by, together, better = query.get("by"), query.get("together"), count(query.get("better"))
    if by not in REASONS:
        return []
    return [
        words.say(f"found_by.{by}"),
        *([words.say(f"found_split.{together}")] if together in SPLITS[1:] else []),
        *([words.say("found_better", n=better)] if better else []),
    ]
