"""Colours: contrasts that are known, what is refused and what is proposed instead, and one palette in two languages."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.colours import READABLE, VISIBLE, contrast, faults, luminance, palette, parse, spell, style_sheet
from engine.network import Colours

ROOT = Path(__file__).parents[2]
STEPS = ("00", "40", "77", "80", "b0", "ff")
EVERY = [f"#{''.join(parts)}" for parts in itertools.product(STEPS, repeat=3)]
IN_A_BROWSER = """
import { palette } from '%s';
let text = '';
for await (const part of process.stdin) text += part;
console.log(JSON.stringify(JSON.parse(text).map(([colours, isDark]) => palette(colours, isDark))));
"""


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        # Source: WebAIM's contrast checker.
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.47),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 3.99),
        ("#0000ff", "#ffffff", 8.59),
        ("#0000ff", "#ff0000", 2.14),
    ],
)
def test_contrasts_are_those_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(parse(one), parse(other)) == contrast(parse(other), parse(one))
    assert round(contrast(parse(one), parse(other)), 2) == pytest.approx(ratio, abs=0.011)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, []),
        ({"text": "#767676"}, []),
        ({"text": "#777777"}, ["text"]),
        ({"primary": "#949494", "accent": "#949494"}, []),
        ({"primary": "#959595"}, ["primary"]),
        ({"accent": "#ffd200"}, ["accent"]),
        ({"background": "#1b1b1b"}, ["text", "primary"]),
        ({"background": "#101014", "text": "#f0f0f0", "primary": "#7ab8ff", "accent": "#ffd200"}, []),
        ({"background": "#777777", "text": "#000000", "primary": "#000000", "accent": "#ffffff"}, []),
    ],
)
def test_colours_that_cannot_be_seen_are_refused_with_the_nearest_that_can(
    changed: dict[str, str], refused: list[str]
) -> None:
    colours = Colours(
        **{"primary": "#1f3a5f", "accent": "#b3452c", "text": "#1b1b1b", "background": "#ffffff"} | changed
    )
    found = list(faults(colours))
    assert [fault.colour for fault in found] == refused
    for fault in found:
        least = READABLE if fault.colour == "text" else VISIBLE
        assert fault.ratio < fault.least == least
        assert contrast(parse(fault.nearest), parse(colours.background)) >= least
        assert fault.nearest in str(fault)
        assert str(fault.ratio) in str(fault)
    mended = Colours(
        **{name: getattr(colours, name) for name in colours.__struct_fields__} | {f.colour: f.nearest for f in found}
    )
    assert not list(faults(mended))


def test_the_nearest_is_a_tone_of_the_same_colour_and_no_further_than_need_be() -> None:
    (fault,) = faults(Colours(accent="#ffd200", background="#ffffff", text="#1b1b1b", primary="#1f3a5f"))
    red, green, blue = parse(fault.nearest)
    assert red > green > blue == 0
    assert contrast((red, green, blue), parse("#ffffff")) < VISIBLE + 0.1


@pytest.mark.parametrize("is_dark", [False, True])
def test_on_whatever_colours_a_house_has_its_pages_can_be_read(is_dark: bool) -> None:
    pairs = [("--on-primary", "--primary"), ("--on-accent", "--accent"), ("--link", "--background")]
    for colour in EVERY:
        for colours in (Colours(primary=colour, accent=colour), Colours(background=colour), Colours(text=colour)):
            made = palette(colours, is_dark=is_dark)
            for ink, paper in [*pairs, ("--muted", "--background"), ("--text", "--background")]:
                assert contrast(made[ink], made[paper]) >= READABLE, (colours, ink, made)
            assert contrast(made["--primary"], made["--background"]) >= VISIBLE


def test_a_light_house_is_dark_by_night() -> None:
    light = Colours(background="#fffdf5")
    assert luminance(palette(light)["--background"]) > 0.9
    assert luminance(palette(light, is_dark=True)["--background"]) < 0.02
    by_day, by_night = style_sheet(light).splitlines()
    assert "--background:#fffdf5" in by_day
    assert by_night.startswith("@media (prefers-color-scheme:dark)")
    assert "--background:#16171b" in by_night


def test_a_browser_makes_the_same_palette() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    asked = [
        ({"primary": one, "accent": one, "background": two, "text": "#14202b"}, is_dark)
        for one, two in zip(EVERY, reversed(EVERY), strict=True)
        for is_dark in (False, True)
    ]
    script = IN_A_BROWSER % (ROOT / "api/web/theme.js").as_uri()
    done = subprocess.run(
        [node, "--input-type=module", "-e", script],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for (colours, is_dark), made in zip(asked, json.loads(done.stdout), strict=True):
        ours = palette(Colours(**colours), is_dark=is_dark)
        theirs = {name: spell(tuple(map(int, value[4:-1].split()))) for name, value in made.items()}  # type: ignore[arg-type]
        assert {name: spell(colour) for name, colour in ours.items()} == theirs, (colours, is_dark)
