"""A payment came for holds that had ended."""

from tests.lua.stage import Stage


def test_one_entry_asks_for_one_refund(stage: Stage) -> None:
    operation = stage.key()
    word, entry, order, _ = first = stage.conflict(operation=operation)
    assert (word, order) == (b"conflicted", stage.order_key("o1"))
    with stage.nothing_changes():
        assert stage.conflict(operation=operation) == first
    assert stage.entries() == [{b"kind": b"conflict", b"data": b"payload"}]
    assert stage.find("o1")[:4] == [b"found", b"conflicted", entry, b"payload"]
    assert stage.find_payment("late-1") == [b"paid_for", order]


def test_the_order_that_waited_for_it_is_the_one_in_conflict(stage: Stage) -> None:
    stage.before("A: h1 .")
    stage.wait_for_payment(1, "h1", order="o1", payment="late-1")
    assert stage.conflict(order="o1", payment="late-1")[0] == b"conflicted"
    assert stage.find("o1")[1] == b"conflicted"


def test_a_payment_that_bought_an_order_is_not_refunded_for_another(stage: Stage) -> None:
    stage.before("A: h1 .")
    stage.confirm(1, "h1", order="o1", payment="yes-1")
    with stage.nothing_changes():
        assert stage.conflict(order="o2", payment="yes-1") == [b"payment_used", stage.order_key("o1")]
