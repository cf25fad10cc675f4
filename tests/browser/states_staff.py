"""The states of the pages of a house's staff: the control page, the counter, and a draft of how its pages look."""

import json
from collections.abc import Awaitable, Callable
from typing import Final

from playwright.async_api import FilePayload, Locator, Page, expect

from engine.cli.sales import at_house
from engine.instants import now_ms, to_rfc3339
from engine.ledger.recoveries import raise_alarm
from tests.browser.person import Person
from tests.browser.screenshots import Stage
from tests.town import Sale, small_plan

HOUR_MS: Final = 3_600_000


async def signs_in(stage: Stage, page: str, key: str, house: str) -> Person:
    """Someone of the house, at one of its pages."""
    person = await stage.arrive()
    await person.open(f"/h/{house}/{page}")
    await person.page.get_by_label(stage.say("staff_key"), exact=True).fill(key)
    await person.press(stage.say("come_in"))
    return person


async def at_control(stage: Stage, sale: Sale) -> Person:
    """A manager who looks at a sale."""
    person = await signs_in(stage, "control", sale.manage_key, sale.slug)
    choice = person.page.get_by_role("combobox", name=stage.say("on_sale"), exact=True)
    await choice.select_option(sale.on_sale)
    await expect(person.page.locator(".tiles").first).to_be_visible()
    return person


async def opens(stage: Stage, person: Person, label: str) -> Locator:
    """What a button of the page opens."""
    button = person.button(stage.say(label))
    await button.click()
    return person.page.locator(f"#{await button.get_attribute('aria-controls')}")


async def running(stage: Stage) -> Sale:
    """A sale with people in the queue, some of them inside, and seats reserved."""
    sale = await stage.sale(hold_seconds=600)
    token = await sale.enter()
    for _ in range(4):
        await sale.join()
    await sale.hold(token, "zaal-A-1", "zaal-A-2")
    await sale.enter()
    return sale


async def key_asked(stage: Stage) -> Page:
    """Nobody comes in without a key."""
    person = await stage.arrive()
    await person.open(f"/h/{stage.house}/control")
    await expect(person.button(stage.say("come_in"))).to_be_visible()
    return person.page


async def control_scheduled(stage: Stage) -> Page:
    """Before the start, with the question before starting early."""
    sale = await stage.sale(opens_at_ms=now_ms() + HOUR_MS, rate_per_minute=30)
    for _ in range(7):
        await sale.join()
    person = await at_control(stage, sale)
    await opens(stage, person, "act.open")
    return person.page


async def control_open(stage: Stage) -> Page:
    """While it sells."""
    return (await at_control(stage, await running(stage))).page


async def control_paused(stage: Stage) -> Page:
    """Just paused, with the way back."""
    person = await at_control(stage, await running(stage))
    await person.press(stage.say("act.pause"))
    await expect(person.button(stage.say("undo"))).to_be_visible()
    return person.page


async def control_actions(stage: Stage) -> Page:
    """A message, the pace, and closing, unfolded; an alarm above them."""
    sale = await running(stage)
    async with at_house(stage.town.network_file, stage.house) as (_, ledger):
        await raise_alarm(ledger, "live-seat", {"order": "an-order"})
    person = await at_control(stage, sale)
    for label in ("act.message", "act.rate", "act.close"):
        await opens(stage, person, label)
    return person.page


async def control_steering(stage: Stage) -> Page:
    """A pace that is planned, calling nobody further, and stopping with what cannot be undone, unfolded."""
    sale = await running(stage)
    later = [{"at": to_rfc3339(now_ms() + HOUR_MS), "rate_per_minute": 90}]
    body = {"reason": "the second hour", "rates": later}
    answer = await sale.post(f"/manage/on-sales/{sale.on_sale}/schedule", body, token=sale.manage_key)
    assert answer.status == 200, answer.json
    person = await at_control(stage, sale)
    for label in ("act.schedule", "act.drain", "act.stop"):
        await opens(stage, person, label)
    return person.page


async def control_order(stage: Stage) -> Page:
    """An order that was looked up, and what returning it would do."""
    sale = await running(stage)
    token = await sale.enter()
    held = await sale.hold(token, "zaal-C-1", "zaal-C-2")
    order = (await sale.order(token, held.json["hold"])).json["order"]
    person = await at_control(stage, sale)
    part = await opens(stage, person, "order_lookup")
    await part.get_by_label(stage.say("order_number"), exact=True).fill(order)
    for _ in range(20):
        await part.get_by_role("button", name=stage.say("order_find")).click()
        if await part.locator(".found-order").count():
            break
        await person.page.wait_for_timeout(250)
    await expect(part.locator(".found-order")).to_be_visible()
    return person.page


async def control_exchange(stage: Stage) -> Page:
    """Other seats for one of an order's, held, and what is to be paid for them."""
    page = await control_order(stage)
    await page.get_by_role("checkbox").locator("visible=true").first.uncheck()
    await page.locator(".found-order .actions .secondary").click()
    await page.locator(".exchange .best .primary").click()
    await expect(page.locator(".exchange .notice .consequence")).to_be_visible()
    return page


