"""Money came for an order whose holds had ended: the same seats are sold in one step, or nothing changes."""

import pytest

from tests.lua.stage import HOLD_MS, SALE, Stage


def lapse(stage: Stage) -> None:
    """Every hold has ended, and is swept."""
    stage.pass_time(HOLD_MS + 1)
    stage.sweep()


def test_seats_that_are_open_again_are_sold_in_one_step(stage: Stage) -> None:
    stage.before("A: . h1 h1   B: . .", areas=(5,))
    stage.stand(1, 2, hold="standing")
    lapse(stage)
    word, entry, order, _ = stage.rebook(1, "A2 A3", holds=["h1", "standing"], places=[0, 2], total=4200)
    assert (word, order) == (b"confirmed", stage.order_key("o1"))
    assert (stage.after(), stage.area()) == ("A: . s s   B: . .", (3, 2))
    assert stage.index_is_right()
    assert stage.entries() == [{b"kind": b"order", b"data": b"payload"}]
    assert (stage.sale()["orders"], stage.sale()["takings"]) == ("1", "4200")
    assert stage.owned(1) == 4
    assert stage.find("o1")[:4] == [b"found", b"confirmed", entry, b"payload"]
    assert stage.find_payment("late-1") == [b"paid_for", order]


def test_seats_that_nobody_has_until_they_return_are_still_its_own(stage: Stage) -> None:
    """With a return delay an ended hold keeps its seats for a while, for nobody; the one who paid comes first."""
    stage.before("A: h1 h1 .", areas=(5,), return_ms=30_000)
    stage.stand(1, 1, hold="standing")
    lapse(stage)
    assert (stage.after(), stage.owned(1)) == ("A: h h .", 0)
    assert stage.rebook(1, "A1 A2", holds=["h1", "standing"], places=[0, 1])[0] == b"confirmed"
    assert (stage.after(), stage.area()) == ("A: s s .", (4, 1))
    assert stage.held("h1") is stage.held("standing") is None
    assert stage.due() == {}
    assert stage.owned(1) == 3
    assert stage.index_is_right()


def test_a_basket_of_which_one_hold_still_lives_is_sold_whole(stage: Stage) -> None:
    stage.before("A: h1 . .")
    lapse(stage)
    stage.let_in(1)
    stage.hold(1, "A3", hold="alive")
    assert stage.rebook(1, "A1 A3", holds=["h1", "alive"])[0] == b"confirmed"
    assert stage.after() == "A: s . s"
    assert (stage.owned(1), stage.due()) == (2, {})


@pytest.mark.parametrize("drawing", ["A: . h2 .", "A: . s2 .", "A: . x ."])
def test_sells_nothing_when_one_seat_is_somebody_elses(stage: Stage, drawing: str) -> None:
    stage.before(drawing)
    with stage.nothing_changes():
        assert stage.rebook(1, "A1 A2", holds=["h1"]) == [b"taken", 1]


def test_sells_nothing_of_several_performances_when_one_is_taken(stage: Stage) -> None:
    stage.before("A: . .", performance="p")
    stage.before("A: . h2", performance="q")
    with stage.nothing_changes():
        assert stage.rebook(1, "A2", ["p", "q"]) == [b"taken", 2]
    assert stage.rebook(1, "A1", ["p", "q"])[0] == b"confirmed"
    assert (stage.after("p"), stage.after("q")) == ("A: s .", "A: s h")


def test_another_visitors_hold_is_never_taken_for_the_orders_own(stage: Stage) -> None:
    stage.before("A: h2 .")
    with stage.nothing_changes():
        assert stage.rebook(1, "A1", holds=["h2"]) == [b"taken", 1]


def test_places_are_sold_while_there_are_enough(stage: Stage) -> None:
    stage.before("A: .", areas=(3,))
    stage.let_in(2)
    stage.stand(2, 2)
    with stage.nothing_changes():
        assert stage.rebook(1, places=[0, 2]) == [b"taken", 1]
    assert stage.rebook(1, places=[0, 1])[0] == b"confirmed"
    assert stage.area() == (0, 1)


def test_nobody_gets_more_by_paying_late(stage: Stage) -> None:
    stage.before("A: h1 h1 . .")
    lapse(stage)
    stage.let_in(1)
    stage.hold(1, "A3 A4", hold="second", limit=2)
    with stage.nothing_changes():
        assert stage.rebook(1, "A1 A2", holds=["h1"], limit=2) == [b"limit", 1, 4]


