"""The audit is clean where the books balance, also while a sale runs, and names every kind of fault in words."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from engine import audit as audits
from engine.audit import Audit, audit
from engine.catalogue import OnSale
from engine.entries import encode_order
from engine.errors import Refused
from engine.instants import now_ms
from engine.seats import release
from tests.backstage import Backstage, seat_names
from tests.integration.test_writer import make_order
from tests.town import small_plan

FIELDS = (
    *("house", "seats", "open", "held", "sold", "blocked", "orders_confirmed", "orders_recorded", "backlog"),
    *("double_sold", "lost", "stranded_holds", "takings", "recorded_takings", "conflicted", "refunded", "dead_letters"),
    "faults",
)


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


async def a_sale(stage: Backstage) -> OnSale:
    """Two performances of 50 seats and 20 standing places; three seats and two places sold, four seats held."""
    on_sale = await stage.put_on(shows=2)
    await stage.sell(on_sale, "zaal-A-1", "zaal-A-2")
    await stage.sell(on_sale, "zaal-A-3", "vloer", "vloer")
    await stage.hold(on_sale, *seat_names("B", 4))
    await stage.hold(on_sale, "vloer")
    await stage.drain()
    return on_sale


async def test_a_clean_sale_is_clean(stage: Backstage) -> None:
    await a_sale(stage)
    found = await audit(stage.cell, stage.ledger)
    assert msgspec.structs.asdict(found) == {
        "house": stage.slug,
        "seats": 140,
        "open": 130,
        "held": 5,
        "sold": 5,
        "blocked": 0,
        "orders_confirmed": 2,
        "orders_recorded": 2,
        "backlog": 0,
        "double_sold": 0,
        "lost": 0,
        "stranded_holds": 0,
        "takings": 10_500,
        "recorded_takings": 10_500,
        "conflicted": 0,
        "refunded": 0,
        "dead_letters": 0,
        "faults": (),
    }
    assert found.is_clean
    assert Audit.__struct_fields__ == FIELDS


async def test_a_house_that_sells_nothing_is_clean(stage: Backstage) -> None:
    found = await audit(stage.cell, stage.ledger)
    assert (found.seats, found.faults) == (0, ())


async def test_books_balance_after_a_conflict_of_payment_and_seat(stage: Backstage) -> None:
    """Money that came too late, and a seat that the ledger knew better: each is a refund request, and no fault."""
    on_sale = await a_sale(stage)
    held = await stage.hold(on_sale, "zaal-C-1")
    stage.redis.delete(stage.keys.performance(on_sale.performances[0])[2])  # its end …
    stage.redis.hdel(stage.keys.performance(on_sale.performances[0])[0], f"h{held.hold.hold}")
    with pytest.raises(Refused, match="your money goes back"):
        await stage.confirm(held)
    await stage.drain()
    found = await audit(stage.cell, stage.ledger)
    assert (found.conflicted, found.orders_confirmed, found.orders_recorded) == (1, 2, 2)
    assert await stage.value("SELECT count(*) FROM refund_requests") == 1


Fault = Callable[[Backstage, OnSale], Awaitable[None]]


def _row(stage: Backstage, on_sale: OnSale, seat: str) -> tuple[str, str, int]:
    """The key and the field of a seat's row, and its place there."""
    performance = on_sale.performances[0]
    block, offset = stage.cell.catalogue.layout(performance).locate(seat)  # type: ignore[arg-type]
    return stage.keys.performance(performance)[0], f"b{block}", offset


def _set_seat(stage: Backstage, on_sale: OnSale, seat: str, state: str) -> None:
    key, field, offset = _row(stage, on_sale, seat)
    row = stage.redis.hget(key, field)
    assert isinstance(row, bytes)
    stage.redis.hset(key, field, row[:offset] + state.encode() + row[offset + 1 :])


async def sold_in_redis_only(stage: Backstage, on_sale: OnSale) -> None:
    _set_seat(stage, on_sale, "zaal-D-7", "s")


async def forgotten_by_redis(stage: Backstage, on_sale: OnSale) -> None:
    _set_seat(stage, on_sale, "zaal-A-2", "o")


async def a_place_too_many_in_redis(stage: Backstage, on_sale: OnSale) -> None:
    key = stage.keys.performance(on_sale.performances[0])[0]
    stage.redis.hincrby(key, "t0", 1)
    stage.redis.hincrby(key, "a0", -1)


async def held_without_a_hold(stage: Backstage, on_sale: OnSale) -> None:
    _set_seat(stage, on_sale, "zaal-D-7", "h")


async def a_hold_that_never_ends(stage: Backstage, on_sale: OnSale) -> None:
    stage.redis.delete(stage.keys.performance(on_sale.performances[0])[2])


