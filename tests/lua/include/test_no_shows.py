"""Those who are called and stay away are made up for: a whole sale, on a clock that the test turns."""

import heapq
import itertools
import random
from collections.abc import Iterator, Sequence

import pytest
import redis

from tests.lua.stage import SALE
from tests.lua.turned import TurnedStage

pytestmark = pytest.mark.timeout(300)
SECOND, MINUTE = 1_000, 60_000
RATE, BURST_MS, BURST = 500, 3_000, 25
WAITING = 30_000


class Crowd:
    """Visitors who ask every few seconds, come when they are called, or stay away; and who leave again."""

    def __init__(self, stage: TurnedStage, seed: int, *, cap: int, rate: int = RATE) -> None:
        self.stage, self.chance, self.rate = stage, random.Random(seed), rate
        stage.put_up(rate=rate, joined=WAITING, entrants=0, cap=cap, burst_ms=BURST_MS, turn_ms=10 * MINUTE)
        self.admitted_ms: list[float] = []
        self.served = [0]
        self.most_inside = 0
        self._called = 0
        self._inside: set[int] = set()
        self._due: list[tuple[float, int, str, int]] = []
        self._number = itertools.count()

    def go_on(self, until_ms: float, comes: float, inside_ms: Sequence[int] = (60_000, 180_000)) -> None:
        """Until an instant `comes` of those who are called do."""
        stage = self.stage
        while stage.at_ms < until_ms:
            next_tick = stage.at_ms + SECOND
            while self._due and self._due[0][0] <= next_tick:
                at_ms, _, what, visitor = heapq.heappop(self._due)
                if what == "claim":
                    stage.turn(max(stage.at_ms, at_ms))
                    self._claim(visitor, inside_ms)
                else:
                    stage.redis.zrem(stage.keys.live(SALE), visitor)
                    self._inside.discard(visitor)
            stage.turn(next_tick)
            now_serving = stage.serve()
            assert now_serving >= self.served[-1], "the number being served went back"
            self.served.append(now_serving)
            for visitor in range(self._called, now_serving):
                if self.chance.random() < comes:
                    self._later("claim", visitor, self.chance.uniform(500, 6_000))
            self._called = now_serving

    def _later(self, what: str, visitor: int, ms: float) -> None:
        heapq.heappush(self._due, (self.stage.at_ms + ms, next(self._number), what, visitor))

    def _claim(self, visitor: int, inside_ms: Sequence[int]) -> None:
        reply = self.stage.admit(visitor, pass_ms=15 * MINUTE)
        if reply[0] == b"admitted":
            self.admitted_ms.append(self.stage.at_ms)
            self._inside.add(visitor)
            self.most_inside = max(self.most_inside, len(self._inside))
            self._later("leave", visitor, self.chance.uniform(*inside_ms))
        else:
            wait_ms = reply[1] if reply[0] == b"paced" else 2_000
            assert reply[0] in {b"paced", b"full"}
            self._later("claim", visitor, wait_ms + self.chance.uniform(1_000, 7_000))

    def mean(self, since_ms: float) -> float:
        """Admissions a minute from an instant on."""
        return sum(at_ms >= since_ms for at_ms in self.admitted_ms) / (self.stage.at_ms - since_ms) * MINUTE

    def most_in_a_minute(self) -> int:
        ended, most = 0, 0
        for place, at_ms in enumerate(self.admitted_ms):
            while self.admitted_ms[ended] <= at_ms - MINUTE:
                ended += 1
            most = max(most, place - ended + 1)
        return most


@pytest.fixture
def turned(owner: redis.Redis) -> Iterator[TurnedStage]:
    """Not waiting for a disk: it is a hundred thousand calls."""
    before = str(owner.config_get("appendfsync")["appendfsync"])
    owner.config_set("appendfsync", "no")
    yield TurnedStage(owner)
    owner.config_set("appendfsync", before)


@pytest.mark.parametrize("seed", [1])
def test_with_three_in_ten_staying_away_as_many_come_in_as_may(turned: TurnedStage, seed: int) -> None:
    crowd = Crowd(turned, seed, cap=5_000)
    crowd.go_on(10 * MINUTE, comes=0.7)
    mean = crowd.mean(0)
    print(f"seed {seed}: {mean:.1f} a minute, {crowd.most_in_a_minute()} at most; {turned.sale()['calls']} calls")
    assert 475 <= mean <= 500
    assert crowd.most_in_a_minute() <= RATE + BURST


@pytest.mark.parametrize(
    ("comes", "rate", "minutes", "least"), [(1.0, 500, 6, 475), (0.4, 500, 6, 430), (0.7, 60, 20, 53)]
)
def test_however_many_stay_away_and_at_whatever_rate_no_more_come_in_than_may(
    turned: TurnedStage, comes: float, rate: int, minutes: int, least: int
) -> None:
    crowd = Crowd(turned, 7, cap=5_000, rate=rate)
    crowd.go_on(minutes * MINUTE, comes)
    print(f"{crowd.mean(0):.1f} a minute, {crowd.most_in_a_minute()} at most; {turned.sale()['calls']} calls")
    assert least <= crowd.mean(0) <= rate * 1.01
    assert crowd.most_in_a_minute() <= rate + max(1, rate * BURST_MS // MINUTE)


def test_when_all_come_again_the_door_holds_and_fewer_are_called(turned: TurnedStage) -> None:
    crowd = Crowd(turned, 5, cap=5_000)
    crowd.go_on(3 * MINUTE, comes=0.5)
    assert float(turned.sale()["calls"]) > 1.5
    crowd.go_on(6 * MINUTE, comes=1.0)
    calls = float(turned.sale()["calls"])
    print(f"{crowd.mean(4 * MINUTE):.1f} a minute, {crowd.most_in_a_minute()} at most; {calls} calls")
    assert calls < 1.2
    assert crowd.mean(4 * MINUTE) >= 475
    assert crowd.most_in_a_minute() <= RATE + BURST


def test_never_more_are_inside_than_the_cap_and_a_full_house_is_not_taken_for_people_who_stay_away(
    turned: TurnedStage,
) -> None:
    crowd = Crowd(turned, 9, cap=300)
    crowd.go_on(4 * MINUTE, comes=0.7)
    print(f"{crowd.mean(0):.1f} a minute, {crowd.most_inside} inside; {turned.sale()['calls']} calls")
    assert 280 <= crowd.most_inside <= 300
    assert crowd.most_in_a_minute() <= RATE + BURST
    assert float(turned.sale()["calls"]) < 2
    assert crowd.served[-1] < 2 * len(crowd.admitted_ms) + 300, "nobody is called again and again to a full house"
