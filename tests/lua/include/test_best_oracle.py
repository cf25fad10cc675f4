"""The best seats against a look at every seat: whoever can be seated is, and by the very seats that the rule says.

Every state of short rows, and random halls; more of those with `PARVIS_HALLS=1000`.
"""

import itertools
import os
import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from tests.lua import oracle
from tests.lua.oracle import Row, Wish
from tests.lua.stage import Stage, pack

HALLS = int(os.environ.get("PARVIS_HALLS", "40"))
LARGEST_PARTY = 12


def lay(stage: Stage, rows: Sequence[Row]) -> None:
    """This hall and no other; its index is what `install` makes of it."""
    stage.redis.execute_command("DEL", *stage.hall())
    blocks: Any = [(f"{row.focus:g} {row.letters}", row.seats, row.neighbours) for row in rows]
    assert stage.install(blocks, 3) == [b"installed", len(rows)]


def suggested(
    stage: Stage, rows: Sequence[Row], wishes: Sequence[Wish], *, is_spanned: bool = True
) -> list[oracle.Runs]:
    """What a read-only call finds for each."""
    key, index, _ = stage.hall()
    packed = [oracle.options(rows, wish, is_spanned=is_spanned) for wish in wishes]
    items = [["best", wish.letters, wish.k, each] for wish, each in zip(wishes, packed, strict=True)]
    word, *replies = stage.ask("seats/suggest", [key, index], pack(items))
    assert word == b"suggested"
    flat = map(msgspec.msgpack.decode, replies)
    return [list(zip(each[::3], each[1::3], each[2::3], strict=True)) for each in flat]


def agree(stage: Stage, rows: Sequence[Row], wishes: Sequence[Wish], **options: bool) -> int:
    """How many of the wishes were granted, all of them as the oracle says."""
    lay(stage, rows)
    found = suggested(stage, rows, wishes, **options)
    granted = 0
    for wish, runs in zip(wishes, found, strict=True):
        wanted = oracle.best(rows, wish)
        assert runs == (wanted[0] if wanted else []), (rows, wish, wanted)
        granted += bool(runs)
    return granted


@pytest.mark.parametrize("length", range(1, 9))
def test_every_state_of_a_row(stage: Stage, length: int) -> None:
    """Of one letter: every party, at each end and at none, split or not."""
    wishes = [Wish(k=k, edge=edge) for k in range(1, length + 2) for edge in range(4)]
    wishes += [Wish(k=k, split=4) for k in range(2, length + 1)]
    for seats in itertools.product("os", repeat=length):
        agree(stage, [Row("".join(seats), "A" * length, (length + 1) / 2)], wishes)


def test_every_state_of_two_short_rows_of_several_letters(stage: Stage) -> None:
    wishes = [Wish(k=k, letters=letters) for k in range(1, 5) for letters in ("", "A", "B", "AB", "a")]
    wishes += [Wish(k=k, letters=letters, split=split) for k in (2, 3) for letters in ("", "AB") for split in (1, 4)]
    for letters in ("AABB", "AaAB", "ABCA"):
        for seats in itertools.product("os", repeat=7):
            row, other = "".join(seats[:4]), "".join(seats[4:])
            agree(stage, [Row(row, letters, 2.5, ((1,), (), ())), Row(other, "ABB", 2, ((0,), (), ()))], wishes)


def a_hall(chance: random.Random) -> list[Row]:
    """Rows as houses have them and as they never would; letters mixed, or one a row."""
    count = chance.randrange(1, 14)
    letters = chance.choice(["A", "AB", "ABC", "AAAAB", "AAAAa", "AABBab"])
    is_mixed, share = chance.random() < 0.4, chance.choice([0.1, 0.3, 0.5, 0.8, 1])
    rows = []
    for number in range(count):
        length = chance.randrange(1, chance.choice([4, 9, 16]))
        every = [chance.choice(letters)] * length
        others = [other for other in range(count) if other != number]
        near = [tuple(chance.sample(others, min(len(others), chance.randrange(4)))) for _ in range(3)]
        rows.append(
            Row(
                "".join("o" if chance.random() < share else chance.choice("shbZ") for _ in range(length)),
                "".join(chance.choice(letters) for _ in range(length)) if is_mixed else "".join(every),
                chance.choice([(length + 1) / 2, 1.0, float(length), -3.0, length + 2.5]),
                (near[0], near[1], near[2]),
            )
        )
    return rows