async def a_hold_that_holds_no_seat(stage: Backstage, on_sale: OnSale) -> None:
    for seat in seat_names("B", 4):
        _set_seat(stage, on_sale, seat, "o")


async def no_state_at_all(stage: Backstage, on_sale: OnSale) -> None:
    _set_seat(stage, on_sale, "zaal-D-7", "?")


async def more_places_than_there_are(stage: Backstage, on_sale: OnSale) -> None:
    stage.redis.hset(stage.keys.performance(on_sale.performances[0])[0], "a0", 30)


async def an_order_in_the_ledger_only(stage: Backstage, on_sale: OnSale) -> None:
    order = make_order("zaal-E-1", on_sale=on_sale.on_sale)
    items = tuple(msgspec.structs.replace(item, performance=on_sale.performances[0]) for item in order.items)
    stage.put_entry(kind="order", data=encode_order(msgspec.structs.replace(order, items=items)))
    await stage.drain()


async def an_order_of_a_sale_that_nobody_knows(stage: Backstage, on_sale: OnSale) -> None:
    stage.put_entry(kind="order", data=encode_order(make_order("zaal-E-1")))
    await stage.drain()


async def an_order_in_redis_only(stage: Backstage, on_sale: OnSale) -> None:
    stage.redis.hincrby(stage.keys.sale(on_sale.on_sale), "orders", 1)


async def money_that_differs(stage: Backstage, on_sale: OnSale) -> None:
    stage.redis.hincrby(stage.keys.sale(on_sale.on_sale), "takings", -1)


async def an_order_that_is_not_its_items(stage: Backstage, on_sale: OnSale) -> None:
    await stage.do(
        "UPDATE order_items SET price = price - 1 WHERE (order_id, item) IN (SELECT order_id, min(item) FROM "
        "order_items GROUP BY order_id LIMIT 1)"
    )


async def sold_twice(stage: Backstage, on_sale: OnSale) -> None:
    await stage.do("DROP INDEX live_seats")
    await stage.do(
        "INSERT INTO order_items SELECT order_id, 90, performance, seat, area, category, price_type, 0, 0, true "
        "FROM order_items WHERE performance = $1 AND seat = 'zaal-A-1'",
        on_sale.performances[0],
    )


async def a_dead_letter(stage: Backstage, on_sale: OnSale) -> None:
    stage.put_entry(kind="order", data=b"\xc1")
    await stage.drain()


async def nobody_records(stage: Backstage, on_sale: OnSale) -> None:
    await stage.join(on_sale)


FAULTS: list[tuple[Fault, dict[str, int], list[str]]] = [
    (
        sold_in_redis_only,
        {"lost": 1, "sold": 6},
        [
            "show, zaal-D-7: sold 1 times in Redis, 0 in the ledger",
            "show, zaal-D-7 is 's' in Redis and 'o' by its history",
        ],
    ),
    (
        forgotten_by_redis,
        {"lost": 1, "sold": 4},
        [
            "show, zaal-A-2: sold 0 times in Redis, 1 in the ledger",
            "show, zaal-A-2 is 'o' in Redis and 's' by its history",
        ],
    ),
    (
        a_place_too_many_in_redis,
        {"lost": 1},
        [
            "show, vloer: sold 3 times in Redis, 2 in the ledger",
            "show, area 0 is '16 open and 3 sold' in Redis and '17 open and 2 sold' by its history",
        ],
    ),
    (
        held_without_a_hold,
        {"stranded_holds": 1, "held": 6},
        [
            "show: 1 held seats belong to no hold, or holds to no seat",
            "show, zaal-D-7 is 'h' in Redis and 'o' by its history",
        ],
    ),
    (a_hold_that_never_ends, {"stranded_holds": 2}, ["show: 2 held seats belong to no hold, or holds to no seat"]),
    (
        a_hold_that_holds_no_seat,
        {"stranded_holds": 4},
        [
            "show: 4 held seats belong to no hold, or holds to no seat",
            *(f"show, {seat} is 'o' in Redis and 'h' by its history" for seat in seat_names("B", 4)),
        ],
    ),
    (
        no_state_at_all,
        {},
        [
            "show: 59 open, 5 held, 5 sold, 0 blocked are not 70 seats",
            "show, zaal-D-7 is '?' in Redis and 'o' by its history",
        ],
    ),
    (
        more_places_than_there_are,
        {"stranded_holds": 13},
        [
            "13 held seats",
            "show: 73 open, -8 held, 5 sold, 0 blocked are not 70 seats",
            "show, area 0 is '30 open and 2 sold' in Redis and '17 open and 2 sold' by its history",
        ],
    ),
    (
        an_order_in_the_ledger_only,
        {"lost": 2, "orders_confirmed": 2, "orders_recorded": 3},
        [
            "show, zaal-E-1: sold 0 times in Redis, 1 in the ledger",
            "sale: 2 orders in Redis, 3 in the ledger",
            "sale: takings of 10500 in Redis, 11550 in the ledger",
        ],
    ),
    (
        an_order_of_a_sale_that_nobody_knows,
        {"lost": 2},
        ["show, zaal-E-1: sold 0 times", "sale: 0 orders in Redis, 1 in the ledger", "sale: takings of 0"],
    ),
    (an_order_in_redis_only, {"lost": 1}, ["sale: 3 orders in Redis, 2 in the ledger"]),
    (money_that_differs, {"takings": 10_499}, ["sale: takings of 10499 in Redis, 10500 in the ledger"]),
    (an_order_that_is_not_its_items, {}, [": its total is "]),
    (sold_twice, {"double_sold": 1}, ["show, zaal-A-1: sold 2 times in the ledger"]),
    (a_dead_letter, {"dead_letters": 1}, ["could not be recorded: "]),
    (nobody_records, {"backlog": 1}, ["1 entries are not recorded after 1 s: is `parvis serve` running?"]),
]


