"""What is set aside: for whom it is, it is sold by them and nobody else, and it stays so after a loss."""

import asyncio
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import allotments, orders, recovery, seats
from engine.access_release import change_release
from engine.allotments import Wanted, give_back, set_aside, standings
from engine.best import Best
from engine.catalogue import OnSale, Release
from engine.entries import Customer, Payment
from engine.errors import BadInput, CellUnavailable, Refused
from engine.house import add_key, add_on_sale, add_performance
from engine.instants import now_ms
from engine.instead import Left
from engine.ledger.allotments import pending_allotments
from engine.orders import Buyer
from engine.seat_map import SeatMap, count_states
from engine.seats import Held
from engine.shares import PARTNER, Owner
from engine.wishes import Wish
from engine.words import AreaId, OnSaleId, PerformanceId, SeatId
from tests.backstage import BY, Backstage, seat_names, until
from tests.integration.test_recovery import check_clean, go_back, keep_copy, recover
from tests.town import small_plan


@pytest.fixture
async def stage(stage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Backstage:
    monkeypatch.setattr(recovery, "QUIET_MS", 0)
    await stage.open()
    return stage


async def partner(stage: Backstage, on_sale: OnSale, name: str = "Partner") -> Owner:
    key, _ = await add_key(stage.cell, stage.ledger, name, ("allotment",), BY, uuid.uuid4().hex)
    return Owner(owner=f"key:{key.key_id}", place="", on_sale=on_sale.on_sale, channel=PARTNER)


def wanted(on_sale: OnSale, owner: Owner | None = None, **changed: Any) -> Wanted:
    given = {"name": "share", "purpose": "partner" if owner else "house"} | changed
    for_ = owner.owner.removeprefix("key:") if owner else ""
    return Wanted(performance=on_sale.performances[0], for_=for_, **given)


async def open_seats(stage: Backstage, on_sale: OnSale) -> list[SeatId]:
    layout = stage.cell.catalogue.layout(on_sale.performances[0])
    seat_map = await stage.seats(on_sale)
    return [seat for seat, state in zip(layout.seat_ids, seat_map.seats, strict=True) if state == "o"]


async def try_hold(stage: Backstage, owner: Owner, wish: Wish) -> Held | str:
    try:
        return await seats.hold(stage.cell, owner, [wish], [], uuid.uuid4().hex)
    except Refused as refusal:
        return refusal.slug


async def buy(stage: Backstage, owner: Owner, held: Held) -> None:
    buyer = Buyer(caller=owner.owner, owner=owner.owner, channel="api")
    payment = Payment(provider="demo", reference=f"yes-{uuid.uuid4().hex}")
    await orders.confirm(stage.cell, buyer, [held.hold], Customer(email="a@b.example"), payment, uuid.uuid4().hex)


def states(seat_map: SeatMap, layout: Any, named: Sequence[SeatId]) -> str:
    found = dict(zip(layout.seat_ids, seat_map.seats, strict=True))
    return "".join(found[seat] for seat in named)


async def test_a_partner_sells_exactly_its_share_and_the_public_none_of_it(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    own, other = await partner(stage, on_sale), await partner(stage, on_sale, "Another")
    share = (await open_seats(stage, on_sale))[:6]
    performance, layout = on_sale.performances[0], stage.cell.catalogue.layout(on_sale.performances[0])
    await set_aside(stage.cell, stage.ledger, wanted(on_sale, own, seats=tuple(share)), BY)
    assert states(await stage.seats(on_sale), layout, share) == "b" * 6
    staff = Owner(owner="key:staff", place="", on_sale=on_sale.on_sale, channel="counter")
    best = Wish(performance=performance, best=Best(quantity=1))
    calls = [try_hold(stage, own, best) for _ in range(50)]
    calls += [try_hold(stage, staff, Wish(performance=performance, seats=(seat,))) for seat in share]
    calls += [try_hold(stage, other, best), try_hold(stage, other, Wish(performance=performance, seats=(share[0],)))]
    found = await asyncio.gather(*calls)
    held = [each for each in found[:50] if isinstance(each, Held)]
    assert {item.seat for each in held for item in each.hold.items} == set(share)
    assert len(held) == 6
    assert {each for each in found[:50] if isinstance(each, str)} == {"sold-out"}
    assert set(found[50:56]) == {"seats-taken"}
    assert set(found[56:]) == {"unknown-allotment"}
    assert {item.allotment for each in held for item in each.hold.items} == {"share"}
    outside = next(seat for seat in await open_seats(stage, on_sale))
    assert await try_hold(stage, own, Wish(performance=performance, seats=(outside,))) == "seats-taken"


async def test_a_partner_that_is_refused_is_told_of_its_own_share_and_of_nothing_else(stage: Backstage) -> None:
    on_sale = await stage.put_on(shows=2)
    own, other = await partner(stage, on_sale), await partner(stage, on_sale, "Another")
    performance = on_sale.performances[0]
    share = [SeatId(f"zaal-{row}-{number}") for row, count in (("A", 4), ("C", 2)) for number in range(1, count + 1)]
    await set_aside(stage.cell, stage.ledger, wanted(on_sale, own, seats=tuple(share), areas={"vloer": 2}), BY)
    theirs = map(SeatId, seat_names("B", 5))
    await set_aside(stage.cell, stage.ledger, wanted(on_sale, other, name="theirs", seats=tuple(theirs)), BY)
    await try_hold(stage, own, Wish(performance=performance, seats=tuple(share[:1])))

    async def facts(wish: Wish) -> Any:
        with pytest.raises(Refused) as refused:
            await seats.hold(stage.cell, own, [wish], [], uuid.uuid4().hex)
        return refused.value.facts

    told = await facts(Wish(performance=performance, seats=tuple(share[:2])))
    assert (told["taken"], told["alternatives"]) == (share[:1], [tuple(share[1:3]), tuple(share[2:4])])
    told = await facts(
        Wish(performance=performance, best=Best(quantity=2, category="Rang 1", zone="Zaal", rows=("B", "B")))
    )
    assert told["elsewhere"] == [
        Left(performance, "Rang 1", tuple(share[2:4])),
        Left(performance, "Rang 2", tuple(share[4:])),
        Left(performance, "Rang 2", area=AreaId("vloer")),
    ]
    assert (await facts(Wish(performance=performance, best=Best(quantity=5))))["elsewhere"] == []


async def test_what_cannot_be_set_aside_leaves_nothing_behind(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    seat, *more = (await open_seats(stage, on_sale))[:3]
    await set_aside(stage.cell, stage.ledger, wanted(on_sale, purpose="block", name="desk", seats=(seat,)), BY)
    with pytest.raises(Refused, match="not every one"):
        await set_aside(stage.cell, stage.ledger, wanted(on_sale, seats=(seat, *more)), BY)
    with pytest.raises(BadInput):
        await set_aside(stage.cell, stage.ledger, wanted(on_sale, seats=tuple(more), release_at_ms=1), BY)
    made = await set_aside(stage.cell, stage.ledger, wanted(on_sale, seats=tuple(more)), BY)
    assert await set_aside(stage.cell, stage.ledger, wanted(on_sale, seats=tuple(more)), BY) == made
    found = await standings(stage.cell, stage.ledger, made.performance)
    assert [(each.allotment.name, each.seats) for each in found] == [("desk", (seat,)), ("share", tuple(more))]
    for name in ("share", "desk", "desk"):
        await give_back(stage.cell, stage.ledger, made.performance, name, BY)
    assert (await open_seats(stage, on_sale))[:3] == [seat, *more]
    assert await standings(stage.cell, stage.ledger, made.performance) == []


async def test_what_is_blocked_until_an_instant_is_nobodys_until_then(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    performance = on_sale.performances[0]
    seat, other = (await open_seats(stage, on_sale))[:2]
    area = stage.cell.catalogue.layout(performance).areas[0]
    before = count_states(stage.cell.catalogue.layout(performance), await stage.seats(on_sale))
    desk = wanted(on_sale, name="desk", purpose="block", seats=(seat,), areas={AreaId(area.id): area.capacity - 1})
    desk = msgspec.structs.replace(desk, release_at_ms=now_ms() + 3_600_000)
    await set_aside(stage.cell, stage.ledger, desk, BY)
    counted = count_states(stage.cell.catalogue.layout(performance), await stage.seats(on_sale))
    assert (counted["b"], counted["o"]) == (area.capacity, before["o"] - area.capacity)
    own = await partner(stage, on_sale)
    staff = Owner(owner="key:staff", place="", on_sale=on_sale.on_sale, channel="counter")
    for owner in (staff, own):
        named = Wish(performance=performance, seats=(seat,))
        assert await try_hold(stage, owner, named) in {"seats-taken", "unknown-allotment"}
        standing = Wish(performance=performance, area=AreaId(area.id), quantity=2, allotment="desk")
        assert await try_hold(stage, owner, standing) == "unknown-allotment"
    too_many = Wish(performance=performance, area=AreaId(area.id), quantity=2)
    assert await try_hold(stage, staff, too_many) == "sold-out"
    soon = wanted(on_sale, name="soon", purpose="block", seats=(other,), release_at_ms=now_ms() + 1_000)
    await set_aside(stage.cell, stage.ledger, soon, BY)

    async def is_released() -> bool:
        held = await try_hold(stage, staff, Wish(performance=performance, seats=(other,)))
        return isinstance(held, Held)

    await until(is_released, "the seat is everybody's")
    await give_back(stage.cell, stage.ledger, performance, "desk", BY)
    assert isinstance(await try_hold(stage, staff, too_many), Held)


async def test_after_a_loss_it_is_set_aside_again_and_what_was_sold_of_it_is_sold(
    stage: Backstage, tmp_path: Path
) -> None:
    on_sale = await stage.put_on()
    own = await partner(stage, on_sale)
    performance, layout = on_sale.performances[0], stage.cell.catalogue.layout(on_sale.performances[0])
    share = (await open_seats(stage, on_sale))[:4]
    area = AreaId(layout.areas[0].id)
    copy = keep_copy(stage, tmp_path)
    made = wanted(on_sale, own, seats=tuple(share), areas={area: 3}, release_at_ms=now_ms() + 3_600_000)
    await set_aside(stage.cell, stage.ledger, made, BY)
    for wish in (
        Wish(performance=performance, seats=(share[1],)),
        Wish(performance=performance, area=area, quantity=2),
    ):
        held = await try_hold(stage, own, wish)
        assert isinstance(held, Held)
        await buy(stage, own, held)
    await stage.drain()
    before = await stage.seats(on_sale)
    go_back(stage, copy)
    await recover(stage)
    after = await stage.seats(on_sale)
    fields = ("seats", "areas", "sold_places", "places_aside")
    assert [getattr(after, name) for name in fields] == [getattr(before, name) for name in fields]
    assert states(after, layout, share) == "bsbb"
    (standing,) = await standings(stage.cell, stage.ledger, performance)
    assert (standing.seats, standing.areas) == ((share[0], *share[2:]), {area: 1})
    assert isinstance(await try_hold(stage, own, Wish(performance=performance, area=area, quantity=1)), Held)
    assert await try_hold(stage, own, Wish(performance=performance, area=area, quantity=1)) == "sold-out"
    await check_clean(stage, "redis-lost")


def test_what_is_published_tells_neither_why_nor_which_seats() -> None:
    from engine.catalogue import Allotment
    from engine.house import published_form

    made = Allotment("p", "share", "A", "house", why="the mayor", who="Ann", seats=(SeatId("a-1"),))  # type: ignore[arg-type]
    published = msgspec.json.decode(published_form(made))
    assert published == {"performance": "p", "name": "share", "letter": "A", "purpose": "house"}


def with_bays() -> dict[str, Any]:
    """The small plan with two bays for wheelchairs in row A, a place and its companion's each."""
    plan = small_plan()
    plan["parvis"]["units"] = [
        {"kind": "wheelchair", "name": name, "seats": [f"zaal-A-{first}", f"zaal-A-{first + 1}"]}
        for name, first in (("left", 1), ("right", 9))
    ]
    plan["parvis"]["access"] = {
        f"zaal-A-{number}": ["wheelchair" if number in {1, 9} else "companion"] for number in (1, 2, 9, 10)
    }
    return plan


async def test_when_bays_are_released_is_changed_while_they_are_on_sale(stage: Backstage) -> None:
    on_sale = await stage.put_on(plan=with_bays())
    name = on_sale.performances[0]
    staff = Owner(owner="key:staff", place="", on_sale=on_sale.on_sale, channel="counter")
    bay = [SeatId("zaal-A-1"), SeatId("zaal-A-2")]
    with pytest.raises(Refused, match="sold with others") as refused:
        await seats.hold(stage.cell, staff, [Wish(performance=name, seats=(bay[0],))], [], "whole")
    assert refused.value.facts == {"seat": bay[0], "missing": bay[1:]}

    later = Release(now_ms() + 3_600_000, 50)
    first = await change_release(stage.cell, stage.ledger, name, [later], BY, "first")
    assert (first.access_release, first.release_changes) == ((later,), 1)
    assert await change_release(stage.cell, stage.ledger, name, [later], BY, "again") == first
    for wrong in ((Release(1, 100),), (Release(later.at_ms, 0),), (later, Release(later.at_ms - 1, 100))):
        with pytest.raises(BadInput):
            await change_release(stage.cell, stage.ledger, name, wrong, BY, uuid.uuid4().hex)
    # A recovery before the ledger has heard of it goes on with what Redis knows.
    await stage.keeper.recover()
    await stage.cell.look()
    assert stage.cell.performance(name) == first
    soon = Release(now_ms() + 1_000, 100)
    await change_release(stage.cell, stage.ledger, name, [soon], BY, "soon")

    async def is_named_alone() -> bool:
        return isinstance(await try_hold(stage, staff, Wish(performance=name, seats=(bay[0],))), Held)

    await until(is_named_alone, "the bay is sold seat by seat")
    assert isinstance(await try_hold(stage, staff, Wish(performance=name, seats=(bay[1],))), Held)
    assert await try_hold(stage, staff, Wish(performance=name, seats=(bay[1],))) == "seats-taken"
    # What has passed stays, named again or not; what is to come is the house's.
    after = await change_release(stage.cell, stage.ledger, name, [later], BY, "after")
    assert after.access_release == (soon, later)
    assert await change_release(stage.cell, stage.ledger, name, [soon, later], BY, "same") == after
    assert (await change_release(stage.cell, stage.ledger, name, [], BY, "none")).access_release == (soon,)
    await check_clean(stage)
    kept = await stage.value("SELECT body FROM documents WHERE kind = 'performance' AND id = $1", name)
    assert msgspec.json.decode(kept)["release_changes"] == 4
    whats = await stage.rows("SELECT what FROM actions WHERE subject = $1 ORDER BY id", name)
    assert whats == [("create performance",), *[("change access release",)] * 4]


async def test_a_curve_of_release_goes_on_in_time(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    known = stage.cell.performance(on_sale.performances[0])
    for steps in ((Release(2, 50), Release(1, 100)), (Release(1, 0),), (Release(1, 101),)):
        made = msgspec.structs.replace(known, performance=PerformanceId("curve"), access_release=steps)
        with pytest.raises(BadInput, match="access_release"):
            await add_performance(stage.cell, stage.ledger, made, BY)


# -- whoever dies between the ledger and Redis


class Died(BaseException):
    """The process is no more."""


def dies_in(monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool) -> None:
    """From now on a process dies when it comes to a step, before it or just after."""
    whole = getattr(allotments, step)

    async def dying(*args: Any) -> Any:
        if after:
            await whole(*args)
        raise Died

    monkeypatch.setattr(allotments, step, dying)


POINTS = [("allot", False), ("allot", True), ("publish", False), ("publish", True)]


@pytest.mark.parametrize(("step", "after"), POINTS)
async def test_what_a_dead_process_began_to_set_aside_is_set_aside(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    on_sale = await stage.put_on()
    seat, other = (await open_seats(stage, on_sale))[:2]
    area = AreaId(stage.cell.catalogue.layout(on_sale.performances[0]).areas[0].id)
    made = wanted(on_sale, seats=(seat,), areas={area: 2})
    with monkeypatch.context() as patched:
        dies_in(patched, step, after=after)
        with pytest.raises(Died):
            await set_aside(stage.cell, stage.ledger, made, BY)
    async with stage.running(stage.new_keeper()):
        await until_settled(stage)
    await stage.cell.look()
    seat_map = await stage.seats(on_sale)
    assert (states(seat_map, stage.cell.catalogue.layout(on_sale.performances[0]), [seat]), seat_map.places_aside) == (
        "b",
        {area: 2},
    )
    staff = Owner(owner="key:staff", place="", on_sale=on_sale.on_sale, channel="counter")
    wish = Wish(performance=on_sale.performances[0], area=area, quantity=2, allotment="share")
    assert isinstance(await try_hold(stage, staff, wish), Held)
    again = await set_aside(stage.cell, stage.ledger, made, BY)
    assert (again.letter, again.is_pending) == ("A", False)
    actions = await stage.rows("SELECT what FROM actions WHERE subject = $1", again.id)
    assert actions == [("create allotment",)]
    assert isinstance(await try_hold(stage, staff, Wish(performance=on_sale.performances[0], seats=(other,))), Held)


@pytest.mark.parametrize(("step", "after"), [("open_again", False), ("open_again", True), ("publish", False)])
@pytest.mark.parametrize("purpose", ["block", "house"])
async def test_what_a_dead_process_began_to_end_is_ended(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch, step: str, after: bool, purpose: str
) -> None:
    on_sale = await stage.put_on()
    (seat,) = (await open_seats(stage, on_sale))[:1]
    made = await set_aside(stage.cell, stage.ledger, wanted(on_sale, purpose=purpose, seats=(seat,)), BY)
    with monkeypatch.context() as patched:
        dies_in(patched, step, after=after)
        with pytest.raises(Died):
            await give_back(stage.cell, stage.ledger, made.performance, "share", BY)
    async with stage.running(stage.new_keeper()):
        await until_settled(stage)
    assert seat in await open_seats(stage, on_sale)
    await stage.cell.look()
    assert stage.cell.catalogue.allotments[made.id].ended_at_ms > 0


async def test_what_a_dead_process_began_to_open_is_not_opened_under_another_block(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sale = await stage.put_on()
    (seat,) = (await open_seats(stage, on_sale))[:1]
    first = wanted(on_sale, name="first", purpose="block", seats=(seat,))
    await set_aside(stage.cell, stage.ledger, first, BY)
    with monkeypatch.context() as patched:
        dies_in(patched, "open_again", after=True)
        with pytest.raises(Died):
            await give_back(stage.cell, stage.ledger, first.performance, "first", BY)
    second = msgspec.structs.replace(first, name="second")
    with pytest.raises(Refused) as refused:
        await set_aside(stage.cell, stage.ledger, second, BY)
    assert refused.value.slug == "seats-taken"
    async with stage.running(stage.new_keeper()):
        await until_settled(stage)
    await set_aside(stage.cell, stage.ledger, second, BY)
    async with stage.running(stage.new_keeper()):
        await until_settled(stage)
    assert seat not in await open_seats(stage, on_sale)


async def test_a_name_stands_for_one_and_no_other_however_long_ago(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sale = await stage.put_on()
    performance = on_sale.performances[0]
    area = AreaId(stage.cell.catalogue.layout(performance).areas[0].id)
    await set_aside(stage.cell, stage.ledger, wanted(on_sale, areas={area: 4}), BY)
    staff = Owner(owner="key:staff", place="", on_sale=on_sale.on_sale, channel="counter")
    held = await try_hold(stage, staff, Wish(performance=performance, area=area, quantity=2, allotment="share"))
    assert isinstance(held, Held)
    await buy(stage, staff, held)
    await give_back(stage.cell, stage.ledger, performance, "share", BY)
    monkeypatch.setattr(allotments, "KEPT_MS", -1)
    # What was sold of it is told by its name: of another of that name it would be missing.
    for anew in (wanted(on_sale, areas={area: 3}), wanted(on_sale, quantity=3)):
        with pytest.raises(Refused) as refused:
            await set_aside(stage.cell, stage.ledger, anew, BY)
        assert refused.value.slug == "already-exists"
    other = await set_aside(stage.cell, stage.ledger, wanted(on_sale, name="other", areas={area: 3}), BY)
    found = await standings(stage.cell, stage.ledger, performance)
    assert (other.letter, [each.areas for each in found]) == ("A", [{area: 3}])


async def test_what_was_refused_by_a_closed_gate_is_done_once_it_opens(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    first, second = (await open_seats(stage, on_sale))[:2]
    await set_aside(stage.cell, stage.ledger, wanted(on_sale, name="first", seats=(first,)), BY)
    reply = await stage.keeper.cell.ask("cell/close", (stage.keys.cell,), (await stage.ledger.next_epoch(0),))
    assert reply[0] == b"closed"
    with pytest.raises(CellUnavailable):
        await set_aside(stage.cell, stage.ledger, wanted(on_sale, name="second", seats=(second,)), BY)
    with pytest.raises(CellUnavailable):
        await give_back(stage.cell, stage.ledger, on_sale.performances[0], "first", BY)
    async with stage.running(stage.new_keeper()):
        await until_settled(stage)
    layout = stage.cell.catalogue.layout(on_sale.performances[0])
    assert states(await stage.seats(on_sale), layout, [first, second]) == "ob"
    found = await standings(stage.cell, stage.ledger, on_sale.performances[0])
    assert [(each.allotment.name, each.seats) for each in found] == [("second", (second,))]
    await check_clean(stage)


async def test_what_a_dead_process_began_and_somebody_else_has_by_now_is_withdrawn(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_sale = await stage.put_on()
    (seat,) = (await open_seats(stage, on_sale))[:1]
    with monkeypatch.context() as patched:
        dies_in(patched, "allot", after=False)
        with pytest.raises(Died):
            await set_aside(stage.cell, stage.ledger, wanted(on_sale, seats=(seat,)), BY)
    staff = Owner(owner="key:staff", place="", on_sale=on_sale.on_sale, channel="counter")
    assert isinstance(await try_hold(stage, staff, Wish(performance=on_sale.performances[0], seats=(seat,))), Held)
    async with stage.running(stage.new_keeper()):
        await until_settled(stage)
    assert await standings(stage.cell, stage.ledger, on_sale.performances[0]) == []
    assert ("parvis", "withdraw allotment") in await stage.rows("SELECT who, what FROM actions")


async def test_what_is_set_aside_before_the_sale_is_there_when_it_begins(stage: Backstage) -> None:
    on_sale = await stage.put_on()
    known = stage.cell.performance(on_sale.performances[0])
    later = PerformanceId(f"{known.performance}-later")
    await add_performance(stage.cell, stage.ledger, msgspec.structs.replace(known, performance=later), BY)
    seat, other = stage.cell.catalogue.layout(later).seat_ids[:2]
    made = Wanted(performance=later, name="early", purpose="house", seats=(seat,))
    await set_aside(stage.cell, stage.ledger, made, BY)
    with pytest.raises(Refused, match="not every one"):
        await set_aside(stage.cell, stage.ledger, msgspec.structs.replace(made, name="both", seats=(other, seat)), BY)
    sold = msgspec.structs.replace(
        on_sale, on_sale=OnSaleId(f"{on_sale.on_sale}-later"), performances=(later,), seed="", commitment=""
    )
    await add_on_sale(stage.cell, stage.ledger, sold, BY)
    async with stage.running(stage.new_keeper()):
        await until_settled(stage)
    assert states(await stage.seats(sold), stage.cell.catalogue.layout(later), [seat, other]) == "bo"


async def until_settled(stage: Backstage) -> None:
    async def is_settled() -> bool:
        return await pending_allotments(stage.ledger) == []

    await until(is_settled, "Redis knows what the ledger says")
