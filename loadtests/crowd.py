"""A crowd for a demonstration, in one process: `python -m loadtests.crowd --help`.

Every visitor lives a journey of its own over HTTP (see `queueing` and `shopping`); a seed decides who comes.
Prints a JSON line of progress each second and a summary at last; `--log` keeps what every visitor was told.
With `--quiet-probe` it is instead a few calm shoppers at a quiet house, whose holds are timed (see `probe`).
"""

import argparse
import asyncio
import contextlib
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import uvloop

from loadtests import probe
from loadtests.character import character
from loadtests.http_client import HttpClient, follow
from loadtests.shopping import journey
from loadtests.tally import Tally
from loadtests.visit import FOREVER_MS, Left, Visit, milliseconds, now_ms
from loadtests.wire import UNKNOWN, Answer, Ask, OnSale, Pause, Status

OWN_POLLERS: Final = 200
"""So many visitors poll the house themselves; the others read what a cache before them would answer."""
ARRIVE_WITHIN_S: Final = 30.0
LATE_WITHIN_S: Final = 15.0
STEP_S: Final = 1.0
SETTLE_S: Final = 5.0


def write_line(document: object) -> None:
    """One JSON line on standard output, at once: another process reads along."""
    sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
    sys.stdout.buffer.flush()


class Crowd:
    """Visitors 0 to `visitors` - 1 of a seed, at one on-sale."""

    def __init__(self, options: argparse.Namespace, client: HttpClient, tally: Tally, log: BinaryIO | None) -> None:
        self._options = options
        self._client = client
        self._tally = tally
        self._log = log
        self._over = asyncio.Event()
        self._poll_apart = max(1, options.visitors // OWN_POLLERS)
        self._unwanted = frozenset(options.leave_category)

    def _note(self, entry: dict[str, Any]) -> None:
        self._tally.note(entry)
        if self._log is not None:
            self._log.write(msgspec.json.encode(entry) + b"\n")

    async def _answer(self, ask: Ask, number: int) -> Answer:
        polls_itself = ask.name == "status" and number % self._poll_apart == 0
        if ask.fresh_ms and not polls_itself:
            return await self._client.cached(ask)
        return await self._client.send(ask)

    async def _pause(self, pause: Pause) -> None:
        if not pause.is_waiting:
            await asyncio.sleep(pause.seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause.seconds):
                await self._over.wait()
        if self._over.is_set():
            raise Left("sold_out")

    async def visit(self, number: int, comes_at_ms: int) -> None:
        """One visitor, from coming to leaving."""
        options = self._options
        await asyncio.sleep(max(0, comes_at_ms - now_ms()) / 1000)
        who = character(options.seed, number, options.think_s)
        visit = Visit(options.house, options.on_sale, who, self._note, seed=options.seed, unwanted=self._unwanted)
        await follow(journey(visit), lambda ask: self._answer(ask, number), self._pause)

    def comes_at_ms(self, number: int, prequeue_at_ms: int, opens_at_ms: int) -> int:
        """When a visitor comes: most before the start of sales, once there is a queue; some after it."""
        who = character(self._options.seed, number, self._options.think_s)
        first_ms = max(now_ms(), prequeue_at_ms, opens_at_ms - int(ARRIVE_WITHIN_S * 1000))
        start_ms = max(first_ms, opens_at_ms)
        if who.is_late:
            return start_ms + int(who.arrival * LATE_WITHIN_S * 1000)
        return first_ms + int(who.arrival * (start_ms - first_ms or LATE_WITHIN_S * 1000) * 0.95)

    async def watch(self, status_path: str, settle_s: float) -> None:
        """Once nothing is left and nobody holds anything any more, whoever waits is told, as a page would.

        `settle_s`: how long nothing is left before nothing comes back, abandoned holds included.
        """
        nothing_since_s: float | None = None
        while not self._over.is_set():
            await asyncio.sleep(STEP_S)
            answer = await self._client.cached(Ask("status", "GET", status_path, fresh_ms=1000))
            if not answer.is_good:
                continue
            status = msgspec.json.decode(answer.body, type=Status)
            left = sum(count for name, count in status.seats_open.items() if name not in self._unwanted)
            if status.is_over:
                self._over.set()
            elif left or self._tally.holding or status.phase != "open":
                nothing_since_s = None
            elif nothing_since_s is None:
                nothing_since_s = time.monotonic()
            elif time.monotonic() - nothing_since_s > settle_s:
                self._over.set()


async def _report(tally: Tally) -> None:
    while True:
        await asyncio.sleep(STEP_S)
        write_line(tally.progress())


async def read_on_sale(client: HttpClient, path: str) -> OnSale:
    """What is for sale, once the house is up. Raises `SystemExit` if it is not there after a minute."""
    answer = Answer(UNKNOWN)
    for _ in range(60):
        answer = await client.cached(Ask("on-sale", "GET", path, fresh_ms=FOREVER_MS))
        if answer.is_good:
            return msgspec.json.decode(answer.body, type=OnSale)
        await asyncio.sleep(1)
    raise SystemExit(f"{path} cannot be had: {answer.slug}")


async def run(options: argparse.Namespace, log: BinaryIO | None) -> Tally:
    """The whole crowd, until everybody has left or `longest_s` is over. Prints progress and summary."""
    tally = Tally(options.visitors, opens_at_ms=0)
    path = f"/v1/houses/{options.house}/on-sales/{options.on_sale}"
    started_s = time.monotonic()
    async with HttpClient(options.base_url, tally.timed) as client:
        on_sale = await read_on_sale(client, path)
        opens_at_ms = milliseconds(on_sale.opens_at)
        tally.opens_at_ms = opens_at_ms
        crowd = Crowd(options, client, tally, log)
        moments = [
            crowd.comes_at_ms(number, milliseconds(on_sale.prequeue_at), opens_at_ms)
            for number in range(options.visitors)
        ]
        visits = [asyncio.create_task(crowd.visit(number, moment)) for number, moment in enumerate(moments)]
        watching = asyncio.create_task(crowd.watch(f"{path}/status", on_sale.hold_seconds + SETTLE_S))
        helpers = [watching, *([asyncio.create_task(_report(tally))] if options.progress else [])]
        done, unfinished = await asyncio.wait(visits, timeout=options.longest_s)
        for task in (*unfinished, *helpers):
            task.cancel()
        await asyncio.gather(*unfinished, *helpers, return_exceptions=True)
        for task in done:
            task.result()
    summary = tally.summary(time.monotonic() - started_s)
    write_line(summary | {"unfinished": len(unfinished)})
    return tally


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.crowd", description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--house", required=True)
    parser.add_argument("--on-sale", required=True)
    parser.add_argument("--visitors", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="where to keep what every visitor was told, one JSON a line")
    parser.add_argument("--leave-category", action="append", default=[], help="a category the crowd does not buy")
    parser.add_argument("--think-s", type=float, default=1.0, help="how slowly everybody clicks, on average")
    parser.add_argument("--longest-s", type=float, default=900.0, help="when the crowd is sent home at the latest")
    parser.add_argument("--progress", action="store_true", help="a JSON line of progress each second")
    parser.add_argument("--quiet-probe", action="store_true", help="be a few calm shoppers, and time their holds")
    parser.add_argument("--visits-per-second", type=float, default=5.0, help="of the quiet probe")
    return parser.parse_args(arguments)


def main() -> None:
    """Run what the command line asks for; exit code 1 if the house broke a promise."""
    options = parse()
    if options.quiet_probe:
        uvloop.run(probe.run(options, write_line))
        return
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(options.log.open("wb")) if options.log else None
        tally = uvloop.run(run(options, log))
    sys.exit(1 if tally.broken else 0)


if __name__ == "__main__":
    main()
