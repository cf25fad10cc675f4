"""A visitor exchanges what is held: all of the new, or the old stays as it was."""

from typing import Any

import pytest

from engine.best import as_text
from tests.lua.stage import HOLD_MS, Stage, pack


@pytest.mark.parametrize(
    ("before", "seats", "after"),
    [
        ("A: h1 h1 . .   B: . .", "B1 B2", "A: . . . .   B: h h"),
        ("A: h1 h1 . .   B: . .", "A2 A3", "A: . h h .   B: . ."),  # some of one's own again
        ("A: h1 h1 . .   B: . .", "A1", "A: h . . .   B: . ."),
        ("A: h1 h1 . .   B: . .", "A1 A2 A3", "A: h h h .   B: . ."),
        ("A: h1 h1 s2 x   B: . .", "A1 A2", "A: h h s x   B: . ."),
    ],
)
def test_takes_other_seats_for_those_that_are_held(stage: Stage, before: str, seats: str, after: str) -> None:
    stage.before(before)
    assert stage.seats(stage.swap(1, "h1", seats)) == seats
    assert stage.after() == after
    assert stage.index_is_right()
    assert stage.owned(1) == len(seats.split())
    assert (stage.held("h1"), set(stage.due())) == (None, {"new"})


@pytest.mark.parametrize(
    ("seats", "answer"),
    [("A3", [b"taken", 1, 0, 2]), ("A1 A4", [b"taken", 1, 0, 3]), ("B1", [b"taken", 1, 1, 0])],
)
def test_what_is_lost_leaves_the_hold_as_it_was(stage: Stage, seats: str, answer: list[Any]) -> None:
    stage.before("A: h1 h1 h2 s3   B: x .")
    with stage.nothing_changes():
        assert stage.swap(1, "h1", seats) == answer
    assert stage.confirm(1, "h1")[0] == b"confirmed"
    assert stage.after() == "A: s s h s   B: x ."


def test_every_refusal_leaves_the_hold_as_it_was(stage: Stage) -> None:
    stage.before("A: h1 h1 . .   B: . . h2", areas=(1,))
    with stage.nothing_changes():
        assert stage.swap(1, "h1", "A1 A2 A3", limit=2) == [b"limit", 1, 0]
        assert stage.swap_packed(1, "h1", [[1, "best", "", 5]]) == [b"none", 1, 2]
        assert stage.swap_packed(1, "h1", [[1, "area", 0, 2]]) == [b"none", 1, 1]
        assert stage.swap(1, "h1", "A2 A3", terms=(1, 0))[0] == b"alone"
        assert stage.swap(1, "h1", "A3", terms=(0, 0, 0, 0, 10**6, ["c", 1, 0])) == [b"code_used", b"c", 0]
        assert stage.swap(2, "h1", "A3") == [b"hold_ended"]
        assert stage.swap(1, "h2", "A3") == [b"hold_ended"]
        assert stage.swap(1, "never", "A3") == [b"hold_ended"]
        assert stage.swap(3, "h1", "A3") == [b"pass_ended"]
        assert stage.swap(1, "h1", "A3", place="1 9") == [b"moved"]
        assert stage.swap_packed(1, "h1", [[1, "seats", 0, 2]], ["p", "elsewhere"]) == [b"unknown_performance"]
    stage.set_sale(phase="closed")
    with stage.nothing_changes():
        assert stage.swap(1, "h1", "A3") == [b"ended", b"closed"]


def test_a_unit_is_exchanged_as_a_whole(stage: Stage) -> None:
    stage.before("A: h1 . .   B: . .", categories={"A": "AAA", "B": "aa"})
    with stage.nothing_changes():
        assert stage.swap(1, "h1", "B1") == [b"whole", 1, 1]
    assert stage.swap(1, "h1", "B1 B2")[0] == b"held"


