"""A draw is written once, when it is due, over those who are in it."""

from typing import Any, Final

import pytest

from tests.lua.stage import Stage

RULE: Final[dict[str, Any]] = {"draw": "parvis-draw-2"}
MINUTE: Final = 60_000


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


def due_of(stage: Stage, entrants: int, line: str = "public") -> int:
    """When the draw is due that is not yet."""
    with stage.nothing_changes():
        word, due_at_ms = stage.draw(entrants, line=line)
    assert word == b"early"
    return int(due_at_ms)


def test_whoever_holds_up_the_start_gets_rid_of_nobody_who_contributes(stage: Stage) -> None:
    """A pause across the planned start, or an outage: others have as long to reveal as if nothing had been."""
    opens_at_ms = stage.now_ms() + MINUTE
    late = stage.line("late", mark_at_ms=0, opens_at_ms=opens_at_ms)
    more = stage.line("members") | late | {"lines": "members late"}
    stage.put_up(phase="prequeue", opens_at_ms=opens_at_ms, mark_at_ms=0, draw_after_ms=MINUTE, **RULE, **more)
    assert stage.change("pause")[1] == b"paused"
    stage.pass_time(10 * MINUTE)
    stage.join("while it stands still")
    stage.change("resume")
    before_ms = stage.now_ms()
    seen = stage.status()
    assert (seen["phase"], seen["entrants"]) == (b"open", 1)
    assert seen["due_at_ms"] >= before_ms + MINUTE, "a status says so before it is written"
    stage.serve()
    due = due_of(stage, 1)
    assert before_ms + MINUTE <= due <= stage.now_ms() + MINUTE
    assert before_ms - MINUTE < due_of(stage, 0, "late") <= stage.now_ms() + MINUTE
    assert stage.tail()[2] == b"", "the secret is not told before"
    stage.serve()
    assert due_of(stage, 1) == due, "it is put off no further"
    stage.pass_time(MINUTE)
    assert stage.draw(1) == [b"drawn", b"root"]


def test_a_line_that_is_held_up_waits_for_others_as_long(stage: Stage) -> None:
    late = stage.line("late", mark_at_ms=0, opens_at_ms=stage.now_ms() - 10 * MINUTE)
    stage.put_up(lines="late", draw_after_ms=MINUTE, **RULE, **late)
    before_ms = stage.now_ms()
    stage.serve()
    assert before_ms + MINUTE <= due_of(stage, 0, "late") <= stage.now_ms() + MINUTE


def test_a_clock_that_was_set_back_puts_a_draw_off_no_further_than_from_now(stage: Stage) -> None:
    at = {"opens_at_ms": stage.now_ms() - 900 * MINUTE, "served_at_ms": stage.now_ms()}
    stage.put_up(phase="prequeue", mark_at_ms=0, draw_after_ms=MINUTE, **RULE, **at)
    stage.serve()
    stage.pass_time(-600 * MINUTE)
    stage.serve()
    assert due_of(stage, 0) <= stage.now_ms() + MINUTE
