"""The states of the pages without JavaScript, for `make screenshots`."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from engine.catalogue import Line
from engine.instants import now_ms
from engine.words import LineName
from tests.backstage import until
from tests.browser.person import Person
from tests.browser.screenshots import Stage, State
from tests.browser.states_waiting import last_seats, manage
from tests.integration.test_prices import open_sale
from tests.operated import frozen
from tests.plain import room
from tests.sale import Sale
from tests.town import small_plan

DAY_MS = 86_400_000


async def arrive(stage: Stage, sale: Sale, path: str = "") -> Person:
    """Somebody whose browser runs no script, at a page of a sale."""
    person = await stage.arrive(java_script_enabled=False)
    await person.open(f"{room(sale)}{path}")
    return person


async def comes_in(stage: Stage, sale: Sale) -> Person:
    """Somebody at the seats."""
    person = await arrive(stage, sale)
    await person.press(stage.say("do.join"))
    await person.press(stage.say("do.enter"))
    return person


async def onestop(stage: Stage) -> Page:
    """All houses, with the filters."""
    await stage.sale(opens_at_ms=now_ms() + DAY_MS)
    await stage.sale()
    person = await stage.arrive(java_script_enabled=False)
    await person.open("/plain")
    return person.page


async def house(stage: Stage) -> Page:
    """A house's own list."""
    await stage.sale()
    person = await stage.arrive(java_script_enabled=False)
    await person.open(f"/h/{stage.house}/plain")
    return person.page


async def scheduled(stage: Stage) -> Page:
    """Before the queue opens."""
    soon = now_ms() + DAY_MS
    return (await arrive(stage, await stage.sale(prequeue_at_ms=soon, opens_at_ms=soon + DAY_MS, shows=5))).page


async def joinable(stage: Stage) -> Page:
    """Before the start of sales."""
    return (await arrive(stage, await stage.sale(opens_at_ms=now_ms() + DAY_MS))).page


async def gathered(stage: Stage) -> Page:
    """In the queue before the start of sales."""
    person = await arrive(stage, await stage.sale(opens_at_ms=now_ms() + DAY_MS))
    await person.press(stage.say("do.join"))
    return person.page


async def in_line(stage: Stage, sale: Sale) -> Person:
    """Somebody behind others in a slow line."""
    for _ in range(12):
        await sale.join()
    person = await arrive(stage, sale)
    await person.press(stage.say("do.join"))
    await person.page.locator(".number").wait_for()
    return person


async def waiting(stage: Stage) -> Page:
    """A number in the queue."""
    return (await in_line(stage, await stage.sale(rate_per_minute=1))).page


async def waiting_in_vain(stage: Stage) -> Page:
    """Somebody else has all that is left."""
    _, sale = await last_seats(stage)
    person = await arrive(stage, sale)
    await person.press(stage.say("do.join"))
    while await person.page.locator(".outlook p").count() < 3:
        await sale.status()
        await person.page.reload()
    return person.page


async def leaving(stage: Stage) -> Page:
    """Really?"""
    person = await in_line(stage, await stage.sale(rate_per_minute=1))
    await person.page.get_by_role("link", name=stage.say("leave_queue")).click()
    return person.page


def steered(verb: str, **facts: str) -> "Callable[[Stage], Awaitable[Page]]":
    """The waiting room after the house did something."""

    async def state(stage: Stage) -> Page:
        sale = await stage.sale(rate_per_minute=1)
        person = await in_line(stage, sale)
        await sale.post(f"/manage/on-sales/{sale.on_sale}/{verb}", {"reason": "a test", **facts}, token=sale.manage_key)
        await sale.status()
        await person.page.reload()
        return person.page

    return state


async def turn(stage: Stage) -> Page:
    """It is one's turn."""
    person = await arrive(stage, await stage.sale())
    await person.press(stage.say("do.join"))
    await person.button(stage.say("do.enter")).wait_for()
    return person.page


async def sale_that_went(stage: Stage) -> Sale:
    """Two were in the draw, one bought all that there was, and others came in vain."""
    plan, members = small_plan(rows=1, seats=2, standing=0), Line(LineName("members"), "Vrienden", "code", 20, 1)
    sale = await stage.sale(plan=plan, lines=(members,), opens_at_ms=now_ms() + DAY_MS)
    first, *_ = [await sale.join() for _ in range(2)]
    await manage(sale, "open")
    token = await sale.pass_for(*first)
    held = await sale.hold(token, "zaal-A-1", "zaal-A-2")
    await manage(sale, "rate", rate_per_minute=1)
    for _ in range(9):
        await sale.join()
    await sale.order(token, held.json["hold"])
    await sale.until_status(phase="sold_out")

    async def is_told() -> bool:
        told = await sale.get(f"/on-sales/{sale.on_sale}/summary")
        return told.status == 200 and bool(told.json["orders"]) and bool(told.json["sold_out_at"])

    await until(is_told, "the figures")
    return sale


