"""The states of the waiting page, of the house's own page and of the page of all houses, for `make screenshots`."""

import asyncio
from typing import Any, Final

from playwright.async_api import Page

from engine.instants import now_ms
from tests.browser.devices import FORBIDDEN
from tests.browser.person import Person
from tests.browser.screenshots import Stage, State
from tests.town import Sale, small_plan

HOUR_MS: Final = 3_600_000
SLOW: Final[dict[str, Any]] = {"rate_per_minute": 1, "shows": 2}
SHORT: Final[dict[str, Any]] = {"plan": small_plan(rows=1, seats=2, standing=0)}
MESSAGE: Final = "The bar is open, and whoever waits in the square is welcome inside."


async def opens(stage: Stage, sale: Sale, *scripts: str) -> Person:
    """A person on the waiting page of a sale."""
    person = await stage.arrive()
    for script in scripts:
        await person.context.add_init_script(script)
    await person.open(f"/h/{stage.house}/{sale.on_sale}")
    await person.page.locator(".rest .seats").wait_for(state="attached")
    await person.page.locator(".waiting[data-situation]:not([data-situation=loading])").wait_for()
    return person


async def joins(stage: Stage, sale: Sale, *scripts: str) -> Person:
    """One who has joined."""
    person = await opens(stage, sale, *scripts)
    await person.press(stage.say("do.join"))
    await person.page.locator(".waiting[data-situation]:not([data-situation=joinable])").wait_for()
    return person


async def stands(stage: Stage, *scripts: str, others: int = 3) -> tuple[Person, Sale]:
    """One who stands behind others in a slow line."""
    sale = await stage.sale(**SLOW)
    for _ in range(others):
        await sale.join()
    person = await joins(stage, sale, *scripts)
    await person.page.locator("[data-situation=waiting]").wait_for()
    return person, sale


async def unfolds(page: Page) -> Page:
    """The page with all that it folds away opened."""
    folded = page.locator("details:not([open]) > summary").locator("visible=true")
    while await folded.count():
        await folded.first.click()
    return page


async def manage(sale: Sale, verb: str, **facts: object) -> None:
    """What the house's manager does."""
    await sale.post(f"/manage/on-sales/{sale.on_sale}/{verb}", {"reason": "a test", **facts}, token=sale.manage_key)


async def becomes(person: Person, situation: str) -> Page:
    """The page, once it tells of this situation."""
    await person.page.locator(f"[data-situation={situation}]").wait_for()
    return person.page


async def sells_out(sale: Sale) -> None:
    """Somebody buys all there is."""
    owner = await sale.enter()
    held = await sale.hold(owner, "zaal-A-1", "zaal-A-2")
    await sale.order(owner, held.json["hold"])


async def scheduled(stage: Stage) -> Page:
    sale = await stage.sale(prequeue_at_ms=now_ms() + HOUR_MS, opens_at_ms=now_ms() + 50 * HOUR_MS)
    return (await opens(stage, sale)).page


async def joinable(stage: Stage) -> Page:
    return (await opens(stage, await stage.sale(opens_at_ms=now_ms() + HOUR_MS, shows=5))).page


async def joinable_open(stage: Stage) -> Page:
    return (await opens(stage, await stage.sale(**SLOW))).page


async def gathered(stage: Stage) -> Page:
    return (await joins(stage, await stage.sale(opens_at_ms=now_ms() + HOUR_MS))).page


async def waiting(stage: Stage) -> Page:
    return (await stands(stage))[0].page


async def last_seats(stage: Stage) -> tuple[Person, Sale]:
    """Somebody has all that is left, and many stand before them: also for pages without JavaScript."""
    sale = await stage.sale(**SHORT, cap=1)
    owner = await sale.enter()
    await sale.hold(owner, "zaal-A-1", "zaal-A-2")
    await manage(sale, "rate", rate_per_minute=1)
    for _ in range(20):
        await sale.join()
    return await stage.arrive(), sale


async def waiting_in_vain(stage: Stage) -> Page:
    person, sale = await last_seats(stage)
    await person.open(f"/h/{stage.house}/{sale.on_sale}")
    await person.press(stage.say("do.join"))
    await person.page.locator(".outlook p").nth(2).wait_for()
    return person.page


async def unfolded(stage: Stage) -> Page:
    person, _ = await stands(stage)
    await unfolds(person.page)
    await person.press(stage.say("signs_sound"))
    await person.press(stage.say("draw.check"))
    await person.page.locator(".outcome[data-right]").wait_for()
    return person.page


async def leaving(stage: Stage) -> Page:
    person, _ = await stands(stage)
    await person.press(stage.say("leave_queue"))
    return person.page


async def paused(stage: Stage) -> Page:
    person, sale = await stands(stage)
    await manage(sale, "message", message=MESSAGE)
    await manage(sale, "pause")
    await person.page.locator(".message").wait_for()
    return await becomes(person, "paused")


async def cut_off(stage: Stage) -> Page:
    person, _ = await stands(stage)
    await person.context.set_offline(True)
    await person.page.locator(".trouble").wait_for()
    return person.page


