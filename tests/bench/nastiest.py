"""P5b: one best-available call on 80,000 seats, against the halls that are nastiest to it, in ms inside Redis.

Each case is a hall filled so that the index promises as much as it can and holds as little, and a wish for it. A call
is made time after time and its hold let go again; what counts is the slowest of their medians, a case.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any, Final

import msgspec

from engine.best import LARGEST_INDEXED, SPLITS, as_text
from tests.bench.redis_time import Owner, microseconds, own_redis, run
from tests.bench.rounds import AT_MOST, Bar, Part
from tests.bench.seats_in_redis import CATEGORIES, KEYS, PERFORMANCE, SECTIONS, hold, release
from tests.lua.stage import Stage, pack

SEATS: Final = 80_000
CALLS: Final = 7
QUANTITIES: Final = (*range(1, 9), 20)

WORST = Bar(
    what=f"the slowest best-available call on {SEATS:,} seats, however fragmented",
    yardstick="1 ms inside Redis",
    sense=AT_MOST,
    bar=2,
)


class Hall(msgspec.Struct, frozen=True):
    """Blocks of a hall, best first, with each block's letters; rows of `a_row` blocks stand one behind the other."""

    rows: list[str]
    classes: list[str]
    a_row: int = len(SECTIONS)

    def neighbours(self, block: int) -> list[list[int]]:
        """Those of the same row, of the rows beside it, and near: 8, 8 and 12."""
        row, place = divmod(block, self.a_row)
        same = [row * self.a_row + other for other in range(self.a_row) if other != place]
        beside = [other * self.a_row + each for other in (row - 1, row + 1) for each in range(self.a_row)]
        near = [block + step for distance in range(1, 20) for step in (distance, -distance)]
        return [
            [each for each in found if 0 <= each < len(self.rows)][:most]
            for found, most in ((same, 8), (beside, 8), (near, 12))
        ]


