"""Whoever is nobody costs no call, and nobody is left out: the sums of `engine/leaps.py`, which Lua does as well."""

import random

from engine.leaps import called_to, leaps_of, persons_before, with_run


def test_runs_are_kept_in_order_and_put_together() -> None:
    assert with_run("", 5, 5) == ""
    assert with_run("", 5, 9) == "5 9"
    assert with_run("5 9", 9, 12) == "5 12"
    assert with_run("5 12", 20, 30) == "5 12 20 30"


def test_those_in_the_draw_are_spread_over_it_and_later_ones_are_where_they_are() -> None:
    assert leaps_of("2 10 12 20", -1) == ((2, 10, 8), (12, 20, 8))
    assert leaps_of("2 10 12 20", 11) == ((0, 11, 8), (12, 20, 8))
    assert leaps_of("2 10 12 20", 15) == ((0, 15, 11), (15, 20, 5))
    assert leaps_of("", 15) == ()


def test_nobody_costs_nothing() -> None:
    leaps = leaps_of("2 102 104 204", 0)
    assert [persons_before(leaps, position) for position in (1, 2, 50, 102, 103, 150, 205)] == [1, 2, 2, 2, 3, 4, 5]
    assert [called_to(leaps, 0, called) for called in range(6)] == [0, 1, 102, 103, 204, 205]
    assert called_to(leaps, 50, 0) == 102
    drawn = leaps_of("2 222", 222)
    assert [called_to(drawn, 0, called) for called in range(4)] == [0, 111, 222, 223]


def test_one_by_one_or_at_once_everybody_is_called_once() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        text, at = "", 0
        for _ in range(chance.randrange(4)):
            first = at + chance.randrange(5)
            at = first + chance.randrange(1, 60)
            text = with_run(text, first, at)
        joined = at + chance.randrange(20)
        leaps = leaps_of(text, chance.choice((0, joined, chance.randrange(joined + 1))))
        persons = persons_before(leaps, joined)
        assert persons == joined - sum(nobodies for _, _, nobodies in leaps)
        served = 0
        for called in range(1, persons + 1):
            following = called_to(leaps, served, 1)
            assert served < following <= joined
            assert called <= persons_before(leaps, following) <= called + 1
            served = following
        assert called_to(leaps, 0, persons) == joined
