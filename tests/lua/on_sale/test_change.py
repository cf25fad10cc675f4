"""What a house's manager does to a running on-sale."""

import pytest

from tests.lua.stage import Stage

MINUTE = 60_000
FUTURE = 10**13
PHASES = ("scheduled", "prequeue", "open", "paused", "sold_out", "closed")
ALLOWED = {
    ("scheduled", "open"): "open",
    ("prequeue", "open"): "open",
    ("open", "pause"): "paused",
    ("paused", "resume"): "open",
    ("sold_out", "resume"): "open",
    ("open", "sell_out"): "sold_out",
    ("paused", "sell_out"): "sold_out",
    ("open", "drain"): "open",
    ("open", "stop"): "paused",
    ("paused", "stop"): "paused",
    **{(phase, "close"): "closed" for phase in PHASES if phase != "closed"},
}


def put_up_in(stage: Stage, phase: str) -> None:
    prequeue_at_ms = FUTURE if phase == "scheduled" else 0
    opens_at_ms = FUTURE if phase in {"scheduled", "prequeue"} else 0
    stage.put_up(phase=phase, rate=1, prequeue_at_ms=prequeue_at_ms, opens_at_ms=opens_at_ms)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("verb", ["open", "pause", "resume", "drain", "stop", "sell_out", "close", "shout"])
def test_phases_change_only_where_they_may(stage: Stage, phase: str, verb: str) -> None:
    put_up_in(stage, phase)
    if (becomes := ALLOWED.get((phase, verb))) is None:
        with stage.nothing_changes():
            assert stage.change(verb) == [b"wrong_phase", phase.encode()]
    else:
        assert stage.change(verb)[:2] == [b"changed", becomes.encode()]
        assert stage.sale()["phase"] == becomes
        assert stage.entries() == [{b"kind": b"action", b"data": b"action"}]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("verb", "value"), [("rate", "60"), ("cap", "7"), ("message", "Ten minutes more")])
def test_pace_and_message_can_be_set_at_any_time(stage: Stage, phase: str, verb: str, value: str) -> None:
    put_up_in(stage, phase)
    assert stage.change(verb, value)[:2] == [b"changed", phase.encode()]
    assert stage.sale()[verb] == value
    assert len(stage.entries()) == 1


def test_opening_by_hand_draws_among_those_who_came_so_far(stage: Stage) -> None:
    stage.put_up(phase="prequeue", opens_at_ms=FUTURE, rate=1)
    for secret in "abc":
        stage.join(secret)
    now = stage.now_ms()
    stage.change("open")
    stage.join("late")
    seen = stage.status()
    assert (seen["entrants"], seen["joined"], seen["now_serving"]) == (3, 4, 0)
    assert now <= seen["opens_at_ms"] <= stage.now_ms()


@pytest.mark.parametrize(("before", "now_serving"), [(0, 0), (1, 5)])
def test_a_new_rate_never_reaches_into_the_past(stage: Stage, before: int, now_serving: int) -> None:
    stage.put_up(rate=before, joined=10**6, turn_ms=10_000 * MINUTE)
    stage.pass_time(5 * MINUTE + 30_000)
    stage.change("rate", 2)
    assert stage.status()["now_serving"] == now_serving
    stage.pass_time(MINUTE + 15_000)
    assert stage.status()["now_serving"] == now_serving + 2


def test_a_new_cap_never_reaches_into_the_past(stage: Stage) -> None:
    stage.put_up(rate=1, joined=100, cap=0)
    stage.pass_time(60 * MINUTE)
    stage.change("cap", 50)
    stage.pass_time(2 * MINUTE + 30_000)
    assert stage.status()["now_serving"] == 2


@pytest.mark.parametrize("verb", ["pause", "sell_out"])
def test_a_pause_is_not_made_up_for(stage: Stage, verb: str) -> None:
    stage.put_up(rate=1, joined=100, turn_ms=10_000 * MINUTE)
    stage.pass_time(3 * MINUTE + 30_000)
    stage.change(verb)
    stage.pass_time(60 * MINUTE)
    stage.change("resume")
    assert stage.status()["now_serving"] == 3
    stage.pass_time(2 * MINUTE + 30_000)
    assert stage.status()["now_serving"] == 5


