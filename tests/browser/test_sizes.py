"""The shop, with JavaScript and without, for narrow screens, for large letters, for fingers and in forced colours."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.person import DESK, PHONE, People, Person
from tests.browser.test_accessibility import has_no_barrier
from tests.plain import room
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
NARROW = {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True}
TWICE = "addEventListener('DOMContentLoaded', () => { document.documentElement.style.fontSize = '200%'; });"
SIZES: dict[str, tuple[dict[str, Any], bool]] = {
    "320 pixels": (NARROW, False),
    "letters twice as large on a phone": (PHONE, True),
    "letters twice as large at a desk": (DESK, True),
}
EVERY = """(judge) => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) visit(element.shadowRoot);
      const box = element.getBoundingClientRect();
      if (box.width && box.height && judge(element, box)) found.push(element.outerHTML.slice(0, 160));
    }
  };
  visit(document);
  return found;
}"""
CUT = f"""() => ({EVERY})((element, box) => {{
  // What is meant to be moved sideways, what nobody sees, and the picture of the hall.
  if (element.closest('.tabs, .unseen, .skip, .map-frame, head')) return false;
  if (box.right > document.documentElement.clientWidth + 1 || box.left < -1) return true;
  // What was typed moves within its field.
  if (element.matches('input')) return false;
  // What somebody types may be longer than its field.
  const isClipped = !element.matches('input') && ['hidden', 'clip'].includes(getComputedStyle(element).overflowX);
  return isClipped && element.scrollWidth > element.clientWidth + 1;
}})"""
"""Elements of which something is cut off, or beyond the screen's edges."""
SMALL = f"""() => ({EVERY})((element, box) => {{
  if (!element.matches('button, select, summary, input, a[href]')) return false;
  if (element.closest('.unseen, .skip')) return false;
  // A link within a sentence is as high as the sentence.
  if (element.matches('a') && getComputedStyle(element).display === 'inline') return false;
  const target = element.closest('label') ?? element;
  const {{ width, height }} = target.getBoundingClientRect();
  return Math.min(width, height) < 43.5;
}})"""
"""What a finger may miss."""


async def fits(person: Person, where: str) -> None:
    """Nothing lies beyond the screen's edge, and no word is cut."""
    cut: list[str] = await person.page.evaluate(CUT)
    assert not cut, (where, cut)
    assert await person.overflow() == 0, where


async def can_be_hit(person: Person, where: str) -> None:
    """Everything that is pressed is as large as a finger."""
    small: list[str] = await person.page.evaluate(SMALL)
    assert not small, (where, small)


async def shops(visitor: Person, sale: Sale, look: Any) -> None:
    """The whole way, `look(visitor, where)` at each stop."""
    page = visitor.page
    await visitor.comes_in(sale)
    await visitor.shows("open", "zaal-B-2")
    await look(visitor, "the plan")
    await visitor.press("Find the best seats")
    await expect(page.locator(".found")).to_be_visible()
    await page.locator(".best summary").click()
    await look(visitor, "the basket")
    await visitor.press("List")
    await page.locator("details.row > summary").nth(1).click()
    await visitor.seat("zaal-B-2").click()
    await visitor.seat("zaal-B-3").click()
    await look(visitor, "the list")
    await visitor.press("Reserve these 2 seats")
    await expect(page.locator(".basket .hold")).to_have_count(2)
    await visitor.press("To payment")
    await visitor.press(re.compile("^Pay €"))
    await expect(page.locator(".fault")).to_be_visible()
    await look(visitor, "the form")
    await page.get_by_label("E-mail").fill("somebody-with-a-rather-long-address@a-long-domain-name.example.org")
    await visitor.press(re.compile("^Pay €"))
    await visitor.sees("Your order is confirmed")
    await page.locator(".done summary").click()
    await look(visitor, "the confirmation")