def test_one_cannot_swap_what_has_ended(stage: Stage) -> None:
    stage.before("A: h1 . s2", return_ms=30_000)
    stage.let_in(2)
    assert stage.swap(2, "s2", "A2") == [b"hold_ended"]
    stage.release(1, "h1")
    assert stage.swap(1, "h1", "A2") == [b"hold_ended"]
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(1)
    stage.hold(1, "A2", hold="later")
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(1)
    assert stage.swap(1, "later", "A1") == [b"hold_ended"]


def test_one_cannot_swap_what_is_over_though_nobody_has_swept_it_yet(stage: Stage) -> None:
    """A call sweeps a few due holds on its way and not all of them."""
    stage.before("A: " + " ".join("." * 20))
    stage.let_in(1)
    for number in range(18):
        stage.hold_packed(1, [[1, "seats", 0, number]], hold=f"hold {number:02}", limit=20, hold_ms=1000 + number)
    stage.pass_time(2000)
    assert stage.swap(1, "hold 17", "A20", limit=20) == [b"hold_ended"]
    assert "hold 17" in stage.due()


def test_one_cannot_swap_what_is_being_paid(stage: Stage) -> None:
    stage.before("A: h1 .")
    stage.wait_for_payment(1, "h1")
    with stage.nothing_changes():
        assert stage.swap(1, "h1", "A2") == [b"being_paid"]


def test_whoever_swaps_has_no_more_time(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    held = stage.hold(1, "A1", hold_ms=20_000, terms=(0, 0, 0, 0, 100_000))
    kept = stage.held("h1")
    assert kept is not None
    swapped = stage.swap(1, "h1", "A2", terms=(0, 0, 0, 0, 10**9))
    now = stage.held("new")
    assert now is not None
    assert swapped[1] == now[1] == held[1]
    assert now[7] == kept[7]  # nor may it live longer
    assert stage.due() == {"new": held[1]}


def test_the_old_hold_buys_nothing_any_more_and_the_new_one_exactly_what_it_holds(stage: Stage) -> None:
    stage.before("A: h1 h1 . .", return_ms=30_000)
    stage.swap(1, "h1", "A2 A3")
    with stage.nothing_changes():
        assert stage.confirm(1, "h1") == [b"hold_ended", b"h1"]
    assert stage.confirm(1, "new")[0] == b"confirmed"
    assert stage.after() == "A: h s s ."


def test_what_is_left_behind_is_nobodys_for_a_while(stage: Stage) -> None:
    stage.before("A: h1 h1 h1 . .", areas=(3,), return_ms=30_000)
    stage.swap_packed(1, "h1", [[1, "seats", 0, 1], [1, "area", 0, 2]])
    assert (stage.after(), stage.area(), stage.owned(1)) == ("A: h h h . .", (1, 0), 3)
    left = stage.held("h1")
    assert left is not None
    assert (left[0], left[2], left[3]) == ("", [0, 0, 1, 0, 2, 1], [])
    stage.let_in(2)
    with stage.nothing_changes():
        assert stage.hold(2, "A1")[0] == b"taken"
        assert stage.hold(1, "A1", hold="more")[0] == b"taken"
    stage.swap(1, "new", "A2", hold="third")
    assert stage.area() == (1, 0)
    stage.pass_time(30_001)
    assert stage.sweep()[1] == 2
    assert (stage.after(), stage.area(), stage.owned(1)) == ("A: . h . . .", (3, 0), 1)
    assert stage.index_is_right()


def test_standing_places_come_back_at_once_where_there_is_no_delay(stage: Stage) -> None:
    stage.before("A: . .", areas=(5,))
    stage.let_in(1)
    stage.stand(1, 4)
    assert stage.swap_packed(1, "h1", [[1, "area", 0, 5]])[0] == b"held"
    assert stage.area() == (0, 0)
    assert stage.swap_packed(1, "new", [[1, "seats", 0, 0]], hold="third")[0] == b"held"
    assert (stage.area(), stage.after()) == ((5, 0), "A: h .")


def test_the_best_may_be_made_of_what_is_given_up(stage: Stage) -> None:
    """The index does not know yet that these seats are free together with their neighbours."""
    stage.before("A: h1 h1 . s2   B: . .")
    assert stage.seats(stage.swap_packed(1, "h1", [[1, "best", "", 3]])) == "A1 A2 A3"
    assert stage.index_is_right()
    assert stage.swap_packed(1, "new", [[1, "best", "", 4]], hold="more") == [b"none", 1, 2]


def test_a_party_is_split_over_what_is_given_up_too(stage: Stage) -> None:
    stage.before("A: h1 h1 s2 .   B: . s2 s2 .")
    assert stage.seats(stage.swap_packed(1, "h1", [[1, "best", "", 3, {"split": 1}]])) == "A1 A2 A4"
    assert stage.index_is_right()


def test_it_is_told_that_a_seat_is_left_alone_which_one_gave_up(stage: Stage) -> None:
    stage.before("A: h1 h1 h1   B: s2 s2")
    reply = stage.swap_packed(1, "h1", [[1, "best", "", 2]])
    assert stage.seats(reply) == "A1 A2"
    assert reply[-1] == pack([[1, 0, 1]])


def test_over_several_performances_all_or_nothing(stage: Stage) -> None:
    stage.before("A: . . .", performance="p")
    stage.before("A: . s2 .", performance="q")
    stage.let_in(1)
    stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 0]], ["p", "q"])
    both: dict[str, Any] = {"performances": ["p", "q"], "former_in": (1, 2)}
    with stage.nothing_changes():
        assert stage.swap_packed(1, "h1", [[1, "seats", 0, 1], [2, "seats", 0, 1]], **both) == [b"taken", 2, 0, 1]
    assert stage.swap_packed(1, "h1", [[1, "seats", 0, 1, 0, 2]], **both)[0] == b"held"
    assert (stage.after("p"), stage.after("q")) == ("A: . h h", "A: . s .")
    assert b"ov1" not in stage.hash(stage.hall("q")[0])
    assert stage.due("q") == {}
    assert stage.confirm(1, "new")[0] == b"confirmed"


