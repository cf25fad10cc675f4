"""A draw is written once, when it is due, over those who are in it."""

import pytest

from tests.lua.stage import Stage

RULE = {"draw": "parvis-draw-2"}


def test_what_was_drawn_stands_and_is_told_from_now_on(stage: Stage) -> None:
    stage.put_up(entrants=4, **RULE)
    assert stage.draw(4) == [b"drawn", b"root"]
    seen = stage.status()
    assert (seen["secret"], seen["drawn_seed"], seen["root"], seen["contributions"]) == (
        *(b"c2VlZA", b"drawn"),
        *(b"root", b"a -"),
    )


def test_the_first_wins(stage: Stage) -> None:
    stage.put_up(entrants=4, **RULE)
    stage.draw(4)
    with stage.nothing_changes():
        assert stage.draw(4, root="another", seed="another") == [b"drawn", b"root"]


def test_a_draw_of_an_earlier_release_stands(stage: Stage) -> None:
    stage.put_up(entrants=4)
    with stage.nothing_changes():
        assert stage.draw(4) == [b"drawn", b""]


@pytest.mark.parametrize("entrants", [0, 3, 5])
def test_a_draw_over_others_is_none(stage: Stage, entrants: int) -> None:
    stage.put_up(entrants=4, opens_at_ms=5, **RULE)
    with stage.nothing_changes():
        assert stage.draw(entrants) == [b"early", 5]


def test_none_is_made_before_it_is_due(stage: Stage) -> None:
    stage.put_up(phase="prequeue", opens_at_ms=10**13, mark_at_ms=0, **RULE)
    with stage.nothing_changes():
        assert stage.draw(0) == [b"early", 10**13]
    stage.change("open")
    stage.set_sale(draw_after_ms=60_000)
    with stage.nothing_changes():
        assert stage.draw(0)[0] == b"early"
    stage.pass_time(60_000)
    assert stage.draw(0) == [b"drawn", b"root"]


def test_each_line_has_its_own(stage: Stage) -> None:
    stage.put_up(entrants=4, **RULE)
    stage.set_sale(**{"entrants:members": 3, "mark_at_ms:members": 1, "opens_at_ms:members": 1})
    assert stage.draw(3, root="theirs", line="members") == [b"drawn", b"theirs"]
    assert stage.draw(4, root="all") == [b"drawn", b"all"]
    assert (stage.sale()["root:members"], stage.sale()["root"]) == ("theirs", "all")
