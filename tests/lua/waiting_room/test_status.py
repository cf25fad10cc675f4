"""The public status: the same for everybody, and it writes nothing."""

import pytest

from tests.lua.stage import SALE, Stage


def test_says_where_the_line_stands(stage: Stage) -> None:
    stage.put_up(rate=1, joined=7, cap=9, entrants=4, message="Enjoy", opens_at_ms=5, prequeue_at_ms=4)
    stage.let_in(0, 1)
    stage.let_in(2, ms=-1)
    stage.set_sale(admitted=3, orders=2, takings=4200)
    now = stage.now_ms()
    with stage.nothing_changes():
        seen = stage.status()
    assert now <= seen.pop("now_ms") <= stage.now_ms()
    assert seen == {
        "phase": b"open",
        "opens_at_ms": 5,
        "now_serving": 0,
        "joined": 7,
        "rate": 1,
        "cap": 9,
        "entrants": 4,
        "seed": b"c2VlZA",
        "commitment": b"YQ",
        "message": b"Enjoy",
        "admitted": 3,
        "live": 2,
        "orders": 2,
        "takings": 4200,
        "prequeue_at_ms": 4,
        "slowed_percent": 0,
        "net_per_minute": 0,
        "net_active": 1,
        "fails": b"closed",
    }


@pytest.mark.parametrize(
    ("phase", "is_drawn"),
    [("scheduled", False), ("prequeue", False), ("open", True), ("paused", True), ("closed", True)],
)
def test_the_seed_is_out_once_the_draw_is_made_and_not_before(stage: Stage, phase: str, is_drawn: bool) -> None:
    stage.put_up(phase=phase, prequeue_at_ms=10**13 if phase == "scheduled" else 0, opens_at_ms=10**13, entrants=4)
    seen = stage.status()
    assert (seen["seed"], seen["entrants"]) == ((b"c2VlZA", 4) if is_drawn else (b"", -1))
    assert seen["commitment"] == b"YQ"


def test_a_sale_that_was_closed_before_it_opened_keeps_its_seed(stage: Stage) -> None:
    stage.put_up(phase="prequeue", opens_at_ms=10**13, mark_at_ms=0)
    stage.change("close")
    seen = stage.status()
    assert (seen["phase"], seen["seed"], seen["entrants"]) == (b"closed", b"", -1)


def test_an_on_sale_that_is_not_there(stage: Stage) -> None:
    reply = stage.ask("waiting_room/status", [stage.keys.sale(SALE), stage.keys.live(SALE)])
    assert reply == [b"unknown_on_sale"]