@pytest.mark.parametrize(("fault", "figures", "words"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
async def test_a_fault_is_found_and_said_in_words(
    stage: Backstage, fault: Fault, figures: dict[str, int], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "DRAIN_SECONDS", 1.0)
    on_sale = await a_sale(stage)
    await fault(stage, on_sale)
    found = await audit(stage.cell, stage.ledger)
    assert not found.is_clean
    said = [each.replace(on_sale.performances[0], "show").replace(on_sale.on_sale, "sale") for each in found.faults]
    assert len(said) == len(words), said
    for part in words:
        assert any(part in each for each in said), (part, said)
    clean = {"double_sold": 0, "lost": 0, "stranded_holds": 0, "dead_letters": 0, "conflicted": 0, "backlog": 0}
    told = msgspec.structs.asdict(found)
    assert {name: told[name] for name in clean | figures} == clean | figures


async def test_many_faults_of_a_kind_are_counted_and_not_all_told(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    for row in "ABC":
        for seat in seat_names(row, 10):
            _set_seat(stage, on_sale, seat, "s")
    found = await audit(stage.cell, stage.ledger)
    assert found.lost == 30
    assert len(found.faults) == 42
    assert found.faults[20] == found.faults[-1] == "… and 10 more like these"


async def test_a_sale_that_runs_is_no_fault(stage: Backstage) -> None:
    """Held, sold, let go and recorded all the while: what is under way on one side is not lost."""
    on_sale = await stage.put_on(plan=small_plan(rows=20, seats=20))
    seats = list(stage.cell.catalogue.layout(on_sale.performances[0]).seat_ids)
    is_over = asyncio.Event()

    async def shop() -> None:
        while not is_over.is_set() and seats:
            held = await stage.hold(on_sale, seats.pop())
            await asyncio.sleep(0.005)
            if len(seats) % 3:
                await stage.confirm(held)
            else:
                await release(stage.cell, held.hold)
            await stage.join(on_sale)

    async def record() -> None:
        while not is_over.is_set():
            await stage.drain(batch=3)
            await asyncio.sleep(0.02)

    workers = [asyncio.create_task(work) for work in (*(shop() for _ in range(4)), record())]
    found: list[Audit] = []
    while len({each.sold for each in found}) < 5 and seats:
        found.append(await audit(stage.cell, stage.ledger))
    is_over.set()
    await asyncio.gather(*workers)
    assert [each.faults for each in found if each.faults] == []
    assert len({each.sold for each in found}) > 1  # it did run meanwhile
    await stage.drain()
    at_rest = await audit(stage.cell, stage.ledger)
    assert (at_rest.faults, at_rest.sold) == ((), at_rest.orders_confirmed)


async def test_an_audit_waits_for_what_is_not_recorded_though_ids_run_ahead_of_the_clock(stage: Backstage) -> None:
    """As after a clock that was set back: the outbox goes on counting from the time that it had reached."""
    on_sale = await a_sale(stage)
    ahead: Any = stage.redis.xadd(stage.keys.outbox, {"kind": "restored"}, id=f"{now_ms() + 60_000}-0")
    stage.redis.xdel(stage.keys.outbox, ahead)
    await stage.sell(on_sale, "zaal-A-4")
    await stage.drain()
    await stage.sell(on_sale, "zaal-A-5")
    asked = asyncio.create_task(audit(stage.cell, stage.ledger))
    await asyncio.sleep(0.3)
    await stage.drain()
    assert (await asked).faults == ()


async def test_an_audit_writes_nothing(stage: Backstage) -> None:
    await a_sale(stage)
    before = stage.redis.info("persistence")["rdb_changes_since_last_save"]
    await audit(stage.cell, stage.ledger)
    assert stage.redis.info("persistence")["rdb_changes_since_last_save"] == before
