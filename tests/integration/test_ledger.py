"""What the engine asks a house's database, and what it says when that cannot answer."""

import asyncio
import csv
import io

import asyncpg
import psycopg
import pytest

from engine.entries import Customer
from engine.errors import BadInput, LedgerUnavailable
from engine.ledger import migrate as migrations
from engine.ledger.books import read_books
from engine.ledger.entrants import entrants_between
from engine.ledger.ledger import CSV_COLUMNS, Ledger
from engine.ledger.migrate import migrate
from engine.ledger.standings import Kept, last_kept
from engine.words import OnSaleId, OrderId, PerformanceId
from tests.backstage import Backstage, Theatre, until
from tests.integration.test_writer import SHOW, make_order, put, put_join

SALE = OnSaleId("sale")
WHO = {"who": "somebody", "what": "create hall", "why": "a test"}


# -- migrations


async def test_migrating_again_and_by_several_at_once_is_harmless(theatre: Theatre) -> None:
    dsn = theatre.postgres.ensure_house(theatre.new_slug())
    await asyncio.gather(*(asyncio.to_thread(migrate, dsn) for _ in range(6)))
    migrate(dsn)
    ledger = Ledger(dsn, pool=1, timeout_ms=5_000)
    assert (await ledger.position()).cursor == "0-0"
    await ledger.close()


