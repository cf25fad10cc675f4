"""What a house holds of a customer can be had, and can be taken out; what is long ago goes by itself; accounts stay."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomli_w

from engine.entries import Customer, Order, Payment, decode_order
from engine.errors import BadInput
from engine.instants import now_ms
from engine.ledger.customers import By, Erased, Export, erase, export
from engine.ledger.entrants import entrants_between
from engine.ledger.retention import Forgotten, forget, forget_daily
from tests.backstage import Backstage, until
from tests.integration.commands import Parvis
from tests.integration.test_writer import make_order, put, put_join
from tests.town import Sale

HERS, HIS = "An.Kast@Example.org", "bert@example.org"
DAY_MS = 86_400_000


def by(why: str = "she asked for it", operation: str = "") -> By:
    return By(who="test", why=why, operation=operation or uuid.uuid4().hex)


def order_of(stage: Backstage, email: str, *seats: str, is_sealed: bool = True, **changed: Any) -> Order:
    """An order as it lies in the outbox; in the clear as a release left it that did not seal."""
    customer = Customer(email=email, name=f"Name of {email}", phone=f"tel-{email}", language="nl")
    order = make_order(*seats, customer=customer, **changed)
    sealed = stage.cell.sealer.seal(customer, order.order) if is_sealed else customer
    return msgspec.structs.replace(order, customer=sealed)


async def everywhere(stage: Backstage) -> str:
    """All that the house's database holds, as text; packed values as they are."""
    tables = await stage.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    parts = []
    for (table,) in tables:
        for row in await stage.rows(f"SELECT * FROM {table}"):
            for value in row:
                parts.append(value.decode("latin-1") if isinstance(value, bytes) else str(value))
                if table == "dead_letters" and '"data"' in str(value):
                    parts.append(bytes.fromhex(json.loads(value)["data"]).decode("latin-1"))
    return "\n".join(parts)


async def accounts(stage: Backstage) -> list[Any]:
    """What must not change: the money, the seats, and the payments."""
    return [
        await stage.rows(
            "SELECT order_id, on_sale, state, total, currency, channel, provider, reference, entry "
            "FROM orders ORDER BY order_id"
        ),
        await stage.rows("SELECT * FROM order_items ORDER BY 1, 2"),
        await stage.rows("SELECT * FROM refund_requests ORDER BY 1"),
    ]


async def fill(stage: Backstage) -> dict[str, Order]:
    """Two customers with orders of every kind: recorded, in conflict, in the clear, buried, and awaited."""
    orders = {
        "recorded": order_of(stage, HERS, "A-1", "A-2"),
        "spelled otherwise": order_of(stage, HERS.upper(), "A-3"),
        "in the clear": order_of(stage, HERS, "A-4", is_sealed=False),
        "his": order_of(stage, HIS, "B-1"),
        "buried": order_of(stage, HERS, "Z-1", "Z-1"),
        "buried in the clear": order_of(stage, HERS, "Z-2", "Z-2", is_sealed=False),
        "his buried": order_of(stage, HIS, "Z-3", "Z-3"),
    }
    put(stage, *orders.values())
    orders["in conflict"] = order_of(stage, HERS, "A-1")
    put(stage, orders["in conflict"], kind="conflict")
    orders["awaited"] = order_of(stage, HERS, "A-9", payment=Payment(provider="demo", reference="late-1"))
    put(stage, orders["awaited"], kind="await")
    stage.put_entry(kind="order", data=b"\xc1 no order at all")
    await stage.drain()
    return orders


async def test_an_export_has_all_of_a_customer_and_nothing_of_another(stage: Backstage) -> None:
    orders = await fill(stage)
    found = await export(stage.ledger, stage.cell.signer, f" {HERS.lower()} ", by())
    recorded = ("recorded", "spelled otherwise", "in the clear", "in conflict")
    assert {each.order for each in found.orders} == {orders[name].order for name in recorded}
    unrecorded = ("buried", "buried in the clear", "awaited")
    assert {each.order for each in found.unrecorded} == {orders[name].order for name in unrecorded}
    assert found.is_whole
    assert "24 hours" in found.not_here
    one = next(each for each in found.orders if each.order == orders["recorded"].order)
    assert (one.email, one.name, one.phone, one.language) == (HERS, f"Name of {HERS}", f"tel-{HERS}", "nl")
    assert (one.items, one.total) == (orders["recorded"].items, orders["recorded"].total)
    (refund,) = [refund for each in found.orders for refund in each.refunds]
    assert refund.amount == orders["in conflict"].total
    assert HIS not in msgspec.json.encode(found).decode()


