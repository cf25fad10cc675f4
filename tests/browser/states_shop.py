"""The states of choosing seats, paying and the confirmation, for `make screenshots`."""

import os
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import Page

from engine.halls.generate import big_house
from engine.halls.pretix import export_plan, import_plan
from tests.browser.person import Person
from tests.browser.screenshots import Stage, State
from tests.town import Sale, small_plan

SETTLED_MS = 700
"""A picture is taken when nothing moves any more; it decides nothing."""


def _priced(plan: dict[str, Any]) -> dict[str, Any]:
    """The small hall with a wheelchair place and a row that others have bought from."""
    plan["parvis"]["access"] = {"zaal-E-1": ["wheelchair"], "zaal-E-2": ["wheelchair"]}
    return plan


async def _in_the_hall(stage: Stage, **changed: Any) -> tuple[Person, Sale]:
    """A person whose turn it is, in front of the plan; others have some seats already."""
    sale = await stage.sale(**({"plan": _priced(small_plan()), "hold_seconds": 300} | changed))
    other = await sale.enter()
    if "zaal-B-8" in sale.layouts[sale.performance]:
        held = await sale.hold(other, "zaal-B-3", "zaal-B-4", "zaal-C-6")
        await sale.order(other, held.json["hold"])
        await sale.hold(await sale.enter(), "zaal-B-7", "zaal-B-8")
    person = await stage.arrive()
    await person.open(f"/h/{stage.house}/{sale.on_sale}")
    await person.press(stage.say("do.join"))
    await person.press(stage.say("do.enter"))
    await person.page.locator(".map-frame canvas").first.wait_for()
    await person.page.wait_for_timeout(SETTLED_MS)
    return person, sale


async def choose(stage: Stage) -> Page:
    """The best form and the plan."""
    person, _ = await _in_the_hall(stage)
    return person.page


async def found(stage: Stage) -> Page:
    """The best seats were found; two more are picked."""
    person, _ = await _in_the_hall(stage)
    await person.page.locator(".best button.primary").click()
    await person.page.locator(".found").wait_for()
    if stage.is_phone:
        await person.picks("zaal-D-4", "zaal-D-5")
    await person.page.wait_for_timeout(SETTLED_MS)
    return person.page


async def offline(stage: Stage) -> Page:
    """In a tunnel, with seats reserved."""
    person, _ = await _in_the_hall(stage)
    await person.page.locator(".best button.primary").click()
    await person.page.locator(".found").wait_for()
    await person.context.set_offline(True)
    await person.page.locator(".connection:not(:empty)").wait_for()
    return person.page


async def apart(stage: Stage) -> Page:
    """A party that no row seats, which may sit apart: told how, and how many better rows had no room."""
    person, sale = await _in_the_hall(stage)
    assert (await sale.hold(await sale.enter(), "zaal-A-3", "zaal-A-6", "zaal-A-8")).status == 201
    await person.page.locator(".chip", has_text="4").first.click()
    await person.page.locator(".best summary").click()
    await person.page.locator(".best select").first.select_option("Rang 1")
    await person.page.get_by_label(stage.say("wish_apart")).check()
    await person.page.locator(".best button.primary").click()
    await person.page.locator(".found .muted").wait_for()
    return person.page


async def as_list(stage: Stage) -> Page:
    """The hall as a list, a row open."""
    person, _ = await _in_the_hall(stage)
    await person.press(stage.say("as_list"))
    await person.page.locator("details.row > summary").nth(1).click()
    return person.page


async def several_performances(stage: Stage) -> Page:
    """Tabs of performances, and a basket over two of them."""
    person, _ = await _in_the_hall(stage, shows=3)
    await person.page.locator(".best button.primary").click()
    await person.page.locator(".found").wait_for()
    await person.page.locator(".tabs .tab").nth(1).click()
    await person.page.locator(".map-frame canvas").first.wait_for()
    await person.page.locator(".best button.primary").click()
    await person.page.locator(".hold").nth(1).wait_for()
    await person.page.wait_for_timeout(SETTLED_MS)
    return person.page


async def too_late(stage: Stage) -> Page:
    """Somebody was a moment sooner; other seats are offered."""
    person, sale = await _in_the_hall(stage)
    await person.page.evaluate("document.querySelector('parvis-seat-map').chooser.live.stop()")
    await person.press(stage.say("as_list"))
    await person.page.locator("details.row > summary").nth(3).click()
    for seat in ("zaal-D-4", "zaal-D-5"):
        await person.seat(seat).click()
    await sale.hold(await sale.enter(), "zaal-D-4")
    await person.page.locator(".tray button.primary").click()
    await person.page.locator(".offers button").first.wait_for()
    return person.page


