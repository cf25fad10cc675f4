"""Each state of what people wait on, as some of them need it: read out, on a narrow screen, with large text, in a few
colours of their own, without motion, and by thumb.
"""

import pytest
from playwright.async_api import Locator, Page

from tests.browser import states_embedding, states_waiting
from tests.browser.person import People, Site
from tests.browser.screenshots import Stage, State
from tests.browser.test_accessibility import page_has_no_barrier
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
NARROW = {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True}
# The hall is the shop's; and what stands in a frame is seen beside it.
ELSEWHERE = {"seat_map", "frame_that_keeps_its_visitors"}
STATES = [
    pytest.param(state, id=name)
    for name, state in (*states_waiting.STATES, *states_embedding.STATES)
    if name not in ELSEWHERE
]
LARGE = "(percent) => { document.documentElement.style.fontSize = percent; }"
BEYOND = """() => {
  const root = document.documentElement;
  return root.scrollWidth - root.clientWidth;
}"""
EVERYTHING = """
  const under = (each) => [each, ...each.shadowRoot ? inside(each.shadowRoot) : []];
  const inside = (root) => [...root.querySelectorAll('*')].flatMap(under);
  const all = inside(document).filter((each) => each.checkVisibility());
  const name = (each) => `${each.localName}.${each.className} ${each.textContent.trim().slice(0, 30)}`;
"""
MOVES = f"""() => {{ {EVERYTHING}
  const isStill = (look) => look.animationName === 'none' && /^0s(, 0s)*$/.test(look.transitionDuration);
  const looks = (each) => ['', '::before', '::after'].map((part) => getComputedStyle(each, part));
  return [...all.filter((each) => !looks(each).every(isStill)).map(name), ...document.getAnimations().map(String)];
}}"""
PRESSED = (
    "button, select, summary, input:not([type=radio], [type=checkbox]), "
    "a.button, a.house, .bottom a, .onwards a, .tongues a"
)
"""A thumb needs 44 pixels; a link in a sentence is as high as its line."""
SMALL = f"""(pressed) => {{ {EVERYTHING}
  const height = (each) => each.getBoundingClientRect().height;
  const low = all.filter((each) => each.matches(pressed) && height(each) < 43.5);
  return low.map((each) => `${{name(each)}}: ${{height(each)}}`);
}}"""
LOST = f"""() => {{ {EVERYTHING}
  const isEdged = (look) => parseFloat(look.borderTopWidth) > 0 && look.borderTopColor !== look.backgroundColor;
  const isSeen = (look) => look.textDecorationLine === 'underline' || isEdged(look);
  const ground = getComputedStyle(document.body).backgroundColor;
  const of = (what) => all.filter((each) => each.matches(what));
  return [
    ...of('button, select, input, a.button').filter((each) => !isSeen(getComputedStyle(each))),
    ...of('.swatch').filter((each) => getComputedStyle(each).backgroundColor === ground),
  ].map(name);
}}"""
"""What nobody can tell from what lies around it once the browser has taken a page's colours away."""


@pytest.mark.parametrize("state", STATES)
async def test_a_state_leaves_nobody_out(town: Town, site: Site, people: People, state: State) -> None:
    stage = Stage(town, site, people, NARROW, "en")
    try:
        await leaves_nobody_out(await state(stage), state.__name__)
    finally:
        await stage.close()


async def leaves_nobody_out(page: Page, where: str) -> None:
    """All that can be asked of a page that stands there."""
    assert await page.evaluate(BEYOND) == 0, f"{where} is too wide for a narrow screen"
    assert await page.evaluate(SMALL, PRESSED) == [], f"{where}, by thumb"
    await page_has_no_barrier(page, where)
    assert await page.evaluate(MOVES) == [], f"{where} moves"
    await page.emulate_media(forced_colors="active", color_scheme="dark", reduced_motion="no-preference")
    assert await page.evaluate(LOST) == [], f"{where}, in forced colours"
    for bar in await page.locator("progress").locator("visible=true").all():
        empty, full = [await _filled(bar, share) for share in (0, 1)]
        assert empty != full, f"{where}: how far one has come cannot be seen in forced colours"
    await page.emulate_media(forced_colors="none", color_scheme="light")
    await page.evaluate(LARGE, "200%")
    assert await page.evaluate(BEYOND) == 0, f"{where} is too wide in large text"


async def _filled(bar: Locator, share: float) -> bytes:
    """A picture of the bar, filled so far; of a copy, which the page does not go on filling."""
    await bar.evaluate(
        """(bar, share) => {
          const copy = bar.cloneNode();
          copy.value = copy.max * share;
          bar.replaceWith(copy);
        }""",
        share,
    )
    return await bar.screenshot(animations="disabled")
