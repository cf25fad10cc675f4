"""The whole journey in a browser that runs no script, refreshes followed; and no barrier on any of its pages."""

import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.async_api import expect

from engine.instants import now_ms
from tests.browser.person import DESK, PHONE, People, Person, Site
from tests.browser.test_accessibility import has_no_barrier
from tests.browser.test_embedding import NOT_ALLOWED, is_sent_nowhere
from tests.browser.test_sizes import can_be_hit, fits
from tests.browser.test_visitor import manage
from tests.integration import test_prices as prices
from tests.operated import frozen
from tests.plain import room
from tests.town import Sale, Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


async def test_a_phone_without_javascript_goes_from_the_countdown_to_the_seats_and_pays(
    town: Town, people: People
) -> None:
    """In Dutch: led on by the page itself, and by its refreshes from before the start until it is its turn."""
    async with (
        await town.open_sale("zeewind", opens_at_ms=now_ms() + 6_000, hold_seconds=300) as sale,
        people.arrive(PHONE, language="nl", refused=[402, 422], java_script_enabled=False) as visitor,
    ):
        page = visitor.page
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await page.wait_for_url(f"**{room(sale)}")
        await visitor.press("Ga in de wachtrij")
        await visitor.sees("U staat in de wachtrij")
        # Nobody presses anything: the page asks again by itself.
        await expect(visitor.button("Kies mijn plaatsen")).to_be_visible(timeout=30_000)
        await visitor.press("Kies mijn plaatsen")
        await page.locator("#best-2").fill("1")
        await visitor.press("Zoek de beste plaatsen")
        await visitor.sees("Voor u vastgehouden tot")
        assert await visitor.overflow() == 0
        await page.get_by_role("link", name="Naar de betaling").or_(page.locator("a.primary")).first.click()
        await page.locator("#email").fill("ada@example")
        await page.locator("form.checkout .primary").click()
        await visitor.sees("Vul een e-mailadres in")
        await page.locator("#email").fill("ada@example.org")
        await page.locator("input[value=no]").check()
        await page.locator("form.checkout .primary").click()
        await expect(page.locator("#email")).to_have_value("ada@example.org")
        await expect(page.locator(".notice.problem")).to_be_visible()
        await page.locator("input[value=yes]").check()
        await page.locator("form.checkout .primary").click()
        number = page.locator(".order-number")
        await expect(number).to_have_attribute("data-order", UUID)
        order = await number.get_attribute("data-order") or ""
        groups = re.findall(".{4}", order.replace("-", "").upper())
        await expect(number.locator("[aria-hidden] > span")).to_have_text(groups)
        said = {"A": "Anna", "B": "Bernard", "C": "Cornelis", "D": "Dirk", "E": "Eduard", "F": "Ferdinand"}
        spelled = ", ".join(" ".join(said.get(sign, sign) for sign in group) for group in groups)
        await expect(number.locator(".unseen")).to_have_text(spelled)
        await page.get_by_text("Zo leest u het voor").click()
        await expect(page.locator(".aloud")).to_have_text(spelled)
        await visitor.open(room(sale))
        await page.get_by_role("link", name="Uw bestelling").click()
        await expect(number).to_have_attribute("data-order", order)
        await visitor.finds(sale, "s", 3)


async def test_a_desk_without_javascript_chooses_along_a_row_and_meets_a_conflict(town: Town, people: People) -> None:
    """In French, by the keyboard where it matters: ticking seats."""
    async with (
        await town.open_sale("zeewind", hold_seconds=300) as sale,
        people.arrive(DESK, language="fr", java_script_enabled=False) as visitor,
    ):
        page = visitor.page
        await visitor.open(room(sale))
        await visitor.press("Entrer dans la file")
        await visitor.press("Choisir mes places")
        await page.get_by_role("link", name="rangée C").click()
        for seat in ("zaal-C-4", "zaal-C-5"):
            await page.locator(f'input[value="{seat}"]').focus()
            await page.keyboard.press("Space")
        assert (await sale.hold(await sale.enter(), "zaal-C-5")).status == 201
        await visitor.press("Réserver les places cochées")
        await expect(page.locator(".notice.problem")).to_contain_text("place 5")
        await page.locator(".offers button").first.click()
        await visitor.sees("Réservé pour vous jusqu’à")
        await expect(page.locator(".basket .items li")).to_have_count(2)
        await page.locator(".basket a.primary").click()
        await page.locator("#email").fill("ada@example.org")
        await page.locator("form.checkout .primary").click()
        await visitor.sees("Votre commande est confirmée")
        # Back is harmless: what is paid is paid, and the way leads on to the order.
        await page.go_back()
        await visitor.sees("Votre commande est confirmée")
        await visitor.finds(sale, "s", 2)


