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
        "algorithm": b"parvis-feistel-1",
        "commitment": b"YQ",
        "entrants": 4,
        "due_at_ms": 5,
        "secret": b"",
        "drawn_seed": b"c2VlZA",
        "root": b"",
        "contributions": b"",
        "windows": b"",
        "later": b"",
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
        "why": b"",
        "rates": b"",
        "draining": 0,
        "stopped": 0,
        "leaps": b"",
        "lines": [],
    }


PHASES = [("scheduled", False), ("prequeue", False), ("open", True), ("paused", True), ("closed", True)]


@pytest.mark.parametrize(("phase", "is_closed"), PHASES)
def test_how_many_are_in_the_draw_is_told_once_that_is_fixed_and_no_secret_before_it_is_made(
    stage: Stage, phase: str, is_closed: bool
) -> None:
    at = {"prequeue_at_ms": 10**13 if phase == "scheduled" else 0, "opens_at_ms": 10**13}
    stage.put_up(phase=phase, entrants=4, draw="parvis-draw-2", draw_after_ms=20, **at)
    seen = stage.status()
    assert (seen["algorithm"], seen["commitment"]) == (b"parvis-draw-2", b"YQ")
    assert (seen["entrants"], seen["due_at_ms"]) == (4 if is_closed else -1, 10**13 + 20)
    assert (seen["secret"], seen["drawn_seed"], seen["root"], seen["contributions"]) == (b"", b"", b"", b"")
    stage.set_sale(root="cm9vdA", drawn_seed="ZHJhd24", contributions="-")
    seen = stage.status()
    told = (b"c2VlZA", b"ZHJhd24", b"cm9vdA", b"-") if is_closed else (b"", b"", b"", b"")
    assert (seen["secret"], seen["drawn_seed"], seen["root"], seen["contributions"]) == told


@pytest.mark.parametrize(("phase", "is_drawn"), PHASES)
def test_the_seed_of_a_sale_that_an_earlier_release_put_up_is_out_by_the_start(
    stage: Stage, phase: str, is_drawn: bool
) -> None:
    stage.put_up(phase=phase, prequeue_at_ms=10**13 if phase == "scheduled" else 0, opens_at_ms=10**13, entrants=4)
    seen = stage.status()
    assert (seen["algorithm"], seen["commitment"]) == (b"parvis-feistel-1", b"YQ")
    assert (seen["drawn_seed"], seen["entrants"]) == ((b"c2VlZA", 4) if is_drawn else (b"", -1))
    assert (seen["secret"], seen["root"]) == (b"", b"")


@pytest.mark.parametrize("rule", [{}, {"draw": "parvis-draw-2"}])
def test_a_sale_that_was_closed_before_it_opened_keeps_its_seed(stage: Stage, rule: dict[str, str]) -> None:
    stage.put_up(phase="prequeue", opens_at_ms=10**13, mark_at_ms=0, **rule)
    stage.change("close")
    seen = stage.status()
    assert (seen["phase"], seen["drawn_seed"], seen["secret"], seen["entrants"]) == (b"closed", b"", b"", -1)


def test_an_on_sale_that_is_not_there(stage: Stage) -> None:
    reply = stage.ask("waiting_room/status", [stage.keys.sale(SALE), stage.keys.live(SALE)])
    assert reply == [b"unknown_on_sale"]
