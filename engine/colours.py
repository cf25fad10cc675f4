"""A house's colours: what its pages make of them, and whether they can be read (WCAG 2.2, AA). No server, no page.

`palette` makes of four colours what the pages' style sheet asks for, by day and by night; `api/web/theme.js` makes the
same in a browser. `faults` is the one place that says whether a house may have its colours so.
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from engine.network import Colours

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255 each."""
READABLE: Final = 4.5
"""Of text on what is behind it (WCAG 1.4.3)."""
VISIBLE: Final = 3.0
"""Of a button, a line or a mark beside what is around it (WCAG 1.4.11)."""
COMFORTABLE: Final = 7.0
INK: Final = (27, 27, 31)
PAPER: Final = (255, 255, 255)
BLACK: Final = (0, 0, 0)
NIGHT: Final = (22, 23, 27)
MOON: Final = (240, 240, 243)
LIGHT: Final = 0.18
"""A background of more luminance is a light one, and gives way by night."""
SHADES: Final = 255


class Fault(msgspec.Struct, frozen=True):
    """A colour that cannot be seen well enough on another. `nearest`: the one like it that can, `#rrggbb`."""

    colour: str
    on: str
    ratio: float
    least: float
    nearest: str

    def __str__(self) -> str:
        use = "cannot be read" if self.least == READABLE else "can hardly be seen"
        return (
            f"{self.colour} {use} on {self.on}: their contrast is {self.ratio:.1f} to 1, and at least {self.least:g} "
            f"is needed; the nearest that is enough is {self.nearest}"
        )


def parse(text: str) -> Colour:
    """The colour of `#rrggbb`."""
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def spell(colour: Colour) -> str:
    """`#rrggbb`."""
    return "#" + bytes(colour).hex()


def luminance(colour: Colour) -> float:
    """How light a colour is, 0 to 1 (WCAG: relative luminance)."""
    parts = (part / 255 for part in colour)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mix(start: Colour, end: Colour, share: float) -> Colour:
    """The colour that lies a share of the way (0 to 1) from one to another."""
    red, green, blue = (math.floor(a + (b - a) * share + 0.5) for a, b in zip(start, end, strict=True))
    return red, green, blue


def ink_on(colour: Colour) -> Colour:
    """White or ink, whichever can be read on a colour; on a middle tone only black can."""
    return next((ink for ink in (PAPER, INK) if contrast(ink, colour) >= READABLE), BLACK)


def _readable(colour: Colour, background: Colour, text: Colour) -> Colour:
    """The colour itself if it can be read on the background, else the nearest mix towards the text that can."""
    share = 0.0
    while share < 1:
        mixed = mix(colour, text, share)
        if contrast(mixed, background) >= READABLE:
            return mixed
        share += 0.1
    return text


def _text_on(background: Colour, wished: Colour) -> Colour:
    comfortable = (ink for ink in (wished, INK, MOON) if contrast(ink, background) >= COMFORTABLE)
    return next(comfortable, ink_on(background))


def palette(colours: Colours, *, is_dark: bool = False) -> dict[str, Colour]:
    """The custom properties that `api/web/style.css` builds on, in a light or in a dark room."""
    background = parse(colours.background)
    if is_dark and luminance(background) > LIGHT:
        background = NIGHT
    text = _text_on(background, parse(colours.text))
    primary, accent = parse(colours.primary), parse(colours.accent)
    fill = primary if contrast(primary, background) >= VISIBLE else _readable(primary, background, text)
    # The darkest (by night: the lightest) that style.css puts behind text: what it calls soft.
    tinted = mix(background, text, 0.15 if is_dark else 0.1)
    # What lies on the page is lighter than it; on a dark page a little, or text could not be read on it.
    card = mix(background, PAPER, 0.6 if luminance(background) > LIGHT else 0.05)
    return {
        "--background": background,
        "--card": card if contrast(text, card) >= READABLE else background,
        "--text": text,
        "--primary": fill,
        "--on-primary": ink_on(fill),
        "--accent": accent,
        "--on-accent": ink_on(accent),
        "--link": _readable(primary, tinted, text),
        "--muted": _readable(mix(text, background, 0.35), tinted, text),
    }


def style_sheet(colours: Colours) -> str:
    """The palette as a style sheet for pages that run no script: by day, and by night."""
    by_day, by_night = (_declarations(palette(colours, is_dark=is_dark)) for is_dark in (False, True))
    return (
        f":root{{{by_day};color-scheme:light}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{by_night};color-scheme:dark}}}}\n"
    )


def _declarations(properties: dict[str, Colour]) -> str:
    return ";".join(f"{name}:{spell(colour)}" for name, colour in properties.items())


def faults(colours: Colours) -> Iterator[Fault]:
    """What cannot be seen well enough where the pages use it; nothing when all is well.

    What is written on `primary` and `accent`, links, and everything by night the pages choose so that it can be read.
    """
    background = parse(colours.background)
    for name, least in (("text", READABLE), ("primary", VISIBLE), ("accent", VISIBLE)):
        colour = parse(getattr(colours, name))
        ratio = contrast(colour, background)
        if ratio < least:
            yield Fault(
                name, "background", math.floor(ratio * 10) / 10, least, spell(_nearest(colour, background, least))
            )


def _nearest(colour: Colour, background: Colour, least: float) -> Colour:
    """The darker or lighter tone of a colour that differs least from it and has the contrast."""
    tones = (mix(colour, end, shade / SHADES) for end in (BLACK, PAPER) for shade in range(SHADES + 1))
    enough = [tone for tone in tones if contrast(tone, background) >= least]
    return min(enough, key=lambda tone: math.dist(tone, colour))
