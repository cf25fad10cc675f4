"""How a sale went is a page that whoever waited can read, in their language and in the house's look."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from engine.catalogue import Line
from engine.cli import checks
from engine.instants import now_ms
from engine.words import LineName
from tests.integration.test_afterwards import sells_its_only_seat
from tests.plain import PlainVisitor, Shown, room
from tests.town import Sale, Town, small_plan

HOUR_MS = 3_600_000


def page_of(sale: Sale, on_sale: str = "") -> str:
    return f"/h/{sale.slug}/{on_sale or sale.on_sale}/summary"


def without_time(shown: Shown) -> str:
    """A page without the moment that its address for help tells."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d.%A]+Z", "", shown.body)


@contextmanager
def without_books(town: Town, slug: str) -> Iterator[None]:
    """The house's database takes nobody, and whoever is in it goes."""
    database = f"house_{slug}"
    with psycopg.connect(town.servers.postgres.dsn, autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        try:
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
            yield
        finally:
            owner.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')


async def test_whoever_waited_in_vain_reads_how_the_sale_went_and_checks_who_says_so(town: Town) -> None:
    plan = small_plan(rows=1, seats=1, standing=0)
    press = Line(LineName("press"), "Press", "code", 20, now_ms() - 60_000)
    async with (
        await town.open_sale("noord", plan=plan, opens_at_ms=now_ms() + HOUR_MS, lines=(press,)) as sale,
        PlainVisitor(town.url) as visitor,
    ):
        await sells_its_only_seat(sale)
        # The way there is on the page where they wait.
        waiting = await visitor.open(room(sale))
        assert waiting.link("How this sale went") == page_of(sale)
        shown = await visitor.opens_until(page_of(sale), "Everything was sold on")
        assert shown.status == 200
        assert "set-cookie" not in shown.headers
        assert "/h/noord/theme.css" in shown.body
        for said in (
            "Joined the queue 2",
            "Came in 1",
            "Purchases 1",
            "95 waited about",
            "In no minute did more people come in than the house had set.",
            "2 people stood in the queue at the start of sales.",
            "Queue for everybody 2 people joined, 2 called",
            "Press 0 people joined, 0 called",
        ):
            assert said in shown.text, (said, shown.text)
        assert shown.link("To the queue") == f"/h/noord/{sale.on_sale}"
        signed = shown.link("signed file")
        assert signed == f"{sale.base}/on-sales/{sale.on_sale}/summary"
        assert await checks.verify_status(signed, "") == 0
        told = (await sale.get(signed)).json
        lines = [{"line": "public", "title": "", "entrants": 2, "joined": 2, "called": 2}]
        lines.append({"line": "press", "title": "Press", "entrants": 0, "joined": 0, "called": 0})
        assert told["lines"] == lines
        dutch = await visitor.open(f"{page_of(sale)}?language=nl")
        assert '<html lang="nl">' in dutch.body
        assert "was alles verkocht," in dutch.text
        assert dutch.link("wachtrij") == f"/h/noord/{sale.on_sale}?language=nl"


async def test_whoever_waited_without_javascript_finds_their_number_again_in_the_draw(town: Town) -> None:
    async with (
        await town.open_sale("noord", opens_at_ms=now_ms() + HOUR_MS) as sale,
        PlainVisitor(town.url) as visitor,
    ):
        await visitor.send(await visitor.open(room(sale)), "Join the queue")
        for verb in ("open", "close"):
            answer = await sale.post(f"/manage/on-sales/{sale.on_sale}/{verb}", {"reason": "x"}, token=sale.manage_key)
            assert answer.status == 200, answer.json
        await sale.until_status(phase="closed")
        shown = await visitor.open(room(sale))
        assert "You joined as number 1 Your number in the queue 1" in shown.text
        assert "parvis draw verify draw.json --index 0" in shown.text


async def test_before_it_is_over_the_page_says_when_to_come_back(town: Town) -> None:
    async with (
        await town.open_sale("noord", opens_at_ms=now_ms() + HOUR_MS) as later,
        await town.open_sale("noord") as running,
        PlainVisitor(town.url) as visitor,
    ):
        shown = await visitor.open(page_of(later))
        assert (shown.status, "This sale is not over yet" in shown.text) == (200, True)
        assert "Sales start on" in shown.text
        assert "Come back then: the last performance is on" in shown.text
        shown = await visitor.open(page_of(running))
        assert "This sale is not over yet" in shown.text
        assert "Sales start on" not in shown.text
        early = await running.get(f"/on-sales/{running.on_sale}/summary")
        assert (early.status, early.slug, "opens_at" in early.json) == (409, "not-over", True)


async def test_what_there_is_not_and_another_houses_on_sale_are_not_found_alike(town: Town) -> None:
    async with (
        await town.open_sale("noord") as sale,
        await town.open_sale("zuid") as far,
        PlainVisitor(town.url) as visitor,
    ):
        nobodys = await visitor.open(page_of(sale, "nothing"))
        theirs = await visitor.open(page_of(sale, far.on_sale))
        assert (nobodys.status, theirs.status) == (404, 404)
        assert "There is no such sale at this house." in nobodys.text
        assert without_time(theirs).replace(far.on_sale, "nothing") == without_time(nobodys)
        assert (await visitor.open(f"/h/nowhere/{sale.on_sale}/summary")).status == 404


@pytest.mark.timeout(120)
async def test_while_the_houses_books_are_away_the_page_says_that(town: Town) -> None:
    async with await town.open_sale("zuid") as sale, PlainVisitor(town.url) as visitor:
        with without_books(town, "zuid"):
            shown = await visitor.open(page_of(sale))
            assert shown.status == 503
            assert "The house cannot look into its books just now." in shown.text
            assert int(shown.headers["Retry-After"]) >= 1
            assert int(shown.headers["Refresh"]) >= 5
        await visitor.opens_until(page_of(sale), "This sale is not over yet")
