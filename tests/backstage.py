"""A house without its API, in this process: its servers, its cell, its ledger, its keeper and its writer."""

import asyncio
import itertools
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
import redis

from engine import house as houses
from engine import orders, seats, waiting_room
from engine.address import address_of
from engine.catalogue import OnSale, Performance
from engine.cell import Cell
from engine.embedded.postgres import EmbeddedPostgres
from engine.embedded.redis import EmbeddedRedis
from engine.entries import Action, Customer, Payment
from engine.folding import Folder
from engine.house import Change
from engine.instants import now_ms
from engine.keeper import Keeper
from engine.ledger.ledger import Ledger
from engine.ledger.migrate import migrate
from engine.library import install
from engine.network import House, Limits, Policy
from engine.on_sale import change
from engine.orders import Buyer
from engine.redis_urls import connect
from engine.sealing import Opener
from engine.seat_map import SeatMap, snapshot
from engine.sender import Sender
from engine.shares import Owner
from engine.wishes import Wish
from engine.words import HallId, HouseSlug, OnSaleId, OrderId, PerformanceId, SeatId
from engine.writer import Writer
from tests.town import small_plan

BY: Final = Change(who="test", why="a test")
USER_PASSWORD: Final = "of-the-api"
LONGEST_SECONDS: Final = 20.0
numbers = itertools.count(1)


async def until(is_so: Callable[[], Awaitable[bool]], what: str, *, seconds: float = LONGEST_SECONDS) -> None:
    """Waits, within a limit, until something is so."""
    deadline = time.monotonic() + seconds
    while not await is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)


