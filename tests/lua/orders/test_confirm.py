"""What the holds hold is sold: one step, one entry, one payment."""

from typing import Any

import pytest

from tests.lua.stage import HOLD_MS, SALE, Stage


def test_confirming_sells_the_seats_and_writes_one_entry(stage: Stage) -> None:
    stage.before("A: . h1 h1", areas=(5,))
    stage.stand(1, 2, hold="standing")
    holds = [["h1", 1], ["standing", 1]]
    word, entry, order, _ = stage.confirm(1, "", order="o1", payment="yes-1", total=4200, holds=holds)
    assert (word, order) == (b"confirmed", stage.order_key("o1"))
    assert (stage.after(), stage.area()) == ("A: . s s", (3, 2))
    assert stage.index_is_right()
    assert stage.entries() == [{b"kind": b"order", b"data": b"payload"}]
    assert (stage.sale()["orders"], stage.sale()["takings"]) == ("1", "4200")
    assert stage.held("h1") is stage.held("standing") is None
    assert stage.due() == {}
    assert stage.owned(1) == 4
    assert stage.find("o1")[:4] == [b"found", b"confirmed", entry, b"payload"]
    assert stage.find_payment("yes-1") == [b"paid_for", order]


def test_the_pass_ends_with_the_order(stage: Stage) -> None:
    stage.before("A: h1 h2")
    stage.confirm(1, "h1")
    members: list[bytes] = stage.redis.execute_command("ZRANGE", stage.keys.live(SALE), 0, -1)
    assert members == [b"2"]


def test_several_holds_of_several_performances_in_one_step(stage: Stage) -> None:
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1)
    stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 1]], ["p", "q"], hold="both")
    stage.hold(1, "A1", performance="q", hold="one")
    assert stage.confirm(1, "", ["p", "q"], holds=[["both", 1, 2], ["one", 2]])[0] == b"confirmed"
    assert (stage.after("p"), stage.after("q")) == ("A: s .", "A: s s")
    assert len(stage.entries()) == 1
    assert stage.index_is_right("p")
    assert stage.index_is_right("q")


@pytest.mark.parametrize("holds", [[["h1", 1], ["gone", 1]], [["h1", 1, 2]], [["h1", 1], ["h2", 1]], [["h1", 2]]])
def test_sells_all_of_it_or_nothing(stage: Stage, holds: list[list[Any]]) -> None:
    stage.before("A: h1 h2", performance="p")
    stage.before("A: . .", performance="q")
    with stage.nothing_changes():
        assert stage.confirm(1, "", ["p", "q"], holds=holds)[0] == b"hold_ended"


def test_cannot_confirm_another_visitors_hold(stage: Stage) -> None:
    stage.before("A: . h1")
    with stage.nothing_changes():
        assert stage.confirm(2, "h1") == [b"hold_ended", b"h1"]


def test_the_houses_own_may_confirm_anybodys_hold(stage: Stage) -> None:
    stage.before("A: . h1")
    assert stage.confirm(2, "h1", owner="")[0] == b"confirmed"
    assert stage.after() == "A: . s"


def test_cannot_confirm_what_is_over(stage: Stage) -> None:
    stage.before("A: h1 s2")
    stage.pass_time(HOLD_MS + 1)
    with stage.nothing_changes():
        assert stage.confirm(1, "h1") == [b"hold_ended", b"h1"]  # due, though nobody has swept it yet
        assert stage.confirm(1, "h1", owner="") == [b"hold_ended", b"h1"]
        assert stage.confirm(2, "s2") == [b"hold_ended", b"s2"]


def test_cannot_confirm_in_an_unknown_performance(stage: Stage) -> None:
    stage.before("A: h1 .")
    with stage.nothing_changes():
        assert stage.confirm(1, "h1", ["p", "elsewhere"]) == [b"unknown_performance"]