def test_codes_are_given_back_and_counted_anew(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    rules = (0, 0, 0, 0, 10**6)
    stage.hold(1, "A1", terms=(*rules, ["spring", 1, 1]))
    assert stage.swap(1, "h1", "A2", terms=(*rules, ["spring", 1, 1]))[0] == b"held"
    assert stage.fields(stage.keys.cell)["uspring"] == "1"
    assert stage.swap(1, "new", "A3", hold="third")[0] == b"held"
    assert stage.fields(stage.keys.cell)["uspring"] == "0"


def test_whoever_leaves_seats_behind_again_and_again_waits(stage: Stage) -> None:
    """Else one visitor with one hold could keep a hall's seats coming back for nobody."""
    stage.before("A: h1 . . . . .", return_ms=30_000)
    rules = (0, 0, 2, 60_000)
    assert stage.swap(1, "h1", "A2", hold="2", terms=rules)[0] == b"held"
    assert stage.swap(1, "2", "A2 A3", hold="3", terms=rules)[0] == b"held"  # nothing is left behind
    assert stage.swap(1, "3", "A4", hold="4", terms=rules)[0] == b"held"
    with stage.nothing_changes():
        assert stage.swap(1, "4", "A5", hold="5", terms=rules)[0] == b"cool_down"
    assert stage.swap(1, "4", "A4 A5", hold="6", terms=rules)[0] == b"held"
    assert stage.confirm(1, "6")[0] == b"confirmed"


def test_the_record_is_that_of_a_hold(stage: Stage) -> None:
    stage.before("A: h1 .")
    kept = stage.held("h1")
    _, expires_at_ms, _, record, ways = stage.swap(1, "h1", "A2")
    assert kept is not None
    assert record == pack(["v1", expires_at_ms, [0, 1, 1], [], 0, "", [], kept[7]])
    assert (ways, stage.held("new")) == (pack([]), ["v1", expires_at_ms, [0, 1, 1], [], 0, "", [], kept[7]])


def test_right_after_a_loss_nothing_is_exchanged(stage: Stage) -> None:
    stage.before("A: h1 .")
    assert stage.open_at(2, 60_000) == [b"open", b"2"]
    stage.epoch = "2"
    with stage.nothing_changes():
        assert stage.swap(1, "h1", "A2") == [b"closed"]


def test_what_was_held_longer_does_not_lengthen_the_rest(stage: Stage) -> None:
    """A payment under way in one performance would: here an extension was written to one of them alone."""
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1)
    held = stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 0]], ["p", "q"])
    record = stage.held("h1", "q")
    assert record is not None
    key, _, due = stage.hall("q")
    stage.redis.execute_command("HSET", key, "hh1", pack([record[0], record[1] + 9_000, *record[2:]]))
    stage.redis.execute_command("ZADD", due, record[1] + 9_000, "h1")
    both: dict[str, Any] = {"performances": ["p", "q"], "former_in": (1, 2)}
    assert stage.swap_packed(1, "h1", [[1, "seats", 0, 1], [2, "seats", 0, 1]], **both)[1] == held[1]


