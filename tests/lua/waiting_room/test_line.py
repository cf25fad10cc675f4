"""join, status and admit against one line."""

import pytest

from tests.lua.stage import SALE


def join(stage, secret="s1", *, operation="", limit=1000):
    keys = stage.keys
    return stage.run(
        "waiting_room/join",
        [
            keys.cell,
            keys.sale(SALE),
            keys.live(SALE),
            operation or stage.key(),
            keys.retry(SALE, secret),
            keys.outbox,
        ],
        *("f", secret, SALE, "public", limit),
    )


def admit(stage, index, *, position=None, entrants=0, operation="", pass_ms=60_000):
    keys = stage.keys
    return stage.run(
        "waiting_room/admit",
        [keys.cell, keys.sale(SALE), keys.live(SALE), keys.claimed(SALE), operation or stage.key()],
        *("f", index, index if position is None else position, entrants, pass_ms),
    )


def status(stage):
    names = (
        "phase now_ms opens_at_ms now_serving joined rate cap entrants seed commitment message admitted live orders "
        "takings prequeue_at_ms"
    )
    reply = stage.ask("waiting_room/status", [stage.keys.sale(SALE), stage.keys.live(SALE)])
    return dict(zip(names.split(), reply[1:], strict=True))


def shift(stage, ms):
    """Lets time pass for the line: everything that was written is that much older."""
    for name in ("served_at_ms", "opens_at_ms", "prequeue_at_ms", "mark_at_ms"):
        value = float(stage.sale()[name])
        stage.redis.hset(
            stage.keys.sale(SALE), name, f"{value - ms:.3f}" if name == "served_at_ms" else int(value - ms)
        )


def test_everyone_gets_the_next_index_and_a_repeat_the_same(stage):
    stage.put_up()
    operation = stage.key()
    first = join(stage, "a", operation=operation)
    assert first[:2] == [b"joined", 0]
    assert join(stage, "a", operation=operation) == first
    assert join(stage, "a")[1] == 0  # within a minute the secret finds its place again
    assert join(stage, "b")[1] == 1
    assert stage.redis.xlen(stage.keys.outbox) == 2


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"phase": "scheduled", "prequeue_at_ms": 10**13, "opens_at_ms": 10**13}, [b"not_yet_open", 10**13]),
        ({"phase": "closed"}, [b"ended", b"closed"]),
        ({"phase": "sold_out"}, [b"ended", b"sold_out"]),
    ],
)
def test_cannot_join_before_or_after(stage, changed, answer):
    stage.put_up(**changed)
    assert join(stage) == answer
    assert stage.redis.xlen(stage.keys.outbox) == 0


def test_a_line_is_not_longer_than_its_limit(stage):
    stage.put_up()
    assert join(stage, "a", limit=1)[0] == b"joined"
    assert join(stage, "b", limit=1) == [b"line_full"]


def test_time_opens_the_sale_without_anybody(stage):
    now = stage.now_ms()
    stage.put_up(phase="scheduled", prequeue_at_ms=now - 10, opens_at_ms=now + 60_000)
    assert join(stage, "a")[0] == b"joined"
    assert stage.sale()["phase"] == "prequeue"
    assert status(stage)["entrants"] == -1
    assert status(stage)["seed"] == b""
    assert admit(stage, 0) == [b"not_yet", 0]
    shift(stage, 61_000)
    seen = status(stage)
    assert (seen["phase"], seen["entrants"], seen["seed"]) == (b"open", 1, b"c2VlZA")


def test_the_rate_calls_people_and_never_more_than_there_are(stage):
    stage.put_up(rate=60)
    for number in range(5):
        join(stage, str(number))
    assert admit(stage, 0) == [b"not_yet", 0]
    shift(stage, 3_000)
    assert admit(stage, 0)[0] == b"admitted"
    assert 3 <= int(stage.sale()["now_serving"]) <= 4
    shift(stage, 3_600_000)
    assert admit(stage, 4)[0] == b"admitted"
    assert stage.sale()["now_serving"] == "5"


def test_an_idle_line_saves_no_burst_up(stage):
    stage.put_up(rate=60)
    join(stage, "a")
    shift(stage, 600_000)
    admit(stage, 0)
    for number in range(9):
        join(stage, f"later {number}")
    shift(stage, 1_000)
    join(stage, "one more")
    assert int(stage.sale()["now_serving"]) <= 3


def test_the_cap_on_live_passes_holds_for_calling_and_for_claiming(stage):
    stage.put_up(rate=60, cap=2)
    for number in range(6):
        join(stage, str(number))
    shift(stage, 10_000)
    assert admit(stage, 0)[0] == b"admitted"
    assert stage.sale()["now_serving"] == "2"
    assert admit(stage, 1)[0] == b"admitted"
    shift(stage, 10_000)
    assert admit(stage, 2) == [b"not_yet", 2]
    stage.redis.hset(stage.keys.sale(SALE), "now_serving", 3)
    assert admit(stage, 2) == [b"full"]
    stage.redis.zrem(stage.keys.live(SALE), "0")  # as confirming does
    assert admit(stage, 2)[0] == b"admitted"


