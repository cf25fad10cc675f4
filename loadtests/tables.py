"""The raw figures of a run as CSV: for whoever wants to draw their own."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from loadtests.histogram import middle_of
from loadtests.story import Story


def write_tables(story: Story, folder: Path) -> list[str]:
    """Write every table into the folder. Answers the files' names."""
    tables = {
        "seconds.csv": _seconds(story),
        "requests.csv": _requests(story),
        "refusals.csv": _refusals(story),
        "orders.csv": _orders(story),
    }
    for name, rows in tables.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    return list(tables)


def _seconds(story: Story) -> Iterable[list[Any]]:
    """One row a second; times in milliseconds, from due to answered."""
    categories = sorted({name for _, moment in story.seen for name in moment.seats_open})
    timed = [name for name in story.series.names if name in {"status", "claim", "hold", "order"} or "quiet" in name]
    yield [
        *("second", "phase", "queue", "joined", "now_serving", "per_minute", "live_passes", "cap"),
        *("came", "admitted", "orders", "gone", "refusals", "requests"),
        *(f"open {name}" for name in categories),
        *(f"{name} p{share}_ms" for name in timed for share in (50, 99)),
        "generator_late_p99_ms",
    ]
    for second in range(story.first, story.last + 1):
        moment = story.moments[second]
        requests = sum(story.series.statuses[second, name].total() for name in story.series.names)
        yield [
            *(second - story.zero, moment.phase, moment.queue, moment.joined, moment.now_serving, moment.per_minute),
            *(moment.live_passes, moment.cap, moment.came, moment.admitted, moment.orders, moment.gone),
            *(moment.refusals.total(), requests),
            *(moment.seats_open.get(name, "") for name in categories),
            *(_ms(story, second, name, share) for name in timed for share in (0.5, 0.99)),
            _ms(story, second, "lag", 0.99),
        ]


def _ms(story: Story, second: int, name: str, share: float) -> str:
    spell = story.series.spells.get((second, name))
    return f"{spell.due.percentile(share) / 1000:.2f}" if spell and len(spell.due) else ""


def _requests(story: Story) -> Iterable[list[Any]]:
    """The whole histogram of every kind of request, on both clocks."""
    yield ["request", "clock", "milliseconds", "count"]
    for name in story.series.names:
        whole = story.series.over((name,))
        for clock, histogram in (("due", whole.due), ("sent", whole.sent)):
            for bucket, count in sorted(histogram.counts.items()):
                yield [name, clock, f"{middle_of(bucket) / 1000:.4f}", count]


def _refusals(story: Story) -> Iterable[list[Any]]:
    yield ["second", "step", "reason", "count"]
    for (second, step, slug), count in sorted(story.refusals.items()):
        yield [second - story.zero, step, slug, count]


def _orders(story: Story) -> Iterable[list[Any]]:
    """Every order that somebody was told is sold; the secrets that open them are left out."""
    yield ["second", "order", "state", "who", "seats", "total", "currency"]
    for order, entry in story.orders.items():
        second = round(entry["at_ms"] / 1000 - story.zero, 3)
        yield [second, order, entry["state"], entry["kind"], len(entry["items"]), entry["total"], entry["currency"]]