@pytest.mark.parametrize("size", SIZES)
async def test_the_shop_fits(town: Town, people: People, size: str) -> None:
    device, is_twice = SIZES[size]
    async with await town.open_sale("zeewind", shows=2, hold_seconds=300) as sale, people.arrive(device) as visitor:
        if is_twice:
            await visitor.context.add_init_script(TWICE)
        await shops(visitor, sale, fits)


async def test_everything_in_the_shop_is_large_enough_for_a_finger(town: Town, people: People) -> None:
    async with await town.open_sale("zeewind", shows=2, hold_seconds=300) as sale, people.arrive(PHONE) as visitor:
        await shops(visitor, sale, can_be_hit)


async def test_forced_colours_tell_every_state_of_a_seat(town: Town, people: People) -> None:
    looks = """(seat) => {
      const [look, mark] = [getComputedStyle(seat), getComputedStyle(seat, '::after')];
      return [look.backgroundColor, look.borderTopWidth, look.borderTopStyle, look.textDecorationLine,
        mark.content].join();
    }"""

    async def look(person: Person, where: str) -> None:
        await has_no_barrier(person, where)
        chosen = person.page.locator(".chip input:checked + span").first
        if await chosen.count():
            other = person.page.locator(".chip input:not(:checked) + span").first
            colours = [await each.evaluate("(e) => getComputedStyle(e).backgroundColor") for each in (chosen, other)]
            assert colours[0] != colours[1], (where, colours)

    async with (
        await town.open_sale("zeewind", hold_seconds=300) as sale,
        people.arrive(PHONE, forced_colors="active") as visitor,
    ):
        other = await sale.enter()
        held = await sale.hold(other, "zaal-B-7", "zaal-B-8")
        assert (await sale.order(other, held.json["hold"])).status == 202
        assert (await sale.hold(await sale.enter(), "zaal-B-9", "zaal-B-10")).status == 201
        seen: dict[str, str] = {}

        async def list_look(person: Person, where: str) -> None:
            await look(person, where)
            if where == "the list":
                for name, seat in (("open", "B-1"), ("picked", "B-2"), ("sold", "B-7"), ("held", "B-9")):
                    seen[name] = await person.seat(f"zaal-{seat}").evaluate(looks)

        await shops(visitor, sale, list_look)
        assert len({seen["open"], seen["picked"], seen["sold"]}) == 3, seen
        assert seen["held"] != seen["open"], seen


async def test_the_shop_without_javascript_fits_and_can_be_hit(town: Town, people: People) -> None:
    async def look(person: Person, where: str) -> None:
        await fits(person, where)
        await can_be_hit(person, where)

    for device, is_twice in SIZES.values():
        async with (
            await town.open_sale("zeewind", shows=2, hold_seconds=300) as sale,
            people.arrive(device, refused=[422]) as visitor,
        ):
            page = visitor.page
            if is_twice:
                await visitor.context.add_init_script(TWICE)
            await visitor.open(room(sale))
            await look(visitor, "the queue")
            await visitor.press("Join the queue")
            await visitor.press("Choose my seats")
            await look(visitor, "the seats")
            await page.get_by_role("link", name="row C").click()
            seats = page.locator(".run li:not(.taken)")
            await page.locator('input[value="zaal-C-4"]').check()
            edges = [await seats.nth(at).evaluate("(e) => getComputedStyle(e).borderTopColor") for at in (3, 4)]
            assert edges[0] != edges[1], "what is ticked looks different"
            await look(visitor, "a row")
            await visitor.press("Reserve the ticked seats")
            await look(visitor, "the basket")
            await page.locator(".basket a.primary").click()
            await page.locator("#email").fill("ada@example")
            await page.locator("form.checkout .primary").click()
            await visitor.sees("Enter an e-mail address")
            await look(visitor, "the form")
            await page.locator("#email").fill("ada@example.org")
            await page.locator("form.checkout .primary").click()
            await visitor.sees("Your order is confirmed")
            await look(visitor, "the confirmation")
