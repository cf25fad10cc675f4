"""The whole way without JavaScript, as forms: what they do, and that a second press and an old page are harmless."""

import asyncio
import secrets
from typing import Any

import pytest

from api.forms.kept import LARGEST_BYTES, Kept, unpack_kept
from engine.cli.sales import at_house
from engine.instants import now_ms
from engine.orders import find_order
from engine.words import HouseSlug, OrderId
from tests.integration.test_payments import tell
from tests.plain import PlainVisitor, Shown, room
from tests.town import Sale, Town, past, small_plan


async def until_held(sale: Sale, count: int, performance: str = "") -> None:
    """Waits until so many seats are held: the public map is half a second old."""
    for _ in range(100):
        shown = await sale.seats(performance)
        if shown.count("h") == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError((count, shown))


def kept_of(visitor: PlainVisitor, sale: Sale) -> Kept:
    """What the cookie says."""
    kept = unpack_kept(visitor.cookie(sale))
    assert kept is not None
    return kept


async def joined(sale: Sale) -> int:
    """How many have joined."""
    return int((await sale.status())["lines"]["public"]["joined"])


async def at_payment(visitor: PlainVisitor, sale: Sale) -> Shown:
    """At the form, with two seats of category one."""
    page = await visitor.send(await visitor.comes_in(sale), "Find the best seats")
    return await visitor.open(page.link("To payment"))


async def reference_of(sale: Sale, page: Shown) -> str:
    """The payment's reference of the order on a page."""
    async with at_house(sale.town.network_file, sale.slug) as (cell, _):
        found = await find_order(cell, OrderId(page.orders[0]))
    assert found is not None
    assert found.order.payment is not None
    return found.order.payment.reference


async def is_over(sale: Sale, place: str, secret: str) -> bool:
    """Whether a turn is out of reach; asked for once, it would be taken."""
    return (await sale.claim(place, secret)).status == 410


