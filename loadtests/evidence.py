"""What the house itself says after a run, by its public and manage API: the other half of a verdict."""

import csv
import http.client
import io
import shlex
import subprocess
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from loadtests.hall import read_hall
from loadtests.wire import UNKNOWN, Answer, OnSale, Order, Seats, Status

SOLD_STATES: Final = frozenset({"confirmed", "recorded"})
SETTLES_WITHIN_S: Final = 30.0
"""How long the house may take to record its last confirmed orders."""
_TRIES: Final = 20
_PAGE: Final = 100


class House(msgspec.Struct, frozen=True):
    """Where to ask. `key`: an API key with the scope `orders:read`; without one the books stay closed."""

    base_url: str
    house: str
    on_sale: str
    key: str = ""


class SeatMap(msgspec.Struct, frozen=True):
    """A performance at rest: each seat's letter, and the open places of each standing area."""

    letters: dict[str, str]
    areas: dict[str, int]
    capacities: dict[str, int] = {}
    """How many places each standing area has."""

    @property
    def sold(self) -> int:
        """How many seats are sold."""
        return sum(letter == "s" for letter in self.letters.values())


class Audit(msgspec.Struct, frozen=True):
    """What an auditor of a house's books found: clean where there are no faults."""

    seats: int = 0
    sold: int = 0
    orders_recorded: int = 0
    double_sold: int = 0
    lost: int = 0
    stranded_holds: int = 0
    faults: tuple[str, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """What the house says. `orders` holds None for an order that it does not know; `books` and `exported`
    (its recorded orders, and the ids in its CSV export) are None where no key opened them.
    """

    on_sale: OnSale
    status: Status
    performances: dict[str, SeatMap]
    orders: dict[str, Order | None]
    books: tuple[Order, ...] | None
    exported: frozenset[str] | None
    audits: dict[str, Audit] = {}
    """What an auditor found, a house."""


class Reader:
    """Reads from a house over one kept-alive connection, again and again while nobody answers."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=30)

    def get(self, path: str, bearer: str = "") -> Answer:
        """The decided answer, or the last undecided one."""
        answer = Answer(UNKNOWN)
        for number in range(_TRIES):
            answer = self.once(path, bearer)
            if answer.is_decided:
                break
            time.sleep(min(2, 0.1 * 2**number))
        return answer

    def once(self, path: str, bearer: str = "") -> Answer:
        """The answer, an `UNKNOWN` one if none came."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        try:
            self._connection.request("GET", path, headers=headers)
            response = self._connection.getresponse()
            return Answer(response.status, response.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer(UNKNOWN)

    def read(self, path: str, bearer: str = "") -> bytes:
        """The body of a good answer. Raises `SystemExit`: without it there can be no verdict."""
        answer = self.get(path, bearer)
        if not answer.is_good:
            raise SystemExit(f"no verdict: {path} answered {answer.slug}")
        return answer.body


def entries(log: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The entries of a log, oldest first."""
    for line in log:
        if line.strip():
            yield msgspec.json.decode(line)


def bought(log: Iterable[bytes]) -> dict[str, dict[str, Any]]:
    """Every order that a visitor was told is sold: the last that was told of it, by its id."""
    told = {entry["order"]: entry for entry in entries(log) if entry["told"] == "ordered"}
    return {order: entry for order, entry in told.items() if entry["state"] in SOLD_STATES}


def audited(command: str, house: str) -> Audit:
    """What the auditor's command prints last, for a house; one that cannot be run has found a fault."""
    words = shlex.split(command.format(house=house))
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        return msgspec.json.decode(ended.stdout.strip().splitlines()[-1], type=Audit)
    except (IndexError, msgspec.MsgspecError):
        said = (ended.stdout + ended.stderr).strip().splitlines()
        return Audit(faults=(f"the auditor of {house} ended with {ended.returncode}: {said[-1] if said else ''}",))


def _read_seats(reader: Reader, path: str) -> SeatMap:
    seats = msgspec.json.decode(reader.read(f"{path}/seats"), type=Seats)
    hall = read_hall(reader.read(f"{path}/plan"))
    letters = dict(zip(hall.seats, seats.seats, strict=True))
    return SeatMap(letters=letters, areas=seats.areas, capacities=hall.capacities)


def _read_books(reader: Reader, path: str, key: str) -> tuple[Order, ...]:
    books: list[Order] = []
    after = ""
    while True:
        page = reader.read(f"{path}/manage/orders?limit={_PAGE}{f'&after={after}' if after else ''}", key)
        document = msgspec.json.decode(page)
        books += msgspec.convert(document["orders"], list[Order])
        after = document.get("next") or ""
        if not after:
            return tuple(books)


def _read_export(reader: Reader, path: str, key: str) -> frozenset[str]:
    text = reader.read(f"{path}/manage/orders.csv", key).decode("utf-8-sig")
    return frozenset(row["order"] for row in csv.DictReader(io.StringIO(text)))


def _read_order(reader: Reader, path: str, entry: dict[str, Any]) -> Order | None:
    answer = reader.get(f"{path}/orders/{entry['order']}", entry["order_secret"])
    return msgspec.json.decode(answer.body, type=Order) if answer.is_good else None


def booked_seats(books: Iterable[Order], performance: str) -> list[str]:
    """The named seats of a performance in live orders; a seat twice if it is sold twice."""
    return [
        item.seat
        for order in books
        if order.state in SOLD_STATES
        for item in order.items
        if item.seat and item.performance == performance
    ]


def _is_settled(evidence: Evidence, orders: dict[str, dict[str, Any]]) -> bool:
    if evidence.books is None or evidence.exported is None:
        return True
    return orders.keys() <= evidence.exported and all(
        len(set(booked_seats(evidence.books, name))) == seats.sold for name, seats in evidence.performances.items()
    )


def gather(
    house: House,
    log: list[bytes],
    settles_within_s: float = SETTLES_WITHIN_S,
    *,
    auditor: str = "",
    audited_houses: Iterable[str] = (),
) -> Evidence:
    """Ask the house, again for a while if its last orders are not recorded yet. Raises `SystemExit`.

    `auditor`: a command that audits `{house}` and prints what it found as JSON, run for each of `audited_houses`.
    """
    reader = Reader(house.base_url)
    path = f"/v1/houses/{house.house}"
    on_sale_path = f"{path}/on-sales/{house.on_sale}"
    on_sale = msgspec.json.decode(reader.read(on_sale_path), type=OnSale)
    orders = bought(log)
    deadline_s = time.monotonic() + settles_within_s
    while True:
        evidence = Evidence(
            on_sale=on_sale,
            status=msgspec.json.decode(reader.read(f"{on_sale_path}/status"), type=Status),
            performances={
                each.performance: _read_seats(reader, f"{path}/performances/{each.performance}")
                for each in on_sale.performances
            },
            orders={order: _read_order(reader, path, entry) for order, entry in orders.items()},
            books=_read_books(reader, path, house.key) if house.key else None,
            exported=_read_export(reader, path, house.key) if house.key else None,
        )
        if _is_settled(evidence, orders) or time.monotonic() > deadline_s:
            break
        time.sleep(1)
    audits = {name: audited(auditor, name) for name in audited_houses} if auditor else {}
    return msgspec.structs.replace(evidence, audits=audits)
