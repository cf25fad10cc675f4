"""What every page and file comes with: a strict policy, the right type, its weight, and how long it may be kept."""

import gzip
import re

import aiohttp
import brotli
import pytest

from api.pages import PAGE_FILES, VERSION, WEB
from tests.browser.person import People
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PAGES = ("/", "/h/zeewind", "/h/zeewind/a-sale", "/h/zeewind/a-sale/seats", "/h/zeewind/control", "/h/zeewind/counter")
HEAVIEST_WAITING_PAGE_BYTES = 40_000
HEAVIEST_WIDGET_BYTES = 12_000
HEAVIEST_WORDS_BYTES = 6_000
TYPES = {"css": "text/css", "json": "application/json", "js": "text/javascript", "svg": "image/svg+xml"}


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_comes_with_a_policy_that_allows_only_our_own_files(town: Town, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(town.url + path) as answer:
        text = await answer.text()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert not re.search(r"<style|<script>| style=| on[a-z]+=", text)


async def test_a_file_is_kept_for_good_under_its_version_and_not_at_all_under_another(town: Town) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        for name, file in WEB.items():
            for encoding, unpack in (("gzip", gzip.decompress), ("br, gzip", brotli.decompress), ("", bytes)):
                headers = {"Accept-Encoding": encoding}
                async with session.get(f"{town.url}/web/{VERSION}/{name}", headers=headers) as answer:
                    body = await answer.read()
                assert (answer.status, unpack(body)) == (200, file.body), (name, encoding)
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Content-Type"].startswith(TYPES[name.rpartition(".")[2]]), name
            assert answer.headers["Content-Type"].count("charset") <= 1
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        async with session.get(
            f"{town.url}/web/0123456789ab/waiting.js", headers={"Accept-Encoding": "identity"}
        ) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
            assert await answer.read() == WEB["waiting.js"].body


async def test_the_widgets_address_stays_the_same_and_brings_the_file_that_is_kept_for_good(town: Town) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{town.url}/web/parvis.js") as answer:
            brought = re.findall(r"^import '(.+)';$", await answer.text(), re.MULTILINE)
            assert "max-age=300" in answer.headers["Cache-Control"]
        assert brought == [f"/web/{VERSION}/parvis.js"]
        async with session.get(f"{town.url}/web/parvis.js", headers={"If-None-Match": answer.headers["ETag"]}) as again:
            assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize(
    "name",
    [
        "waiting.js",
        f"{VERSION}/line.js",
        f"{VERSION}/words/nl.json",
        f"{VERSION}/page.html",
        f"{VERSION}/nothing.js",
        f"{VERSION}/../pages.py",
        f"{VERSION}/%2e%2e/pages.py",
        "",
        "//",
        "%00",
    ],
)
async def test_no_other_address_gives_a_file(town: Town, name: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{town.url}/web/{name}") as answer:
        assert answer.status == 404


async def test_the_widget_weighs_little_with_its_words(town: Town) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        weights = {}
        for name in ("parvis.js", "words/de/everywhere.json"):
            headers = {"Accept-Encoding": "br"}
            async with session.get(f"{town.url}/web/{VERSION}/{name}", headers=headers) as answer:
                weights[name] = len(await answer.read())
    assert 1000 < weights["parvis.js"] <= HEAVIEST_WIDGET_BYTES
    assert 1000 < weights["words/de/everywhere.json"] <= HEAVIEST_WORDS_BYTES


async def test_a_waiting_page_weighs_little_on_a_bad_line(people: People) -> None:
    """Compressed, with everything that it loads before a visitor has a number."""
    modules = ["waiting.js", "words/fr/everywhere.json", "words/fr/waiting.json", "style.css", "parvis.svg"]
    weight = len(PAGE_FILES["waiting"].brotli) + sum(len(WEB[name].brotli) for name in modules)
    assert weight <= HEAVIEST_WAITING_PAGE_BYTES
    # The list above is what a browser really asks for.
    async with people.arrive(language="fr", refused=[404]) as visitor:
        asked: list[str] = []
        visitor.page.on("request", lambda request: asked.append(request.url))
        await visitor.open("/h/zeewind/nothing")
        await visitor.sees("Cette maison n’a pas de vente de ce nom.")
        files = [url.rpartition(f"/web/{VERSION}/")[2] for url in asked if "/web/" in url]
        assert set(files) - set(modules) == set()
        assert len(files) == len(set(files)), "a file is loaded twice"
