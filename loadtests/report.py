"""A run's report: one page that needs nothing else, its pictures as files, and the raw figures beside them.

`python -m loadtests.report reports/<run>` writes it again from what the run has left there.
"""

import base64
import sys
from pathlib import Path
from typing import Any, Final

import jinja2
import msgspec

from loadtests.calm import ASKED, QUIET
from loadtests.fault import KINDS
from loadtests.plots import draw_all
from loadtests.series import Row, Series
from loadtests.story import LATE_MS, Run, Story
from loadtests.tables import write_tables

__all__ = ["Run", "write_report"]
KINDS_IN_WORDS: Final = {
    "double_sale": "a seat sold twice",
    "lost_order": "an order lost",
    "broken_limit": "a limit broken",
    "broken_line": "the order of the line broken",
    "broken_promise": "a promise not kept",
    "unbalanced_books": "books that do not balance",
    "missing_evidence": "evidence missing",
}
_PAGE: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("loadtests", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_MEDIA: Final = "data:image/svg+xml;base64,"


def write_report(reports: Path, run: Run, log: list[bytes], series: Series) -> Path:
    """Write everything into a folder of its own under `reports`. Answers the page's path."""
    moment = run.began_at[:19].replace(":", "").replace("-", "")
    folder = reports / f"{moment}-{run.plan.shape}-{run.plan.visitors}-seed{run.plan.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2))
    (folder / "series.json").write_bytes(msgspec.json.encode(series.rows()))
    (folder / "told.jsonl").write_bytes(b"\n".join(log) + b"\n")
    return _draw(folder, run, log, series)


def _draw(folder: Path, run: Run, log: list[bytes], series: Series) -> Path:
    story = Story(run, log, series)
    captions = draw_all(story, folder)
    pictures = [
        (name, caption, _MEDIA + base64.b64encode((folder / f"{name}.svg").read_bytes()).decode())
        for name, caption in captions.items()
    ]
    page = folder / "report.html"
    text = _PAGE.get_template("report.html.j2").render(
        story=story,
        run=run,
        verdict=run.verdict,
        kinds=[(KINDS_IN_WORDS[kind], run.verdict.counts[kind]) for kind in KINDS],
        words=KINDS_IN_WORDS,
        pictures=pictures,
        figures=figures(story),
        requests=[request(story, name) for name in story.series.names],
        refusals=reasons(story),
        houses=side_by_side(story),
        generator=generator(story),
        tables=write_tables(story, folder),
    )
    page.write_text(text, encoding="utf-8")
    return page


def figures(story: Story) -> list[tuple[str, str]]:
    """What one would tell somebody who asks how it went."""
    over = story.sold_out_after_s
    queue = max((moment.queue for _, moment in story.seen), default=0)
    left = sum(story.seen[-1][1].seats_open.values()) if story.seen else 0
    admitted = sum(moment.admitted for moment in story.moments.values())
    return [
        ("visitors", f"{story.run.plan.visitors:,}"),
        ("longest queue", f"{queue:,}"),
        ("let in", f"{admitted:,}"),
        ("orders", f"{len(story.orders):,}"),
        ("seats bought", f"{story.run.verdict.seats:,}"),
        ("sold out after" if over is not None else "seats left", f"{over} s" if over is not None else f"{left:,}"),
        ("wait, half · 95 %", f"{story.wait_s(0.5):.0f} s · {story.wait_s(0.95):.0f} s"),
        ("requests", f"{story.requests:,}"),
        ("busiest second", f"{story.busiest:,} requests"),
    ]


def request(story: Story, name: str) -> dict[str, Any]:
    """One kind of request over the whole run: how many, how they ended, and how long they took; milliseconds."""
    whole, ended = story.series.over((name,)), story.series.ended(name)
    return {
        "name": name,
        "count": sum(ended.values()),
        "due": [f"{whole.due.percentile(share) / 1000:,.1f}" for share in (0.5, 0.95, 0.99, 1.0)],
        "sent": [f"{whole.sent.percentile(share) / 1000:,.1f}" for share in (0.5, 0.99)],
        "ended": ", ".join(f"{status or 'no answer'}: {count:,}" for status, count in sorted(ended.items())),
    }


def reasons(story: Story) -> list[tuple[str, str, int]]:
    """Step, reason, how often; the most frequent first."""
    total: dict[tuple[str, str], int] = {}
    for (_, step, slug), count in story.refusals.items():
        total[step, slug] = total.get((step, slug), 0) + count
    return sorted(((step, slug, count) for (step, slug), count in total.items()), key=lambda row: -row[2])


def side_by_side(story: Story) -> list[dict[str, Any]]:
    """The quiet house before and during the rush next door; nothing where there was none."""
    rows = []
    for name in ASKED:
        before = story.series.over((name,), last=story.rush_at).due
        during = story.series.over((name,), first=story.rush_at).due
        if len(during):
            quiet_ms, rush_ms = (each.percentile(0.99) / 1000 for each in (before, during))
            rows.append(
                {
                    "name": name.removeprefix(QUIET),
                    "before": (len(before), *(f"{before.percentile(share) / 1000:.1f}" for share in (0.5, 0.95, 0.99))),
                    "during": (len(during), *(f"{during.percentile(share) / 1000:.1f}" for share in (0.5, 0.95, 0.99))),
                    "difference": f"{rush_ms - quiet_ms:+.1f}" if len(before) else "",
                    "ratio": f"{rush_ms / quiet_ms:.2f}" if quiet_ms else "",
                }
            )
    return rows


def generator(story: Story) -> dict[str, Any]:
    """What the measuring cost, and whether it stood in its own way."""
    run, lag_ms = story.run, story.lag_ms
    cpu_s, requests = run.generator_cpu_s, max(1, story.requests)
    return {
        "is_late": lag_ms > LATE_MS,
        "lag_ms": f"{lag_ms:,.0f}",
        "processes": run.processes,
        "cpu_s": f"{cpu_s:,.0f}",
        "cores": f"{cpu_s / max(1.0, run.seconds):.2f}",
        "ms_a_visitor": f"{cpu_s * 1000 / max(1, run.plan.visitors):.1f}",
        "us_a_request": f"{cpu_s * 1_000_000 / requests:,.0f}",
    }


def main() -> None:
    """Write a report again."""
    folder = Path(sys.argv[1])
    run = msgspec.json.decode((folder / "run.json").read_bytes(), type=Run)
    series = Series()
    series.merge(msgspec.json.decode((folder / "series.json").read_bytes(), type=list[Row]))
    sys.stdout.write(f"{_draw(folder, run, (folder / 'told.jsonl').read_bytes().splitlines(), series)}\n")


if __name__ == "__main__":
    main()
