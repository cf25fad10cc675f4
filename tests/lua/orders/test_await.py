"""The holds of an order are kept while its payment is still under way."""

import pytest

from tests.lua.stage import HOLD_MS, Stage, pack

KEEP_MS = 600_000


def test_a_late_payment_keeps_the_holds_and_names_its_order(stage: Stage) -> None:
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1)
    stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 0]], ["p", "q"], hold="both")
    now = stage.now_ms()
    word, expires_at_ms, order, _ = stage.wait_for_payment(1, "both", ["p", "q"], keep_ms=KEEP_MS)
    assert word == b"awaiting"
    assert now + KEEP_MS <= expires_at_ms <= stage.now_ms() + KEEP_MS
    assert stage.due("p") == stage.due("q") == {"both": expires_at_ms}
    assert stage.find_payment("late-1") == [b"paid_for", order]
    assert stage.find("o1")[:4] == [b"found", b"awaiting_payment", b"", b"payload"]
    assert stage.entries() == [{b"kind": b"await", b"data": b"payload"}]  # nothing is sold yet
    assert (stage.after("p"), stage.after("q")) == ("A: h .", "A: h .")


def test_money_in_time_confirms_the_order_that_waited(stage: Stage) -> None:
    stage.before("A: h1 .")
    stage.wait_for_payment(1, "h1", keep_ms=KEEP_MS)
    stage.pass_time(KEEP_MS - 30_000)
    stage.sweep()
    assert stage.confirm(1, "h1", order="o1", payment="late-1", owner="")[0] == b"confirmed"
    assert stage.find("o1")[1] == b"confirmed"
    assert stage.after() == "A: s ."


@pytest.mark.parametrize("is_resold", [False, True])
def test_money_that_came_too_late_confirms_nothing(stage: Stage, is_resold: bool) -> None:
    stage.before("A: h1 .")
    stage.wait_for_payment(1, "h1", keep_ms=KEEP_MS)
    stage.pass_time(KEEP_MS + 1)
    if is_resold:
        stage.let_in(2)
        stage.hold(2, "A1")
        stage.confirm(2, "h2")
    with stage.nothing_changes():
        assert stage.confirm(1, "h1", order="o1", payment="late-1", owner="") == [b"hold_ended", b"h1"]
    assert stage.conflict(order="o1", payment="late-1")[0] == b"conflicted"
    assert [entry[b"kind"] for entry in stage.entries()] == [b"await", *[b"order"] * is_resold, b"conflict"]


def test_a_hold_is_kept_once_only(stage: Stage) -> None:
    stage.before("A: h1 .")
    first = stage.wait_for_payment(1, "h1", keep_ms=KEEP_MS)
    stage.pass_time(KEEP_MS // 2)
    again = stage.wait_for_payment(1, "h1", keep_ms=KEEP_MS)
    assert again[:2] == [b"awaiting", first[1] - KEEP_MS // 2]
    assert len(stage.entries()) == 1  # the ledger is told once
    assert stage.extend(1, "h1") == [b"already_extended"]


def test_a_hold_that_was_extended_is_not_kept_longer_and_the_answer_says_so(stage: Stage) -> None:
    stage.before("A: h1 .")
    extended = stage.extend(1, "h1", extend_ms=30_000)
    assert stage.wait_for_payment(1, "h1", keep_ms=KEEP_MS)[:2] == [b"awaiting", extended[1]]
    assert stage.due() == {"h1": extended[1]}


def test_no_hold_outlives_its_longest_life(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    stage.hold(1, "A1", terms=(0, 0, 0, 0, HOLD_MS + 5_000))
    record = stage.held("h1")
    assert record is not None
    assert stage.wait_for_payment(1, "h1", keep_ms=KEEP_MS)[1] == record[7] == stage.due()["h1"]


def test_a_hold_is_never_cut_short(stage: Stage) -> None:
    stage.before("A: h1 .")
    ends = stage.due()["h1"]
    assert stage.wait_for_payment(1, "h1", keep_ms=1)[1] == ends
    assert stage.due()["h1"] == ends


def test_cannot_keep_what_is_over_or_somebody_elses(stage: Stage) -> None:
    stage.before("A: h1 s2", return_ms=30_000)
    with stage.nothing_changes():
        assert stage.wait_for_payment(2, "h1") == [b"hold_ended", b"h1"]
        assert stage.wait_for_payment(2, "s2") == [b"hold_ended", b"s2"]
        assert stage.wait_for_payment(1, "h1", ["p", "elsewhere"]) == [b"unknown_performance"]
    stage.pass_time(HOLD_MS + 1)
    with stage.nothing_changes():
        assert stage.wait_for_payment(1, "h1") == [b"hold_ended", b"h1"]
    stage.sweep()
    with stage.nothing_changes():
        assert stage.wait_for_payment(1, "h1", owner="") == [b"hold_ended", b"h1"]  # nobody's, until it returns


def test_a_payment_is_awaited_by_one_order(stage: Stage) -> None:
    stage.before("A: h1 h2")
    stage.wait_for_payment(1, "h1", order="o1", payment="late-1")
    used = [b"payment_used", stage.order_key("o1")]
    with stage.nothing_changes():
        assert stage.wait_for_payment(2, "h2", order="o2", payment="late-1") == used
        assert stage.confirm(2, "h2", order="o2", payment="late-1") == used


def test_of_a_basket_the_first_hold_to_end_is_told(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    ends = [
        stage.hold(1, seat, hold=seat, hold_ms=2 * HOLD_MS, terms=(0, 0, 0, 0, latest_ms))[1]
        for seat, latest_ms in (("A1", 2 * HOLD_MS), ("A2", 3 * HOLD_MS))
    ]
    for order, holds in (("o1", ["A1", "A2"]), ("o2", ["A2", "A1"])):
        reply = stage.run(
            "orders/await",
            [*stage._payment_keys("", f"of {order}", order), stage.keys.outbox, *stage._due_keys(["p"])],
            *("f", "v1", b"payload", pack([[hold, 1] for hold in holds]), KEEP_MS),
        )
        assert reply[:2] == [b"awaiting", ends[0]]
    assert stage.due()["A1"] < stage.due()["A2"]