class Backstage:
    """One house of its own on servers that several share. Use `Theatre.house()`."""

    def __init__(self, redis_server: EmbeddedRedis, postgres: EmbeddedPostgres, slug: HouseSlug, folder: Path) -> None:
        self.redis_server, self.postgres, self.slug = redis_server, postgres, slug
        self.house = House(
            slug=self.slug,
            name=slug,
            redis_url=redis_server.url_as(slug, USER_PASSWORD),
            redis_owner_url=redis_server.owner_url,
            postgres_dsn=postgres.ensure_house(self.slug),
            secrets_path=folder / slug,
            operator_contact="ops@example.org",
            policy=Policy(fees="none", refunds="none", delivery="none"),
            limits=Limits(redis_timeout_ms=2_000),
        )
        migrate(self.house.postgres_dsn)
        self.cell = Cell(self.house)
        self.keys = self.cell.keys
        self.opener = Opener(self.cell.signer, self.house.secrets_path)
        self.ledger = self.new_ledger()
        self.owner = connect(self.house.redis_owner_url)
        address = address_of(self.house.redis_owner_url)
        self.redis: redis.Redis = redis.Redis(
            unix_socket_path=address.path, username=address.user or None, password=address.password
        )
        self.keeper = self.new_keeper()

    def new_ledger(self) -> Ledger:
        return Ledger(self.house.postgres_dsn, pool=4, timeout_ms=5_000)

    def new_keeper(self) -> Keeper:
        return Keeper(Cell(self.house, is_owner=True), self.owner, self.ledger, self.slug, USER_PASSWORD)

    def new_writer(self, batch: int = 100, at_point: Callable[[str], None] = lambda _: None) -> Writer:
        return Writer(self.owner, self.keys, self.ledger, batch, self.opener, at_point)

    async def close(self) -> None:
        await self.cell.close()
        await self.keeper.cell.close()
        await self.ledger.close()
        await self.owner.aclose()
        self.redis.close()

    # -- what the house does

    async def open(self) -> None:
        """Recovers and opens the gate, as `parvis serve` does when it starts."""
        await self.keeper.recover()
        await self.cell.look()

    @asynccontextmanager
    async def running(self, *workers: Keeper | Writer | Sender | Folder) -> AsyncIterator[None]:
        """Runs keepers, writers and senders; ends them in good order, and fails if one of them failed."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(worker.run(stop)) for worker in workers]
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(LONGEST_SECONDS):
                await asyncio.gather(*tasks)

    async def put_on(self, *, plan: Any = None, shows: int = 1, **changed: Any) -> OnSale:
        """A hall, performances and an on-sale that is open and calls everybody, unless `changed`."""
        number = next(numbers)
        hall = HallId(f"hall-{number}")
        opened = await houses.add_hall(self.cell, self.ledger, hall, "Hall", plan or small_plan(), BY)
        prices = {category: {"full": 2000} for category in opened.layout.categories}
        names = tuple(PerformanceId(f"show-{number}-{show}") for show in range(shows))
        for name in names:
            made = Performance(
                performance=name, hall=hall, title="Show", starts_at_ms=now_ms() + 86_400_000, prices=prices, fee=100
            )
            await houses.add_performance(self.cell, self.ledger, made, BY)
        rules: dict[str, Any] = {
            "prequeue_at_ms": now_ms() - 1_000,
            "opens_at_ms": now_ms() - 500,
            "rate_per_minute": 60_000,
            "burst_percent": 100,
            "cap": 1_000,
            "return_delay_seconds": 0,
            "lone_seats": "off",
            "visitors_a_seat": 0,
        }
        on_sale = OnSale(on_sale=OnSaleId(f"sale-{number}"), title="Sale", performances=names, **(rules | changed))
        return await houses.add_on_sale(self.cell, self.ledger, on_sale, BY)

    async def hold(self, on_sale: OnSale, *wanted: str, who: str = "key:staff", cell: Cell | None = None) -> seats.Held:
        """Holds seats of the first performance, or with `vloer` standing places, as the house's staff."""
        performance = on_sale.performances[0]
        named = tuple(SeatId(seat) for seat in wanted if seat != "vloer")
        wishes = [Wish(performance=performance, seats=named)] if named else []
        if places := wanted.count("vloer"):
            area = (cell or self.cell).catalogue.layout(performance).areas[0].id
            wishes.append(Wish(performance=performance, area=area, quantity=places))
        owner = Owner(owner=who, place="", on_sale=on_sale.on_sale)
        return await seats.hold(cell or self.cell, owner, wishes, (), str(uuid.uuid4()))

    async def sell(self, on_sale: OnSale, *wanted: str, payment: str = "") -> OrderId:
        """Holds and confirms. Raises `Refused` as a visitor would see it."""
        held = await self.hold(on_sale, *wanted)
        return await self.confirm(held, payment=payment)

    async def confirm(
        self, held: seats.Held, *, payment: str = "", cell: Cell | None = None, state: str = "confirmed"
    ) -> OrderId:
        buyer = Buyer(caller="key:staff", owner="", channel="counter")
        paid = Payment(provider="demo", reference=payment or f"yes-{uuid.uuid4()}")
        customer = Customer(email="visitor@example.org", name="A Visitor")
        order, found = await orders.confirm(cell or self.cell, buyer, [held.hold], customer, paid, str(uuid.uuid4()))
        assert found == state
        return order

    async def join(self, on_sale: OnSale, count: int = 1) -> list[tuple[str, str]]:
        """So many new visitors: each one's place and secret."""
        secrets = [uuid.uuid4().hex for _ in range(count)]
        joined = [
            await waiting_room.join(self.cell, on_sale, waiting_room.hash_secret(secret), secret) for secret in secrets
        ]
        return [(each.place, secret) for each, secret in zip(joined, secrets, strict=True)]

    async def tell(self, on_sale: OnSale, verb: str, **values: Any) -> str:
        """What a manager does to an on-sale."""
        action = Action(who="test", what=verb, subject=on_sale.on_sale, why="a test", at_ms=now_ms())
        return await change(self.cell, action, str(uuid.uuid4()), **values)

    async def status(self, on_sale: OnSale) -> waiting_room.Status:
        return await waiting_room.drawn_status(self.cell, on_sale.on_sale, wait_s=LONGEST_SECONDS)

    async def seats(self, on_sale: OnSale) -> SeatMap:
        return await snapshot(self.cell, on_sale.performances[0])

    async def sold(self, on_sale: OnSale) -> set[str]:
        """The seats of the first performance that Redis knows as sold."""
        found = await self.seats(on_sale)
        ids = self.cell.catalogue.layout(on_sale.performances[0]).seat_ids
        return {seat for seat, state in zip(ids, found.seats, strict=True) if state == "s"}

    # -- the two sides, looked at directly

    def put_entry(self, **fields: str | bytes | int) -> str:
        """Writes an entry into the outbox as a function does."""
        entry: Any = self.redis.xadd(self.keys.outbox, fields)  # type: ignore[arg-type]
        return str(entry.decode())

    async def rows(self, query: str, *arguments: object) -> list[Any]:
        async with self.ledger.connection() as connection:
            return [tuple(row) for row in await connection.fetch(query, *arguments)]

    async def value(self, query: str, *arguments: object) -> Any:
        async with self.ledger.connection() as connection:
            return await connection.fetchval(query, *arguments)

    async def do(self, statement: str, *arguments: object) -> None:
        async with self.ledger.connection() as connection:
            await connection.execute(statement, *arguments)

    def postgres_does(self, statement: str) -> None:
        """The same from where nothing can be awaited."""
        with psycopg.connect(self.house.postgres_dsn, autocommit=True) as connection:
            connection.execute(statement.encode())

    async def alarms(self) -> list[tuple[str, Any]]:
        """Kind and detail of every alarm, oldest first."""
        found = await self.rows("SELECT kind, detail FROM alarms ORDER BY id")
        return [(kind, msgspec.json.decode(detail)) for kind, detail in found]

    async def drain(self, *, batch: int = 100) -> Writer:
        """Records what there is with a fresh writer."""
        writer = self.new_writer(batch)
        await writer.drain()
        return writer

    def last_entry(self) -> str:
        """The last id that the outbox has generated."""
        found: Any = self.redis.xinfo_stream(self.keys.outbox)
        return str(found["last-generated-id"].decode())


class Theatre:
    """A Redis and a Postgres that the houses of one test module share; each test has a house of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pt-"))
        self.folder.chmod(0o711)
        self.redis_server = EmbeddedRedis(self.folder / "redis")
        self.postgres = EmbeddedPostgres(self.folder / "postgres")

    @staticmethod
    def new_slug() -> HouseSlug:
        return HouseSlug(f"house-{next(numbers)}")

    @asynccontextmanager
    async def house(self) -> AsyncIterator[Backstage]:
        stage = Backstage(self.redis_server, self.postgres, self.new_slug(), self.folder / "secrets")
        await install(stage.owner, stage.slug, "", "")  # writers call functions whether a gate is open or not
        try:
            yield stage
        finally:
            await stage.close()


@contextmanager
def running_theatre() -> Iterator[Theatre]:
    theatre = Theatre()
    theatre.redis_server.start()
    theatre.postgres.start()
    try:
        yield theatre
    finally:
        theatre.redis_server.stop()
        theatre.postgres.erase()
        shutil.rmtree(theatre.folder, ignore_errors=True)


def seat_names(row: str, count: int) -> Sequence[str]:
    """`zaal-A-1`, `zaal-A-2`, … of the small plan."""
    return [f"zaal-{row}-{number}" for number in range(1, count + 1)]