async def test_whoever_came_from_the_houses_own_site_goes_back_there_with_the_pass(
    town: Town, people: People, site: Site
) -> None:
    async with (
        await town.open_sale("zeewind", opens_at_ms=now_ms() + 6_000) as sale,
        people.arrive(PHONE, language="de", java_script_enabled=False, refused=[404]) as visitor,
    ):
        asked: list[str] = []
        visitor.context.on("request", lambda request: asked.append(request.url + str(request.headers)))
        page = visitor.page
        with site.shows_examples(sale) as address:
            back = f"{address}/redirect/back.html"
            await visitor.open(f"/h/zeewind/{sale.on_sale}?return_to={quote(back, safe='')}")
            await page.wait_for_url(f"**{room(sale)}?return_to=**")
            await visitor.press("Anstellen")
            # The page's refreshes and its other languages keep the way.
            await page.get_by_role("link", name="FR").click()
            await expect(visitor.button("Continuer vers la billetterie de la maison")).to_be_visible(timeout=30_000)
            await visitor.press("Continuer vers la billetterie de la maison")
            await page.wait_for_url(f"{back}#pass=eyJ**")
            assert "This page needs JavaScript to know your turn." in await page.inner_text("main")
            # Back in the queue the turn leads there again, and not into our own shop.
            await visitor.open(f"{room(sale)}?return_to={quote(back, safe='')}")
            await page.get_by_role("link", name="Weiter zu den Tickets des Hauses").click()
            await page.wait_for_url(f"{back}#pass=eyJ**")
            assert not [each for each in asked if "eyJ" in each.partition("#")[0]], "a pass was in what a server logs"
            # What is refused leads back the same way.
            await visitor.open(f"/h/zeewind/nothing/plain?return_to={quote(back, safe='')}")
            await page.get_by_role("link", name="Zurück").click()
            await page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("return_to") == [back])


async def test_nobody_without_javascript_is_sent_to_an_address_that_the_house_does_not_allow(
    town: Town, people: People
) -> None:
    async with (
        await town.open_sale("zeewind") as sale,
        people.arrive(PHONE, java_script_enabled=False) as visitor,
    ):
        await is_sent_nowhere(visitor, sale, NOT_ALLOWED)
        await expect(visitor.page).to_have_url(f"{town.url}{room(sale)}/seats")


async def steps_through(person: Person, sale: Sale) -> None:
    """Every page of the way, looked at."""
    page = person.page
    await person.press("Join the queue")
    await expect(person.button("Choose my seats")).to_be_visible()
    await has_no_barrier(person, "turn")
    await person.press("Choose my seats")
    await has_no_barrier(person, "seats")
    await page.get_by_role("link", name="row A").click()
    await has_no_barrier(person, "row")
    await person.press("Reserve the ticked seats")
    await expect(page.locator(".notice.problem")).to_be_visible()
    await has_no_barrier(person, "nothing chosen")
    await page.get_by_role("link", name="Other rows").click()
    await person.press("Find the best seats")
    await has_no_barrier(person, "basket")
    await page.get_by_role("link", name="To payment").click()
    await page.locator("#email").fill("ada@example")
    await page.locator("form.checkout .primary").click()
    await person.sees("Enter an e-mail address")
    await has_no_barrier(person, "payment")
    await page.locator("#email").fill("ada@example.org")
    await page.locator("input[value=late]").check()
    await page.locator("form.checkout .primary").click()
    await person.sees("Waiting for your payment")
    await has_no_barrier(person, "awaiting payment")


