"""A visitor takes seats, the best together, or standing places: all of them or nothing."""

from typing import Any

import pytest

from tests.lua.stage import HOLD_MS, SALE, Stage, pack


@pytest.mark.parametrize(
    ("before", "seats", "after"),
    [
        ("A: . . .   B: . .", "A1 A2", "A: h h .   B: . ."),
        ("A: . . .   B: . .", "A3 B1", "A: . . h   B: h ."),
        ("A: s1 . x", "A2", "A: s h x"),
        ("A: . h1 .", "A1 A3", "A: h h h"),
    ],
)
def test_holds_named_seats(stage: Stage, before: str, seats: str, after: str) -> None:
    stage.before(before)
    stage.let_in(2)
    assert stage.seats(stage.hold(2, seats)) == seats
    assert stage.after() == after
    assert stage.index_is_right()


def test_a_hold_says_who_has_what_until_when(stage: Stage) -> None:
    stage.before("A: . . .", areas=(5, 5))
    stage.let_in(1)
    now = stage.now_ms()
    items = [[1, "seats", 0, 2, 0, 0], [1, "area", 1, 3]]
    word, expires_at_ms, _, record, ways = stage.hold_packed(1, items, hold="mine")
    assert word == b"held"
    assert now + HOLD_MS <= expires_at_ms <= stage.now_ms() + HOLD_MS
    latest_ms = expires_at_ms - HOLD_MS + 1_800_000
    kept = ["v1", expires_at_ms, [0, 2, 1, 0, 0, 1], [1, 3], 0, "", [], latest_ms]
    assert (record, ways) == (pack(kept), pack([]))
    assert stage.held("mine") == kept
    assert stage.due() == {"mine": expires_at_ms}
    assert stage.owned(1) == 5


def test_neighbours_named_in_order_are_one_run(stage: Stage) -> None:
    stage.before("A: . . . .   B: . .")
    stage.let_in(1)
    reply = stage.hold(1, "A2 A3 A4 B1 A1", hold="mine")
    assert stage.seats(reply) == "A2 A3 A4 B1 A1"
    record = stage.held("mine")
    assert record is not None
    assert record[2] == [0, 1, 3, 1, 0, 1, 0, 0, 1]
    assert stage.index_is_right()


@pytest.mark.parametrize(
    ("before", "wanted", "taken"),
    [
        ("A: . . h1", "A1 A3", [1, 0, 2]),
        ("A: x s1 .", "A1 A2 A3", [1, 0, 0, 1, 0, 1]),
        ("A: . .   B: . h1", "A1 B2", [1, 1, 1]),
        ("A: . .", "A1 A1", [1, 0, 0]),  # a seat twice in one request
        ("A: . .", "A2 A3", [1, 0, 2]),  # a seat that the row does not have
    ],
)
def test_cannot_hold_any_if_one_is_taken(stage: Stage, before: str, wanted: str, taken: list[int]) -> None:
    stage.before(before)
    stage.let_in(2)
    with stage.nothing_changes():
        assert stage.hold(2, wanted) == [b"taken", *taken]


def test_holds_standing_places_until_they_are_gone(stage: Stage) -> None:
    stage.before("A: . .", areas=(5, 1))
    stage.let_in(1, 2)
    assert stage.stand(1, 3)[0] == b"held"
    with stage.nothing_changes():
        assert stage.stand(2, 3) == [b"none", 1, 2]
        assert stage.hold_packed(2, [[1, "area", 0, 1], [1, "area", 0, 2]]) == [b"none", 2, 1]
    assert stage.hold_packed(2, [[1, "area", 0, 1], [1, "area", 0, 1], [1, "area", 1, 1]])[0] == b"held"
    assert (stage.area(0), stage.area(1)) == ((0, 0), (0, 0))
    with stage.nothing_changes():
        assert stage.stand(2, 1, hold="more") == [b"none", 1, 0]


def test_holds_over_several_performances(stage: Stage) -> None:
    stage.before("A: . . .", performance="p", areas=(2,))
    stage.before("A: . s1 .   B: . .", performance="q")
    stage.let_in(2)
    items = [[1, "seats", 0, 0], [2, "best", "", 2], [1, "area", 0, 2]]
    held = stage.hold_packed(2, items, ["p", "q"])
    assert (stage.seats(held, "p", 0), stage.seats(held, "q", 1)) == ("A1", "B1 B2")
    assert (stage.after("p"), stage.after("q")) == ("A: h . .", "A: . s .   B: h h")
    assert stage.due("p") == stage.due("q") == {"h2": held[1]}