async def test_erasing_leaves_nothing_of_a_customer_and_all_of_the_accounts(stage: Backstage) -> None:
    await fill(stage)
    before, telling = await accounts(stage), (await everywhere(stage)).lower()
    assert HERS.lower() in telling
    erased = await erase(stage.ledger, stage.cell.signer, HERS, by())
    assert (erased.orders, erased.unrecorded) == (4, 3)
    assert await accounts(stage) == before
    after = (await everywhere(stage)).lower()
    mark = stage.cell.signer.customer_mark(HERS)
    assert HERS.lower() not in after
    assert mark.decode("latin-1").lower() not in after.replace(mark.hex(), ""), "something sealed of hers is left"
    assert after.count(HIS) == telling.count(HIS) > 0
    found = await export(stage.ledger, stage.cell.signer, HERS, by())
    assert (found.orders, found.unrecorded) == ((), ())
    anonymised = await stage.value("SELECT count(*) FROM orders WHERE anonymised_at IS NOT NULL")
    assert anonymised == 4


async def test_a_buried_order_without_its_customer_can_still_be_recorded(stage: Backstage) -> None:
    order = order_of(stage, HERS, "Z-1", "Z-1")
    put(stage, order)
    await stage.drain()
    await erase(stage.ledger, stage.cell.signer, HERS, by())
    ((fields,),) = await stage.rows("SELECT fields FROM dead_letters")
    kept = decode_order(bytes.fromhex(json.loads(fields)["data"]))
    assert kept == msgspec.structs.replace(order, customer=None)


async def test_who_asked_and_why_is_logged_without_the_address(stage: Backstage) -> None:
    await fill(stage)
    await export(stage.ledger, stage.cell.signer, HERS, by("article 15"))
    await erase(stage.ledger, stage.cell.signer, HERS.upper(), by("article 17"))
    logged = await stage.rows("SELECT who, what, subject, why, detail FROM actions ORDER BY id")
    subject = f"customer {stage.cell.signer.customer_mark(HERS).hex()}"
    assert [row[:4] for row in logged] == [
        ("test", "export customer", subject, "article 15"),
        ("test", "erase customer", subject, "article 17"),
    ]
    assert json.loads(logged[1][4])["orders"] == 4
    for act in (export, erase):
        with pytest.raises(BadInput, match="must not name"):
            await act(stage.ledger, stage.cell.signer, HERS, by(f"{HERS.lower()} asked"))


async def test_a_repeat_of_erasing_gets_the_first_answer_and_does_nothing(stage: Backstage) -> None:
    await fill(stage)
    first = await erase(stage.ledger, stage.cell.signer, HERS, by(operation="once"))
    put(stage, order_of(stage, HERS, "C-1"))
    await stage.drain()
    assert await erase(stage.ledger, stage.cell.signer, HERS, by(operation="once")) == first
    assert len((await export(stage.ledger, stage.cell.signer, HERS, by())).orders) == 1
    assert await stage.value("SELECT count(*) FROM actions WHERE what = 'erase customer'") == 1


async def test_of_nobody_there_is_an_export_of_the_same_shape(stage: Backstage) -> None:
    await fill(stage)
    known = await export(stage.ledger, stage.cell.signer, HIS, by())
    unknown = await export(stage.ledger, stage.cell.signer, "nobody@example.org", by())
    assert (
        msgspec.json.decode(msgspec.json.encode(unknown)).keys()
        == msgspec.json.decode(msgspec.json.encode(known)).keys()
    )
    erased = await erase(stage.ledger, stage.cell.signer, "nobody@example.org", by())
    assert (erased.orders, erased.unrecorded) == (0, 0)


# -- retention