async def test_a_visitor_comes_by_forms_from_the_queue_to_the_confirmation(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        assert page.path == f"{room(sale)}/seats"
        page = await visitor.send(page, "Find the best seats", q_full="2", q_reduced="1")
        assert "Reserved for you until" in page.text
        page = await visitor.open(page.link("To payment"))
        page = await visitor.send(page, "Pay €58.00", email="ada@example.org", name="Ada", payment="no")
        assert page.status == 402
        assert "The payment was declined" in page.text
        assert dict(page.form("Pay").fields)["email"] == "ada@example.org"
        page = await visitor.send(page, "Pay €58.00", payment="yes")
        assert page.path == f"{room(sale)}/order"
        assert "Your order is confirmed" in page.text
        again = await visitor.open(f"{room(sale)}/order")
        assert "Your order is confirmed" in again.text
        hall = (await sale.get(f"/on-sales/{sale.on_sale}")).json["performances"][0]["hall"]
        assert f"· {hall}" in again.text, "where the show is"
        assert "Delivery by e-mail" in again.text, "how the tickets come"
        # The pass is spent; whoever wants more comes in again.
        assert "Choose my seats" in (await visitor.open(f"{room(sale)}/seats")).form("Choose my seats").says


async def test_seats_of_a_row_are_held_at_the_prices_that_were_chosen(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.open((await visitor.comes_in(sale)).link("row C"))
        fields: dict[str, Any] = {"seat": ["zaal-C-4", "zaal-C-5"], "type.zaal-C-5": "reduced"}
        page = await visitor.send(page, "Reserve the ticked seats", **fields)
        assert "Zaal, row C, seat 4" in page.text
        assert "€37.00" in page.text
        await sale.until_seats("h", "zaal-C-4", "zaal-C-5")


async def test_whoever_was_too_late_is_offered_others_in_place(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.open((await visitor.comes_in(sale)).link("row C"))
        assert (await sale.hold(await sale.enter(), "zaal-C-5")).status == 201
        fields: dict[str, Any] = {
            "seat": ["zaal-C-4", "zaal-C-5"],
            "type.zaal-C-4": "reduced",
            "type.zaal-C-5": "reduced",
        }
        page = await visitor.send(page, "Reserve the ticked seats", **fields)
        assert "Someone was a moment sooner. Zaal, row C, seat 5." in page.text
        assert page.path == f"{room(sale)}/seats"
        page = await visitor.send(page, "Zaal, row ")
        assert "Reserved for you until" in page.text
        assert "€32.00" in page.text, "two reduced seats with their fees: the prices that were chosen"


async def test_standing_places_and_a_second_performance_go_into_one_basket(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300, shows=2) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.send(await visitor.comes_in(sale), "Reserve", q_full="2")
        assert "Standing – Vloer" in page.text
        page = await visitor.open(f"{room(sale)}/seats?performance={sale.performances[1]}")
        page = await visitor.send(page, "Find the best seats", q_full="0", q_reduced="3")
        assert [form.says for form in page.forms].count("To payment") == 0
        assert len([form for form in page.forms if form.says.startswith("Give")]) == 2
        page = await visitor.open(page.link("To payment"))
        page = await visitor.send(page, "Pay €90.00", email="ada@example.org")
        assert "Your order is confirmed" in page.text


async def test_what_is_given_back_is_free(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=100) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.send(await visitor.comes_in(sale), "Find the best seats")
        assert "I need more time" not in page.text  # that takes a payment under way
        await until_held(sale, 2)
        page = await visitor.send(page, "Give these seats back")
        assert "Nothing yet" in page.text
        await sale.until_seats("o", *sale.layouts[sale.performance])


async def test_whoever_needs_more_time_inside_says_so(town: Town) -> None:
    times: dict[str, Any] = {"pass_seconds": 600, "hold_seconds": 300, "more_time_percent": 50}
    async with await town.open_sale("noord", **times) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        assert kept_of(visitor, sale).pass_ends_at_ms - now_ms() <= 600_000
        page = await visitor.send(page, "More time for me")
        assert page.path == f"{room(sale)}/seats"
        assert 890_000 < kept_of(visitor, sale).pass_ends_at_ms - now_ms() <= 900_000
        page = await visitor.send(page, "Find the best seats")
        assert "Reserved for you until" in page.text


async def test_whoever_may_stay_no_longer_is_told_before_and_pays_for_what_is_reserved(town: Town) -> None:
    times: dict[str, Any] = {"pass_seconds": 4, "longest_stay_seconds": 6, "more_time_percent": 0, "hold_seconds": 300}
    async with await town.open_sale("noord", **times) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        assert "You can stay until" in page.text
        await visitor.send(page, "Find the best seats", q_full="2")
        token = kept_of(visitor, sale).pass_
        await past(sale.expires_at(token))
        page = await visitor.until(await visitor.open(room(sale)), "Choose my seats")
        page = await visitor.send(page, "Choose my seats")
        assert "This is the last of your time inside" in page.text
        assert not [form for form in page.forms if "More time" in form.says]
        await past(sale.expires_at(kept_of(visitor, sale).pass_))
        page = await visitor.until(await visitor.open(room(sale)), "Choose my seats")
        page = await visitor.send(page, "Choose my seats")
        assert "as long as one number in the queue allows" in page.text
        assert page.form("Take a new number")
        paid = await visitor.send(await visitor.open(f"{room(sale)}/pay"), "Pay", email="ada@example.org")
        assert paid.orders


async def test_each_form_pressed_twice_has_one_effect(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.open(room(sale))
        await asyncio.gather(*(visitor.send(page, "Join the queue") for _ in range(3)))
        await visitor.send(page, "Join the queue")
        assert await joined(sale) == 1
        page = await visitor.until(await visitor.open(room(sale)), "Choose my seats")
        pages = await asyncio.gather(*(visitor.send(page, "Choose my seats") for _ in range(3)))
        assert {each.path for each in pages} == {f"{room(sale)}/seats"}
        page = pages[0]
        for pressed in await asyncio.gather(*(visitor.send(page, "Find the best seats") for _ in range(3))):
            assert "Reserved for you until" in pressed.text
        late = await visitor.send(page, "Find the best seats")
        assert "This page was out of date" in late.text
        await until_held(sale, 2)
        form = await visitor.open(late.link("To payment"))
        paid = await asyncio.gather(*(visitor.send(form, "Pay", email="ada@example.org") for _ in range(3)))
        paid.append(await visitor.send(form, "Pay", email="ada@example.org"))
        numbers = {found for each in paid for found in each.orders}
        assert len(numbers) == 1
        await sale.until_drained()
        rows = (await sale.get("/manage/orders", token=sale.manage_key)).json
        assert len([each for each in rows["orders"] if each["order"] in numbers]) == 1
        await sale.until_seats("s", "zaal-A-5", "zaal-A-6")


async def test_an_old_page_holds_nothing_again_that_was_given_back(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        old = await visitor.comes_in(sale)
        page = await visitor.send(old, "Find the best seats")
        await visitor.send(page, "Give these seats back")
        page = await visitor.send(old, "Find the best seats")
        assert "This page was out of date" in page.text
        assert "Nothing yet" in page.text
        page = await visitor.send(page, "Find the best seats")
        assert "Reserved for you until" in page.text


async def test_a_lost_answer_is_told_by_pressing_again(town: Town) -> None:
    """The cookie that an answer brings is lost with it: the same form, with the old one, brings the same again."""
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        before = visitor.keeps()
        first = await visitor.send(page, "Find the best seats")
        visitor.goes_back_to(before)
        again = await visitor.send(page, "Find the best seats")
        assert [each for each in again.text.split(" ") if "seat" in each] == [
            each for each in first.text.split(" ") if "seat" in each
        ]
        visitor.goes_back_to(before)
        other = await visitor.send(page, "Find the best seats", q_full="1")
        assert "This page was out of date" in other.text
        assert "Reserved for you until" in (await visitor.send(other, "Find the best seats", q_full="1")).text
        form = await visitor.open(f"{room(sale)}/pay")
        before = visitor.keeps()
        paid = await visitor.send(form, "Pay", email="ada@example.org")
        visitor.goes_back_to(before)
        told = await visitor.send(form, "Pay", email="ada@example.org")
        assert "Your order is confirmed" in told.text
        assert told.orders == paid.orders != []


async def test_what_is_wrong_is_said_beside_the_field_and_what_was_typed_stays(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        page = await at_payment(visitor, sale)
        name = '"><b>Ada</b>'
        page = await visitor.send(page, "Pay", email="ada@example", name=name, payment="late")
        assert page.status == 422
        assert "Enter an e-mail address" in page.text
        assert 'aria-describedby="email-wrong email-hint"' in page.body
        fields = dict(page.form("Pay").fields)
        assert (fields["email"], fields["name"], fields["payment"]) == ("ada@example", name, "late")
        assert "<b>Ada" not in page.body
        await until_held(sale, 2)


async def test_a_late_payment_is_waited_for_and_told(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.send(await at_payment(visitor, sale), "Pay", email="ada@example.org", payment="late")
        assert "Waiting for your payment" in page.text
        assert page.headers["Refresh"] == "8"
        assert "Refresh" not in (await visitor.open(page.link("Don’t refresh"))).headers
        assert (await tell(sale, await reference_of(sale, page))).status == 200
        page = await visitor.open(f"{room(sale)}/order")
        assert "Your order is confirmed" in page.text
        assert "Refresh" not in page.headers


async def test_a_basket_is_gone_with_its_time_and_says_so(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=1) as sale, PlainVisitor(town.url) as visitor:
        page = await at_payment(visitor, sale)
        other = await sale.enter()
        for _ in range(100):
            if (await sale.hold(other, "zaal-A-5", "zaal-A-6")).status == 201:
                break
            await asyncio.sleep(0.1)
        page = await visitor.send(page, "Pay", email="ada@example.org")
        # Paid after all, and too late: the money goes back, and the order says so.
        assert "These seats could not be kept" in page.text


async def test_a_turn_that_was_missed_can_be_taken_anew_once(town: Town) -> None:
    async with await town.open_sale("noord", turn_seconds=1) as sale, PlainVisitor(town.url) as visitor:
        await visitor.send(await visitor.open(room(sale)), "Join the queue")
        # Each of the others asks once; when one of those behind is too late, whoever is first in line is, too.
        others = [await sale.join() for _ in range(60)]
        page = await visitor.until(await visitor.open(room(sale)), "Choose my seats")
        for place, secret in others:
            if await is_over(sale, place, secret):
                break
            await asyncio.sleep(0.1)
        page = await visitor.send(page, "Choose my seats")
        assert "Your turn has passed" in page.text
        before = await joined(sale)
        await asyncio.gather(*(visitor.send(page, "Take a new number") for _ in range(3)))
        assert await joined(sale) == before + 1


async def test_a_sale_that_is_over_says_so_at_once(town: Town) -> None:
    plan = small_plan(rows=1, seats=4, standing=0)
    async with await town.open_sale("noord", plan=plan) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        buyer = await sale.enter()
        held = await sale.hold(buyer, "zaal-A-1", "zaal-A-2", "zaal-A-3")
        page = await visitor.send(page, "Find the best seats", q_full="2")
        assert "not enough free seats together" in page.text
        assert "Only single seats are left." in page.text
        last = await sale.hold(buyer, "zaal-A-4")
        assert (await sale.order(buyer, held.json["hold"], last.json["hold"])).status == 202
        await sale.until_status(phase="sold_out")
        async with PlainVisitor(town.url, "nl") as late:
            page = await late.open(room(sale))
            assert "Uitverkocht" in page.text
            for _ in range(100):  # until the ledger knows it too
                told = await late.open(page.link("Hoe deze verkoop verliep"))
                if "was alles verkocht" in told.text:
                    break
                await asyncio.sleep(0.1)
            assert (told.status, "was alles verkocht" in told.text) == (200, True), told.text


async def test_the_list_is_filtered_by_a_form(town: Town) -> None:
    async with (
        await town.open_sale("noord") as sale,
        await town.open_sale("zuid") as other,
        PlainVisitor(town.url) as visitor,
    ):
        page = await visitor.open("/plain")
        both = {f"{room(sale)}", f"{room(other)}"}
        assert both <= {href for href, _ in page.links}
        page = await visitor.send(page, "Show", house="zuid", text="HOUSE zu", phase="open")
        assert both & {href for href, _ in page.links} == {room(other)}
        page = await visitor.send(page, "Show", house="", text="", phase="", from_="2999-01-01")
        assert both & {href for href, _ in page.links} == set()
        assert "0 sales found" in page.text
        page = await visitor.open("/h/noord/plain?language=nl")
        assert f"{room(sale)}?language=nl" in {href for href, _ in page.links}


@pytest.mark.parametrize("path", ["/", "/h/noord", "/h/noord/{}", "/h/noord/{}/seats"])
async def test_a_page_leads_whoever_runs_no_script_to_its_twin(town: Town, path: str) -> None:
    async with await town.open_sale("noord") as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.open(path.format(sale.on_sale))
        assert '<noscript><meta http-equiv="refresh" content="0; url=?plain"></noscript>' in page.body
        twin = await visitor.open(path.format(sale.on_sale) + "?language=nl&plain")
        assert twin.path.startswith(("/plain", "/h/noord"))
        assert "/plain" in twin.path
        assert '<html lang="nl">' in twin.body


async def test_a_basket_as_large_as_an_order_may_be_fits_into_a_cookie(town: Town) -> None:
    most = town.network.house(HouseSlug("noord")).limits.holds_an_order
    many: dict[str, Any] = {"shows": most + 1, "seats_a_hold": 8, "seats_a_place": 8, "hold_seconds": 300}
    async with await town.open_sale("noord", **many) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.comes_in(sale)
        for performance in sale.performances:
            assert "No more fits at once" not in page.text
            page = await visitor.open(f"{room(sale)}/seats?performance={performance}")
            page = await visitor.send(page, "Find the best seats", q_full="8")
            assert len(visitor.cookie(sale)) < LARGEST_BYTES
        assert "No more fits at once" in page.text
        await until_held(sale, 8, sale.performances[-2])
        await until_held(sale, 0, sale.performances[-1])
        page = await visitor.open(f"{room(sale)}/pay")
        page = await visitor.send(page, "Pay", email="ada@example.org")
        assert "Your order is confirmed" in page.text


async def test_what_would_not_fit_into_a_cookie_is_not_held(town: Town) -> None:
    """Seats with names that cannot be made shorter: a browser would throw the whole cookie away, place and all."""
    plan = small_plan(rows=20)
    for row in plan["zones"][0]["rows"]:
        for seat in row["seats"]:
            seat["seat_guid"] = secrets.token_hex(24)
    many: dict[str, Any] = {"seats_a_hold": 10, "seats_a_place": 200, "hold_seconds": 300, "plan": plan}
    async with await town.open_sale("noord", **many) as sale, PlainVisitor(town.url) as visitor:
        page, tried = await visitor.comes_in(sale), 0
        while "No more fits at once" not in page.text:
            page = await visitor.send(page, "Find the best seats", q_full="10")
            assert len(visitor.cookie(sale)) <= LARGEST_BYTES
            tried += 1
        assert 1 < tried < 20
        await until_held(sale, 10 * (tried - 1))
        page = await visitor.send(await visitor.open(f"{room(sale)}/pay"), "Pay", email="ada@example.org")
        assert "Your order is confirmed" in page.text


async def until_button(visitor: PlainVisitor, path: str, says: str) -> Shown:
    """The page once it has that button."""
    for _ in range(200):
        page = await visitor.open(path)
        if any(says in form.says for form in page.forms):
            return page
        await asyncio.sleep(0.1)
    raise AssertionError((says, page.text))


async def test_what_is_paid_for_is_what_the_form_showed(town: Town) -> None:
    """Seats that had run out by then are not bought, nor those that came into the basket later; these are kept."""
    async with await town.open_sale("noord", hold_seconds=12) as sale, PlainVisitor(town.url) as visitor:
        page = await visitor.send(await visitor.comes_in(sale), "Find the best seats", q_full="1")
        await asyncio.sleep(6)  # the first ends while the second lives on
        page = await visitor.send(page, "Find the best seats", q_full="2")
        assert (await visitor.open(page.link("To payment"))).form("Pay €63.00")
        form = await until_button(visitor, f"{room(sale)}/pay", "Pay €42.00")
        page = await visitor.send(await visitor.open(f"{room(sale)}/seats"), "Find the best seats", q_full="1")
        paid = await visitor.send(form, "Pay €42.00", email="ada@example.org")
        assert "Your order is confirmed" in paid.text
        assert "Total €42.00" in paid.text
        assert len([form for form in (await visitor.open(f"{room(sale)}/seats")).forms if "Give" in form.says]) == 1


async def test_a_lost_answer_is_told_whatever_is_typed_or_chosen_when_pressing_again(town: Town) -> None:
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        form = await at_payment(visitor, sale)
        before = visitor.keeps()
        paid = await visitor.send(form, "Pay", email="ada@example.org", payment="late")
        again: list[dict[str, Any]] = [{"email": "ada@example.net", "payment": "late"}, {"email": "ada@example.org"}]
        for changed in again:
            visitor.goes_back_to(before)
            told = await visitor.send(form, "Pay", **changed)
            assert told.path == f"{room(sale)}/order"
            assert told.orders == paid.orders != []


async def test_whoever_gives_back_after_a_lost_answer_is_told_of_the_order_too(town: Town) -> None:
    """Else what they bought would have run out, by what they read, and they would buy it again."""
    async with await town.open_sale("noord", hold_seconds=300) as sale, PlainVisitor(town.url) as visitor:
        form = await at_payment(visitor, sale)
        chosen, before = await visitor.open(f"{room(sale)}/seats"), visitor.keeps()
        paid = await visitor.send(form, "Pay", email="ada@example.org")
        visitor.goes_back_to(before)
        told = await visitor.send(chosen, "Give")
        assert told.path == f"{room(sale)}/order"
        assert told.orders == paid.orders != []