async def test_no_page_without_javascript_has_a_barrier(town: Town, people: People) -> None:
    """The same pages in a browser that runs axe's script."""
    small = {"viewport": {"width": 320, "height": 640}}
    async with (
        await town.open_sale("zeewind", hold_seconds=300, shows=2) as sale,
        await town.open_sale("zeewind", rate_per_minute=1) as slow,
        people.arrive(small, refused=[404, 422]) as person,
    ):
        for _ in range(9):
            await slow.join()
        for path, where in (("/plain", "all houses"), ("/h/zeewind/plain", "house"), ("/h/zeewind/x/plain", "missing")):
            await person.open(path)
            await has_no_barrier(person, where)
            assert await person.overflow() == 0, where
        await person.open(room(slow))
        await person.press("Join the queue")
        await expect(person.page.locator(".number")).to_be_visible()
        await has_no_barrier(person, "waiting")
        assert await person.overflow() == 0
        await person.page.get_by_role("link", name="Leave the queue").click()
        await has_no_barrier(person, "leaving")
        await manage(slow, "close")
        await slow.status()
        await person.open(room(slow))
        await person.sees("Sales have closed")
        await has_no_barrier(person, "closed")
        await person.open(room(sale))
        await steps_through(person, sale)


async def test_a_confirmation_a_sold_out_sale_and_a_house_that_is_away_have_no_barrier(
    town: Town, people: People
) -> None:
    small = {"viewport": {"width": 320, "height": 640}}
    plan = small_plan(rows=1, seats=2, standing=0)
    async with (
        await town.open_sale("zeewind", plan=plan, hold_seconds=300) as sale,
        await town.open_sale("zeewind") as other,
        people.arrive(small) as buyer,
        people.arrive(small, refused=[503]) as late,
    ):
        page = buyer.page
        await buyer.open(room(sale))
        await buyer.press("Join the queue")
        await buyer.press("Choose my seats")
        await buyer.press("Find the best seats")
        await page.get_by_role("link", name="To payment").click()
        await page.locator("#email").fill("ada@example.org")
        await page.locator("form.checkout .primary").click()
        await buyer.sees("Your order is confirmed")
        await has_no_barrier(buyer, "confirmed")
        assert await buyer.overflow() == 0
        await sale.until_status(phase="sold_out")
        await late.open(room(sale))
        await late.sees("Sold out")
        await has_no_barrier(late, "sold out")
        assert await late.overflow() == 0
        await late.open(room(other))
        await expect(late.button("Join the queue")).to_be_visible()
        with frozen(town, "zeewind"):
            await late.press("Join the queue")
            await late.sees("That did not work", "It is very busy.")
            await has_no_barrier(late, "away")
            assert await late.overflow() == 0
        await town.until_ready()


async def test_a_code_is_typed_and_its_price_chosen_without_javascript(town: Town, people: People) -> None:
    small = {"viewport": {"width": 320, "height": 640}}
    async with (
        await prices.open_sale(town, slug="zeewind") as sale,
        people.arrive(small) as person,  # with scripts on, so that barriers can be looked for
    ):
        code = f"Browser {now_ms()}"
        await prices.make_codes(sale, codes=[code], uses=2)
        page = person.page
        await person.open(room(sale))
        await person.press("Join the queue")
        await person.press("Choose my seats")
        await page.locator(".proofs summary").click()
        await page.get_by_label("Code", exact=True).fill("nobodys")
        await has_no_barrier(person, "proofs")
        await fits(person, "proofs")
        await can_be_hit(person, "proofs")
        await person.press("Show my prices")
        await person.sees("We do not know this code, or it counts no more.")
        await page.get_by_label("Code", exact=True).fill(code.upper())
        await person.press("Show my prices")
        await page.get_by_role("link", name="row C").click()
        await page.get_by_role("checkbox").nth(3).check()
        await page.get_by_role("combobox").nth(3).select_option("promo")
        await fits(person, "row")
        await person.press("Reserve the ticked seats")
        await person.sees("of which VAT 6\N{NO-BREAK SPACE}%")
        await page.get_by_role("link", name="To payment").click()
        await expect(page.locator(".basket .items li")).to_contain_text("€16.00")
        await expect(page.locator(".basket .sums")).to_contain_text("€0.96")
        await has_no_barrier(person, "payment with VAT")
