"""A town whose house has a website of its own, and a real browser in which every page is watched."""

import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
import pytest_asyncio
import tomli_w
from playwright.async_api import async_playwright

from engine.ports import free_port
from tests.browser.find import launch_options
from tests.browser.person import People, Site
from tests.operated import OPERATOR_KEY_HASH
from tests.town import Town

HOUSE = "zeewind"
SomeTown = TypeVar("SomeTown", bound=Town)


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """The house's own website, on an origin of its own; started by the test that wants it."""
    place = Site(free_port())
    yield place
    place.stop()


def house_town(site: Site) -> Town:
    """One house that speaks four languages, with colours, whose website may use the API; not started yet."""
    town = Town([HOUSE], limits={"holds_an_order": 4})
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


@asynccontextmanager
async def ready(made: SomeTown) -> AsyncIterator[SomeTown]:
    """A town while it serves."""
    made.start()
    try:
        await made.until_ready()
        yield made
    finally:
        made.stop()


@asynccontextmanager
async def people_of(town: Town, *origins: str) -> AsyncIterator[People]:
    """Opens pages of a town for persons, in one browser. `origins`: of its house's website, if it has one."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_options())
        yield People(browser, town.url, *(origins or (town.url,)))
        await browser.close()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def town(site: Site) -> AsyncIterator[Town]:
    """The town of the browser tests, as it runs."""
    async with ready(house_town(site)) as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def people(town: Town, site: Site) -> AsyncIterator[People]:
    """Opens pages for persons, in one browser."""
    async with people_of(town, site.origin, site.local_origin) as opened:
        yield opened