async def control_new_sale(stage: Stage) -> Page:
    """The check before performances are put on sale."""
    sale = await stage.sale()
    number = str(now_ms())
    made = {"hall": sale.hall, "title": "Winterreise", "starts_at": "2031-01-10T20:00:00+01:00"}
    prices = {"Rang 1": {"full": 3200}, "Rang 2": {"full": 2400}}
    body = made | {"performance": f"winterreise-{number}", "prices": prices}
    assert (await sale.post("/manage/performances", body, token=sale.manage_key)).status == 201
    person = await at_control(stage, sale)
    part = await opens(stage, person, "sale_new")
    await part.get_by_role("checkbox").first.check()
    await part.get_by_label(stage.say("sale_title"), exact=True).fill("Winterreise")
    await part.get_by_role("button", name=stage.say("sale_check")).click()
    await expect(part.get_by_role("button", name=stage.say("sale_make"))).to_be_visible()
    return person.page


async def control_new_sale_times(stage: Stage) -> Page:
    """How long the visitors of a new sale may choose, come back and stay."""
    sale = await stage.sale()
    made = {"hall": sale.hall, "title": "Winterreise", "starts_at": "2031-01-10T20:00:00+01:00"}
    body = made | {
        "performance": f"winterreise-{now_ms()}",
        "prices": {"Rang 1": {"full": 3200}, "Rang 2": {"full": 2400}},
    }
    assert (await sale.post("/manage/performances", body, token=sale.manage_key)).status == 201
    person = await at_control(stage, sale)
    part = await opens(stage, person, "sale_new")
    times = part.get_by_text(stage.say("sale_times"), exact=True)
    await times.click()
    await times.scroll_into_view_if_needed()
    return person.page


async def control_new_performance(stage: Stage) -> Page:
    """A performance in one of the house's halls, with its prices."""
    sale = await stage.sale()
    person = await at_control(stage, sale)
    part = await opens(stage, person, "sale_new")
    await opens(stage, person, "show_new")
    await part.get_by_label(stage.say("show_title"), exact=True).fill("Winterreise")
    await part.get_by_label(stage.say("show_hall"), exact=True).select_option(sale.hall)
    await part.get_by_label(stage.say("show_starts_at"), exact=True).fill("2031-01-10T20:00")
    for price in await part.get_by_label(stage.say("price.full"), exact=True).all():
        await price.fill("32.50")
    await part.get_by_text(stage.say("show_kinds"), exact=True).click()
    for kind, share in {"youth": "50", "member": "75"}.items():
        await part.get_by_label(stage.say(f"price.{kind}"), exact=True).fill(share)
    await part.get_by_label(stage.say("show_companion")).check()
    await part.get_by_label(stage.say("show_vat"), exact=True).fill("6")
    return person.page


async def control_new_plan(stage: Stage) -> Page:
    """What another seating plan would change for a performance that is on sale."""
    sale = await stage.sale()
    person = await at_control(stage, sale)
    part = await opens(stage, person, "plan_change")
    plan = small_plan(rows=6, standing=25)
    del plan["zones"][0]["rows"][2]["seats"][0]
    file = FilePayload(name="plan.json", mimeType="application/json", buffer=json.dumps(plan).encode())
    await part.get_by_label(stage.say("plan_file")).set_input_files(file)
    await part.get_by_label(stage.say("reason"), exact=True).fill("The mixing desk moves")
    await part.get_by_role("button", name=stage.say("sale_check")).click()
    await expect(part.get_by_role("button", name=stage.say("plan_yes"))).to_be_visible()
    return person.page


async def control_new_performance_sure(stage: Stage) -> Page:
    """The check before a performance is made."""
    page = await control_new_performance(stage)
    await page.locator(".unfolded .unfolded").get_by_role("button", name=stage.say("sale_check")).click()
    await expect(page.get_by_role("button", name=stage.say("show_make"), exact=True)).to_be_visible()
    return page


async def control_aside(stage: Stage) -> Page:
    """What is set aside of a performance, one about to be ended and another about to be made."""
    sale = await stage.sale()
    for name, purpose, more in (
        ("press", "house", {"seat_list": "A1-A4, B7", "areas": {"vloer": 3}}),
        ("desk", "block", {"seats": ["zaal-C-5"]}),
    ):
        body = {"performance": sale.performance, "name": name, "purpose": purpose, "reason": "critics of the papers"}
        made = await sale.post("/manage/allotments", body | more, token=sale.manage_key)
        assert made.status == 201, made.json
    person = await at_control(stage, sale)
    part = await opens(stage, person, "aside")
    await part.get_by_label(stage.say("aside_show"), exact=True).select_option(sale.performance)
    ending = part.locator(".log li").filter(has_text="press")
    await ending.get_by_role("button", name=stage.say("aside_end"), exact=True).click()
    await part.get_by_role("button", name=stage.say("aside_new"), exact=True).click()
    await expect(part.get_by_role("button", name=stage.say("aside_make"), exact=True)).to_be_visible()
    return person.page