def test_a_repeat_confirms_once_and_names_the_first_order(stage: Stage) -> None:
    stage.before("A: . h1")
    operation = stage.key()
    first = stage.confirm(1, "h1", order="o1", payment="yes-1", operation=operation)
    with stage.nothing_changes():
        assert stage.confirm(1, "h1", order="o2", payment="yes-1", operation=operation) == first
    assert stage.confirm(1, "h1", order="o3", payment="yes-3") == [b"hold_ended", b"h1"]


def test_a_payment_buys_one_order(stage: Stage) -> None:
    stage.before("A: h1 . h2")
    stage.confirm(1, "h1", order="o1", payment="yes-1")
    with stage.nothing_changes():
        assert stage.confirm(2, "h2", order="o2", payment="yes-1") == [
            b"payment_used",
            stage.order_key("o1"),
        ]


@pytest.mark.parametrize("phase", ["paused", "sold_out", "closed"])
def test_what_is_held_may_be_paid_for_whatever_became_of_the_sale(stage: Stage, phase: str) -> None:
    stage.before("A: h1 .")
    stage.set_sale(phase=phase)
    assert stage.confirm(1, "h1")[0] == b"confirmed"


def test_a_pass_that_has_ended_does_not_take_the_seats_away(stage: Stage) -> None:
    stage.before("A: h1 .")
    stage.redis.execute_command("DEL", stage.keys.live(SALE))
    assert stage.confirm(1, "h1")[0] == b"confirmed"


def test_only_the_newest_pass_of_a_place_pays_also_for_what_an_older_one_holds(stage: Stage) -> None:
    stage.before("A: h1 .")
    live = stage.keys.live(SALE)
    stage.redis.execute_command("ZADD", live, f"{stage.now_ms() + 60_000}.5", 1)
    with stage.nothing_changes():
        assert stage.confirm(1, "h1", place="1 2047") == [b"moved"]
    assert stage.confirm(1, "h1", place="1 2048")[0] == b"confirmed"
    assert stage.redis.execute_command("ZSCORE", live, 1) is None


def test_a_payment_that_came_ends_the_pass_of_whichever_generation(stage: Stage) -> None:
    stage.before("A: h1 .")
    live = stage.keys.live(SALE)
    stage.redis.execute_command("ZADD", live, f"{stage.now_ms() + 60_000}.5", 1)
    assert stage.confirm(1, "h1", place="1")[0] == b"confirmed"
    assert stage.redis.execute_command("ZSCORE", live, 1) is None


def test_a_customer_buys_at_most_so_many_of_each_performance_in_all_their_orders(stage: Stage) -> None:
    stage.before("A: h1 h1 h2 h3 .", areas=(5,))
    stage.before("A: h2 .", performance="q")
    stage.let_in(2)
    stage.stand(1, 1, hold="standing")
    mine = ("ann", 3)
    holds = [["h1", 1], ["standing", 1]]
    with stage.nothing_changes():
        assert stage.confirm(1, "", holds=holds, customer=("ann", 2)) == [b"limit", 1, 0]
    assert stage.confirm(1, "", order="o1", holds=holds, customer=mine)[0] == b"confirmed"
    with stage.nothing_changes():
        assert stage.confirm(2, "h2", performances=("q", "p"), customer=mine) == [b"limit", 2, 3]
    assert stage.confirm(2, "h2", performances=("q", "p"), customer=("bob", 3))[0] == b"confirmed"
    assert stage.confirm(3, "h3", customer=("", 0))[0] == b"confirmed"  # where nobody counts
    hall = stage.hash(stage.hall("p")[0])
    assert {name: value for name, value in hall.items() if name[:1] == b"p"} == {b"pann": b"3", b"pbob": b"1"}
    part = ["v1", 0, [0, 0, 2], [0, 1], 0, "", [], 0, "ann"]
    assert stage.give_back(1, "o1", parts=[part])[0] == b"returned"
    assert b"pann" not in stage.hash(stage.hall("p")[0])
