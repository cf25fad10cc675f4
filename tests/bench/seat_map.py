"""P15: a plan of 16,000 seats on a phone whose processor is six times slower: what a finger feels, and how soon.

Frames are counted by the page itself while the browser's own gestures (real touches, through its protocol) drag and
pinch the plan; the yardstick is the same gestures in a page where they move one empty box, on the same phone, in turns.
"""

import asyncio
from statistics import median, quantiles
from typing import Any, Final

import msgspec
from playwright.async_api import CDPSession, Page, async_playwright

from engine.halls.generate import big_house
from engine.halls.pretix import export_plan
from engine.ports import free_port
from tests.bench.rounds import AT_MOST, Bar, Part, interleave
from tests.browser.conftest import HOUSE, house_town
from tests.browser.find import launch_options
from tests.browser.person import PHONE, People, Person, Site
from tests.town import Sale

SEATS: Final = 16_000
SLOWER: Final = 6
ROUNDS: Final = 3
PATIENCE_SECONDS: Final = 30
FRAME_MS: Final = 1000 / 60
LATE_MS: Final = FRAME_MS + 1
"""A frame that came on time is measured to a fraction of a millisecond."""
MOVED_BOX: Final = """<!doctype html><meta name="viewport" content="width=device-width"><style>body { margin: 0 }
.map-frame { position: absolute; top: 200px; left: 20px; width: 320px; height: 420px; touch-action: none;
  overflow: hidden }
.moved { width: 320px; height: 420px; background: #eee; will-change: transform }
</style><div class="map-frame"><div class="moved"></div></div><script>
const moved = document.querySelector('.moved');
let asked = null;
document.querySelector('.map-frame').addEventListener('pointermove', ({ clientX, clientY }) => {
  asked ??= requestAnimationFrame(() => {
    asked = null;
    moved.style.transform = `translate(${clientX}px, ${clientY}px)`;
  });
});
</script>"""
COUNT: Final = """() => {
  const [frames, tasks] = [[], []];
  let last = null;
  const tick = (now) => {
    if (last !== null) frames.push(now - last);
    last = now;
    window.counting = requestAnimationFrame(tick);
  };
  window.counting = requestAnimationFrame(tick);
  const watcher = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
  watcher.observe({ type: 'longtask' });
  window.counted = () => { cancelAnimationFrame(window.counting); watcher.disconnect(); return { frames, tasks }; };
}"""
FIRST: Final = """() => {
  const once = { once: true, capture: true };
  window.whenDrawn = new Promise((resolve) => { addEventListener('drawn', () => resolve(performance.now()), once); });
}"""

FRAMES = Bar(
    what=f"95th percentile of a frame while dragging and pinching {SEATS:,} seats, processor {SLOWER} times slower",
    yardstick="the same gestures move an empty box",
    sense=AT_MOST,
    bar=1.3,
    moonshot=1.05,
)
LATE = Bar(
    what="frames that came later than a sixtieth of a second, percent of all, beyond those that the box alone has",
    yardstick="1 percent",
    sense=AT_MOST,
    bar=10,
    moonshot=1,
)
PICTURE = Bar(
    what=f"from opening the page to the whole hall of {SEATS:,} seats sharp on it, processor {SLOWER} times slower",
    yardstick="1 s",
    sense=AT_MOST,
    bar=6,
    moonshot=2.5,
)
READY = Bar(
    what="from opening the page to asking for the best seats, processor six times slower",
    yardstick="1 s",
    sense=AT_MOST,
    bar=3,
    moonshot=1.5,
)


class Felt(msgspec.Struct):
    """Frames and long tasks of one run of gestures, in milliseconds."""

    frames: list[float]
    tasks: list[float]

    @property
    def p95(self) -> float:
        return quantiles(self.frames, n=20)[-1]

    @property
    def late_percent(self) -> float:
        return 100 * sum(frame > LATE_MS for frame in self.frames) / len(self.frames)


async def gestures(page: Page, session: CDPSession) -> Felt:
    """Pinches in, drags about, pinches out."""
    await page.locator(".map-frame").scroll_into_view_if_needed()
    box = await page.locator(".map-frame").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def pinch(scale: float) -> None:
        facts = {"x": x, "y": y, "scaleFactor": scale, "relativeSpeed": 500, "gestureSourceType": "touch"}
        await session.send("Input.synthesizePinchGesture", facts)

    await page.evaluate(COUNT)
    await pinch(3)
    for dx, dy in ((-120, -80), (100, 160), (-90, 120), (130, -170)):
        facts = {"x": x, "y": y, "xDistance": dx, "yDistance": dy, "speed": 300, "gestureSourceType": "touch"}
        await session.send("Input.synthesizeScrollGesture", {**facts, "preventFling": True})
    await pinch(0.4)
    counted: dict[str, Any] = await page.evaluate("() => window.counted()")
    return Felt(counted["frames"], counted["tasks"])


