"""Nobody learns from us whether an address has bought before: same answer, same size, same calls, same statements."""

import contextlib
import re
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from engine import orders
from engine.entries import Customer, Payment
from engine.errors import Refused
from engine.orders import Buyer
from tests.backstage import Backstage, Theatre
from tests.town import Answer, Sale

STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)")


async def buys(sale: Sale, email: str, *, payment: str = "", holds: "list[str] | None" = None) -> Answer:
    token = await sale.enter()
    held = holds or [(await sale.hold(token, *sale.unused(1))).json["hold"]]
    body = {
        "holds": held,
        "customer": {"email": email, "name": "Somebody"},
        "payment": {"provider": "demo", "reference": payment or f"yes-{uuid.uuid4()}"},
    }
    return await sale.post("/orders", body, token=token)


def shape(answer: Answer) -> Any:
    """All that a stranger sees of an answer, but for what is random in it."""
    names = sorted(name.lower() for name in answer.headers)
    return answer.status, len(answer.body), sorted(answer.json), names, answer.json.get("state", answer.slug)


async def test_the_answers_have_one_shape_and_one_size(shared: Sale) -> None:
    async with shared as sale:
        known, unknown = (f"{uuid.uuid4()}@example.org" for _ in range(2))
        first = (await buys(sale, known)).json
        await sale.until_recorded(first)
        ways: list[dict[str, Any]] = [
            {},
            {"payment": "no-money"},
            {"holds": ["nonsense"]},
        ]
        for way in ways:
            assert shape(await buys(sale, known, **way)) == shape(await buys(sale, unknown, **way)), way
        late = [
            await buys(sale, email, payment=f"late-{uuid.uuid4()}") for email in (known, f"{uuid.uuid4()}@example.org")
        ]
        assert shape(late[0]) == shape(late[1])


async def test_no_route_for_visitors_takes_an_address_to_look_for(shared: Sale) -> None:
    """Only an order does, and it is a purchase; everything that can look is the house's own staff's."""
    async with shared as sale:
        document = (await sale.get(f"{sale.town.url}/schema/openapi.json")).json
    schemas = document["components"]["schemas"]
    asking = {name for name, schema in schemas.items() if "email" in schema.get("properties", {})}
    assert {name.rpartition("_")[2] for name in asking} >= {"Customer"}

    def mentions(node: Any) -> bool:
        found = re.findall(r"#/components/schemas/([A-Za-z0-9._-]+)", repr(node))
        return any(name in asking or mentions(schemas[name]) for name in found)

    takers = {
        path
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if mentions(operation.get("requestBody", {})) or mentions(operation.get("parameters", []))
    }
    assert {path for path in takers if "/manage/" not in path} == {"/v1/houses/{house}/orders"}


@pytest.fixture
async def watched(stage: Backstage, theatre: Theatre) -> Backstage:
    """The house with every statement of its role in Postgres's log; for connections made from now on."""
    with psycopg.connect(theatre.postgres.dsn, autocommit=True) as owner:
        owner.execute(f"ALTER ROLE \"house_{stage.slug}\" SET log_statement = 'all'".encode())
    await stage.open()
    await stage.ledger.close()
    return stage


async def confirmed(stage: Backstage, seat: str, email: str, on_sale: Any, reference: str) -> None:
    held = await stage.hold(on_sale, seat)
    buyer = Buyer(caller="key:staff", owner="", channel="counter")
    await orders.confirm(
        stage.cell,
        buyer,
        [held.hold],
        Customer(email=email, name="A"),
        Payment(provider="demo", reference=reference),
        str(uuid.uuid4()),
    )


def said_since(log: Path, position: int) -> list[str]:
    """Every statement that Postgres logged, without ids that the driver numbers."""
    text = log.read_bytes()[position:].decode(errors="replace")
    return [re.sub(r"__asyncpg_\w+__", "", found) for found in STATEMENT.findall(text)]


@pytest.mark.parametrize("reference", ["yes-{}", "late-{}", "no-{}"])
async def test_redis_and_postgres_are_asked_the_same(watched: Backstage, theatre: Theatre, reference: str) -> None:
    stage, log = watched, theatre.postgres.log
    on_sale = await stage.put_on()
    known, unknown = "known@example.org", "nobody@example.org"
    for number, email in enumerate((known, known, "warm-up@example.org")):
        await confirmed(stage, f"zaal-{'ABC'[number]}-1", email, on_sale, f"yes-{uuid.uuid4()}")
        await stage.drain()
    assert await stage.value("SELECT count(*) FROM orders WHERE email = $1", known) == 2
    asked = {}
    for seat, email in (("zaal-A-5", known), ("zaal-B-5", unknown)):
        calls, position = stage.cell.client.calls, log.stat().st_size
        stage.redis.execute_command("CONFIG", "RESETSTAT")
        with contextlib.suppress(Refused):  # a payment that is declined
            await confirmed(stage, seat, email, on_sale, reference.format(uuid.uuid4()))
        await stage.drain()
        counted = {
            key: value["calls"] for key, value in stage.redis.info("commandstats").items() if "config" not in key
        }
        asked[email] = (stage.cell.client.calls - calls, counted, said_since(log, position))
    assert asked[known] == asked[unknown]
    redis_calls, _, statements = asked[known]
    assert redis_calls > 0
    assert any("cursor" in statement for statement in statements), "the log is blind"