@pytest.mark.parametrize(
    ("items", "answer"),
    [
        ([[1, "seats", 0, 0], [2, "seats", 0, 1]], [b"taken", 2, 0, 1]),
        ([[1, "area", 0, 2], [2, "best", "", 2]], [b"none", 2, 1]),
        ([[2, "seats", 0, 0], [1, "area", 0, 3]], [b"none", 2, 2]),
        ([[1, "best", "", 3], [2, "area", 0, 1]], [b"none", 2, 0]),
        ([[1, "seats", 0, 0], [2, "seats", 0, 0, 0, 2], [1, "area", 0, 2]], [b"limit", 1, 1]),
    ],
)
def test_holds_over_several_performances_or_none(stage: Stage, items: list[list[Any]], answer: list[Any]) -> None:
    stage.before("A: . . .", performance="p", areas=(2,))
    stage.before("A: . s1 .", performance="q", areas=(0,))
    stage.let_in(2)
    with stage.nothing_changes():
        assert stage.hold_packed(2, items, ["p", "q"], limit=2 if answer[0] == b"limit" else 8) == answer


def test_cannot_have_more_than_the_limit_over_all_holds_and_orders(stage: Stage) -> None:
    stage.before("A: . . . . .", areas=(9,))
    stage.let_in(1, 2)
    assert stage.hold(1, "A1 A2", limit=3, hold="one")[0] == b"held"
    with stage.nothing_changes():
        assert stage.hold(1, "A3 A4", limit=3) == [b"limit", 1, 2]
        assert stage.stand(1, 2, limit=3) == [b"limit", 1, 2]
    stage.confirm(1, "one")
    stage.let_in(1)
    with stage.nothing_changes():
        assert stage.best(1, 2, limit=3) == [b"limit", 1, 2]  # what was bought counts as well
    assert stage.hold(1, "A3", limit=3)[0] == b"held"
    assert stage.hold(2, "A4 A5", limit=3)[0] == b"held"  # everyone has a limit of one's own
    assert stage.after() == "A: s s h h h"


def test_what_was_let_go_does_not_count(stage: Stage) -> None:
    stage.before("A: . . . .")
    stage.let_in(1)
    stage.hold(1, "A1 A2", limit=2)
    stage.release(1, "h1")
    assert stage.hold(1, "A3 A4", limit=2, hold="again")[0] == b"held"


def test_cannot_hold_without_a_live_pass(stage: Stage) -> None:
    stage.before("A: . .")
    with stage.nothing_changes():
        assert stage.hold(7, "A1") == [b"pass_ended"]
    stage.let_in(7, ms=30_000)
    stage.pass_time(30_001)
    with stage.nothing_changes():
        assert stage.hold(7, "A1") == [b"pass_ended"]


