"""The states of a house's own website with Parvis in it, for `make screenshots`."""

from playwright.async_api import Page

from engine.instants import now_ms
from tests.browser.screenshots import Stage, State


async def component_before_the_start(stage: Stage) -> Page:
    """The queue in the house's own page, before the start of sales."""
    sale = await stage.sale(opens_at_ms=now_ms() + 3_600_000)
    address = await stage.enter(stage.site.embeds(sale))
    person = await stage.arrive()
    await person.open(address)
    await person.press(stage.say("do.join"))
    await person.sees(stage.say("stage.gathered"))
    return person.page


async def component_in_turn(stage: Stage) -> Page:
    """The example's page, whose colours and corners are its own."""
    address = await stage.enter(stage.site.shows_examples(await stage.sale()))
    person = await stage.arrive()
    await person.open(f"{address}/component/")
    await person.page.locator("parvis-waiting-room button.primary").click()
    await person.page.locator("body[data-turn]").wait_for()
    return person.page


async def seat_map(stage: Stage) -> Page:
    """The hall in the house's own page."""
    sale = await stage.sale()
    address = await stage.enter(stage.site.shows_examples(sale))
    person = await stage.arrive()
    await person.open(f"{address}/seat-map/#pass={await sale.enter()}")
    await person.page.locator("parvis-seat-map .best .primary").wait_for()
    return person.page


async def frame_that_keeps_its_visitors(stage: Stage) -> Page:
    """A sandboxed frame: the way out is a link."""
    framing = f"http://127.0.0.1:{stage.site.port}"
    await stage.enter(stage.site.shows_examples(await stage.sale(), "--framed-by", framing))
    person = await stage.arrive()
    await person.open(f"{framing}/frame/sandboxed.html")
    frame = person.page.frame_locator("iframe")
    await frame.locator("button.primary").click()
    await frame.get_by_text("It’s your turn!").first.wait_for()
    await frame.locator("button.primary").click()
    await frame.locator(".stuck").wait_for()
    person.faults.clear()
    return person.page


async def turn_for_the_houses_own_tickets(stage: Stage) -> Page:
    """The room of a house that wants only the room."""
    sale = await stage.sale()
    person = await stage.arrive()
    await person.open(f"/h/{sale.slug}/{sale.on_sale}?return_to={stage.site.local_origin}/redirect/back.html")
    await person.press(stage.say("do.join"))
    await person.button(stage.say("return.enter")).wait_for()
    return person.page


async def return_refused(stage: Stage) -> Page:
    """An address to return to that the house does not know."""
    sale = await stage.sale()
    person = await stage.arrive()
    await person.open(f"/h/{sale.slug}/{sale.on_sale}?return_to=https://evil.example/")
    await person.sees(stage.say("return.refused"))
    return person.page


STATES: list[tuple[str, State]] = [
    (state.__name__, state)
    for state in (
        component_before_the_start,
        component_in_turn,
        seat_map,
        frame_that_keeps_its_visitors,
        turn_for_the_houses_own_tickets,
        return_refused,
    )
]
