"""The pictures of a report. Time runs along the bottom, from the start of sales where that lies in the run."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from loadtests.calm import ASKED, QUIET
from loadtests.series import LAG, Spell
from loadtests.story import Story

COLOURS: Final = ("#1f4e79", "#c8553d", "#3a7d44", "#8a5a9e", "#d49a2a", "#3c8f9b", "#7a6652", "#9aa5b1")
INK: Final = "#22303c"
FAINT: Final = "#d5dce3"
WIDTH_IN: Final = 9.6
HEIGHT_IN: Final = 3.4
SHOWN_REASONS: Final = 7
POINTS: Final = 120
"""About so many windows across a plot of times."""
STYLE: Final[dict[Any, Any]] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 11,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "parvis",
}
Draw = Callable[[Story, Figure], None]


def draw_all(story: Story, folder: Path) -> dict[str, str]:
    """Draw every picture as PNG and SVG into the folder. Answers what each shows, by name."""
    drawn = {}
    for name, (draw, caption, height_in) in PICTURES.items():
        if name == "two-houses" and not any(each.startswith(QUIET) for each in story.series.names):
            continue
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
            FigureCanvasAgg(figure)
            draw(story, figure)
            figure.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
        drawn[name] = caption
    return drawn


def _clock(seconds: float, _: object = None) -> str:
    sign, whole = ("−" if seconds < 0 else ""), abs(int(seconds))
    return f"{sign}{whole // 60}:{whole % 60:02}"


def _round_times(most: int) -> MaxNLocator:
    return MaxNLocator(most, steps=[1, 1.5, 2, 3, 6, 10])


def _figure(value: float, _: object = None) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def _axes(story: Story, figure: Figure, title: str, *where: int) -> Axes:
    axes = figure.add_subplot(*where)
    axes.set_title(title)
    axes.xaxis.set_major_formatter(FuncFormatter(_clock))
    axes.xaxis.set_major_locator(_round_times(10))
    axes.yaxis.set_major_formatter(FuncFormatter(_figure))
    axes.set_xlim(story.first - story.zero, max(story.last, story.first + 1) - story.zero)
    if story.zero != story.first:
        axes.axvline(0, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    return axes


def _legend(axes: Axes, columns: int = 1) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), ncols=columns, borderaxespad=0)


def _queue(story: Story, figure: Figure) -> None:
    axes = _axes(story, figure, "People in the queue", 1, 1, 1)
    seconds = [second - story.zero for second, _ in story.seen]
    queue = [moment.queue for _, moment in story.seen]
    axes.fill_between(seconds, queue, color=COLOURS[0], alpha=0.18, linewidth=0)
    axes.plot(seconds, queue, color=COLOURS[0], linewidth=1.8)
    axes.set_ylim(bottom=0)


def _admissions(story: Story, figure: Figure) -> None:
    axes = _axes(story, figure, "Let in, a second, and what the house allows", 1, 1, 1)
    let_in = [(second - story.zero, moment.admitted) for second, moment in sorted(story.moments.items())]
    axes.bar([at for at, _ in let_in], [count for _, count in let_in], width=1.0, color=COLOURS[5], label="let in")
    averaged = _averaged(dict(let_in), 10)
    axes.plot(*zip(*averaged, strict=True), color=COLOURS[0], linewidth=1.8, label="mean of 10 s")
    rate = [(second - story.zero, moment.per_minute / 60) for second, moment in story.seen]
    axes.step(*zip(*rate, strict=True), where="post", color=COLOURS[1], linewidth=1.5, label="rate")
    axes.set_ylim(bottom=0)
    alive = [(second - story.zero, moment.live_passes) for second, moment in story.seen if moment.cap]
    if alive:
        right = axes.twinx()
        right.grid(visible=False)
        right.spines["right"].set_visible(True)
        right.plot(*zip(*alive, strict=True), color=COLOURS[3], linewidth=1.3, linestyle=(0, (2, 1.5)))
        right.set_ylim(0, max(2, *(count for _, count in alive)) * 1.25)
        right.set_ylabel("inside at once (dashed)", color=COLOURS[3])
    axes.legend(loc="upper right", ncols=3)


def _averaged(counts: dict[int, int], width_s: int) -> list[tuple[int, float]]:
    first, last = min(counts), max(counts)
    return [(at, sum(counts.get(at - back, 0) for back in range(width_s)) / width_s) for at in range(first, last + 1)]


def _seats(story: Story, figure: Figure) -> None:
    axes = _axes(story, figure, "Seats left, by category", 1, 1, 1)
    categories = sorted({name for _, moment in story.seen for name in moment.seats_open})
    seconds = [second - story.zero for second, _ in story.seen]
    rows = [[moment.seats_open.get(name, 0) for _, moment in story.seen] for name in categories]
    if rows:
        axes.stackplot(seconds, rows, labels=categories, colors=COLOURS, alpha=0.85, linewidth=0)
    axes.set_ylim(bottom=0)
    _legend(axes)


def _refusals(story: Story, figure: Figure) -> None:
    axes = _axes(story, figure, "Refusals, a second, by reason", 1, 1, 1)
    total: Counter[str] = Counter()
    for moment in story.moments.values():
        total.update(moment.refusals)
    reasons = [reason for reason, _ in total.most_common(SHOWN_REASONS)]
    seconds = list(range(story.first, story.last + 1))
    rows = [[story.moments[second].refusals[reason] for second in seconds] for reason in reasons]
    others = total.keys() - set(reasons)
    if others:
        reasons.append("others")
        rows.append([sum(story.moments[second].refusals[each] for each in others) for second in seconds])
    below = [0] * len(seconds)
    for reason, row, colour in zip(reasons, rows, COLOURS, strict=False):
        at = [second - story.zero for second in seconds]
        axes.bar(at, row, bottom=below, width=1.0, color=colour, label=f"{reason} ({sum(row):,})")
        below = [low + count for low, count in zip(below, row, strict=True)]
    _legend(axes)


def _times(story: Story, axes: Axes, name: str, *, by_due: bool = True) -> None:
    """Percentiles over time from due to answered, and what the house itself took."""
    width_s = max(1, (story.last - story.first) // POINTS)
    windows = list(story.series.windows((name,), story.first, story.last + 1, width_s))

    def line(pick: Callable[[Spell], float], colour: str, label: str, style: Any = "-") -> None:
        points = [(at - story.zero + width_s / 2, max(0.1, pick(spell) / 1000)) for at, spell in windows]
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, linewidth=1.4, label=label, linestyle=style)

    for share, colour in ((0.99, COLOURS[1]), (0.95, COLOURS[4]), (0.5, COLOURS[0])):
        line(lambda spell, share=share: spell.due.percentile(share), colour, f"{share:.0%}")  # type: ignore[misc]
    if by_due:
        line(lambda spell: spell.sent.percentile(0.99), COLOURS[1], "99%, house alone", (0, (1.5, 1.5)))
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=9))
    axes.yaxis.set_major_formatter(FuncFormatter(_figure))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(_round_times(5))
    axes.set_ylabel("ms")


def _latency(story: Story, figure: Figure) -> None:
    names = [name for name in ("status", "join", "claim", "hold", "order", "seats") if name in story.series.names]
    for number, name in enumerate(names[:6], 1):
        _times(story, _axes(story, figure, name, 3, 2, number), name)
    if figure.axes:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)


def _two_houses(story: Story, figure: Figure) -> None:
    for number, name in enumerate(("quiet status", "quiet hold"), 1):
        axes = _axes(story, figure, f"The quiet house: {name.removeprefix(QUIET)}", 1, 2, number)
        axes.axvspan(story.rush_at - story.zero, story.last - story.zero, color=COLOURS[1], alpha=0.08, linewidth=0)
        _times(story, axes, name, by_due=False)
        axes.text(
            *(0.98, 0.96), "shaded: rush next door", transform=axes.transAxes, ha="right", va="top", color=COLOURS[1]
        )
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)


def _generator(story: Story, figure: Figure) -> None:
    axes = _axes(story, figure, "How late the generator itself was", 1, 2, 1)
    _times(story, axes, LAG, by_due=False)
    axes.legend(loc="upper right")
    axes = _axes(story, figure, "Requests answered, a second", 1, 2, 2)
    names = [name for name in story.series.names if name not in ASKED]
    counts: dict[int, int] = dict.fromkeys(range(story.first - story.zero, story.last - story.zero + 1), 0)
    for (second, name), statuses in story.series.statuses.items():
        if name in names and second - story.zero in counts:
            counts[second - story.zero] += statuses.total()
    axes.plot(list(counts), list(counts.values()), color=COLOURS[0], linewidth=1.2)
    axes.set_ylim(bottom=0)


_LET_IN: Final = (
    "How many were let in each second against the rate, and how many passes lived at once. Above the rate lies only "
    "the burst that a house may allow itself; below it the house was full, or nobody stood at the door."
)
_TIMES: Final = (
    "From when a request was due to its answer, at the 50th, 95th and 99th percentile; dotted, from when it was sent. "
    "The distance between both is time that it waited within the generator."
)
PICTURES: Final[dict[str, tuple[Draw, str, float]]] = {
    "queue": (
        _queue,
        "Places that had not been called, until all was sold. The dashed line is the start of sales.",
        HEIGHT_IN,
    ),
    "admissions": (
        _admissions,
        _LET_IN,
        HEIGHT_IN,
    ),
    "seats": (_seats, "Open seats. They come back when holds are let go of.", HEIGHT_IN),
    "two-houses": (
        _two_houses,
        "What calm visitors of another house felt, before and during the rush next door.",
        HEIGHT_IN,
    ),
    "latency": (
        _latency,
        _TIMES,
        7.6,
    ),
    "refusals": (_refusals, "Every refusal has its reason, and most are the rules at work.", HEIGHT_IN),
    "generator": (_generator, "What the measuring itself did.", HEIGHT_IN),
}