def some_wishes(chance: random.Random, rows: Sequence[Row]) -> Iterator[Wish]:
    """Of every kind, and of several at once."""
    blocks = range(len(rows))
    for k in range(1, LARGEST_PARTY + 1):
        for _ in range(5):
            is_unit = chance.random() < 0.1
            near = chance.sample(blocks, chance.randrange(len(rows) + 1)) if chance.random() < 0.3 else []
            edge = chance.choice([0, 0, 0, 1, 2, 3])
            share = chance.choice([0.6, 1, 1])
            allowed = frozenset(each for each in blocks if chance.random() < share)
            sides = [frozenset(each for each in allowed if chance.random() < 0.6) for _ in range(2)]
            yield Wish(
                k=k,
                letters=chance.choice(["a", "b"] if is_unit else ["", "", "A", "B", "C", "AB", "BC", "ABC"]),
                level=1 if is_unit else 0,
                edge=edge,
                ends=(sides[0], sides[1]) if edge == 3 and chance.random() < 0.6 else None,
                allowed=None if len(allowed) == len(rows) else allowed,
                near=tuple((block, float(chance.randrange(1, 9))) for block in near),
                split=chance.choice([0, 1, 2, 3, 4]) if k > 1 else 0,
                is_unit=is_unit,
            )


@pytest.mark.parametrize("seed", range(8))
def test_random_halls_and_wishes(stage: Stage, seed: int) -> None:
    chance = random.Random(seed)
    granted = asked = 0
    for _ in range(HALLS):
        rows = a_hall(chance)
        wishes = [
            msgspec.structs.replace(each, edge=0, ends=None) if each.is_unit else each
            for each in some_wishes(chance, rows)
        ]
        granted += agree(stage, rows, wishes, is_spanned=chance.random() < 0.7)
        asked += len(wishes)
    assert 0.1 < granted / asked < 0.9


