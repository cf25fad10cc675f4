"""How a house's pages look and what they say: its logo, colours, languages and own words, above what its network file
gives it. A house changes this by itself (`engine/theming.py`); nobody else has to be asked.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from engine import colours as tones
from engine.errors import BadInput
from engine.network import Colours, House
from engine.network_checks import CHECKS, COLOUR
from engine.pictures import Picture, measure

OWN_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "house_lead": frozenset(),
    "next.scheduled": frozenset(),
    "next.joinable": frozenset({"time"}),
    "next.gathered": frozenset({"time"}),
    "next.waiting": frozenset(),
    "next.turn_over": frozenset(),
    "next.sold_out": frozenset(),
    "next.closed": frozenset(),
    "order.confirmed_lead": frozenset(),
    "own.line": frozenset(),
    "own.fees": frozenset(),
    "own.refunds": frozenset(),
    "own.delivery": frozenset(),
}
"""The words that a house may say in its own way, each with the facts that have to stand in them, as `{time}`.

Those that begin with `own` nobody says but the house: a notice to whoever waits, and its policies in each language.
"""
LONGEST_WORDS: Final = 600
LONGEST_ALT: Final = 120
FACT: Final = re.compile(r"\{(\w*)\}")


@lru_cache(maxsize=64)
def _measured(image: bytes) -> tuple[Picture, str]:
    picture = measure(image)
    return picture, f"{hashlib.sha256(image).hexdigest()[:20]}.{picture.suffix}"


class Logo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture with what it says to whoever does not see it. `image` is a PNG or JPEG file."""

    image: bytes
    alt: str

    @property
    def picture(self) -> Picture:
        """Its kind and size."""
        return _measured(self.image)[0]

    @property
    def name(self) -> str:
        """The name under which it is served for good: another picture has another one."""
        return _measured(self.image)[1]


class Theme(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a house has chosen; None where it leaves its network file's word. `words`: language → name → text."""

    colours: Colours | None = None
    languages: tuple[str, ...] | None = None
    logo: Logo | None = None
    words: dict[str, dict[str, str]] = {}


class Themes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A house's theme as everybody sees it, the one before, and the one that is being made.

    `draft_id`: names a draft from its first saving until it is published or thrown away.
    `operation`: the id of the last change.
    """

    published: Theme = Theme()
    previous: Theme | None = None
    draft: Theme | None = None
    draft_id: str = ""
    operation: str = ""

    def logo(self, name: str) -> Logo | None:
        """The logo of that name that one of the three has."""
        themes = (self.published, self.previous, self.draft)
        logos = [theme.logo for theme in themes if theme is not None and theme.logo is not None]
        return next((logo for logo in logos if logo.name == name), None)


class Look(msgspec.Struct, frozen=True):
    """A theme with all that it leaves open filled in from the house's network file."""

    colours: Colours
    languages: tuple[str, ...]
    logo: Logo | None
    words: dict[str, dict[str, str]]


def look_of(house: House, theme: Theme) -> Look:
    """How the pages of a house look with a theme."""
    return Look(
        colours=theme.colours or house.colours,
        languages=theme.languages or house.languages,
        logo=theme.logo,
        words=theme.words,
    )


def check(house: House, theme: Theme) -> None:
    """Raises `BadInput` with every fault of a theme, each in words; those of its colours as facts too, `colours`."""
    look = look_of(house, theme)
    misspelt = [name for name in Colours.__struct_fields__ if not COLOUR.fullmatch(getattr(look.colours, name))]
    unseen = [] if misspelt else list(tones.faults(look.colours))
    found = [f"colours: {name} is not written #rrggbb" for name in misspelt]
    found += [f"colours: {fault}" for fault in unseen]
    found += _faults(look)
    if found:
        raise BadInput("the theme is refused", tuple(found), **({"colours": unseen} if unseen else {}))


def _faults(look: Look) -> Iterator[str]:
    yield from (f"languages: {fault}" for fault in CHECKS["languages"](look.languages))
    if look.logo is not None:
        yield from _logo_faults(look.logo)
    for language, words in look.words.items():
        if language not in look.languages:
            yield f"words: the pages do not speak {language!r}"
        for name, text in words.items():
            yield from (f"words, {language}, {name}: {fault}" for fault in _word_faults(name, text))


def _logo_faults(logo: Logo) -> Iterator[str]:
    try:
        measure(logo.image)
    except BadInput as error:
        yield f"logo: {error}"
    if not logo.alt.strip() or len(logo.alt) > LONGEST_ALT or not logo.alt.isprintable():
        yield f"logo: say in 1 to {LONGEST_ALT} plain characters what it shows; as a rule the house's name"


def _word_faults(name: str, text: str) -> Iterator[str]:
    facts = OWN_WORDS.get(name)
    if facts is None:
        yield "these words are the same in every house"
        return
    if not text.strip() or len(text) > LONGEST_WORDS or not text.isprintable():
        yield f"1 to {LONGEST_WORDS} plain characters of one line"
    said = set(FACT.findall(text))
    yield from (f"{{{fact}}} is missing" for fact in sorted(facts - said))
    yield from (f"{{{fact}}} means nothing here" for fact in sorted(said - facts))