async def test_customers_of_long_ago_are_forgotten_and_the_accounts_stay(stage: Backstage) -> None:
    orders = await fill(stage)
    old = [orders[name].order for name in ("recorded", "in the clear", "in conflict")]
    await stage.do("UPDATE orders SET recorded_at = now() - interval '800 days' WHERE order_id = ANY ($1)", old)
    before = await accounts(stage)
    forgotten = await forget(stage.ledger, now_ms() - 730 * DAY_MS, batch=2)
    assert forgotten == Forgotten(orders=3, unrecorded=0, entrants=0)
    assert await accounts(stage) == before
    named = await stage.rows("SELECT order_id::text FROM orders WHERE email <> '' ORDER BY 1")
    assert named == sorted((orders[name].order,) for name in ("spelled otherwise", "his"))
    payloads = await stage.rows("SELECT payload FROM orders WHERE anonymised_at IS NOT NULL")
    assert [decode_order(payload).customer for (payload,) in payloads] == [None] * 3
    assert await forget(stage.ledger, now_ms() - 730 * DAY_MS) == Forgotten()


async def test_orders_that_were_never_recorded_are_forgotten_too(stage: Backstage) -> None:
    await fill(stage)
    await stage.do("UPDATE dead_letters SET at = now() - interval '800 days'")
    await stage.do("UPDATE awaited_orders SET at = now() - interval '800 days'")
    assert (await forget(stage.ledger, now_ms() - 730 * DAY_MS)).unrecorded == 4
    found = await export(stage.ledger, stage.cell.signer, HERS, by())
    assert found.unrecorded == ()
    letters = [json.loads(fields)["data"] for (fields,) in await stage.rows("SELECT fields FROM dead_letters")]
    assert len(letters) == 4
    waiting = [data for (data,) in await stage.rows("SELECT data FROM awaited_orders")]
    owners = {decode_order(data).owner for data in (*map(bytes.fromhex, letters), *waiting) if data[:1] != b"\xc1"}
    assert owners == {"nobody"}, "nor is known who held"


async def test_nobody_is_forgotten_before_the_performance(stage: Backstage) -> None:
    """Sold three years ahead: the order is old, the show is not."""
    await stage.open()
    order = await stage.sell(await stage.put_on(), "zaal-A-1")
    await stage.drain()
    await stage.do("UPDATE orders SET recorded_at = now() - interval '1100 days'")
    assert (await forget(stage.ledger, now_ms() - 730 * DAY_MS)).orders == 0
    await stage.do(
        "UPDATE documents SET body = convert_to(jsonb_set(convert_from(body, 'UTF8')::jsonb, '{starts_at_ms}', '1')"
        "::text, 'UTF8') WHERE kind = 'performance'"
    )
    assert (await forget(stage.ledger, now_ms() - 730 * DAY_MS)).orders == 1
    assert await stage.rows("SELECT order_id::text, email FROM orders") == [(order, "")]


async def test_the_draws_of_long_ago_forget_who_was_in_them_but_not_how_many(stage: Backstage) -> None:
    await stage.open()
    on_sale = await stage.put_on()
    for index in range(5):
        put_join(stage, index, on_sale=on_sale.on_sale)
    await stage.drain()
    assert (await forget(stage.ledger, now_ms() - 730 * DAY_MS)).entrants == 0
    assert (await forget(stage.ledger, now_ms() + 2 * DAY_MS)).entrants == 5
    assert await entrants_between(stage.ledger, (on_sale.on_sale, "public"), 0, 5) == [""] * 5
    assert await stage.ledger.joined(on_sale.on_sale) == 5


async def test_forgetting_holds_no_lock_for_longer_than_a_batch(stage: Backstage) -> None:
    put(stage, *(order_of(stage, HERS, f"A-{number}") for number in range(20)))
    await stage.drain()
    await stage.do("UPDATE orders SET recorded_at = now() - interval '800 days'")
    stopped = asyncio.create_task(forget(stage.ledger, now_ms() - 730 * DAY_MS, batch=5))
    seen = set()

    async def is_done() -> bool:
        seen.add(await stage.value("SELECT count(*) FROM orders WHERE anonymised_at IS NOT NULL"))
        return stopped.done()

    await until(is_done, "everybody is forgotten")
    assert (await stopped).orders == 20
    assert seen & {5, 10, 15}, "all in one transaction"


