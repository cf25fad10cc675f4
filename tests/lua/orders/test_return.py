"""What an order sold is put back, once."""

import pytest

from tests.lua.stage import Stage

HOUR_MS = 3_600_000


def test_seats_and_places_are_open_again_and_one_entry_says_so(stage: Stage) -> None:
    stage.before("A: . h1 h1 s2", areas=(5,))
    stage.stand(1, 2, hold="standing")
    sold = stage.confirm(1, "", order="o1", total=4200, holds=[["h1", 1], ["standing", 1]])[1]
    word, entry, order, _ = stage.give_back(1, "o1", "A2 A3", places=2, total=4200)
    assert (word, order) == (b"returned", stage.order_key("o1"))
    assert (stage.after(), stage.area()) == ("A: . . . s", (5, 0))
    assert stage.index_is_right()
    assert (stage.owned(1), stage.due()) == (0, {})
    assert stage.entries()[-1] == {b"kind": b"return", b"data": b"action"}
    assert len(stage.entries()) == 3  # two sales and the return
    assert (stage.sale()["orders"], stage.sale()["takings"]) == ("1", "100")
    assert stage.find("o1") == [b"found", b"refunded", sold, b"payload", b"0-0", b"", [entry, b"action"]]


def test_some_of_an_order_comes_back_and_the_rest_stays_sold(stage: Stage) -> None:
    stage.before("A: . h1 h1 s2", areas=(5,))
    sold = stage.confirm(1, "h1", order="o1", total=4200)[1]
    first = stage.give_back(1, "o1", "A3", total=2100, standing=(0, 1), items=(1,))
    assert (first[0], stage.after(), stage.owned(1)) == (b"returned", "A: . s . s", 1)
    assert (stage.sale()["orders"], stage.sale()["takings"]) == ("2", "2200")
    assert stage.find("o1") == [b"found", b"confirmed", sold, b"payload", b"0-0", b"", [first[1], b"action"]]
    stage.let_in(3)
    stage.hold(3, "A3")
    stage.confirm(3, "h3")
    with stage.nothing_changes():  # it is somebody else's by now
        assert stage.give_back(1, "o1", "A3", standing=(0, 1), items=(1,)) == [b"already_returned"]
        assert stage.give_back(1, "o1", "A2 A3", standing=(0, 1), items=(0, 1)) == [b"already_returned"]
    last = stage.give_back(1, "o1", "A2", total=2100, standing=(0, 1), items=(0,))
    assert stage.find("o1")[1:3] == [b"refunded", sold]
    assert stage.find("o1")[6] == [first[1], b"action", last[1], b"action"]
    assert (stage.after(), stage.sale()["orders"], stage.sale()["takings"]) == ("A: . . s s", "2", "200")
    assert stage.index_is_right()


def test_some_of_an_order_that_was_forgotten_is_remembered(stage: Stage) -> None:
    stage.before("A: s1 s1")
    entry = stage.give_back(1, "forgotten", "A1", standing=(0, 1), items=(0,))[1]
    assert stage.find("forgotten")[1:4] == [b"confirmed", entry, b"as the ledger has it"]


def test_an_order_that_was_forgotten_is_remembered_as_the_ledger_has_it(stage: Stage) -> None:
    stage.before("A: s1 .")
    stage.give_back(1, "o1", "A1")
    assert stage.find("o1")[3] == b"as the ledger has it"


def test_for_the_return_delay_they_are_held_by_nobody(stage: Stage) -> None:
    stage.before("A: s1 s1 .", areas=(3,), return_ms=30_000)
    stage.let_in(1, 2)
    stage.stand(1, 2, hold="standing")
    stage.confirm(1, "standing", order="o1")
    assert stage.give_back(1, "o1", "A1 A2", places=2)[0] == b"returned"
    assert (stage.after(), stage.area()) == ("A: h h .", (1, 0))
    held = stage.held("return-o1")
    assert held is not None
    assert held[0] == ""
    assert stage.now_ms() - 1000 < held[1] <= stage.now_ms() + 30_001
    assert stage.hold(2, "A1")[0] == b"taken"
    assert stage.confirm(0, "return-o1", owner="")[0] == b"hold_ended"  # nobody's, so nobody buys it
    stage.pass_time(30_001)
    stage.let_in(2)
    assert stage.hold(2, "A1 A2")[0] == b"held"
    assert (stage.after(), stage.area()) == ("A: h h .", (3, 0))
    assert stage.index_is_right()


def test_of_several_performances_in_one_step(stage: Stage) -> None:
    stage.before("A: s1 .", performance="p")
    stage.before("A: . s1", performance="q")
    parts = [["v1", 0, [0, 0, 1], [], 0], ["v1", 0, [0, 1, 1], [], 0]]
    assert stage.give_back(1, "o1", performances=["p", "q"], parts=parts)[0] == b"returned"
    assert (stage.after("p"), stage.after("q")) == ("A: . .", "A: . .")
    assert stage.index_is_right("p")
    assert stage.index_is_right("q")


