"""The scripts of the seats against a model, a step at a time; Hypothesis looks for the shortest way to a difference."""

from typing import Any

import hypothesis.strategies as st
import msgspec
import redis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.lua.drawing import can_serve
from tests.lua.stage import HOLD_MS, Stage

HALL = "A: . . . .   B: . . . . . .   C: . . . . . . . .   D: . .   E: ."
CLASSES = {"A": "AaaA", "B": "AAABBB", "C": "BBBBBBBB", "D": "AB", "E": "b"}
NAMES = tuple("ABCDE")
FLOOR = 7
LIMIT = 6
VISITORS = (1, 2, 3)
PARTIES = st.sampled_from((1, 1, 2, 2, 3, 4, 5, 6, 9))
CATEGORIES = st.sampled_from(("", "", "", "A", "B", "a", "b"))
SEATS = st.sampled_from([f"{name}{place + 1}" for name, letters in CLASSES.items() for place in range(len(letters))])


class Kept(msgspec.Struct):
    """A hold as the model knows it."""

    visitor: int
    seats: tuple[str, ...]
    places: int
    ms_left: int
    is_extended: bool = False


class Seats(RuleBasedStateMachine):
    """Three visitors, one hall with two categories, access places and a floor."""

    def __init__(self, owner: redis.Redis) -> None:
        super().__init__()
        owner.flushall()
        self.stage = Stage(owner)
        self.stage.before(HALL, categories=CLASSES, areas=[FLOOR])
        self.stage.let_in(*VISITORS, ms=10**9)
        self.states = dict.fromkeys(
            (f"{name}{place + 1}" for name, letters in CLASSES.items() for place in range(len(letters))), "."
        )
        self.holds: dict[str, Kept] = {}
        self.bought = dict.fromkeys(VISITORS, 0)
        self.sold_places = 0
        self.number = 0

    def drawn(self) -> str:
        return "   ".join(
            f"{name}: " + " ".join(self.states[f"{name}{place + 1}"] for place in range(len(letters)))
            for name, letters in CLASSES.items()
        )

    def owned(self, visitor: int) -> int:
        held = sum(len(kept.seats) + kept.places for kept in self.holds.values() if kept.visitor == visitor)
        return held + self.bought[visitor]

    def open_places(self) -> int:
        return FLOOR - self.sold_places - sum(kept.places for kept in self.holds.values())

    def rows(self) -> list[str]:
        return [block.partition(": ")[2].replace(" ", "").replace(".", "o") for block in self.drawn().split("   ")]

    def keep(self, visitor: int, seats: tuple[str, ...], places: int) -> None:
        self.holds[f"h{self.number}"] = Kept(visitor, seats, places, HOLD_MS)
        self.states |= dict.fromkeys(seats, "h")

    def ask(self, visitor: int, item: list[Any]) -> list[Any]:
        self.number += 1
        return self.stage.hold_packed(visitor, [item], hold=f"h{self.number}", limit=LIMIT)

    @rule(visitor=st.sampled_from(VISITORS), seats=st.lists(SEATS, min_size=1, max_size=4, unique=True))
    def hold_named(self, visitor: int, seats: list[str]) -> None:
        before = self.owned(visitor)
        reply = self.ask(visitor, [1, "seats", *self.stage.places(" ".join(seats))])
        taken = [part for seat in seats if self.states[seat] != "." for part in (1, *self.stage.places(seat))]
        if before + len(seats) > LIMIT:
            assert reply == [b"limit", 1, before]
        elif taken:
            assert reply == [b"taken", *taken]
        else:
            assert self.stage.seats(reply) == " ".join(seats)
            self.keep(visitor, tuple(seats), 0)

    @rule(visitor=st.sampled_from(VISITORS), k=PARTIES, class_=CATEGORIES)
    def hold_best(self, visitor: int, k: int, class_: str) -> None:
        before = self.owned(visitor)
        reply = self.ask(visitor, [1, "best", class_, k])
        if before + k > LIMIT:
            assert reply == [b"limit", 1, before]
            return
        rows = dict(zip(NAMES, self.rows(), strict=True))
        at_all = {n for n in NAMES if can_serve(rows[n], CLASSES[n], class_, k, is_clean=False)}
        clean = {n for n in NAMES if can_serve(rows[n], CLASSES[n], class_, k, is_clean=True)}
        if not at_all:
            largest = [
                p for p in range(1, 9) if any(can_serve(rows[n], CLASSES[n], class_, p, is_clean=False) for n in NAMES)
            ]
            assert reply == [b"none", 1, max(largest, default=0)]
            return
        seats = self.stage.seats(reply).split()
        name, first = seats[0][0], int(seats[0][1:])
        assert seats == [f"{name}{first + step}" for step in range(k)], "not together"
        assert all(self.states[seat] == "." for seat in seats), "not free"
        letters = CLASSES[name][first - 1 : first - 1 + k]
        assert letters == class_ * k if class_ else not any(letter.islower() for letter in letters), "not of that class"
        # Blocks lie in quality order: the first that leaves nobody alone, else the first that can.
        assert name == min(clean or at_all), (seats, clean, at_all)
        self.keep(visitor, tuple(seats), 0)

    @rule(visitor=st.sampled_from(VISITORS), quantity=st.integers(1, 8))
    def hold_places(self, visitor: int, quantity: int) -> None:
        before, left = self.owned(visitor), self.open_places()
        reply = self.ask(visitor, [1, "area", 0, quantity])
        if before + quantity > LIMIT:
            assert reply == [b"limit", 1, before]
        elif quantity > left:
            assert reply == [b"none", 1, left]
        else:
            assert reply[0] == b"held"
            self.keep(visitor, (), quantity)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), visitor=st.sampled_from(VISITORS))
    def release(self, data: st.DataObject, visitor: int) -> None:
        hold = data.draw(st.sampled_from(sorted(self.holds)))
        reply = self.stage.release(visitor, hold)
        if self.holds[hold].visitor != visitor:
            assert reply == [b"hold_ended"]
        else:
            assert reply[0] == b"released"
            self.states |= dict.fromkeys(self.holds.pop(hold).seats, ".")

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(sorted(self.holds)))
        kept = self.holds[hold]
        reply = self.stage.extend(kept.visitor, hold, extend_ms=HOLD_MS)
        assert reply[0] == (b"already_extended" if kept.is_extended else b"extended")
        kept.ms_left += 0 if kept.is_extended else HOLD_MS
        kept.is_extended = True

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), visitor=st.sampled_from(VISITORS))
    def confirm(self, data: st.DataObject, visitor: int) -> None:
        hold = data.draw(st.sampled_from(sorted(self.holds)))
        reply = self.stage.confirm(visitor, hold)
        self.stage.let_in(visitor, ms=10**9)  # an order ends its pass
        if self.holds[hold].visitor != visitor:
            assert reply == [b"hold_ended", hold.encode()]
            return
        assert reply[0] == b"confirmed"
        kept = self.holds.pop(hold)
        self.states |= dict.fromkeys(kept.seats, "s")
        self.bought[visitor] += len(kept.seats) + kept.places
        self.sold_places += kept.places

    @rule(seat=SEATS, is_blocking=st.booleans())
    def block(self, seat: str, *, is_blocking: bool) -> None:
        state = self.states[seat]
        reply = self.stage.allot("b", seat) if is_blocking else self.stage.open("b", seat)
        if is_blocking and state in ".x":
            assert reply[0] == b"allotted"
            self.states[seat] = "x"
        elif is_blocking:
            assert reply[0] == b"taken"
        elif state == "x":
            assert reply[0] == b"opened"
            self.states[seat] = "."
        else:
            assert reply == [b"nothing_aside"]

    @rule(half_holds=st.integers(1, 3))
    def time_passes(self, half_holds: int) -> None:
        ms = half_holds * HOLD_MS // 2 + 1000
        self.stage.pass_time(ms)
        for kept in self.holds.values():
            kept.ms_left -= ms
        due = [hold for hold, kept in self.holds.items() if kept.ms_left <= 0]
        assert self.stage.sweep()[1] == len(due)
        for hold in due:
            self.states |= dict.fromkeys(self.holds.pop(hold).seats, ".")

    @invariant()
    def redis_and_the_model_agree(self) -> None:
        assert self.stage.after() == self.drawn()
        assert self.stage.index_is_right()
        assert self.stage.area() == (self.open_places(), self.sold_places)
        assert set(self.stage.due()) == set(self.holds)
        assert [self.stage.owned(visitor) for visitor in VISITORS] == [self.owned(visitor) for visitor in VISITORS]


def test_the_seats_do_what_the_model_does(owner: redis.Redis) -> None:
    run_state_machine_as_test(
        lambda: Seats(owner),  # type: ignore[arg-type] # any callable that makes one will do
        settings=settings(
            max_examples=120,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