async def keeps_nothing(stage: Stage) -> Page:
    person, _ = await stands(stage, FORBIDDEN)
    await person.page.locator(".link[open]").wait_for()
    return person.page


async def other_number(stage: Stage) -> Page:
    person, sale = await stands(stage)
    place, secret = await sale.join()
    await person.open("/")
    await person.open(f"/h/{stage.house}/{sale.on_sale}#place={place}&secret={secret}&index=4")
    await person.page.locator(".question").wait_for()
    return await becomes(person, "waiting")


async def turn(stage: Stage) -> Page:
    return await becomes(await joins(stage, await stage.sale()), "turn")


async def full(stage: Stage) -> Page:
    sale = await stage.sale(cap=1)
    person = await joins(stage, sale)
    await becomes(person, "turn")
    await sale.enter()
    await person.page.locator("button.primary").click()
    return await becomes(person, "full")


async def turn_over(stage: Stage) -> Page:
    sale = await stage.sale(turn_seconds=1)
    person = await joins(stage, sale)
    await becomes(person, "turn")
    # When one of those behind is too late, whoever is first in line is, too.
    for place, secret in [await sale.join() for _ in range(60)]:
        if (await sale.claim(place, secret)).status == 410:
            break
        await asyncio.sleep(0.1)
    await person.page.locator("button.primary").click()
    return await becomes(person, "turn_over")


async def shopping(stage: Stage) -> Page:
    sale = await stage.sale()
    person = await joins(stage, sale)
    await becomes(person, "turn")
    await person.page.locator("button.primary").click()
    await person.page.wait_for_url("**/seats*")
    await person.open(f"/h/{stage.house}/{sale.on_sale}")
    return await becomes(person, "shopping")


async def sold_out(stage: Stage) -> Page:
    sale = await stage.sale(**SHORT)
    await sells_out(sale)
    return await becomes(await opens(stage, sale), "sold_out")


async def sold_out_in_line(stage: Stage) -> Page:
    sale = await stage.sale(**SHORT)
    owner = await sale.enter()
    held = await sale.hold(owner, "zaal-A-1", "zaal-A-2")
    await manage(sale, "rate", rate_per_minute=1)
    person = await joins(stage, sale)
    await sale.order(owner, held.json["hold"])
    return await becomes(person, "sold_out")


async def closed(stage: Stage) -> Page:
    sale = await stage.sale()
    await manage(sale, "close")
    return await becomes(await opens(stage, sale), "closed")


async def missing(stage: Stage) -> Page:
    person = await stage.arrive()
    await person.open(f"/h/{stage.house}/nothing")
    await person.page.locator(".problem").wait_for()
    return person.page


async def component(stage: Stage) -> Page:
    """The same inside a house's own page, all unfolded."""
    sale = await stage.sale(**SLOW)
    for _ in range(3):
        await sale.join()
    person = await stage.arrive()
    await person.open(await stage.enter(stage.site.embeds(sale)))
    await person.press(stage.say("do.join"))
    await becomes(person, "waiting")
    await person.page.locator("parvis-waiting-room .link").wait_for()
    return await unfolds(person.page)


async def component_sold_out(stage: Stage) -> Page:
    sale = await stage.sale(**SHORT)
    await sells_out(sale)
    person = await stage.arrive()
    await person.open(await stage.enter(stage.site.embeds(sale)))
    return await becomes(person, "sold_out")


async def two_sales(stage: Stage) -> None:
    """One that is open and one that is coming; what other pictures put on sale is over."""
    coming = await stage.sale(prequeue_at_ms=now_ms() + HOUR_MS, opens_at_ms=now_ms() + 50 * HOUR_MS)
    ours = {coming.on_sale, (await stage.sale(shows=3)).on_sale}
    for listed in (await coming.get("")).json["on_sales"]:
        if listed["on_sale"] not in ours:
            await coming.post(
                f"/manage/on-sales/{listed['on_sale']}/close", {"reason": "a test"}, token=coming.manage_key
            )


async def house(stage: Stage) -> Page:
    await two_sales(stage)
    person = await stage.arrive()
    await person.open(f"/h/{stage.house}")
    await person.page.locator(".on-sale").first.wait_for()
    return person.page


async def one_stop(stage: Stage) -> Page:
    await two_sales(stage)
    person = await stage.arrive()
    await person.open("/")
    await person.page.locator(".on-sale").first.wait_for()
    return person.page


async def one_stop_nothing(stage: Stage) -> Page:
    await stage.sale()
    person = await stage.arrive()
    await person.open("/?text=something+else")
    await person.page.locator(".card:visible").first.wait_for()
    return person.page


STATES: list[tuple[str, State]] = [
    (state.__name__, state)
    for state in (
        *(scheduled, joinable, joinable_open, gathered, waiting, waiting_in_vain, unfolded, leaving, paused, cut_off),
        *(keeps_nothing, other_number, turn, full, turn_over, shopping, sold_out, sold_out_in_line, closed, missing),
        *(component, component_sold_out, house, one_stop, one_stop_nothing),
    )
]
