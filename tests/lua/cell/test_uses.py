"""How often codes are used up."""

from tests.lua.stage import Stage, pack


def test_the_uses_of_codes_are_told_together(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    terms = (0, 0, 0, 0, 1_800_000, ["spring", 2, 9, "other", 1, 9])
    assert stage.hold(1, "A1 A2", terms=terms)[0] == b"held"
    for codes, count in ((["spring"], 2), (["spring", "nobody's", "other"], 3), ([], 0)):
        assert stage.ask("cell/uses", [stage.keys.cell], pack(codes)) == [b"uses", count]