async def slowed(person: Person) -> CDPSession:
    """The person's page on a slower processor."""
    session = await person.context.new_cdp_session(person.page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return session


async def opening(people: People, sale: Sale, token: dict[str, Any]) -> tuple[float, float]:
    """Seconds to the form for the best seats and to the hall's picture, on a fresh phone whose turn it is."""
    async with people.arrive(PHONE) as person:
        await slowed(person)
        page = person.page
        await page.add_init_script(f"({FIRST})()")
        name, kept = f"parvis:{HOUSE}/{sale.on_sale}", msgspec.json.encode(token).decode()
        await page.add_init_script(f"localStorage.setItem({name!r}, {kept!r})")
        await person.open(f"/h/{HOUSE}/{sale.on_sale}/seats")
        await page.locator(".best button.primary").wait_for()
        ready: float = await page.evaluate("performance.now()")
        drawn: float = await asyncio.wait_for(page.evaluate("window.whenDrawn"), PATIENCE_SECONDS)
        return ready / 1000, drawn / 1000


async def seat_map() -> list[Part]:
    """P15."""
    site = Site(free_port())
    town = house_town(site).start()
    try:
        await town.until_ready()
        async with (
            async_playwright() as playwright,
            await town.open_sale(HOUSE, plan=export_plan(big_house(SEATS))) as sale,
        ):
            browser = await playwright.chromium.launch(**launch_options())
            people = People(browser, town.url, site.origin, "null")
            place, secret = await sale.join()
            given = await sale.pass_for(place, secret)
            token = {
                "place": place,
                "secret": secret,
                "index": 0,
                "pass": given,
                "pass_expires_at": sale.expires_at(given),
            }
            opened = [await opening(people, sale, token) for _ in range(ROUNDS)]
            ours, empty = await _felt(people, sale)
            await browser.close()
    finally:
        town.stop()
    frames = sorted(frame for each in ours for frame in each.frames)
    tasks = [task for each in ours for task in each.tasks]
    told = (
        f"{len(frames)} frames, median {median(frames):.1f} ms, "
        f"95th percentile {frames[int(len(frames) * 0.95)]:.1f} ms, "
        f"{len(tasks)} tasks over 50 ms, the longest {max(tasks, default=0):.0f} ms"
    )
    ratios = [one.p95 / other.p95 for one, other in zip(ours, empty, strict=True)]
    return [
        FRAMES.judge_ratios(ratios, told),
        LATE.judge_ratios(
            [max(0.0, one.late_percent - other.late_percent) for one, other in zip(ours, empty, strict=True)],
            f"{median(each.late_percent for each in ours):.1f} percent, "
            f"the box alone {median(each.late_percent for each in empty):.1f}",
        ),
        PICTURE.judge_ratios([drawn for _, drawn in opened], f"{min(drawn for _, drawn in opened):.2f} s at best"),
        READY.judge_ratios([ready for ready, _ in opened], f"{min(ready for ready, _ in opened):.2f} s at best"),
    ]


async def _felt(people: People, sale: Sale) -> tuple[list[Felt], list[Felt]]:
    """What gestures feel like on the plan and on an empty box, in turns."""
    ours: list[Felt] = []
    empty: list[Felt] = []
    async with people.arrive(PHONE) as person, people.arrive(PHONE) as idler:
        await person.open(f"/h/{HOUSE}/{sale.on_sale}/seats")
        await person.page.locator(".map-frame").wait_for()
        await person.page.wait_for_timeout(2_000)
        await idler.page.set_content(MOVED_BOX)
        sessions = {each: await slowed(each) for each in (person, idler)}

        async def plan() -> float:
            await person.page.bring_to_front()
            ours.append(await gestures(person.page, sessions[person]))
            return ours[-1].p95

        async def box() -> float:
            await idler.page.bring_to_front()
            empty.append(await gestures(idler.page, sessions[idler]))
            return empty[-1].p95

        await interleave(ROUNDS, {"plan": plan, "box": box})
    return ours[1:], empty[1:]
