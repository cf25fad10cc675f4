"""`parvis demo`: three houses, a rush at one of them, faults on the way, and the books balanced at the end."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from engine.audit import Audit, audit
from engine.cell import Cell
from engine.cli import serve
from engine.cli.programme import RUSH, SHOWS, Opened, put_on
from engine.cli.sales import at_house, read_json
from engine.cli.stage import Company, demo_network_file, embedded_network, new_folder
from engine.embedded.child import ServerFailed
from engine.embedded.servers import EmbeddedServers
from engine.errors import CellUnavailable
from engine.instants import now_ms
from engine.network import Network, load
from engine.signing import Signer
from engine.words import HouseSlug, OrderId

COUNTDOWN_SECONDS: Final = 30
SHORT_COUNTDOWN_SECONDS: Final = 6
SALE_SECONDS: Final = 40
READY_SECONDS: Final = 60
POSTGRES_AWAY_SECONDS: Final = 10
REDIS_FROZEN_SECONDS: Final = 3
LATE_PAYMENT_SECONDS: Final = 2.0
PLACES_A_VISITOR: Final = 1.9
"""What a visitor of the crowd who comes in buys on average, walking away included: sets the demo's pace."""
SITE_PORT: Final = 10
"""The house's own site listens this many ports further."""
LEFT_AT_LEAST: Final = 20
console = Console()


class Options(msgspec.Struct, frozen=True):
    """The command line of the demo."""

    visitors: int
    seed: int | None
    plan: Path | None
    ids: str
    is_ending: bool
    is_json: bool
    port: int


def serve_embedded(network: Path | None, slugs: tuple[str, ...], address: serve.Address, data: Path) -> None:
    """`parvis serve --embedded`: the servers' data lie under `data` and survive a restart."""
    data.mkdir(parents=True, exist_ok=True)
    with embedded_network(network or demo_network_file(), data) as (_, resolved):
        console.print(f"Servers are up; other commands find them with --network {resolved}")
        serve.run(resolved, slugs, address)


def run(options: Options) -> int:
    """Plays the demo. Answers the exit code: 0 only with clean books."""
    folder = new_folder()
    folder.chmod(0o711)
    document = read_json(options.plan) if options.plan else None
    origin = f"http://127.0.0.1:{options.port + SITE_PORT}"
    servers: EmbeddedServers | None = None
    try:
        with contextlib.ExitStack() as stack:
            console.rule("[bold]Parvis")
            with console.status("Starting a Redis a house, and a Postgres with a database a house …"):
                servers, network_file = stack.enter_context(
                    embedded_network(demo_network_file(), folder / "data", (origin,))
                )
            company = stack.enter_context(Company(folder))
            return uvloop.run(Story(options, document, folder, servers, network_file, company).play())
    except KeyboardInterrupt:
        console.print("\nGood night.")
        return 0
    finally:
        if servers is not None:
            servers.erase()
        shutil.rmtree(folder, ignore_errors=True)


