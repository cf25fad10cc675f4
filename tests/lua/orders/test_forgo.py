"""A payment that no order names is given up: from then on it buys nothing."""

from tests.lua.stage import Stage


def test_what_was_given_up_buys_nothing_any_more(stage: Stage) -> None:
    stage.before("A: h1 h2")
    assert stage.forgo("yes-1")[0] == b"forgone"
    assert stage.find_payment("yes-1") == [b"forgone"]
    with stage.nothing_changes():
        assert stage.confirm(1, "h1", payment="yes-1") == [b"payment_used", b""]
        assert stage.wait_for_payment(2, "h2", payment="yes-1") == [b"payment_used", b""]
        assert stage.rebook(1, "A1", payment="yes-1", holds=["h1"]) == [b"payment_used", b""]
        assert stage.conflict(payment="yes-1") == [b"payment_used", b""]


def test_what_was_given_up_stays_so_when_that_is_said_again(stage: Stage) -> None:
    assert [stage.forgo("yes-1")[0] for _ in range(2)] == [b"forgone"] * 2


def test_cannot_give_up_what_an_order_has_named(stage: Stage) -> None:
    stage.before("A: h1 h2")
    stage.confirm(1, "h1", order="o1", payment="yes-1")
    stage.wait_for_payment(2, "h2", order="o2", payment="late-2")
    with stage.nothing_changes():
        assert stage.forgo("yes-1") == [b"paid_for", stage.order_key("o1")]
        assert stage.forgo("late-2") == [b"paid_for", stage.order_key("o2")]
