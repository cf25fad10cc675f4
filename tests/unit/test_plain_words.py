"""Every word that a page without JavaScript asks for exists, and each language says it by its own rules."""

import re
from importlib.resources import files

import pytest

from api.forms.situation import ACTIONS, IN_TURN, KEEPING
from api.forms.words import ENTRIES, Words, choose_language
from engine.ledger.counts import STATES

EVENING_MS = 1_798_137_000_000
"""24 December 2026, 18:30 UTC."""
ASKED = re.compile(r"""\bsay\(\s*["']([\w.-]*\w)["']\s*[,)]""")
PUT_TOGETHER = {
    "stage.": {*KEEPING, *IN_TURN, "scheduled", "joinable", "shopping", "turn_over", "line_over", "sold_out", "closed"},
    "next.": {
        *KEEPING,
        *IN_TURN,
        "scheduled",
        "joinable",
        "joinable_open",
        "shopping",
        "turn_over",
        "line_over",
        "sold_out",
        "closed",
    },
    "do.": set(ACTIONS.values()),
    "step.": {"choose", "pay", "done"},
    "pay.": {"yes", "no", "late", "yes_hint", "no_hint", "late_hint"},
    "order.": {
        f"{state}{end}" for state in {"confirmed", "awaiting_payment", *STATES} - {"recorded"} for end in ("", "_lead")
    },
    "phase.": {"scheduled", "prequeue", "open", "paused", "sold_out", "closed"},
    "policy.": {"fees", "refunds", "delivery"},
    "seat.": {"held", "sold", "blocked", "mine"},
    "problem.": {"key-reused", "none-chosen", "basket-full", "cookie-needed", "forged-form", "pass-required"},
}


def asked_for() -> set[str]:
    """The names in the templates and in the code beside them."""
    folder = files("api.forms")
    sources = [*folder.iterdir(), *folder.joinpath("templates").iterdir()]
    text = "\n".join(each.read_text() for each in sources if each.name.endswith((".py", ".html")))
    return set(ASKED.findall(text)) | {head + tail for head, tails in PUT_TOGETHER.items() for tail in tails}


@pytest.mark.parametrize("language", ENTRIES)
def test_every_word_that_is_asked_for_exists(language: str) -> None:
    asked = asked_for()
    assert len(asked) > 100
    assert sorted(asked - ENTRIES[language].keys()) == []


@pytest.mark.parametrize(
    ("language", "moment", "money"),
    [
        ("nl", "donderdag 24 december 2026, 19:30\N{NO-BREAK SPACE}uur", "€\N{NO-BREAK SPACE}1.234,50"),
        ("fr", "jeudi 24 décembre 2026, 19:30", "1\N{NARROW NO-BREAK SPACE}234,50\N{NO-BREAK SPACE}€"),
        ("de", "Donnerstag, 24. Dezember 2026, 19:30\N{NO-BREAK SPACE}Uhr", "1.234,50\N{NO-BREAK SPACE}€"),
        ("en", "Thursday, 24 December 2026, 19:30", "€1,234.50"),
    ],
)
def test_dates_and_money_are_the_languages_own_in_the_houses_zone(language: str, moment: str, money: str) -> None:
    words = Words(language, "Europe/Brussels")
    assert words.moment(EVENING_MS) == moment
    assert words.money(123_450, "EUR") == money
    assert Words(language, "Asia/Tokyo").hour(EVENING_MS) == "03:30"


def test_plurals_are_the_languages_own() -> None:
    assert Words("en").say("plain.found", n=0) == "0 sales found"
    assert Words("fr").say("plain.found", n=0) == "0 vente trouvée"
    assert [Words("nl").say("plain.found", n=n) for n in (1, 2)] == ["1 verkoop gevonden", "2 verkopen gevonden"]


def test_no_line_begins_with_a_mark_and_a_house_may_say_it_its_own_way() -> None:
    assert Words("fr").say("stage.turn") == "C’est votre tour\N{NO-BREAK SPACE}!"
    assert Words("en", own={"house_lead": "Come in."}).say("house_lead") == "Come in."
    with pytest.raises(KeyError):
        Words("en").say("nothing.of.the.kind")


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        ("", "", "nl"),
        ("fr", "de", "fr"),
        ("de", "fr", "fr"),
        ("", "de-DE,fr-BE;q=0.7,nl;q=0.3", "fr"),
        ("", "nl;q=0,fr;q=0.1", "fr"),
        ("", "en;q=nonsense, *", "nl"),
        ("<b>", "x" * 10_000, "nl"),
    ],
)
def test_the_language_is_one_that_the_house_speaks(asked: str, accepted: str, chosen: str) -> None:
    assert choose_language(("nl", "fr"), asked, accepted) == chosen
