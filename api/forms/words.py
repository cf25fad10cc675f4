"""The pages' words for pages that run no script: the same files as `api/web/words.js` reads, by the same rules.

Plurals, dates, numbers, money and time zones are CLDR's, through Babel.
"""

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec
from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_timezone, get_timezone_name
from babel.numbers import format_currency, format_decimal, get_currency_precision
from babel.units import format_unit

from api.pages import SOURCES
from engine.catalogue import PriceType
from engine.network_checks import LANGUAGES

LOCALES: Final = {"nl": "nl_BE", "fr": "fr_BE", "de": "de_DE", "en": "en_GB"}
NAMES: Final = {"nl": "Nederlands", "fr": "Français", "de": "Deutsch", "en": "English"}
Entry = str | dict[str, str]
ENTRIES: Final[dict[str, dict[str, Entry]]] = {
    language: {
        name: entry
        for part in msgspec.json.decode(SOURCES[f"words/{language}.json"], type=dict[str, dict[str, Entry]]).values()
        for name, entry in part.items()
    }
    for language in LANGUAGES
}
"""Every part of a language's file; names are unique over all of them."""
FACT: Final = re.compile(r"\{(\w+)\}")
LOOSE_MARK: Final = re.compile(r" ([:;!?»%])")
WISH: Final = re.compile(r"\s*([a-z]{1,8})(?:-[a-z0-9-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*", re.ASCII)
LONGEST_HEADER: Final = 400


def choose_language(spoken: tuple[str, ...], asked: str, accepted: str) -> str:
    """The language that is asked for, else the first of `Accept-Language` that the house speaks, else its own."""
    known = [language for language in spoken if language in LANGUAGES] or list(LANGUAGES)
    if asked in known:
        return asked
    wishes = [found for part in accepted[:LONGEST_HEADER].lower().split(",") if (found := WISH.fullmatch(part))]
    wishes.sort(key=lambda found: -float(found[2] or 1))
    return next((found[1] for found in wishes if found[1] in known and float(found[2] or 1) > 0), known[0])


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    try:
        return get_timezone(name)
    except LookupError:  # a bare machine may know none
        return UTC


@lru_cache(maxsize=1024)
def _money(amount: int, currency: str, locale: Locale) -> str:
    return format_currency(amount / 10 ** get_currency_precision(currency), currency, locale=locale)


class Words:
    """Words, numbers, money and times in one language, for a house in a zone that may say some words in its own way."""

    def __init__(self, language: str, zone: str = "UTC", own: dict[str, str] | None = None) -> None:
        self.language = language
        self.locale = Locale.parse(LOCALES[language])
        self.zone = _zone(zone)
        self._own = own or {}

    def has(self, name: str) -> bool:
        """Whether there are words of that name."""
        return name in ENTRIES[self.language]

    def say(self, name: str, **facts: Any) -> str:
        """The words of a name, `{facts}` filled in. Raises `KeyError` for words that there are not."""
        entry: Entry = self._own.get(name) or ENTRIES[self.language][name]
        if isinstance(entry, dict):
            entry = entry.get(self.locale.plural_form(facts.get("n", 0))) or entry["other"]

        def fill(found: "re.Match[str]") -> str:
            fact = facts.get(found[1])
            return "" if fact is None else self.number(fact) if isinstance(fact, int) else str(fact)

        text = FACT.sub(fill, entry).strip()
        # No line begins with a mark.
        return LOOSE_MARK.sub("\N{NO-BREAK SPACE}\\1", text).replace("« ", "«\N{NO-BREAK SPACE}")

    def number(self, value: int) -> str:
        """A number as this language writes it."""
        return str(format_decimal(value, locale=self.locale))

    def money(self, amount: int, currency: str) -> str:
        """Money in integer minor units."""
        return _money(amount, currency, self.locale)

    def rate(self, basis_points: int) -> str:
        """A rate in per cent, with the decimals that it has."""
        return str(format_decimal(Decimal(basis_points) / 100, locale=self.locale))

    def price_range(self, amounts: "list[int]", currency: str) -> str:
        """From the least to the most; one amount where they are the same."""
        ends = sorted({min(amounts), max(amounts)})
        return " – ".join(self.money(amount, currency) for amount in ends)

    def price_type(self, name: str) -> str:
        """A price type as people say it; one that only this house knows is said as the house wrote it."""
        return self.say(f"price.{name}") if self.has(f"price.{name}") else re.sub("[-_]", " ", name)

    def counts_of(self, kind: PriceType) -> "list[str]":
        """For how many at once a price is, in words: none, one or two."""
        least = [self.say("price_at_least", n=kind.at_least)] if kind.at_least > 1 else []
        return least + ([self.say("price_at_most", n=kind.at_most)] if kind.at_most else [])

    def unmet(self, name: str, kind: PriceType) -> str:
        """Why a price was refused: all that it asks for."""
        needed = [self.say(f"price_needs.{kind.needs}")] if kind.needs else []
        conditions = ", ".join(needed + self.counts_of(kind))
        return self.say("condition_unmet", price=self.price_type(name), conditions=conditions)

    def _at(self, instant_ms: int) -> datetime:
        return datetime.fromtimestamp(instant_ms / 1000, self.zone)

    def hour(self, instant_ms: int) -> str:
        """The time where the house is; the page says once in which zone that is."""
        return str(format_time(self._at(instant_ms), "HH:mm", locale=self.locale))

    def second(self, instant_ms: int) -> str:
        """The time with its seconds."""
        return str(format_time(self._at(instant_ms), "HH:mm:ss", locale=self.locale))

    def date(self, instant_ms: int) -> str:
        """Thursday 24 December 2026."""
        return str(format_date(self._at(instant_ms), "full", locale=self.locale))

    def short_date(self, instant_ms: int) -> str:
        """Thu 24 Dec."""
        return str(format_skeleton("MMMEd", self._at(instant_ms), locale=self.locale))

    def moment(self, instant_ms: int) -> str:
        """Date and time."""
        return self.say("date_at_time", date=self.date(instant_ms), time=self.hour(instant_ms))

    @property
    def zone_name(self) -> str:
        """The zone of the house's times, in words."""
        return str(get_timezone_name(self.zone, locale=self.locale))

    def span(self, seconds: int) -> str:
        """A stretch of time: ten minutes, not 600 seconds."""
        is_whole = seconds % 60 == 0 or seconds >= 600
        unit, amount = ("duration-minute", seconds // 60) if is_whole else ("duration-second", seconds)
        return str(format_unit(amount, unit, locale=self.locale))

    def about(self, seconds: int) -> str:
        """The same for what need not be told to the second."""
        return self.span(seconds if seconds < 120 else round(seconds / 60) * 60)
