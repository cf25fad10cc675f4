"""Callers that leave in the middle of their request, thousands of them, in two houses at once: whoever stays gets their
own answer, and nobody ever another's. `PARVIS_HANG_UPS=20000` for the long run.
"""

import asyncio
import base64
import os
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

import jwt
import msgspec

from api.app import TypedRoutes, create_app
from api.hot import FastLane
from engine.waiting_room import hash_secret
from tests.backstage import Backstage, Theatre, until
from tests.town import Sale, Town

SEED: Final = 20261125
HANG_UPS: Final = int(os.environ.get("PARVIS_HANG_UPS", "1500"))
CALLERS_A_HOUSE: Final = 16
LONGEST_HANG_UP_MS: Final = 4.0
Asked = tuple[str, str, Any, str]
"""Method, path below the house, body, bearer token."""


class Question(msgspec.Struct, frozen=True):
    """A request whose right answer names its caller: `is_mine` looks for that."""

    kind: str
    asked: Asked
    is_mine: Callable[[int, Any], bool]


def place_of(token: str) -> list[Any]:
    """The fields of a place: on-sale, line, index, secret's hash, epoch."""
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    fields: list[Any] = msgspec.msgpack.decode(data[:-16])
    return fields


class Asker:
    """Asks of one house what only one caller can be answered."""

    def __init__(self, house: str, on_sale: str, orders: "list[tuple[str, str]]", chance: random.Random) -> None:
        """`orders`: ids and secrets."""
        self.house, self.on_sale, self._orders, self._chance = house, on_sale, orders, chance
        self._places: list[tuple[str, str]] = []

    def question(self) -> Question:
        kind = self._chance.choice(("read", "read", "join", "claim" if self._places else "join"))
        return {"read": self._read, "join": self._join, "claim": self._claim}[kind]()

    def _read(self) -> Question:
        order, secret = self._chance.choice(self._orders)
        asked = ("GET", f"/orders/{order}", None, secret)
        return Question("read", asked, lambda status, told: (status, told["order"]) == (200, order))

    def _join(self) -> Question:
        secret = uuid.UUID(int=self._chance.getrandbits(128)).hex
        mine = hash_secret(secret)

        def is_mine(status: int, told: Any) -> bool:
            fields = place_of(told["place"])
            self._places.append((told["place"], secret))
            return status == 201 and (fields[0], fields[3]) == (self.on_sale, mine) and fields[2] == told["index"]

        return Question("join", ("POST", f"/on-sales/{self.on_sale}/places", {"secret_hash": mine}, ""), is_mine)

    def _claim(self) -> Question:
        place, secret = self._chance.choice(self._places)
        index = place_of(place)[2]

        def is_mine(status: int, told: Any) -> bool:
            if status == 409:  # the line is called as it is called; then the answer names nobody
                return bool(told["type"] == "/problems/not-yet-served")
            claims = jwt.decode(told["pass"], options={"verify_signature": False})
            return status == 201 and (claims["aud"], claims["index"]) == (f"{self.house}/{self.on_sale}", index)

        asked = ("POST", f"/on-sales/{self.on_sale}/passes", {"place": place, "secret": secret}, "")
        return Question("claim", asked, is_mine)


# -- clients that hang up


