"""How a sale went, as people read it: the summary of `api/afterwards.py` as one page, with JavaScript and without."""

from typing import Final

import msgspec

from api.afterwards import known_summary
from api.forms.door import is_secure, tell_people
from api.forms.frame import Frame, page
from api.forms.words import Words
from api.hot import Answer, Call, lay
from engine.afterwards import Summary
from engine.catalogue import OnSale
from engine.errors import Refused
from engine.instants import from_rfc3339, now_ms

ADDRESS: Final = "/h/{house:str}/{on_sale:str}/summary"
HOUR_SECONDS: Final = 3_600
_decode: Final = msgspec.json.Decoder(Summary).decode


class Went(msgspec.Struct, frozen=True):
    """A sale that is over, in words. `counts` and `lines`: what is counted, and how many; what a queue is called, and
    what is said of it. What there is nothing to say of is empty.
    """

    happened: list[str]
    counts: list[tuple[str, int]]
    others: list[str]
    waits: list[str]
    pace: str
    lines: list[tuple[str, str]]
    draw: list[str]


def _span(seconds: int, words: Words) -> str:
    """So long that minutes say little, it is told in hours."""
    is_long = seconds >= 3 * HOUR_SECONDS
    return words.say("hours", n=round(seconds / HOUR_SECONDS)) if is_long else words.about(max(1, seconds))


def _moment(at: str, words: Words) -> str:
    return words.moment(from_rfc3339(at))


def _happened(told: Summary, words: Words) -> list[str]:
    said = [words.say("went.started", time=_moment(told.opened_at, words))]
    if told.sold_out_at:
        after_s = (from_rfc3339(told.sold_out_at) - from_rfc3339(told.opened_at)) // 1000
        after = _span(after_s, words)
        said.append(words.say("went.sold_out", time=_moment(told.sold_out_at, words), after=after))
    if told.closed_at:
        said.append(words.say("went.closed", time=_moment(told.closed_at, words)))
    return said


def _others(told: Summary, words: Words) -> list[str]:
    """Those of whom the counts by themselves do not tell."""
    counts = {"went.in_vain": told.joined - told.called, "went.missed": told.missed}
    return [words.say(name, n=n) for name, n in counts.items() if n > 0]


def _waits(told: Summary, words: Words) -> list[str]:
    if not told.wait.measured:
        return []
    half, most = (_span(seconds, words) for seconds in (told.wait.p50_seconds, told.wait.p95_seconds))
    said = [words.say("went.most", time=most), words.say("went.waited_from")]
    return said if half == most else [words.say("went.half", time=half), *said]


def _draw(told: Summary, on_sale: OnSale, words: Words) -> list[str]:
    if not told.entrants:
        said = [words.say("went.nobody_drawn")]
    else:
        said = [words.say("went.drawn", n=told.entrants)]
        if on_sale.contributors:
            houses = ", ".join(each.house for each in on_sale.contributors)
            said.append(words.say("went.contributors", houses=houses))
    window = on_sale.fair_window_seconds
    return [*said, words.say("went.later_windows", window=words.span(window)) if window else words.say("went.later")]


def went(told: Summary, on_sale: OnSale, words: Words) -> Went:
    """What there is to say of a sale that is over, in the visitor's language and the house's zone."""
    counts = [("went.joined", told.joined), ("went.called", told.called)]
    counts += [("went.admitted", told.admitted), ("went.orders", told.orders)]
    if told.closed_at and from_rfc3339(told.closed_at) < from_rfc3339(told.opened_at):
        return Went([words.say("went.never", time=_moment(told.closed_at, words))], counts[:1], [], [], "", [], [])
    pace = "went.pace_over" if told.overshoot else "went.pace_kept"
    return Went(
        happened=_happened(told, words),
        counts=counts,
        others=_others(told, words),
        waits=_waits(told, words),
        pace=words.say(pace, n=told.overshoot, rate=told.rate_per_minute),
        lines=[
            (each.title or words.say("went.everybody"), words.say("went.line", n=each.joined, called=each.called))
            for each in told.lines
            if len(told.lines) > 1
        ],
        draw=_draw(told, on_sale, words),
    )


def _address(call: Call, path: str) -> str:
    """Where a path of ours is for whoever asks."""
    return f"{'https' if is_secure(call.scope) else 'http'}://{call.header(b'host')}{path}"


async def show_summary(call: Call) -> Answer:
    """How it went; before it is over, when to come back."""
    on_sale, frame = call.cell.on_sale(call.parameters["on_sale"]), Frame(call.scope, call.cell)
    words, house = frame.words, f"/v1/houses/{call.cell.house.slug}"
    last_ms = max(call.cell.performance(name).starts_at_ms for name in on_sale.performances)
    shown: Went | None = None
    said = [words.say("went.come_back", date=words.date(last_ms))]
    losses: list[str] = []
    try:
        told = _decode((await known_summary(call)).body)
    except Refused as refusal:
        if refusal.slug != "not-over":
            raise
        opens_at = str(refusal.facts["opens_at"])
        if from_rfc3339(opens_at) > now_ms():
            said.insert(0, words.say("went.starts", time=_moment(opens_at, words)))
    else:
        shown, losses = went(told, on_sale, words), [_moment(each, words) for each in told.lost]
    return page(
        frame,
        "summary.html",
        on_sale=on_sale,
        room=f"/h/{call.cell.house.slug}/{on_sale.on_sale}",
        shown=shown,
        said=said,
        losses=losses,
        keys=_address(call, f"{house}/.well-known/jwks.json"),
        signed=_address(call, f"{house}/on-sales/{on_sale.on_sale}/summary"),
    )


lay(ADDRESS, "summary_page", {"GET": (show_summary, None)}, tell=tell_people, is_public=None)
