"""A house changes a seating plan while it sells from it: nobody's seat is lost, and nobody's is anybody else's."""

import asyncio
import random
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import house as houses
from engine import recovery, seats
from engine.access_release import change_release
from engine.allotments import Wanted, set_aside, standings
from engine.allotments import give_back as give_back_aside
from engine.audit import audit
from engine.catalogue import OnSale, Performance, Release
from engine.cell import Cell
from engine.conditions import NOTHING, Proofs
from engine.entries import Customer, Payment
from engine.errors import BadInput, CellUnavailable, Refused
from engine.instants import now_ms
from engine.order_steps import sell_late
from engine.orders import Buyer, confirm, find_order
from engine.plan_change import NewPlan, replan
from engine.returns import give_back
from engine.shares import Owner
from engine.wishes import Wish
from engine.words import HallId, OnSaleId, PerformanceId, SeatId
from tests.backstage import BY, Backstage, seat_names, until
from tests.integration.test_recovery import crash, go_back, keep_copy
from tests.town import small_plan


@pytest.fixture
async def stage(stage: Backstage) -> Backstage:
    await stage.open()
    return stage


@pytest.fixture(autouse=True)
def _not_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "QUIET_MS", 0)


def other_plan(*, row_first: bool = True, without: tuple[str, ...] = (), **options: Any) -> dict[str, Any]:
    """The small hall with a row before its first, an aisle in the middle, and each row drawn the other way round."""
    plan = small_plan(rows=6 if row_first else 5, **options)
    for row in plan["zones"][0]["rows"]:
        row["seats"] = [seat for seat in reversed(row["seats"]) if seat["seat_guid"] not in without]
    plan["parvis"]["aisles_after"] = [f"zaal-{letter}-6" for letter in "ABCDE"]
    if row_first:
        plan["zones"][0]["rows"].insert(0, plan["zones"][0]["rows"].pop())
    return plan


async def add_hall(stage: Backstage, plan: dict[str, Any]) -> HallId:
    name = HallId(f"hall-{uuid.uuid4().hex[:8]}")
    await houses.add_hall(stage.cell, stage.ledger, name, "Hall", plan, BY)
    return name


async def move(stage: Backstage, on_sale: OnSale, hall: HallId, key: str = "", **prices: Any) -> Performance:
    wanted = NewPlan(hall=hall, **prices)
    return await replan(stage.cell, stage.ledger, on_sale.performances[0], wanted, BY, key or uuid.uuid4().hex)


