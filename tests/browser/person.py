"""A person at a browser: their device, their pages, and everything that must not happen there."""

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

from tests.town import Sale

PHONE: Final = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
DESK: Final = {"viewport": {"width": 1280, "height": 800}}
PATIENCE_MS: Final = 15_000
LOCALES: Final = {"nl": "nl-BE", "fr": "fr-BE", "de": "de-DE", "en": "en-GB"}
MOST_STOPS: Final = 80
START_SECONDS: Final = 90
EXAMPLES: Final = Path(__file__).parents[2] / "deploy" / "examples"
FOCUS: Final = """() => {
  let focused = document.activeElement;
  while (focused.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  const look = getComputedStyle(focused);
  if (focused === document.body) return null;
  return {
    says: (focused.getAttribute('aria-label') || focused.labels?.[0]?.textContent || focused.textContent).trim(),
    // A heading that a page puts the focus on is no stop.
    isMarked: focused.tabIndex < 0 || look.outlineStyle !== 'none' || parseFloat(look.strokeWidth) >= 4,
  };
}"""
MAP: Final = "parvis-seat-map"
REACH: Final = """async (map, seat) => {
  const { y } = await map.reveal(seat);
  scrollBy(0, y - innerHeight / 2);
  return map.reveal(seat);
}"""
expect.set_options(timeout=PATIENCE_MS)


class Site:
    """A house's own website, as the demo serves it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"
        self.local_origin = f"http://localhost:{port}"
        """The same under a name that to a browser is another site than Parvis."""
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def embeds(self, sale: Sale) -> Iterator[str]:
        """The site's address, with an on-sale's waiting room in its page."""
        about = ("--name", "Concertzaal Zeewind", "--title", "Show", "--parvis", sale.town.url)
        which = ("--house", sale.slug, "--on-sale", sale.on_sale, "--port", str(self.port))
        with self._runs("-m", "engine.cli.house_site", *about, *which):
            yield self.origin + "/"

    @contextmanager
    def shows_examples(self, sale: Sale, *options: str) -> Iterator[str]:
        """The site's address, with the pages of `deploy/examples` about an on-sale."""
        which = ("--house", sale.slug, "--on-sale", sale.on_sale, "--port", str(self.port))
        with self._runs(str(EXAMPLES / "serve.py"), "--parvis", sale.town.url, *which, *options):
            yield self.local_origin

    @contextmanager
    def _runs(self, *arguments: str) -> Iterator[None]:
        self._process = subprocess.Popen([sys.executable, *arguments])
        try:
            self._wait()
            yield
        finally:
            self.stop()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, "the house's own site did not start"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Ends it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


