"""What the status tells besides where its line stands, worked out from what Redis says."""

import math

import pytest

from api.forms.situation import END_REFRESH_MS, Standing, refresh_s
from api.told import END_POLL_MS, POLL, Measured, chance_numbers, is_calling, poll_policy, why_slower
from api.wire_status import ChanceReply, DrawReply, LineReply, MeasuredReply, StatusReply
from engine.catalogue import OnSale
from engine.drawing import Drawn
from engine.keeper import LOOK_SECONDS, SWEEP_SECONDS
from engine.waiting_room import Status
from engine.words import OnSaleId

MINUTE_MS = 60_000
NOBODY = ChanceReply(called=0, admitted=0, at_door=0, inside=0, orders=0, seats_a_visitor=2)


def status(**changed: object) -> Status:
    fields = dict.fromkeys(Status.__struct_fields__, 0) | {
        "phase": "open",
        "rate_per_minute": 60,
        "cap": 100,
        "lines": (),
        "leapt": "",
        "draw": Drawn("", "", -1, 0, "", "", "", ""),
    }
    return Status(**fields | changed)  # type: ignore[arg-type]


def test_the_pace_is_what_was_seen_over_five_minutes() -> None:
    measured = Measured()
    for second in range(601):
        pace = 30 if second < 300 else 12  # a minute; only the latter half is remembered at the end
        served = 0.5 * min(second, 300) + pace / 60 * max(0, second - 300)
        measured.note(second * 1000, int(served), is_moving=True)
    found = measured.pace(600_000, int(served), 60)
    assert found is not None
    assert (found.per_minute, found.minutes) == (12, 5)


def test_nothing_is_said_of_what_was_hardly_seen_or_hardly_moved() -> None:
    measured = Measured()
    measured.note(0, 0, is_moving=True)
    assert measured.pace(10_000, 50, 60) is None
    assert measured.pace(30_000, 2, 2) is None, "a slow line has to move by a handful"
    found = measured.pace(30_000, 0, 60)
    assert found is not None, "one that should move fast and stands still was seen to"
    assert found.per_minute == 0


@pytest.mark.parametrize("event", ["paused", "the clock was set back"])
def test_a_line_that_was_held_up_is_measured_anew(event: str) -> None:
    measured = Measured()
    measured.note(400_000, 0, is_moving=True)
    if event == "paused":
        measured.note(460_000, 60, is_moving=False)
        measured.note(700_000, 60, is_moving=True)
        found = measured.pace(760_000, 120, 60)
    else:
        measured.note(100_000, 60, is_moving=True)
        found = measured.pace(160_000, 120, 60)
    assert found is not None
    assert (found.per_minute, found.minutes) == (60, 1)


def test_a_line_that_nobody_waits_in_is_not_a_slow_one() -> None:
    for is_so, changed in (
        (True, {"now_serving": 4}),
        (False, {"now_serving": 5}),
        (False, {"now_serving": 4, "phase": "paused"}),
        (False, {"now_serving": 4, "leapt": "4 5"}),
    ):
        (line,) = status(**{"joined": 5, **changed}).all_lines
        assert is_calling(line) is is_so


def test_a_line_whose_pace_has_become_another_is_measured_anew() -> None:
    """Lowered from 600 to 60, a minute later."""
    measured = Measured()
    for second in range(121):
        measured.note(second * 1000, 10 * second, is_moving=True, terms=600)
    for second in range(121, 181):
        measured.note(second * 1000, 1200 + second - 121, is_moving=True, terms=60)
    found = measured.pace(180_000, 1259, 60)
    assert found is not None
    assert round(found.per_minute) == 60


def test_a_reason_stands_beside_a_wait_that_is_longer() -> None:
    assert why_slower(status()) is None
    assert why_slower(status(why="few-seats")) == "few-seats"


def inside(count: int, at_door: int = 0) -> ChanceReply:
    return ChanceReply(called=0, admitted=0, at_door=at_door, inside=count, orders=0, seats_a_visitor=2)


def test_everybody_asks_often_while_those_inside_could_buy_all_that_is_left() -> None:
    # A minute lets 60 in: 25 of them before those farthest away ask again.
    for phase in ("open", "paused"):
        assert poll_policy(status(phase=phase), 2 * (10 + 5 + 25) + 1, inside(10, 5)) == POLL
        near = poll_policy(status(phase=phase), 2 * (10 + 5 + 25), inside(10, 5))
        assert [(step.ahead, step.after_ms) for step in near] == [(0, 1000), (100, END_POLL_MS)]
    assert poll_policy(status(phase="prequeue"), 0, NOBODY) == POLL
    assert poll_policy(status(phase="sold_out"), 0, NOBODY) == POLL


def test_with_its_spread_the_look_and_two_caches_nobody_hears_of_the_end_after_more_than_five_seconds() -> None:
    seen_ms = (SWEEP_SECONDS + LOOK_SECONDS) * 1000
    assert seen_ms + 1000 + 1000 + END_POLL_MS * 1.25 <= 5000
    assert max(step.after_ms for step in POLL) * 1.25 <= 25_000, "LONGEST_SECONDS"
    on_sale = OnSale(on_sale=OnSaleId("sale"), title="", performances=(), prequeue_at_ms=0, opens_at_ms=0)
    for chance in (0.0, 0.5, 1.0):
        for left, most in ((0, 2), (100_000, 26)):
            told = StatusReply(
                house="house",
                on_sale="sale",
                phase="open",
                opens_at="2026-12-24T18:30:00Z",
                server_time="2026-12-24T18:31:00Z",
                lines={"public": LineReply(now_serving=0, joined=20_000, per_minute=60)},
                draw=DrawReply(algorithm="", commitment=""),
                seats_open={"all": left},
                seats_held=0,
                chance=NOBODY,
                poll=poll_policy(status(), left, NOBODY),
                epoch=1,
            )
            found = Standing("waiting", 19_000, 19_000, 19_000)
            assert refresh_s(told, found, on_sale, chance) <= most, "a page without JavaScript asks the house itself"
    assert seen_ms + 1000 + math.ceil(END_REFRESH_MS * 1.25 / 1000) * 1000 <= 5000


def test_whoever_was_called_within_this_minute_may_still_be_coming() -> None:
    found = chance_numbers(status(now_serving=200, admitted=110, live_passes=30, orders=50), 125, 6)
    assert found == ChanceReply(called=140, admitted=110, at_door=60, inside=30, orders=50, seats_a_visitor=2.5)
    called_more = chance_numbers(status(now_serving=200, admitted=80), 0, 6, MeasuredReply(per_minute=90.5, minutes=2))
    assert (called_more.called, called_more.at_door) == (110, 90), "some stay away, so more are called than come in"
    all_came = chance_numbers(status(now_serving=30, admitted=30, orders=1), 400, 6)
    assert (all_came.called, all_came.at_door, all_came.seats_a_visitor) == (30, 0, 6), "some were sold otherwise"
    assert chance_numbers(status(), 0, 6).seats_a_visitor == 2.2
