"""How a house's pages look is in its own hands: drafted, seen by a link, published, taken back, and nobody else's."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from engine.cli.sales import at_house
from engine.colours import contrast, parse
from engine.instants import now_ms
from engine.pictures import LARGEST_BYTES
from engine.signing import Preview
from engine.theme import FACT, OWN_WORDS
from tests.integration.commands import Parvis, Said
from tests.integration.pictures import jpeg, logo, moving_png, png, swelling_png
from tests.town import Answer, Sale, Town

WORDS = Path(__file__).parents[2] / "api/web/words"
GREEN = {"primary": "#1d5c3a", "accent": "#8a4b08", "background": "#fffdf8", "text": "#1b1b1b"}


async def manage(sale: Sale, step: str, body: Any = None, **options: Any) -> Answer:
    body = {"reason": "a test"} | (body or {})
    return await sale.post(f"/manage/theme/{step}", body, token=sale.manage_key, **options)


async def themes(sale: Sale) -> Any:
    found = await sale.get("/manage/theme", token=sale.manage_key)
    assert found.status == 200, found.json
    return found.json


async def seen(sale: Sale) -> Any:
    """The house as everybody sees it."""
    return (await sale.get("")).json


async def previewed(sale: Sale, page: str) -> Answer:
    token = urlsplit(page).query.removeprefix("preview=")
    return await sale.get(f"/previews/{token}")


async def until(ask: Callable[[], Awaitable[Any]], is_so: Callable[[Any], bool]) -> None:
    """Waits until an answer is as it should be."""
    for _ in range(100):
        found = await ask()
        if is_so(found):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(found)


@pytest.fixture
async def sale(town: Town, shared: Sale) -> AsyncIterator[Sale]:
    """A manager of a house that has no draft."""
    async with shared as found:
        await manage(found, "discard")
        yield found


async def test_a_draft_is_seen_by_its_link_alone_until_it_is_published(sale: Sale) -> None:
    before = await seen(sale)
    drafted = await manage(sale, "draft", {"colours": GREEN, "languages": ["fr", "nl"], "logo": logo(png())})
    assert drafted.status == 200, drafted.json
    found = await previewed(sale, drafted.json["preview"]["page"])
    assert (found.status, found.headers["Cache-Control"]) == (200, "no-store")
    assert (found.json["colours"], found.json["languages"]) == (GREEN, ["fr", "nl"])
    picture = await sale.get(found.json["logo"]["address"].removeprefix(f"/v1/houses/{sale.slug}"))
    assert (picture.body, picture.headers["Content-Type"]) == (png(), "image/png")
    assert "immutable" in picture.headers["Cache-Control"]
    assert await seen(sale) == before, "the public sees a draft"

    assert (await manage(sale, "publish")).status == 200
    now = await seen(sale)
    assert (now["colours"], now["languages"], now["logo"]["alt"]) == (GREEN, ["fr", "nl"], "Kleine zaal")
    ended = await previewed(sale, drafted.json["preview"]["page"])
    assert (ended.status, ended.slug) == (410, "preview-ended")

    assert (await manage(sale, "back")).status == 200
    assert (await seen(sale))["colours"] == before["colours"]
    assert (await themes(sale))["previous"]["colours"] == GREEN
    logged = (await sale.get("/manage/actions", token=sale.manage_key)).json["actions"]
    assert [each["what"] for each in logged[:3]] == ["theme back", "theme publish", "theme draft"]


async def test_going_back_publishes_no_draft_and_is_itself_undone_by_going_back(sale: Sale) -> None:
    before = await seen(sale)
    await manage(sale, "draft", {"colours": GREEN})
    await manage(sale, "publish")
    drafted = await manage(sale, "draft", {"colours": GREEN | {"primary": "#5c1d3a"}})
    await manage(sale, "back")
    assert (await seen(sale))["colours"] == before["colours"], "a draft was published, or another theme"
    assert (await previewed(sale, drafted.json["preview"]["page"])).json["colours"]["primary"] == "#5c1d3a"
    await manage(sale, "back")
    assert (await seen(sale))["colours"] == GREEN
    await manage(sale, "back")


async def test_a_repeated_step_is_one_step(sale: Sale) -> None:
    await manage(sale, "draft", {"colours": GREEN})
    first = await manage(sale, "publish", key="publish-once")
    again = await manage(sale, "publish", key="publish-once")
    assert (first.status, again.status) == (200, 200)
    assert first.json["published"] == again.json["published"]
    back = await manage(sale, "back", key="back-once")
    assert (await manage(sale, "back", key="back-once")).json["published"] == back.json["published"]
    other = await manage(sale, "back", {"reason": "another"}, key="back-once")
    assert (other.status, other.slug) == (422, "key-reused")


async def test_steps_that_make_no_sense_are_refused(sale: Sale) -> None:
    for step in ("publish", "discard"):
        answer = await manage(sale, step)
        assert (answer.status, answer.slug) == (409, "no-draft")
    assert (await manage(sale, "draft", {"colour": GREEN})).status == 400
    without = await sale.post("/manage/theme/draft", {"colours": GREEN}, token=sale.counter_key)
    assert (without.status, without.slug) == (403, "scope-missing")


@pytest.mark.parametrize(
    ("changed", "colour", "least"),
    [({"text": "#999999"}, "text", 4.5), ({"primary": "#ffcc00"}, "primary", 3), ({"accent": "#ffe0cc"}, "accent", 3)],
)
async def test_colours_that_cannot_be_seen_are_refused_with_the_reason_and_a_way_out(
    sale: Sale, changed: dict[str, str], colour: str, least: float
) -> None:
    answer = await manage(sale, "draft", {"colours": GREEN | changed})
    assert (answer.status, answer.slug) == (422, "bad-input")
    (why,) = answer.json["problems"]
    assert colour in why
    assert f"at least {least:g}" in why
    (fault,) = answer.json["colours"]
    assert (fault["colour"], fault["least"]) == (colour, least)
    assert contrast(parse(fault["nearest"]), parse(GREEN["background"])) >= least
    assert fault["nearest"] in why
    mended = await manage(sale, "draft", {"colours": GREEN | {colour: fault["nearest"]}})
    assert mended.status == 200, mended.json


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "may carry scripts"),
        (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "may carry scripts"),
        (b"GIF89a" + bytes(100), "no PNG or JPEG"),
        (b"", "no PNG or JPEG"),
        (png() + b"<script>alert(1)</script>", "something else stands behind it"),
        (jpeg() + b"<script>alert(1)</script>", "something else stands behind it"),
        (png()[:40], "ends too early"),
        (jpeg()[:30], "ends too early"),
        (png(2001, 20), "between 16 and 2000 points a side"),
        (swelling_png(), "has 30000 by 30000"),
        (jpeg(60_000, 60_000, then=(160, 48)), "has 60000 by 60000"),
        (jpeg(60_000, 60_000), "between 16 and 2000 points a side"),
        (png(15, 15), "between 16 and 2000 points a side"),
        (moving_png(), "stands still"),
        (png()[:-12] + bytes(LARGEST_BYTES), "at most 96 kB"),
    ],
)
async def test_a_logo_that_could_do_harm_is_refused(sale: Sale, image: bytes, reason: str) -> None:
    answer = await manage(sale, "draft", {"logo": logo(image)})
    assert (answer.status, answer.slug) == (422, "bad-input")
    assert any(reason in problem for problem in answer.json["problems"]), answer.json
    assert (await themes(sale))["draft"] is None


async def test_a_logo_is_served_so_that_nothing_in_it_could_run(sale: Sale) -> None:
    huge = await manage(sale, "draft", {"logo": logo(bytes(400_000))})
    assert huge.status == 413
    kept = await manage(sale, "draft", {"logo": logo(jpeg())})
    answer = await sale.get(kept.json["draft"]["logo"]["address"].removeprefix(f"/v1/houses/{sale.slug}"))
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    # The next draft keeps the picture, and says it in other words.
    again = await manage(sale, "draft", {"logo": {"alt": "Noord"}})
    assert again.json["draft"]["logo"] == kept.json["draft"]["logo"] | {"alt": "Noord"}
    assert (await manage(sale, "draft", {})).json["draft"]["logo"] is None
    gone = await sale.get(kept.json["draft"]["logo"]["address"].removeprefix(f"/v1/houses/{sale.slug}"))
    assert gone.status == 404


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"nl": {"next.gathered": "Straks wordt er geloot."}}, "{time} is missing"),
        ({"nl": {"next.sold_out": "Bel {phone}."}}, "{phone} means nothing here"),
        ({"nl": {"do.join": "Kom erbij"}}, "the same in every house"),
        ({"nl": {"own.line": " "}}, "plain characters"),
        ({"nl": {"own.line": "a" * 601}}, "plain characters"),
        ({"nl": {"own.line": "one\ntwo"}}, "plain characters"),
        ({"fr": {"own.line": "Bienvenue"}}, "do not speak 'fr'"),
    ],
)
async def test_words_that_would_not_be_whole_are_refused(sale: Sale, words: Any, reason: str) -> None:
    answer = await manage(sale, "draft", {"words": words})
    assert (answer.status, answer.slug) == (422, "bad-input")
    assert any(reason in problem for problem in answer.json["problems"]), answer.json


async def test_a_house_says_its_own_words_and_they_stay_text(sale: Sale) -> None:
    own = {"nl": {"next.gathered": "<b>Om {time}</b> loten wij.", "own.refunds": "Altijd."}}
    drafted = await manage(sale, "draft", {"words": own})
    assert drafted.status == 200, drafted.json
    assert (await previewed(sale, drafted.json["preview"]["page"])).json["words"] == own


def test_the_words_that_a_house_may_change_are_those_of_the_pages_with_the_same_facts() -> None:
    for language in ("nl", "fr", "de", "en"):
        parts = json.loads((WORDS / f"{language}.json").read_text())
        said = {name: text for part in parts.values() for name, text in part.items()}
        for name, facts in OWN_WORDS.items():
            if not name.startswith("own."):
                assert set(FACT.findall(said[name])) == facts, (language, name)


async def test_a_link_is_the_houses_own_and_ends(town: Town, sale: Sale) -> None:
    drafted = await manage(sale, "draft", {"colours": GREEN})
    page = drafted.json["preview"]["page"]
    token = page.partition("=")[2]
    async with at_house(town.network_file, sale.slug) as (cell, _):
        preview = cell.signer.read(Preview, token)
        ended = cell.signer.sign(msgspec.structs.replace(preview, expires_at_ms=now_ms() - 1))
        other_draft = cell.signer.sign(msgspec.structs.replace(preview, draft_id="another"))
    for wrong in (ended, other_draft, token[:-2], "x", sale.manage_key):
        answer = await sale.get(f"/previews/{wrong}")
        assert (answer.status, answer.slug) == (410, "preview-ended"), wrong
    elsewhere = await sale.get(f"{town.url}/v1/houses/zuid/previews/{token}")
    assert (elsewhere.status, elsewhere.slug) == (410, "preview-ended")
    shown = drafted.json["draft"]
    assert (await sale.get(f"{town.url}/v1/houses/zuid")).json["colours"] != shown["colours"]
    theirs = await sale.get(f"{town.url}/v1/houses/zuid/manage/theme", token=sale.manage_key)
    assert (theirs.status, theirs.slug) == (401, "key-required")


async def test_a_house_changes_its_look_from_a_shell(town: Town, sale: Sale, parvis: Parvis, tmp_path: Path) -> None:
    at = ("--network", str(town.network_file), "--house", sale.slug)
    picture, words = tmp_path / "logo.png", tmp_path / "words.json"
    picture.write_bytes(png(100, 40))
    words.write_text(json.dumps({"nl": {"own.line": "Welkom"}}))

    async def says(*command: str) -> Said:
        return await asyncio.to_thread(parvis, "house", "theme", *command, *at)

    before = await seen(sale)
    refused = await says("draft", "--accent", "#ffe0cc")
    assert refused.code == 2
    assert "accent can hardly be seen on background" in refused.words
    files = ("--logo", str(picture), "--words", str(words))
    drafted = await says("draft", "--primary", GREEN["primary"], "--language", "nl", *files)
    assert (drafted.code, "1 in nl" in drafted.words, "100 by 40" in drafted.words) == (0, True, True)
    link = next(word for word in drafted.words.split() if word.startswith("/h/"))
    # A process of the API looks for what a shell did twice a second.
    await until(lambda: previewed(sale, link), lambda answer: answer.status == 200)
    assert (await previewed(sale, link)).json["logo"]["width"] == 100
    assert (await says("publish", "--why", "new season")).code == 0
    await until(lambda: seen(sale), lambda now: now["colours"]["primary"] == GREEN["primary"])
    assert "the one before" in (await says("show")).words
    assert (await says("back", "--why", "too green")).code == 0
    await until(lambda: seen(sale), lambda now: now["colours"] == before["colours"])
    assert (await says("discard", "--why", "none")).code == 2


async def test_pages_without_scripts_get_the_colours_as_a_style_sheet(town: Town, sale: Sale) -> None:
    await manage(sale, "draft", {"colours": GREEN})
    await manage(sale, "publish")
    answer = await sale.get(f"{town.url}/h/{sale.slug}/theme.css")
    assert answer.headers["Content-Type"].startswith("text/css")
    assert f"--primary:{GREEN['primary']}" in answer.body.decode()
    await manage(sale, "back")
    assert (await sale.get(f"{town.url}/h/nowhere/theme.css")).status == 404


async def test_what_a_house_publishes_from_a_shell_is_on_the_pages_of_all_houses_without_a_restart(
    town: Town, sale: Sale, parvis: Parvis, tmp_path: Path
) -> None:
    """Those with JavaScript read the directory; those without it have its colours as a style sheet."""
    at = ("--network", str(town.network_file), "--house", sale.slug)
    picture, words = tmp_path / "logo.png", tmp_path / "words.json"
    picture.write_bytes(png(100, 40))
    words.write_text(json.dumps({"en": {"house_lead": "Our own lead", "own.fees": "Our own fees"}}))

    async def directory() -> Any:
        found = (await sale.get(f"{town.url}/v1/on-sales")).json["houses"]
        return next(house["colours"] for house in found if house["house"] == sale.slug)

    async def plain(path: str) -> str:
        return (await sale.get(f"{town.url}{path}?language=en")).body.decode()

    def of_the_house(style: str) -> str:
        return style.partition(f".of-{sale.slug}{{")[2].partition("}")[0]

    before, house, room = await directory(), f"/h/{sale.slug}/plain", f"/h/{sale.slug}/{sale.on_sale}/plain"
    files = ("--logo", str(picture), "--words", str(words), "--language", "en")
    drafted = await asyncio.to_thread(parvis, "house", "theme", "draft", "--primary", GREEN["primary"], *files, *at)
    assert drafted.code == 0, drafted.words
    link = next(word for word in drafted.words.split() if word.startswith("/h/"))
    await until(lambda: previewed(sale, link), lambda answer: answer.status == 200)
    assert await directory() == before, "the page of all houses shows a draft"
    assert "<img" not in await plain(house)
    assert GREEN["primary"] not in of_the_house(await plain("/plain/houses.css"))

    published = await asyncio.to_thread(parvis, "house", "theme", "publish", "--why", "new season", *at)
    assert published.code == 0, published.words
    await until(directory, lambda colours: colours["primary"] == GREEN["primary"])
    assert f"--primary:{GREEN['primary']}" in of_the_house(await plain("/plain/houses.css"))
    assert f"--primary:{GREEN['primary']}" in await plain(f"/h/{sale.slug}/theme.css")
    assert 'class="logo"' in await plain(house)
    assert "Our own lead" in await plain(house)
    assert "Our own fees" in await plain(room)
    assert (await manage(sale, "back")).status == 200
    await until(directory, lambda colours: bool(colours == before))
    assert "Our own fees" not in await plain(room)
