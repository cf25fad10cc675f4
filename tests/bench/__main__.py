"""`python -m tests.bench [ID…] [--json]`: measures, prints every ratio with its yardstick, exits 1 below a bar."""

import argparse
import logging
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from math import inf, isfinite
from typing import Any, Final

import msgspec
import structlog
import uvloop
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.garbage import collect_seldom
from tests.bench import (
    confirm,
    drawn,
    first_paint,
    http_hold,
    http_line,
    isolation,
    nastiest,
    opening,
    seat_map,
    seats_in_redis,
    sellthrough,
    small_client,
    waiting,
    writer,
)
from tests.bench.rounds import AT_LEAST, Part
from tests.bench.stand import Stand, stand
from tests.edge import NGINX, WHY_NOT

ON_A_STAND: Final[dict[str, Callable[[Stand], Awaitable[list[Part]]]]] = {
    "P1": http_line.status,
    "P3": http_line.join_and_admit,
    "P6": http_hold.hold,
    "P7": writer.record,
}
ALONE: Final[dict[str, Callable[[], Awaitable[list[Part]]]]] = {
    "P2": isolation.cache,
    "P4": seats_in_redis.named_seats,
    "P5": seats_in_redis.best_available,
    "P5b": nastiest.nastiest,
    "P8": waiting.memory,
    "P10": small_client.client,
    "P11": drawn.draw,
    "P12": confirm.confirm,
    "P13": first_paint.sizes,
    "P14": first_paint.first_paint,
    "P15": seat_map.seat_map,
    "opening": opening.opening,
    "sellthrough": sellthrough.sellthrough,
}
IN_WINDOWS: Final[dict[str, Callable[[float], Awaitable[list[Part]]]]] = {"P9": isolation.neighbour}


def _place(name: str) -> tuple[float, str]:
    """By the bar's number; what has none comes last."""
    number = name[1:].rstrip("b")
    return (int(number) if number.isdigit() else inf), name


IDS: Final = sorted({*ON_A_STAND, *ALONE, *IN_WINDOWS}, key=_place)


LONGEST_REASON: Final = 300
BEHIND_THE_EDGE: Final = frozenset({"P2", *IN_WINDOWS})


class Result(msgspec.Struct, frozen=True):
    """A bench's parts; it holds when all of them do. `failed`: why it measured nothing."""

    id: str
    parts: list[Part]
    seconds: float
    failed: str = ""

    @property
    def holds(self) -> bool:
        """Whether every bar is reached."""
        return not self.failed and all(part.holds for part in self.parts)

    @property
    def verdict(self) -> str:
        """How it went, in a word or two."""
        return "failed" if self.failed else "holds" if self.holds else "does not hold"

    def line(self) -> str:
        """One JSON object: the part that is nearest to its bar, and all of them in `parts`; or why there is none."""
        first: dict[str, Any] = {"failed": self.failed}
        if not self.failed:
            first = msgspec.to_builtins(min(self.parts, key=_margin))
        told = {"id": self.id} | first | {"holds": self.holds, "seconds": round(self.seconds, 1), "parts": self.parts}
        return msgspec.json.encode(told).decode()


def _margin(part: Part) -> float:
    """Above 1 the bar is reached."""
    if part.sense == AT_LEAST:
        return part.ratio / part.bar
    return part.bar / part.ratio if part.ratio else inf


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="The bars of the README's Speed.")
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"some of {' '.join(IDS)}; all when none is named")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--window",
        type=float,
        default=isolation.WINDOW_SECONDS,
        metavar="SECONDS",
        help="of P9; 60 for a figure to keep",
    )
    found = parser.parse_args(words)
    unknown = sorted(set(found.ids) - set(IDS))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {' '.join(IDS)}")
    if NGINX is None:
        if BEHIND_THE_EDGE & set(found.ids):
            parser.error(WHY_NOT)
        if not found.ids:
            found.ids = [name for name in IDS if name not in BEHIND_THE_EDGE]
            Console(stderr=True).print(f"{' and '.join(sorted(BEHIND_THE_EDGE))} are left out: {WHY_NOT}")
    return found


async def measure(ids: Sequence[str], window_seconds: float, tell: Callable[[Result], None]) -> list[Result]:
    """Runs the benches one after the other, and tells each result as it comes. One that fails stops no other."""
    results = []
    async with AsyncExitStack() as stack:
        shared: Stand | None = None
        for name in ids:
            started, parts, failed = time.perf_counter(), [], ""
            try:
                if name in ALONE:
                    parts = await ALONE[name]()
                elif name in IN_WINDOWS:
                    parts = await IN_WINDOWS[name](window_seconds)
                else:
                    if shared is None:
                        shared = await stack.enter_async_context(stand())
                    parts = await ON_A_STAND[name](shared)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other benches are measured
                traceback.print_exc()
                failed = repr(error)[:LONGEST_REASON]
            results.append(Result(name, parts, time.perf_counter() - started, failed))
            tell(results[-1])
    return results


def table(results: Sequence[Result]) -> Table:
    """The ratios for people, each with its yardstick."""
    made = Table("", "what ÷ yardstick", "ratio", "bar", "moonshot", "lowest, highest", title="make bench")
    for result in results:
        if result.failed:
            made.add_row(result.id, escape(result.failed), "[bold red]failed ✗[/]", "", "", "")
        for part in result.parts:
            sign = "≥" if part.sense == AT_LEAST else "≤"
            made.add_row(
                result.id,
                f"{part.what}\n[dim]÷ {part.yardstick}\n{part.measured}, {part.rounds} rounds[/]",
                f"[{'green' if part.holds else 'bold red'}]{part.ratio:g} {'✓' if part.holds else '✗'}[/]",
                f"{sign} {part.bar:g}" if isfinite(part.bar) else "",
                f"{sign} {part.moonshot:g}" if part.moonshot is not None else "",
                f"{part.spread[0]:g}, {part.spread[1]:g}",
            )
        made.add_section()
    return made


def main() -> int:
    """The exit code."""
    asked = _arguments(sys.argv[1:])
    console = Console(stderr=True)
    # Standard output is for the figures.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

    def tell(result: Result) -> None:
        if asked.json:
            print(result.line(), flush=True)
        else:
            console.print(f"{result.id}: {result.verdict} ({result.seconds:.0f} s)")

    collect_seldom()  # as the processes do that serve
    # In the order asked for: benches that share a stand leave it as they found it.
    results = uvloop.run(measure(list(dict.fromkeys(asked.ids)) or IDS, asked.window, tell))
    if not asked.json:
        Console().print(table(results))
    return 0 if all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
