"""Words that are unmistakably one house's, sown wherever a test sells, and looked for where they must never be.

At the end of every town: no word of a house in another house's Redis, ledger or answers, none in logs and metrics; and
no customer of anybody in the clear in any Redis, in what Redis has ever written to its disk, in logs, or in metrics.
"""

import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
import redis
from psycopg import sql

from engine.address import address_of
from tests.redis_contents import contents

if TYPE_CHECKING:
    from tests.town import Town

ADDRESS: Final = re.compile(rb"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
HEX: Final = re.compile(rb"(?:\\x|\")((?:[0-9a-f]{2}){16,})")
"""How Postgres shows bytes, and how a dead letter keeps them."""
HOUSES_OWN: Final = (
    *("/manage/halls", "/manage/performances", "/manage/on-sales", "/manage/keys", "/manage/actions"),
    "/manage/webhooks",
    *("/manage/orders?limit=1000", "/manage/orders.csv", "", "/orders/nonsense", "/.well-known/jwks.json"),
)
EVERYBODYS: Final = ("/metrics", "/v1/on-sales", "/healthz", "/readyz", "/schema/openapi.json")


class Canary(msgspec.Struct, frozen=True):
    """The words of one house: `own` in the names that it gives to things, `customer` in who buys there."""

    own: str
    customer: str

    @property
    def email(self) -> str:
        return f"visitor.{self.customer}@example.org"

    @property
    def name(self) -> str:
        return f"A Visitor {self.customer}"


def canary_of(slug: str) -> Canary:
    return Canary(own=f"ownword{secrets.token_hex(6)}{slug}", customer=f"customerword{secrets.token_hex(6)}{slug}")


class Leak(AssertionError):
    """Something of a house is where it must not be."""


class Find(msgspec.Struct, frozen=True):
    """A place that was looked through: whose it is (empty for everybody's), what it is, and what it holds."""

    house: str
    place: str
    text: bytes
    is_ledger: bool = False
    """Where the house's own customers are in the clear, and nowhere else."""
    is_to_staff: bool = False
    """An answer to the house's own staff, who may read both."""


@contextmanager
def _postgres(dsn: str) -> Iterator["psycopg.Connection[Any] | None"]:
    try:
        connection = psycopg.connect(dsn, connect_timeout=10)
    except psycopg.OperationalError:
        yield None
        return
    with connection:
        yield connection


def ledger_of(dsn: str) -> bytes:
    """Every row of every table as text, with what bytes say; nothing where a test has stopped Postgres."""
    parts = []
    with _postgres(dsn) as connection:
        if connection is None:
            return b""
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
            parts += [row.encode() for (row,) in rows]
    text = b"\n".join(parts)
    return text + b"\n".join(bytes.fromhex(found.decode()) for found in HEX.findall(text))


def addresses_in(dsn: str) -> set[bytes]:
    """The addresses of a house's customers, whoever they are."""
    with _postgres(dsn) as connection:
        if connection is None:
            return set()
        return {row[0].encode() for row in connection.execute("SELECT DISTINCT email FROM orders WHERE email <> ''")}


def _files(folder: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob(pattern)):
        if path.is_file():
            yield path.name, path.read_bytes()


def _answers(town: "Town", slug: str) -> Iterator[Find]:
    for path in HOUSES_OWN:
        url = f"{town.url}/v1/houses/{slug}{path}"
        is_to_staff = path.startswith("/manage/")
        if is_to_staff and slug not in town.manage_keys:
            continue
        headers = {"Authorization": f"Bearer {town.manage_keys.get(slug, '')}"} if is_to_staff else {}
        yield Find(slug, f"GET {path}", ask(url, headers), is_to_staff=is_to_staff)


def ask(url: str, headers: dict[str, str]) -> bytes:
    """Headers and body of an answer, whatever its status; nothing where nobody answers any more."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:  # noqa: S310
            return bytes(str(answer.headers).encode() + answer.read())
    except urllib.error.HTTPError as error:
        return str(error.headers).encode() + error.read()
    except OSError:
        return b""


def _redis_of(url: str) -> bytes:
    """All that a Redis holds; nothing where a test has left it stopped or frozen."""
    address = address_of(url)
    try:
        with redis.Redis(
            unix_socket_path=address.path, username=address.user, password=address.password, socket_timeout=20
        ) as owner:
            return contents(owner)
    except (redis.ConnectionError, redis.TimeoutError):
        return b""


def _look(town: "Town") -> Iterator[Find]:
    """Everything there is to look through, of the houses and of everybody."""
    for house in town.network.houses:
        slug = str(house.slug)
        if house.redis_owner_url.startswith("unix:"):
            yield Find(slug, "Redis", _redis_of(house.redis_owner_url))
        for name, text in _files(town.folder / "data" / slug, "*.aof"):
            yield Find(slug, f"what its Redis wrote to {name}", text)
        for name, text in _files(town.folder / "data" / slug, "*.log"):
            yield Find("", f"{slug}'s {name}", text)
        yield Find(slug, "ledger", ledger_of(house.postgres_dsn), is_ledger=True)
        yield from _answers(town, slug)
    for path in EVERYBODYS:
        yield Find("", f"GET {path}", ask(town.url + path, {}))
    for name in ("serve.log", "postgres.log"):
        yield from (Find("", name, text) for _, text in _files(town.folder, name))


def leaks(finds: Iterable[Find], canaries: dict[str, Canary], addresses: set[bytes]) -> Iterator[str]:
    """In words, each thing that is where it must not be."""
    for find in finds:
        for slug, canary in canaries.items():
            if find.house != slug and canary.own.encode() in find.text:
                yield f"{find.house or 'everybody'}, {find.place}: a word of {slug}'s own"
            if (
                find.house != slug or not (find.is_ledger or find.is_to_staff)
            ) and canary.customer.encode() in find.text:
                yield f"{find.house or 'everybody'}, {find.place}: a customer of {slug}, in the clear"
        if not (find.is_ledger or find.is_to_staff):
            for address in addresses & set(ADDRESS.findall(find.text)):
                yield f"{find.house or 'everybody'}, {find.place}: {address.decode()}, who bought somewhere"


def look_through(town: "Town") -> dict[str, int]:
    """Looks through a town. Answers how many bytes each kind of place had. Raises `Leak`."""
    finds = list(_look(town))
    addresses = set[bytes]().union(*(addresses_in(house.postgres_dsn) for house in town.network.houses))
    found = sorted(set(leaks(finds, town.canaries, addresses)))
    if found:
        raise Leak(f"{len(found)} leaks:\n" + "\n".join(found[:20]))
    sizes: dict[str, int] = {}
    for find in finds:
        sizes[find.place] = sizes.get(find.place, 0) + len(find.text)
    return sizes