async def summary(stage: Stage) -> Page:
    """How a sale went."""
    sale = await sale_that_went(stage)
    person = await stage.arrive(java_script_enabled=False)
    await person.open(f"/h/{sale.slug}/{sale.on_sale}/summary")
    await person.page.locator("details summary").click()
    return person.page


async def summary_too_soon(stage: Stage) -> Page:
    """How a sale went, before it is over."""
    sale = await stage.sale(opens_at_ms=now_ms() + DAY_MS)
    person = await stage.arrive(java_script_enabled=False)
    await person.open(f"/h/{sale.slug}/{sale.on_sale}/summary")
    return person.page


async def seats(stage: Stage) -> Page:
    """What can be chosen, of two performances."""
    return (await comes_in(stage, await stage.sale(shows=2, hold_seconds=300))).page


async def proofs(stage: Stage) -> Page:
    """A number that was typed, and the prices that it unlocks."""
    async with await open_sale(stage.town, slug="zeewind") as sale:
        person = await comes_in(stage, sale)
        await person.page.get_by_text(stage.say("proof_title")).click()
        await person.page.locator("[name='number.member']").fill("M-1001")
        await person.press(stage.say("proof_show"))
        await expect(person.page.locator(".proofs details[open]")).to_be_visible()
        return person.page


async def basket(stage: Stage) -> Page:
    """With something in the basket, and what was asked for beside it refused."""
    person = await comes_in(stage, await stage.sale(hold_seconds=300))
    await person.press(stage.say("find_best"))
    await person.page.locator("#best-1").fill("6")
    await person.press(stage.say("find_best"))
    return person.page


async def row(stage: Stage) -> Page:
    """The seats of a row."""
    sale = await stage.sale(hold_seconds=300)
    await sale.hold(await sale.enter(), "zaal-A-3", "zaal-A-4")
    person = await comes_in(stage, sale)
    await person.page.locator(".rows a").first.click()
    return person.page


async def conflict(stage: Stage) -> Page:
    """Somebody was sooner: other seats as buttons."""
    sale = await stage.sale(hold_seconds=300)
    person = await comes_in(stage, sale)
    await person.page.locator(".rows a").nth(2).click()
    for seat in ("zaal-C-4", "zaal-C-5"):
        await person.page.locator(f'input[value="{seat}"]').check()
    await sale.hold(await sale.enter(), "zaal-C-5")
    await person.press(stage.say("plain.reserve_ticked"))
    return person.page


async def at_payment(stage: Stage, sale: Sale) -> Person:
    """Somebody at the form."""
    person = await comes_in(stage, sale)
    await person.press(stage.say("find_best"))
    await person.page.get_by_role("link", name=stage.say("continue")).click()
    return person


async def payment(stage: Stage) -> Page:
    """The form."""
    return (await at_payment(stage, await stage.sale(hold_seconds=300))).page


async def payment_wrong(stage: Stage) -> Page:
    """An address that cannot be one."""
    person = await at_payment(stage, await stage.sale(hold_seconds=300))
    await person.page.locator("#email").fill("ada@example")
    await person.page.locator("form.checkout .primary").click()
    return person.page


def paid(choice: str) -> "Callable[[Stage], Awaitable[Page]]":
    """What becomes of a payment."""

    async def state(stage: Stage) -> Page:
        person = await at_payment(stage, await stage.sale(hold_seconds=300))
        await person.page.locator("#email").fill("ada@example.org")
        await person.page.locator(f'input[value="{choice}"]').check()
        await person.page.locator("form.checkout .primary").click()
        return person.page

    return state


async def refused_return(stage: Stage) -> Page:
    """An address to go back to that the house does not know."""
    return (await arrive(stage, await stage.sale(), "?return_to=https://evil.example/")).page


async def busy(stage: Stage) -> Page:
    """The house's Redis answers nobody."""
    person = await arrive(stage, await stage.sale())
    with frozen(stage.town, stage.house):
        await person.press(stage.say("do.join"))
        await person.sees(stage.say("plain.send_again"))
    await stage.town.until_ready()
    return person.page


async def missing(stage: Stage) -> Page:
    """No such sale."""
    person = await stage.arrive(java_script_enabled=False)
    await person.open(f"/h/{stage.house}/nothing/plain")
    return person.page


STATES: list[tuple[str, State]] = [
    ("onestop", onestop),
    ("house", house),
    ("scheduled", scheduled),
    ("joinable", joinable),
    ("gathered", gathered),
    ("waiting", waiting),
    ("waiting_in_vain", waiting_in_vain),
    ("message", steered("message", message="De foyer is open. Le foyer est ouvert.")),
    ("paused", steered("pause")),
    ("closed", steered("close")),
    ("summary", summary),
    ("summary_too_soon", summary_too_soon),
    ("leaving", leaving),
    ("turn", turn),
    ("seats", seats),
    ("proofs", proofs),
    ("row", row),
    ("conflict", conflict),
    ("basket", basket),
    ("payment", payment),
    ("payment_wrong", payment_wrong),
    ("declined", paid("no")),
    ("awaiting", paid("late")),
    ("confirmed", paid("yes")),
    ("missing", missing),
    ("refused_return", refused_return),
    ("busy", busy),
]