class Story:
    """One play of the demo, on a stage that is set."""

    def __init__(
        self,
        options: Options,
        document: object,
        folder: Path,
        servers: EmbeddedServers,
        network_file: Path,
        company: Company,
    ) -> None:
        self._options = options
        self._document = document
        self._folder = folder
        self._servers = servers
        self._network_file = network_file
        self._network: Network = load(network_file)
        self._company = company
        self._ports = {house.slug: options.port + number for number, house in enumerate(self._network.houses)}
        self._opened: dict[HouseSlug, Opened] = {}
        self._started = time.monotonic()
        self._opens_at_ms = 0
        self._samples: dict[HouseSlug, list[dict[str, Any]]] = {slug: [] for slug in self._ports}
        self._rush_quiet_ms: list[float] = []
        self._summary: dict[str, Any] = {}
        self._progress: dict[str, Any] = {}

    def _url(self, slug: HouseSlug) -> str:
        return f"http://127.0.0.1:{self._ports[slug]}"

    async def play(self) -> int:
        """From the first line to the exit code."""
        self._introduce()
        for house in self._network.houses:
            self._company.serve(house, self._network_file, self._ports[house.slug])
        with console.status("Waiting until every gate is open …"):
            await self._until_ready()
            await self._open_houses()
        self._start_site()
        self._say_where()
        await self._rush()
        audits = await self._balance()
        result = self._result(audits, await self._lost_orders())
        self._print_table(result, audits)
        is_clean = (
            all(found.is_clean for found in audits.values()) and not result["lost"] and not self._summary.get("broken")
        )
        if self._summary.get("broken"):
            console.print(f"[red]✗[/] the crowd was promised something else: {self._summary['broken'][:5]}")
        console.print("[bold green]✓ The books balance.[/]" if is_clean else "[bold red]✗ The books do not balance.[/]")
        if not self._options.is_ending:
            self._say_what_is_open()
        if self._options.is_json:
            print(msgspec.json.encode(result).decode(), flush=True)
        if not self._options.is_ending:
            await asyncio.Event().wait()
        return 0 if is_clean else 1

    def _introduce(self) -> None:
        table = Table(title=f"{self._network.name}: three houses that share nothing", title_justify="left")
        for column in ("house", "its Redis", "its Postgres database", "its API"):
            table.add_column(column)
        for house in self._network.houses:
            server = self._servers.redis[house.slug]
            table.add_row(
                house.name,
                f"pid {server.pid}, {server.socket.name}",
                house.postgres_dsn.rpartition("/")[2].partition("?")[0],
                self._url(house.slug),
            )
        console.print(table)

    async def _until_ready(self) -> None:
        """Until every house's gate is open and its API answers. Raises `ServerFailed` after a minute."""
        deadline = time.monotonic() + READY_SECONDS
        async with aiohttp.ClientSession() as session:
            for slug in self._ports:
                while not await self._is_ready(session, slug):
                    if time.monotonic() > deadline:
                        log = (self._folder / f"{slug}.log").read_text(errors="replace")[-2000:]
                        raise ServerFailed(f"{slug} did not open within {READY_SECONDS} s:\n{log}")
                    await asyncio.sleep(0.1)

    async def _is_ready(self, session: aiohttp.ClientSession, slug: HouseSlug) -> bool:
        try:
            async with session.get(f"{self._url(slug)}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def _open_houses(self) -> None:
        countdown = SHORT_COUNTDOWN_SECONDS if self._options.is_ending else COUNTDOWN_SECONDS
        for slug, shows in SHOWS.items():
            async with at_house(self._network_file, slug) as (cell, ledger):
                is_rush = slug == RUSH
                if is_rush:
                    self._opens_at_ms = now_ms() + countdown * 1000
                self._opened[slug] = await put_on(
                    cell,
                    ledger,
                    shows[0],
                    self._document if is_rush else None,
                    self._options.ids if is_rush else "guid",
                    self._pace() if is_rush else QUIET_PACE,
                    self._opens_at_ms if is_rush else now_ms(),
                )

    def _pace(self) -> dict[str, Any]:
        """Fast enough that the hall sells out within a good half minute, and visitors really wait."""
        per_minute = max(600, round(1290 / PLACES_A_VISITOR * 60 / SALE_SECONDS))
        return {
            "rate_per_minute": min(3_000, max(per_minute, self._options.visitors // 2)),
            "cap": 400,
            "hold_seconds": 20,
            "pass_seconds": 90,
            "turn_seconds": 30,
            "return_delay_seconds": 2,
        }

    def _start_site(self) -> None:
        house = self._network.house(RUSH)
        show = SHOWS[RUSH][0]
        self._company.start(
            "site",
            "engine.cli.house_site",
            *("--name", house.name, "--title", show.title, "--parvis", self._url(RUSH)),
            *("--house", RUSH, "--on-sale", show.name, "--port", str(self._options.port + SITE_PORT)),
        )

    def _say_where(self) -> None:
        site = f"http://127.0.0.1:{self._options.port + SITE_PORT}/"
        console.print(f"\n[bold]Queue among them:[/] {site}  (the house's own site, with the waiting room in it)")
        opened = self._opened[RUSH]
        console.print(f"The hall on the live seat map: {self._url(RUSH)}/h/{RUSH}/{opened.on_sale}/seats\n")

    # -- the rush

    async def _rush(self) -> None:
        """The countdown, the sale, and the faults on the way."""
        opened, options = self._opened[RUSH], self._options
        log = self._folder / "crowd.jsonl"
        leave = [] if options.is_ending else ["--leave-category", self._left_over()]
        crowd = self._company.start(
            "crowd",
            "loadtests.crowd",
            *("--base-url", self._url(RUSH), "--house", RUSH, "--on-sale", opened.on_sale),
            *("--visitors", str(options.visitors), "--seed", str(options.seed if options.seed is not None else 1)),
            *("--log", str(log), "--progress", "--think-s", "0.6", "--settle-s", "4"),
            *("--longest-s", str(55 + SHORT_COUNTDOWN_SECONDS if options.is_ending else 180), *leave),
            is_nice=True,
            is_read=True,
        )
        probes = [self._start_probe(slug) for slug in self._ports if slug != RUSH]
        faults = asyncio.create_task(self._faults(crowd))
        bank = asyncio.create_task(self._bank(log))
        quiet = asyncio.create_task(self._measure_quiet())
        reading = [asyncio.create_task(self._read_probe(slug, process)) for slug, process in probes]
        with Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            transient=False,
        ) as bars:
            await self._follow(crowd, bars)
        for _, process in probes:
            process.send_signal(signal.SIGTERM)
        await asyncio.gather(quiet, return_exceptions=True)
        await faults
        await asyncio.sleep(LATE_PAYMENT_SECONDS)
        for task in (bank, *reading):
            task.cancel()
        await asyncio.gather(bank, *reading, return_exceptions=True)

    def _left_over(self) -> str:
        """The smallest category worth leaving to whoever came by the printed link."""
        counts = self._opened[RUSH].categories
        enough = {name: count for name, count in counts.items() if count >= LEFT_AT_LEAST}
        return min(enough or counts, key=lambda name: counts[name])

    async def _follow(self, crowd: Any, bars: Progress) -> None:
        """The progress bars, until the crowd has gone home."""
        opened, visitors = self._opened[RUSH], self._options.visitors
        joined = bars.add_task("in the queue", total=visitors, note="")
        admitted = bars.add_task("let in", total=visitors, note="")
        sold = bars.add_task("seats sold", total=opened.capacity, note="")
        watching = asyncio.create_task(self._watch_seats(lambda count: bars.update(sold, completed=count)))
        async for line in _lines(crowd):
            if line.get("type") == "summary":
                self._summary = line
                break
            self._progress = line
            to_go = (self._opens_at_ms - now_ms()) / 1000
            bars.update(joined, completed=line["joined"], note=f"opens in {to_go:.0f} s" if to_go > 0 else "open")
            refused = sum(line["refusals"].values())
            bars.update(admitted, completed=line["admitted"], note=f"{line['confirmed']} orders, {refused} refusals")
        watching.cancel()
        await asyncio.to_thread(crowd.wait)
        if not self._summary:
            log = (self._folder / "crowd.log").read_text(errors="replace")[-2000:]
            raise ServerFailed(f"the crowd went home without a word:\n{log}")

    async def _watch_seats(self, show: Callable[[int], None]) -> None:
        url = f"{self._url(RUSH)}/v1/houses/{RUSH}/performances/{self._opened[RUSH].performance}/seats"
        async with aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(url) as response:
                        if response.status == 200:
                            show((await response.json())["seats"].count("s"))
                await asyncio.sleep(1)

    async def _faults(self, crowd: Any) -> None:
        """Postgres away for ten seconds, then the rush house's Redis frozen for three."""
        await asyncio.sleep(max(0.0, (self._opens_at_ms - now_ms()) / 1000) + 5)
        if crowd.poll() is not None:
            return
        console.print("[yellow]▌ Postgres is stopped for ten seconds; confirming goes on …[/]")
        await asyncio.to_thread(self._servers.postgres.stop, "immediate")
        await asyncio.sleep(POSTGRES_AWAY_SECONDS)
        await asyncio.to_thread(self._servers.postgres.start)
        console.print("[green]▌ Postgres is back; the writers catch up.[/]")
        await asyncio.sleep(4)
        if crowd.poll() is not None:
            return
        console.print(f"[yellow]▌ {self._network.house(RUSH).name}'s Redis is frozen for three seconds …[/]")
        pid = self._servers.redis[RUSH].pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(REDIS_FROZEN_SECONDS)
        finally:
            os.kill(pid, signal.SIGCONT)
        console.print("[green]▌ It goes on; its visitors were asked to try again, the neighbours noticed nothing.[/]")

    def _start_probe(self, slug: HouseSlug) -> "tuple[HouseSlug, Any]":
        process = self._company.start(
            f"probe-{slug}",
            "loadtests.crowd",
            *("--quiet-probe", "--base-url", self._url(slug), "--house", slug),
            *("--on-sale", self._opened[slug].on_sale, "--visits-per-second", "5"),
            is_read=True,
        )
        return slug, process

    async def _read_probe(self, slug: HouseSlug, process: Any) -> None:
        async for line in _lines(process):
            if line.get("type") == "sample":
                self._samples[slug].append(line)

    async def _measure_quiet(self) -> None:
        """The rush house's own holds before its rush: staff at the counter, a few a second."""
        opened = self._opened[RUSH]
        holds = f"{self._url(RUSH)}/v1/houses/{RUSH}/holds"
        staff = {"Authorization": f"Bearer {opened.counter_key}"}
        body = {"items": [{"performance": opened.performance, "best": {"quantity": 2}}]}
        async with aiohttp.ClientSession(headers=staff) as session:
            number = 0
            while now_ms() < self._opens_at_ms - 1000:
                number += 1
                started = time.perf_counter()
                async with session.post(holds, json=body, headers={"Idempotency-Key": f"quiet-{number}"}) as response:
                    held = await response.json()
                    self._rush_quiet_ms.append((time.perf_counter() - started) * 1000)
                if response.status == 201:
                    async with session.delete(f"{holds}/{held['hold']}"):
                        pass
                await asyncio.sleep(0.2)

    async def _bank(self, log: Path) -> None:
        """Plays the payment provider: tells the house, some seconds later, that late payments came."""
        signer = Signer(RUSH, self._network.house(RUSH).secrets_path)
        url = f"{self._url(RUSH)}/v1/houses/{RUSH}/payments/demo/events"
        position, due = 0, asyncio.Queue[tuple[float, str]]()
        async with aiohttp.ClientSession() as session:
            while True:
                position = await asyncio.to_thread(_late_references, log, position, due.put_nowait)
                while not due.empty():
                    at, reference = due.get_nowait()
                    await asyncio.sleep(max(0.0, at - time.monotonic()))
                    body = msgspec.json.encode({"reference": reference, "is_paid": True})
                    headers = {"Parvis-Demo-Signature": signer.event_signature("demo", body)}
                    await _tell(session, url, body, headers)
                await asyncio.sleep(0.5)

    # -- the end

    async def _balance(self) -> dict[HouseSlug, Audit]:
        audits = {}
        with console.status("Auditing: Redis against the ledger, seat by seat …"):
            for slug in self._ports:
                async with at_house(self._network_file, slug) as (cell, ledger):
                    await _until_swept(cell)
                    audits[slug] = await audit(cell, ledger)
        return audits

    async def _lost_orders(self) -> int:
        """Orders that a visitor was told are confirmed, and that the ledger does not have."""
        told: set[str] = set()
        for line in (self._folder / "crowd.jsonl").read_bytes().splitlines():
            entry = msgspec.json.decode(line)
            if entry.get("told") == "ordered" and entry.get("state") in {"confirmed", "recorded"}:
                told.add(entry["order"])
        lost = 0
        async with at_house(self._network_file, RUSH) as (_, ledger):
            for order in told:
                lost += await ledger.order(OrderId(order)) is None
        return lost

    def _result(self, audits: dict[HouseSlug, Audit], lost: int) -> dict[str, Any]:
        rush, summary = audits[RUSH], self._summary
        houses = []
        for slug, found in audits.items():
            before = [each["hold_ms"] for each in self._samples[slug] if each["at_ms"] < self._opens_at_ms]
            during = [each["hold_ms"] for each in self._samples[slug] if each["at_ms"] >= self._opens_at_ms]
            failed = sum(bool(each["slug"]) for each in self._samples[slug])
            is_rush = slug == RUSH
            houses.append({
                "slug": slug,
                "seats_sold": found.sold,
                "errors": summary["errors"] if is_rush else failed,
                "hold_ms_p99": summary["hold_ms"][1] if is_rush else _percentile(during, 0.99),
                "hold_ms_p99_quiet": _percentile(self._rush_quiet_ms if is_rush else before, 0.99),
            })  # fmt: skip
        return {
            "visitors": summary["visitors"],
            "admitted": summary["admitted"],
            "orders_confirmed": rush.orders_confirmed,
            "orders_recorded": rush.orders_recorded,
            "seats_sold": rush.sold,
            "capacity": rush.seats,
            "double_sold": sum(found.double_sold for found in audits.values()),
            "lost": lost + sum(found.lost for found in audits.values()),
            "stranded_holds": sum(found.stranded_holds for found in audits.values()),
            "wait_ms_p50": summary["wait_ms"][0],
            "wait_ms_p95": summary["wait_ms"][1],
            "duration_s": round(time.monotonic() - self._started, 1),
            "refusals": summary["refusals"],
            "asked_again": summary["asked_again"],
            "takings": rush.takings,
            "recorded_takings": rush.recorded_takings,
            "houses": houses,
        }

    def _print_table(self, result: dict[str, Any], audits: dict[HouseSlug, Audit]) -> None:
        table = Table(title="What happened", title_justify="left", show_header=False)
        table.add_row("visitors · let in", f"{result['visitors']} · {result['admitted']}")
        wait = f"{result['wait_ms_p50'] / 1000:.1f} s · {result['wait_ms_p95'] / 1000:.1f} s"
        table.add_row("wait, half · 95 %", wait)
        refusals = ", ".join(f"{slug} {count}" for slug, count in result["refusals"].items()) or "none"
        table.add_row("refusals", refusals)
        table.add_row("orders confirmed · recorded", f"{result['orders_confirmed']} · {result['orders_recorded']}")
        table.add_row("seats sold of capacity", f"{result['seats_sold']} of {result['capacity']}")
        console.print(table)
        books = Table(title="Balance: seats = ledger items = money", title_justify="left")
        for column in (
            "house",
            "sold",
            "of",
            "twice",
            "lost",
            "stranded",
            "takings",
            "in the ledger",
            "p99 quiet → rush",
        ):
            books.add_column(column, justify="right")
        for house in result["houses"]:
            found = audits[house["slug"]]
            books.add_row(
                *map(str, (found.house, found.sold, found.seats, found.double_sold, found.lost, found.stranded_holds)),
                *(f"€ {amount / 100:,.2f}" for amount in (found.takings, found.recorded_takings)),
                f"{house['hold_ms_p99_quiet']:.1f} → {house['hold_ms_p99']:.1f} ms",
            )
        console.print(books)
        for found in audits.values():
            for fault in found.faults[:10]:
                console.print(f"[red]✗[/] {found.house}: {fault}", highlight=False)

    def _say_what_is_open(self) -> None:
        console.print("\nEverything stays up until Ctrl-C. Open:")
        console.print(f"  a house's own site   http://127.0.0.1:{self._options.port + SITE_PORT}/")
        for slug, opened in self._opened.items():
            page = f"{self._url(slug)}/h/{slug}"
            console.print(f"\n[bold]{self._network.house(slug).name}[/]")
            console.print(f"  visitor        {page}/{opened.on_sale}")
            console.print(f"  control page   {page}/control   key {opened.manage_key}")
            console.print(f"  counter page   {page}/counter   key {opened.counter_key}")


QUIET_PACE: Final[dict[str, Any]] = {
    "rate_per_minute": 6_000,
    "cap": 200,
    "hold_seconds": 60,
    "return_delay_seconds": 0,
}


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else 0.0


async def _lines(process: Any) -> AsyncIterator[dict[str, Any]]:
    """The JSON lines that a process of ours writes, until it ends."""
    while line := await asyncio.to_thread(process.stdout.readline):
        yield msgspec.json.decode(line)


def _late_references(log: Path, position: int, put: Callable[[tuple[float, str]], None]) -> int:
    """Reads on in the crowd's log; answers how far. Late payments come `LATE_PAYMENT_SECONDS` after they were made."""
    if not log.exists():
        return position
    with log.open("rb") as file:
        file.seek(position)
        for line in file:
            if not line.endswith(b"\n"):
                break
            position += len(line)
            entry = msgspec.json.decode(line)
            if entry.get("told") == "ordering" and entry.get("payment") == "late":
                put((time.monotonic() + LATE_PAYMENT_SECONDS, entry["reference"]))
    return position


async def _tell(session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> None:
    """Delivers an event as a provider does: again until it is taken. One that no order waits for is let go."""
    for _ in range(20):
        with contextlib.suppress(aiohttp.ClientError):
            async with session.post(url, data=body, headers=headers) as response:
                if response.status in {200, 404}:
                    return
        await asyncio.sleep(0.5)


async def _until_swept(cell: Cell) -> None:
    """A moment for the keeper to end what is due, so that the books are looked at when they are at rest."""
    with contextlib.suppress(CellUnavailable):
        await cell.look()
    await asyncio.sleep(0.5)
