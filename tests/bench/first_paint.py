"""P13 and P14: what travels to a visitor's phone, and when something is seen there."""

from statistics import median
from typing import Any, Final

from playwright.async_api import Browser, async_playwright

from api.pages import PAGE_FILES, WEB
from engine.instants import now_ms
from tests.bench.rounds import AT_MOST, Bar, Part
from tests.browser.find import launch_options
from tests.browser.person import PHONE
from tests.town import Town

ROUNDS: Final = 5
SLOWER: Final = 6
"""How many times slower than this machine the phone is."""
LINES: Final = {
    "a slow 3G line (400 ms, 400 kbit/s)": {"latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000},
    "a 4G line (170 ms, 1.6 Mbit/s)": {"latency": 170, "downloadThroughput": 200_000, "uploadThroughput": 93_750},
}
PAINTS: Final = """() => new Promise((resolve) => {
  let largest = 0;
  new PerformanceObserver((list) => { largest = list.getEntries().at(-1).startTime; })
    .observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => {
    const [first] = list.getEntriesByName('first-contentful-paint');
    if (first) setTimeout(() => resolve({ first: first.startTime, largest }), 50);
  }).observe({ type: 'paint', buffered: true });
})"""
HEAVIEST: Final = {
    "parvis.js": 12_000,
    "the seat map, more than parvis.js": 25_000,
    "the waiting page with everything that it loads": 40_000,
}
LATEST_MS: Final = {"slow": 4_000, "4G": 2_500}


def weights() -> dict[str, int]:
    """Bytes with Brotli, in the language whose words weigh most."""
    languages = {name.split("/")[1] for name in WEB if name.startswith("words/")}

    def words(*parts: str) -> int:
        return max(sum(len(WEB[f"words/{each}/{part}.json"].brotli) for part in parts) for each in languages)

    page = len(PAGE_FILES["waiting"].brotli) + sum(
        len(WEB[name].brotli) for name in ("waiting.js", "style.css", "parvis.svg")
    )
    return {
        "parvis.js": len(WEB["parvis.js"].brotli),
        "the seat map, more than parvis.js": len(WEB["seatmap.js"].brotli) + words("shop"),
        "the waiting page with everything that it loads": page + words("everywhere", "waiting"),
    }


async def sizes() -> list[Part]:
    """P13: bytes that travel, against what a phone in a train can bear."""
    return [
        Bar(what=f"{what}, bytes with Brotli", yardstick="a byte", sense=AT_MOST, bar=HEAVIEST[what]).judge_ratios(
            [weight], f"{weight:,} bytes"
        )
        for what, weight in weights().items()
    ]


async def _paint(browser: Browser, address: str, line: dict[str, int]) -> dict[str, float]:
    """When a fresh phone on such a line shows something, and its largest part, in ms."""
    phone: dict[str, Any] = PHONE
    context = await browser.new_context(**phone, locale="nl-BE")
    try:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", {"offline": False, **line})
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await page.goto(address)
        await page.locator("main button.primary").wait_for()
        found: dict[str, float] = await page.evaluate(PAINTS)
        return found
    finally:
        await context.close()


async def first_paint() -> list[Part]:
    """P14: the waiting page on a fresh phone, a slow line and a slow processor."""
    town = Town(["zeewind"]).start()
    parts = []
    try:
        await town.until_ready()
        opening: dict[str, Any] = {"opens_at_ms": now_ms() + 3_600_000}
        async with await town.open_sale("zeewind", **opening) as sale, async_playwright() as playwright:
            browser = await playwright.chromium.launch(**launch_options())
            address = f"{town.url}/h/zeewind/{sale.on_sale}"
            for name, line in LINES.items():
                found = [await _paint(browser, address, line) for _ in range(ROUNDS)]
                bar = LATEST_MS["slow" if "slow" in name else "4G"]
                for what, key in (("first", "first"), ("largest", "largest")):
                    times = [each[key] for each in found]
                    about = f"the waiting page's {what} contentful paint on {name}, processor {SLOWER}× slower, ms"
                    part = Bar(what=about, yardstick="a millisecond", sense=AT_MOST, bar=bar)
                    parts.append(part.judge_ratios(times, f"{median(times):,.0f} ms"))
            await browser.close()
    finally:
        town.stop()
    return parts
