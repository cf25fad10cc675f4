"""The frontier of the tree over a line's entrants never goes back."""

from engine.words import LineName
from tests.lua.stage import SALE, Reply, Stage


def keep(stage: Stage, leaves: int, roots: bytes = b"r", line: str = "public") -> Reply:
    keys = stage.keys
    return stage.run(
        "waiting_room/checkpoint", [keys.cell, keys.frontier(SALE, LineName(line))], b"%d %b" % (leaves, roots)
    )


def kept(stage: Stage, line: str = "public") -> bytes:
    found: bytes = stage.redis.execute_command("GET", stage.keys.frontier(SALE, LineName(line)))
    return found


def test_a_tree_that_has_grown_is_kept_whole_whatever_its_bytes(stage: Stage) -> None:
    roots = bytes(range(256))
    assert keep(stage, 255, roots) == [b"kept", 255]
    assert kept(stage) == b"255 " + roots
    assert keep(stage, 256, b"one") == [b"kept", 256]
    assert kept(stage) == b"256 one"


def test_one_that_is_behind_or_as_far_changes_nothing(stage: Stage) -> None:
    keep(stage, 7, b"first")
    with stage.nothing_changes():
        assert keep(stage, 6, b"slower") == [b"kept", 7]
        assert keep(stage, 7, b"another") == [b"kept", 7]


def test_each_line_has_its_own(stage: Stage) -> None:
    keep(stage, 7, b"public")
    assert keep(stage, 3, b"members", "members") == [b"kept", 3]
    assert (kept(stage), kept(stage, "members")) == (b"7 public", b"3 members")
