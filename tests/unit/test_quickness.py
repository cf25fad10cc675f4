"""Slow holds halve the pace within two ticks, and it comes back bit by bit."""

from pathlib import Path

import pytest

from api.tallies import DoorFigures, RouteFigures
from engine.figures import BOUNDS, DOOR_KIND, Figures
from engine.pressure import Judge, Level, Pressure, Strain
from engine.quickness import LEAST_PERCENT, RECOVERED_PERCENT, SETTLE_SECONDS, TICK_SECONDS, Quickness
from engine.words import HouseSlug

LIMIT_MS = 250
HOUSE = HouseSlug("noord")


class Process:
    """An API process, as it tells of its holds."""

    def __init__(self, folder: Path) -> None:
        self._figures = Figures(folder)
        self._buckets = {name: [0] * (len(BOUNDS) + 1) for name in ("noord", "zuid")}

    def answer(self, *, quick: int = 0, slow: int = 0, house: str = "noord", route: str = "hold") -> None:
        """Quick: within the limit, if barely; slow: just not."""
        at = BOUNDS.index(LIMIT_MS / 1000)
        self._buckets[house][at] += quick
        self._buckets[house][at + 1] += slow
        routes = [RouteFigures(name, route, {}, buckets, 0.0) for name, buckets in self._buckets.items()]
        self._figures.tell(DOOR_KIND, DoorFigures(routes=routes))


class Watch:
    """A house that is looked at, tick by tick."""

    def __init__(self, folder: Path, limit_ms: int = LIMIT_MS) -> None:
        self.quickness = Quickness(Figures(folder), HOUSE, limit_ms)
        self._now_s = 1_000.0
        self.tick()

    def tick(self, seconds: float = TICK_SECONDS) -> int:
        self._now_s += seconds
        self.quickness.look(self._now_s)
        return self.quickness.slowed_percent


def test_slow_holds_halve_the_pace_within_two_ticks_whichever_process_answers(tmp_path: Path) -> None:
    one, other = Process(tmp_path), Process(tmp_path)
    watch = Watch(tmp_path)
    one.answer(quick=900)
    other.answer(quick=90, slow=10)
    assert watch.tick() == 0, "one of a hundred is its p99"
    other.answer(quick=95, slow=5)
    assert 50 in (watch.tick(), watch.tick())
    assert watch.quickness.why == "holds: 5 of 100 took longer than 250 ms"


def test_the_pace_comes_back_bit_by_bit_once_holding_is_quick(tmp_path: Path) -> None:
    process, watch = Process(tmp_path), Watch(tmp_path)
    process.answer(slow=20)
    found = [watch.tick() for _ in range(12)]
    assert found[0] == 50
    assert found[1:] == [50 - RECOVERED_PERCENT * tick for tick in range(1, 11)] + [0]
    assert watch.quickness.why == ""


def test_as_long_as_it_is_slow_it_is_halved_again_each_time_it_could_have_helped(tmp_path: Path) -> None:
    process, watch = Process(tmp_path), Watch(tmp_path)
    found = []
    for _ in range(int(6 * SETTLE_SECONDS)):
        process.answer(quick=1, slow=9)
        found.append(watch.tick())
    assert sorted(set(found)) == [50, 75, 88, 94, 100 - LEAST_PERCENT]
    assert found[: int(SETTLE_SECONDS)] == [50] * int(SETTLE_SECONDS)


@pytest.mark.parametrize(
    ("answers", "limit_ms"),
    [
        ({"quick": 50, "slow": 1}, LIMIT_MS),
        ({"slow": 50, "house": "zuid"}, LIMIT_MS),
        ({"slow": 50, "route": "join"}, LIMIT_MS),
        ({"slow": 50}, 0),
        ({"slow": 50}, 499),
    ],
)
def test_what_slows_nobody(tmp_path: Path, answers: "dict[str, object]", limit_ms: int) -> None:
    """One slow hold; another house's; what is no hold; where nobody watches; within a limit that is no bound."""
    process, watch = Process(tmp_path), Watch(tmp_path, limit_ms)
    process.answer(**answers)  # type: ignore[arg-type]
    assert watch.tick() == 0


def test_what_was_slow_before_the_keeper_came_does_not_count_nor_twice_within_a_tick(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.answer(slow=50)
    watch = Watch(tmp_path)
    assert watch.tick() == 0
    process.answer(slow=50)
    assert watch.tick(TICK_SECONDS / 10) == 0, "it is looked at once a tick"
    assert watch.tick() == 50


def test_the_stricter_of_backlog_and_holds_decides() -> None:
    slowed = (50, "holds: slow")
    assert Judge().judge([], slowed) == Pressure(Level.CALM, 50, "holds: slow")
    assert Judge().judge([Strain("backlog", 54, 100, "some")], slowed).why == "holds: slow"
    more = Judge().judge([Strain("backlog", 75, 100, "much")], slowed)
    assert (more.slowed_percent, more.source) == (80, "backlog")
    shedding = Judge().judge([Strain("memory", 85, 100, "much")], slowed)
    assert (shedding.level, shedding.slowed_percent, shedding.source) == (Level.JOINS, 50, "memory")