def test_a_repeat_sells_once(stage: Stage) -> None:
    stage.before("A: . .")
    operation = stage.key()
    first = stage.rebook(1, "A1", operation=operation)
    with stage.nothing_changes():
        assert stage.rebook(1, "A1", operation=operation) == first
    assert stage.rebook(1, "A1") == [b"taken", 1]


def test_a_payment_that_bought_another_order_buys_nothing(stage: Stage) -> None:
    stage.before("A: h1 . .")
    stage.confirm(1, "h1", order="o1", payment="yes-1")
    with stage.nothing_changes():
        assert stage.rebook(2, "A3", order="o2", payment="yes-1") == [b"payment_used", stage.order_key("o1")]


@pytest.mark.parametrize("phase", ["paused", "sold_out", "closed"])
def test_what_was_paid_for_is_sold_whatever_became_of_the_sale(stage: Stage, phase: str) -> None:
    stage.before("A: . .")
    stage.redis.hset(stage.keys.sale(SALE), "phase", phase)
    assert stage.rebook(1, "A1")[0] == b"confirmed"


def test_a_code_that_others_have_used_up_meanwhile_sells_nothing(stage: Stage) -> None:
    stage.before("A: . . . .")
    stage.let_in(1, 2)
    terms = (0, 0, 0, 0, 1_800_000, ["spring", 2, 3])
    stage.hold(1, "A1 A2", hold="mine", terms=terms)
    lapse(stage)
    stage.let_in(2)
    assert stage.hold(2, "A3 A4", terms=terms)[0] == b"held"
    with stage.nothing_changes():
        assert stage.rebook(1, "A1 A2", holds=["mine"], codes=["spring", 2, 3]) == [b"code_used", b"spring", 1]
    assert stage.rebook(1, "A1 A2", holds=["mine"], codes=["spring", 2, 4])[0] == b"confirmed"
    assert stage.fields(stage.keys.cell)["uspring"] == "4"


def test_what_a_hold_that_still_lives_has_used_is_not_used_twice(stage: Stage) -> None:
    stage.before("A: . . h9 .")
    stage.let_in(1)
    stage.hold(1, "A1 A2", hold="mine", terms=(0, 0, 0, 0, 1_800_000, ["spring", 2, 2]))
    assert stage.rebook(1, "A1 A2", holds=["mine"], codes=["spring", 2, 2])[0] == b"confirmed"
    assert stage.fields(stage.keys.cell)["uspring"] == "2"
    assert stage.held("mine") is None
    lapse(stage)
    assert stage.fields(stage.keys.cell)["uspring"] == "2"


def test_a_customer_who_has_bought_enough_meanwhile_gets_no_more(stage: Stage) -> None:
    stage.before("A: h1 h2 .")
    stage.confirm(1, "h1", customer=("ann", 1))
    lapse(stage)
    with stage.nothing_changes():
        assert stage.rebook(2, "A2", holds=["h2"], customer=("ann", 1)) == [b"limit", 1, 1]
    assert stage.rebook(2, "A2", holds=["h2"], customer=("ann", 2))[0] == b"confirmed"
    assert stage.hash(stage.hall("p")[0])[b"pann"] == b"2"


def test_places_in_two_items_are_counted_together(stage: Stage) -> None:
    stage.before("A: .", areas=(5,))
    with stage.nothing_changes():
        assert stage.rebook(1, places=[0, 3, 0, 3]) == [b"taken", 1]
    assert stage.rebook(1, places=[0, 2, 0, 3])[0] == b"confirmed"
    assert (stage.area(), stage.owned(1)) == ((0, 5), 5)


def test_places_of_an_own_hold_are_there_though_all_are_taken(stage: Stage) -> None:
    stage.before("A: .", areas=(3,))
    stage.let_in(1, 2)
    stage.stand(1, 2)
    stage.stand(2, 1)
    assert stage.rebook(1, places=[0, 2], holds=["h1"])[0] == b"confirmed"
    assert (stage.area(), stage.owned(1)) == ((0, 2), 2)
    lapse(stage)
    assert stage.area() == (1, 2)


def test_what_a_customer_bought_late_are_places_too(stage: Stage) -> None:
    stage.before("A: . .", areas=(5,))
    with stage.nothing_changes():
        assert stage.rebook(1, "A1", places=[0, 2], limit=2) == [b"limit", 1, 3]
        assert stage.rebook(1, "A1", places=[0, 2], customer=("ann", 2)) == [b"limit", 1, 0]
    assert stage.rebook(1, "A1", places=[0, 2], limit=3, customer=("ann", 3))[0] == b"confirmed"
    assert stage.hash(stage.hall("p")[0])[b"pann"] == b"3"