def test_a_second_claim_renews_and_is_never_a_second_shopper(stage):
    stage.put_up()
    join(stage, "a")
    shift(stage, 1_000)
    operation = stage.key()
    first = admit(stage, 0, operation=operation)
    assert admit(stage, 0, operation=operation) == first
    again = admit(stage, 0, pass_ms=90_000)
    assert again[0] == b"renewed"
    assert again[1] > first[1]
    assert stage.redis.zcard(stage.keys.live(SALE)) == 1
    assert stage.sale()["admitted"] == "1"


def test_cannot_claim_with_a_stale_number_of_entrants(stage):
    stage.put_up(entrants=4, joined=4)
    shift(stage, 1_000)
    assert admit(stage, 0, position=0, entrants=-1) == [b"drawn", 4]
    assert admit(stage, 0, position=3, entrants=4)[0] == b"admitted"


def test_a_turn_is_kept_and_then_over(stage):
    stage.put_up(turn_ms=10_000, joined=2)
    shift(stage, 1_000)
    assert admit(stage, 1)[0] == b"admitted"
    for _ in range(3):
        shift(stage, 10_000)
        join(stage, str(stage.counter))
    assert admit(stage, 0) == [b"gone"]
    assert admit(stage, 1)[0] == b"renewed"  # whoever is in stays in


def test_a_pause_keeps_turns_and_lets_nobody_new_in(stage):
    stage.put_up(joined=3)
    shift(stage, 1_000)
    assert admit(stage, 0)[0] == b"admitted"
    stage.redis.hset(stage.keys.sale(SALE), "phase", "paused")
    assert admit(stage, 1) == [b"paused"]
    assert admit(stage, 0)[0] == b"renewed"
    before = stage.sale()["now_serving"]
    shift(stage, 60_000)
    join(stage, "during the pause")
    assert stage.sale()["now_serving"] == before


def change(stage, verb, value="", *, operation=""):
    keys = stage.keys
    return stage.run(
        "on_sale/change",
        [keys.cell, operation or stage.key(), keys.sale(SALE), keys.live(SALE), keys.outbox],
        *(f"{verb}{value}", verb, value, b"action"),
    )


@pytest.mark.parametrize(
    ("phase", "verb", "becomes"),
    [
        ("scheduled", "open", "open"),
        ("prequeue", "open", "open"),
        ("open", "pause", "paused"),
        ("paused", "resume", "open"),
        ("sold_out", "resume", "open"),
        ("open", "sell_out", "sold_out"),
        ("open", "close", "closed"),
        ("paused", "close", "closed"),
        ("open", "open", None),
        ("closed", "open", None),
        ("closed", "close", None),
        ("closed", "resume", None),
        ("scheduled", "pause", None),
    ],
)
def test_phases_change_only_where_they_may(stage, phase, verb, becomes):
    future = 10**13 if phase in {"scheduled", "prequeue"} else stage.now_ms()
    stage.put_up(phase=phase, prequeue_at_ms=future if phase == "scheduled" else 0, opens_at_ms=future)
    reply = change(stage, verb)
    if becomes is None:
        assert reply == [b"wrong_phase", phase.encode()]
        assert stage.redis.xlen(stage.keys.outbox) == 0
    else:
        assert reply[:2] == [b"changed", becomes.encode()]
        assert stage.sale()["phase"] == becomes
        assert stage.redis.xlen(stage.keys.outbox) == 1


def test_opening_by_hand_draws_among_those_who_came_so_far(stage):
    stage.put_up(phase="prequeue", opens_at_ms=10**13)
    for number in range(3):
        join(stage, str(number))
    change(stage, "open")
    join(stage, "late")
    assert status(stage)["entrants"] == 3


def test_a_new_rate_never_reaches_into_the_past(stage):
    stage.put_up(rate=0, joined=100)
    shift(stage, 60_000)
    change(stage, "rate", 60_000)
    assert int(stage.sale()["now_serving"]) <= 20  # what the new rate gives since, not a minute of it


def test_now_serving_never_goes_back(stage):
    stage.put_up(joined=50)
    shift(stage, 1_000)
    join(stage, "x")
    change(stage, "rate", 1)
    change(stage, "cap", 0)
    seen = int(stage.sale()["now_serving"])
    assert seen > 0
    stage.redis.hset(stage.keys.sale(SALE), "served_at_ms", stage.now_ms() + 60_000)  # a clock that jumped back
    join(stage, "y")
    assert int(stage.sale()["now_serving"]) == seen