@pytest.mark.parametrize("seed", range(4))
def test_a_hall_sold_party_by_party(stage: Stage, seed: int) -> None:
    """Through the hold itself, with and without the rule: several parties of one request, their ways, the index."""
    chance = random.Random(seed)
    stage.put_up()
    stage.names["p"] = []
    for _ in range(max(1, HALLS // 8)):
        rows = a_hall(chance)
        lay(stage, rows)
        stage.let_in(2)
        for number in range(12):
            rule = chance.choice([0, 1, 2])
            level = 0 if rule else 1
            wishes = [
                Wish(k=chance.randrange(1, 7), letters=chance.choice(["", "A", "AB"]), level=level, split=split)
                for split in chance.sample([0, 0, 4], chance.randrange(1, 3))
            ]
            items = [[1, "best", each.letters, each.k, oracle.options(rows, each, is_spanned=True)] for each in wishes]
            reply = stage.hold_packed(2, items, hold=f"h{number}", limit=1000, terms=(rule, 0))
            after, runs, ways, refused = list(rows), [], [], 0
            for place, wish in enumerate(wishes, start=1):
                found = oracle.best(after, wish)
                if found is None:
                    refused = place
                    break
                for run in found[0]:
                    after = oracle.without(after, *run)
                runs += found[0]
                ways.append([place, found[1], int(found[2] != 0 and is_left_alone(rows, after, found[0]))])
            if refused:
                assert reply[:2] == [b"none", refused]
                continue
            assert reply[0] == b"held"
            flat = msgspec.msgpack.decode(reply[3])[2]
            assert list(zip(flat[::3], flat[1::3], flat[2::3], strict=True)) == runs
            assert msgspec.msgpack.decode(reply[4]) == ways
            rows = after
            assert stage.rows() == [row.seats for row in rows]
        assert stage.index_is_right()


def is_left_alone(first: Sequence[Row], after: Sequence[Row], runs: oracle.Runs) -> bool:
    """Whether a general seat of these blocks has no open neighbour any more that had one when the call began."""
    return any(newly_alone(first[block], after[block].seats) for block, _, _ in runs)


def newly_alone(before: Row, seats: str) -> list[int]:
    def is_alone(row: str, at: int) -> bool:
        return "o" not in row[max(0, at - 1) : at] + row[at + 1 : at + 2]

    return [
        at
        for at, state in enumerate(seats)
        if state == "o" and before.letters[at].isupper() and is_alone(seats, at) and not is_alone(before.seats, at)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_named_seats_may_leave_one_alone_only_where_there_is_no_other_way(stage: Stage, seed: int) -> None:
    """Refused: what is offered is as many, together, free, and leaves nobody alone. Held: there was no such choice."""
    chance = random.Random(seed)
    outcomes = set()
    stage.put_up()
    stage.names["p"] = []
    for _ in range(HALLS * 2):
        rows = a_hall(chance)
        lay(stage, rows)
        stage.let_in(2)
        free = [(block, at) for block, row in enumerate(rows) for at, state in enumerate(row.seats) if state == "o"]
        if not free:
            continue
        block, first = chance.choice(free)
        near = [at for each, at in free if each == block and abs(at - first) < 4]
        chosen = sorted({first, *chance.sample(near, chance.randrange(len(near)))} if near else {first})
        rule, last, is_staff = chance.choice([0, 1, 2]), chance.choice([0, 0, 0, 5]), chance.random() < 0.1
        flat = [part for at in chosen for part in (block, at)]
        reply = stage.hold_packed(
            2, [[1, "seats", *flat]], limit=1000, terms=(rule, last), place="" if is_staff else None, hold="h"
        )
        row, k = rows[block], len(chosen)
        if row.letters.islower() and k < len(row.letters):
            assert reply == [b"whole", 1, block], (rows, chosen)
            continue
        seats = "".join("h" if at in chosen else state for at, state in enumerate(row.seats))
        letters = "".join(sorted({row.letters[at] for at in chosen}))
        alone = newly_alone(row, seats)
        wish = Wish(k=k, letters=letters)
        in_row = oracle.best_start(row, wish, 0, chosen[0] + 1 + (k - 1) / 2, is_strict=True)
        around = [(other, rows[other].focus) for kind in row.neighbours for other in kind]
        nearby = [
            [other, offset]
            for other, focus in around
            if (offset := oracle.best_start(rows[other], wish, 0, focus, is_strict=True)) is not None
        ]
        elsewhere = oracle.together(rows, wish)
        is_exempt = is_staff or rule == 0 or len(free) - k <= last or not letters.isupper()
        if not alone or is_exempt:
            expected = None
        elif in_row is not None:
            expected = [block, in_row]
        elif rule == 2 and nearby:
            expected = nearby[0]
        elif rule == 2 and elsewhere and elsewhere[2] == 0:
            expected = list(elsewhere[:2])
        else:
            expected = None
        if expected is None:
            assert reply[0] == b"held", (rows, chosen, rule, reply)
        else:
            assert reply == [b"alone", 1, block, alone[0], *expected, k], (rows, chosen, rule)
            offered = rows[expected[0]]
            assert offered.seats[expected[1] : expected[1] + k] == "o" * k
            assert oracle.left_alone(offered.seats, expected[1], k) == 0
        outcomes.add((expected is None, bool(alone), is_exempt))
    assert {(True, False, False), (True, True, True), (False, True, False)} <= outcomes
