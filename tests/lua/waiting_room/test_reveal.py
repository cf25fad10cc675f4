"""What other houses reveal is taken in once each, from the closing of the list until the draw is due."""

from typing import Any, Final

from tests.lua.stage import SALE, Reply, Stage

RULE: Final[dict[str, Any]] = {"draw": "parvis-draw-2", "draw_after_ms": 60_000}


def reveal(stage: Stage, house: str = "zeewind", told: str = "s1", line: str = "public") -> Reply:
    """Answers `told` as its secret; everybody has signed the same."""
    keys = [stage.keys.cell, stage.keys.sale(SALE)]
    return stage.run("waiting_room/reveal", keys, line, house, told, "bound", "signed")


def test_each_house_reveals_once_and_the_first_word_stands(stage: Stage) -> None:
    stage.put_up(entrants=4, **RULE)
    assert reveal(stage) == [b"revealed"]
    assert reveal(stage, "wind", "s2") == [b"revealed"]
    with stage.nothing_changes():
        assert reveal(stage, told="another") == [b"revealed"]
    assert stage.sale()["revealed"] == "zeewind s1 bound signed wind s2 bound signed"
    stage.pass_time(60_000)
    assert stage.tail()[3] == b"zeewind s1 bound signed wind s2 bound signed"


def test_nothing_is_taken_in_before_the_list_is_closed_and_after_the_draw_is_due(stage: Stage) -> None:
    stage.put_up(phase="prequeue", opens_at_ms=10**13, mark_at_ms=0, **RULE)
    with stage.nothing_changes():
        assert reveal(stage) == [b"untimely"]
    stage.change("open")
    stage.pass_time(60_000)
    with stage.nothing_changes():
        assert reveal(stage) == [b"untimely"]
    assert stage.draw(0)[0] == b"drawn"
    stage.set_sale(draw_after_ms=10**9)
    with stage.nothing_changes():
        assert reveal(stage) == [b"untimely"]


def test_each_line_has_its_own(stage: Stage) -> None:
    stage.put_up(entrants=4, **RULE)
    stage.set_sale(**{"mark_at_ms:members": 1, "opens_at_ms:members": stage.now_ms()})
    assert reveal(stage, line="members") == [b"revealed"]
    assert stage.sale()["revealed:members"] == "zeewind s1 bound signed"
    assert "revealed" not in stage.sale()


def test_what_an_earlier_release_has_taken_in_meanwhile_is_left_alone(stage: Stage) -> None:
    stage.put_up(entrants=4, contributed="wind s2", **RULE)
    assert reveal(stage) == [b"revealed"]
    assert (stage.sale()["contributed"], stage.sale()["revealed"]) == ("wind s2", "zeewind s1 bound signed")
    stage.pass_time(60_000)
    assert stage.tail()[3] == b"zeewind s1 bound signed"
