"""What was folded ahead of the ledger is kept by one after the other, each from where the one before left it."""

from tests.lua.stage import Stage, pack


def fold(stage: Stage, after: str, through: str, *trees: str) -> list[object]:
    keys = stage.keys
    return stage.run("waiting_room/fold", [keys.cell, keys.folded], after, through, pack(list(trees)))


def test_each_goes_on_where_the_one_before_left_it(stage: Stage) -> None:
    assert fold(stage, "", "5-0", "a/public", "2 roots", "b/members", "1 r") == [b"folded"]
    assert fold(stage, "5-0", "7-0", "a/public", "3 more") == [b"folded"]
    assert fold(stage, "7-0", "9-1") == [b"folded"]
    assert stage.fields(stage.keys.folded) == {"through": "9-1", "a/public": "3 more", "b/members": "1 r"}


def test_whoever_was_outrun_changes_nothing(stage: Stage) -> None:
    with stage.nothing_changes():
        assert fold(stage, "5-0", "7-0", "a/public", "2 roots") == [b"outrun", b""]
    fold(stage, "", "5-0", "a/public", "2 roots")
    with stage.nothing_changes():
        assert fold(stage, "", "7-0", "a/public", "9 roots") == [b"outrun", b"5-0"]
        assert fold(stage, "4-0", "7-0", "a/public", "9 roots") == [b"outrun", b"5-0"]