@pytest.mark.parametrize(("seats", "places"), [("A1 A2", 0), ("A2 A3", 0), ("A2 A4", 0), ("A2", 3), ("", 3)])
def test_what_is_not_sold_does_not_come_back_and_nothing_else_does(stage: Stage, seats: str, places: int) -> None:
    stage.before("A: . s1 h1 x", areas=(5,))
    stage.let_in(1)
    assert stage.stand(1, 2, hold="standing")[0] == b"held"
    stage.confirm(1, "standing")
    with stage.nothing_changes():
        assert stage.give_back(1, "o1", seats, places=places) == [b"not_sold"]


def test_all_performances_or_none(stage: Stage) -> None:
    stage.before("A: s1 .", performance="p")
    stage.before("A: . h1", performance="q")
    parts = [["v1", 0, [0, 0, 1], [], 0], ["v1", 0, [0, 1, 1], [], 0]]
    with stage.nothing_changes():
        assert stage.give_back(1, "o1", performances=["p", "q"], parts=parts) == [b"not_sold"]
        assert stage.give_back(1, "o1", performances=["p", "elsewhere"], parts=parts) == [b"unknown_performance"]


def test_once_only_though_the_seat_was_sold_again_since(stage: Stage) -> None:
    stage.before("A: s1 .")
    stage.give_back(1, "o1", "A1")
    stage.let_in(2)
    stage.hold(2, "A1")
    stage.confirm(2, "h2", order="o2")
    with stage.nothing_changes():
        assert stage.give_back(1, "o1", "A1") == [b"already_returned"]
    assert stage.after() == "A: s ."


def test_a_ledger_too_far_behind_is_not_believed(stage: Stage) -> None:
    """Redis remembers a return for a day: one that such a ledger does not know could be forgotten here."""
    stage.before("A: s1 .")
    with stage.nothing_changes():
        assert stage.give_back(1, "o1", "A1", recorded_ms=stage.now_ms() - 23 * HOUR_MS - 1) == [b"behind"]
    assert stage.give_back(1, "o1", "A1", recorded_ms=stage.now_ms() - 23 * HOUR_MS + 60_000)[0] == b"returned"


def test_a_ledger_that_has_recorded_all_there_was_may_be_old(stage: Stage) -> None:
    stage.before("A: s1 .")
    stage.redis.execute_command("XTRIM", stage.keys.outbox, "MAXLEN", 0)
    assert stage.give_back(1, "o1", "A1", recorded_ms=stage.now_ms() - 500 * HOUR_MS)[0] == b"returned"


def test_a_return_is_remembered_for_longer_than_a_ledger_may_be_behind(stage: Stage) -> None:
    stage.before("A: s1 .")
    stage.give_back(1, "o1", "A1")
    stage.pass_time(24 * HOUR_MS - 60_000)
    assert stage.find("o1")[1] == b"refunded"
    assert stage.give_back(1, "o1", "A1") == [b"already_returned"]


def test_the_codes_of_what_is_returned_can_be_used_again(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    stage.hold(1, "A1 A2", hold="mine", terms=(0, 0, 0, 0, 1_800_000, ["spring", 2, 2]))
    stage.confirm(1, "mine", order="o1")
    assert stage.fields(stage.keys.cell)["uspring"] == "2"
    part = ["v1", 0, [0, 0, 2], [], 0, "", ["spring", 2], 0, ""]
    assert stage.give_back(1, "o1", parts=[part], operation="again")[0] == b"returned"
    assert stage.give_back(1, "o1", parts=[part])[0] == b"already_returned"
    assert stage.fields(stage.keys.cell)["uspring"] == "0"


def test_a_refund_is_nothing_that_was_let_go_unpaid(stage: Stage) -> None:
    stage.before("A: s1 .")
    assert stage.give_back(1, "o1", "A1")[0] == b"returned"
    stage.let_in(1)
    assert stage.hold(1, "A1", terms=(0, 0, 1, 60_000))[0] == b"held"


@pytest.mark.parametrize("is_there", [True, False])
def test_places_of_an_allotment_come_back_to_it_and_when_it_has_ended_to_everybody(
    stage: Stage, is_there: bool
) -> None:
    stage.before("A: .", areas=(5,))
    stage.allot("P", "", [0, 3, 0])
    stage.stand(1, 2, "P0", place="")  # type: ignore[arg-type]
    stage.confirm(1, "h1", order="o1")
    if not is_there:
        stage.open("P")
    part = ["v1", 0, [], ["P0", 2], 0]
    assert stage.give_back(1, "o1", parts=[part])[0] == b"returned"
    assert (stage.area(), stage.area("P0")) == (((2, 0), (3, 0)) if is_there else ((5, 0), (0, 0)))
