"""What the house does: setting aside and giving up, another plan, the sweep; and a process that has the old plan."""

from typing import Any

from tests.lua.stage import SALE, pack
from tests.property.auditor import Event, Seat
from tests.property.walk.caller import STEP_MS, Caller, described
from tests.property.walk.hall import Aside, Hall, Plan, changed


class House(Caller):
    """The calls of the house's own people and of its clock."""

    def _keys(self, hall: Hall) -> list[str]:
        return [self.stage.keys.cell, self.stage.keys.outbox, *self.keys_of(hall)]

    def _some_seats(self, hall: Hall, most: int) -> list[int]:
        block = self.draw.choice(hall.plan.blocks)
        first = self.draw.randrange(len(block))
        return [seat.id for seat in block[first : first + self.draw.randint(1, most)]]

    def block(self) -> None:
        """Blocks seats, or opens what is blocked among some."""
        hall = self.halls[self.draw.choice(("p", "q"))]
        seats = self._some_seats(hall, 2)
        flat = pack(hall.flat(seats))
        if self.draw.random() < 0.5:
            reply = self.call("seats/allot", self._keys(hall), "b", "b", 0, flat, pack([]))
            self.turn(hall)
            if taken := [seat for seat in seats if self._state(hall, seat) not in "ob"]:
                assert reply == [b"taken", *hall.flat(taken)], reply
                return
            assert reply[0] == b"allotted", reply
            hall.set(seats, "b")
            return
        reply = self.call("seats/open", self._keys(hall), "b", "b", flat)
        self.turn(hall)
        blocked = [seat for seat in seats if self._state(hall, seat) == "b"]
        if not blocked:
            assert reply == [b"nothing_aside"], reply
            return
        assert reply[0] == b"opened", reply
        hall.set(blocked, "o")

    @staticmethod
    def _state(hall: Hall, seat: int) -> str:
        block, offset = hall.where[seat]
        return hall.rows[block][offset]

    def set_aside(self) -> None:
        """Sets seats and places aside, for some time or for good; now and then again, or under a used letter."""
        draw = self.draw
        hall = self.halls[draw.choice(("p", "q"))]
        free = [letter for letter in "CDEFGHIJKLMNPQRSTUVWXY" if letter not in {**hall.aside, **hall.ended}]
        if not free or len(hall.aside) >= 3:
            return
        letter, name = free[0], f"{hall.name} {free[0]}"
        living = [letter for letter, aside in hall.aside.items() if not 0 < aside.release_ms <= self.now()]
        if living and draw.random() < 0.15:
            letter = draw.choice(living)
            name = draw.choice((hall.aside[letter].name, "another"))
        seats = [seat for _ in range(draw.randint(0, 2)) for seat in self._some_seats(hall, 4)]
        seats = sorted(dict.fromkeys(seats), key=lambda seat: hall.where[seat])
        areas = {area: draw.randint(1, 3) for area in hall.plan.areas if draw.random() < 0.4}
        if not seats and not areas:
            return
        release_ms = self.now() + STEP_MS * draw.randrange(20, 300) if draw.random() < 0.5 else 0
        flat = [part for area, count in areas.items() for part in (hall.numbers[area], count, 0)]
        stored_ms = release_ms and release_ms - self.shifted_ms
        reply = self.call("seats/allot", self._keys(hall), letter, name, stored_ms, pack(hall.flat(seats)), pack(flat))
        self.turn(hall)
        if letter in hall.aside:
            known = hall.aside[letter].name
            assert reply == ([b"exists"] if known == name else [b"letter_used", known.encode()]), reply
            return
        taken = [seat for seat in seats if self._state(hall, seat) != "o"]
        if taken:
            assert reply == [b"taken", *hall.flat(taken)], reply
            return
        for area, count in areas.items():
            if hall.open["", area] < count:
                assert reply == [b"few", hall.numbers[area], hall.open["", area]], reply
                return
        assert reply[0] == b"allotted", reply
        hall.aside[letter] = Aside(name, draw.choice(("staff", "partner", "code")), release_ms, list(areas))
        hall.set(seats, letter)
        for area, count in areas.items():
            hall.open["", area] -= count
            hall.open[letter, area] += count

    def give_up(self) -> None:
        """Ends an allotment; now and then one that is none."""
        hall = self.halls[self.draw.choice(("p", "q"))]
        if not hall.aside and self.draw.random() < 0.5:
            return
        letter = self.draw.choice([*hall.aside, *hall.aside, *hall.ended, "Z"])
        known = hall.aside.get(letter) or hall.ended.get(letter)
        name = known.name if known and self.draw.random() < 0.8 else "another"
        reply = self.call("seats/open", self._keys(hall), letter, name, pack([]))
        self.turn(hall)
        if letter not in hall.aside or hall.aside[letter].name != name:
            assert reply == [b"nothing_aside"], reply
            return
        assert reply[0] == b"opened", reply
        hall.end_aside(letter)

    def sweep(self, most: int = 2) -> None:
        for hall in self.halls.values():
            reply = self.call("seats/sweep", self._keys(hall), most)
            assert reply[:2] == [b"swept", self.turn(hall, most)], reply
            assert reply[2] == int(hall.is_sold_out()), reply

    def fill(self) -> None:
        """Blocks or sets aside all that is open, for good or until a while from now. Nothing is due."""
        for hall in self.halls.values():
            release_ms = self.draw.choice((0, self.now() + 100_000))
            seats = pack(hall.flat(seat for seat in hall.where if self._state(hall, seat) == "o"))
            areas = {area: hall.open["", area] for area in hall.plan.areas if hall.open["", area]}
            flat = pack([part for area, count in areas.items() for part in (hall.numbers[area], count, 0)])
            stored_ms = release_ms and release_ms - self.shifted_ms
            assert self.call("seats/allot", self._keys(hall), "b", "b", 0, seats, pack([]))[0] == b"allotted"
            reply = self.call("seats/allot", self._keys(hall), "Z", "the rest", stored_ms, pack([]), flat)
            assert reply[0] == b"allotted", reply
            hall.rows = [["b" if state == "o" else state for state in row] for row in hall.rows]
            hall.aside["Z"] = Aside("the rest", "staff", release_ms, list(areas))
            for area, count in areas.items():
                hall.open["Z", area] = hall.open["", area]
                hall.open["", area] -= count

    # Another plan.

    def replan(self) -> None:
        """Another plan, on sale. Refused where somebody's seat or place would be lost."""
        hall = self.halls[self.draw.choice(("p", "q"))]
        plan = changed(hall.plan, self.draw, hall.next_seat, len(self.plans))
        after = self.stage.keys.performance(self._id(hall), hall.plan_change + 1)
        keys = [*self.front(), self.stage.keys.catalogue, *self.keys_of(hall), *after]
        document = f"{hall.name} {hall.plan_change + 1}"
        reply = self.call(
            "seats/replan", keys, "f", f"performance:{hall.name}", document, "action", pack(_moves(hall.plan, plan))
        )
        self.turn(hall, 1000)
        seats = {seat.id for block in plan.blocks for seat in block}
        missing = [seat for seat in hall.where if seat not in seats and self._state(hall, seat) not in "ob"]
        if missing:
            assert reply == [b"missing", *hall.flat(missing)], (reply, missing)
            return
        more = {area: plan.areas.get(area, 0) - places for area, places in hall.plan.areas.items()}
        full = [hall.numbers[area] for area, count in more.items() if hall.open["", area] + count < 0]
        if full:
            assert reply == [b"full", *full], (reply, full)
            return
        assert reply[0] == b"replanned", reply
        stored = self.stage.redis.execute_command("HGET", self.stage.keys.catalogue, f"performance:{hall.name}")
        assert stored.decode() == document
        self._move(hall, plan, more)
        places: dict[Seat, int] = {(hall.name, "area", area): count for area, count in plan.areas.items()}
        self.history.append(Event(4 * reply[2], "replanned", "", places=places))

    def _move(self, hall: Hall, plan: Plan, more: dict[str, int]) -> None:
        hall.plan_change += 1
        hall.next_seat = max([hall.next_seat, *(seat.id + 1 for block in plan.blocks for seat in block)])
        for area, count in more.items():
            hall.open["", area] += count
        for area in more.keys() - plan.areas.keys():
            assert hall.open.pop(("", area)) == 0
            assert hall.sold.pop(("", area), 0) == 0
            for aside in hall.aside.values():
                aside.areas = [each for each in aside.areas if each != area]
        for area in plan.areas.keys() - more.keys():
            hall.open["", area] = plan.areas[area]
        hall.move(plan)
        self.plans[self.keys_of(hall)[0]] = (hall.name, plan)

    def late(self) -> None:
        """A process that has not heard of the new plan yet finds nothing under the old one's keys."""
        moved = [hall for hall in self.halls.values() if hall.plan_change]
        if not moved:
            return
        hall, keys = self.draw.choice(moved), self.stage.keys
        hold, _, owner = self.some()
        old = keys.performance(self._id(hall), hall.plan_change - 1)
        holds, calls = pack([[hold, 1]]), list[tuple[Any, ...]]()
        calls.append(("seats/release", [*self.front(), *old], "f", hold, owner))
        calls.append(("seats/extend", [*self.front(), *old], "f", hold, owner, 1000))
        terms, items = pack([1000, 9, 1, 0, 0, 0, 1000, [], [""]]), pack([[1, "best", "", 1]])
        shop = [*self.front(), keys.sale(SALE), keys.live(SALE), *old]
        calls.append(("seats/hold", shop, "f", "late", "v1", "1", terms, items))
        calls.append(("seats/swap", shop, "f", "late", owner, "", terms, items, pack([hold, 1])))
        due = [*self.payment("late"), keys.outbox, keys.sale(SALE), keys.live(SALE), *old[::2]]
        calls.append(("orders/confirm", due, "f", owner, "", pack("payload"), holds, 0, pack(["", 0])))
        due = [*self.payment("late"), keys.outbox, *old[::2]]
        calls.append(("orders/await", due, "f", owner, pack("payload"), holds, 1000))
        calls.append(("seats/sweep", [keys.cell, keys.outbox, *old], 9))
        reply = self.call(*self.draw.choice(calls))
        assert reply == [b"unknown_performance"], reply

    @staticmethod
    def _id(hall: Hall) -> Any:
        return hall.name


def _moves(here: Plan, there: Plan) -> list[Any]:
    """Where everything goes, as `lua/include/places.lua` takes it."""
    seats = {seat.id: number for number, seat in enumerate((seat for block in there.blocks for seat in block), 1)}
    numbers = {area: number for number, area in enumerate(there.areas)}
    areas = [(numbers.get(area, -1), there.areas.get(area, 0) - count) for area, count in here.areas.items()]
    olds = [seats.get(seat.id, 0) for block in here.blocks for seat in block]
    return [described(there), 2, list(there.areas.values()), areas, olds, [[], []]]