def test_only_the_newest_pass_of_a_place_holds(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.redis.execute_command("ZADD", stage.keys.live(SALE), f"{stage.now_ms() + 60_000}.5", 7)
    with stage.nothing_changes():
        assert stage.hold(7, "A1", place="7 2047") == [b"moved"]
    assert stage.hold(7, "A1", place="7 2048")[0] == b"held"
    assert stage.hold(7, "A2", place="7", hold="other")[0] == b"held"  # a release before this one names no generation


def test_the_houses_own_staff_need_no_pass(stage: Stage) -> None:
    stage.before("A: . .")
    stage.set_sale(phase="closed")
    assert stage.hold(7, "A1", place="")[0] == b"held"


@pytest.mark.parametrize("phase", ["paused", "sold_out"])
def test_whoever_is_in_goes_on(stage: Stage, phase: str) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    stage.set_sale(phase=phase)
    assert stage.hold(1, "A1")[0] == b"held"


def test_cannot_hold_once_the_sale_is_closed(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    stage.set_sale(phase="closed")
    with stage.nothing_changes():
        assert stage.hold(1, "A1") == [b"ended", b"closed"]


def test_cannot_hold_when_one_of_the_performances_is_unknown(stage: Stage) -> None:
    stage.before("A: . .")
    stage.let_in(1)
    with stage.nothing_changes():
        items = [[1, "seats", 0, 0], [2, "seats", 0, 0]]
        assert stage.hold_packed(1, items, ["p", "elsewhere"]) == [b"unknown_performance"]


def test_a_refusal_is_decided_again(stage: Stage) -> None:
    stage.before("A: . h1")
    stage.let_in(2)
    operation = stage.key()
    assert stage.hold(2, "A2", operation=operation)[0] == b"taken"
    stage.release(1, "h1")
    assert stage.hold(2, "A2", operation=operation)[0] == b"held"


def test_a_repeat_gets_the_first_answer_even_when_the_sale_has_moved_on(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    operation = stage.key()
    first = stage.hold(1, "A1", operation=operation)
    stage.confirm(1, "h1")
    stage.set_sale(phase="closed")
    with stage.nothing_changes():
        assert stage.hold(1, "A1", operation=operation) == first


def test_a_due_hold_is_ended_on_the_way(stage: Stage) -> None:
    stage.before("A: . .", areas=(2,))
    stage.let_in(1, 2)
    stage.hold_packed(1, [[1, "seats", 0, 0, 0, 1], [1, "area", 0, 2]])
    stage.pass_time(HOLD_MS - 30_000)
    assert stage.hold(2, "A1")[0] == b"taken"
    stage.pass_time(30_001)
    stage.let_in(2)
    assert stage.seats(stage.hold_packed(2, [[1, "seats", 0, 0, 0, 1], [1, "area", 0, 2]])) == "A1 A2"
    assert (stage.owned(1), stage.owned(2)) == (0, 4)
    assert stage.index_is_right()


def test_what_one_let_lapse_counts_no_more_but_as_unpaid(stage: Stage) -> None:
    """Nobody has swept it yet: the very call that ends it knows."""
    stage.before("A: h1 h1 . .")
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(1)
    assert stage.hold(1, "A3", terms=(0, 0, 1, 60_000))[0] == b"cool_down"
    stage.before("A: h1 h1 . .", performance="q")
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(1)
    assert stage.hold(1, "A3 A4", performance="q", limit=2)[0] == b"held"
    assert stage.owned(1, "q") == 2


def test_a_due_hold_is_ended_even_if_the_hold_is_refused_then(stage: Stage) -> None:
    stage.before("A: h1 s3")
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(2)
    assert stage.hold(2, "A2") == [b"taken", 1, 0, 1]
    assert stage.after() == "A: . s"
    assert stage.index_is_right()


def test_a_hold_at_its_last_moment_ends_in_every_performance(stage: Stage) -> None:
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1, 2)
    stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 0]], ["p", "q"])
    stage.pass_time(HOLD_MS + 1)
    stage.let_in(2)
    assert stage.hold(2, "A2", performance="p")[0] == b"held"
    assert stage.hold(2, "A2", performance="q", hold="other")[0] == b"held"
    assert (stage.after("p"), stage.after("q")) == ("A: . h", "A: . h")


def test_every_change_has_a_version_of_its_own(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)

    def version() -> int:
        return int(stage.hash(stage.hall()[0])[b"v"])

    versions = [version()]
    stage.hold(1, "A1")
    versions.append(version())
    stage.confirm(1, "h1")
    versions.append(version())
    stage.allot("b", "A2")
    versions.append(version())
    assert versions == sorted(set(versions))


ALONE_WHERE_AVOIDABLE, ALONE_NEVER = (1, 0), (2, 0)


@pytest.mark.parametrize(
    ("before", "seats", "terms", "answer"),
    [
        ("A: . . . . .", "A2 A3", ALONE_WHERE_AVOIDABLE, [b"alone", 1, 0, 0, 0, 0, 2]),  # A1 would be alone
        ("A: . . . . .", "A1 A2", ALONE_WHERE_AVOIDABLE, None),
        ("A: . . . . .", "A2 A3", (0, 0), None),
        ("A: . . . . .", "A2 A3", (1, 3), None),  # the last three seats of the hall
        ("A: . . .   B: . . . .", "A1 A2", ALONE_WHERE_AVOIDABLE, None),  # every two of this row leave one
        ("A: . . .   B: . . . .", "A1 A2", ALONE_NEVER, [b"alone", 1, 0, 2, 1, 0, 2]),
        ("A: . . .", "A1 A2", ALONE_NEVER, None),  # no other way anywhere
        ("A: s1 . s1 . . .", "A4", ALONE_WHERE_AVOIDABLE, None),  # A2 was alone before
        ("A: . . . . s1 . . s1 .", "A1 A6 A9", ALONE_NEVER, None),  # what is left of the row is no other way
        ("A: x . . . x", "A3", ALONE_WHERE_AVOIDABLE, [b"alone", 1, 0, 1, 0, 1, 1]),
    ],
)
def test_a_choice_that_leaves_a_seat_alone_is_refused_where_there_is_another(
    stage: Stage, before: str, seats: str, terms: tuple[int, int], answer: list[object] | None
) -> None:
    stage.before(before)
    stage.let_in(2)
    if answer is None:
        assert stage.hold(2, seats, terms=terms)[0] == b"held"
        return
    with stage.nothing_changes():
        assert stage.hold(2, seats, terms=terms) == answer


