"""A network as it runs: embedded servers, and one `parvis serve` for them all."""

import asyncio
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import aiohttp
import tomli_w

from engine import house as houses
from engine.audit import audit
from engine.catalogue import OnSale, Performance
from engine.cli.sales import at_house
from engine.cli.stage import embedded_network
from engine.house import Change
from engine.instants import now_ms
from engine.network import load
from engine.ports import free_port
from tests.canaries import canary_of, look_through
from tests.certificates import make_certificate
from tests.receiver import ADDRESS
from tests.sale import READY_SECONDS, Answer, Sale, past

__all__ = ["RETURN_ADDRESS", "Answer", "Sale", "Town", "past", "small_plan"]
RETURN_ADDRESS: Final = "https://www.example.org/parvis/return"
BY = Change(who="test", why="a test")
numbers = itertools.count(1)


def small_plan(rows: int = 5, seats: int = 10, standing: int = 20) -> dict[str, Any]:
    """Rows A, B, … of one block each, the first two in category `Rang 1`, and a standing area; in pretix's format."""
    drawn = [
        {
            "row_number": chr(65 + row),
            "position": {"x": 0, "y": 160 + row * 32},
            "seats": [
                {
                    "seat_guid": f"zaal-{chr(65 + row)}-{number}",
                    "seat_number": str(number),
                    "category": "Rang 1" if row < 2 else "Rang 2",
                    "position": {"x": number * 26, "y": 0},
                }
                for number in range(1, seats + 1)
            ],
        }
        for row in range(rows)
    ]
    floor = {
        "shape": "rectangle",
        "rectangle": {"width": 200, "height": 80},
        "position": {"x": 0, "y": 40},
        "color": "#eeeeee",
        "border_color": "#000000",
        "rotation": 0,
        "text": {"text": "Floor", "size": 12, "color": "#000000", "position": {"x": 0, "y": 0}},
    }
    area = {"zone": 0, "area": 0, "id": "vloer", "name": "Vloer", "category": "Rang 2", "capacity": standing}
    return {
        "name": "Small hall",
        "categories": [{"name": "Rang 1", "color": "#8c2f39"}, {"name": "Rang 2", "color": "#4a6fa5"}],
        "zones": [{"name": "Zaal", "position": {"x": 0, "y": 0}, "rows": drawn, "areas": [floor]}],
        "size": {"width": 400, "height": 500},
        "parvis": {"areas": [area] if standing else []},
    }


