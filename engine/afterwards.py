"""What there is to say of an on-sale when it is over: a summary for everybody, and its curve for its house."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from engine.catalogue import OnSale
from engine.counted import COUNTERS, counted_in, persons_in
from engine.errors import Refused
from engine.instants import to_rfc3339
from engine.leap import number_in
from engine.ledger.curves import curve, last_done, losses_since
from engine.ledger.ledger import Ledger
from engine.ledger.standings import last_kept
from engine.of_line import of_line
from engine.words import HouseSlug, LineName, OnSaleId

OVER: Final = frozenset({"sold_out", "closed"})
WAIT_FIELD: Final = "waited_"
"""Field n counts the waits of at most 2^(n/4) seconds, see `lua/include/waits.lua`."""


class Waits(msgspec.Struct, frozen=True):
    """How long visitors waited from joining, or from the start of sales, until they came in: seconds, at most."""

    measured: int
    p50_seconds: int
    p95_seconds: int


class LineSummary(msgspec.Struct, frozen=True):
    """What became of one line of an on-sale. `title`: empty for everybody's."""

    line: LineName
    title: str
    entrants: int
    joined: int
    called: int


class Summary(msgspec.Struct, frozen=True):
    """What became of an on-sale, for everybody. Instants are RFC 3339.

    `entrants`: who was in the draw; `missed`: who was called and did not come; `overshoot`: by how many more visitors
    than the rate were let in in any minute. `lost`: when the store was lost meanwhile: the counts are then at least so.
    """

    house: HouseSlug
    on_sale: OnSaleId
    title: str
    phase: str
    opened_at: str
    sold_out_at: str | None
    closed_at: str | None
    entrants: int
    joined: int
    called: int
    admitted: int
    missed: int
    orders: int
    wait: Waits
    rate_per_minute: int
    overshoot: int
    lost: tuple[str, ...]
    lines: tuple[LineSummary, ...]


def waits_in(fields: Mapping[str, str]) -> Waits:
    """Percentiles out of the histogram in an on-sale's hash."""
    counts = {int(name.removeprefix(WAIT_FIELD)): int(fields[name]) for name in fields if name.startswith(WAIT_FIELD)}
    total = sum(counts.values())

    def percentile(share: float) -> int:
        seen = 0
        for step in sorted(counts):
            seen += counts[step]
            if seen >= share * total:
                return round(2 ** (step / 4))
        return 0

    return Waits(measured=total, p50_seconds=percentile(0.5), p95_seconds=percentile(0.95))


def _lines_in(fields: Mapping[str, str], on_sale: OnSale) -> tuple[LineSummary, ...]:
    def told(name: LineName) -> LineSummary:
        line, suffix = on_sale.line(name), of_line("", name)
        entrants, joined, called = (persons_in(fields, suffix, each) for each in ("entrants", "joined", "now_serving"))
        return LineSummary(name, line.title if line else "", entrants, joined, called)

    return tuple(map(told, on_sale.line_names))


async def summary(ledger: Ledger, house: HouseSlug, on_sale: OnSale) -> Summary:
    """The summary of an on-sale that is over.

    Raises `Refused` (`not-over`, with `opens_at`: RFC 3339, when its sales start or started), `LedgerUnavailable`.
    """
    name = on_sale.on_sale
    kept = await last_kept(ledger, name)
    fields = kept.fields
    phase = fields.get("phase", "")
    opened_at = to_rfc3339(number_in(fields, "opens_at_ms") or on_sale.opens_at_ms)
    if phase not in OVER:
        raise Refused("not-over", "there is a summary once the sale is over", opens_at=opened_at)
    counted = counted_in(fields)
    lines = _lines_in(fields, on_sale)
    minutes = await curve(ledger, name)
    return Summary(
        house=house,
        on_sale=name,
        title=on_sale.title,
        phase=phase,
        opened_at=opened_at,
        sold_out_at=await last_done(ledger, name, "sell_out"),
        closed_at=await last_done(ledger, name, "close") if phase == "closed" else None,
        entrants=sum(line.entrants for line in lines),
        joined=counted.joined,
        called=counted.called,
        admitted=counted.admitted,
        missed=max(0, counted.called - counted.admitted),
        orders=sum(minute.counted.orders for minute in minutes),
        wait=waits_in(fields),
        rate_per_minute=number_in(fields, "rate"),
        overshoot=kept.overshoot,
        lost=tuple(await losses_since(ledger, to_rfc3339(on_sale.prequeue_at_ms))),
        lines=lines,
    )


async def curve_csv(ledger: Ledger, on_sale: OnSaleId) -> str:
    """What each minute brought as CSV (RFC 4180), oldest first. Raises `LedgerUnavailable`."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("minute", *COUNTERS))
    for minute in await curve(ledger, on_sale):
        rows.writerow((minute.minute, *_numbers(minute.counted)))
    return text.getvalue()


def _numbers(counted: object) -> Sequence[int]:
    return [getattr(counted, name) for name in COUNTERS]
