"""`parvis demo`: three houses, a rush at one of them, faults on the way, and the books balanced at the end."""

import asyncio
import contextlib
import shutil
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import uvloop
from rich.table import Table

from engine.audit import Audit
from engine.cli import serve
from engine.cli.balance import balance, lost_orders, result_of, show_books, show_what_happened
from engine.cli.programme import QUIET_PACE, RUSH, SHOWS, Opened, brisk, put_on
from engine.cli.rush import Rush, Scene
from engine.cli.sales import at_house, read_json
from engine.cli.stage import (
    Company,
    console,
    demo_network_file,
    embedded_network,
    end_as_with_ctrl_c,
    new_folder,
    say_started_again,
)
from engine.contributions import own_address
from engine.embedded.servers import EmbeddedServers
from engine.errors import BadInput, CellUnavailable, LedgerUnavailable
from engine.instants import now_ms
from engine.network import Network, load
from engine.ports import check_ports
from engine.words import HouseSlug

COUNTDOWN_SECONDS: Final = 30
SHORT_COUNTDOWN_SECONDS: Final = 5
LONGEST_SECONDS: Final = 180
LONGEST_WITH_EXIT_SECONDS: Final = 64
BALANCE_SECONDS: Final = 60
SITE_PORT: Final = 10
"""The house's own site listens this many ports further."""


class Options(msgspec.Struct, frozen=True):
    """The command line of the demo."""

    visitors: int
    seed: int
    plan: Path | None
    ids: str
    is_ending: bool
    is_json: bool
    port: int


def serve_embedded(network: Path | None, slugs: tuple[str, ...], address: serve.Address, data: Path) -> None:
    """`parvis serve --embedded`: the servers' data lie under `data` and survive a restart."""
    end_as_with_ctrl_c()  # until it serves
    data.mkdir(parents=True, exist_ok=True)
    here = own_address(address.host, address.port)
    with embedded_network(network or demo_network_file(), data, address=here) as (servers, resolved), servers.kept_up():
        console.print(f"Servers are up; other commands find them with --network {resolved}")
        serve.run(resolved, slugs, address)


def run(options: Options) -> int:
    """Plays the demo. Answers the exit code: 0 only with clean books."""
    document = read_json(options.plan) if options.plan else None
    if options.visitors < 1:
        raise BadInput("a demo has at least one visitor")
    check_ports(options.port + number for number in (*range(len(SHOWS)), SITE_PORT))
    end_as_with_ctrl_c()
    folder = new_folder()
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
            stack.enter_context(servers.kept_up(say_started_again))
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
        self._urls = {
            house.slug: f"http://127.0.0.1:{options.port + number}" for number, house in enumerate(self._network.houses)
        }
        self._opened: dict[HouseSlug, Opened] = {}
        self._started = time.monotonic()
        self._opens_at_ms = 0

    async def play(self) -> int:
        """From the first line to the exit code. Whoever kills something meanwhile sees it go on."""
        self._introduce()
        for house in self._network.houses:
            self._company.serve(house, self._network_file, int(self._urls[house.slug].rpartition(":")[2]))
        with console.status("Waiting until every gate is open …"):
            await self._company.until_ready()
            await self._open_houses()
        self._start_site()
        console.print(f"\n[bold]Queue among them:[/] {self._site}  (a house's own site, with the waiting room in it)")
        console.print(
            f"The hall on the live seat map: {self._urls[RUSH]}/h/{RUSH}/{self._opened[RUSH].on_sale}/seats\n"
        )
        async with self._company.kept_up():
            is_clean = await self._sell_and_balance()
            if not self._options.is_ending:
                await asyncio.Event().wait()
        return 0 if is_clean else 1

    async def _sell_and_balance(self) -> bool:
        options = self._options
        scene = Scene(self._folder, self._servers, self._network, self._urls, self._opened, self._opens_at_ms)
        told = await Rush(scene, self._company).play(
            options.visitors,
            options.seed,
            LONGEST_WITH_EXIT_SECONDS if options.is_ending else LONGEST_SECONDS,
            # Whoever came by the printed link finds seats too.
            leaves_seats=not options.is_ending,
        )
        with console.status("Auditing: Redis against the ledger, seat by seat …"):
            audits, lost = await self._balance()
        result = result_of(told, audits, lost) | {"duration_s": round(time.monotonic() - self._started, 1)}
        show_what_happened(result, told)
        show_books(result, audits)
        broken = lost or told.summary["broken"] or told.summary["failures"]
        is_clean = not broken and all(found.is_clean for found in audits.values())
        console.print("[bold green]✓ The books balance.[/]" if is_clean else "[bold red]✗ Something went wrong.[/]")
        if not options.is_ending:
            self._say_what_is_open()
        if options.is_json:
            print(msgspec.json.encode(result).decode(), flush=True)
        return is_clean

    async def _balance(self) -> tuple[dict[HouseSlug, Audit], int]:
        """Each house's audit, and how many orders are lost. What somebody has just killed is waited for."""
        deadline = time.monotonic() + BALANCE_SECONDS
        while True:
            try:
                await self._company.until_ready()
                audits = await balance(self._network_file, tuple(self._urls))
                return audits, await lost_orders(self._network_file, self._folder / "crowd.jsonl")
            except (CellUnavailable, LedgerUnavailable):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(1)

    @property
    def _site(self) -> str:
        return f"http://127.0.0.1:{self._options.port + SITE_PORT}/"

    def _introduce(self) -> None:
        table = Table(title=f"{self._network.name}: three houses that share nothing", title_justify="left")
        for column in ("house", "its Redis", "its Postgres database"):
            table.add_column(column, overflow="fold")
        for house in self._network.houses:
            database = urlsplit(house.postgres_dsn).path.lstrip("/")
            table.add_row(house.name, f"process {self._servers.redis[house.slug].pid}", database)
        console.print(table)

    async def _open_houses(self) -> None:
        countdown = SHORT_COUNTDOWN_SECONDS if self._options.is_ending else COUNTDOWN_SECONDS
        for slug, show in SHOWS.items():
            async with at_house(self._network_file, slug) as (cell, ledger):
                if slug != RUSH:
                    self._opened[slug] = await put_on(cell, ledger, show, lambda _: QUIET_PACE, now_ms())
                    continue
                self._opens_at_ms = now_ms() + countdown * 1000
                self._opened[slug] = await put_on(
                    *(cell, ledger, show, self._pace, self._opens_at_ms), document=self._document, ids=self._options.ids
                )

    def _pace(self, capacity: int) -> dict[str, Any]:
        return brisk(capacity, self._options.visitors, is_for_people=not self._options.is_ending)

    def _start_site(self) -> None:
        house = self._network.house(RUSH)
        show = SHOWS[RUSH]
        self._company.keep(
            "site",
            "engine.cli.house_site",
            *("--name", house.name, "--title", show.title, "--parvis", self._urls[RUSH]),
            *("--house", RUSH, "--on-sale", show.name, "--port", str(self._options.port + SITE_PORT)),
        )

    def _say_what_is_open(self) -> None:
        console.print("\nEverything stays up until Ctrl-C. Open:")
        console.print(f"  a house's own site   {self._site}")
        for slug, opened in self._opened.items():
            page = f"{self._urls[slug]}/h/{slug}"
            console.print(f"\n[bold]{self._network.house(slug).name}[/]")
            console.print(f"  visitor        {page}/{opened.on_sale}", soft_wrap=True)
            console.print(f"  control page   {page}/control\n                 key {opened.manage_key}", soft_wrap=True)
            console.print(f"  counter page   {page}/counter\n                 key {opened.counter_key}", soft_wrap=True)
