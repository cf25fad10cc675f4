"""What a request for seats must be answered, once nothing forbids it: its seats, or why there are none.

The answer is compared while it is worked out: of several choices that are as good, the answer's own is followed.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from tests.lua.stage import Reply
from tests.property.walk.hall import Area, Hall, Kept
from tests.property.walk.rows import Place, Rows, expanded, fitting, has_room, is_clean, newly_alone, starts
from tests.property.walk.wishes import is_allowed


class Part:
    """A hall as a request finds it, with what it gives up for it already open, and what it takes there."""

    def __init__(self, hall: Hall, given_up: Kept | None) -> None:
        self.hall = hall
        before = hall.texts()
        self.open = Counter(hall.open)
        if given_up:
            rows, free = [list(row) for row in hall.rows], hall.open
            hall.open = self.open
            hall.put_back(given_up)
            before, hall.rows, hall.open = hall.texts(), rows, free
        self.before = before
        self.rows: Rows = [list(row) for row in before]
        self.seats: dict[Place, str] = {}
        self.places: Counter[Area] = Counter()
        self.named: list[int] = []
        self.held: list[Place] = []

    def texts(self) -> list[str]:
        return ["".join(row) for row in self.rows]


class Judge:
    """One request. `letters`: a string a hall, what its owner may take; `rule`: 0 where none binds whoever asks."""

    def __init__(
        self,
        parts: Sequence[Part],
        items: Sequence[Sequence[Any]],
        letters: Sequence[str],
        *,
        lone: tuple[int, int],
        is_bound: bool,
        reply: Reply,
    ) -> None:
        self.parts, self.items, self.letters, self.reply = parts, items, letters, reply
        (self.rule, self.last), self.is_bound = lone, is_bound
        self.ways: list[list[int]] = []
        self.taken: list[int] = []
        self.is_sure = True
        """Whether it is known which seats they are: how a party is split is left to the answer."""

    def decide(self) -> bool:
        """Whether there are such seats: then each part has its own. Fails where the answer should be another.

        Whether whoever asks has to wait is for the caller to say.
        """
        if self.reply[0] == b"held":
            wanted = [part for at, part in enumerate(self.parts) if any(item[0] == at + 1 for item in self.items)]
            assert len(self.reply) == 4 + len(wanted), self.reply
            for part, record in zip(wanted, self.reply[3:-1], strict=True):
                part.held = expanded(msgspec.msgpack.decode(record)[2])
        for number, item in enumerate(self.items, 1):
            part = self.parts[item[0] - 1]
            none = None
            if item[1] == "area":
                none = self._places(part, item)
            elif item[1] == "seats":
                self._named(part, number, item)
                for block, count in Counter(item[2::2]).items():
                    if part.hall.classes[block].islower() and count < len(part.rows[block]):
                        assert self.reply == [b"whole", number, block], self.reply
                        return False
            else:
                none = self._best(part, number, item)
            if none is not None:
                assert self.reply == [b"none", number, none], (self.reply, none)
                return False
        if self.taken:
            assert self.reply == [b"taken", *self.taken], (self.reply, self.taken)
            return False
        for at, part in enumerate(self.parts):
            alone = self._alone(part) if self.rule and self.is_bound else None
            if alone is not None:
                assert self.reply[:4] == [b"alone", at + 1, *alone], (self.reply, alone)
                self._check_alternative(part)
                return False
        if self.reply[0] == b"cool_down":
            return True
        assert self.reply[0] == b"held", self.reply
        assert msgspec.msgpack.decode(self.reply[-1]) == self.ways, (self.reply, self.ways)
        for part in self.parts:
            assert part.held == list(part.seats), "not the seats of the request"
        return True

    def _places(self, part: Part, item: Sequence[Any]) -> int | None:
        name, count = str(item[2]), item[3]
        letter, number = (name[0], name[1:]) if name[0].isalpha() else ("", name)
        area = (letter, list(part.hall.plan.areas)[int(number)])
        left = part.open[area] - part.places[area]
        if left < count:
            return left
        part.places[area] += count
        return None

    def _named(self, part: Part, number: int, item: Sequence[Any]) -> None:
        for block, offset in zip(item[2::2], item[3::2], strict=True):
            state = part.rows[block][offset]
            if state in (self.letters[item[0] - 1] or "o"):
                part.seats[block, offset] = state
                part.rows[block][offset] = "h"
            else:
                self.taken += [number, block, offset]
            part.named.append(block)

    # The best.

    def _best(self, part: Part, number: int, item: Sequence[Any]) -> int | None:
        """Looks whether these are the right ones. Answers the largest party where there are none."""
        class_, k, wish = item[2], item[3], item[4] if len(item) > 4 else {}
        free = wish.get("from", "o")
        got = part.held[len(part.seats) :][:k]
        found = self._together(part, class_, k, wish)
        kind, is_best = 0, False
        if found:
            block, start, alone = found
            wanted = [(block, start + step) for step in range(k)]
            assert got == wanted or self.reply[0] != b"held", (got, found)
            got = wanted
            is_best = self._minds(wish) and not alone
        else:
            split = self._split(part, class_, k, wish, got) if wish.get("split") and k > 1 else None
            if split is None:
                return self._largest(part, class_, wish)
            kind, self.is_sure = split, self.reply[0] == b"held"
        for block, offset in got:
            part.seats[block, offset] = free
            part.rows[block][offset] = "h"
        leaves_alone = any(
            newly_alone(part.before[block], part.rows[block], part.hall.classes[block]) for block, _ in got
        )
        self.ways.append([number, kind, int(leaves_alone and not is_best)])
        return None

    def _minds(self, wish: dict[str, Any]) -> bool:
        """Whether it matters that a seat is left alone."""
        return bool(self.rule) and not wish.get("unit") and "from" not in wish

    @staticmethod
    def _blocks(part: Part, wish: dict[str, Any]) -> list[int]:
        return [at for at in range(len(part.rows)) if is_allowed(wish, at)]

    def _together(self, part: Part, class_: str, k: int, wish: dict[str, Any]) -> tuple[int, int, int] | None:
        """Block, start and how many are left alone: of what is near first, in that order, then of all."""
        hall, rows, near, free = part.hall, part.texts(), wish.get("near", []), wish.get("from", "o")
        focuses = dict(zip(near[::2], near[1::2], strict=True))
        edges = {0: (0,), 1: (1,), 2: (2,), 3: (1, 2)}[wish.get("edge", 0)]
        groups = [
            [(at, focuses[at]) for at in near[::2]],
            [(at, hall.plan.focuses[at]) for at in self._blocks(part, wish)],
        ]
        for blocks in groups:
            found = [
                (at, *fit)
                for at, focus in blocks
                if not wish.get("unit") or len(rows[at]) == k
                for end in edges
                if (fit := fitting(rows[at], hall.classes[at], class_, k, end, focus, free))
            ]
            clean = [each for each in found if each[2] == 0]
            if found:
                return (clean if clean and self._minds(wish) else found)[0]
        return None

    def _split(self, part: Part, class_: str, k: int, wish: dict[str, Any], got: list[Place]) -> int | None:
        """How a party is split that finds no room together, if it can be."""
        if wish.get("unit"):
            return None
        hall, rows, most, allowed = part.hall, part.texts(), wish["split"], self._blocks(part, wish)
        free, neighbours = wish.get("from", "o"), part.hall.plan.neighbours

        def kind_of(one: int, other: int) -> int:
            kinds = [1] if one == other else []
            kinds += [kind for kind, blocks in enumerate(neighbours.get(one, ()), 1) if other in blocks]
            return min(kinds, default=4)

        def have_room(one: int, other: int, first: int) -> bool:
            for start, _ in starts(rows[one], hall.classes[one], class_, first, free):
                row = rows[one][:start] + "h" * first + rows[one][start + first :] if one == other else rows[other]
                if has_room(row, hall.classes[other], class_, k - first, free):
                    return True
            return False

        possible = [
            (first == k - 1 and k > 3, kind_of(one, other), first)
            for one in allowed
            for other in allowed
            if kind_of(one, other) <= min(most, 3)
            for first in range(-(-k // 2), k)
            if have_room(one, other, first)
        ]
        count = sum(
            rows[at][place] == free and (letter in class_ if class_ else letter.isupper())
            for at in allowed
            for place, letter in enumerate(hall.classes[at])
        )
        if not possible and (most < 4 or count < k):
            return None
        best = min(possible, default=(False, 4, 0))
        if self.reply[0] == b"held":
            assert len(set(got)) == k == len(got)
            for block, offset in got:
                letter = hall.classes[block][offset]
                assert rows[block][offset] == free, "not free"
                assert block in allowed, "not allowed"
                assert letter in class_ if class_ else letter.isupper(), "not of that class"
            if possible:
                self._check_halves(got, best, kind_of)
        return best[1]

    @staticmethod
    def _check_halves(got: list[Place], best: tuple[bool, int, int], kind_of: Any) -> None:
        """In two parts, as even and as near each other as may be."""
        first = best[2]
        for half in (got[:first], got[first:]):
            assert half == [(half[0][0], half[0][1] + step) for step in range(len(half))], (got, best)
        assert kind_of(got[0][0], got[first][0]) == best[1], (got, best)

    def _largest(self, part: Part, class_: str, wish: dict[str, Any]) -> int:
        """As it is meant; but of what is everybody's by rows as they were."""
        rows, free, near = part.texts(), wish.get("from", ""), wish.get("near", [])[::2]
        ends = {0: (0,), 1: (1,), 2: (2,), 3: (1, 2)}[wish.get("edge", 0)]
        for k in range(10 if free else 8, 0, -1):
            for at in [*near, *self._blocks(part, wish)] if free else self._blocks(part, wish):
                row, letters = rows[at] if free else "".join(part.hall.rows[at]), part.hall.classes[at]
                if any(fitting(row, letters, class_, k, end, 1, free or "o") for end in ends):
                    return k
        return 0

    # The rule.

    def _alone(self, part: Part) -> tuple[int, int] | None:
        """The seat that is left alone though there is another choice."""
        rows = part.texts()
        if "".join(rows).count("o") <= self.last:
            return None
        for block in dict.fromkeys(part.named):
            before, after, letters = part.before[block], rows[block], part.hall.classes[block]
            alone = newly_alone(before, after, letters)
            chosen = [at for at in range(len(after)) if before[at] == "o" != after[at]]
            class_ = "".join(sorted({letters[at] for at in chosen}))
            if not alone or any(letter.islower() for letter in class_):
                continue
            elsewhere = [each for each in enumerate(rows) if each[0] != block] if self.rule == 2 else []
            for at, row in [(block, before), *elsewhere]:
                if is_clean(row, part.hall.classes[at], class_, len(chosen)):
                    return block, alone[0]
        return None

    def _check_alternative(self, part: Part) -> None:
        block, other, beside, k = self.reply[2], *self.reply[4:]
        row = part.before[other] if other == block else "".join(part.rows[other])
        found = starts(row, part.hall.classes[other], "AB", k, "o")
        assert any(start == beside and left < 1 for start, left in found), "the other choice is none"
