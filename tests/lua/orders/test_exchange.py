"""What an order sold is exchanged for what a hold holds, in one step, or nothing changes."""

import pytest

from tests.lua.stage import Stage

HOUR_MS = 3_600_000


@pytest.fixture
def sold(stage: Stage) -> Stage:
    """Visitor 1 has bought A1 and A2 as `o1`, and holds A4 and A5 as `new`; A6 is somebody else's."""
    stage.before("A: h1 h1 . . . s2")
    stage.confirm(1, "h1", order="o1", total=200)
    stage.let_in(1)
    stage.hold(1, "A4 A5", hold="new")
    return stage


def test_the_hold_is_sold_and_what_was_exchanged_comes_back_in_one_entry(sold: Stage) -> None:
    first = sold.find("o1")[2]
    word, entry, order, _ = sold.exchange(1, "o1", "A1 A2")
    assert (word, order) == (b"exchanged", sold.order_key("new"))
    assert sold.after() == "A: . . . s s s"
    assert sold.index_is_right()
    assert (sold.held("new"), sold.due(), sold.owned(1)) == (None, {}, 2)
    assert sold.entries()[-1] == {b"kind": b"exchange", b"data": b"payload"}
    assert sold.find("new")[:4] == [b"found", b"confirmed", entry, b"payload"]
    assert sold.find("o1") == [b"found", b"exchanged", first, b"payload", b"0-0", b"", [entry, b"action"]]
    assert (sold.sale()["orders"], sold.sale()["takings"]) == ("2", "500")
    assert sold.find_payment("cash-1") == [b"paid_for", sold.order_key("new")]


def test_some_of_an_order_is_exchanged_and_the_rest_stays(sold: Stage) -> None:
    assert sold.exchange(1, "o1", "A2", standing=(0, 1), items=(1,))[0] == b"exchanged"
    assert (sold.after(), sold.find("o1")[1]) == ("A: s . . s s s", b"confirmed")
    assert (sold.sale()["orders"], sold.sale()["takings"]) == ("3", "500")
    with sold.nothing_changes():
        assert sold.exchange(1, "o1", "A2", standing=(0, 1), items=(1,)) == [b"already_returned"]
        assert sold.give_back(1, "o1", "A2", standing=(0, 1), items=(1,)) == [b"already_returned"]
    assert sold.give_back(1, "o1", "A1", standing=(0, 1), items=(0,))[0] == b"returned"
    assert sold.find("o1")[1] == b"refunded"


def test_the_history_tells_it_under_one_number(sold: Stage) -> None:
    sold.exchange(1, "o1", "A1 A2")
    told = sold.told()[-2:]
    assert [each[4] for each in told] == ["confirm", "exchange"]
    assert told[0][1] == told[1][1]
    assert [each[7] for each in told] == [[0, 3, 2, "s"], [0, 0, 1, "h", 0, 1, 1, "h", 0, 0, 1, "o", 0, 1, 1, "o"]]


@pytest.mark.parametrize("hold", ["elsewhere", "theirs", "lapsed"])
def test_without_its_hold_the_original_is_kept(stage: Stage, hold: str) -> None:
    stage.before("A: h1 . . .")
    stage.confirm(1, "h1", order="o1")
    stage.let_in(1, 2)
    stage.hold(2, "A3", hold="theirs")
    stage.hold(1, "A4", hold="lapsed", hold_ms=0)
    stage.sweep()
    with stage.nothing_changes():
        assert stage.exchange(1, "o1", "A1", hold) == [b"hold_ended", hold.encode()]
    assert (stage.after(), stage.find("o1")[1]) == ("A: s . h .", b"confirmed")


def test_a_hold_that_has_ended_and_nobody_has_swept_yet_is_nobodys(stage: Stage) -> None:
    stage.before("A: h1 . . . . . . . . .")
    stage.confirm(1, "h1", order="o1")
    stage.let_in(1)
    for seat in range(2, 11):
        assert stage.hold(1, f"A{seat}", hold=f"lapsed-{seat:02}", limit=99)[0] == b"held"
    stage.pass_time(61_000)
    assert stage.exchange(1, "o1", "A1", "lapsed-10") == [b"hold_ended", b"lapsed-10"]
    assert stage.held("lapsed-10") is not None  # the fault bit: only so many are swept at once
    assert stage.find("o1")[1] == b"confirmed"


def test_a_hold_is_exchanged_for_once(sold: Stage) -> None:
    sold.exchange(1, "o1", "A2", standing=(0, 1), items=(1,))
    with sold.nothing_changes():
        assert sold.exchange(1, "o1", "A1", payment="cash-2", standing=(0, 1), items=(0,))[0] == b"hold_ended"


def test_a_payment_buys_one_order(sold: Stage) -> None:
    sold.hold(1, "A3", hold="other")
    sold.confirm(1, "other", order="o2", payment="cash-1")
    with sold.nothing_changes():
        assert sold.exchange(1, "o1", "A1 A2") == [b"payment_used", sold.order_key("o2")]


def test_what_is_not_sold_is_not_exchanged(sold: Stage) -> None:
    with sold.nothing_changes():
        assert sold.exchange(1, "o1", "A2 A3") == [b"not_sold"]
        assert sold.exchange(1, "o1", "A4") == [b"not_sold"]


def test_a_ledger_too_far_behind_is_not_believed(sold: Stage) -> None:
    with sold.nothing_changes():
        assert sold.exchange(1, "o1", "A1 A2", recorded_ms=sold.now_ms() - 23 * HOUR_MS - 1) == [b"behind"]


def test_over_two_performances_with_a_return_delay(stage: Stage) -> None:
    stage.before("A: h1 h1 .", areas=(3,), return_ms=30_000)
    stage.before("A: . . .", performance="q")
    stage.confirm(1, "h1", order="o1")
    stage.let_in(1)
    stage.hold(1, "A2 A3", performance="q", hold="new")
    assert stage.exchange(1, "o1", "A1", performances=["p", "q"], holds=[["new", 2]])[0] == b"exchanged"
    assert (stage.after(), stage.after("q")) == ("A: h s .", "A: . s s")
    held = stage.held("return-o1")
    assert held is not None
    assert held[0] == ""
    assert stage.index_is_right("p")
    assert stage.index_is_right("q")
    with stage.nothing_changes():
        assert stage.exchange(1, "o2", "A2", performances=["p", "elsewhere"]) == [b"unknown_performance"]


def test_codes_and_places_come_back_with_what_is_exchanged(stage: Stage) -> None:
    stage.before("A: . . .", areas=(5,))
    stage.let_in(1)
    items = [[1, "seats", 0, 0], [1, "area", 0, 2]]
    stage.hold_packed(1, items, hold="mine", terms=(0, 0, 0, 0, 1_800_000, ["spring", 1, 2]))
    stage.confirm(1, "mine", order="o1", customer=("mark", 9))
    stage.let_in(1)
    stage.hold(1, "A3", hold="new")
    part = ["v1", 0, [0, 0, 1], [0, 2], 0, "", ["spring", 1], 0, "mark"]
    assert stage.exchange(1, "o1", "", sold=[[1, part]])[0] == b"exchanged"
    assert (stage.after(), stage.area()) == ("A: . . s", (5, 0))
    assert stage.fields(stage.keys.cell)["uspring"] == "0"
    assert "pmark" not in {name.decode() for name in stage.hash(stage.hall()[0])}