def lengths() -> list[int]:
    """The blocks of 1,000 rows of 80."""
    return [length for _ in range(SEATS // sum(SECTIONS)) for length in SECTIONS]


def hall(fill: Callable[[int, int], str], letters: Callable[[int, int], str] = lambda _, length: "A" * length) -> Hall:
    """A hall by `fill(block, length)` and `letters(block, length)`."""
    made = [(fill(block, length), letters(block, length)) for block, length in enumerate(lengths())]
    return Hall([row for row, _ in made], [classes for _, classes in made])


def every(pattern: str) -> Callable[[int, int], str]:
    """A fill that repeats a pattern in each block."""
    return lambda _, length: (pattern * length)[:length]


def but_last(pattern: str, last: str = "o") -> Callable[[int, int], str]:
    """The same, and only the worst block open."""
    count = len(lengths())
    return lambda block, length: ((last if block == count - 1 else pattern) * length)[:length]


def quarters(block: int, length: int) -> str:
    """Four categories by distance."""
    return chr(65 + block * CATEGORIES // len(lengths())) * length


def halls() -> dict[str, Hall]:
    """Every hall by its name."""
    boxes = [4] * (SEATS // 4)
    singles = {"open": every("o"), "singles": every("os"), "pairs": every("oos"), "only the worst block": but_last("s")}
    made = {name: hall(fill, quarters) for name, fill in singles.items()}
    made |= {f"runs of {run}": hall(every("o" * run + "s"), quarters) for run in (3, 4, 7, 8, 9)}
    made |= {
        # The index says that eight of any class are there; of two classes together there are never two.
        "striped": hall(every("o"), every("AB" + "CD")),
        "striped but the worst": hall(every("o"), but_last("AC", "AB")),
        # Blocks of 12 and more that serve eight and not twenty, but the worst.
        "nineteen everywhere": hall(lambda _, length: ("o" * min(19, length)).ljust(length, "s"), quarters),
        "twenty in the worst": nineteen_but_one(),
        "boxes of four": Hall(["ooos"] * len(boxes), ["AAAA"] * len(boxes), a_row=20),
        "boxes, only the worst": Hall([*["osos"] * (len(boxes) - 1), "oooo"], ["AAAA"] * len(boxes), a_row=20),
        "long blocks of singles": Hall(["os" * 125] * (SEATS // 250), ["AB" * 125] * (SEATS // 250), a_row=1),
        "long blocks of pairs": Hall((["oos" * 83 + "o"]) * (SEATS // 250), ["A" * 250] * (SEATS // 250), a_row=1),
        # A pair in every fourth row's first block and nothing beside it: each look for a split is in vain.
        "lonely pairs": hall(lambda block, length: ("oo" if block % 20 == 0 else "").ljust(length, "s"), quarters),
        "lonely runs of three": hall(lambda block, length: ("ooo" if block % 40 == 0 else "").ljust(length, "s")),
        "lonely runs of seven": hall(lambda block, length: ("ooooooo" if block % 40 == 0 else "").ljust(length, "s")),
        "lonely runs of nineteen": hall(
            lambda block, length: ("o" * min(length, 19) if block % 40 == 1 else "").ljust(length, "s")
        ),
        "access places open": hall(every("o"), every("Aa")),
        "one in the middle of a row": hall(lambda _, length: "o" + "s" * (length - 2) + "o"),
    }
    return made


def nineteen_but_one() -> Hall:
    """No block serves twenty but the worst one of twenty."""
    of_twenty = [number for number, length in enumerate(lengths()) if length == 20]
    return hall(
        lambda block, length: "o" * length if block == of_twenty[-1] else ("o" * min(19, length)).ljust(length, "s"),
        quarters,
    )


def wishes(laid: Hall) -> dict[str, tuple[str, dict[str, Any]]]:
    """Letters and options of every kind of wish, by its name; as `engine.best` packs them."""
    blocks = len(laid.rows)

    def mask(is_meant: Callable[[int], bool], letters: str = "") -> dict[str, Any]:
        """A bit a block; of several letters, only blocks that have one of them. And those that are long enough."""
        meant = [
            is_meant(block) and (not letters or not set(letters).isdisjoint(laid.classes[block]))
            for block in range(blocks)
        ]
        long = [each and len(row) >= max(QUANTITIES) for each, row in zip(meant, laid.rows, strict=True)]
        return {"mask": bits(meant), "whole": bits(long)}

    def bits(blocks: Sequence[bool]) -> msgspec.Raw:
        size = -(-len(blocks) // 8)
        number = int("".join(str(int(each)) for each in blocks).ljust(size * 8, "0"), 2)
        return as_text(number.to_bytes(size, "big"))

    whole = {"whole": mask(lambda _: True)["whole"]}

    def spans(letters: str) -> dict[str, Any]:
        """By party size the blocks in which so many seats are of several of the letters."""
        longest = [
            max((len(run) for run in re.findall(f"[{letters}]+", each) if len(set(run)) > 1), default=0)
            for each in laid.classes
        ]
        sizes = [size for size in range(2, 21) if size <= max(longest)]
        return {"span": {size: mask(lambda block: longest[block] >= size)["mask"] for size in sizes}}  # noqa: B023

    near = [part for block in range(blocks // 2, min(blocks, blocks // 2 + 128)) for part in (block, 3)]
    every_other, two = mask(lambda block: block % 2 == 1), mask(lambda _: True, "AB") | spans("AB")
    both = mask(lambda block: block % 2 == 1, "AB") | spans("AB")
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "any": ("", {}),
        "one category": ("D", {}),
        "every other block": ("", every_other),
        "only the worst block": ("", mask(lambda block: block == blocks - 1)),
        "two categories": ("AB", two),
        "two categories, every other block": ("AB", both),
        "near": ("", {"near": near}),
        "near, aisle": ("", {"near": near, "edge": 3}),
        "aisle, two categories": ("AB", {"edge": 3} | two),
    }
    made |= {f"aisle {name}": ("", {"edge": edge}) for name, edge in (("left", 1), ("right", 2), ("any", 3))}
    made |= {f"split {name}": ("", {"split": split}) for split, name in enumerate(SPLITS[1:], start=1)}
    more = {"two categories": ("AB", two), "every other block": ("", every_other), "near": ("", {"near": near})}
    made |= {f"split anywhere, {name}": (letters, {"split": 4} | wish) for name, (letters, wish) in more.items()}
    return {name: (letters, whole | wish) for name, (letters, wish) in made.items()}


def lay_out(owner: Owner, laid: Hall) -> None:
    """An empty Redis with an open on-sale and this hall."""
    owner.flushall()
    stage = Stage(owner)
    stage.put_up()
    blocks = [
        (f"{(len(row) + 1) / 2:g} {classes}", row, laid.neighbours(number))
        for number, (row, classes) in enumerate(zip(laid.rows, laid.classes, strict=True))
    ]
    for first in range(0, len(blocks), 500):
        arguments = (first, pack(blocks[first : first + 500]), CATEGORIES, 0, pack([]), "", len(blocks))
        reply = stage.run("seats/install", [KEYS.cell, *PERFORMANCE[:2]], *arguments)
        assert reply[0] == b"installed", reply
    stage.let_in(0)


class Measured(msgspec.Struct, frozen=True):
    """A case and what it took: the median and the slowest of its calls, µs, and what the answer was."""

    hall: str
    wish: str
    k: int
    median_us: float
    slowest_us: float
    answer: str


def _measure(owner: Owner, item: Sequence[Any]) -> tuple[list[float], str]:
    taken: list[float] = []
    answer = ""
    call = hold(0, item, limit=1000)
    for _ in range(CALLS):
        owner.delete(call[4])
        one, (reply,) = microseconds(owner, [call])
        taken.append(one)
        answer = reply[0].decode()
        if answer == "held":
            let_go = release(0)
            owner.delete(let_go[4])
            run(owner, [let_go])
    return taken, answer


def measure(owner: Owner) -> Iterator[Measured]:
    """Every wish for every quantity in every hall."""
    for name, laid in halls().items():
        lay_out(owner, laid)
        for wish, (letters, options) in wishes(laid).items():
            for k in QUANTITIES:
                said = (
                    options if k > LARGEST_INDEXED else {key: each for key, each in options.items() if key != "whole"}
                )
                taken, answer = _measure(owner, [1, "best", letters, k, said])
                yield Measured(name, wish, k, median(taken), max(taken), answer)


async def nastiest() -> list[Part]:
    """P5b: the slowest case of all, and each hall's."""
    with own_redis() as (_, owner):
        found = list(measure(owner))
    parts = []
    for name in halls():
        worst = max((each for each in found if each.hall == name), key=lambda each: each.median_us)
        what = f"{WORST.what}: {name}"
        measured = f"{worst.wish}, {worst.k} seats: {worst.median_us / 1000:.2f} ms ({worst.answer})"
        part = WORST.judge_ratios([worst.median_us / 1000], measured)
        parts.append(msgspec.structs.replace(part, what=what))
    return parts
