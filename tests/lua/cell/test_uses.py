"""How often codes are used up."""

from collections.abc import Sequence
from typing import Any

from tests.lua.stage import SALE, Stage, pack


def uses(stage: Stage, codes: list[str], places: Sequence[str] = ()) -> Any:
    return stage.ask("cell/uses", [stage.keys.cell, stage.keys.persons(SALE)], pack(codes), pack(places))


def test_the_uses_of_codes_are_told_together(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    terms = (0, 0, 0, 0, 1_800_000, ["spring", 2, 9, "other", 1, 9])
    assert stage.hold(1, "A1 A2", terms=terms)[0] == b"held"
    for codes, count in ((["spring"], 2), (["spring", "nobody's", "other"], 3), ([], 0)):
        assert uses(stage, codes) == [b"uses", count]


def test_the_uses_of_a_lines_codes_are_the_places_that_they_gave(stage: Stage) -> None:
    stage.put_up(rate=1, lines="members", **stage.line("members"))
    for secret, code in (("a", "c1"), ("b", "c2"), ("a", "c1"), ("late", "c2")):
        stage.join(secret, line="members", code=code)
    for names, count in ((["c1", "c2", "c3"], 2), (["c3"], 0)):
        assert uses(stage, [], [f"code/{name}:members" for name in names]) == [b"uses", count]
