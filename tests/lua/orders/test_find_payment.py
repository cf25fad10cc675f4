"""The order that a payment bought, or that waits for it."""

from tests.lua.stage import Stage


def test_a_payment_leads_to_its_order(stage: Stage) -> None:
    stage.before("A: h1 h2")
    stage.confirm(1, "h1", order="o1", payment="yes-1")
    stage.wait_for_payment(2, "h2", order="o2", payment="late-2")
    with stage.nothing_changes():
        assert stage.find_payment("yes-1") == [b"paid_for", stage.order_key("o1")]
        assert stage.find_payment("late-2") == [b"paid_for", stage.order_key("o2")]


def test_a_payment_that_nobody_knows(stage: Stage) -> None:
    assert stage.find_payment("never") == [b"unknown_payment"]


def test_a_payment_that_was_given_up(stage: Stage) -> None:
    stage.forgo("yes-1")
    with stage.nothing_changes():
        assert stage.find_payment("yes-1") == [b"forgone"]