async def test_a_sale_goes_on_under_another_plan(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    late = Cell(stage.house)
    await late.look()
    order = await stage.sell(on_sale, *seat_names("A", 3), "vloer", "vloer")
    held = await stage.hold(on_sale, *seat_names("B", 7), "vloer")
    sold = await stage.sold(on_sale)
    moved = await move(stage, on_sale, await add_hall(stage, other_plan(standing=25)))
    assert moved.plan_change == 1
    assert await stage.sold(on_sale) == sold
    assert (await stage.seats(on_sale)).areas == {"vloer": 22}
    # A process that has not heard of it goes on all the same, and names the seats that were meant.
    another = await stage.hold(on_sale, "zaal-C-4", "zaal-C-7", who="key:b", cell=late)
    assert [item.seat for item in another.hold.items] == ["zaal-C-4", "zaal-C-7"]
    await stage.confirm(held, cell=late)
    assert await stage.sold(on_sale) == sold | set(seat_names("B", 7))
    with pytest.raises(Refused, match="sooner"):
        await stage.hold(on_sale, "zaal-B-7")
    await stage.drain()
    assert (await give_back(stage.cell, stage.ledger, order, BY, "again")).state == "refunded"
    assert await stage.sold(on_sale) == set(seat_names("B", 7))
    await stage.drain()
    assert (await audit(stage.cell, stage.ledger)).is_clean
    await late.close()


async def test_a_plan_without_a_seat_that_is_sold_or_held_is_refused_and_names_it(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    await stage.sell(on_sale, "zaal-A-1")
    await stage.hold(on_sale, "zaal-C-2", "vloer", "vloer")
    hall = await add_hall(stage, other_plan(without=("zaal-A-1", "zaal-B-1", "zaal-C-2")))
    with pytest.raises(Refused) as refused:
        await move(stage, on_sale, hall)
    assert (refused.value.slug, refused.value.facts["seats"]) == ("seats-missing", ["zaal-A-1", "zaal-C-2"])
    with pytest.raises(Refused) as refused:
        await move(stage, on_sale, await add_hall(stage, small_plan(standing=1)))
    assert (refused.value.slug, refused.value.facts["areas"]) == ("area-too-small", ["vloer"])
    await stage.cell.look()
    assert stage.cell.performance(on_sale.performances[0]).plan_change == 0
    assert await stage.sold(on_sale) == {"zaal-A-1"}


async def test_a_category_has_another_name_and_prices_follow(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    plan = small_plan()
    plan["categories"][0]["name"] = "Gold"
    for row in plan["zones"][0]["rows"][:2]:
        for seat in row["seats"]:
            seat["category"] = "Gold"
    hall = await add_hall(stage, plan)
    with pytest.raises(BadInput, match="prices do not fit"):
        await move(stage, on_sale, hall)
    await move(stage, on_sale, hall, prices={"Gold": {"full": 3000}, "Rang 2": {"full": 1000}})
    held = await stage.hold(on_sale, "zaal-A-1")
    assert [(item.category, item.price) for item in held.hold.items] == [("Gold", 3000)]


async def test_a_bay_that_a_new_plan_brings_is_released_when_the_house_said(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    soon = Release(now_ms() + 1_500, 100)
    await change_release(stage.cell, stage.ledger, on_sale.performances[0], [soon], BY, "soon")
    plan = small_plan()
    plan["parvis"]["units"] = [{"kind": "wheelchair", "name": "W", "seats": ["zaal-C-1", "zaal-C-2"]}]
    plan["parvis"]["access"] = {"zaal-C-1": ["wheelchair"], "zaal-C-2": ["companion"]}
    await move(stage, on_sale, await add_hall(stage, plan))
    with pytest.raises(Refused, match="sold with others"):
        await stage.hold(on_sale, "zaal-C-1")

    async def is_released() -> bool:
        try:
            await stage.hold(on_sale, "zaal-C-1")
        except Refused:
            return False
        return True

    await until(is_released, "the bay is sold seat by seat")


async def test_a_repeat_is_harmless_and_it_can_go_back(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    first = stage.cell.performance(on_sale.performances[0]).hall
    await stage.sell(on_sale, *seat_names("A", 2))
    hall = await add_hall(stage, other_plan())
    for _ in range(2):
        assert (await move(stage, on_sale, hall, key="once")).plan_change == 1
    back = await move(stage, on_sale, first)
    assert (back.plan_change, back.hall, back.earlier_halls) == (2, first, (first, hall))
    assert (await move(stage, on_sale, hall, key="once")).hall == first  # what was done then is done
    assert await stage.sold(on_sale) == set(seat_names("A", 2))
    await stage.drain()
    [(body,)] = await stage.rows("SELECT body FROM documents WHERE kind = 'performance'")
    assert b'"earlier_halls"' in body
    assert ("change plan",) in await stage.rows("SELECT what FROM actions")


async def test_a_performance_that_is_not_on_sale_yet_gets_its_plan(stage: Backstage) -> None:
    hall, other = await add_hall(stage, small_plan()), await add_hall(stage, other_plan())
    prices = {"Rang 1": {"full": 1}, "Rang 2": {"full": 1}}
    made = Performance(performance=PerformanceId("soon"), hall=hall, title="Soon", starts_at_ms=1, prices=prices)
    await houses.add_performance(stage.cell, stage.ledger, made, BY)
    await replan(stage.cell, stage.ledger, made.performance, NewPlan(hall=other), BY, "key")
    assert stage.cell.performance("soon").hall == other


@pytest.mark.parametrize("is_recorded", [True, False])
async def test_a_crash_right_after_it_loses_nothing(stage: Backstage, is_recorded: bool) -> None:
    on_sale = await stage.put_on()
    await stage.sell(on_sale, *seat_names("A", 3))
    held = await stage.hold(on_sale, *seat_names("B", 2))
    await move(stage, on_sale, await add_hall(stage, other_plan()))
    if is_recorded:
        await stage.drain()
    crash(stage)
    await stage.open()
    assert stage.cell.performance(on_sale.performances[0]).plan_change == 1
    await stage.confirm(held)
    assert await stage.sold(on_sale) == {*seat_names("A", 3), *seat_names("B", 2)}
    await stage.drain()
    assert (await audit(stage.cell, stage.ledger)).is_clean


@pytest.mark.parametrize("is_empty", [True, False])
async def test_a_redis_from_before_it_gets_the_plan_and_what_was_sold_of_the_ledger(
    stage: Backstage, tmp_path: Path, is_empty: bool
) -> None:
    on_sale = await stage.put_on()
    first = await stage.sell(on_sale, *seat_names("A", 2))
    await stage.hold(on_sale, "zaal-E-9")
    await stage.drain()
    copy = keep_copy(stage, tmp_path)
    await give_back(stage.cell, stage.ledger, first, BY, "back")
    await stage.sell(on_sale, *seat_names("B", 3))
    # Seats that were returned are gone from the new plan.
    await move(stage, on_sale, await add_hall(stage, other_plan(without=("zaal-A-1",))))
    await stage.sell(on_sale, "zaal-F-1", "vloer")
    await stage.drain()
    go_back(stage, None if is_empty else copy)
    await stage.open()
    assert stage.cell.performance(on_sale.performances[0]).plan_change == 1
    assert await stage.sold(on_sale) == {*seat_names("B", 3), "zaal-F-1"}
    assert not stage.redis.exists(*stage.keys.performance(on_sale.performances[0]))
    await stage.drain()
    assert (await audit(stage.cell, stage.ledger)).is_clean


@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_is_set_aside_and_blocked_goes_along(stage: Backstage, is_lost: bool) -> None:
    on_sale = await stage.put_on()
    performance = on_sale.performances[0]
    for name, purpose, named in (
        ("friends", "house", ("zaal-A-1", "zaal-A-2")),
        ("desk", "block", ("zaal-C-5", "zaal-C-6")),
    ):
        wanted = Wanted(performance=performance, name=name, purpose=purpose, seats=tuple(map(SeatId, named)))
        await set_aside(stage.cell, stage.ledger, wanted, BY)
    late = Cell(stage.house)
    await late.look()
    with pytest.raises(Refused) as refused:
        await move(stage, on_sale, await add_hall(stage, other_plan(without=("zaal-A-2", "zaal-C-5"))))
    assert refused.value.facts["seats"] == ["zaal-A-2"]
    # The mixing desk stands where seats were blocked.
    await move(stage, on_sale, await add_hall(stage, other_plan(without=("zaal-C-5",))))
    await stage.drain()
    if is_lost:
        go_back(stage, None)
        await stage.open()
    found = await standings(late, stage.ledger, performance)
    assert {each.allotment.name: each.seats for each in found} == {
        "friends": ("zaal-A-1", "zaal-A-2"),
        "desk": ("zaal-C-6",),
    }
    await give_back_aside(late, stage.ledger, performance, "friends", BY)
    await stage.sell(on_sale, "zaal-A-1")
    with pytest.raises(Refused, match="sooner"):
        await stage.hold(on_sale, "zaal-C-6")
    await late.close()


async def test_money_for_a_seat_that_the_new_plan_lacks_goes_back(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    held = await stage.hold(on_sale, "zaal-C-5")
    order = await stage.confirm(held, payment="late-c5", state="awaiting_payment")
    await seats.release(stage.cell, held.hold)
    await move(stage, on_sale, await add_hall(stage, other_plan(without=("zaal-C-5",))))
    found = await find_order(stage.cell, order)
    assert found is not None
    assert await sell_late(stage.cell, found.order, found.holds, "late") == "conflicted"


@pytest.mark.parametrize("seed", range(3))
async def test_a_race_of_holds_orders_and_returns_with_plans_that_change_under_it(stage: Backstage, seed: int) -> None:
    """Each visitor's process knows of a change as late as it likes; Redis is killed in the middle."""
    on_sale = await stage.put_on(hold_seconds=1)
    performance = on_sale.performances[0]
    first = stage.cell.performance(performance).hall
    halls = [await add_hall(stage, other_plan(seats=10)), first]
    cells = [Cell(stage.house) for _ in range(4)]
    for cell in cells:
        await cell.look()
    draw, bought = random.Random(seed), dict[str, set[str]]()
    names = [f"zaal-{row}-{number}" for row in "ABCDE" for number in range(1, 11)]
    outcomes: Counter[str] = Counter()
    stop = asyncio.Event()

    async def visitor(number: int) -> None:
        cell = cells[number % len(cells)]
        for turn in range(10_000):
            if stop.is_set():
                return
            seat = draw.choice(names)
            block = [seat, *([f"{seat}0"] if seat.endswith("1") else [])]
            named = tuple(SeatId(each) for each in block)
            owner, key = Owner(owner=f"key:{number}", place="", on_sale=on_sale.on_sale), f"{number}-{turn}"
            try:
                held = await seats.hold(cell, owner, [Wish(performance=performance, seats=named)], (), key)
                assert [item.seat for item in held.hold.items] == list(named)
                match draw.choice(("buy", "buy", "let go", "forget")):
                    case "buy":
                        buyer = Buyer(caller=f"key:{number}", owner="", channel="counter")
                        paid, who = Payment(provider="demo", reference=f"yes-{key}"), Customer(email="a@example.org")
                        order, state = await confirm(cell, buyer, [held.hold], who, paid, key)
                        assert state == "confirmed"
                        bought[order] = set(named)
                    case "let go":
                        await seats.release(cell, held.hold)
            except Refused as refusal:
                outcomes[refusal.slug] += 1
                await asyncio.sleep(0.002)
            except CellUnavailable:
                outcomes["unavailable"] += 1
                await asyncio.sleep(0.02)

    visitors = [asyncio.create_task(visitor(number)) for number in range(12)]
    for change in range(8):
        await asyncio.sleep(0.05)
        try:
            moved = await move(stage, on_sale, halls[change % 2])
        except Refused as refusal:
            outcomes[refusal.slug] += 1
            continue
        outcomes["moved"] += 1
        assert moved.hall == halls[change % 2]
        if change == 4:
            crash(stage)
            await stage.open()
    stop.set()
    await asyncio.gather(*visitors)
    assert outcomes["moved"] > 4
    sold = [seat for each in bought.values() for seat in each]
    assert len(sold) == len(set(sold))
    await stage.cell.look()
    assert set(sold) <= await stage.sold(on_sale)  # an answer may have been lost with the connection, an order not

    async def all_let_go() -> bool:
        await seats.sweep(stage.cell, performance, 100)
        return "h" not in (await stage.seats(on_sale)).seats

    await until(all_let_go, "every hold ends")
    await stage.drain()
    found = await audit(stage.cell, stage.ledger)
    assert found.faults == ()
    assert found.seats - 20 == len((await stage.seats(on_sale)).seats)
    for cell in cells:
        await cell.close()


async def test_a_repeat_of_what_was_held_under_another_plan_says_that_the_plan_changed(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    owner = Owner(owner="key:staff", place="", on_sale=on_sale.on_sale)

    async def ask(key: str, *names: str, proofs: Proofs = NOTHING) -> seats.Held:
        wish = Wish(performance=on_sale.performances[0], seats=tuple(map(SeatId, names)))
        return await seats.hold(stage.cell, owner, [wish], (), key, proofs)

    first = await ask("once", "zaal-C-3")
    assert (await ask("once", "zaal-C-3")).token == first.token
    swapped = await seats.hold(
        stage.cell, owner, [Wish(performance=on_sale.performances[0], seats=(SeatId("zaal-C-5"),))], (), "swap",
        former=(await ask("other", "zaal-C-4")).hold,
    )  # fmt: skip
    for change in range(2):
        await move(stage, on_sale, await add_hall(stage, other_plan(standing=25 + change)))
        state = (await stage.seats(on_sale)).seats
        for again in range(2):
            with pytest.raises(Refused) as refused:
                await ask("once", "zaal-C-3")
            assert refused.value.slug == "plan-changed", again
        with pytest.raises(Refused) as refused:
            await ask("once", "zaal-C-6")
        assert refused.value.slug == "key-reused", "another request is one still"
        assert (await stage.seats(on_sale)).seats == state, "nothing is held anew"
    # What was held then is bought as it was.
    await stage.confirm(first)
    await stage.confirm(swapped)
    assert await stage.sold(on_sale) == {"zaal-C-3", "zaal-C-5"}
    again_now = await ask("now", "zaal-C-6")
    assert (await ask("now", "zaal-C-6")).token == again_now.token


async def test_an_on_sale_that_is_made_while_a_plan_changes_sells_from_the_new_one(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await add_hall(stage, other_plan())
    plain = await stage.put_on()
    show = msgspec.structs.replace(
        stage.cell.performance(plain.performances[0]), performance=PerformanceId(f"{plain.performances[0]}-late")
    )
    await houses.add_performance(stage.cell, stage.ledger, show, BY)
    lay_out = houses.bring_up

    async def just_before_it_changes(cell: Cell, on_sale: OnSale) -> list[PerformanceId]:
        before = stage.cell.performance(show.performance)
        if not before.plan_change:  # it changes where nothing is laid out yet, and what is read here is old at once
            await replan(stage.cell, stage.ledger, show.performance, NewPlan(hall=other), BY, "key")
            stage.cell.catalogue.performances[show.performance] = before
        return await lay_out(cell, on_sale)

    monkeypatch.setattr(houses, "bring_up", just_before_it_changes)
    made = msgspec.structs.replace(
        plain, on_sale=OnSaleId(f"{plain.on_sale}-late"), performances=(show.performance,), seed="", commitment=""
    )
    kept = await houses.add_on_sale(stage.cell, stage.ledger, made, BY)
    assert stage.cell.performance(show.performance).plan_change == 1
    await stage.sell(kept, "zaal-F-1", "zaal-A-1")
    assert await stage.sold(kept) == {"zaal-F-1", "zaal-A-1"}
    await stage.drain()
    assert (await audit(stage.cell, stage.ledger)).is_clean
