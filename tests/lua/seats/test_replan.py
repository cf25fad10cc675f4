"""A performance moves to another plan while it is on sale."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
import redis

from engine.words import PerformanceId
from tests.lua import drawing as drawings
from tests.lua.stage import Reply, Stage, pack

NEW = "p@1"


def replan(
    stage: Stage,
    drawing: str,
    *,
    seats: Mapping[str, str] | None = None,
    categories: Mapping[str, str] | None = None,
    capacities: Sequence[int] = (),
    areas: Sequence[Sequence[int]] = (),
    neighbours: Mapping[str, Sequence[Sequence[int]]] | None = None,
    operation: str = "",
    curve: Sequence[Sequence[int]] = ((), ()),
) -> Reply:
    """Moves `p` to the drawn hall. A seat keeps its name, unless `seats` (old: new) gives it another; none: it goes."""
    drawn = drawings.read(drawing, categories or {})
    stage.names[NEW] = drawn.names
    new = [
        f"{name}{at + 1}" for name, (_, row) in zip(drawn.names, drawn.blocks, strict=True) for at in range(len(row))
    ]
    old = [
        f"{name}{at + 1}" for name, row in zip(stage.names["p"], stage.rows(), strict=True) for at in range(len(row))
    ]
    named = {seat: (seats or {}).get(seat, seat) for seat in old}
    numbers = [new.index(named[seat]) + 1 if named[seat] in new else 0 for seat in old]
    kinds = max((ord(letter) - 64 for each, _ in drawn.blocks for letter in each.split()[1].upper()), default=1)
    described = [
        (each, (neighbours or {}).get(name)) for name, (each, _) in zip(drawn.names, drawn.blocks, strict=True)
    ]
    plan = [described, kinds, list(capacities), list(areas), numbers, curve]
    keys = [stage.keys.cell, operation or stage.key(), stage.keys.outbox, stage.keys.catalogue]
    halls = [*stage.hall(), *stage.hall(NEW)]
    return stage.run("seats/replan", [*keys, *halls], "f", "performance:p", "{}", b"action", pack(plan))


def test_what_is_taken_is_taken_in_its_new_place(stage: Stage) -> None:
    stage.before("A: h1 h1 . s2   B: . x s3 .", return_ms=30_000)
    assert replan(stage, "B: . . . .   C: . .   A: . . . .")[0] == b"replanned"
    assert stage.after(NEW) == "B: . x s .   C: . .   A: h h . s"
    assert stage.index_is_right(NEW)
    assert not any(stage.redis.execute_command("EXISTS", key) for key in stage.hall())
    assert stage.hash(stage.hall(NEW)[0])[b"f"] == b"5"


def test_who_holds_goes_on_and_buys_what_was_held(stage: Stage) -> None:
    stage.before("A: h1 h1 . s1   B: . . .")
    before = stage.due()
    replan(stage, "Z: . .   B: . . .   A: . . . .")
    assert stage.due(NEW) == before
    assert stage.owned(1, NEW) == 3
    assert stage.held("h1", NEW)[2] == [2, 0, 2]  # type: ignore[index]
    stage.sell(1, "h1", NEW)
    assert stage.after(NEW).endswith("A: s s . s")
    assert stage.due(NEW) == {}


def test_a_hold_lets_go_of_its_own_seats_where_they_stand_now(stage: Stage) -> None:
    """A row that is drawn the other way round, and cut in two by an aisle."""
    stage.before("A: h1 h1 h1 .")
    replan(stage, "A: . .   B: . .", seats={"A1": "B2", "A2": "B1", "A3": "A2", "A4": "A1"})
    assert stage.after(NEW) == "A: . h   B: h h"
    assert stage.seats([b"held", 0, 0, stage.hash(stage.hall(NEW)[0])[b"hh1"]], NEW) == "B2 B1 A2"
    assert stage.release(1, "h1", [NEW])[0] == b"released"
    assert stage.after(NEW) == "A: . .   B: . ."
    assert stage.index_is_right(NEW)


def test_a_new_aisle_parts_a_hold(stage: Stage) -> None:
    stage.before("A: h1 h1 h1")
    replan(stage, "A: . .   B: . .", seats={"A3": "B1"})
    assert stage.after(NEW) == "A: h h   B: h ."
    assert stage.release(1, "h1", [NEW])[0] == b"released"
    assert stage.after(NEW) == "A: . .   B: . ."


def test_each_part_of_a_hold_comes_back_to_where_it_was_taken_from(stage: Stage) -> None:
    stage.before("A: . .   B: . .")
    stage.allot("B", "B1")
    stage.let_in(1)
    held = stage.hold_packed(1, [[1, "seats", 0, 0, 0, 1, 1, 0]], terms=(0, 0, 0, 0, 1_800_000, (), ["oB"]))
    assert held[0] == b"held"
    replan(stage, "A: .   C: .   B: . .", seats={"A2": "C1"})
    assert stage.release(1, "h1", [NEW])[0] == b"released"
    assert stage.after(NEW) == "A: .   C: .   B: B ."


def test_holds_end_on_time_under_the_new_plan(stage: Stage) -> None:
    stage.before("A: h1 h2 .")
    replan(stage, "B: .   A: . . .")
    stage.pass_time(61_000)
    assert stage.sweep(performance=NEW)[1] == 2
    assert stage.after(NEW) == "B: .   A: . . ."


def test_the_version_goes_on(stage: Stage) -> None:
    stage.before("A: h1 . .")
    version = int(stage.hash(stage.hall()[0])[b"v"])
    reply = replan(stage, "A: . . .")
    assert reply[1] == version + 1 == int(stage.hash(stage.hall(NEW)[0])[b"v"])


@pytest.mark.parametrize("drawing", ["A: h1 . .", "A: s1 . ."])
def test_a_held_or_sold_seat_that_the_new_plan_lacks_refuses_all(stage: Stage, drawing: str) -> None:
    stage.before(drawing)
    with stage.nothing_changes():
        assert replan(stage, "A: . .", seats={"A1": "", "A2": "A1", "A3": "A2"}) == [b"missing", 0, 0]


def test_seats_set_aside_are_not_lost_either_but_blocked_ones_may_go(stage: Stage) -> None:
    stage.before("A: x . . .")
    stage.allot("A", "A2 A3")
    gone = {"A1": "", "A2": "", "A3": "A1", "A4": "A2"}
    assert replan(stage, "A: . .", seats=gone) == [b"missing", 0, 1]
    assert replan(stage, "A: . . .", seats=gone | {"A2": "A3"})[0] == b"replanned"
    assert stage.after(NEW) == "A: A . A"


def test_a_hold_that_is_due_keeps_no_seat(stage: Stage) -> None:
    stage.before("A: h1 . .")
    stage.pass_time(61_000)
    assert replan(stage, "A: . .", seats={"A1": ""})[0] == b"replanned"


def test_what_was_set_aside_comes_back_to_it_and_ends_as_before(stage: Stage) -> None:
    stage.before("A: . . . .   B: . .", areas=(10, 4))
    stage.allot("B", "A1 A2 B1", [1, 3, 0])
    stage.let_in(1)
    held = stage.hold_packed(1, [[1, "seats", 0, 0, 0, 1]], terms=(0, 0, 0, 0, 1_800_000, (), ["oB"]))
    assert held[0] == b"held"
    areas = [[1, 0], [0, 0]]
    assert replan(stage, "B: . .   C: .   A: . . . .", capacities=(4, 10), areas=areas)[0] == b"replanned"
    assert stage.release(1, "h1", [NEW])[0] == b"released"
    assert stage.after(NEW) == "B: B .   C: .   A: B B . ."
    assert (stage.area("B0", NEW), stage.area(0, NEW), stage.area(1, NEW)) == ((3, 0), (1, 0), (10, 0))
    assert stage.open("B", performance=NEW)[0] == b"opened"
    assert stage.after(NEW) == "B: . .   C: .   A: . . . ."
    assert stage.area(0, NEW) == (4, 0)
    assert stage.index_is_right(NEW)


def test_the_best_of_what_was_set_aside_is_the_best_of_the_new_plan(stage: Stage) -> None:
    stage.before("A: . .   B: . .")
    stage.allot("P", "A1 A2 B1 B2")
    stage.let_in(1)
    replan(stage, "B: . .   A: . .")
    asked = [[1, "best", "", 2, {"from": "P"}]]
    reply = stage.hold_packed(1, asked, [NEW], terms=(0, 0, 0, 0, 1_800_000, (), ["P"]))
    assert stage.seats(reply, NEW) == "B1 B2"


def test_standing_places_move_with_their_area_which_may_grow_or_shrink(stage: Stage) -> None:
    stage.before("A: .", areas=(10, 5))
    stage.let_in(1, 2)
    stage.stand(1, 4)
    stage.stand(2, 2)
    stage.sell(2, "h2", "p")
    assert replan(stage, "A: .", capacities=(7,), areas=[[0, -3], [-1, -5]])[0] == b"replanned"
    assert stage.area(0, NEW) == (1, 2)
    assert stage.release(1, "h1", [NEW])[0] == b"released"
    assert stage.area(0, NEW) == (5, 2)


@pytest.mark.parametrize(("capacities", "areas"), [((5,), [[0, -5], [-1, -5]]), ((5,), [[-1, -10], [0, 0]])])
def test_an_area_never_has_fewer_places_than_are_taken(
    stage: Stage, capacities: Sequence[int], areas: Sequence[Sequence[int]]
) -> None:
    stage.before("A: .", areas=(10, 5))
    stage.let_in(1)
    stage.stand(1, 6)
    with stage.nothing_changes():
        assert replan(stage, "A: .", capacities=capacities, areas=areas) == [b"full", 0]


def test_units_that_are_released_already_stay_general(stage: Stage) -> None:
    stage.before(
        "A: . .   B: .   C: .", categories={"B": "a", "C": "a"}, curve=[[1, 50, 9_000_000_000_000, 100], [1, 2]]
    )
    stage.sweep()
    assert replan(stage, "C: .   B: .   A: . . .", categories={"B": "a", "C": "a"})[0] == b"replanned"
    fields = stage.hash(stage.hall(NEW)[0])
    assert [fields[f"c{block}".encode()].split()[1] for block in range(3)] == [b"A", b"a", b"AAA"]
    assert msgspec.msgpack.decode(fields[b"x"]) == [[9_000_000_000_000, 100], [0, 1]]
    assert stage.index_is_right(NEW)


def test_a_unit_that_was_held_at_the_last_step_is_waited_for_under_the_new_plan_too(stage: Stage) -> None:
    step = stage.now_ms() + 30_000
    stage.before("A: . .   B: h1   C: .", categories={"B": "a", "C": "a"}, curve=[[step, 100], [1, 2]])
    stage.pass_time(31_000)
    stage.sweep()
    (again, *_), _, waits = msgspec.msgpack.decode(stage.hash(stage.hall()[0])[b"x"])
    assert replan(stage, "C: .   B: .   A: . . .", categories={"B": "a", "C": "a"})[0] == b"replanned"
    assert msgspec.msgpack.decode(stage.hash(stage.hall(NEW)[0])[b"x"]) == [[again, 100], [0, 1], waits]


@pytest.mark.parametrize(
    ("curve", "categories", "released"),
    [
        ([[1, 50, 9_000_000_000_000, 100], [1, 2]], {"B": "a", "C": "a"}, ["AA", "a", "A", "aa"]),
        ("", {}, ["AA", "A", "A", "aa"]),
    ],
)
def test_units_that_a_new_plan_brings_are_released_with_the_others(
    stage: Stage, curve: Any, categories: dict[str, str], released: list[str]
) -> None:
    stage.before("A: . .   B: .   C: .", categories=categories, curve=curve)
    stage.sweep()
    later = stage.now_ms() + 30_000
    after = "A: . .   B: .   C: .   D: . ."
    steps = [later, 50, later + 30_000, 100]
    assert replan(stage, after, categories={**categories, "D": "aa"}, curve=[steps, [3]])[0] == b"replanned"
    letters = [stage.hash(stage.hall(NEW)[0])[f"c{block}".encode()].split()[1].decode() for block in range(4)]
    assert letters == released
    stored = msgspec.msgpack.decode(stage.hash(stage.hall(NEW)[0])[b"x"])
    assert stored == ([[9_000_000_000_000, 100], [1, 2, 3]] if categories else [steps, [3]])
    assert int(stage.hash(stage.hall(NEW)[0])[b"q"]) == stored[0][0]
    assert stage.index_is_right(NEW)


def test_everybody_is_told_where_it_is_and_the_ledger_of_what_it_is(stage: Stage) -> None:
    stage.before("A: h1 h1 s2 x", areas=(5,))
    stage.let_in(3)
    stage.stand(3, 2)
    version = int(stage.fields(stage.keys.cell).get("catalogue", 0))
    replan(stage, "B: .   A: . . . .", capacities=(6,), areas=[[0, 1]])
    assert stage.fields(stage.keys.catalogue)["performance:p"] == "{}"
    assert int(stage.fields(stage.keys.cell)["catalogue"]) == version + 1
    assert stage.entries()[-1] == {
        b"kind": b"document",
        b"data": b"action",
        b"name": b"performance:p",
        b"body": b"{}",
    }
    told: list[Any] = stage.told()[-1]
    assert (told[0], *told[4:]) == (
        stage.keys.performance(PerformanceId("p"))[0] + "@1",
        "replan",
        "house",
        "",
        [1, 0, 2, "h", 1, 2, 1, "s", 1, 3, 1, "b"],
        [0, -2, 0],
    )


def test_whoever_has_the_old_plan_finds_nothing(stage: Stage) -> None:
    stage.before("A: h1 . .")
    stage.let_in(2)
    replan(stage, "A: . . .")
    assert stage.hold(2, "A2") == [b"unknown_performance"]
    assert stage.release(1, "h1") == [b"unknown_performance"]
    assert stage.confirm(1, "h1") == [b"unknown_performance"]
    assert stage.wait_for_payment(1, "h1") == [b"unknown_performance"]


def test_nothing_moves_right_after_a_loss(stage: Stage) -> None:
    stage.before("A: . .")
    stage.open_at(1, quiet_ms=60_000)
    assert replan(stage, "A: . .") == [b"closed"]


def test_rows_have_the_neighbours_of_the_new_plan(stage: Stage) -> None:
    stage.before("A: . .   B: . .   C: . .")
    key = stage.hall()[0]
    stage.redis.execute_command("HSET", key, "g0", pack([[1], [], []]), "g2", pack([[1], [], []]))
    stage.let_in(1)
    replan(stage, "A: . .   B: . .   C: . .", neighbours={"A": [[2], [], []]})
    reply = stage.hold_packed(1, [[1, "best", "", 4, {"split": 1}]], [NEW])
    assert stage.seats(reply, NEW) == "A1 A2 C1 C2"
    assert b"g2" not in stage.hash(stage.hall(NEW)[0])


@pytest.fixture
def stage(owner: redis.Redis) -> Stage:
    return Stage(owner)