def test_staff_may_leave_a_seat_alone(stage: Stage) -> None:
    stage.before("A: . . . . .")
    assert stage.hold(2, "A2 A3", terms=ALONE_NEVER, place="")[0] == b"held"


def test_who_let_two_holds_go_unpaid_waits_a_moment_and_who_pays_does_not(stage: Stage) -> None:
    stage.before("A: . . . . . .")
    stage.let_in(1)
    terms = (0, 0, 2, 60_000)
    for number in range(2):
        assert stage.hold(1, "A1", hold=f"unpaid {number}", terms=terms)[0] == b"held"
        assert stage.release(1, f"unpaid {number}")[0] == b"released"
    with stage.nothing_changes():
        word, until_ms = stage.hold(1, "A1", hold="third", terms=terms)
        assert word == b"cool_down"
        assert stage.now_ms() < until_ms <= stage.now_ms() + 60_000
    assert stage.hold(1, "A1", hold="third", terms=(0, 0, 2, 0))[0] == b"held"
    assert stage.confirm(1, "third")[0] == b"confirmed"
    stage.let_in(1)
    assert stage.hold(1, "A2", hold="fourth", terms=terms)[0] == b"held"


def test_what_time_ends_on_somebody_elses_way_is_counted_for_whoever_had_it(stage: Stage) -> None:
    stage.before("A: . . . . . .")
    stage.let_in(1, 2)
    assert stage.hold(1, "A1", hold="let go")[0] == b"held"
    assert stage.release(1, "let go")[0] == b"released"
    assert stage.hold(1, "A1", hold="lapses", hold_ms=1_000)[0] == b"held"
    assert stage.hold(1, "A3 A4", hold="lives")[0] == b"held"
    stage.pass_time(1_001)
    assert stage.hold(2, "A6")[0] == b"held"
    assert stage.after() == "A: . . h h . h"
    assert stage.owned(1) == 2
    assert stage.hold(1, "A1", hold="third", terms=(0, 0, 2, 60_000))[0] == b"cool_down"


def test_a_code_is_counted_with_the_hold_and_comes_back_with_its_end(stage: Stage) -> None:
    stage.before("A: . . . .")
    stage.let_in(1, 2)
    terms = (0, 0, 0, 0, 1_800_000, ["spring", 2, 3])
    assert stage.hold(1, "A1", terms=terms)[0] == b"held"
    with stage.nothing_changes():
        assert stage.hold(2, "A2", terms=terms) == [b"code_used", b"spring", 1]
    stage.release(1, "h1")
    assert stage.hold(2, "A2", terms=terms)[0] == b"held"
    assert stage.fields(stage.keys.cell)["uspring"] == "2"


def test_every_change_is_told_in_the_order_it_was_made(stage: Stage) -> None:
    stage.before("A: . . . .", areas=(5,))
    stage.let_in(1)
    stage.hold_packed(1, [[1, "seats", 0, 0, 0, 1], [1, "area", 0, 2]], hold="a")
    stage.release(1, "a")
    stage.hold(1, "A3", hold="b")
    stage.confirm(1, "b")
    assert [[*entry[4:], entry[2]] for entry in stage.told()] == [
        ["hold", "visitor", "a", [0, 0, 2, "h"], [0, -2, 0], "1"],
        ["release", "visitor", "a", [0, 0, 2, "o"], [0, 2, 0], "1"],
        ["hold", "visitor", "b", [0, 2, 1, "h"], [], "1"],
        ["confirm", "visitor", "b", [0, 2, 1, "s"], [], "1"],
    ]
    sequences = [entry[1] for entry in stage.told()]
    assert sequences == sorted(set(sequences))