async def test_a_ledger_of_the_first_release_keeps_what_it_has(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = theatre.postgres.ensure_house(theatre.new_slug())
    monkeypatch.setattr(migrations, "NEWEST", "0001")
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE cursor SET entry = '5-1'")
        assert connection.execute("SELECT to_regclass('standings')").fetchone() == (None,)
    monkeypatch.undo()
    migrate(dsn)
    ledger = Ledger(dsn, pool=1, timeout_ms=5_000)
    assert (await ledger.position()).cursor == "5-1"
    assert await last_kept(ledger, SALE) == Kept()
    await ledger.close()


async def test_a_house_is_not_served_from_a_ledger_that_is_not_migrated(theatre: Theatre) -> None:
    ledger = Ledger(theatre.postgres.ensure_house(theatre.new_slug()), pool=1, timeout_ms=5_000)
    with pytest.raises(LedgerUnavailable, match="does not exist"):
        await ledger.position()
    await ledger.close()


# -- a Postgres that cannot answer


async def test_a_postgres_that_comes_back_is_asked_again_by_the_same_ledger(theatre: Theatre, stage: Backstage) -> None:
    assert (await stage.ledger.position()).cursor == "0-0"
    theatre.postgres.stop("immediate")
    try:
        for _ in range(3):
            with pytest.raises(LedgerUnavailable, match="Postgres cannot answer"):
                await stage.ledger.position()
    finally:
        theatre.postgres.start()

    async def answers() -> bool:
        try:
            return bool(await stage.ledger.position())
        except LedgerUnavailable:
            return False

    await until(answers, "the ledger answers")


async def test_a_statement_that_hangs_is_given_up(stage: Backstage) -> None:
    ledger = Ledger(stage.house.postgres_dsn, pool=1, timeout_ms=200)
    with psycopg.connect(stage.house.postgres_dsn) as other:
        other.execute("LOCK TABLE documents")
        with pytest.raises(LedgerUnavailable, match="TimeoutError"):
            await ledger.documents()
        other.rollback()
    assert await ledger.documents() == []
    await ledger.close()


async def test_nobody_waits_for_ever_for_a_connection(stage: Backstage) -> None:
    ledger = Ledger(stage.house.postgres_dsn, pool=1, timeout_ms=200)
    async with ledger.connection():
        with pytest.raises(LedgerUnavailable):
            await ledger.position()
    assert await ledger.position()
    await ledger.close()


async def test_a_connection_that_was_cut_between_two_steps_is_a_postgres_that_is_away(stage: Backstage) -> None:
    """A driver that has lost its place says so in words of its own; whoever keeps a house goes on all the same."""
    with pytest.raises(LedgerUnavailable, match="cannot switch to state"):
        async with stage.ledger.connection():
            raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    assert await stage.ledger.position()


async def test_nothing_that_it_says_holds_the_password(stage: Backstage) -> None:
    secret = stage.house.postgres_dsn.split(":")[2].partition("@")[0]
    assert len(secret) > 20
    for dsn in (
        stage.house.postgres_dsn.replace(secret, secret[::-1]),
        stage.house.postgres_dsn.replace("/house_", "/nobody_"),
        f"postgresql://r:{secret}@127.0.0.1:1/d",
    ):
        ledger = Ledger(dsn, pool=1, timeout_ms=2_000)
        with pytest.raises(LedgerUnavailable) as refused:
            await ledger.position()
        assert secret not in str(refused.value)
        assert secret[::-1] not in str(refused.value)
        await ledger.close()


# -- documents and actions


async def test_a_document_is_saved_with_the_action_that_made_it_or_not_at_all(stage: Backstage) -> None:
    assert await stage.ledger.save("hall", "zaal", b"{1}", **WHO) == 1
    assert await stage.ledger.save("hall", "zaal", b"{2}", **WHO) == 2
    (found,) = await stage.ledger.documents()
    assert (found.kind, found.id, found.body, found.version) == ("hall", "zaal", b"{2}", 2)
    assert [(each.who, each.subject) for each in await stage.ledger.actions(10)] == [("somebody", "zaal")] * 2
    await stage.do("ALTER TABLE actions RENAME TO away")
    with pytest.raises(LedgerUnavailable):
        await stage.ledger.save("hall", "kamer", b"{}", **WHO)
    assert len(await stage.ledger.documents()) == 1


async def test_of_two_who_create_at_once_both_get_the_first_ones_document(stage: Backstage) -> None:
    bodies = [str(number).encode() for number in range(10)]
    kept = await asyncio.gather(*(stage.ledger.create("hall", "zaal", body, **WHO) for body in bodies))
    assert len(set(kept)) == 1
    assert [found.body for found in await stage.ledger.documents()] == [kept[0]]
    assert len(await stage.ledger.actions(10)) == 1


async def test_the_newest_actions_come_first(stage: Backstage) -> None:
    for number in range(5):
        await stage.ledger.save("hall", f"hall-{number}", b"{}", **WHO)
    assert [each.subject for each in await stage.ledger.actions(3)] == ["hall-4", "hall-3", "hall-2"]


# -- orders


async def test_an_order_is_found_by_its_id_and_nothing_else(stage: Backstage) -> None:
    order = make_order("A-1", "vloer")
    put(stage, order)
    await stage.drain()
    found = await stage.ledger.order(order.order)
    assert found is not None
    assert (found.items, found.total, found.state) == (order.items, order.total, "recorded")
    for other in (make_order("A-2").order, "", "order-1", "\x00", "' OR true --", order.order[:-1]):
        assert await stage.ledger.order(OrderId(other)) is None


async def test_orders_are_read_page_by_page_in_the_order_of_their_ids(stage: Backstage) -> None:
    made = [make_order(f"A-{number}") for number in range(7)]
    put(stage, *reversed(made))
    await stage.drain()
    pages, after = [], None
    while page := await stage.ledger.orders(after, 3):
        pages.append([each.order for each in page])
        after = page[-1].order
    ids = sorted(order.order for order in made)
    assert pages == [ids[:3], ids[3:6], ids[6:]]
    with pytest.raises(BadInput, match="is not an order's id"):
        await stage.ledger.orders(OrderId("\x00"), 3)


async def test_pages_and_orders_are_found_through_the_index(stage: Backstage) -> None:
    """The cost of a page is not the size of the house."""
    made = [make_order(f"A-{number}") for number in range(300)]
    put(stage, *made)
    await stage.drain()
    await stage.do("ANALYZE orders")
    asked: list[str] = []
    original = stage.ledger._fetch

    async def explained(query: str, *arguments: object) -> list[object]:
        plan = await original("EXPLAIN " + query, *arguments)
        asked.append(" ".join(row[0] for row in plan))
        return await original(query, *arguments)

    stage.ledger._fetch = explained  # type: ignore[method-assign]
    await stage.ledger.order(made[7].order)
    await stage.ledger.orders(made[7].order, 3)
    assert all("orders_pkey" in plan and "Seq Scan" not in plan for plan in asked), asked
    assert len(asked) == 2


async def test_an_export_has_every_item_on_a_line_and_no_formula(stage: Backstage) -> None:
    names = ["=cmd()", "+1", "-1", "@x", "\tx", 'Ann "A", B', "Åsa\nØ", "plain"]
    orders = [
        make_order(f"A-{number}", "vloer", customer=Customer(email="a@b.example", name=name))
        for number, name in enumerate(names)
    ]
    put(stage, *orders)
    await stage.drain()
    text = "".join([part async for part in stage.ledger.export_csv()])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == 2 * len(orders)
    by_order = {row["order"]: row["name"] for row in rows}
    guarded = ["'" + name if name[0] in "=+-@\t" else name for name in names]
    assert [by_order[order.order] for order in orders] == guarded
    assert sum(int(row["price"]) + int(row["fee"]) for row in rows) == sum(order.total for order in orders)


async def test_an_export_of_many_orders_comes_in_parts_and_has_each_once(stage: Backstage) -> None:
    put(stage, *(make_order(f"A-{number}") for number in range(1_001)))
    await stage.drain(batch=500)
    parts = [part async for part in stage.ledger.export_csv()]
    assert len(parts) == 3
    rows = list(csv.DictReader(io.StringIO("".join(parts))))
    assert len({row["order"] for row in rows}) == len(rows) == 1_001


async def test_an_empty_house_exports_its_columns(stage: Backstage) -> None:
    assert "".join([part async for part in stage.ledger.export_csv()]).split() == [",".join(CSV_COLUMNS)]


# -- what recovery and the audit read


async def test_only_live_items_are_sold(stage: Backstage) -> None:
    put(stage, make_order("A-1", "A-2", "vloer", "vloer"), make_order("A-1"))
    await stage.drain()
    assert await stage.ledger.sold(SHOW) == ["A-1", "A-2"]
    assert await stage.ledger.sold_areas(SHOW) == {"vloer": 2}
    await stage.do("UPDATE order_items SET live = false WHERE seat = 'A-2' OR item = 3")
    assert await stage.ledger.sold(SHOW) == ["A-1"]
    assert await stage.ledger.sold_areas(SHOW) == {"vloer": 1}
    assert await stage.ledger.sold(PerformanceId("other")) == []
    books = await read_books(stage.ledger)
    assert [(each.name, each.count) for each in books.sold] == [("A-1", 1), ("A-2", 0), ("vloer", 1)]
    assert (books.orders, books.conflicted, books.sales[SALE].orders) == (1, 1, 2)


async def test_the_line_goes_on_behind_the_last_index_of_its_own_on_sale(stage: Backstage) -> None:
    assert await stage.ledger.joined(SALE) == 0
    put_join(stage, 0)
    put_join(stage, 4)
    put_join(stage, 9, on_sale="other")
    await stage.drain()
    assert await stage.ledger.joined(SALE) == 5
    assert await entrants_between(stage.ledger, (SALE, "public"), 0, 4) == ["hash-0", "", "", ""]


async def test_a_database_of_a_house_refuses_a_live_seat_twice_whoever_asks(stage: Backstage) -> None:
    """The last wall: even past the writer."""
    put(stage, make_order("A-1"))
    await stage.drain()
    copy = (
        "INSERT INTO order_items SELECT order_id, 7, performance, seat, area, category, price_type, price, fee, live "
        "FROM order_items"
    )
    with psycopg.connect(stage.house.postgres_dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation, match="live_seats"):
            connection.execute(copy.encode())
        connection.execute(copy.replace("fee, live", "fee, false").encode())
