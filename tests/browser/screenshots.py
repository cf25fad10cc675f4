"""A picture of every page in every state: `make screenshots`, or some of them: `make screenshots SHOTS="waiting"`.

The states come from the files `states_*.py` beside this one. Each has a list
`STATES: list[tuple[str, Callable[[Stage], Awaitable[Page]]]]`: a name, and how to get there.
"""

import asyncio
import html
import importlib
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import msgspec
from playwright.async_api import Page, async_playwright

from engine.ports import free_port
from tests.browser.conftest import HOUSE, house_town
from tests.browser.find import launch_options
from tests.browser.person import DESK, PHONE, People, Person, Site
from tests.town import Sale, Town

FOLDER: Final = Path("reports/screenshots")
HERE: Final = Path(__file__).parent
WORDS: Final = HERE.parents[1] / "api" / "web" / "words"
DARK: Final = {**PHONE, "color_scheme": "dark"}
PICTURES: Final = (("360", PHONE, "en"), ("1280", DESK, "en"), ("360-de", PHONE, "de"), ("360-dark", DARK, "en"))
"""German has the longest words: what fits in German on a phone fits."""
DESCRIPTION: Final = """<!doctype html><meta charset="utf-8"><title>Pictures</title>
<style>
body { font: 16px system-ui; margin: 2rem; background: #ddd }
section { display: flex; gap: 1rem; overflow-x: auto; align-items: start; margin-bottom: 2rem }
figure { margin: 0 }
img { height: 32rem; background: #fff }
.wrong { color: #b00 }
</style><h1>Every page in every state</h1>"""

State = Callable[["Stage"], Awaitable[Page]]


class Stage:
    """What a state plays on: one town, and a device and a language that the pictures go through."""

    def __init__(self, town: Town, site: Site, people: People, device: dict[str, Any], language: str) -> None:
        self.town, self.site, self.people = town, site, people
        self.device, self.language = device, language
        self.is_phone = device is not DESK
        self.house = HOUSE
        self._open = AsyncExitStack()

    async def arrive(self, **options: Any) -> Person:
        """A person with a fresh device, in the picture's size and language. `options`: as for Playwright's contexts."""
        return await self._open.enter_async_context(
            self.people.arrive(self.device, self.language, refused=range(400, 600), **options)
        )

    async def sale(self, **changed: Any) -> Sale:
        """A fresh on-sale that calls everybody, unless `changed`; as `Town.open_sale`."""
        return await self._open.enter_async_context(await self.town.open_sale(self.house, **changed))

    def say(self, key: str) -> str:
        """What a page says for a key in the picture's language: a state presses buttons by it, in any language."""
        parts = msgspec.json.decode((WORDS / f"{self.language}.json").read_bytes(), type=dict[str, dict[str, Any]])
        return next(str(part[key]) for part in parts.values() if key in part)

    async def enter(self, context: Any) -> Any:
        """Enters a context (with or without `async`) that lasts until the picture is taken."""
        if hasattr(context, "__aenter__"):
            return await self._open.enter_async_context(context)
        return self._open.enter_context(context)

    async def close(self) -> None:
        """Ends what a state has opened."""
        await self._open.aclose()


def every_state() -> list[tuple[str, State]]:
    """All of them, by file and in the files' order. Raises `ValueError` when two have one name."""
    found = [
        (f"{path.stem.removeprefix('states_')}-{name}", state)
        for path in sorted(HERE.glob("states_*.py"))
        for name, state in importlib.import_module(f"tests.browser.{path.stem}").STATES
    ]
    if len(found) != len(dict(found)):
        raise ValueError("two states have one name")
    return found


async def _picture(name: str, state: State, stage: Stage) -> str:
    """Takes one; says what went wrong, or nothing."""
    wrong = ""
    try:
        page = await state(stage)
        await page.wait_for_load_state()
        await page.screenshot(path=FOLDER / name, full_page=True, animations="disabled")
        root = "document.documentElement"
        beyond = int(await page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))
        wrong = f"{beyond} pixels lie beyond the right edge" if beyond > 0 else ""
    except Exception as error:  # noqa: BLE001 - the other pictures are taken all the same
        wrong = f"{type(error).__name__}: {error}"
    try:
        await stage.close()
    except Exception as error:  # noqa: BLE001
        wrong = wrong or f"{type(error).__name__}: {error}"
    return wrong


async def take(names: Sequence[str] = ()) -> int:
    """Takes the pictures of the states whose names contain one of `names` (none: all); how many went wrong."""
    states = [each for each in every_state() if not names or any(name in each[0] for name in names)]
    if not names:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    site = Site(free_port())
    town = house_town(site).start()
    sheet, faults = [DESCRIPTION], 0
    try:
        await town.until_ready()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(**launch_options())
            people = People(browser, town.url, site.origin, site.local_origin)
            for name, state in states:
                sheet.append(f"<h2>{html.escape(name)}</h2><section>")
                for suffix, device, language in PICTURES:
                    picture = f"{name}-{suffix}.png"
                    wrong = await _picture(picture, state, Stage(town, site, people, device, language))
                    faults += bool(wrong)
                    print(f"{'✗' if wrong else '✓'} {picture} {wrong}", flush=True)
                    sheet.append(
                        f'<figure><a href="{picture}"><img src="{picture}" alt="" loading="lazy"></a>'
                        f'<figcaption>{suffix} <b class="wrong">{html.escape(wrong)}</b></figcaption></figure>'
                    )
                sheet.append("</section>")
            await browser.close()
    finally:
        site.stop()
        town.stop()
    name = "some.html" if names else "index.html"
    (FOLDER / name).write_text("\n".join(sheet))
    print(f"{FOLDER / name}: {len(states) * len(PICTURES)} pictures, {faults} with a fault")
    return faults


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(take(sys.argv[1:])) else 0)