def test_a_new_rate_holds_at_the_door_at_once(stage: Stage) -> None:
    stage.put_up(rate=1, joined=10, now_serving=10)
    assert stage.admit(0)[0] == b"admitted"
    word, wait_ms = stage.admit(1)
    assert word == b"paced"
    assert wait_ms > 50_000
    stage.change("rate", 60)
    word, wait_ms = stage.admit(1)
    assert word == b"paced"
    assert wait_ms <= 1_000
    stage.pass_time(1_000)
    assert stage.admit(1)[0] == b"admitted"
    stage.change("rate", 0)
    assert stage.admit(2)[0] == b"paced"


def test_a_new_rate_does_not_wait_at_the_door_for_what_the_old_one_let_in(stage: Stage) -> None:
    """A burst at one a minute reaches minutes ahead."""
    stage.put_up(rate=1, joined=10, now_serving=10, burst_ms=2 * MINUTE)
    assert [stage.admit(index)[0] for index in range(3)] == [b"admitted", b"admitted", b"paced"]
    stage.change("rate", 60)
    assert stage.admit(2)[0] == b"admitted"


def test_a_new_rate_earns_nobody_a_burst_however_often_it_is_set(stage: Stage) -> None:
    """Elsewhere each change began the minute anew."""
    stage.put_up(rate=10, joined=100, now_serving=100, burst_ms=MINUTE // 5)
    admitted = 0
    for turn in range(40):
        admitted += stage.admit(turn)[0] == b"admitted"
        stage.change("rate", (10, 11)[turn % 2])
    assert admitted == 2


def test_a_drained_line_calls_nobody_further_and_lets_in_who_was_called(stage: Stage) -> None:
    stage.put_up(rate=1, joined=100, turn_ms=10 * MINUTE)
    stage.pass_time(3 * MINUTE + 30_000)
    stage.change("drain")
    stage.pass_time(5 * MINUTE)
    assert stage.status()["now_serving"] == 3
    assert stage.admit(2)[0] == b"admitted"
    assert stage.admit(3)[0] == b"not_yet"
    for _ in range(3):
        stage.pass_time(10 * MINUTE)
        stage.come("somebody")
    assert stage.sale()["gone"] == "3", "turns run out, or it would never be empty"
    with stage.nothing_changes():
        assert stage.change("drain") == [b"wrong_phase", b"open"]
    stage.change("resume")
    stage.pass_time(2 * MINUTE + 30_000)
    assert stage.status()["now_serving"] == 5, "and what was not called is not made up for"


def test_a_stop_ends_every_pass_and_who_had_one_comes_in_again(stage: Stage) -> None:
    stage.put_up(rate=60, joined=10, now_serving=4, gone=2, mark=3, turn_ms=10 * MINUTE, burst_ms=MINUTE)
    stage.let_in(0)
    assert stage.admit(2)[0] == b"admitted"
    stage.change("stop")
    assert stage.status()["live"] == 0
    with stage.nothing_changes():
        assert stage.admit(2) == [b"paused"], "not even who was in, as in a pause"
        assert stage.change("stop") == [b"wrong_phase", b"paused"]
    stage.pass_time(60 * MINUTE)
    stage.change("resume")
    assert stage.admit(2)[0] == b"renewed"
    assert stage.admit(0)[0] == b"admitted", "whose turn had gone: everybody who was called has a whole one again"
    stage.pass_time(9 * MINUTE)
    assert stage.admit(3)[0] == b"admitted"
    assert stage.status()["now_serving"] >= 4


def test_a_stopped_sale_may_be_stopped_from_a_pause_and_is_one_when_it_goes_on(stage: Stage) -> None:
    stage.put_up(rate=60, joined=10, now_serving=4, burst_ms=MINUTE)
    assert stage.admit(1)[0] == b"admitted"
    stage.change("pause")
    assert stage.admit(1)[0] == b"renewed"
    stage.change("stop")
    assert stage.admit(1) == [b"paused"]
    stage.change("resume")
    stage.change("pause")
    assert stage.admit(1)[0] == b"renewed"


def test_a_new_rate_does_not_empty_the_door_for_the_time_before_it(stage: Stage) -> None:
    stage.put_up(rate=1, joined=10, now_serving=10)
    assert stage.admit(0)[0] == b"admitted"
    stage.pass_time(MINUTE // 2)
    stage.change("rate", 2)
    word, wait_ms = stage.admit(1)
    assert word == b"paced"
    assert 14_000 < wait_ms <= 15_000
