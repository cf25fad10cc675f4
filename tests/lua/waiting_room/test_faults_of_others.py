"""What other waiting rooms are known to get wrong: each test's name says the fault. On a clock that the test turns."""

from collections.abc import Collection

import pytest
import redis

from tests.lua.stage import SALE
from tests.lua.turned import TurnedStage

SECOND, MINUTE = 1_000, 60_000


@pytest.fixture
def turned(owner: redis.Redis) -> TurnedStage:
    return TurnedStage(owner)


def called_and_let_in(stage: TurnedStage, restarts: Collection[int]) -> tuple[int, int]:
    """How many are called and how many come in, of many who all come, in a minute with restarts at some seconds."""
    stage.put_up(rate=600, joined=5_000, cap=5_000, burst_ms=3_000, turn_ms=10 * MINUTE)
    waits, called, let_in = set[int](), 0, 0
    for second in range(1, 61):
        stage.turn(second * SECOND)
        if second in restarts:
            stage.restart()
        now_serving = stage.serve()
        waits.update(range(called, now_serving))
        called = now_serving
        inside = {visitor for visitor in sorted(waits) if stage.admit(visitor, pass_ms=10 * MINUTE)[0] == b"admitted"}
        waits -= inside
        let_in += len(inside)
    return called, let_in


def test_an_increment_that_grows_with_warm_restarts(owner: redis.Redis) -> None:
    undisturbed = called_and_let_in(TurnedStage(owner), ())
    owner.flushall()
    assert called_and_let_in(TurnedStage(owner), range(3, 61, 3)) == undisturbed
    called, let_in = undisturbed
    assert called == 600
    assert 570 <= let_in <= 600


def test_expiry_that_stalls_at_the_first_gap(turned: TurnedStage) -> None:
    """The first who is called never comes, the second's pass never ends, and after a loss the indices leapt."""
    first, gap, cap, pass_s = 20, 500, 12, 5
    late = range(first + gap, first + gap + 20)
    turned.put_up(rate=600, joined=first, cap=cap, burst_ms=MINUTE, turn_ms=MINUTE)
    live = turned.keys.live(SALE)
    # Of nobody, of long ago, for ever.
    turned.redis.execute_command("ZADD", live, 0, "friends/99", 1, "-1", 10**15, "1")
    turned.set_sale(joined=first + gap)
    waits = {*range(2, first), *late}
    for visitor in late:
        assert turned.join(f"visitor {visitor}")[1] == visitor
    inside: dict[int, float] = {}
    for second in range(1, 181):
        turned.turn(second * SECOND)
        now_serving = turned.serve()
        for visitor in sorted(waits):
            if visitor < now_serving and turned.admit(visitor, pass_ms=pass_s * SECOND)[0] == b"admitted":
                inside[visitor] = second
                waits.remove(visitor)
        within = [visitor for visitor, since in inside.items() if second - since < pass_s]
        assert len(within) < cap
        if not waits:
            break
    assert not waits, f"after {turned.at_ms / SECOND:.0f} s {len(inside)} came in, up to number {turned.serve()}"
    # As soon as the pace and the room allow: those of the gap are called as anybody, and nobody waits for them.
    assert turned.at_ms <= ((first + gap) / 10 + len(late) / (cap - 1) * pass_s + pass_s) * SECOND


def test_a_serving_number_that_goes_backwards_when_live_passes_exceed_the_cap(turned: TurnedStage) -> None:
    """A house lowers its cap below those who are inside: who was called stays called, and the line goes on later."""
    turned.put_up(rate=600, joined=500, cap=100, burst_ms=MINUTE, turn_ms=10 * MINUTE)
    turned.turn(10 * SECOND)
    called = turned.serve()
    assert called == 100
    for visitor in range(60):
        assert turned.admit(visitor, pass_ms=MINUTE)[0] == b"admitted"
    turned.change("cap", 10)
    served = []
    for second in range(11, 200):
        turned.turn(second * SECOND)
        served.append(turned.serve())
        assert turned.status()["now_serving"] == served[-1]
    assert served == sorted(served)
    assert served[0] == called, "sixty are inside and ten may be: nobody further is called, and nobody fewer"
    assert served[-1] > called
