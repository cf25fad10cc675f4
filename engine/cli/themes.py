"""`parvis house theme`: how a house's pages look, from a shell."""

import getpass
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from cyclopts import App

from engine.cell import Cell
from engine.cli.options import House, Network, Why
from engine.cli.sales import at_house, read_json
from engine.cli.speech import good, say
from engine.errors import BadInput
from engine.house import Change
from engine.instants import to_rfc3339
from engine.ledger.ledger import Ledger
from engine.orders import new_order_id
from engine.theme import Logo, Theme, Themes, look_of
from engine.theming import discard_draft, go_back, new_preview, publish_draft, read_themes, save_draft

theme = App(name="theme", help="How a house's pages look: logo, colours, languages, own words.")


def _change(why: str) -> Change:
    return Change(who=f"shell: {getpass.getuser()}", why=why)


def _say_theme(cell: Cell, name: str, found: Theme) -> None:
    look = look_of(cell.house, found)
    say(f"{name}:")
    say("  colours    " + ", ".join(f"{name} {value}" for name, value in msgspec.structs.asdict(look.colours).items()))
    say("  languages  " + ", ".join(look.languages))
    say("  logo       " + _logo(look.logo))
    say("  own words  " + (", ".join(f"{n} in {language}" for language, n in _counts(look.words).items()) or "none"))


def _logo(logo: Logo | None) -> str:
    return f"{logo.alt}, {logo.picture.width} by {logo.picture.height}" if logo else "none"


def _counts(words: dict[str, dict[str, str]]) -> dict[str, int]:
    return {language: len(said) for language, said in words.items()}


def _say(cell: Cell, themes: Themes) -> None:
    _say_theme(cell, "what everybody sees", themes.published)
    if themes.previous is not None:
        _say_theme(cell, "the one before", themes.previous)
    if themes.draft is not None:
        _say_theme(cell, "draft", themes.draft)
        token, expires_at_ms = new_preview(cell, themes)
        say(f"  who has this link sees it, until {to_rfc3339(expires_at_ms)}:")
        say(f"  /h/{cell.house.slug}?preview={token}")


@theme.command
def show(*, network: Network, house: House) -> None:
    """Say how the pages look, how they looked before, and what is being drafted, with a link that shows the draft."""

    async def run() -> None:
        async with at_house(network, house) as (cell, ledger):
            _say(cell, await read_themes(ledger))

    uvloop.run(run())


@theme.command
def draft(
    *,
    network: Network,
    house: House,
    primary: str = "",
    accent: str = "",
    background: str = "",
    text: str = "",
    language: tuple[str, ...] = (),
    logo: Path | None = None,
    alt: str = "",
    words: Path | None = None,
    why: Why = "draft",
) -> None:
    """Draft how the pages look, from what there is; what is not named stays. Nobody sees it but who has its link.

    Parameters
    ----------
    network
        The network file.
    house
        The house's slug.
    primary
        Buttons and links, `#rrggbb`.
    accent
        What stands out.
    background
        Behind it all.
    text
        What is read.
    language
        A language that the pages speak; may be given several times, the house's own first.
    logo
        A PNG or JPEG file.
    alt
        What the logo says to whoever does not see it; left out, the house's name.
    words
        A JSON file of the house's own words: language → name → text.
    why
        Why, for the log of what staff did.
    """
    colours = {"primary": primary, "accent": accent, "background": background, "text": text}
    named = {name: value for name, value in colours.items() if value}

    async def run() -> None:
        async with at_house(network, house) as (cell, ledger):
            now = await read_themes(ledger)
            drafted = _drafted(cell, now.draft or now.published, named, language, logo, alt, words)
            themes = await save_draft(cell, ledger, drafted, _change(why), new_order_id())
            good("drafted; `parvis house theme publish --why …` shows it to everybody")
            _say(cell, themes)

    uvloop.run(run())


def _drafted(
    cell: Cell,
    kept: Theme,
    named: dict[str, str],
    languages: tuple[str, ...],
    logo: Path | None,
    alt: str,
    words: Path | None,
) -> Theme:
    changed: dict[str, Any] = {}
    if named:
        changed["colours"] = msgspec.structs.replace(kept.colours or cell.house.colours, **named)
    if languages:
        changed["languages"] = languages
    if logo is not None:
        changed["logo"] = Logo(image=logo.read_bytes(), alt=alt or cell.house.name)
    elif alt and kept.logo is not None:
        changed["logo"] = msgspec.structs.replace(kept.logo, alt=alt)
    if words is not None:
        try:
            changed["words"] = msgspec.convert(read_json(words), dict[str, dict[str, str]])
        except msgspec.ValidationError as error:
            raise BadInput(f"{words}: {error}") from error
    return msgspec.structs.replace(kept, **changed)


Step = Callable[[Cell, Ledger, Change, str], Coroutine[Any, Any, Themes]]


def _step(step: Step, said: str, network: Path, house: str, why: str) -> None:
    async def run() -> None:
        async with at_house(network, house) as (cell, ledger):
            themes = await step(cell, ledger, _change(why), new_order_id())
            good(said)
            _say(cell, themes)

    uvloop.run(run())


@theme.command
def publish(*, network: Network, house: House, why: Why) -> None:
    """Show the draft to everybody."""
    _step(publish_draft, "everybody sees it", network, house, why)


@theme.command
def discard(*, network: Network, house: House, why: Why) -> None:
    """Throw the draft away; its link ends."""
    _step(discard_draft, "the draft is gone", network, house, why)


@theme.command
def back(*, network: Network, house: House, why: Why) -> None:
    """Show the previous theme again; today's becomes the previous one."""
    _step(go_back, "the pages look as before", network, house, why)
