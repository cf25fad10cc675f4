"""However often a pass is renewed, a place lets its visitor stay inside for so long in all."""

from tests.lua.stage import PASS_MS, SALE, Reply, Stage

STAY_MS, LEEWAY_MS = 2 * PASS_MS + 30_000, 10_000


def admit(stage: Stage, index: int, stay_ms: int = STAY_MS) -> Reply:
    return stage.admit(index, stay_ms=stay_ms, leeway_ms=LEEWAY_MS)


def put_up(stage: Stage) -> None:
    stage.put_up(rate=1, joined=20, now_serving=20, turn_ms=10**9, burst_ms=10**9)


def left_ms(stage: Stage, expires_at_ms: int) -> int:
    """What is left of a pass, by the half minute."""
    return round((expires_at_ms - LEEWAY_MS - stage.now_ms()) / 30_000) * 30_000


def test_nobody_sits_inside_for_ever(stage: Stage) -> None:
    put_up(stage)
    first = admit(stage, 0)
    assert (first[0], left_ms(stage, first[1])) == (b"admitted", PASS_MS)
    assert first[3] == first[1] - LEEWAY_MS - PASS_MS + STAY_MS, "and whoever comes in is told until when"
    stage.pass_time(PASS_MS)
    assert left_ms(stage, admit(stage, 0)[1]) == PASS_MS
    stage.pass_time(PASS_MS)
    last = admit(stage, 0)
    assert (last[0], left_ms(stage, last[1])) == (b"renewed", 30_000)
    assert last[1] == last[3] + LEEWAY_MS
    stage.pass_time(30_000)
    over = admit(stage, 0)
    assert (over[0], left_ms(stage, over[1] + LEEWAY_MS)) == (b"stay_over", 0)
    with stage.nothing_changes():
        assert admit(stage, 0) == over
    # The leeway is the verifiers': it renews nothing. Nor does naming no pass, as another device would.
    stage.pass_time(LEEWAY_MS)
    assert admit(stage, 0)[0] == b"stay_over"
    assert admit(stage, 1)[0] == b"admitted", "another place has a stay of its own"


def test_a_pause_outside_lengthens_no_stay(stage: Stage) -> None:
    put_up(stage)
    admit(stage, 0)
    stage.pass_time(STAY_MS - 30_000)
    assert left_ms(stage, admit(stage, 0)[1]) == 30_000
    stage.pass_time(STAY_MS)
    assert admit(stage, 1)[0] == b"admitted"
    assert admit(stage, 0)[0] == b"stay_over"


def test_whoever_asks_for_more_time_stays_longer(stage: Stage) -> None:
    put_up(stage)
    admit(stage, 0)
    stage.pass_time(STAY_MS)
    assert admit(stage, 0)[0] == b"stay_over"
    assert left_ms(stage, admit(stage, 0, 2 * STAY_MS)[1]) == PASS_MS


def test_a_stop_takes_nothing_off_a_stay(stage: Stage) -> None:
    put_up(stage)
    admit(stage, 0)
    stage.change("stop")
    stage.pass_time(STAY_MS)
    stage.change("resume")
    assert left_ms(stage, admit(stage, 0)[1]) == PASS_MS


def test_lines_have_stays_of_their_own(stage: Stage) -> None:
    stage.put_up(
        rate=60_000,
        joined=9,
        now_serving=9,
        turn_ms=10**9,
        lines="members",
        **stage.line("members", joined=9, now_serving=9),
    )
    admit(stage, 0)
    stage.pass_time(STAY_MS)
    assert admit(stage, 0)[0] == b"stay_over"
    assert stage.admit(0, line="members", stay_ms=STAY_MS)[0] == b"admitted"


def test_a_stay_is_kept_in_mind_while_it_may_count_and_where_there_is_none_not_at_all(stage: Stage) -> None:
    put_up(stage)
    stays = stage.keys.stays(SALE)
    assert stage.admit(0)[0] == b"admitted"
    assert stage.redis.execute_command("EXISTS", stays) == 0
    admit(stage, 1)
    stage.pass_time(4 * STAY_MS - 1_000)
    admit(stage, 2)
    assert stage.redis.execute_command("ZCARD", stays) == 2
    stage.pass_time(2_000)
    admit(stage, 3)
    assert stage.redis.execute_command("ZRANGE", stays, 0, -1) == [b"2", b"3"]


def test_a_clock_that_is_set_back_lengthens_no_stay(stage: Stage) -> None:
    put_up(stage)
    admit(stage, 0)
    stage.pass_time(-10 * STAY_MS)
    again = admit(stage, 0)
    assert (again[0], left_ms(stage, again[3] + LEEWAY_MS)) == (b"renewed", STAY_MS)
    stage.pass_time(STAY_MS)
    assert admit(stage, 0)[0] == b"stay_over", "it is counted from there"