class Line:
    """One connection to the server, opened again whenever its caller has hung up."""

    def __init__(self, town: Town, house: str) -> None:
        self._town, self._house = town, house
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, asked: Asked) -> None:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._town.port)
        method, path, body, token = asked
        data = msgspec.json.encode(body) if body is not None else b""
        head = (
            f"{method} /v1/houses/{self._house}{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {uuid.uuid4()}\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self._streams[1].write(head.encode() + data)

    async def answer(self) -> tuple[int, Any]:
        assert self._streams is not None
        reader = self._streams[0]
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        return int(head[9:12]), msgspec.json.decode(await reader.readexactly(length))

    def hang_up(self) -> None:
        assert self._streams is not None
        self._streams[1].transport.abort()
        self._streams = None

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def call_and_leave(
    asker: Asker, line: Line, chance: random.Random, told: "Counter[str]", enough: Callable[[], bool]
) -> None:
    """Asks, and leaves before the answer more often than not."""
    while not enough():
        question = asker.question()
        await line.send(question.asked)
        if chance.random() < 0.7:
            await asyncio.sleep(chance.random() * LONGEST_HANG_UP_MS / 1000)
            line.hang_up()
            told["hung up"] += 1
            continue
        status, body = await asyncio.wait_for(line.answer(), 20)
        assert question.is_mine(status, body), (asker.house, question.asked, status, body)
        told[f"{question.kind} {status}"] += 1
    line.close()


async def orders_of(sale: Sale, count: int = 6) -> "list[tuple[str, str]]":
    """Orders of the house, to be read; ids and secrets."""
    made = []
    for seat in sale.unused(count):
        token = await sale.enter()
        answer = await sale.order(token, (await sale.hold(token, seat)).json["hold"])
        assert answer.status == 202, answer.json
        made.append((answer.json["order"], answer.json["order_secret"]))
    return made


async def test_clients_that_hang_up_never_leave_their_answer_to_somebody_else(town: Town) -> None:
    print(f"seed {SEED}")
    chance, told = random.Random(SEED), Counter[str]()
    async with await town.open_sale("noord", cap=100_000) as north, await town.open_sale("zuid", cap=100_000) as south:
        workers = []
        for sale in (north, south):
            orders = await orders_of(sale)
            for _ in range(CALLERS_A_HOUSE):
                asker = Asker(sale.slug, sale.on_sale, orders, random.Random(chance.getrandbits(64)))
                line = Line(town, sale.slug)
                own_chance = random.Random(chance.getrandbits(64))
                workers.append(call_and_leave(asker, line, own_chance, told, lambda: told["hung up"] >= HANG_UPS))
        await asyncio.gather(*workers)
        joined = [
            (await sale.get(f"/manage/on-sales/{sale.on_sale}", token=sale.manage_key)).json for sale in (north, south)
        ]
        for sale in (north, south):
            token = await sale.enter()
            assert (await sale.hold(token, *sale.unused(2))).status == 201
    print(dict(told))
    assert told["hung up"] >= HANG_UPS
    assert told["read 200"] > HANG_UPS / 20
    assert told["claim 201"] > 0
    # It bit: people were let into the line who never heard of it.
    assert sum(each["joined"] for each in joined) > told["join 201"] + 12


# -- requests that are cancelled inside the process


class Inside:
    """The app in this process: a request is a task, and can be cancelled wherever it waits."""

    def __init__(self, app: Any) -> None:
        self._app = FastLane(TypedRoutes(app), app)

    async def ask(self, house: str, asked: Asked) -> tuple[int, Any]:
        method, path, body, token = asked
        sent: list[Any] = []

        async def receive() -> Any:
            data = msgspec.json.encode(body) if body is not None else b""
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        full = f"/v1/houses/{house}{path}"
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}", "host": "x"}
        headers["idempotency-key"] = str(uuid.uuid4())
        scope: Any = {
            "type": "http", "method": method, "path": full, "raw_path": full.encode(), "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "http_version": "1.1",
            "scheme": "http", "root_path": "", "server": None, "client": None, "asgi": {"version": "3.0"},
            "extensions": {},
        }  # fmt: skip
        await self._app(scope, receive, send)
        return sent[0]["status"], msgspec.json.decode(sent[1]["body"])


async def ask_and_cancel(
    asker: Asker, ask: "Callable[[str, Asked], Awaitable[tuple[int, Any]]]", chance: random.Random, told: "Counter[str]"
) -> None:
    while told["cancelled"] < HANG_UPS:
        question = asker.question()
        task = asyncio.ensure_future(ask(asker.house, question.asked))
        if chance.random() < 0.7:
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            if task.cancel():
                told["cancelled"] += 1
                await asyncio.wait([task])
                continue
        status, body = await asyncio.wait_for(task, 20)
        assert question.is_mine(status, body), (asker.house, question.asked, status, body)
        told[f"{question.kind} {status}"] += 1


async def test_cancelled_requests_never_leave_their_answer_to_somebody_else(stage: Backstage, theatre: Theatre) -> None:
    print(f"seed {SEED}")
    chance, told = random.Random(SEED), Counter[str]()
    async with theatre.house() as other:
        askers = []
        for house in (stage, other):
            await house.open()
            on_sale = await house.put_on(cap=100_000)
            orders = [(order, house.cell.signer.order_secret(order)) for order in
                      [await house.sell(on_sale, f"zaal-{row}-1") for row in "ABCDE"]]  # fmt: skip
            askers += [
                Asker(house.slug, on_sale.on_sale, list(orders), random.Random(chance.getrandbits(64)))
                for _ in range(CALLERS_A_HOUSE)
            ]
        app = create_app([stage.house, other.house])
        async with app.lifespan():
            cells = list(app.state.cells.values())

            async def is_open() -> bool:
                return all(cell.is_open and cell.catalogue.on_sales for cell in cells)

            await until(is_open, "both houses are open")
            inside = Inside(app)
            abandoned = 0
            async with asyncio.TaskGroup() as group:
                for asker in askers:
                    own_chance = random.Random(chance.getrandbits(64))
                    group.create_task(ask_and_cancel(asker, inside.ask, own_chance, told))
            for cell in cells:
                abandoned += cell.client.calls
                assert cell.under_way == 0
    answered = sum(count for what, count in told.items() if what != "cancelled")
    print(dict(told), f"{abandoned} calls of Redis")
    assert told["cancelled"] >= HANG_UPS
    assert told["read 200"] > HANG_UPS / 20
    # It bit: Redis was asked, and answered, for many who had left.
    assert abandoned > answered + HANG_UPS / 4
