"""Holding, exchanging, letting go, extending: what a visitor, the staff and a partner do before anybody pays."""

from typing import Any

import msgspec

from tests.lua.stage import Reply, pack
from tests.property.walk.caller import CODE, COOL_MS, HOLD_MS, LIMIT, LONGEST_MS, MARKS, MOST, Caller
from tests.property.walk.hall import PARTNER, STAFF, Hall, Kept
from tests.property.walk.judge import Judge, Part
from tests.property.walk.wishes import wishes

STRANGER = "v9"


class Terms(msgspec.Struct):
    """What binds a request. `former`: what it gives up, a hold's part a hall."""

    owner: str
    rule: int
    last: int
    unpaid: int
    uses: int
    letters: list[str]
    former: dict[str, Kept] = {}

    @property
    def place(self) -> str:
        return "" if self.owner in {STAFF, PARTNER} else self.owner[1:]

    def packed(self) -> bytes:
        codes = [CODE, self.uses, MOST] if self.uses else []
        return pack([HOLD_MS, LIMIT, self.rule, self.last, self.unpaid, COOL_MS, LONGEST_MS, codes, self.letters])


class Visitors(Caller):
    """The calls of `seats/`."""

    _is_sure = True

    def _terms(self, owner: str, halls: list[Hall]) -> Terms:
        draw = self.draw
        has_code = draw.random() < 0.3
        letters = [hall.letters_of(owner, has_code=has_code) for hall in halls]
        uses = draw.choice((0, 0, 0, 1, 2))
        return Terms(owner, draw.choice((0, 1, 1, 2)), draw.choice((0, 0, 5)), draw.choice((0, 0, 2)), uses, letters)

    def hold(self) -> None:
        self.number += 1
        hold, owner = f"h{self.number}", self.draw.choice((*list(MARKS) * 6, STAFF, STAFF, PARTNER, STRANGER))
        names = self.draw.choice((["p"], ["p"], ["q"], ["p", "q"], ["q", "p"]))
        halls = [self.halls[name] for name in names]
        terms = self._terms(owner, halls)
        items = [
            item
            for number, hall in enumerate(halls, 1)
            for item in wishes(self.draw, number, hall, owner, terms.letters[number - 1])
        ]
        reply = self.call(
            "seats/hold",
            [*self.shop(), *self.halls_of(halls)],
            *("f", hold, owner, terms.place, terms.packed(), pack(items)),
        )
        for hall in halls:
            self.turn(hall)
        if owner == STRANGER:
            assert reply == [b"pass_ended"], reply
            return
        if terms.unpaid and self._is_cooling(halls, terms, reply):
            return
        held = self._decide(reply, halls, items, terms)
        if held is None:
            if len(halls) > 1:
                self.outcomes["hold refused in one of two"] += 1
            return
        self.outcomes["hold held in two"] += len(halls) > 1
        ends_ms = reply[1] + self.shifted_ms
        self._write(hold, halls, held, terms, ends_ms, ends_ms - HOLD_MS + LONGEST_MS)
        parts = {hall.name: part for hall, part in zip(halls, held, strict=True)}
        self.tell("held", reply[2], hold, owner, parts, at_ms=ends_ms - HOLD_MS, ends_ms=ends_ms)

    def _is_cooling(self, halls: list[Hall], terms: Terms, reply: Reply) -> bool:
        """Whether whoever let so many holds go unpaid has to wait; then that must be the answer."""
        for hall in halls:
            count, last_ms = hall.unpaid.get(terms.owner, (0, 0))
            if count >= terms.unpaid and self.now() < last_ms + COOL_MS:
                stored = self.stage.hash(self.keys_of(hall)[0])[f"w{terms.owner}".encode()].split()
                assert reply == [b"cool_down", int(stored[1]) + COOL_MS], reply
                return True
        return False

    def _decide(self, reply: Reply, halls: list[Hall], items: list[list[Any]], terms: Terms) -> list[Kept] | None:
        """What is held in each hall, the answer being as it must be; None where it refuses."""
        former = [terms.former.get(hall.name) for hall in halls]
        owned = [hall.owned[terms.owner] - (had.count if had else 0) for hall, had in zip(halls, former, strict=True)]
        for item in items:
            at, count = item[0] - 1, (len(item) - 2) // 2 if item[1] == "seats" else item[3]
            if owned[at] + count > LIMIT:
                assert reply == [b"limit", item[0], owned[at]], (reply, owned)
                return None
            owned[at] += count
        used = self.uses - sum(had.uses for had in former if had)
        if terms.uses and used + terms.uses > MOST:
            assert reply == [b"code_used", CODE.encode(), MOST - used], (reply, used)
            return None
        parts = [Part(hall, had) for hall, had in zip(halls, former, strict=True)]
        lone = (terms.rule, terms.last)
        judge = Judge(parts, items, terms.letters, lone=lone, is_bound=bool(terms.place), reply=reply)
        if not judge.decide():
            return None
        self._is_sure = judge.is_sure
        seats = [dict(zip(part.hall.ids(part.seats), part.seats.values(), strict=True)) for part in parts]
        return [Kept(terms.owner, 0, mine, part.places) for mine, part in zip(seats, parts, strict=True)]

    def _write(
        self, hold: str, halls: list[Hall], held: list[Kept], terms: Terms, ends_ms: int, latest_ms: int
    ) -> None:
        held[0].uses = terms.uses
        self.uses += terms.uses
        for hall, part in zip(halls, held, strict=True):
            if not part.count:
                continue
            part.ends_ms, part.latest_ms = ends_ms, latest_ms
            hall.holds[hold] = part
            hall.set(part.seats, "h")
            hall.open.subtract(part.places)
            hall.owned[terms.owner] += part.count

    def swap(self) -> None:
        """Something else instead of what a hold holds; what is not taken anew comes back as from any that is let go."""
        draw = self.draw
        self.number += 1
        former, halls, owner = self.some()
        new, in_former = f"h{self.number}", halls
        if draw.random() < 0.04:
            owner = STRANGER
        names = [hall.name for hall in in_former]
        wanted = draw.choice((names, names, ["p"], ["q"], ["p", "q"]))
        halls = [self.halls[name] for name in dict.fromkeys([*wanted, *names])]
        terms = self._terms(owner, halls)
        terms.unpaid = draw.choice((0, 2))
        items = []
        for number, name in enumerate(wanted, 1):
            kept = self.halls[name].holds.get(former)
            own = list(kept.seats) if kept and kept.owner == owner else []
            items += wishes(draw, number, self.halls[name], owner, terms.letters[number - 1], own)
        given_up = [former, *(halls.index(hall) + 1 for hall in in_former)]
        reply = self.call(
            "seats/swap",
            [*self.shop(), *self.halls_of(halls)],
            *("f", new, owner, terms.place, terms.packed(), pack(items), pack(given_up)),
        )
        for hall in halls:
            self.turn(hall)
        if owner == STRANGER:
            assert reply == [b"pass_ended"], reply
            return
        for hall in in_former:
            if not self.may(hall, former, owner):
                assert reply == [b"hold_ended"], reply
                return
            if hall.holds[former].is_extended:
                assert reply == [b"being_paid"], reply
                return
        terms.former = {hall.name: hall.as_it_is(hall.holds[former]) for hall in in_former}
        held = self._decide(reply, halls, items, terms)
        if held is None:
            return
        left = {name: _left(part, held[halls.index(self.halls[name])]) for name, part in terms.former.items()}
        is_less = any(part.count for part in left.values())
        if reply[0] == b"cool_down":
            assert terms.unpaid, reply
            assert self._is_cooling(halls, terms, reply), reply
            assert is_less or not self._is_sure, "nothing is let go"
            return
        assert not (terms.unpaid and is_less and self._is_cooling(halls, terms, reply)), reply
        ends_ms = min(part.full_ms for part in terms.former.values())
        assert reply[:2] == [b"held", ends_ms - self.shifted_ms], (reply, ends_ms)
        self.tell("released", reply[2], former, owner, step=0)
        latest_ms = min(part.latest_ms for part in terms.former.values())
        for name, part in left.items():
            self._give_up(self.halls[name], former, part)
        self._write(new, halls, held, terms, ends_ms, latest_ms)
        parts = {hall.name: part for hall, part in zip(halls, held, strict=True) if part.count}
        self.tell("held", reply[2], new, owner, parts, ends_ms=ends_ms, step=1)
        self.outcomes["swap left something" if is_less else "swap left nothing"] += 1

    def _give_up(self, hall: Hall, former: str, left: Kept) -> None:
        """What is left of a hold that was exchanged is let go; the rest of it is open for what takes it anew."""
        kept = hall.as_it_is(hall.holds[former])
        hall.owned[kept.owner] -= kept.count - left.count
        hall.put_back(_left(kept, left))
        hall.holds[former] = left
        if left.count:
            self.end(hall, former, is_unpaid=True)
        else:
            self.uses -= kept.uses
            del hall.holds[former]

    def leave(self) -> None:
        """Somebody has left, or is here again; words may overtake each other."""
        hold, halls, owner = self.some()
        said, grace_ms, before = self.draw.randint(1, 10**6), self.draw.choice((0, 20_000)), self.now()
        reply = self.call("seats/leave", [self.stage.keys.cell, *self.dues_of(halls)], hold, owner, said, grace_ms)
        if not all(self.may(hall, hold, owner) for hall in halls):
            assert reply == [b"hold_ended"], reply
            return
        assert reply[0] == b"held", reply
        for hall in halls:
            kept = hall.holds[hold]
            if kept.is_extended or said <= kept.said:
                continue
            full, kept.said = kept.full_ms, said
            kept.ends_ms, kept.former_ms = full, full if grace_ms else 0
            if grace_ms:
                stored = self.stage.hash(self.keys_of(hall)[0])[f"h{hold}".encode()]
                kept.ends_ms = msgspec.msgpack.decode(stored)[1] + self.shifted_ms
                assert min(full, before + grace_ms) <= kept.ends_ms <= min(full, self.now() + grace_ms), "a moment more"
        ends_ms = min(hall.holds[hold].ends_ms for hall in halls)
        assert reply[1] == ends_ms - self.shifted_ms
        self.tell("extended", reply[2], hold, owner, ends_ms=ends_ms)

    def release(self) -> None:
        hold, halls, owner = self.some()
        reply = self.call("seats/release", [*self.front(), *self.halls_of(halls)], "f", hold, owner)
        for hall in halls:
            self.turn(hall)
        if not all(self.may(hall, hold, owner) for hall in halls):
            assert reply == [b"hold_ended"], reply
            return
        assert reply[0] == b"released", reply
        self.tell("released", reply[1], hold, owner)
        self.lapsed.append((hold, owner, {hall.name: msgspec.structs.replace(hall.holds[hold]) for hall in halls}))
        for hall in halls:
            self.end(hall, hold, is_unpaid=True)

    def extend(self) -> None:
        hold, halls, owner = self.some()
        ms = self.draw.choice((20_000, 200_000))
        reply = self.call("seats/extend", [*self.front(), *self.halls_of(halls)], "f", hold, owner, ms)
        for hall in halls:
            self.turn(hall)
        for hall in halls:
            if not self.may(hall, hold, owner):
                assert reply == [b"hold_ended"], reply
                return
            if hall.holds[hold].is_extended:
                assert reply == [b"already_extended"], reply
                return
        assert reply[0] == b"extended", reply
        for hall in halls:
            kept = hall.holds[hold]
            kept.ends_ms, kept.is_extended = max(kept.full_ms, min(kept.full_ms + ms, kept.latest_ms)), True
        assert reply[1] == halls[-1].holds[hold].ends_ms - self.shifted_ms
        self.tell("extended", reply[2], hold, owner, ends_ms=kept.ends_ms)


def _left(former: Kept, taken: Kept) -> Kept:
    """What a hold had and what is taken instead has not: its seats in their order, and places."""
    seats = {seat: letter for seat, letter in former.seats.items() if seat not in taken.seats}
    return msgspec.structs.replace(former, seats=seats, places=former.places - taken.places)
