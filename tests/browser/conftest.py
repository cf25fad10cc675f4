"""A town whose house has a website of its own, and a real browser in which every page is watched."""

import tomllib
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import tomli_w
from playwright.async_api import async_playwright

from tests.browser.find import launch_options
from tests.browser.person import People, Site
from tests.operated import OPERATOR_KEY_HASH
from tests.town import Town, free_port

HOUSE = "zeewind"


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The house's own website, on an origin of its own; started by the test that wants it."""
    place = Site(free_port())
    yield place
    place.stop()


def house_town(site: Site) -> Town:
    """One house that speaks four languages, with colours, whose website may use the API; not started yet."""
    town = Town([HOUSE])
    described = tomllib.loads(town.source.read_text()) | {"operator_keys": [OPERATOR_KEY_HASH]}
    described["houses"][0] |= {
        "name": "Concertzaal Zeewind",
        "languages": ["nl", "fr", "de", "en"],
        "colours": {"primary": "#0b3c5d", "accent": "#c8501e", "background": "#ffffff", "text": "#14202b"},
        "allowed_origins": [site.origin, site.local_origin],
        "return_addresses": [f"{site.local_origin}/redirect/back.html", f"{site.local_origin}/parvis/return"],
    }
    town.source.write_text(tomli_w.dumps(described))
    town.environment["PARVIS_WEB_VERSIONS"] = str(town.folder / "web")
    return town


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(site: Site) -> AsyncIterator[Town]:
    """The town of the browser tests, as it runs."""
    running = house_town(site).start()
    try:
        await running.until_ready()
        yield running
    finally:
        running.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def people(town: Town, site: Site) -> AsyncIterator[People]:
    """Opens pages for persons, in one browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_options())
        yield People(browser, town.url, site.origin, site.local_origin)
        await browser.close()