class Town:
    """Houses, their servers, and one `parvis serve` for them all."""

    workers = 1

    def __init__(
        self,
        slugs: Sequence[str],
        *,
        limits: "dict[str, int] | None" = None,
        own_limits: "dict[str, dict[str, int]] | None" = None,
        trusted_proxies: int = 1,
    ) -> None:
        """`limits` of every house; `own_limits` of one, besides. `trusted_proxies`: a test plays the proxy itself."""
        self.folder = Path(tempfile.mkdtemp(prefix="pt-"))
        self.folder.chmod(0o711)
        self.slugs = tuple(slugs)
        self.canaries = {slug: canary_of(slug) for slug in slugs}
        self.manage_keys: dict[str, str] = {}
        """The last one that was made in each house."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.certificate = make_certificate(self.folder / "receiver.pem")
        """What its houses trust when they tell somebody of their sales: a receiver's on this machine."""
        self.source = self.folder / "source.toml"
        policy = {"fees": "none", "refunds": "none", "delivery": "by e-mail"}
        described = [
            {
                "slug": slug,
                "name": f"House {slug}",
                "operator_contact": "ops@example.org",
                "policy": policy,
                "listed": True,
                "allowed_origins": ["https://www.example.org"],
                "return_addresses": [RETURN_ADDRESS],
                "webhooks_to": [ADDRESS],
                "limits": (limits or {}) | (own_limits or {}).get(slug, {}),
            }
            for slug in slugs
        ]
        self.source.write_text(tomli_w.dumps({"name": "Test", "trusted_proxies": trusted_proxies, "houses": described}))
        self._stage = embedded_network(self.source, self.folder / "data")
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}
        """What the serving process finds in its environment, besides ours."""

    def start(self) -> "Town":
        self.servers, self.network_file = self._stage.__enter__()
        self.arrange()
        self.network = load(self.network_file)
        self.serve()
        return self

    def arrange(self) -> None:
        """What a town of another kind changes in the network file before anybody serves."""

    def serve(self) -> None:
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "engine.cli", "serve", "--network", str(self.network_file)),
                    *("--port", str(self.port), "--workers", str(self.workers)),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"SSL_CERT_FILE": str(self.certificate)} | self.environment,
            )

    def stop_serving(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    def stop(self) -> None:
        """Ends it all, and fails if something of a house is found where it must not be, or its books do not balance."""
        try:
            if hasattr(self, "network"):
                self.look_through()
                with ThreadPoolExecutor(1) as apart:  # a loop may be running here
                    apart.submit(asyncio.run, self.balance()).result()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.stop_serving()
            self._stage.__exit__(None, None, None)
            self.servers.erase()
            shutil.rmtree(self.folder, ignore_errors=True)

    def look_through(self) -> "dict[str, int]":
        """Raises `Leak`; see `tests.canaries`."""
        return look_through(self)

    async def balance(self) -> None:
        """At rest the books of every house balance; entries that a test has made unreadable are its own affair."""
        if self.process is None or self.process.poll() is not None:
            self.serve()
        await self.until_ready()
        for slug in self.slugs:
            async with at_house(self.network_file, slug, is_owner=True) as (cell, ledger):
                found = await audit(cell, ledger)
            faults = [fault for fault in found.faults if "could not be recorded" not in fault]
            assert not faults, (slug, faults)

    def log(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")

    async def until_ready(self) -> None:
        await self.until_open(self.url)

    async def until_open(self, url: str) -> None:
        """Waits until every house that is served at `url` is open."""
        deadline = time.monotonic() + READY_SECONDS
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"{url}/readyz") as response:
                        if set((await response.json())["cells"].values()) == {"open"}:
                            return
                except (aiohttp.ClientError, KeyError):
                    pass
                assert time.monotonic() < deadline, self.log()[-3000:]
                await asyncio.sleep(0.05)

    async def open_sale(
        self,
        slug: str,
        *,
        plan: "dict[str, Any] | None" = None,
        shows: int = 1,
        show_title: str = "Show",
        prices: "dict[str, int] | None" = None,
        **changed: Any,
    ) -> "Sale":
        """A fresh hall, performances, on-sale and keys; open and calling everybody, unless `changed`.

        `prices`: the full price of a category, where it is not 2000.
        """
        number = next(numbers) * 1000 + os.getpid() % 1000
        own = self.canaries[slug].own
        async with at_house(self.network_file, slug) as (cell, ledger):
            hall = f"hall-{number}"
            await houses.add_hall(cell, ledger, hall, f"Hall {own}", plan or small_plan(), BY)
            layout = cell.catalogue.halls[hall].layout  # type: ignore[index]
            names = []
            for show in range(shows):
                name = f"show-{number}-{show}"
                made = Performance(
                    performance=name,  # type: ignore[arg-type]
                    hall=hall,  # type: ignore[arg-type]
                    title=show_title,
                    starts_at_ms=now_ms() + 86_400_000,
                    prices={c: {"full": (prices or {}).get(c, 2000), "reduced": 1500} for c in layout.categories},
                    fee=100,
                )
                await houses.add_performance(cell, ledger, made, BY)
                names.append(name)
            fields = {
                "prequeue_at_ms": now_ms() - 1000,
                "opens_at_ms": now_ms() - 500,
                "rate_per_minute": 60_000,
                "cap": 1000,
                "hold_seconds": 60,
                "return_delay_seconds": 0,
                "seats_a_hold": 6,
                "seats_a_place": 6,
                # Tests of something else name any seat, and let go of what they like.
                "lone_seats": "off",
                "unpaid_holds": 0,
                "visitors_a_seat": 0,
            } | changed
            # The keys come first: whoever sees the on-sale in a process of the API knows that it has the keys too.
            _, manage = await houses.add_key(cell, ledger, f"Manager {own}", ("manage",), BY, f"m{number}")
            _, counter = await houses.add_key(cell, ledger, f"Counter {own}", ("counter",), BY, f"c{number}")
            on_sale = OnSale(on_sale=f"sale-{number}", title="Sale", performances=tuple(names), **fields)  # type: ignore[arg-type]
            on_sale = await houses.add_on_sale(cell, ledger, on_sale, BY)
            self.manage_keys[slug] = manage
            layouts: dict[str, Sequence[str]] = dict.fromkeys(names, layout.seat_ids)
        return Sale(self, slug, on_sale.on_sale, hall, layouts, manage, counter)
