"""What happens to people while they wait: tunnels, sleep, private mode, another device, a sale that ends."""

import re
import time
from typing import Any

import pytest
from playwright.async_api import async_playwright, expect

from engine.instants import now_ms
from tests.browser.devices import AWAY, CAME_BACK, FORBIDDEN, FULL, HEARD, SLEPT, SPOKEN
from tests.browser.find import launch_options
from tests.browser.person import PHONE, People, Person, Site
from tests.browser.test_tabs import SLOW, Asked, stands_behind, until
from tests.integration.test_joined_again import forget_the_minute
from tests.town import Sale, Town, small_plan

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
REFUSES = {"full": FULL, "forbidden": FORBIDDEN}


async def manage(sale: Sale, verb: str, **facts: object) -> None:
    answer = await sale.post(
        f"/manage/on-sales/{sale.on_sale}/{verb}", {"reason": "a test", **facts}, token=sale.manage_key
    )
    assert answer.status == 200, answer.json


async def test_a_tunnel_costs_nobody_their_place_nor_their_turn(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await stands_behind(sale, 3, visitor)
        await visitor.context.set_offline(True)
        await visitor.sees("No connection just now.", "If your turn comes meanwhile, it is kept for at least")
        await expect(page.locator(".number")).to_have_text("4")
        await manage(sale, "rate", rate_per_minute=60_000)
        # The age of what is shown grows, and is told.
        await expect(page.locator(".age")).to_contain_text("seconds ago")
        await visitor.context.set_offline(False)
        await visitor.sees("It’s your turn!")
        await expect(page.locator(".trouble")).to_be_hidden()


async def test_whoever_is_offline_for_longer_than_a_join_is_remembered_keeps_the_place(
    town: Town, people: People
) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await stands_behind(sale, 3, visitor)
        await sale.until_drained()
        await visitor.context.set_offline(True)
        await visitor.sees("No connection just now.")
        # As ten minutes would: none of what Redis remembers of a join for a minute is left.
        await forget_the_minute(town, sale, (await visitor.kept(sale))["secret"])
        await visitor.context.set_offline(False)
        await expect(page.locator(".trouble")).to_be_hidden()
        await expect(page.locator(".number")).to_have_text("4")
        await page.reload()
        await expect(page.locator(".number")).to_have_text("4")
        assert (await sale.status())["lines"]["public"]["joined"] == 4


@pytest.mark.parametrize("how", REFUSES)
async def test_a_browser_that_keeps_nothing_keeps_the_place_over_a_reload(town: Town, people: People, how: str) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive(PHONE) as visitor:
        await visitor.context.add_init_script(REFUSES[how])
        page = visitor.page
        await stands_behind(sale, 2, visitor)
        await visitor.sees("Your browser keeps nothing on this device:")
        await expect(page.get_by_label("Your personal link")).to_be_visible()
        await page.reload()
        await expect(page.locator(".number")).to_have_text("3")
        await manage(sale, "rate", rate_per_minute=60_000)
        await visitor.press("Choose my seats")
        await expect(page.locator(".map-frame")).to_be_visible()
        assert "#" not in page.url
        assert (await sale.status())["lines"]["public"]["joined"] == 3


async def test_a_personal_link_takes_the_number_to_another_device(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", **SLOW) as sale,
        people.arrive(PHONE) as visitor,
        people.arrive() as elsewhere,
        people.arrive() as another,
    ):
        await stands_behind(sale, 2, visitor)
        await visitor.page.get_by_text("Go on on another device").click()
        link = await visitor.page.get_by_label("Your personal link").input_value()
        assert link.startswith(f"{visitor.url}/h/zeewind/{sale.on_sale}#place=")
        await elsewhere.open(link)
        await expect(elsewhere.page.locator(".number")).to_have_text("3")
        assert "#" not in elsewhere.page.url
        assert "secret" not in await elsewhere.page.evaluate("document.referrer + location.href")

        # Whoever has a number of their own is asked which one to go on with.
        await another.open(f"/h/zeewind/{sale.on_sale}")
        await another.press("Join the queue")
        await expect(another.page.locator(".number")).to_have_text("4")
        await another.open(link)
        await another.sees("The link that you opened belongs to another number")
        await expect(another.page.locator(".number")).to_have_text("4")
        await another.press("The one of the link")
        await expect(another.page.locator(".number")).to_have_text("3")


async def test_a_device_that_slept_asks_as_soon_as_it_wakes_and_believes_the_servers_clock(
    town: Town, people: People
) -> None:
    opening = now_ms() + 3_600_000
    async with await town.open_sale("zeewind", opens_at_ms=opening) as sale, people.arrive() as visitor:
        await visitor.context.add_init_script(SLEPT)
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.press("Join the queue")
        await visitor.sees("You are in the queue")
        asked = Asked(visitor, "/status")
        started = time.monotonic()
        await visitor.page.evaluate("window.sleptMs = 600_000")
        await until(lambda: len(asked.pages) == 1)
        # An hour before the start a page asks twice a minute; this one did not wait for that.
        assert time.monotonic() - started < 15
        await expect(visitor.page.locator(".countdown")).to_have_text(re.compile(r"^(59:\d\d|1:00:\d\d)$"))


async def test_sold_out_is_told_to_whoever_waits_with_what_one_can_do(town: Town, people: People) -> None:
    plan = small_plan(rows=1, seats=2, standing=0)
    async with (
        await town.open_sale("zeewind", plan=plan) as sale,
        people.arrive(PHONE) as visitor,
    ):
        owner = await sale.enter()
        held = await sale.hold(owner, "zaal-A-1", "zaal-A-2")
        await manage(sale, "rate", rate_per_minute=1)
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.press("Join the queue")
        await visitor.sees("You are in the queue", "none left")
        assert (await sale.order(owner, held.json["hold"])).status == 202
        await visitor.sees("Sold out", "If seats come back, the house can open the sale again.")
        kept = (await visitor.kept(sale))["place"]

        # The house opens the sale again: the number is the same.
        await manage(sale, "message", message="Ten seats have come back.")
        # A page that says sold out asks once a minute; whoever loads it again sees it at once.
        await visitor.page.reload()
        await visitor.sees("Ten seats have come back.")
        assert (await visitor.kept(sale))["place"] == kept
        await visitor.page.get_by_role("link", name="What else this house has on sale").click()
        await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Concertzaal Zeewind")


async def test_a_pause_keeps_the_number_and_says_what_the_house_says(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive(PHONE) as visitor:
        await stands_behind(sale, 2, visitor)
        await visitor.sees("1 person a minute")
        await manage(sale, "message", message="A moment please.")
        await manage(sale, "pause")
        await visitor.sees("A moment please.", "not known while paused")
        await expect(visitor.page.locator(".number")).to_have_text("3")
        await manage(sale, "resume")
        await visitor.sees("1 person a minute")


async def test_a_turn_is_heard_and_seen_by_whoever_looks_elsewhere(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", **SLOW) as sale,
        people.arrive(permissions=["notifications"]) as visitor,
    ):
        page = visitor.page
        await visitor.context.add_init_script(AWAY + HEARD)
        await stands_behind(sale, 3, visitor)
        await expect(page).to_have_title(re.compile(r"^\(3\) "))
        await page.get_by_text("Tell me when it is my turn").click()
        assert await page.evaluate("[window.tones, window.notices.length]") == [0, 0]
        await visitor.press("Sound")
        await visitor.sees("This is how it sounds.")
        await visitor.press("Notification")
        await visitor.sees("You get a notification when it is your turn.")
        before = await page.evaluate("window.tones")
        assert before > 0
        await page.evaluate("window.goAway(true)")
        await manage(sale, "rate", rate_per_minute=60_000)
        await expect(page).to_have_title(re.compile("^● It’s your turn!"))
        await page.wait_for_function("(before) => window.tones > before", arg=before)
        assert await page.evaluate("window.notices.at(-1)") == "It’s your turn!"
        told = await page.evaluate("window.notices.length")
        # Once for each turn.
        await page.evaluate("window.goAway(false)")
        await visitor.sees("Choose my seats")
        assert await page.evaluate("window.notices.length") == told


async def test_a_screen_reader_hears_news_at_most_every_half_minute_and_the_turn_at_once(
    town: Town, people: People
) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive() as visitor:
        page = visitor.page
        await visitor.context.add_init_script(SPOKEN)
        await stands_behind(sale, 3, visitor)
        for verb in ("pause", "resume", "pause", "resume"):
            await manage(sale, verb)
            await visitor.sees("not known while paused" if verb == "pause" else "1 person a minute")
        said = await page.evaluate("window.spoken")
        assert [each["role"] for each in said] == ["status"], said
        await manage(sale, "rate", rate_per_minute=60_000)
        await visitor.sees("Choose my seats")
        said = await page.evaluate("window.spoken")
        assert [each["role"] for each in said] == ["status", "alert"], said
        assert said[1]["text"] == "It’s your turn!"


async def test_the_focus_is_never_lost_when_what_had_it_goes(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", **SLOW) as sale, people.arrive() as visitor:
        page = visitor.page
        await sale.join()
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.tabs_to("Join the queue")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="You are in the queue")).to_be_focused()
        await visitor.tabs_to("Leave the queue")
        await page.keyboard.press("Enter")
        await visitor.tabs_to("Stay in the queue")
        await page.keyboard.press("Enter")
        await expect(visitor.button("Leave the queue")).to_be_focused()


async def test_the_back_button_brings_a_living_page_back(town: Town) -> None:
    """In a browser whose back-and-forward cache is on: the page holds nothing that keeps it out, and asks again."""
    options: dict[str, Any] = launch_options() | {"ignore_default_args": ["--disable-back-forward-cache"]}
    async with (
        await town.open_sale("zeewind", **SLOW) as sale,
        async_playwright() as playwright,
        await playwright.chromium.launch(**options) as browser,
    ):
        context = await browser.new_context(locale="en-GB")
        await context.add_init_script(CAME_BACK)
        visitor = Person(context, await context.new_page(), town.url, {town.url})
        page = visitor.page
        await stands_behind(sale, 2, visitor)
        await page.goto(f"{town.url}/h/zeewind")
        await page.evaluate("history.back()")
        await page.wait_for_function("window.cameBack === true && Boolean(document.querySelector('.number'))")
        await manage(sale, "message", message="Welcome back.")
        await visitor.sees("Welcome back.")
        await expect(page.locator(".number")).to_have_text("3")


async def theme(sale: Sale, step: str, **body: object) -> None:
    answer = await sale.post(f"/manage/theme/{step}", {"reason": "a test"} | body, token=sale.manage_key)
    assert answer.status == 200, answer.json


async def test_a_houses_own_words_are_read_by_whoever_waits_on_its_page_and_inside_its_site(
    town: Town, people: People, site: Site
) -> None:
    own = {
        "own.line": "The square is <b>lit</b> tonight.",
        "own.fees": "One euro an order.",
        "next.waiting": "Have a drink.",
        "house_lead": "Our season.",
    }
    async with await town.open_sale("zeewind", **SLOW) as sale:
        await theme(sale, "draft", words={"en": own})
        await theme(sale, "publish")
        try:
            async with people.arrive(PHONE) as visitor, people.arrive() as guest:
                await stands_behind(sale, 2, visitor)
                await visitor.sees(own["own.line"], own["next.waiting"])
                await visitor.page.get_by_text("Fees, refunds and delivery").click()
                await visitor.sees(own["own.fees"], "by e-mail")
                await visitor.open("/h/zeewind")
                await visitor.sees(own["house_lead"])
                with site.embeds(sale) as address:
                    await guest.open(address)
                    await guest.press("Join the queue")
                    await guest.sees(own["own.line"], own["next.waiting"])
        finally:
            await theme(sale, "back")