@pytest.mark.parametrize("return_ms", [0, 30_000])
def test_what_is_left_behind_of_allotments_goes_back_to_each(stage: Stage, return_ms: int) -> None:
    stage.before("A: . . . .", areas=(4,), return_ms=return_ms)
    stage.allot("P", "A1", [0, 2, 0])
    stage.allot("Q", "A2")
    terms = (0, 0, 0, 0, 1_800_000, (), ("oPQ",))
    stage.hold_packed(1, [[1, "seats", 0, 0, 0, 1, 0, 2], [1, "area", "P0", 1]], terms=terms, place="")
    assert stage.swap(1, "h1", "A4", terms=terms, place="")[0] == b"held"
    assert (stage.after(), stage.area("P0")) == (("A: h h h h", (1, 0)) if return_ms else ("A: P Q . h", (2, 0)))
    stage.pass_time(30_001)
    stage.sweep()
    assert (stage.after(), stage.area("P0")) == ("A: P Q . h", (2, 0))
    assert stage.index_is_right()


def test_codes_of_several_performances_are_given_back_once(stage: Stage) -> None:
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1)
    terms = (0, 0, 0, 0, 10**6, ["spring", 2, 2])
    items = [[1, "seats", 0, 0], [2, "seats", 0, 0]]
    stage.hold_packed(1, items, ["p", "q"], terms=terms)
    both: dict[str, Any] = {"performances": ["p", "q"], "former_in": (1, 2)}
    assert stage.swap_packed(1, "h1", items, terms=terms, **both)[0] == b"held"
    assert stage.fields(stage.keys.cell)["uspring"] == "2"
    assert stage.release(1, "new", ["p", "q"])[0] == b"released"
    assert stage.fields(stage.keys.cell)["uspring"] == "0"


@pytest.mark.parametrize(
    ("drawing", "held", "k", "wish", "seats"),
    [
        ("A: . . s2   B: . . s2", "B1 B2 A1 A2", 2, {}, "A1 A2"),  # in the order of quality, not of the hold
        ("A: . . s2   B: . . s2", "B1 B2 A1 A2", 2, {"mask": as_text(b"\x40")}, "B1 B2"),
        ("A: . s2 s2   B: . . s2", "A1 B1 B2", 2, {}, "B1 B2"),  # where the first row has no room
        ("A: . . .   B: . .", "A1 A2", 2, {"edge": 1}, "B1 B2"),  # the end of A would leave one alone
    ],
)
def test_the_best_of_what_is_given_up_is_as_good_as_any(
    stage: Stage, drawing: str, held: str, k: int, wish: dict[str, Any], seats: str
) -> None:
    stage.before(drawing)
    stage.let_in(1)
    assert stage.hold(1, held)[0] == b"held"
    assert stage.seats(stage.swap_packed(1, "h1", [[1, "best", "", k, wish]])) == seats
    assert stage.index_is_right()
