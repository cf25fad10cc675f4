"""How often codes are used, and how much customers have bought, is stated anew after a loss."""

from tests.lua.stage import Stage, pack


def test_what_is_counted_is_what_is_stated_and_nothing_else_changes(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    stage.hold(1, "A1", terms=(0, 0, 0, 0, 1_800_000, ["old", 1, 9]))
    cell, hall = stage.keys.cell, stage.hall("p")[0]
    before = {name: value for name, value in stage.fields(cell).items() if name != "uold"}
    assert stage.run("cell/recount", [cell, cell], "u", 1, pack(["spring", 2])) == [b"recounted"]
    assert stage.run("cell/recount", [cell, cell], "u", 0, pack(["autumn", 3])) == [b"recounted"]
    assert stage.fields(cell) == before | {"uspring": "2", "uautumn": "3"}
    of_hall = stage.hash(hall)
    assert stage.run("cell/recount", [cell, hall], "p", 1, pack(["ann", 4])) == [b"recounted"]
    assert stage.hash(hall) == of_hall | {b"pann": b"4"}
    assert stage.run("cell/recount", [cell, hall], "p", 1, pack([])) == [b"recounted"]
    assert stage.hash(hall) == of_hall