async def sold_out(stage: Stage) -> Page:
    """No party of that size any more in a category; what is left elsewhere."""
    person, sale = await _in_the_hall(stage, shows=2, plan=small_plan(rows=3, seats=4, standing=0))
    for row in "AB":
        await sale.hold(await sale.enter(), f"zaal-{row}-2", f"zaal-{row}-3")
    await person.page.locator(".best summary").click()
    await person.page.locator(".best select").first.select_option("Rang 1")
    await person.page.locator(".best button.primary").click()
    await person.page.locator(".offers button").first.wait_for()
    return person.page


async def looking(stage: Stage) -> Page:
    """Without a place in the queue: how the hall fills."""
    sale = await stage.sale()
    person = await stage.arrive()
    await person.open(f"/h/{stage.house}/{sale.on_sale}/seats")
    await person.page.locator(".map-frame canvas").first.wait_for()
    await person.page.wait_for_timeout(SETTLED_MS)
    return person.page


async def paying(stage: Stage) -> Page:
    """The form, with an address that is none."""
    person, _ = await _in_the_hall(stage)
    await person.page.locator(".best button.primary").click()
    await person.press(stage.say("continue"))
    await person.page.locator("#email").fill("ada@")
    await person.page.locator(".checkout .primary").click()
    await person.page.locator(".fault").wait_for()
    return person.page


async def _paid(stage: Stage, how: str) -> Page:
    person, _ = await _in_the_hall(stage)
    await person.page.locator(".best button.primary").click()
    await person.press(stage.say("continue"))
    await person.page.locator("#email").fill("ada@example.org")
    await person.page.locator(f"input[value={how}]").check()
    await person.page.locator(".checkout .primary").click()
    return person.page


async def declined(stage: Stage) -> Page:
    """The bank says no; the seats are kept."""
    page = await _paid(stage, "no")
    await page.locator(".checkout > p.problem").wait_for()
    return page


async def confirmed(stage: Stage) -> Page:
    """The order, with the number read out."""
    page = await _paid(stage, "yes")
    await page.locator(".order-number").wait_for()
    await page.locator(".done details summary").click()
    return page


async def ended(stage: Stage) -> Page:
    """The time was up; the same seats can be asked for again."""
    person, _ = await _in_the_hall(stage, hold_seconds=2)
    await person.page.locator(".best button.primary").click()
    await person.page.get_by_role("button", name=stage.say("ask_again")).wait_for()
    return person.page


async def sixteen_thousand(stage: Stage) -> Page:
    """The largest hall."""
    person, _ = await _in_the_hall(stage, plan=export_plan(big_house(16_000)))
    return person.page


def _plan_of(path: Path) -> State:
    async def real_plan(stage: Stage) -> Page:
        person, _ = await _in_the_hall(
            stage, plan=export_plan(import_plan(msgspec.json.decode(path.read_bytes()), "uuid"))
        )
        return person.page

    return real_plan


async def went_on_elsewhere(stage: Stage) -> Page:
    """Another device of theirs has gone on with the place; what they do here is refused, with a way back."""
    person, sale = await _in_the_hall(stage)
    kept = await person.page.evaluate(f"JSON.parse(localStorage.getItem('parvis:{stage.house}/{sale.on_sale}'))")
    assert (await sale.claim(kept["place"], kept["secret"])).status == 201
    await person.page.locator(".best button.primary").click()
    await person.page.locator(".moved").wait_for()
    await person.page.wait_for_timeout(SETTLED_MS)
    return person.page


async def time_nearly_up(stage: Stage) -> Page:
    """Their turn ends soon: more time for the asking."""
    person, _ = await _in_the_hall(stage, pass_seconds=170)
    await person.page.locator(".pass-until .notice").first.wait_for()
    return person.page


STATES: list[tuple[str, State]] = [
    (each.__name__, each)
    for each in (
        *(
            choose,
            found,
            offline,
            apart,
            as_list,
            several_performances,
            too_late,
            sold_out,
            looking,
            paying,
            declined,
            confirmed,
            ended,
            went_on_elsewhere,
            time_nearly_up,
        ),
        sixteen_thousand,
    )
]
# Plans of one's own, in pretix's format: a folder that `PARVIS_PLANS` names.
OWN: list[Path] = sorted(Path(os.environ.get("PARVIS_PLANS", "/nowhere")).glob("*.pretix.json"))
STATES += [(path.name.partition(".")[0], _plan_of(path)) for path in OWN]
