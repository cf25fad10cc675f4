"""What is set aside, from a shell: for every purpose, by list and by count, and ended; what cannot be is explained."""

import json
from pathlib import Path

import pytest

from tests.integration.commands import HOUSE, Parvis, put_on_sale
from tests.town import Town, small_plan

RELEASE = "2098-12-01T10:00:00Z"


@pytest.fixture
def at(town: Town) -> list[str]:
    return ["--network", str(town.network_file), "--house", HOUSE]


def on_sale(at: list[str], folder: Path, name: str) -> str:
    file = folder / "zaal.json"
    file.write_text(json.dumps(small_plan()))
    put_on_sale(at, file, name)
    return name


def test_each_purpose_is_made_listed_and_ended(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    show = on_sale(at, tmp_path, "aside")
    of = ("--performance", show, "--reason", "the season's plan", *at)
    key = parvis("key", "create", "Partner", "--scope", "allotment", *at, "--why", "partner").out.split()[2]
    codes = ("--title", "Friends", "--reason", "friends", "--count", "1")
    assert parvis("code", "create", "friends", *codes, *at).code == 0
    for words, said in (
        (("desk", "--purpose", "block", "--seats", "A1-A4, B7"), "5 seats"),
        (("stand", "--purpose", "block", "--area.vloer", "3", "--release-at", RELEASE), "3 places"),
        (("press", "--purpose", "house", "--quantity", "2", "--category", "Rang 2"), "2 seats"),
        (
            ("share", "--purpose", "partner", "--for", key, "--seats", "C3-5", "--area.vloer", "5"),
            "3 seats and 5 places",
        ),
        (("door", "--purpose", "channel", "--for", "counter", "--seats", "zaal-D-1"), "1 seat"),
        (
            ("club", "--purpose", "code", "--for", "friends", "--seats", "Zaal D 2-3", "--release-at", RELEASE),
            "2 seats",
        ),
    ):
        made = parvis("allotment", "make", *words, *of)
        assert (made.code, made.out.strip()) == (0, f"✓ {words[0]} of {show}: {said} set aside"), made
        assert parvis("allotment", "make", *words, *of).out == made.out
    listed = parvis("allotment", "list", show, *at).words
    for line in (
        "desk block: 5 seats left of 5 seats ",
        f"stand block: 3 places left of 3 places, until {RELEASE.replace('Z', '.000Z')}",
        f"share partner {key}: 3 seats and 5 places left of 3 seats and 5 places",
        "door channel counter: 1 seat left of 1 seat",
        "club code friends: 2 seats left of 2 seats, until",
        ": the season's plan",
    ):
        assert line in listed
    found = {
        each["allotment"]["name"]: each for each in json.loads(parvis("allotment", "list", show, "--json", *at).out)
    }
    assert found["desk"]["seats"] == ["zaal-A-1", "zaal-A-2", "zaal-A-3", "zaal-A-4", "zaal-B-7"]
    assert found["share"]["areas"] == {"vloer": 5}
    for name in found:
        ended = parvis("allotment", "end", show, name, "--reason", "over", *at)
        assert (ended.code, f"{name} of {show} is ended" in ended.words) == (0, True), ended
    assert parvis("allotment", "list", show, *at).out.strip() == f"✓ nothing of {show} is set aside"


def test_what_cannot_be_set_aside_is_explained(parvis: Parvis, at: list[str], tmp_path: Path) -> None:
    show = on_sale(at, tmp_path, "aside-not")
    of = ("--performance", show, *at)
    house = ("--purpose", "house", "--reason", "press")
    assert parvis("allotment", "make", "mine", *house, "--seats", "A1", *of).code == 0
    for words, said in (
        (
            ("x", *house, "--seats", "A1, A2"),
            "not every one of these seats is open · performance: aside-not · taken: ['zaal-A-1']",
        ),
        (
            ("x", *house, "--seats", "A99, Z1"),
            "not every seat of the list is clear · seats: ['A99', 'Z1'] · reasons: ['there is no such seat",
        ),
        (("x", *house), "name seats, or a quantity of them, or places of areas"),
        (("x", *house, "--seats", "A2", "--quantity", "2"), "either seats or a quantity of them"),
        (("x", *house, "--area.vloer", "21"), "vloer has between 1 and 20 places"),
        (("x", *house, "--area.floor", "1"), "there is no such standing area here · area: floor"),
        (("mine", *house, "--seats", "A2"), "there is, or was, another of this name"),
        (("X!", *house, "--seats", "A2"), "is not made of a-z, 0-9 and hyphens"),
        (("x", *house, "--seats", "A2", "--release-at", "2020-01-01T00:00:00Z"), "release_at lies in the past"),
        (("x", *house, "--seats", "A2", "--release-at", "tomorrow"), "'tomorrow' is not an instant"),
        (("x", *house, "--seats", "A2", "--release-at", "2100-01-01T00:00:00Z"), "after the performance has begun"),
        (("x", "--purpose", "gift", "--reason", "r", "--seats", "A2"), "purpose is one of block, house, partner"),
        (("x", "--purpose", "partner", "--reason", "r", "--seats", "A2"), "for is the id of a key with the scope"),
        (("x", "--purpose", "house", "--reason", " ", "--seats", "A2"), "--reason says why"),
        (("x", "--purpose", "house", "--seats", "A2"), "--why requires an argument"),
    ):
        refused = parvis("allotment", "make", *words, *of)
        assert refused.code != 0, words
        assert said in refused.words, refused
    unknown = parvis("allotment", "end", show, "nothing", "--reason", "r", *at)
    assert "there is no such allotment here" in unknown.words
    nowhere = parvis("allotment", "list", "nowhere", *at)
    assert (nowhere.code, "there is no such performance here" in nowhere.words) == (2, True)
