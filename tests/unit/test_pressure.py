"""What is shed at which strain, and that nothing flaps."""

import pytest

from engine.pressure import Judge, Level, Pressure, Strain


def strain(share: float, source: str = "memory") -> Strain:
    return Strain(source, share * 1000, 1000, f"{share:.0%}")


@pytest.mark.parametrize(
    ("share", "level"),
    [
        *((0, Level.CALM), (0.5, Level.CALM), (0.79, Level.CALM)),
        *((0.8, Level.JOINS), (0.89, Level.JOINS)),
        *((0.9, Level.HOLDS), (1, Level.HOLDS), (7, Level.HOLDS)),
    ],
)
def test_joining_goes_first_and_then_holding(share: float, level: Level) -> None:
    for source in ("memory", "disk", "backlog", "cpu"):
        assert Judge().judge([strain(share, source)]).level is level


def test_a_level_is_left_only_when_there_is_room_again() -> None:
    judge = Judge()
    shares = (0.79, 0.81, 0.79, 0.71, 0.81, 0.69, 0.79, 0.91, 0.89, 0.81, 0.79, 0.69)
    found = [judge.judge([strain(share)]).level for share in shares]
    assert found == [0, 1, 1, 1, 1, 0, 0, 2, 2, 2, 1, 0]


def test_the_worst_strain_decides_and_is_named() -> None:
    found = Judge().judge([strain(0.95, "disk"), strain(0.85, "memory"), strain(0.1, "backlog")])
    assert found == Pressure(Level.HOLDS, 100, "disk: 95%")
    assert found.source == "disk"
    assert str(found) == "joining and holding are refused and coming in is slowed by 100 % (disk: 95%)"
    assert str(Judge().judge([strain(0.1)])) == "calm"


def test_each_strain_has_a_level_of_its_own() -> None:
    judge = Judge()
    assert judge.judge([strain(0.95, "disk"), strain(0.75, "memory")]).level is Level.HOLDS
    assert judge.judge([strain(0.1, "disk"), strain(0.75, "memory")]).level is Level.CALM


@pytest.mark.parametrize(
    ("share", "slowed_percent"), [(0.49, 0), (0.5, 0), (0.54, 10), (0.65, 50), (0.79, 90), (0.8, 100), (2, 100)]
)
def test_a_backlog_slows_whoever_comes_in_before_it_stops_them(share: float, slowed_percent: int) -> None:
    assert Judge().judge([strain(share, "backlog")]).slowed_percent == slowed_percent
    other = Judge().judge([strain(share, "disk")])
    assert other.slowed_percent == (100 if other.level is Level.HOLDS else 0)


def test_the_pace_does_not_change_with_every_small_change_of_the_backlog() -> None:
    judge = Judge()
    found = [judge.judge([strain(share, "backlog")]).slowed_percent for share in (0.651, 0.645, 0.651, 0.635, 0.62)]
    assert found == [50, 50, 50, 50, 40]


def test_nothing_of_nothing_is_no_strain_and_something_of_nothing_is_all() -> None:
    assert Strain("disk", 0, 0, "").share == 0
    assert Strain("disk", 1, 0, "").share == 1