async def theme_refused(stage: Stage) -> Page:
    """Colours that cannot be seen, with the nearest that can."""
    person = await at_control(stage, await stage.sale())
    part = await opens(stage, person, "theme")
    await part.get_by_label(stage.say("theme_colour.accent"), exact=True).fill("#ffe0cc")
    await part.get_by_label(stage.say("theme_colour.text"), exact=True).fill("#999999")
    await part.get_by_role("button", name=stage.say("theme_save")).click()
    await expect(part.locator(".colour .notice").last).to_be_visible()
    return person.page


async def theme_drafted(stage: Stage) -> Page:
    """A draft with its link, and the own words unfolded."""
    person = await at_control(stage, await stage.sale())
    part = await opens(stage, person, "theme")
    await part.get_by_label(stage.say("theme_colour.primary"), exact=True).fill("#1d5c3a")
    await part.get_by_role("button", name=stage.say("theme_save")).click()
    await expect(part.get_by_role("link", name=stage.say("theme_look"))).to_be_visible()
    await part.get_by_text(stage.say("theme_words"), exact=True).click()
    return person.page


async def theme_previewed(stage: Stage) -> Page:
    """The house's page as a draft shows it."""
    sale = await stage.sale()
    colours = {"primary": "#1d5c3a", "accent": "#8a4b08", "background": "#fffdf8", "text": "#1b1b1b"}
    words = {stage.language: {"house_lead": "Green is the colour of hope."}}
    body = {"colours": colours, "words": words, "reason": "a picture"}
    drafted = await sale.post("/manage/theme/draft", body, token=sale.manage_key)
    person = await stage.arrive()
    await person.open(drafted.json["preview"]["page"])
    await expect(person.page.locator(".preview")).to_be_visible()
    return person.page


async def at_counter(stage: Stage) -> tuple[Person, Sale]:
    """Whoever sells at the counter, before the choice of a performance."""
    sale = await stage.sale(hold_seconds=300)
    person = await signs_in(stage, "counter", sale.counter_key, sale.slug)
    await expect(person.page.locator(".big-choice").first).to_be_visible()
    return person, sale


async def counter_which(stage: Stage) -> Page:
    """Which performance."""
    return (await at_counter(stage))[0].page


async def _with_seats(stage: Stage) -> Person:
    person, sale = await at_counter(stage)
    await person.page.locator(f'[data-performance="{sale.performance}"]').click()
    await person.press(stage.say("find_best"))
    await expect(person.page.locator(".basket .items li").first).to_be_attached()
    return person


async def counter_seats(stage: Stage) -> Page:
    """Seats for a customer."""
    return (await _with_seats(stage)).page


async def _paying(stage: Stage) -> Person:
    person = await _with_seats(stage)
    await person.press(stage.say("continue"))
    await expect(person.button(stage.say("counter.cash"))).to_be_visible()
    return person


async def counter_payment(stage: Stage) -> Page:
    """Cash or card."""
    return (await _paying(stage)).page


async def counter_sold(stage: Stage) -> Page:
    """Sold, and about to be undone."""
    person = await _paying(stage)
    await person.press(stage.say("counter.cash"))
    await person.press(stage.say("counter.undo"))
    await expect(person.button(stage.say("counter.undo_yes"))).to_be_visible()
    return person.page


async def counter_undone(stage: Stage) -> Page:
    """Undone, with what to do with the money."""
    page = await counter_sold(stage)
    await page.get_by_role("button", name=stage.say("counter.undo_yes")).click()
    await expect(page.get_by_role("heading", name=stage.say("counter.undone"))).to_be_visible()
    return page


async def counter_offline(stage: Stage) -> Page:
    """No connection."""
    person = await _with_seats(stage)
    await person.context.set_offline(True)
    await person.sees(stage.say("counter.offline"))
    return person.page


STATES: list[tuple[str, Callable[[Stage], Awaitable[Page]]]] = [
    ("key", key_asked),
    ("control_scheduled", control_scheduled),
    ("control_open", control_open),
    ("control_paused", control_paused),
    ("control_actions", control_actions),
    ("control_steering", control_steering),
    ("control_order", control_order),
    ("control_exchange", control_exchange),
    ("control_new_sale", control_new_sale),
    ("control_new_sale_times", control_new_sale_times),
    ("control_new_performance", control_new_performance),
    ("control_new_plan", control_new_plan),
    ("control_new_performance_sure", control_new_performance_sure),
    ("control_aside", control_aside),
    ("theme_refused", theme_refused),
    ("theme_drafted", theme_drafted),
    ("theme_previewed", theme_previewed),
    ("counter_which", counter_which),
    ("counter_seats", counter_seats),
    ("counter_payment", counter_payment),
    ("counter_sold", counter_sold),
    ("counter_undone", counter_undone),
    ("counter_offline", counter_offline),
]
