"""Counters are read off an on-sale's fields; what a recovery leapt over is nobody."""

from engine.afterwards import waits_in
from engine.counted import Counted, LastMinute, counted_in

FIELDS = {
    "joined": "500",
    "now_serving": "300",
    "admitted": "200",
    "gone": "250",
    "orders": "17",
    "entrants": "150",
    "leaps": "30 60 280 300 430 480",
    "joined:members": "30",
    "now_serving:members": "10",
}


def test_what_was_leapt_over_is_not_counted() -> None:
    assert counted_in(FIELDS) == Counted(joined=430, called=260, admitted=200, missed=20, orders=17)
    assert counted_in({}) == Counted()


def test_what_a_minute_brought_is_never_less_than_nothing() -> None:
    assert Counted(5, 4, 3, 2, 1).since(Counted(1, 1, 1, 9, 1)) == Counted(4, 3, 2, 0, 0)


def test_more_than_the_rate_in_any_minute_is_an_overshoot() -> None:
    minute = LastMinute()
    found = [minute.overshoot({"admitted": str(10 * second), "rate": "500"}, float(second)) for second in range(70)]
    assert (found[50], found[60], found[69]) == (0, 100, 100)
    assert minute.overshoot({"admitted": "690", "rate": "700"}, 70.0) == 0


def test_percentiles_are_told_as_at_most_so_long() -> None:
    assert waits_in({}).measured == 0
    found = waits_in({"waited_0": "50", "waited_16": "44", "waited_24": "6"})
    assert (found.measured, found.p50_seconds, found.p95_seconds) == (100, 1, 64)