def test_open_seats_are_counted(stage: Stage) -> None:
    stage.before("A: . h1 s2 x   B: . .")
    stage.let_in(3)
    stage.best(3, 2)
    stage.release(1, "h1")
    assert stage.hash(stage.hall()[0])[b"f"] == b"2"


@pytest.mark.parametrize(
    ("categories", "seats"),
    [("AAa", "A1 A2"), ("aaA", "A1 A2")],  # who is left alone: a place for a wheelchair; beside such a place
)
def test_access_places_are_exempt_from_the_rule(stage: Stage, categories: str, seats: str) -> None:
    stage.before("A: . . .   B: . .   C: . .", categories={"A": categories, "B": "AA", "C": "aa"})
    stage.let_in(2)
    assert stage.hold(2, seats, terms=ALONE_NEVER)[0] == b"held"


UNITS = {"A": "aa", "B": "a", "C": "AA"}


@pytest.mark.parametrize(
    ("named", "answer"),
    [
        ("A1", [b"whole", 1, 0]),
        ("C1 A2", [b"whole", 1, 0]),
        ("A1 A2", b"held"),
        ("A2 C1 A1", b"held"),
        ("B1 C2", b"held"),
    ],
)
def test_a_unit_is_named_as_a_whole(stage: Stage, named: str, answer: Any) -> None:
    stage.before("A: . .   B: .   C: . .", categories=UNITS)
    stage.let_in(1)
    if answer == b"held":
        assert stage.hold(1, named)[0] == answer
        return
    with stage.nothing_changes():
        assert stage.hold(1, named) == answer


def test_a_unit_in_two_wishes_is_named_in_part_by_each(stage: Stage) -> None:
    stage.before("A: . .   B: .   C: . .", categories=UNITS)
    stage.let_in(1)
    with stage.nothing_changes():
        assert stage.hold_packed(1, [[1, "seats", 2, 0], [1, "seats", 0, 0], [1, "seats", 0, 1]]) == [b"whole", 2, 0]


def test_a_seat_of_a_unit_that_was_released_is_named_as_any_other(stage: Stage) -> None:
    curve = [[stage.now_ms() + 3_600_000, 100], [0, 1]]
    stage.before("A: . .   B: .   C: . .", categories=UNITS, curve=curve)
    stage.let_in(1, 2, ms=10**8)
    assert stage.hold(1, "A1") == [b"whole", 1, 0]
    stage.pass_time(3_600_001)
    # In the very call that comes by first.
    assert stage.hold(1, "A1")[0] == b"held"
    assert stage.hold(2, "A2 C1")[0] == b"held"
    assert stage.index_is_right()


def test_a_code_of_several_performances_comes_back_once(stage: Stage) -> None:
    stage.before("A: . .", performance="p")
    stage.before("A: . .", performance="q")
    stage.let_in(1)
    terms = (0, 0, 0, 0, 1_800_000, ["spring", 2, 3])
    stage.hold_packed(1, [[1, "seats", 0, 0], [2, "seats", 0, 0]], ["p", "q"], terms=terms)
    assert stage.fields(stage.keys.cell)["uspring"] == "2"
    stage.release(1, "h1", ["p", "q"])
    assert stage.fields(stage.keys.cell)["uspring"] == "0"


def test_a_code_named_twice_in_one_step_counts_twice(stage: Stage) -> None:
    stage.before("A: . . .")
    stage.let_in(1)
    with stage.nothing_changes():
        terms = (0, 0, 0, 0, 1_800_000, ["spring", 2, 3, "spring", 2, 3])
        assert stage.hold(1, "A1 A2", terms=terms) == [b"code_used", b"spring", 1]


def test_staff_who_let_go_do_not_wait(stage: Stage) -> None:
    stage.before("A: . .")
    keys, terms = stage.keys, pack([HOLD_MS, 8, 0, 0, 1, 60_000, 1_800_000, (), ()])
    for number in range(2):
        held = stage.run(
            "seats/hold",
            [keys.cell, stage.key(), keys.outbox, keys.sale(SALE), keys.live(SALE), *stage.hall()],
            *("f", f"hold {number}", "key:desk", "", terms, pack([[1, "seats", 0, 0]])),
        )
        assert held[0] == b"held"
        parts = [keys.cell, stage.key(), keys.outbox, *stage.hall()]
        assert stage.run("seats/release", parts, "f", f"hold {number}", "key:desk")[0] == b"released"
