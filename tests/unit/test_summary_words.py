"""What the page of how a sale went says of it, in each language."""

from typing import Any

import msgspec
import pytest

from api.forms.summary import went
from api.forms.words import ENTRIES, Words
from engine.afterwards import LineSummary, Summary, Waits
from engine.catalogue import Contributor, OnSale
from engine.words import HouseSlug, LineName, OnSaleId, PerformanceId

ON_SALE = OnSale(OnSaleId("gala"), "Gala", (PerformanceId("gala"),), prequeue_at_ms=1, opens_at_ms=2)
EVERYBODY = LineSummary(LineName("public"), "", 900, 1200, 400)
TOLD = Summary(
    HouseSlug("noord"),
    OnSaleId("gala"),
    "Gala",
    "sold_out",
    opened_at="2026-12-24T18:30:00.000Z",
    sold_out_at="2026-12-24T19:07:20Z",
    closed_at=None,
    entrants=900,
    joined=1200,
    called=400,
    admitted=380,
    missed=20,
    orders=300,
    wait=Waits(380, 45, 12_400),
    rate_per_minute=500,
    overshoot=0,
    lost=(),
    lines=(EVERYBODY,),
)


def said(language: str = "en", on_sale: OnSale = ON_SALE, **changed: Any) -> str:
    """All of it as one text."""
    told = went(msgspec.structs.replace(TOLD, **changed), on_sale, Words(language, "Europe/Brussels"))
    lines = [part for line in told.lines for part in line]
    return " ".join([*told.happened, *told.others, *told.waits, told.pace, *lines, *told.draw])


def test_whoever_waited_in_vain_reads_how_many_how_long_and_when_it_was_sold_out() -> None:
    text = said()
    assert "Sales started on Thursday, 24 December 2026, 19:30." in text
    assert "Everything was sold on Thursday, 24 December 2026, 20:07, 37 minutes after the start." in text
    assert "800 people were not called before the sale was over." in text
    assert "20 people were called and did not come in." in text
    assert "Half of those who came in waited about 45 seconds or less." in text
    assert "Of 100 who came in, 95 waited about 3 hours or less." in text
    assert "In no minute did more people come in than the house had set. At the end it had set 500 a minute." in text
    assert "900 people stood in the queue at the start of sales." in text
    assert "called in the order in which they joined" in text


@pytest.mark.parametrize(
    ("language", "joined", "moment", "span"),
    [
        ("nl", "1.200", "donderdag 24 december 2026, 20:07\N{NO-BREAK SPACE}uur", "37 minuten"),
        ("fr", "1\N{NARROW NO-BREAK SPACE}200", "jeudi 24 décembre 2026, 20:07", "37 minutes"),
        ("de", "1.200", "Donnerstag, 24. Dezember 2026, 20:07\N{NO-BREAK SPACE}Uhr", "37 Minuten"),
        ("en", "1,200", "Thursday, 24 December 2026, 20:07", "37 minutes"),
    ],
)
def test_numbers_and_times_are_the_languages_own_in_the_houses_zone(
    language: str, joined: str, moment: str, span: str
) -> None:
    members = LineSummary(LineName("members"), "Members", 0, 30, 30)
    text = said(language, lines=(msgspec.structs.replace(EVERYBODY, joined=1200), members))
    assert joined in text
    assert moment in text
    assert span in text
    assert "Members" in text


def test_more_in_a_minute_than_was_set_is_told_in_people() -> None:
    assert "At most 12 more people came in within a minute than the house had set." in said(overshoot=12)
    assert "At most 1 more person came in" in said(overshoot=1)


def test_a_sale_that_closed_before_it_started_had_no_draw() -> None:
    text = said(sold_out_at=None, closed_at="2026-12-24T12:00:00Z", entrants=0, called=0, admitted=0, orders=0)
    assert "before sales had started" in text
    assert "Sales started" not in text
    assert "drawn at random" not in text


def test_queues_and_houses_that_contributed_and_windows_are_told_where_there_are_any() -> None:
    assert "Queue for everybody" not in said()
    on_sale = msgspec.structs.replace(
        ON_SALE, contributors=(Contributor(HouseSlug("zuid"), "x"),), fair_window_seconds=60
    )
    text = said(on_sale=on_sale, lines=(EVERYBODY, LineSummary(LineName("early"), "Early birds", 1, 1, 0)))
    assert "Queue for everybody" in text
    assert "Early birds" in text
    assert "1 person joined, 0 called" in text
    assert "a number of their own: zuid." in text
    assert "within the same 1 minute" in text
    assert "nothing was drawn" in said(entrants=0)


@pytest.mark.parametrize("language", ENTRIES)
def test_every_language_says_all_of_it(language: str) -> None:
    text = said(language, overshoot=3, closed_at="2026-12-25T12:00:00Z")
    assert "went." not in text
    assert "{" not in text
