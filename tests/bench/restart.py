"""`python -m tests.bench.restart [--seats N] [--places N]`: how long a house is closed when its Redis restarts, when an
older one comes back, and when everything in it is lost. Prints one JSON object a line; seconds, of this machine."""

import argparse
import asyncio
import hashlib
import logging
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog
import uvloop

from engine.audit import audit
from engine.catalogue import OnSale
from engine.cell import pack
from engine.draw import encode
from engine.errors import CellUnavailable
from engine.halls.generate import big_house
from engine.halls.pretix import export_plan
from engine.library import assemble
from tests.backstage import Backstage, Theatre, running_theatre

SEATS_AN_ORDER = 50
JOINED_AT_ONCE = 5_000


async def sell_half(stage: Backstage, on_sale: OnSale) -> int:
    """Every second run of seats; answers how many."""
    ids = stage.cell.catalogue.layout(on_sale.performances[0]).seat_ids
    runs = [ids[start : start + SEATS_AN_ORDER] for start in range(0, len(ids), 2 * SEATS_AN_ORDER)]
    for run in runs:
        await stage.sell(on_sale, *run)
    return sum(map(len, runs))


async def join(stage: Backstage, on_sale: OnSale, count: int) -> None:
    """So many places in the line, each with all that joining leaves behind."""
    keys, name = stage.keys, on_sale.on_sale
    function = assemble().functions["waiting_room/join"]
    for start in range(0, count, JOINED_AT_ONCE):
        pipeline = stage.owner.pipeline(transaction=False)
        for number in range(start, min(start + JOINED_AT_ONCE, count)):
            secret = encode(hashlib.sha256(str(number).encode()).digest())
            used = [keys.cell, keys.sale(name), keys.live(name), keys.operation(f"join-{number}")]
            used += [keys.retry(name, secret), keys.outbox, keys.persons(name), keys.stays(name)]
            who = pack((60, "", "", 0, 0, 0, 0, -1, -1))
            told = (stage.cell.epoch, "print", secret, name, "public", 10 * count, who, b"")
            pipeline.execute_command("FCALL", function, len(used), *used, *told)
        await pipeline.execute()
    await stage.drain(batch=2_000)


async def closed_s(stage: Backstage, die: Callable[[], None]) -> tuple[float, float]:
    """Seconds until Redis answers, and until the gate is open, from the moment that it is started again."""
    await asyncio.to_thread(stage.redis_server.kill)
    await asyncio.to_thread(die)
    started = time.perf_counter()
    await asyncio.to_thread(stage.redis_server.start)
    up_s = time.perf_counter() - started
    async with stage.running(stage.keeper):
        while True:
            try:
                await stage.cell.look()
                if stage.cell.is_open:
                    return up_s, time.perf_counter() - started
            except CellUnavailable:
                pass
            await asyncio.sleep(0.01)


async def measure(theatre: Theatre, seats: int, places: int) -> None:
    async with theatre.house() as stage:
        await stage.open()
        on_sale = await stage.put_on(plan=export_plan(big_house(seats)), seats_a_hold=1_000, seats_a_place=1_000)
        await join(stage, on_sale, places)
        sold = await sell_half(stage, on_sale)
        await stage.drain(batch=2_000)
        files = stage.redis_server.folder / "appendonlydir"
        copy = theatre.folder / "older"
        shutil.copytree(files, copy)
        later = await sell_on(stage, on_sale)

        def nothing() -> None:
            """It died, and has everything."""

        def go_back(older: Path | None) -> Callable[[], None]:
            def replace() -> None:
                shutil.rmtree(files)
                if older:
                    shutil.copytree(older, files)

            return replace

        size_mb = sum(path.stat().st_size for path in files.iterdir()) / 1e6
        for name, die in (("restart", nothing), ("older", go_back(copy)), ("lost", go_back(None))):
            before_s = time.process_time()
            up_s, open_s = await closed_s(stage, die)
            cpu_s = time.process_time() - before_s  # of the keeper and of one API process, which are one here
            await stage.cell.look()
            found = await audit(stage.cell, stage.ledger)
            told: dict[str, Any] = {"what": name, "redis_up_s": round(up_s, 2), "open_s": round(open_s, 2)}
            told |= {"cpu_s": round(cpu_s, 2)}
            told |= {"seats": found.seats, "sold": found.sold, "expected": sold + later, "places": places}
            told |= {"append_only_mb": round(size_mb), "faults": found.faults[:3]}
            print(msgspec.json.encode(told).decode(), flush=True)


async def sell_on(stage: Backstage, on_sale: OnSale) -> int:
    """A few orders more, recorded, so that a copy made before is older."""
    ids = stage.cell.catalogue.layout(on_sale.performances[0]).seat_ids
    for start in range(SEATS_AN_ORDER, 11 * SEATS_AN_ORDER, 2 * SEATS_AN_ORDER):
        await stage.sell(on_sale, *ids[start : start + SEATS_AN_ORDER])
    await stage.drain(batch=2_000)
    return 5 * SEATS_AN_ORDER


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.restart")
    parser.add_argument("--seats", type=int, default=100_000)
    parser.add_argument("--places", type=int, default=1_000_000)
    asked = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    with running_theatre() as theatre:
        uvloop.run(measure(theatre, asked.seats, asked.places))


if __name__ == "__main__":
    main()