async def test_it_runs_at_the_start_and_waits_out_a_ledger_that_is_away(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.ledger.retention.RETRY_SECONDS", 0.01)
    put(stage, order_of(stage, HERS, "A-1"))
    await stage.drain()
    await stage.do("UPDATE orders SET recorded_at = now() - interval '3 days'")
    await stage.do("ALTER TABLE documents RENAME TO away")
    stop = asyncio.Event()
    house = msgspec.structs.replace(stage.house, retention_days=2)
    task = asyncio.create_task(forget_daily(house, stage.ledger, stop, stage.owner))
    await asyncio.sleep(0.1)
    assert await stage.value("SELECT count(*) FROM orders WHERE anonymised_at IS NOT NULL") == 0
    await stage.do("ALTER TABLE away RENAME TO documents")

    async def is_forgotten() -> bool:
        return bool(await stage.value("SELECT count(*) FROM orders WHERE anonymised_at IS NOT NULL") == 1)

    await until(is_forgotten, "the customer is forgotten")
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_a_document_that_cannot_be_read_stops_forgetting_and_nothing_else(stage: Backstage) -> None:
    await stage.do("INSERT INTO documents (kind, id, body) VALUES ('performance', 'bent', 'no JSON')")
    stop = asyncio.Event()
    task = asyncio.create_task(forget_daily(stage.house, stage.ledger, stop, stage.owner))
    await asyncio.sleep(0.2)
    assert not task.done()
    stop.set()
    await asyncio.wait_for(task, 5)


# -- from outside


async def test_a_manager_exports_and_erases_over_http(shared: Sale) -> None:
    async with shared as sale:
        token = await sale.enter()
        held = (await sale.hold(token, *sale.unused(1))).json["hold"]
        email = f"{uuid.uuid4().hex}@example.org"
        body = {
            "holds": [held],
            "customer": {"email": email, "name": "Somebody"},
            "payment": {"provider": "demo", "reference": f"yes-{uuid.uuid4()}"},
        }
        order = (await sale.post("/orders", body, token=token)).json
        await sale.until_recorded(order)
        asked = {"email": email, "reason": "she asked"}
        found = await sale.post("/manage/customers/export", asked, token=sale.manage_key)
        assert found.status == 200
        assert found.headers["cache-control"] == "no-store"
        told = msgspec.json.decode(found.body, type=Export)
        assert [(each.order, each.email) for each in told.orders] == [(order["order"], email)]
        erased = [
            await sale.post("/manage/customers/erase", asked, token=sale.manage_key, key="once-only") for _ in range(2)
        ]
        assert [answer.body for answer in erased] == [erased[0].body] * 2
        assert msgspec.json.decode(erased[0].body, type=Erased).orders == 1
        actions = (await sale.get("/manage/actions", token=sale.manage_key)).body.decode()
        assert actions.count("erase customer") >= 1
        assert email not in actions


async def test_an_export_and_an_erasure_from_a_shell(parvis: Parvis, tmp_path: Path, stage: Backstage) -> None:
    put(stage, order_of(stage, HERS, "A-1"))
    await stage.drain()
    file = tmp_path / "network.toml"
    fields = msgspec.to_builtins(stage.house, builtin_types=(), enc_hook=str)
    file.write_text(tomli_w.dumps({"name": "Test", "houses": [fields]}))
    words = ("--network", str(file), "--house", stage.slug, "--email", HERS, "--reason", "she asked")
    said = await asyncio.to_thread(parvis, "customer", "export", *words)
    assert said.code == 0, said
    assert msgspec.json.decode(said.out, type=Export).orders[0].email == HERS
    said = await asyncio.to_thread(parvis, "customer", "erase", *words)
    assert said.code == 0, said
    assert "1 orders were anonymised" in said.words
    said = await asyncio.to_thread(parvis, "customer", "export", *words)
    assert msgspec.json.decode(said.out, type=Export).orders == ()