class Person:
    """One person's browser: fresh, with nobody else's memory."""

    def __init__(self, context: BrowserContext, page: Page, url: str, origins: set[str]) -> None:
        self.context, self.page, self.url = context, page, url
        self.faults: list[str] = []
        self.refused: set[int] = set()
        self._origins = origins
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.faults.append(f"error: {error.error}"))
        context.on("request", self._see)
        context.on("response", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        # What the server refused is in `refused`. A policy that was broken is an error here.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def _see(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" not in self._origins:
            self.faults.append(f"a third party is asked: {request.url}")

    def _note(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.add(response.status)

    async def open(self, path: str) -> None:
        """Opens a page of Parvis by its path, or another's by its address."""
        await self.page.goto(self.url + path if path.startswith("/") else path)

    def button(self, name: "str | re.Pattern[str]") -> Locator:
        """A button that can be seen, by its words."""
        return self.page.get_by_role("button", name=name).locator("visible=true").first

    async def press(self, name: "str | re.Pattern[str]") -> None:
        """Presses a button, by its words."""
        await self.button(name).click()

    async def sees(self, *words: str) -> None:
        """Waits until each of the words can be read."""
        for text in words:
            await expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible()

    async def comes_in(self, sale: Sale, join: str = "Join the queue", enter: str = "Choose my seats") -> None:
        """From the waiting page to the seats of a sale that calls everybody."""
        await self.open(f"/h/{sale.slug}/{sale.on_sale}")
        await self.press(join)
        await self.press(enter)
        await expect(self.page.locator(".map-frame")).to_be_visible()

    def seat(self, seat: str) -> Locator:
        """A seat in the list, once its row is open."""
        return self.page.locator(f'.row [data-seat="{seat}"]').first

    async def state_of(self, seat: str) -> str | None:
        """A seat's state on the plan; nothing before the plan is there."""
        found: str | None = await self.page.locator(MAP).evaluate("(map, seat) => map.stateOf?.(seat) ?? null", seat)
        return found

    async def shows(self, state: str, *seats: str) -> None:
        """Waits until the plan shows seats in a state: `open held sold blocked picked mine`."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        for seat in seats:
            while (found := await self.state_of(seat)) != state:
                assert time.monotonic() < deadline, f"{seat} is {found}, not {state}"
                await asyncio.sleep(0.05)

    async def taps(self, seat: str) -> None:
        """Taps where a seat is, on a phone; the plan comes closer if the seat is too small for a finger."""
        spot = await self.page.locator(MAP).evaluate(REACH, seat)
        await self.page.touchscreen.tap(spot["x"], spot["y"])

    async def picks(self, *seats: str) -> None:
        """Picks seats on the plan, by finger."""
        for seat in seats:
            await self.shows("open", seat)
            await self.taps(seat)
            await self.shows("picked", seat)

    async def tabs_to(self, name: str) -> None:
        """Presses Tab until what says so has the focus; everything on the way is visibly marked."""
        stops: list[str] = []
        while len(stops) < MOST_STOPS:
            found = await self.page.evaluate(FOCUS)
            if found:
                assert found["isMarked"], f"the focus cannot be seen on {found}"
                if name in found["says"]:
                    return
                stops.append(found["says"])
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never came to {name!r}; it stopped at {stops}")

    async def finds(self, sale: Sale, state: str, count: int) -> None:
        """Waits until so many seats of a sale are in a state (a letter); the document is up to a second old."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while (found := (await sale.seats()).count(state)) != count:
            assert time.monotonic() < deadline, f"{found} seats are {state!r}, not {count}"
            await asyncio.sleep(0.1)

    async def kept(self, sale: Sale) -> dict[str, Any]:
        """What this device keeps of an on-sale."""
        name = f"parvis:{sale.slug}/{sale.on_sale}"
        found: dict[str, Any] = await self.page.evaluate(
            "(name) => JSON.parse(localStorage.getItem(name) ?? '{}')", name
        )
        return found

    async def overflow(self) -> int:
        """How many pixels of the page lie beyond the screen's right edge."""
        # Not `innerWidth`: a phone that zooms out to show a page that is too wide counts the whole of it.
        root = "document.documentElement"
        return int(await self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


class People:
    """Everybody who opens a browser."""

    def __init__(self, browser: Browser, url: str, *sites: str) -> None:
        self._browser, self._url, self._origins = browser, url, {url, *sites}

    @asynccontextmanager
    async def arrive(
        self, device: dict[str, Any] = DESK, language: str = "en", refused: Sequence[int] = (), **options: Any
    ) -> AsyncIterator[Person]:
        """A person with a fresh device. On leaving: nothing went wrong in their pages but what is `refused`."""
        context = await self._browser.new_context(**device, locale=LOCALES[language], **options)
        context.set_default_timeout(PATIENCE_MS)
        person = Person(context, await context.new_page(), self._url, self._origins)
        try:
            yield person
        except BaseException as error:
            error.add_note(f"{person.page.url} said:\n{await person.page.inner_text('body')}\nfaults: {person.faults}")
            raise
        finally:
            await context.close()
        assert not person.faults, person.faults
        assert person.refused <= set(refused), f"refused: {person.refused}, expected: {refused}"
